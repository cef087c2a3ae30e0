"""Which reader of a version belongs to which making of it: one step of lineage that is true in time.

A version whose bytes were made several times leads from each making only to those that read it after that making, and
from a reader only to the making that preceded it. Versions that no activity made lead on by the meaning of their bytes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Final, NamedTuple

from sqlalchemy import and_, bindparam, func, or_, select

from snakeprov.db import lineage, makings
from snakeprov.db.access import Reader
from snakeprov.db.database import Transaction
from snakeprov.db.keys import listed, pairs
from snakeprov.db.lineage import UsageEdge, Version
from snakeprov.db.statements import Query
from snakeprov.db.tables import job, job_file, revision

ANY: Final = -1
"""Stands for whatever made a version, where a version is reached for its own sake."""

Telling = int | None
"""The activity named as the maker of a version; None if it has none, and its meaning leads on; or `ANY`."""


class Link(NamedTuple):
    """What the bytes of a version mean: `kind` of `tables.revision`, and the version that they point at.

    `seen_on`: when the first job began that read the version, or else when it was recorded. What was made later is not
    what its bytes come from.
    """

    entity_id: int
    number: int
    kind: str
    of_entity_id: int
    of_version: int
    seen_on: int

    @property
    def source(self) -> Version:
        """The version that means something."""
        return self.entity_id, self.number

    @property
    def target(self) -> Version:
        """The version that it points at."""
        return self.of_entity_id, self.of_version


_FIRST_READ = (
    select(func.min(func.coalesce(job.c.started_on, job.c.listed_on)))
    .select_from(job_file.join(job, job.c.number == job_file.c.job_number))
    .where(
        job_file.c.entity_id == revision.c.entity_id,
        job_file.c.version == revision.c.number,
        or_(job_file.c.outcome == "used", job_file.c.outcome == "executed"),
    )
    .correlate(revision)
    .scalar_subquery()
)
_LINKS = (
    select(
        revision.c.entity_id,
        revision.c.number,
        revision.c.meaning.label("kind"),
        revision.c.of_entity_id,
        revision.c.of_version,
        func.coalesce(_FIRST_READ, revision.c.created_on).label("seen_on"),
    )
    # In this form the partial index on the versions that point at another serves.
    .where(revision.c.of_entity_id.is_not(None))
    .order_by(revision.c.entity_id, revision.c.number)
)
_MADE_BY_NOBODY = revision.c.activity_id.is_(None)
_WANTED, _ID, _NUMBER = pairs("versions")
_OF_THESE = _WANTED.join(revision, and_(revision.c.entity_id == _ID, revision.c.number == _NUMBER))
_MEANT = Query(_LINKS.select_from(_OF_THESE), Link)
_FROM = Query(_LINKS.select_from(_OF_THESE).where(_MADE_BY_NOBODY), Link)
_TO = Query(
    _LINKS.select_from(_WANTED.join(revision, and_(revision.c.of_entity_id == _ID, revision.c.of_version == _NUMBER)))
    .where(_MADE_BY_NOBODY)
    .limit(bindparam("limit")),
    Link,
)


def makings_had(tx: Transaction, usages: Iterable[UsageEdge], reader: Reader) -> dict[tuple[int, Version], Telling]:
    """Return, for each activity and each version that it used and that was made again, the making that preceded it."""
    uses = [(user, (id_, number)) for user, _, id_, number, *_ in usages if id_ is not None and number is not None]
    again = makings.made_again(tx, {version for _, version in uses})
    uses = [(user, version) for user, version in uses if version in again]
    if not uses:
        return {}
    began = makings.began(tx, {user for user, _ in uses})
    moments = {(user, version): began.get(user, makings.NEVER) for user, version in uses}
    found = tellings(tx, {(version, moment) for (_, version), moment in moments.items()}, reader)
    return {(user, version): found[version, moment] for (user, version), moment in moments.items()}


def tellings(
    tx: Transaction, asked: Collection[tuple[Version, int]], reader: Reader
) -> dict[tuple[Version, int], Telling]:
    """Return the making of each version to name: the last that had ended before a moment, else the first."""
    found = makings.told(tx, [(*version, moment) for version, moment in asked], reader)
    nodes = lineage.nodes(tx, {version for version, _ in asked})
    own = {version: node.activity_id for version, node in nodes.items()}
    return {
        (version, moment): own.get(version) if (later := found.get((*version, moment))) is None else later
        for version, moment in asked
    }


def meant_by(tx: Transaction, versions: Collection[Version]) -> dict[Version, Link]:
    """Return what some versions point at, whether an activity made them or not."""
    return {link.source: link for link in tx.all(_MEANT, versions=listed(versions))} if versions else {}


def links_from(tx: Transaction, versions: Collection[Version]) -> dict[Version, Link]:
    """Return what those of some versions point at that no activity made."""
    return {link.source: link for link in tx.all(_FROM, versions=listed(versions))} if versions else {}


def users(
    tx: Transaction, reached: Mapping[Version, Collection[Telling]], reader: Reader, *, limit: int
) -> tuple[list[UsageEdge], dict[tuple[int, Version], Telling], bool]:
    """Return the activities that used versions after the makings by which they were reached.

    Returns:
        The uses, the making that each had of what was made again, and whether `limit` was met.
    """
    usages = lineage.uses_of(tx, reached, limit=limit)
    had = makings_had(tx, usages, reader)
    followed = []
    for one in usages:
        user, _, id_, number, *_ = one
        version = (id_ or 0, number or 0)
        if _follows(reached[version], had.get((user, version), ANY)):
            followed.append(one)
    return followed, had, len(usages) >= limit


def links_to(
    tx: Transaction, reached: Mapping[Version, Collection[Telling]], reader: Reader, *, limit: int
) -> list[Link]:
    """Return the versions that point at some versions as these were when they were reached."""
    links = tx.all(_TO, versions=listed(reached), limit=limit) if reached else []
    again = makings.made_again(tx, {link.target for link in links})
    asked = {(link.target, link.seen_on) for link in links if link.target in again}
    found = tellings(tx, asked, reader) if asked else {}
    return [one for one in links if _follows(reached[one.target], found.get((one.target, one.seen_on), ANY))]


def _follows(reached: Collection[Telling], making: Telling) -> bool:
    """Return whether a way leads on: `making` is ANY where there is only one."""
    return making == ANY or ANY in reached or making in reached
