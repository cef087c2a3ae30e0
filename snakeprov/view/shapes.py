"""The outlines of boxes and the curves of lines, as paths of SVG.

`static/shapes.js` has the same for the page.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from snakeprov.lineage.fold import Kind
from snakeprov.view import text
from snakeprov.view.labels import Label
from snakeprov.view.layout import BOX_HEIGHT, Point

TITLE_COLUMN_WIDTH = 7.3
NOTE_COLUMN_WIDTH = 6.4
"""Width of a column of the two sizes of text, with a little to spare."""

PADDING = 15.0
WIDTH_MIN = 70.0


def width(label: Label) -> float:
    """Return the width of a box on which `label` is written."""
    widest = max(text.width(label.title) * TITLE_COLUMN_WIDTH, text.width(label.note) * NOTE_COLUMN_WIDTH)
    return max(round(widest + 2 * PADDING), WIDTH_MIN)


def outline(kind: Kind, wide: float) -> str:
    """Return the outline of a box at the origin: data rounded, activities pointed, code with a folded corner."""
    high, w = f"{BOX_HEIGHT:g}", f"{wide:g}"
    if kind == "activity":
        half, inner = f"{BOX_HEIGHT / 2:g}", f"{wide - 10:g}"
        return f"M10 0H{inner}L{w} {half}L{inner} {high}H10L0 {half}Z"
    if kind == "code":
        inner = f"{wide - 11:g}"
        return f"M0 0H{inner}L{w} 11V{high}H0ZM{inner} 0V11H{w}"
    inner, low = f"{wide - 9:g}", f"{BOX_HEIGHT - 9:g}"
    return f"M9 0H{inner}Q{w} 0 {w} 9V{low}Q{w} {high} {inner} {high}H9Q0 {high} 0 {low}V9Q0 0 9 0Z"


def curve(points: Sequence[Point]) -> str:
    """Return a line through some points, level at each of them."""
    if not points:
        return ""
    parts = [f"M{points[0][0]:.1f} {points[0][1]:.1f}"]
    for (x, y), (to_x, to_y) in pairwise(points):
        middle = (x + to_x) / 2
        parts.append(f"C{middle:.1f} {y:.1f} {middle:.1f} {to_y:.1f} {to_x:.1f} {to_y:.1f}")
    return "".join(parts)
