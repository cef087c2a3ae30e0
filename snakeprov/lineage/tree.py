"""A lineage as the rows of a tree: each subtree once, wide fan-outs folded."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Sequence
from typing import Literal
from urllib.parse import unquote

import msgspec

from snakeprov.lineage.graph import PARTS, Direction, Graph, LinkKind
from snakeprov.model import meant
from snakeprov.model.answers import Node

FOLD_ABOVE = 12
"""More siblings than this that one rule made, or raw inputs of one kind in one top folder, are folded."""

FOLD_SHOWS = 3
"""Number of folded siblings that are still shown."""

Mark = Literal["", "raw", "repeated", "unexplored"]
"""`raw`: no recorded job made it. `repeated`: what lies below was shown before. `unexplored`: nobody looked."""


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the tree.

    Attributes:
        node: An entity version or a URL; an activity where it generated nothing.
        activity: The activity that generated it, where known; as the row above had it.
        makings: How many of the activities above it, downstream, made the very same bytes.
        link: What leads from the row above to this one, where no activity does; upstream what the bytes of the row
            above mean, downstream those of this one.
        is_proved: Whether the bytes are known: those of the version, and that they are what the row above used.
        rails: For each level down to this row, whether a sibling follows; empty for the root.
        executed: Whether the row above ran it as code rather than read it as data.
        folded: Number of siblings like `node` that this row stands for; 0 for an ordinary row.
    """

    node: Node
    activity: Node | None = None
    makings: int = 1
    link: LinkKind | None = None
    is_proved: bool = True
    rails: tuple[bool, ...] = ()
    mark: Mark = ""
    executed: bool = False
    folded: int = 0


class _Branch(msgspec.Struct, frozen=True, kw_only=True):
    node: Node
    activity: Node | None = None
    makers: tuple[str | None, ...] = ()
    link: LinkKind | None = None
    is_proved: bool = True
    executed: bool = False
    folded: int = 0


def rows(graph: Graph, *, direction: Direction = "upstream") -> Iterator[Row]:
    """Yield the rows of the tree below the root, from top to bottom.

    Upstream, what an entity version came from lies below it; code lies there only if a recorded job generated it
    (`code` lists the rest). Downstream, what was generated from it. Cycles are safe.
    """
    beyond = unexplored(graph, direction)
    shown: set[str] = set()
    first = _Branch(node=graph.root, activity=graph.generator(graph.root), is_proved=graph.root.identity_proved)
    stack: list[tuple[_Branch, tuple[bool, ...]]] = [(first, ())]
    while stack:
        branch, rails = stack.pop()
        key = _subtree(branch, direction)
        children = [] if branch.folded else _children(graph, branch, direction)
        mark: Mark = ""
        # Below a version by itself lies all that lies below it by some of its makings.
        if children and (key in shown or (direction == "downstream" and branch.node.id in shown)):
            mark, children = "repeated", []
        elif not children and not branch.folded and branch.node.id in beyond:
            mark = "unexplored"
        elif direction == "upstream" and branch.activity is None and not branch.folded and not children:
            mark = "raw"
        if not branch.folded:
            shown.add(key)
        yield Row(
            node=branch.node,
            activity=branch.activity,
            makings=max(len(branch.makers), 1),
            link=branch.link,
            is_proved=branch.is_proved,
            rails=rails,
            mark=mark,
            executed=branch.executed,
            folded=branch.folded,
        )
        for place, child in reversed(list(enumerate(children, start=1))):
            stack.append((child, (*rails, place < len(children))))


class Code(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was run as code: an entity version or a URL, and the labels of the activities that ran it."""

    node: Node
    labels: tuple[str, ...]


def code(graph: Graph) -> tuple[list[Code], dict[str, str]]:
    """Return what was run as code, and the label of each activity by its node id.

    A label is the rule or the name; where activities of one name did not all run the same code, `name#2` and so on.
    A link to a file that was run, and is listed as such, is not listed again.
    """
    variants: dict[str, dict[tuple[str, ...], str]] = {}
    labels: dict[str, str] = {}
    ran: dict[str, dict[str, None]] = {}
    for activity in graph.nodes.values():
        if activity.kind != "activity":
            continue
        executed = without_links(graph.executed(activity))
        of_name = variants.setdefault(activity.label, {})
        another = activity.label if not of_name else f"{activity.label}#{len(of_name) + 1}"
        labels[activity.id] = of_name.setdefault(tuple(node.id for node in executed), another)
        for node in executed:
            ran.setdefault(node.id, {})[labels[activity.id]] = None
    return [Code(node=graph.nodes[name], labels=tuple(by)) for name, by in ran.items()], labels


def without_links(executed: Sequence[Node]) -> list[Node]:
    """Return what was run as code without the links that lead to a file among it."""
    paths = [f"/{node.path}" for node in executed if node.path]
    return [node for node in executed if not (node.url and _leads_to(node.url, paths))]


def _leads_to(url: str, paths: Sequence[str]) -> bool:
    plain = unquote(url.partition("#")[0])
    return any(plain.endswith(path) for path in paths)


def unexplored(graph: Graph, direction: Direction) -> set[str]:
    """Return the ids of the nodes where the search ended: in breadth-first order, the farthest ones."""
    if not graph.truncated:
        return set()
    far = graph.distances(direction)
    edge = max(far.values())
    return {name for name, away in far.items() if away == edge}


def _subtree(branch: _Branch, direction: Direction) -> str:
    """Return a key for the subtree below a branch: equal keys, equal subtrees."""
    if direction == "upstream" and branch.activity is not None:
        return branch.activity.id
    return " ".join((branch.node.id, *map(str, branch.makers)))


def _children(graph: Graph, branch: _Branch, direction: Direction) -> Sequence[_Branch]:
    found = _results(graph, branch) if direction == "downstream" else _origins(graph, branch)
    return _fold(found) if len(found) > FOLD_ABOVE else found


def _origins(graph: Graph, branch: _Branch) -> list[_Branch]:
    reader = branch.activity
    if reader is None:
        link = None if branch.node.kind == "activity" else graph.link(branch.node)
        return [] if link is None else [_Branch(node=link[1], activity=graph.generator(link[1]), link=link[0])]
    found = [_used(graph, node, reader) for node in graph.used(reader)]
    for node in graph.executed(reader):
        if graph.generator(node, reader=reader) is not None:
            found.append(msgspec.structs.replace(_used(graph, node, reader), executed=True))
    return found


def _used(graph: Graph, node: Node, reader: Node) -> _Branch:
    activity = graph.generator(node, reader=reader)
    return _Branch(node=node, activity=activity, is_proved=graph.is_proved(reader, node))


def _results(graph: Graph, branch: _Branch) -> list[_Branch]:
    """Return what came from a branch: each version once, however often these activities made its bytes."""
    found: list[_Branch] = []
    made: dict[str, list[Node]] = {}
    for activity in graph.users(branch.node, makers=branch.makers or None):
        generated = graph.generated(activity)
        for node in generated:
            made.setdefault(node.id, []).append(activity)
        if not generated:
            found.append(_Branch(node=activity))
    versions = [
        _Branch(
            node=graph.nodes[name],
            activity=activities[-1],
            makers=tuple(one.id for one in activities),
            is_proved=graph.nodes[name].identity_proved,
        )
        for name, activities in made.items()
    ]
    linked = [
        _Branch(node=node, makers=branch.makers if kind in PARTS else (None,), link=kind)
        for kind, node in graph.linked(branch.node)
    ]
    return [*versions, *found, *linked]


def _fold(branches: Sequence[_Branch]) -> list[_Branch]:
    alike: dict[tuple[str, ...], list[_Branch]] = {}
    for branch in branches:
        alike.setdefault(_likeness(branch), []).append(branch)
    folded: list[_Branch] = []
    for group in alike.values():
        if len(group) <= FOLD_ABOVE:
            folded += group
            continue
        folded += group[:FOLD_SHOWS]
        last = group[-1]
        folded.append(_Branch(node=last.node, activity=last.activity, folded=len(group) - FOLD_SHOWS))
    return folded


def _likeness(branch: _Branch) -> tuple[str, ...]:
    """Return what siblings must share to be folded: rule; else what they are called, top folder and extension."""
    if branch.activity is not None or branch.link is not None:
        return (branch.activity.label if branch.activity is not None else "", branch.link or "")
    path = (branch.node.path or branch.node.label).rstrip("/")
    folder = posixpath.dirname(path).lstrip("/").partition("/")[0]
    return ("", meant.unmade(branch.node.role), folder, posixpath.splitext(path)[1])
