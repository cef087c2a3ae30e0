"""The lineage of a version: a drawing on its page with a table beside it, and the page to explore it."""

from __future__ import annotations

from collections import Counter
from typing import Any, Final, NamedTuple, cast

from markupsafe import Markup

from snakeprov.client import Client, contents
from snakeprov.errors import BadRequestError, NotFoundError
from snakeprov.lineage import fold
from snakeprov.lineage.graph import Direction, Graph
from snakeprov.model import meant
from snakeprov.model.answers import Lineage, Node
from snakeprov.view import labels, page, svg, text
from snakeprov.view.details import Known, jobs_of, versions_of
from snakeprov.web import urls
from snakeprov.web.http import Response
from snakeprov.web.visit import Visit

DEPTH_MAX: Final = 1000
NODES_MAX: Final = 500
"""Files and activities that the page of a file looks at."""

NODES_HELD_MAX: Final = 2000
"""Files and activities that the page to explore holds."""

BOXES_MAX: Final = 40
"""A drawing of more boxes shows only what is near."""

DEPTHS_NEAR: Final = (4, 3, 2, 1)
DEPTH_SHOWN: Final = 3
RAW_MAX: Final = 50
RULES_MAX: Final = 50

_DIRECTIONS: Final = ("upstream", "downstream")


class Drawn(NamedTuple):
    """The lineage of a version as its page shows it.

    Attributes:
        sentence: What it came from.
        figure: The drawing; None where there is nothing to draw.
        near: How many activities deep the drawing goes, where it does not show all.
        remarks: What has to be said under it.
        rules: How many activities of each rule there are, nearest first.
        raw: The files that no recorded job made, with what they are.
        raw_total: How many there are of them.
    """

    sentence: str
    figure: Markup | None
    near: int | None
    remarks: list[str]
    rules: list[tuple[str, int]]
    raw: list[tuple[Node, str]]
    raw_total: int


def drawn(client: Client, entity_id: str, number: int) -> Drawn:
    """Return what a version came from."""
    graph = Graph.of(_ask(client, entity_id, number, "upstream", depth=DEPTH_MAX, limit=NODES_MAX))
    nodes = fold.sort(graph, "upstream")
    sentence = labels.sentence(nodes, graph, "upstream")
    kinds = list(zip(nodes.nodes, nodes.kinds, strict=True))
    rules = Counter(node.label for node, kind in kinds if kind == "activity")
    raw = [
        (node, _what(node))
        for node, kind in kinds[1:]
        if kind == "data" and graph.generator(node) is None and not graph.linked(node)
    ]
    near, folded = _near(graph, nodes)
    remarks = labels.remarks(folded, truncated=graph.truncated, reason="this page looked no farther")
    has_more = len(folded.boxes) > 1
    lines = svg.figure(folded, sentence, direction="upstream", link=link) if has_more else ()
    return Drawn(
        sentence=sentence,
        figure=Markup("\n".join(lines)) if has_more else None,  # noqa: S704  the drawing escapes its texts
        near=near,
        remarks=remarks,
        rules=list(rules.items())[:RULES_MAX],
        raw=raw[:RAW_MAX],
        raw_total=len(raw),
    )


def explore(visit: Visit, entity_id: str, number: str) -> Response:
    """Return the page in which a lineage can be unfolded and searched."""
    asked = visit.request.query.get("direction", "upstream")
    direction = cast(Direction, asked if asked in _DIRECTIONS else "upstream")
    back = urls.version(entity_id, int(number))
    try:
        html = _page(visit.client, entity_id, int(number), direction, back=back, link=link)
    except (NotFoundError, BadRequestError):
        return visit.unknown(f"There is no version {entity_id}.{number[:20]}.")
    return Response(
        body=html.encode(), headers=[("Content-Security-Policy", f"{page.policy()}; frame-ancestors 'none'")]
    )


def download_page(visit: Visit, entity_id: str, number: str) -> Response:
    """Send the page to explore a lineage as a file for somebody else."""
    html = _page(visit.client, entity_id, int(number), "upstream")
    return _attachment(html, f"lineage-{entity_id}.{number}.html")


def download_drawing(visit: Visit, entity_id: str, number: str) -> Response:
    """Send the drawing of a lineage as a file, for a talk."""
    graph = Graph.of(_ask(visit.client, entity_id, int(number), "upstream", depth=DEPTH_MAX, limit=NODES_MAX))
    nodes = fold.sort(graph, "upstream")
    folded = fold.fold(nodes)
    remarks = labels.remarks(folded, truncated=graph.truncated, reason="the drawing looked no farther")
    lines = svg.lineage(folded, labels.sentence(nodes, graph, "upstream"), remarks, direction="upstream")
    return _attachment("\n".join(lines), f"lineage-{entity_id}.{number}.svg")


def link(node: Node) -> str:
    """Return the address of the page of a node of a lineage."""
    if node.kind == "activity":
        return urls.job(node.job_id) if node.job_id else ""
    if node.url is not None:
        return urls.outside(node.url)
    return urls.version(node.entity_id, node.version_number)


def _ask(client: Client, entity_id: str, number: int, direction: str, *, depth: int, limit: int) -> Lineage:
    return client.provenance.lineage(entity_id, number, direction=direction, depth=depth, limit=limit)


def _page(client: Client, entity_id: str, number: int, direction: Direction, **options: Any) -> str:
    graph = Graph.of(_ask(client, entity_id, number, direction, depth=DEPTH_MAX, limit=NODES_HELD_MAX))
    nodes = fold.sort(graph, direction)
    known = Known.of(*contents.known(client, versions_of(nodes), jobs_of(nodes)))
    return page.lineage(
        nodes,
        labels.sentence(nodes, graph, direction),
        labels.page_remarks(nodes, truncated=graph.truncated),
        direction=direction,
        depth=DEPTH_SHOWN,
        known=known,
        **options,
    )


def _near(graph: Graph, nodes: fold.Sorted) -> tuple[int | None, fold.Folded]:
    """Return the boxes of a whole lineage, or of a large one those so many steps from its file, and how many."""
    folded = fold.fold(nodes)
    if len(folded.boxes) <= BOXES_MAX:
        return None, folded
    for depth in DEPTHS_NEAR:
        folded = fold.fold(fold.within(nodes, depth, "upstream"))
        if len(folded.boxes) <= BOXES_MAX:
            break
    return depth, folded


def _what(node: Node) -> str:
    if node.meaning is not None:
        return meant.said(node.meaning, path=node.path or "")
    return meant.unmade(node.role) if node.identity_proved else f"{meant.unmade(node.role)}, {meant.NOT_PROVED}"


def _attachment(content: str, name: str) -> Response:
    return Response(
        body=content.encode(),
        content_type="application/octet-stream",
        headers=[
            ("Content-Disposition", f'attachment; filename="{text.say(name).text}"'),
            ("Content-Security-Policy", "sandbox; default-src 'none'"),
        ],
    )
