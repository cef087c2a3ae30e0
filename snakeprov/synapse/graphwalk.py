"""The lineage of a version in Synapse, walked activity by activity."""

from __future__ import annotations

from collections import deque

from msgspec.structs import replace

from snakeprov.model import meant
from snakeprov.model.activity import Activity
from snakeprov.model.answers import Edge, EdgeKind, Lineage, Node
from snakeprov.model.entities import Body
from snakeprov.synapse.facts import Facts, below, job_of


class GraphWalk:
    """One walk upstream, breadth first. A step is an activity, or a link between two versions."""

    def __init__(self, facts: Facts, *, depth: int, limit: int) -> None:
        """Prepare.

        Args:
            facts: The source of facts about files.
            depth: How many steps, one behind another, are taken.
            limit: How many nodes are looked at.
        """
        self._facts = facts
        self._depth = depth
        self._limit = limit
        self._nodes: dict[str, Node] = {}
        self._edges: dict[tuple[str, str, EdgeKind], None] = {}
        self._queue: deque[tuple[str, int, int]] = deque()
        self._truncated = False

    def upstream(self, entity_id: str, version_number: int) -> Lineage:
        """Return what a version came from."""
        root = f"{entity_id}.{version_number}"
        self._nodes[root] = entity_node(self._facts, entity_id, version_number)
        self._queue.append((entity_id, version_number, 0))
        while self._queue:
            source_id, number, passed = self._queue.popleft()
            activity = self._facts.generated_by(source_id, number)
            if activity is not None:
                self._pass(activity, source_id, number, passed)
            else:
                self._follow(source_id, number, passed)
        edges = [Edge(*edge) for edge in self._edges]
        return Lineage(root=root, nodes=list(self._nodes.values()), edges=edges, truncated=self._truncated)

    def _pass(self, activity: Activity, source_id: str, number: int, passed: int) -> None:
        name = f"activity:{activity['id']}"
        known = name in self._nodes
        if not known and not self._has_room(passed):
            return
        self._edges[f"{source_id}.{number}", name, "generatedBy"] = None
        if known:
            return
        self._nodes[name] = _activity_node(self._facts, activity, source_id, number)
        for item in activity["used"]:
            target = target_of(self._facts, item)
            if target not in self._nodes:
                if len(self._nodes) >= self._limit:
                    self._truncated = True
                    continue
                node = self._nodes[target] = node_of(self._facts, item, target)
                if node.entity_id is not None and node.version_number is not None:
                    self._queue.append((node.entity_id, node.version_number, passed + 1))
            self._edges[name, target, "executed" if item["wasExecuted"] else "used"] = None

    def _follow(self, source_id: str, number: int, passed: int) -> None:
        """Go from a version that no activity made to the one that its bytes point at."""
        node = self._nodes[f"{source_id}.{number}"]
        meaning = node.meaning
        version = None if meaning is None else self._facts.meant(source_id, node.path or "", meaning)
        if meaning is None or version is None:
            return
        target = f"{version[0]}.{version[1]}"
        if target not in self._nodes:
            if not self._has_room(passed):
                return
            self._nodes[target] = entity_node(self._facts, *version)
            self._queue.append((*version, passed + 1))
        self._edges[f"{source_id}.{number}", target, meant.EDGES[meaning.kind]] = None

    def _has_room(self, passed: int) -> bool:
        if passed >= self._depth or len(self._nodes) >= self._limit:
            self._truncated = True
            return False
        return True


def target_of(facts: Facts, item: Body) -> str:
    """Return the id of the node of a used item."""
    if "url" in item:
        return f"url:{item['url']}"
    reference = item["reference"]
    number = reference.get("targetVersionNumber")
    if number is None:
        latest = facts.file(reference["targetId"])
        number = latest.version_number if latest is not None else 1
    return f"{reference['targetId']}.{number}"


def node_of(facts: Facts, item: Body, name: str) -> Node:
    """Return the node of a used item, whose id is `name`."""
    if "url" in item:
        return Node(id=name, kind="url", label=item.get("name") or item["url"], url=item["url"])
    entity_id, number = name.rsplit(".", 1)
    return entity_node(facts, entity_id, int(number))


def entity_node(facts: Facts, entity_id: str, version_number: int) -> Node:
    """Return the node of a version."""
    latest = facts.file(entity_id)
    noted = facts.noted(entity_id, version_number)
    path = facts.path_noted(entity_id, noted)
    return Node(
        id=f"{entity_id}.{version_number}",
        kind="entity",
        label=path,
        entity_id=entity_id,
        version_number=version_number,
        path=path,
        is_latest=latest is not None and latest.version_number == version_number,
        meaning=facts.meaning(entity_id, version_number, noted),
    )


def _activity_node(facts: Facts, activity: Activity, entity_id: str, version_number: int) -> Node:
    node = Node(
        id=f"activity:{activity['id']}",
        kind="activity",
        label=activity.name or f"Activity {activity['id']}",
        activity_id=str(activity["id"]),
        ended_on=activity.get("createdOn"),
    )
    mark = job_of(activity)
    if mark is None:
        return node
    noted = facts.noted(entity_id, version_number)
    commit = noted.get("commit")
    return replace(
        node,
        job_id=mark[0],
        rule=activity.name or "",
        status="success",
        wildcards=below("wildcard.", noted) or None,
        commit=commit.removesuffix("+dirty") if commit else None,
        dirty=commit.endswith("+dirty") if commit else None,
    )
