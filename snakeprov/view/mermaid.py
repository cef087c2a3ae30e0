"""A lineage drawing in Mermaid, as code hosts show it in Markdown files."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from snakeprov.lineage.fold import Folded, Kind
from snakeprov.model.answers import EdgeKind
from snakeprov.view import labels

_SHAPES: dict[Kind, tuple[str, str]] = {"data": ("(", ")"), "activity": ("{{", "}}"), "code": ("[[", "]]")}

_LINES: dict[EdgeKind, str] = {
    "executed": "-.->",
    "again": "-->|again|",
    "inside": "-->|contains|",
    "contains": "-->|is in|",
    "revisionOf": "-.->|edited|",
    "sameContent": "-.->|same content|",
}

_STYLES = (
    "classDef data fill:#ffffff,stroke:#475569,color:#0f172a",
    "classDef activity fill:#dbeafe,stroke:#1d4ed8,color:#0f172a",
    "classDef code fill:#fef3c7,stroke:#92400e,color:#0f172a",
    "classDef root stroke-width:4px",
)

_PLAIN = re.compile(r"[^\w ./@,=+-]|_{2,}", re.ASCII)
"""All that is not known to mean nothing to Mermaid, to Markdown, or to HTML, of ASCII."""


def lineage(folded: Folded, sentence: str, remarks: Sequence[str]) -> Iterator[str]:
    """Yield the lines of a flowchart: lines lead from what was used to what was generated.

    Source: https://mermaid.js.org/syntax/flowchart.html, "Entity codes to escape characters".
    """
    yield f"%% {labels.MARK}"
    yield "flowchart LR"
    for remark in (sentence, *remarks):
        yield f"  %% {_escaped(remark)}"
    for number, box in enumerate(folded.boxes):
        label = labels.of_box(box)
        before, after = _SHAPES[box.kind]
        lines = [label.title, label.note, "\u2026" if box.unexplored else ""]
        shown = "<br>".join(_escaped(line) for line in lines if line)
        yield f'  n{number}{before}"{shown}"{after}'
    for flow in folded.flows:
        yield f"  n{flow.source} {_LINES.get(flow.kind, '-->')} n{flow.target}"
    yield from (f"  {style}" for style in _STYLES)
    for kind in _SHAPES:
        members = [f"n{number}" for number, box in enumerate(folded.boxes) if box.kind == kind]
        if members:
            yield f"  class {','.join(members)} {kind}"
    yield "  class n0 root"


def _escaped(line: str) -> str:
    """Return a line in which nothing has a meaning, as Mermaid's codes of characters.

    >>> _escaped('a"; click b')
    'a#34;#59; click b'
    """
    return _PLAIN.sub(lambda found: "".join(f"#{ord(one)};" for one in found[0]), line)
