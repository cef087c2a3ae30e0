"""/snakeprov/v1/lineage: what a version comes from, or what comes from it.

Must not know: how rows are kept.

A version leads to the making that its reader had before it, and one that no activity made to what its bytes mean.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, Literal, TypeVar

import msgspec
from msgspec import Meta

from snakeprov.db import access, jobs, lineage, makings, members, readings
from snakeprov.db.access import Reader
from snakeprov.db.database import Transaction
from snakeprov.db.jobs import MadeBy
from snakeprov.db.lineage import UsageEdge, Version, VersionNode
from snakeprov.db.readings import ANY, Link, Telling
from snakeprov.db.tables import AGAIN
from snakeprov.db.trash import recorded_path
from snakeprov.model.answers import Edge, EdgeKind, Lineage, Node, NodeKind
from snakeprov.model.meant import EDGES
from snakeprov.server import meanings, unmade, wire
from snakeprov.server.call import Call, entity_number
from snakeprov.server.entities import existing
from snakeprov.server.queries import EntityId, Number, Query
from snakeprov.server.services import Services
from snakeprov.server.unmade import Beside

service = Services("Questions")

EDGES_PER_NODE_MAX = 10
"""How many edges are looked at in one hop, for each node that the answer may have."""

GENERATED_BY: Final = "generatedBy"
USED: Final = "used"
EXECUTED: Final = "executed"
"""What an edge says that leads from or to an activity."""

LINKS: dict[str, EdgeKind] = {stored: EDGES[kind] for kind, stored in meanings.KINDS.items()}
"""What an edge between two versions says, by what the bytes of the first mean."""

INSIDE: Final = "inside"
CONTAINS: Final = "contains"
"""What an edge says that leads from a file to the directory it lies in, and from a directory to a file in it."""

NO_ACCESS = "no access"
"""The label of what the user may not read."""

Key = int | Version | str
"""What a node is known by in here: an activity's number, a version, or a URL."""

Step = tuple[Version, Telling]
"""A version, and the making of it that is followed."""

Row = TypeVar("Row")


class LineageQuery(Query, frozen=True):
    """Where to start, which way to go and how far; `limit` is how many nodes the answer can have."""

    entity_id: EntityId
    version_number: Number | None = None
    direction: Literal["upstream", "downstream"] = "upstream"
    depth: Annotated[int, Meta(ge=1, le=1000)] = 10
    limit: Annotated[int, Meta(ge=1, le=100_000)] = 1000


@service("GET", "/snakeprov/v1/lineage")
def graph(call: Call, query: LineageQuery) -> Lineage:
    """What a version comes from, or what comes from it.

    Breadth first, every node once; edges point from a thing to what it came from. `depth` counts
    activities, and links between versions that no activity made.
    """
    row = existing(call, entity_number(query.entity_id), number=query.version_number)
    version = row.id, row.number
    walk: _Walk
    if query.direction == "upstream":
        walk = _Upstream(call.tx, limit=query.limit, reader=call.user.reader)
    else:
        beside = unmade.beside(call, [version])
        walk = _Downstream(call.tx, limit=query.limit, reader=call.user.reader, beside=beside)
    frontier = walk.begin(version)
    for _ in range(query.depth):
        if not frontier or walk.truncated:
            break
        frontier = walk.hop(frontier)
    if frontier and not walk.truncated:
        walk.truncated = walk.goes_on(frontier)
    walk.describe_activities()
    return Lineage(
        root=_node_id(version), nodes=list(walk.nodes.values()), edges=walk.edges(), truncated=walk.truncated
    )


class _Walk:
    """The graph as far as it has been seen; `truncated` once something had to be left out.

    What `reader` may not read is a node without content, and nothing beyond it is looked at.
    """

    def __init__(self, tx: Transaction, *, limit: int, reader: Reader) -> None:
        self.nodes: dict[Key, Node] = {}
        self.truncated = False
        self._edges: dict[tuple[str, str, EdgeKind], str | msgspec.UnsetType | None] = {}
        self._tx = tx
        self._limit = limit
        self._reader = reader
        self._edges_max = limit * EDGES_PER_NODE_MAX
        self._activities: dict[int, None] = {}
        self._known: dict[Version, VersionNode] = {}

    def begin(self, version: Version) -> list[Step]:
        """Add the version that is asked about; return the first step."""
        raise NotImplementedError

    def hop(self, frontier: list[Step]) -> list[Step]:
        """Go one activity, or one link between versions, further; return the steps from where it ended."""
        raise NotImplementedError

    def goes_on(self, frontier: list[Step]) -> bool:
        """Return whether there is something beyond the versions of a frontier."""
        raise NotImplementedError

    def edges(self) -> list[Edge]:
        """Return the edges as they go over the wire; a use says so where the bytes that were read are not proved."""
        unproved = {
            (_node_id(activity_id), _node_id((entity_id, number)))
            for activity_id, entity_id, number in lineage.unproved_uses(self._tx, self._activities)
        }
        return [
            Edge(source, target, kind, making, kind not in (USED, EXECUTED) or (source, target) not in unproved)
            for (source, target, kind), making in self._edges.items()
        ]

    def add_versions(self, versions: list[Version]) -> list[Version]:
        """Add the versions that are new here; return those that may be read."""
        fresh = self._within_limit([version for version in dict.fromkeys(versions) if version not in self.nodes])
        known = lineage.nodes(self._tx, fresh)
        readable = access.readable_projects(self._tx, {node.project_id for node in known.values()}, self._reader)
        closed = {version for version, node in known.items() if node.project_id not in readable}
        self._add_closed([version for version in fresh if version in closed])
        fresh = [version for version in fresh if version not in closed]
        told = meanings.told(
            self._tx, [one for one in fresh if one in known and (known[one].meaning or known[one].activity_id is None)]
        )
        for version in fresh:
            found = known.get(version)
            if found is not None:
                self._known[version] = found
            self.nodes[version] = _version(version, found, told.get(version, meanings.NOTHING))
        return fresh

    def describe_activities(self) -> None:
        """Say of every activity what it was: its rule, or else its name."""
        made = jobs.made(self._tx, self._activities)
        names = lineage.names(self._tx, self._activities.keys() - made.keys())
        for id_ in self._activities:
            self.nodes[id_] = _activity(id_, made.get(id_), names.get(id_))

    def _add_activities(self, ids: list[int]) -> list[int]:
        fresh = self._within_limit([id_ for id_ in ids if id_ not in self._activities])
        for id_ in fresh:
            self._activities[id_] = None
            # What it was is asked for all of them at once, in the end.
            self.nodes[id_] = _activity(id_, None, None)
        return fresh

    def _add_closed(self, keys: Sequence[int | Version]) -> None:
        for key in self._within_limit([key for key in keys if key not in self.nodes]):
            kind: NodeKind = "activity" if isinstance(key, int) else "entity"
            self.nodes[key] = Node(id=_node_id(key), kind=kind, label=NO_ACCESS)

    def _add_urls(self, named: list[tuple[str, str | None]]) -> None:
        for url, name in named:
            if url not in self.nodes:
                for _ in self._within_limit([url]):
                    self.nodes[url] = Node(id=f"url:{url}", kind="url", label=name or url, url=url)

    def _link_usages(self, usages: list[UsageEdge], had: Mapping[tuple[int, Version], Telling]) -> None:
        for activity_id, was_executed, entity_id, number, url, _ in usages:
            # An activity can name an entity that never was here, without a version: 0 stands for that.
            version = (entity_id or 0, number or 0)
            target: Key = version if entity_id is not None else url or ""
            making: str | msgspec.UnsetType | None = msgspec.UNSET
            if (activity_id, version) in had:
                maker = had[activity_id, version]
                making = None if maker is None else _node_id(maker)
            self._link(activity_id, target, EXECUTED if was_executed else USED, making)

    def _link_versions(self, link: Link) -> None:
        self._link(link.source, link.target, LINKS[link.kind])

    def _link(
        self, source: Key, target: Key, kind: EdgeKind, making: str | msgspec.UnsetType | None = msgspec.UNSET
    ) -> None:
        source_node, target_node = self.nodes.get(source), self.nodes.get(target)
        if source_node is None or target_node is None:
            return
        edge = source_node.id, target_node.id, kind
        if making is not msgspec.UNSET or edge not in self._edges:
            self._edges[edge] = making

    def _whole(self, rows: list[Row]) -> list[Row]:
        if len(rows) >= self._edges_max:
            self.truncated = True
        return rows

    def _within_limit(self, fresh: list[Any]) -> list[Any]:
        room = self._limit - len(self.nodes)
        if len(fresh) > room:
            self.truncated = True
        return fresh[:room]


class _Upstream(_Walk):
    """From a version to what it came from."""

    def __init__(self, tx: Transaction, *, limit: int, reader: Reader) -> None:
        super().__init__(tx, limit=limit, reader=reader)
        self._taken: set[Step] = set()

    def begin(self, version: Version) -> list[Step]:
        """Add the version; for the version asked about, the latest making is followed."""
        self.add_versions([version])
        return self._at({version: makings.NEVER})

    def hop(self, frontier: list[Step]) -> list[Step]:
        """Go from versions to their makings and what those used, or to the versions that their bytes refer to."""
        makers = [(version, maker) for version, maker in frontier if maker is not None]
        fresh = self._add_activities(list(dict.fromkeys(maker for _, maker in makers)))
        for version, maker in makers:
            self._link(version, maker, GENERATED_BY)
        usages = self._whole(lineage.used_by(self._tx, fresh, limit=self._edges_max))
        links = readings.links_from(self._tx, [version for version, maker in frontier if maker is None])
        used = [(id_, number or 0) for _, _, id_, number, _, _ in usages if id_ is not None]
        self.add_versions([*used, *(link.target for link in links.values())])
        self._add_urls([(url, name) for *_, url, name in usages if url is not None])
        had = readings.makings_had(self._tx, usages, self._reader)
        self._link_usages(usages, had)
        for link in links.values():
            self._link_versions(link)
        return self._fresh(self._read(usages, had) + self._at({one.target: one.seen_on for one in links.values()}))

    def goes_on(self, frontier: list[Step]) -> bool:
        """Return whether something made one of the versions that is not here yet, or its bytes mean something."""
        if not {maker for _, maker in frontier if maker is not None} <= self._activities.keys():
            return True
        links = readings.links_from(self._tx, [version for version, maker in frontier if maker is None])
        return any(link.target not in self.nodes for link in links.values())

    def _read(self, usages: list[UsageEdge], had: Mapping[tuple[int, Version], Telling]) -> list[Step]:
        steps: list[Step] = []
        for activity_id, _, entity_id, number, _, _ in usages:
            version = (entity_id or 0, number or 0)
            if (node := self._known.get(version)) is not None:
                steps.append((version, had.get((activity_id, version), node.activity_id)))
        return steps

    def _at(self, moments: Mapping[Version, int]) -> list[Step]:
        """Return the steps from versions as they had been made at some moments."""
        again = makings.made_again(self._tx, moments)
        asked = {(version, moment) for version, moment in moments.items() if version in again}
        told = readings.tellings(self._tx, asked, self._reader) if asked else {}
        return [
            (version, told.get((version, moment), self._known[version].activity_id))
            for version, moment in moments.items()
            if version in self._known
        ]

    def _fresh(self, steps: list[Step]) -> list[Step]:
        fresh = [step for step in dict.fromkeys(steps) if step not in self._taken]
        self._taken.update(fresh)
        return fresh


class _Downstream(_Walk):
    """From a version to what came from it."""

    def __init__(self, tx: Transaction, *, limit: int, reader: Reader, beside: Beside) -> None:
        super().__init__(tx, limit=limit, reader=reader)
        self._beside = beside
        self._reached: dict[Version, set[Telling]] = {}

    def begin(self, version: Version) -> list[Step]:
        """Add the version, those that have its bytes again, and those that were read with it: a directory or its files.

        Whatever made them, all that came of it.
        """
        beside = self._beside
        linked = {
            LINKS[AGAIN]: makings.put_back_from(self._tx, [version]).get(version, []),
            INSIDE: [*members.of_directories(self._tx, [version]).get(version, []), *beside.inside.get(version, [])],
            CONTAINS: [*members.directories_of(self._tx, [version]).get(version, []), *beside.around.get(version, [])],
        }
        self.truncated = self.truncated or beside.is_cut
        every = [version, *(one for some in linked.values() for one in some)]
        self.add_versions(every)
        for kind, some in linked.items():
            for one in some:
                self._link(one, version, kind)
        return self._fresh([(one, ANY) for one in every])

    def hop(self, frontier: list[Step]) -> list[Step]:
        """Go from versions to the activities that used them after that making, and to their outputs; or by meaning."""
        usages, had = self._users(frontier)
        users = list(dict.fromkeys(user for user, *_ in usages))
        readable = access.readable_activities(self._tx, users, self._reader)
        self._add_closed([id_ for id_ in users if id_ not in readable])
        fresh = self._add_activities([id_ for id_ in users if id_ in readable])
        self._link_usages(usages, had)
        made = self._whole(lineage.generated_by(self._tx, fresh, limit=self._edges_max))
        again = self._whole(makings.of_activities(self._tx, fresh, limit=self._edges_max))
        links = self._whole(readings.links_to(self._tx, self._at(frontier), self._reader, limit=self._edges_max))
        steps = [((entity_id, number), maker) for maker, entity_id, number in (*made, *again)]
        self.add_versions([*(version for version, _ in steps), *(link.source for link in links)])
        for version, maker in steps:
            self._link(version, maker, GENERATED_BY)
        for link in links:
            self._link_versions(link)
        return self._fresh([*steps, *((link.source, None) for link in links)])

    def goes_on(self, frontier: list[Step]) -> bool:
        """Return whether something that is not here yet used one of the versions, or points at it."""
        usages, _ = self._users(frontier)
        if any(user not in self.nodes for user, *_ in usages):
            return True
        links = readings.links_to(self._tx, self._at(frontier), self._reader, limit=self._edges_max)
        return any(link.source not in self.nodes for link in links)

    def _users(self, frontier: list[Step]) -> tuple[list[UsageEdge], dict[tuple[int, Version], Telling]]:
        usages, had, is_cut = readings.users(self._tx, self._at(frontier), self._reader, limit=self._edges_max)
        self.truncated = self.truncated or is_cut
        return usages, had

    def _at(self, frontier: list[Step]) -> dict[Version, set[Telling]]:
        return {version: self._reached[version] for version, _ in frontier}

    def _fresh(self, steps: Sequence[Step]) -> list[Step]:
        fresh = []
        for version, maker in steps:
            reached = self._reached.setdefault(version, set())
            if version in self._known and maker not in reached:
                reached.add(maker)
                fresh.append((version, maker))
        return fresh


def _node_id(key: int | Version) -> str:
    if isinstance(key, int):
        return f"activity:{key}"
    entity_id, number = key
    return f"syn{entity_id}.{number}" if number else f"syn{entity_id}"


def _version(version: Version, found: VersionNode | None, told: meanings.Told) -> Node:
    """Return the node of a version; of one that never was here only its id is known."""
    id_ = _node_id(version)
    entity_id, number = version
    path = id_ if found is None else recorded_path(found.path) or found.name
    return Node(
        id=id_,
        kind="entity",
        label=path,
        entity_id=wire.entity_id(entity_id),
        version_number=number or None,
        path=path,
        is_latest=found is not None and number == found.current_version,
        sha256=None if found is None else found.sha256,
        identity_proved=found is None or found.sha256 is not None or found.md5 is not None or not found.has_content,
        role=told.role,
        meaning=told.meaning,
    )


def _activity(activity_id: int, job: MadeBy | None, name: str | None) -> Node:
    """Return the node of an activity; `name` is used if it was not recorded from a job."""
    id_ = _node_id(activity_id)
    if job is None:
        return Node(id=id_, kind="activity", label=name or f"activity {activity_id}", activity_id=str(activity_id))
    return Node(
        id=id_,
        kind="activity",
        label=job.rule,
        activity_id=str(activity_id),
        rule=job.rule,
        status=job.status,
        job_id=job.job_id,
        wildcards=msgspec.json.decode(job.wildcards),
        ended_on=wire.optional_time(job.ended_on),
        commit=job.git_commit,
        dirty=wire.optional_truth(job.git_dirty),
    )
