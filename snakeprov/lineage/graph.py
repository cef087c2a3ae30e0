"""The graph of a lineage: versions, activities and URLs."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final, Literal, cast

import msgspec

from snakeprov.model.answers import Edge, EdgeKind, Lineage, Node

Direction = Literal["upstream", "downstream"]


LinkKind = Literal["again", "revisionOf", "sameContent", "inside", "contains"]
LINKS: Final[frozenset[EdgeKind]] = frozenset({"again", "revisionOf", "sameContent", "inside", "contains"})
PARTS: Final[frozenset[EdgeKind]] = frozenset({"inside", "contains"})
"""The links between a directory and the files in it: who read one of them read the other."""
GUESSES: Final[frozenset[EdgeKind]] = frozenset({"revisionOf", "sameContent"})
"""The links that are evidence, not proof."""


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
        self._origins: dict[str, list[tuple[Edge, Node]]] = {}
        self._results: dict[str, list[tuple[Edge, Node]]] = {}
        self._makings: dict[tuple[str, str], str | None] = {}
        self._unproved: set[tuple[str, str]] = set()
        for edge in edges:
            if edge.source in self.nodes and edge.target in self.nodes:
                self._origins.setdefault(edge.source, []).append((edge, self.nodes[edge.target]))
                self._results.setdefault(edge.target, []).append((edge, self.nodes[edge.source]))
                if edge.making is not msgspec.UNSET:
                    self._makings[edge.source, edge.target] = edge.making
                if not edge.identity_proved:
                    self._unproved.add((edge.source, edge.target))

    @classmethod
    def of(cls, answer: Lineage) -> Graph:
        """Build the graph from what a store answered. Raises KeyError: its root is not among its nodes."""
        return cls(answer.root, nodes=answer.nodes, edges=answer.edges, truncated=answer.truncated)

    def generator(self, entity: Node, *, reader: Node | None = None) -> Node | None:
        """Return the activity that generated an entity version, or None where none is known.

        Args:
            entity: The version.
            reader: An activity that used it: the making that it had is returned. None: the latest making.
        """
        if reader is not None and (use := (reader.id, entity.id)) in self._makings:
            making = self._makings[use]
            return None if making is None else self.nodes.get(making)
        return next((node for edge, node in self._origins.get(entity.id, ()) if edge.kind == "generatedBy"), None)

    def link(self, entity: Node) -> tuple[LinkKind, Node] | None:
        """Return what the bytes of an entity version without an activity mean, and the version they refer to."""
        return next(
            ((_link_kind(edge), node) for edge, node in self._origins.get(entity.id, ()) if _is_link(edge)), None
        )

    def linked(self, entity: Node) -> list[tuple[LinkKind, Node]]:
        """Return the versions whose bytes point at an entity version, and what they mean."""
        return [(_link_kind(edge), node) for edge, node in self._results.get(entity.id, ()) if _is_link(edge)]

    def used(self, activity: Node) -> list[Node]:
        """Return what an activity read as data."""
        return [node for edge, node in self._origins.get(activity.id, ()) if edge.kind == "used"]

    def executed(self, activity: Node) -> list[Node]:
        """Return what an activity ran as code."""
        return [node for edge, node in self._origins.get(activity.id, ()) if edge.kind == "executed"]

    def is_proved(self, activity: Node, used: Node) -> bool:
        """Return whether the bytes that an activity used are known to be those of a version."""
        return used.identity_proved and (activity.id, used.id) not in self._unproved

    def users(self, entity: Node, *, makers: Collection[str | None] | None = None) -> list[Node]:
        """Return the activities that used or executed an entity version, each once.

        Args:
            entity: The version.
            makers: Only those that had one of these makings of it before them, by the ids of the activities; None
                stands for no making.
        """
        found = {
            node.id: node
            for edge, node in self._results.get(entity.id, ())
            if edge.kind in ("used", "executed")
            and (makers is None or edge.making is msgspec.UNSET or edge.making in makers)
        }
        return list(found.values())

    def generated(self, activity: Node) -> list[Node]:
        """Return the entity versions that an activity generated, or made again."""
        return [node for edge, node in self._results.get(activity.id, ()) if edge.kind == "generatedBy"]

    def distances(self, direction: Direction) -> dict[str, int]:
        """Return how many steps lie between the root and each node that can be reached from it.

        A step is an activity, or a link between two versions.
        """
        links = self._origins if direction == "upstream" else self._results
        far = {self.root.id: 0}
        queue = [self.root]
        while queue:
            farther: list[Node] = []
            for node in queue:
                for edge, other in links.get(node.id, ()):
                    if other.id not in far:
                        is_step = node.kind == "activity" or _is_link(edge)
                        far[other.id] = far[node.id] + is_step
                        # Going from a version to its activity does not count as a step: look at it next.
                        (farther if is_step else queue).append(other)
            queue = farther
        return far


def _is_link(edge: Edge) -> bool:
    return edge.kind in LINKS


def _link_kind(edge: Edge) -> LinkKind:
    return cast(LinkKind, edge.kind)
