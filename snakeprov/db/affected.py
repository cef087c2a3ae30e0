"""Find everything that came from given versions or activities, in a few queries per step.

First everything for which there is proof, then what came through uses whose bytes were not read, then what came from
versions that only the evidence of their bytes links.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final, NamedTuple, Protocol

from sqlalchemy import Column, Select, and_, select

from snakeprov.db import access, lineage, makings, members, readings
from snakeprov.db.access import Reader, in_readable, readable_run
from snakeprov.db.database import Transaction
from snakeprov.db.keys import listed, numbers, triples
from snakeprov.db.lineage import UsageEdge, Version
from snakeprov.db.readings import ANY, Link, Telling
from snakeprov.db.tables import AGAIN, TRASH_ID, activity, entity, file_handle, job, revision, run, usage

_NOBODY: Final = 0
"""Stands for the activity of a version that none made. No activity has this number."""


class Affected(NamedTuple):
    """A version, and the activity that made it or, with the outcome `reproduced`, made the same bytes again.

    `outcome` is `revision.meaning` where no activity is named. `by_evidence`: no proof links it to the start.
    `is_way_proved`: every job on the way provably read exactly the recorded bytes.
    """

    entity_id: int
    number: int
    current_version: int
    path: str
    name: str
    sha256: str | None
    md5: str | None
    size_bytes: int | None
    created_on: int
    meaning: str | None
    activity_id: int | None
    activity_name: str | None
    rule: str | None
    run_id: str | None
    git_commit: str | None
    git_dirty: bool | None
    outcome: str
    by_evidence: bool
    is_way_proved: bool


class ReadWith(Protocol):
    """What was read together with versions, which is not known here: these versions, and whether there may be more."""

    def __call__(self, versions: Collection[Version]) -> tuple[Collection[Version], bool]:
        """Return it."""


class Starts(NamedTuple):
    """Where to start: at versions, at everything that used any version of some entities, or at activities."""

    versions: Collection[Version] = ()
    entities: Collection[int] = ()
    activities: Select[tuple[int]] | None = None
    read_with: ReadWith = lambda versions: ((), False)


def activities_of(
    *, rule: str | None, run_ids: Collection[str] | None, commit: str | None, reader: Reader
) -> Select[tuple[int]]:
    """Return the query for the activities of jobs: of a rule, of some runs, at a commit that begins with `commit`."""
    jobs = _jobs_of(job.c.activity_id, rule=rule, run_ids=run_ids, commit=commit, reader=reader)
    return jobs.where(job.c.activity_id.is_not(None)).distinct().order_by(job.c.activity_id)


def is_any_job(
    tx: Transaction, *, rule: str | None, run_ids: Collection[str] | None, commit: str | None, reader: Reader
) -> bool:
    """Return whether a job, with an activity or without, matches all this."""
    jobs = _jobs_of(job.c.number, rule=rule, run_ids=run_ids, commit=commit, reader=reader)
    return tx.connection.execute(jobs.limit(1)).first() is not None


def _jobs_of(
    column: Column[int], *, rule: str | None, run_ids: Collection[str] | None, commit: str | None, reader: Reader
) -> Select[tuple[int]]:
    jobs = select(column).select_from(job.join(run, run.c.id == job.c.run_id)).where(readable_run(reader))
    if rule is not None:
        jobs = jobs.where(job.c.rule == rule)
    if run_ids is not None:
        jobs = jobs.where(job.c.run_id.in_(sorted(run_ids)))
    if commit is not None:
        jobs = jobs.where(run.c.git_commit >= commit, run.c.git_commit < commit + "g")
    return jobs


def downstream(tx: Transaction, starts: Starts, *, reader: Reader, limit: int) -> tuple[list[Affected], bool]:
    """Return what some activities made and all that came from it, and whether more than `limit` was found.

    What the reader may not see is left out, and so is what came from that only. What was put into the trash
    is passed through and not told.

    Args:
        tx: The transaction.
        starts: Where to start.
        reader: Who looks.
        limit: How many activities are passed and how many versions returned, at most.
    """
    search = _Search(tx, reader=reader, limit=limit)
    search.start(starts)
    search.follow()
    told = _told(tx, search.found, reader)
    return told[:limit], search.is_cut or len(told) > limit


class _Search:
    """What has been reached: versions by the makings that were affected, and for each the first way that led to it."""

    def __init__(self, tx: Transaction, *, reader: Reader, limit: int) -> None:
        self.found: dict[Version, _Way] = {}
        self.is_cut = False
        self._tx = tx
        self._reader = reader
        self._limit = limit
        self._reached: dict[Version, set[Telling]] = {}
        self._frontier: dict[Version, None] = {}
        self._passed: set[int] = set()
        self._evidence: dict[Version, None] = {}
        self._by_evidence = False
        self._doubtful_users: dict[int, None] = {}
        self._doubtful: set[Version] = set()
        self._in_doubt = False

    def start(self, starts: Starts) -> None:
        """Take the versions to start at, and what the activities to start at made."""
        activities: list[int] = []
        versions = list(starts.versions)
        if starts.entities:
            whole = {"entities": listed(starts.entities)}
            versions += [(row[0], row[1]) for row in self._tx.rows(_VERSIONS_OF, whole)]
            # An activity can name an entity without a version.
            activities += (row[0] for row in self._tx.rows(_USERS_OF, whole))
        for again in makings.put_back_from(self._tx, versions).values():
            for version in self._readable(again):
                self._find(version, _NOBODY, None)
                self._reach(version, ANY)
        read_with, is_cut = starts.read_with(versions)
        self.is_cut = self.is_cut or is_cut
        for version in (*versions, *self._readable({**self._together(versions), **dict.fromkeys(read_with)})):
            self._reach(version, ANY)
            self.found.pop(version, None)
        if starts.activities is not None:
            activities += (row[0] for row in self._tx.rows(starts.activities.limit(self._limit + 1)))
        self._pass(activities)

    def follow(self) -> None:
        """Go on until nothing new is reached: by proof, and then from the versions that are linked by evidence."""
        self._follow()
        self._by_evidence = True
        while self._evidence and not self.is_cut:
            links, self._evidence = self._evidence, {}
            self._point(links)
            self._follow()

    def _follow(self) -> None:
        """Go on until nothing new is reached, last through uses that are not proved; keep links by evidence."""
        self._go_on()
        self._in_doubt = True
        while self._doubtful_users and not self.is_cut:
            users, self._doubtful_users = self._doubtful_users, {}
            self._pass(users)
            self._go_on()
        self._in_doubt = False

    def _go_on(self) -> None:
        while self._frontier and not self.is_cut:
            reached = {version: self._reached[version] for version in self._frontier}
            self._frontier = {}
            most = self._limit * _USES_PER_ACTIVITY_MAX
            usages, _, is_cut = readings.users(self._tx, reached, self._reader, limit=most)
            links = readings.links_to(self._tx, reached, self._reader, limit=most)
            self.is_cut = self.is_cut or is_cut or len(links) >= most
            proved = self._proved(usages)
            self._doubtful_users |= {user: None for user, *_ in usages if user not in proved}
            self._pass(proved)
            self._link(links)

    def _proved(self, usages: Collection[UsageEdge]) -> dict[int, None]:
        """Return the activities that are known to have used one of these versions, reached without doubt."""
        unproved = set(lineage.unproved_uses(self._tx, {user for user, *_ in usages}))
        return {
            user: None
            for user, _, id_, number, *_ in usages
            if (user, id_, number) not in unproved and (id_, number) not in self._doubtful
        }

    def _pass(self, activity_ids: Iterable[int]) -> None:
        fresh = [id_ for id_ in dict.fromkeys(activity_ids) if id_ not in self._passed]
        room = self._limit + 1 - len(self._passed)
        self.is_cut = self.is_cut or len(fresh) > room
        fresh = fresh[:room]
        self._passed.update(fresh)
        made = lineage.generated_by(self._tx, fresh, limit=self._limit + 1)
        again = makings.of_activities(self._tx, fresh, limit=self._limit + 1)
        self.is_cut = self.is_cut or len(made) > self._limit or len(again) > self._limit
        readable = self._readable([(entity_id, number) for _, entity_id, number in (*made, *again)])
        for some, outcome in ((made, "generated"), (again, "reproduced")):
            for activity_id, entity_id, number in some:
                if (entity_id, number) in readable:
                    self._find((entity_id, number), activity_id, outcome)
                    self._reach((entity_id, number), activity_id)

    def _together(self, versions: Collection[Version]) -> dict[Version, None]:
        """Return the files inside of directories, and the directories of files: who read one read the other."""
        inside = members.of_directories(self._tx, versions)
        above = members.directories_of(self._tx, versions)
        return {one: None for found in (inside, above) for some in found.values() for one in some}

    def _link(self, links: Iterable[Link]) -> None:
        """Follow the versions that have earlier bytes again; keep those that are linked by evidence."""
        # What is linked to a version that was reached in doubt is in doubt itself, if it was not reached before.
        self._doubtful |= {one.source for one in links if one.target in self._doubtful} - self._reached.keys()
        self._point([link.source for link in links if link.kind == AGAIN])
        self._evidence |= {link.source: None for link in links if link.kind != AGAIN}

    def _point(self, versions: Collection[Version]) -> None:
        """Take versions that point at some that were reached, but for those that the search started at."""
        for version in self._readable(versions):
            if ANY not in self._reached.get(version, ()):
                self._find(version, _NOBODY, None)
                self._reach(version, None)

    def _find(self, version: Version, activity_id: int, outcome: str | None) -> None:
        """Take note of the way to a version, if it is the first."""
        if version in self.found:
            return
        if self._in_doubt:
            self._doubtful.add(version)
        self.found[version] = _Way(activity_id, outcome, self._by_evidence, version not in self._doubtful)

    def _reach(self, version: Version, maker: Telling) -> None:
        reached = self._reached.setdefault(version, set())
        if maker not in reached:
            reached.add(maker)
            self._frontier[version] = None

    def _readable(self, versions: Collection[Version]) -> dict[Version, None]:
        """Return those of some versions that the reader may read, in the same order."""
        if self._reader is None:
            return dict.fromkeys(versions)
        projects = access.projects_of(self._tx, {entity_id for entity_id, _ in versions})
        readable = access.readable_projects(self._tx, set(projects.values()), self._reader)
        return {version: None for version in versions if projects.get(version[0]) in readable}


class _Way(NamedTuple):
    """How a version was first reached; of one that no activity made, the outcome is what its bytes mean."""

    activity_id: int
    outcome: str | None
    by_evidence: bool
    is_proved: bool


_USES_PER_ACTIVITY_MAX: Final = 10
"""Uses that are looked at in one step, for each activity that may be passed."""

_VERSIONS_OF = select(revision.c.entity_id, revision.c.number).where(revision.c.entity_id.in_(numbers("entities")))
_USERS_OF = (
    select(usage.c.activity_id)
    .where(usage.c.target_id.in_(numbers("entities")))
    .distinct()
    .order_by(usage.c.activity_id)
)
_WANTED, _ID, _NUMBER, _MAKER = triples("versions")
_TOLD = (
    select(
        revision.c.entity_id,
        revision.c.number,
        entity.c.current_version,
        entity.c.path,
        entity.c.name,
        file_handle.c.sha256,
        file_handle.c.md5,
        file_handle.c.size_bytes,
        revision.c.created_on,
        revision.c.meaning,
        activity.c.id.label("activity_id"),
        activity.c.name.label("activity_name"),
        job.c.rule,
        job.c.run_id,
        run.c.git_commit,
        run.c.git_dirty,
    )
    .select_from(
        _WANTED.join(revision, and_(revision.c.entity_id == _ID, revision.c.number == _NUMBER))
        .join(entity, entity.c.id == revision.c.entity_id)
        .outerjoin(activity, activity.c.id == _MAKER)
        .outerjoin(file_handle, file_handle.c.id == revision.c.file_handle_id)
        .outerjoin(job, job.c.activity_id == activity.c.id)
        .outerjoin(run, run.c.id == job.c.run_id)
    )
    .where(entity.c.project_id != TRASH_ID)
)


def _told(tx: Transaction, found: Mapping[Version, _Way], reader: Reader) -> list[Affected]:
    statement = _TOLD.where(in_readable(entity.c.project_id, reader))
    wanted = [(*version, way.activity_id) for version, way in found.items()]
    rows: dict[Version, Any] = {}
    for row in tx.rows(statement, {"versions": listed(wanted)}) if wanted else ():
        rows.setdefault((row[0], row[1]), row)
    told = []
    for version, way in found.items():
        if (row := rows.get(version)) is not None:
            told.append(Affected._make((*row, way.outcome or row[9] or "", way.by_evidence, way.is_proved)))
    return told
