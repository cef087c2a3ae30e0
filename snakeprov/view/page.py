"""A lineage drawing as one self-contained HTML file that can be searched, unfolded and asked for details.

The page (`static/`) lays out and draws; this module gives it the data. The page's policy lets it run and load nothing
but what this module wrote into it, so that whatever a name may hold cannot become code.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Sequence
from html import escape
from importlib import resources
from string import Template
from typing import Any

import msgspec

from snakeprov.lineage.fold import Sorted
from snakeprov.lineage.graph import Direction
from snakeprov.model.answers import Node
from snakeprov.view import details, labels, shapes, svg
from snakeprov.view.details import Known

_LOOSE = re.compile("[<>&\u2028\u2029]")
"""What could end a script, or begin something else in it."""


def lineage(
    nodes: Sorted,
    sentence: str,
    remarks: Sequence[str],
    *,
    direction: Direction,
    depth: int,
    known: Known,
    back: str = "",
    link: Callable[[Node], str] = lambda node: "",
) -> str:
    """Return the page.

    Args:
        nodes: All that the page can show.
        sentence: Stands above the drawing.
        remarks: Stand below it.
        direction: The one that was asked for.
        depth: Depth shown at first, in activities.
        known: What the details of files and activities are taken from.
        back: Address of the page that the title leads to, where there is one.
        link: Returns the address of the page of a node; empty where it has none.
    """
    data: dict[str, Any] = {
        "direction": direction,
        "depth": depth,
        "remarks": list(remarks),
        "nodes": [_node(nodes, place, known) | {"page": link(nodes.nodes[place])} for place in range(len(nodes.nodes))],
        "flows": [(flow.source, flow.target, flow.kind) for flow in nodes.flows],
    }
    data["groups"], data["widths"] = _groups(nodes)
    title = escape(sentence)
    return Template(_static("page.html")).substitute(
        mark=labels.MARK,
        policy=policy(),
        title=escape(labels.of_node(nodes.nodes[0]).whole),
        sentence=f'<a href="{escape(back)}">{title}</a>' if back else title,
        style=_style(),
        data=_json(data),
        script=_script(),
    )


def policy() -> str:
    """Return what the page may load and do. Source: Content Security Policy Level 3."""
    allowed = f"style-src {_digest(_style())}; script-src {_digest(_script())}"
    return f"default-src 'none'; {allowed}; base-uri 'none'; form-action 'none'"


def _style() -> str:
    return svg.stylesheet() + _static("page.css")


def _script() -> str:
    return "".join(map(_static, ("layout.js", "graph.js", "shapes.js", "boxes.js", "viewport.js", "page.js")))


def _node(nodes: Sorted, place: int, known: Known) -> dict[str, Any]:
    node: Node = nodes.nodes[place]
    label = labels.of_node(node)
    return {
        "kind": nodes.kinds[place],
        "title": label.title,
        "note": label.note,
        "whole": label.whole,
        "width": shapes.width(label),
        "group": nodes.groups[place],
        "common": place in nodes.common,
        "unexplored": place in nodes.unexplored,
        "bad": node.status not in (None, "success"),
        "entity": node.entity_id,
        "version": node.version_number,
        "facts": details.of_node(node, known),
    }


def _groups(nodes: Sorted) -> tuple[list[tuple[str, str]], list[float]]:
    """Return the title and note of each group, and the width of its box while nothing is singled out of it."""
    members: dict[int, list[int]] = {}
    for place, group in enumerate(nodes.groups):
        if group is not None:
            members.setdefault(group, []).append(place)
    titles, widths = [], []
    for _, places in sorted(members.items()):
        kind, alike = nodes.kinds[places[0]], [nodes.nodes[place] for place in places]
        titles.append(labels.of_group_without_count(kind, alike))
        widths.append(shapes.width(labels.of_group(kind, alike)))
    return titles, widths


def _static(name: str) -> str:
    return resources.files("snakeprov.view").joinpath("static", name).read_text(encoding="utf-8")


def _digest(content: str) -> str:
    """Return what names a style or a script in a policy. Source: Content Security Policy Level 3."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"


def _json(data: Any) -> str:
    """Return JSON that stays data inside a script element, whatever its texts hold.

    >>> _json("</script>")
    '"\\\\u003c/script\\\\u003e"'
    """
    return _LOOSE.sub(lambda found: f"\\u{ord(found[0]):04x}", msgspec.json.encode(data).decode())
