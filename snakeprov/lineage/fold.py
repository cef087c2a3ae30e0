"""Fold a lineage into few boxes: similar nodes share one, and code that many rules ran is listed once."""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Iterable
from typing import Literal

import msgspec

from snakeprov.lineage.graph import Direction, Graph
from snakeprov.lineage.tree import FOLD_ABOVE, unexplored, without_links
from snakeprov.model import meant
from snakeprov.model.answers import EdgeKind, Node

RULES_LINKED_MAX = 3
"""Code that activities of more rules than this ran is listed, not linked to each of them."""

BOXES_MAX = 10_000
"""A drawing has no more boxes than this: the nearest to the root."""

Kind = Literal["data", "code", "activity"]


class Flow(msgspec.Struct, frozen=True):
    """What came from what, in the direction of the data; source and target are places in a list."""

    source: int
    target: int
    kind: EdgeKind


class Box(msgspec.Struct, frozen=True, kw_only=True):
    """One node, or several that are alike.

    Attributes:
        members: In the order of the answer.
        unexplored: Nobody looked beyond one of them.
    """

    kind: Kind
    members: tuple[Node, ...]
    unexplored: bool = False


class Sorted(msgspec.Struct, frozen=True, kw_only=True):
    """The nodes of a lineage, nearest to the root first, and what a drawing has to know of each.

    Attributes:
        nodes: Those that can be reached from the root; the root is the first.
        kinds: What each is drawn as.
        distances: How many steps lie between the root and each: activities, and links between versions.
        groups: The number of the group that each belongs to; None: to none.
        common: The places of the code that is listed instead of drawn.
        unexplored: The places of the nodes beyond which nobody looked.
        flows: What came from what, also from listed code.
    """

    nodes: tuple[Node, ...]
    kinds: tuple[Kind, ...]
    distances: tuple[int, ...]
    groups: tuple[int | None, ...]
    common: frozenset[int]
    unexplored: frozenset[int]
    flows: tuple[Flow, ...]


class Folded(msgspec.Struct, frozen=True, kw_only=True):
    """Boxes and the links between them; the first box is the root.

    Attributes:
        common: Code that is listed instead of drawn.
        left_out: How many boxes there are beyond `BOXES_MAX`.
    """

    boxes: tuple[Box, ...]
    flows: tuple[Flow, ...]
    common: tuple[Node, ...]
    left_out: int = 0


def sort(graph: Graph, direction: Direction) -> Sorted:
    """Say of every node that can be reached from the root what it is drawn as and which others it is like.

    Alike are more than `FOLD_ABOVE` nodes at one distance from the root: activities of one rule that ended alike;
    files that one rule made (or raw ones in one top folder), of one extension and used by the same rules. In time
    and memory in proportion to the graph.
    """
    distances = graph.distances(direction)
    linked = _links(graph, distances)
    kinds = _kinds(graph, linked, order=distances)
    groups = _groups(graph, {name: distances[name] for name in kinds})
    common = _common(graph, kinds)
    places = {name: place for place, name in enumerate(kinds)}
    beyond = unexplored(graph, direction)
    return Sorted(
        nodes=tuple(graph.nodes[name] for name in places),
        kinds=tuple(kinds.values()),
        distances=tuple(distances[name] for name in places),
        groups=tuple(None if name in common else groups.get(name) for name in places),
        common=frozenset(places[name] for name in common),
        unexplored=frozenset(place for name, place in places.items() if name in beyond),
        flows=tuple(Flow(places[source], places[target], kind) for source, target, kind in linked),
    )


def fold(nodes: Sorted) -> Folded:
    """Return the boxes of a drawing in which every group is one box."""
    of_group: dict[int, int] = {}
    box_of: dict[int, int] = {}
    members: list[list[int]] = []
    for place, group in enumerate(nodes.groups):
        if place in nodes.common:
            continue
        if group is None or group not in of_group:
            members.append([])
            if group is not None:
                of_group[group] = len(members) - 1
        box_of[place] = len(members) - 1 if group is None else of_group[group]
        members[box_of[place]].append(place)
    drawn = members[:BOXES_MAX]
    boxes = tuple(
        Box(
            kind=nodes.kinds[box[0]],
            members=tuple(nodes.nodes[place] for place in box),
            unexplored=not nodes.unexplored.isdisjoint(box),
        )
        for box in drawn
    )
    between = dict.fromkeys(
        (box_of[flow.source], box_of[flow.target], flow.kind) for flow in nodes.flows if flow.source not in nodes.common
    )
    return Folded(
        boxes=boxes,
        flows=tuple(Flow(*one) for one in between if max(one[:2]) < len(boxes)),
        common=tuple(nodes.nodes[place] for place in sorted(nodes.common)),
        left_out=len(members) - len(drawn),
    )


def within(nodes: Sorted, depth: int, direction: Direction) -> Sorted:
    """Return the nodes at most `depth` activities from the root; the last ones count as not explored further."""
    kept = [
        place
        for place, (away, kind) in enumerate(zip(nodes.distances, nodes.kinds, strict=True))
        if away < depth or (away == depth and kind != "activity")
    ]
    places = {old: new for new, old in enumerate(kept)}
    ends = [
        (flow.target, flow.source) if direction == "upstream" else (flow.source, flow.target) for flow in nodes.flows
    ]
    unexplored = nodes.unexplored | {near for near, far in ends if far not in places}
    return Sorted(
        nodes=tuple(nodes.nodes[place] for place in kept),
        kinds=tuple(nodes.kinds[place] for place in kept),
        distances=tuple(nodes.distances[place] for place in kept),
        groups=tuple(nodes.groups[place] for place in kept),
        common=frozenset(places[place] for place in nodes.common if place in places),
        unexplored=frozenset(places[place] for place in unexplored if place in places),
        flows=tuple(
            Flow(places[flow.source], places[flow.target], flow.kind)
            for flow in nodes.flows
            if flow.source in places and flow.target in places
        ),
    )


Link = tuple[str, str, EdgeKind]
"""What flowed, into what, and how: node ids."""


def _links(graph: Graph, reached: Collection[str]) -> list[Link]:
    """Return the links between the reachable nodes, each once."""
    links: dict[Link, None] = {}
    for name in reached:
        node = graph.nodes[name]
        if node.kind != "activity":
            for kind, other in graph.linked(node):
                links[name, other.id, kind] = None
            continue
        for one in graph.used(node):
            links[one.id, name, "used"] = None
        for one in without_links(graph.executed(node)):
            links[one.id, name, "executed"] = None
        for one in graph.generated(node):
            links[name, one.id, "generatedBy"] = None
    return [link for link in links if link[0] in reached and link[1] in reached]


def _kinds(graph: Graph, links: Iterable[Link], *, order: Iterable[str]) -> dict[str, Kind]:
    """Return what each node is drawn as; what nothing flows from or to, such as a link to drawn code, is left out."""
    executed, data = set[str](), set[str]()
    linked: dict[str, None] = {graph.root.id: None}
    for source, target, kind in links:
        linked |= {source: None, target: None}
        (executed if kind == "executed" else data).add(source)
    code = executed - data
    if graph.root.id not in data and meant.unmade(graph.root.role) == "code":
        code.add(graph.root.id)
    return {
        name: "activity" if graph.nodes[name].kind == "activity" else "code" if name in code else "data"
        for name in order
        if name in linked
    }


def _groups(graph: Graph, distances: dict[str, int]) -> dict[str, int]:
    """Return the number of its group for each node that is like many others."""
    alike: dict[tuple[object, ...], list[str]] = {}
    for name, away in distances.items():
        if name != graph.root.id:
            alike.setdefault((away, *_likeness(graph, graph.nodes[name])), []).append(name)
    wide = [group for group in alike.values() if len(group) > FOLD_ABOVE]
    return {name: number for number, group in enumerate(wide) for name in group}


def _likeness(graph: Graph, node: Node) -> tuple[object, ...]:
    """Return what nodes at one distance must share to be folded."""
    if node.kind == "activity":
        return (node.label, node.status)
    path = (node.path or node.label).rstrip("/")
    generator = graph.generator(node)
    users = frozenset(user.label for user in graph.users(node))
    made_by = generator.label if generator is not None else posixpath.dirname(path).lstrip("/").partition("/")[0]
    means = node.meaning.kind if node.meaning is not None else meant.unmade(node.role)
    return (node.kind, generator is None, made_by, posixpath.splitext(path)[1], users, means)


def _common(graph: Graph, kinds: dict[str, Kind]) -> set[str]:
    """Return code that too many rules ran to draw a line to each."""
    return {
        name
        for name, kind in kinds.items()
        if kind == "code"
        and name != graph.root.id
        and graph.generator(graph.nodes[name]) is None
        and len({user.label for user in graph.users(graph.nodes[name])}) > RULES_LINKED_MAX
    }
