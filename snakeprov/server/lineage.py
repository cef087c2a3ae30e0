"""/snakeprov/v1/lineage: what a version comes from, or what comes from it.

Must not know: how rows are kept.
"""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from snakeprov.server import wire
from snakeprov.server.call import Answer, Call, entity_number, shown
from snakeprov.server.entities import existing
from snakeprov.server.refusals import bad_request
from snakeprov.store import access, jobs, lineage
from snakeprov.store.access import Reader
from snakeprov.store.lineage import UsageEdge, Version
from snakeprov.store.store import Transaction
from snakeprov.store.trash import recorded_path

DEPTH_DEFAULT = 10
DEPTH_MAX = 1000
NODES_DEFAULT = 1000
NODES_MAX = 100_000

EDGES_PER_NODE_MAX = 10
"""How many edges are looked at in one hop, for each node that the answer may have."""

NO_ACCESS = "no access"
"""The label of what the user may not read."""

Row = TypeVar("Row")


def graph(call: Call) -> Answer:
    """GET /lineage: breadth first, every node once; edges point from a thing to what it came from."""
    direction = call.query.get("direction", "upstream")
    if direction not in ("upstream", "downstream"):
        raise bad_request(f"direction={shown(direction)}: upstream or downstream was expected.")
    depth = call.number("depth", default=DEPTH_DEFAULT, least=1, most=DEPTH_MAX)
    limit = call.number("limit", default=NODES_DEFAULT, least=1, most=NODES_MAX)
    number = call.optional_number("versionNumber", least=1)
    row = existing(call, entity_number(call.text("entityId")), number=number)
    walk = _Walk(call.tx, limit=limit, reader=call.user.reader)
    hop = walk.upstream if direction == "upstream" else walk.downstream
    frontier = walk.add_versions([(row.id, row.number)])
    for _ in range(depth):
        if not frontier or walk.truncated:
            break
        frontier = hop(frontier)
    if frontier and not walk.truncated:
        walk.truncated = walk.goes_on(frontier, upstream=direction == "upstream")
    walk.describe_activities()
    return 200, {
        "root": f"syn{row.id}.{row.number}",
        "nodes": list(walk.nodes.values()),
        "edges": [{"source": source, "target": target, "kind": kind} for source, target, kind in walk.edges],
        "truncated": walk.truncated,
    }


class _Walk:
    """The graph as far as it has been seen; `truncated` once something had to be left out.

    What `reader` may not read is a node without content, and nothing beyond it is looked at.
    """

    def __init__(self, tx: Transaction, *, limit: int, reader: Reader) -> None:
        self.nodes: dict[str, dict[str, Any]] = {}
        self.edges: dict[tuple[str, str, str], None] = {}
        self.truncated = False
        self._tx = tx
        self._limit = limit
        self._reader = reader
        self._edges_max = limit * EDGES_PER_NODE_MAX
        self._activities: dict[int, None] = {}
        self._makers: dict[Version, int | None] = {}

    def upstream(self, frontier: list[Version]) -> list[Version]:
        """Go from versions to the activities that made them, and on to what these used; return the new versions."""
        makers = {version: maker for version in frontier if (maker := self._makers.get(version)) is not None}
        fresh = self._add_activities(list(dict.fromkeys(makers.values())))
        for version, maker in makers.items():
            self._link(_version_id(version), f"activity:{maker}", "generatedBy")
        usages = self._whole(lineage.used_by(self._tx, fresh, limit=self._edges_max))
        found = self.add_versions([target for usage in usages if (target := _target(usage)) is not None])
        for usage in usages:
            self._add_url(usage)
            self._link_usage(usage)
        return found

    def downstream(self, frontier: list[Version]) -> list[Version]:
        """Go from versions to the activities that used them, and on to what these made; return the new versions."""
        usages = self._whole(lineage.uses_of(self._tx, frontier, limit=self._edges_max))
        users = list(dict.fromkeys(usage.activity_id for usage in usages))
        readable = access.readable_activities(self._tx, users, self._reader)
        self._add_closed([f"activity:{id_}" for id_ in users if id_ not in readable], kind="activity")
        fresh = self._add_activities([id_ for id_ in users if id_ in readable])
        for usage in usages:
            self._link_usage(usage)
        made = self._whole(lineage.generated_by(self._tx, fresh, limit=self._edges_max))
        found = self.add_versions([(entity_id, number) for _, entity_id, number in made])
        for activity_id, entity_id, number in made:
            self._link(_version_id((entity_id, number)), f"activity:{activity_id}", "generatedBy")
        return found

    def goes_on(self, frontier: list[Version], *, upstream: bool) -> bool:
        """Say whether there is something beyond the versions of a frontier."""
        if upstream:
            return any(self._makers.get(version) not in (None, *self._activities) for version in frontier)
        usages = lineage.uses_of(self._tx, frontier, limit=self._edges_max)
        return any(f"activity:{usage.activity_id}" not in self.nodes for usage in usages)

    def add_versions(self, versions: list[Version]) -> list[Version]:
        """Add the versions that are new here; return those that may be read."""
        fresh = [version for version in dict.fromkeys(versions) if _version_id(version) not in self.nodes]
        fresh = self._within_limit(fresh)
        known = lineage.nodes(self._tx, fresh)
        readable = access.readable_projects(self._tx, {node.project_id for node in known.values()}, self._reader)
        closed = {version for version, node in known.items() if node.project_id not in readable}
        self._add_closed([_version_id(version) for version in closed], kind="entity")
        fresh = [version for version in fresh if version not in closed]
        for version in fresh:
            id_ = _version_id(version)
            entity_id, number = version
            found = known.get(version)
            node: dict[str, Any] = {"id": id_, "kind": "entity", "label": id_, "entityId": f"syn{entity_id}"}
            if number:
                node["versionNumber"] = number
            node["path"] = id_
            node["isLatest"] = False
            if found is not None:
                path = recorded_path(found.path) or found.name
                node.update(label=path, path=path, isLatest=number == found.current_version)
                if found.sha256 is not None:
                    node["sha256"] = found.sha256
                self._makers[version] = found.activity_id
            self.nodes[id_] = node
        return fresh

    def describe_activities(self) -> None:
        """Say of every activity what it was: its rule, or else its name."""
        names = lineage.names(self._tx, self._activities)
        made = jobs.made(self._tx, self._activities)
        for id_ in self._activities:
            node = self.nodes[f"activity:{id_}"]
            job = made.get(id_)
            node["label"] = names.get(id_) or f"activity {id_}"
            if job is None:
                continue
            node.update(label=job.rule, rule=job.rule, status=job.status, jobId=job.job_id)
            node["wildcards"] = msgspec.Raw(job.wildcards.encode())
            if job.ended_on is not None:
                node["endedOn"] = wire.time(job.ended_on)
            if job.git_commit is not None:
                node["commit"] = job.git_commit
            if job.git_dirty is not None:
                node["dirty"] = job.git_dirty

    def _add_activities(self, ids: list[int]) -> list[int]:
        fresh = self._within_limit([id_ for id_ in ids if id_ not in self._activities])
        for id_ in fresh:
            self._activities[id_] = None
            node_id = f"activity:{id_}"
            self.nodes[node_id] = {"id": node_id, "kind": "activity", "label": node_id, "activityId": str(id_)}
        return fresh

    def _add_closed(self, ids: list[str], *, kind: str) -> None:
        for id_ in self._within_limit([id_ for id_ in ids if id_ not in self.nodes]):
            self.nodes[id_] = {"id": id_, "kind": kind, "label": NO_ACCESS}

    def _add_url(self, usage: UsageEdge) -> None:
        if usage.url is None or (id_ := f"url:{usage.url}") in self.nodes:
            return
        for _ in self._within_limit([id_]):
            self.nodes[id_] = {"id": id_, "kind": "url", "label": usage.name or usage.url, "url": usage.url}

    def _link_usage(self, usage: UsageEdge) -> None:
        target = _target(usage)
        target_id = f"url:{usage.url}" if target is None else _version_id(target)
        self._link(f"activity:{usage.activity_id}", target_id, "executed" if usage.was_executed else "used")

    def _link(self, source: str, target: str, kind: str) -> None:
        if source in self.nodes and target in self.nodes:
            self.edges[source, target, kind] = None

    def _whole(self, rows: list[Row]) -> list[Row]:
        if len(rows) >= self._edges_max:
            self.truncated = True
        return rows

    def _within_limit(self, fresh: list[Any]) -> list[Any]:
        room = self._limit - len(self.nodes)
        if len(fresh) > room:
            self.truncated = True
        return fresh[:room]


def _target(usage: UsageEdge) -> Version | None:
    # An activity can name an entity that never was here, without a version: 0 stands for that.
    return None if usage.target_id is None else (usage.target_id, usage.target_version or 0)


def _version_id(version: Version) -> str:
    entity_id, number = version
    return f"syn{entity_id}.{number}" if number else f"syn{entity_id}"
