"""A lineage drawing in Graphviz's DOT language."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from snakeprov.lineage.fold import Folded, Kind
from snakeprov.model.answers import EdgeKind
from snakeprov.view import labels

_SHAPES: dict[Kind, str] = {
    "data": 'shape=box, style="rounded,filled", fillcolor="#ffffff"',
    "activity": 'shape=hexagon, style=filled, fillcolor="#dbeafe", color="#1d4ed8"',
    "code": 'shape=note, style=filled, fillcolor="#fef3c7", color="#92400e"',
}

_LINES: dict[EdgeKind, str] = {
    "executed": " [style=dashed]",
    "again": ' [label="again"]',
    "inside": ' [label="contains"]',
    "contains": ' [label="is in"]',
    "revisionOf": ' [style=dotted, color="#b45309", label="edited"]',
    "sameContent": ' [style=dotted, color="#b45309", label="same content"]',
}


def lineage(folded: Folded, sentence: str, remarks: Sequence[str]) -> Iterator[str]:
    """Yield the lines of a graph that `dot` draws: lines lead from what was used to what was generated.

    Source: the DOT language, https://graphviz.org/doc/info/lang.html, and its escString.
    """
    yield f"// {labels.MARK}"
    yield "digraph lineage {"
    yield f"  label={_quoted(sentence, *remarks)};"
    yield "  rankdir=LR;"
    yield '  node [fontname="monospace", fontsize=11, margin="0.15,0.08"];'
    yield '  edge [color="#64748b", arrowsize=0.7, fontname="monospace", fontsize=9];'
    for number, box in enumerate(folded.boxes):
        label = labels.of_box(box)
        more = ["\u2026"] if box.unexplored else []
        emphasis = ", penwidth=3" if number == 0 else ", peripheries=2" if len(box.members) > 1 else ""
        shown = _quoted(label.title, *filter(None, [label.note]), *more)
        yield f"  n{number} [label={shown}, tooltip={_quoted(label.whole)}, {_SHAPES[box.kind]}{emphasis}];"
    for flow in folded.flows:
        style = _LINES.get(flow.kind, "")
        yield f"  n{flow.source} -> n{flow.target}{style};"
    yield "}"


def _quoted(*lines: str) -> str:
    r"""Return lines as one text of DOT, in which nothing of theirs has a meaning.

    >>> _quoted('a"b', "\\N & <b>")
    '"a\\"b\\n\\\\N &amp; <b>"'
    """
    escaped = (line.replace("&", "&amp;").replace("\\", "\\\\").replace('"', '\\"') for line in lines)
    return '"' + "\\n".join(escaped) + '"'
