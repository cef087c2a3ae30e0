"""A lineage drawing as SVG: selectable text, full names on hovering, light and dark, legible without colour."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from html import escape
from importlib import resources

from snakeprov.lineage.fold import Box, Folded, Kind
from snakeprov.lineage.graph import Direction
from snakeprov.model.answers import Node
from snakeprov.view import labels, shapes
from snakeprov.view.labels import Label
from snakeprov.view.layout import BOX_HEIGHT, Layout, Side, layout

MARGIN = 24.0
LINE_HEIGHT = 18.0
REMARK_COLUMNS_MIN = 80


def lineage(folded: Folded, sentence: str, remarks: Sequence[str], *, direction: Direction) -> Iterator[str]:
    """Yield the lines of the drawing; data flows from left to right.

    Args:
        folded: The boxes.
        sentence: Stands above them.
        remarks: Stand below them.
        direction: The one that was asked for: the root is at the right end upstream, at the left downstream.
    """
    written, drawing = _laid_out(folded, direction)
    columns = max(int((drawing.width - 2) / shapes.NOTE_COLUMN_WIDTH), REMARK_COLUMNS_MIN)
    above = _wrapped(sentence, int(columns * 0.75))
    below = [line for remark in remarks for line in _wrapped(remark, columns)]
    top = MARGIN + len(above) * (LINE_HEIGHT + 2) + 10
    wide = 2 * MARGIN + max(drawing.width, columns * shapes.NOTE_COLUMN_WIDTH, _legend_width())
    high = top + drawing.height + 30 + BOX_HEIGHT * 0.7 + len(below) * LINE_HEIGHT + MARGIN
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="lineage" role="img" aria-labelledby="sentence" '
        f'width="{wide:.0f}" height="{high:.0f}" viewBox="0 0 {wide:.0f} {high:.0f}"><!-- {labels.MARK} -->'
    )
    yield f'<title id="sentence">{escape(sentence)}</title>'
    yield f"<style>\n{stylesheet()}</style>"
    yield f'<rect width="{wide:.0f}" height="{high:.0f}" fill="var(--paper)"/>'
    for number, line in enumerate(above):
        yield _text(line, MARGIN, MARGIN + 12 + number * (LINE_HEIGHT + 2), "sentence")
    yield f'<g transform="translate({MARGIN:g} {top:.1f})">'
    yield from _inner(folded, written, drawing, direction)
    yield "</g>"
    bottom = top + drawing.height + 30
    yield from _legend(bottom)
    for number, line in enumerate(below):
        yield _text(line, MARGIN, bottom + BOX_HEIGHT * 0.7 + (number + 1) * LINE_HEIGHT, "remark")
    yield "</svg>"


def figure(folded: Folded, sentence: str, *, direction: Direction, link: Callable[[Node], str]) -> Iterator[str]:
    """Yield the lines of the drawing alone, for a page that has its style and says the rest.

    Args:
        folded: The boxes.
        sentence: What the drawing shows, in words.
        direction: The one that was asked for.
        link: Returns where the box of a node leads; nowhere where that is empty.
    """
    written, drawing = _laid_out(folded, direction)
    wide, high = drawing.width + 2 * MARGIN, drawing.height + 2 * MARGIN
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="lineage" role="group" aria-label="{escape(sentence)}" '
        f'width="{wide:.0f}" height="{high:.0f}" viewBox="0 0 {wide:.0f} {high:.0f}">'
    )
    yield f'<g transform="translate({MARGIN:g} {MARGIN:g})">'
    yield from _inner(folded, written, drawing, direction, link)
    yield "</g></svg>"


def _laid_out(folded: Folded, direction: Direction) -> tuple[list[Label], Layout]:
    written = [labels.of_box(box) for box in folded.boxes]
    edges = [(flow.source, flow.target) for flow in folded.flows]
    pull: Side = "right" if direction == "upstream" else "left"
    return written, layout([shapes.width(label) for label in written], edges, pull=pull)


def _inner(
    folded: Folded,
    written: Sequence[Label],
    drawing: Layout,
    direction: Direction,
    link: Callable[[Node], str] = lambda node: "",
) -> Iterator[str]:
    """Yield lines and boxes; the box of a group leads nowhere."""
    yield from _flows(folded, drawing)
    for number, (box, label) in enumerate(zip(folded.boxes, written, strict=True)):
        to = link(box.members[0]) if len(box.members) == 1 else ""
        if to:
            yield f'<a href="{escape(to)}">'
        yield from _box(box, label, drawing.places[number], is_root=number == 0, direction=direction)
        if to:
            yield "</a>"


def stylesheet() -> str:
    """Return how boxes and lines look."""
    return resources.files("snakeprov.view").joinpath("static", "drawing.css").read_text(encoding="utf-8")


def _flows(folded: Folded, drawing: Layout) -> Iterator[str]:
    for flow, points in zip(folded.flows, drawing.routes, strict=True):
        if points:
            yield f'<path class="flow {flow.kind}" d="{shapes.curve(points)}"/>'
            x, y = points[-1]
            back = 7 if points[0][0] > x else -7
            yield f'<path class="head" d="M{x:.1f} {y:.1f}l{back} -3.5v7z"/>'


def _box(box: Box, label: Label, place: tuple[float, float], *, is_root: bool, direction: Direction) -> Iterator[str]:
    wide = shapes.width(label)
    status = box.members[0].status
    classes = ["box", box.kind, *["root"] * is_root, *["bad"] * (status not in (None, "success"))]
    yield f'<g class="{" ".join(classes)}" transform="translate({place[0]:.1f} {place[1]:.1f})">'
    yield f"<title>{escape(label.whole)}</title>"
    path = shapes.outline(box.kind, wide)
    if len(box.members) > 1:
        yield f'<path transform="translate(5 -5)" d="{path}"/>'
    yield f'<path class="face" d="{path}"/>'
    yield _text(label.title, shapes.PADDING, 17 if label.note else 24, "title")
    if label.note:
        yield _text(label.note, shapes.PADDING, 31, "note")
    if box.unexplored:
        yield _text("\u2026", -17 if direction == "upstream" else wide + 5, 24, "more")
    yield "</g>"


_LEGEND: tuple[tuple[Kind, str], ...] = (("data", "data"), ("activity", "activity"), ("code", "code"))
_LEGEND_STEP = 128.0


def _legend_width() -> float:
    return _LEGEND_STEP * (len(_LEGEND) + 1)


def _legend(top: float) -> Iterator[str]:
    for number, (kind, name) in enumerate(_LEGEND):
        x = MARGIN + number * _LEGEND_STEP
        yield f'<g class="box {kind}" transform="translate({x:g} {top:.1f}) scale(.6)">'
        yield f'<path d="{shapes.outline(kind, 60)}"/></g>'
        yield _text(name, x + 44, top + 16, "note")


def _text(line: str, x: float, y: float, role: str) -> str:
    return f'<text class="{role}" x="{x:g}" y="{y:.1f}">{escape(line)}</text>'


def _wrapped(line: str, columns: int) -> list[str]:
    """Return a line broken at blanks into lines of at most that many columns."""
    import textwrap

    return textwrap.wrap(line, columns) or [""]
