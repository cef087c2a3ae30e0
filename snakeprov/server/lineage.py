"""/snakeprov/v1/lineage: what a version comes from, or what comes from it.

Must not know: how rows are kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

import msgspec

from snakeprov.server import meanings, wire
from snakeprov.server.call import Answer, Call, entity_number, shown
from snakeprov.server.entities import existing
from snakeprov.server.refusals import bad_request
from snakeprov.store import access, jobs, lineage
from snakeprov.store import meanings as meaning_store
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

GENERATED_BY, USED, EXECUTED = "generatedBy", "used", "executed"
"""What an edge says."""

NO_ACCESS = "no access"
"""The label of what the user may not read."""

Key = int | Version | str
"""What a node is known by in here: an activity's number, a version, or a URL."""

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
        self.nodes: dict[Key, dict[str, Any]] = {}
        self.edges: dict[tuple[str, str, str], None] = {}
        self.truncated = False
        self._tx = tx
        self._limit = limit
        self._reader = reader
        self._edges_max = limit * EDGES_PER_NODE_MAX
        self._activities: dict[int, dict[str, Any]] = {}
        self._makers: dict[Version, int | None] = {}

    def upstream(self, frontier: list[Version]) -> list[Version]:
        """Go from versions to the activities that made them, and on to what these used; return the new versions."""
        makers = {version: maker for version in frontier if (maker := self._makers.get(version)) is not None}
        fresh = self._add_activities(list(dict.fromkeys(makers.values())))
        for version, maker in makers.items():
            self._link(version, maker, GENERATED_BY)
        usages = self._whole(lineage.used_by(self._tx, fresh, limit=self._edges_max))
        found = self.add_versions([(id_, number or 0) for _, _, id_, number, _, _ in usages if id_ is not None])
        self._add_urls([(url, name) for *_, url, name in usages if url is not None])
        self._link_usages(usages)
        return found

    def downstream(self, frontier: list[Version]) -> list[Version]:
        """Go from versions to the activities that used them, and on to what these made; return the new versions."""
        usages = self._whole(lineage.uses_of(self._tx, frontier, limit=self._edges_max))
        users = list(dict.fromkeys(user for user, *_ in usages))
        readable = access.readable_activities(self._tx, users, self._reader)
        self._add_closed([id_ for id_ in users if id_ not in readable])
        fresh = self._add_activities([id_ for id_ in users if id_ in readable])
        self._link_usages(usages)
        made = self._whole(lineage.generated_by(self._tx, fresh, limit=self._edges_max))
        found = self.add_versions([(entity_id, number) for _, entity_id, number in made])
        for activity_id, entity_id, number in made:
            self._link((entity_id, number), activity_id, GENERATED_BY)
        return found

    def goes_on(self, frontier: list[Version], *, upstream: bool) -> bool:
        """Say whether there is something beyond the versions of a frontier."""
        if upstream:
            makers = {self._makers.get(version) for version in frontier} - {None}
            return not makers <= self._activities.keys()
        usages = lineage.uses_of(self._tx, frontier, limit=self._edges_max)
        return any(user not in self.nodes for user, *_ in usages)

    def add_versions(self, versions: list[Version]) -> list[Version]:
        """Add the versions that are new here; return those that may be read."""
        fresh = self._within_limit([version for version in dict.fromkeys(versions) if version not in self.nodes])
        known = lineage.nodes(self._tx, fresh)
        readable = access.readable_projects(self._tx, {node.project_id for node in known.values()}, self._reader)
        closed = {version for version, node in known.items() if node.project_id not in readable}
        self._add_closed([version for version in fresh if version in closed])
        fresh = [version for version in fresh if version not in closed]
        meant = meaning_store.of(
            self._tx, [version for version in fresh if version in known and known[version].meaning]
        )
        for version in fresh:
            id_ = _node_id(version)
            entity_id, number = version
            found = known.get(version)
            node: dict[str, Any] = {"id": id_, "kind": "entity", "label": id_, "entityId": f"syn{entity_id}"}
            if number:
                node["versionNumber"] = number
            node["path"] = id_
            node["isLatest"] = False
            if found is not None:
                node["path"] = node["label"] = recorded_path(found.path) or found.name
                node["isLatest"] = number == found.current_version
                if found.sha256 is not None:
                    node["sha256"] = found.sha256
                if version in meant:
                    node["meaning"] = meanings.body(meant[version])
                self._makers[version] = found.activity_id
            self.nodes[version] = node
        return fresh

    def describe_activities(self) -> None:
        """Say of every activity what it was: its rule, or else its name."""
        made = jobs.made(self._tx, self._activities)
        names = lineage.names(self._tx, self._activities.keys() - made.keys())
        for id_, node in self._activities.items():
            job = made.get(id_)
            if job is None:
                node["label"] = names.get(id_) or f"activity {id_}"
                continue
            node["label"] = node["rule"] = job.rule
            node["status"] = job.status
            node["jobId"] = job.job_id
            node["wildcards"] = msgspec.Raw(job.wildcards.encode())
            if job.ended_on is not None:
                node["endedOn"] = wire.time(job.ended_on)
            if job.git_commit is not None:
                node["commit"] = job.git_commit
            if job.git_dirty is not None:
                node["dirty"] = bool(job.git_dirty)

    def _add_activities(self, ids: list[int]) -> list[int]:
        fresh = self._within_limit([id_ for id_ in ids if id_ not in self._activities])
        for id_ in fresh:
            node_id = _node_id(id_)
            node = {"id": node_id, "kind": "activity", "label": node_id, "activityId": str(id_)}
            self.nodes[id_] = self._activities[id_] = node
        return fresh

    def _add_closed(self, keys: Sequence[int | Version]) -> None:
        for key in self._within_limit([key for key in keys if key not in self.nodes]):
            kind = "activity" if isinstance(key, int) else "entity"
            self.nodes[key] = {"id": _node_id(key), "kind": kind, "label": NO_ACCESS}

    def _add_urls(self, named: list[tuple[str, str | None]]) -> None:
        for url, name in named:
            if url not in self.nodes:
                for _ in self._within_limit([url]):
                    self.nodes[url] = {"id": f"url:{url}", "kind": "url", "label": name or url, "url": url}

    def _link_usages(self, usages: list[UsageEdge]) -> None:
        for activity_id, was_executed, entity_id, number, url, _ in usages:
            # An activity can name an entity that never was here, without a version: 0 stands for that.
            target: Key = (entity_id, number or 0) if entity_id is not None else url or ""
            self._link(activity_id, target, EXECUTED if was_executed else USED)

    def _link(self, source: Key, target: Key, kind: str) -> None:
        source_node, target_node = self.nodes.get(source), self.nodes.get(target)
        if source_node is not None and target_node is not None:
            self.edges[source_node["id"], target_node["id"], kind] = None

    def _whole(self, rows: list[Row]) -> list[Row]:
        if len(rows) >= self._edges_max:
            self.truncated = True
        return rows

    def _within_limit(self, fresh: list[Any]) -> list[Any]:
        room = self._limit - len(self.nodes)
        if len(fresh) > room:
            self.truncated = True
        return fresh[:room]


def _node_id(key: int | Version) -> str:
    if isinstance(key, int):
        return f"activity:{key}"
    entity_id, number = key
    return f"syn{entity_id}.{number}" if number else f"syn{entity_id}"
