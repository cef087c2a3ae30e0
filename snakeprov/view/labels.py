"""The text on the boxes of a lineage drawing, and above it."""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from snakeprov.lineage.fold import Box, Folded, Kind, Sorted
from snakeprov.lineage.graph import GUESSES, Direction, Graph
from snakeprov.model import meant
from snakeprov.model.answers import Node
from snakeprov.view import text
from snakeprov.view.text import counted, say

MARK = "snakeprov lineage"
"""In the first line of every drawing: what has it may be drawn anew."""

TITLE_COLUMNS_MAX = 26
NOTE_COLUMNS_MAX = 30

WHOLE_CHARACTERS_MAX = 1000
"""A longer name is cut in the middle even where names are shown whole."""

RULES_NAMED_MAX = 6

EVIDENCE = "A dotted line is evidence, not proof: a file was edited by hand, or has the content of another."

_NOWHERE = re.compile("[\ufffe\uffff]")
"""What XML has no place for, of that which may be said."""


class Label(NamedTuple):
    """What is written on a box.

    Attributes:
        title: The first line.
        note: The second line; may be empty.
        whole: Both, not cut.
    """

    title: str
    note: str
    whole: str


def of_box(box: Box) -> Label:
    """Return what is written on the box of one node or of a group."""
    return of_node(box.members[0]) if len(box.members) == 1 else of_group(box.kind, box.members)


def of_node(node: Node) -> Label:
    """Return what is written on the box of one node."""
    if node.kind == "activity":
        details = [f"{name}={value}" for name, value in (node.wildcards or {}).items()]
        if node.status not in (None, "success"):
            details.insert(0, str(node.status))
        name, note = bounded(node.label), bounded(", ".join(details))
        return Label(_start(name), _start(note), f"{name} ({note})" if note else name)
    number = f"@{node.version_number}" if node.version_number is not None else ""
    if node.url is not None:
        name = bounded(node.label)
        where = bounded(node.url)
        return Label(_end(name, number, columns=TITLE_COLUMNS_MAX), _end(where) if where != name else "", where)
    name = bounded(node.path or node.label)
    folder, base = posixpath.split(name.rstrip("/"))
    remarks = [bounded(meant.said(node.meaning, path=node.path or ""))] if node.meaning is not None else []
    remarks += [meant.NOT_PROVED] * (not node.identity_proved)
    whole = f"{name}{number} ({', '.join(remarks)})" if remarks else name + number
    note = _start(", ".join(remarks)) if remarks else _end(folder)
    return Label(_end(base + "/" * name.endswith("/"), number, columns=TITLE_COLUMNS_MAX), note, whole)


def of_group(kind: Kind, members: Sequence[Node]) -> Label:
    """Return what is written on the box of several nodes that are alike."""
    times = f" \u00d7{text.number(len(members))}"
    title, note = of_group_without_count(kind, members)
    return Label(_end(title, times, columns=TITLE_COLUMNS_MAX), note, title + times + (f" ({note})" if note else ""))


def of_group_without_count(kind: Kind, members: Sequence[Node]) -> tuple[str, str]:
    """Return the title and the note of a group, as they stay when some of its members are drawn on their own."""
    if kind == "activity":
        varying = dict.fromkeys(name for node in members for name in node.wildcards or {})
        title = text.shorten(bounded(members[0].label), TITLE_COLUMNS_MAX)
        status = members[0].status
        details = [str(status)] * (status not in (None, "success")) + (["by " + ", ".join(varying)] if varying else [])
        return title, _start(bounded(", ".join(details)))
    paths = [(node.path or node.label).rstrip("/") for node in members]
    folder = _shared([posixpath.dirname(path) + "/" for path in paths])[0].rpartition("/")[0]
    start, end = _shared([posixpath.basename(path) for path in paths])
    return bounded(f"{start}*{end}"), _end(bounded(folder))


def sentence(nodes: Sorted, graph: Graph, direction: Direction) -> str:
    """Return in one sentence what the drawing shows."""
    files = sum(kind != "activity" for kind in nodes.kinds) - 1
    steps = Counter(node.label for node, kind in zip(nodes.nodes, nodes.kinds, strict=True) if kind == "activity")
    root = of_node(graph.root).whole
    if not steps:
        return f"No recorded job {'made' if direction == 'upstream' else 'used'} {root}."
    rules = [f"{bounded(rule)} \u00d7{count}" if count > 1 else bounded(rule) for rule, count in steps.items()]
    if len(rules) > RULES_NAMED_MAX:
        rules = [*rules[: RULES_NAMED_MAX - 1], f"{len(rules) - RULES_NAMED_MAX + 1} more rules"]
    least = "at least " if graph.truncated else ""
    things, activities = counted(files, "file"), counted(steps.total(), "activity", "activities")
    by = f"{activities} ({', '.join(rules)})"
    if direction == "upstream":
        return f"{root} came from {least}{things} through {by}."
    if not files:
        return f"{root} was used by {by}; no file came of it."
    return f"From {root} came {least}{things} through {by}."


def remarks(folded: Folded, *, truncated: bool, reason: str) -> list[str]:
    """Return what has to be said under a drawing: what it leaves out, and why; and the code that it does not link."""
    found = []
    if folded.common:
        found.append(f"Code of many rules, not linked: {_listed(of_node(node).whole for node in folded.common)}.")
    if any(flow.kind in GUESSES for flow in folded.flows):
        found.append(EVIDENCE)
    if truncated:
        found.append(f"\u2026 on a box: there is more beyond it ({reason}).")
    if folded.left_out:
        found.append(f"{counted(folded.left_out, 'box', 'boxes')} farther away are left out.")
    return found


def page_remarks(nodes: Sorted, *, truncated: bool) -> list[str]:
    """Return what has to be said under the page."""
    found = [EVIDENCE] if any(flow.kind in GUESSES for flow in nodes.flows) else []
    if truncated:
        found.append("\u2026 on a box: there is more beyond it than this page holds.")
    return found


def bounded(value: str) -> str:
    """Return a name that is safe to show, and cut in the middle if it is huge.

    >>> bounded("a\\x1b[2J"), len(bounded("x" * 1_000_000))
    ('a\\\\x1b[2J', 991)
    """
    if len(value) > WHOLE_CHARACTERS_MAX:
        value = f"{value[:400]}\u2026{value[-590:]}"
    return say(_NOWHERE.sub("\ufffd", value)).text


def _start(value: str) -> str:
    return text.shorten(value, NOTE_COLUMNS_MAX)


def _end(value: str, after: str = "", *, columns: int = NOTE_COLUMNS_MAX) -> str:
    """Return a name cut at its beginning, whole `after` it."""
    return text.shorten(value, max(columns - text.width(after), 1), keep="end") + after


def _shared(values: Sequence[str]) -> tuple[str, str]:
    """Return what some different texts begin with and end with; the two do not overlap in any of them."""
    first, last = min(values), max(values)
    start = posixpath.commonprefix([first, last])
    end = posixpath.commonprefix([value[len(start) :][::-1] for value in values])[::-1]
    return start, end


def _listed(names: Iterable[str]) -> str:
    every = list(names)
    shown = every[:RULES_NAMED_MAX]
    more = [f"{len(every) - len(shown)} more"] if len(every) > len(shown) else []
    return ", ".join([*shown, *more])
