"""The graph of entity versions, activities and URLs that the lineage resource answers with.

Must not know: who asked, or how it is shown.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any, Literal

import msgspec

Direction = Literal["upstream", "downstream"]


class Node(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """An entity version, an activity, or something outside the repository.

    Attributes:
        label: The path of an entity, the rule or name of an activity, the name of a URL.
        commit: The commit that an activity's code was at.
        dirty: Whether the work tree differed from it.
        wildcards: The values of an activity's wildcards.
    """

    id: str
    kind: Literal["entity", "activity", "url"]
    label: str
    path: str | None = None
    entity_id: str | None = None
    version_number: int | None = None
    url: str | None = None
    rule: str | None = None
    status: str | None = None
    ended_on: str | None = None
    commit: str | None = None
    dirty: bool | None = None
    wildcards: dict[str, str] | None = None
    sha256: str | None = None
    job_id: str | None = None


class Edge(msgspec.Struct, frozen=True):
    """A link from a thing to what it came from."""

    source: str
    target: str
    kind: Literal["used", "executed", "generatedBy"]


class _Answer(msgspec.Struct):
    root: str
    nodes: list[Node]
    edges: list[Edge]
    truncated: bool = False


class Graph:
    """A lineage that can be asked for neighbours; every list is in the order of the answer.

    `truncated` says that there is more beyond what is farthest from the root: the search was breadth first and ended.

    >>> file = Node(id="syn2.1", kind="entity", label="b.txt")
    >>> activity = Node(id="activity:1", kind="activity", label="sort")
    >>> edge = Edge("syn2.1", "activity:1", "generatedBy")
    >>> Graph("syn2.1", nodes=[file, activity], edges=[edge]).generator(file).label
    'sort'
    """

    def __init__(self, root: str, *, nodes: Iterable[Node], edges: Iterable[Edge], truncated: bool = False) -> None:
        """Build the graph; edges to nodes that are not in `nodes` are left out.

        Raises:
            KeyError: `root` is not in `nodes`.
        """
        self.nodes = {node.id: node for node in nodes}
        self.root = self.nodes[root]
        self.truncated = truncated
        self._origins: dict[str, list[tuple[str, Node]]] = {}
        self._results: dict[str, list[tuple[str, Node]]] = {}
        for edge in edges:
            if edge.source in self.nodes and edge.target in self.nodes:
                self._origins.setdefault(edge.source, []).append((edge.kind, self.nodes[edge.target]))
                self._results.setdefault(edge.target, []).append((edge.kind, self.nodes[edge.source]))

    @classmethod
    def from_wire(cls, answer: Mapping[str, Any]) -> Graph:
        """Build the graph from the JSON of the lineage resource.

        Raises:
            msgspec.ValidationError: It is not such an answer.
        """
        parsed = msgspec.convert(answer, _Answer)
        return cls(parsed.root, nodes=parsed.nodes, edges=parsed.edges, truncated=parsed.truncated)

    def generator(self, entity: Node) -> Node | None:
        """Return the activity that generated an entity version, or None where none is known."""
        return next((node for kind, node in self._origins.get(entity.id, ()) if kind == "generatedBy"), None)

    def used(self, activity: Node) -> list[Node]:
        """Return what an activity read as data."""
        return [node for kind, node in self._origins.get(activity.id, ()) if kind == "used"]

    def executed(self, activity: Node) -> list[Node]:
        """Return what an activity ran as code."""
        return [node for kind, node in self._origins.get(activity.id, ()) if kind == "executed"]

    def users(self, entity: Node) -> list[Node]:
        """Return the activities that used or executed an entity version, each once."""
        found = {node.id: node for kind, node in self._results.get(entity.id, ()) if kind != "generatedBy"}
        return list(found.values())

    def generated(self, activity: Node) -> list[Node]:
        """Return the entity versions that an activity generated."""
        return [node for kind, node in self._results.get(activity.id, ()) if kind == "generatedBy"]

    def distances(self, direction: Direction) -> dict[str, int]:
        """Return how many activities lie between the root and each node that can be reached from it."""
        links = self._origins if direction == "upstream" else self._results
        far = {self.root.id: 0}
        queue = deque([self.root])
        while queue:
            node = queue.popleft()
            step = 1 if node.kind == "activity" else 0
            for _, other in links.get(node.id, ()):
                if other.id not in far:
                    far[other.id] = far[node.id] + step
                    queue.append(other)
        return far
