"""Layouts of drawings: nothing overlaps, data flows to the right, few lines cross."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snakeprov.view import layout as module
from snakeprov.view.layout import BOX_HEIGHT, COLUMN_GAP, Layout, Side, layout, spread

Graph = tuple[list[float], list[tuple[int, int]]]


@st.composite
def graphs(draw: st.DrawFn, *, acyclic: bool = False) -> Graph:
    """Return widths of boxes and edges between them."""
    widths = draw(st.lists(st.floats(20, 300), max_size=25))
    if not widths:
        return [], []
    ends = st.integers(0, len(widths) - 1)
    edges = draw(st.lists(st.tuples(ends, ends), max_size=60))
    return widths, [(min(edge), max(edge)) for edge in edges if edge[0] != edge[1]] if acyclic else edges


SIDES = st.sampled_from(["left", "right"])


def crossing_count(drawing: Layout) -> int:
    """Count the lines that cross, of routes from one column to the next."""
    spans = [(a[0], a[1], b[1]) for route in drawing.routes for a, b in pairwise(route)]
    return sum(
        one[0] == other[0] and (one[1] - other[1]) * (one[2] - other[2]) < 0
        for number, one in enumerate(spans)
        for other in spans[:number]
    )


@settings(max_examples=150, deadline=None)
@given(graphs(), SIDES)
def test_boxes_do_not_overlap(graph: Graph, pull: Side) -> None:
    """Any two boxes have room between them, and all lie in the drawing; cycles and loops do no harm."""
    widths, edges = graph
    drawing = layout(widths, edges, pull=pull)
    boxes = [(x, y, x + wide) for (x, y), wide in zip(drawing.places, widths, strict=True)]
    for number, (left, top, right) in enumerate(boxes):
        assert left >= -0.001 and right <= drawing.width + 0.001
        assert top >= -0.001 and top + BOX_HEIGHT <= drawing.height + 0.001
        for other_left, other_top, other_right in boxes[:number]:
            assert right < other_left or other_right < left or abs(top - other_top) >= BOX_HEIGHT + 1


@settings(max_examples=150, deadline=None)
@given(graphs(acyclic=True), SIDES)
def test_edges_go_from_left_to_right(graph: Graph, pull: Side) -> None:
    """Without cycles each line leaves its source to the right and only ever goes on to the right."""
    widths, edges = graph
    drawing = layout(widths, edges, pull=pull)
    for (source, target), route in zip(edges, drawing.routes, strict=True):
        assert drawing.layers[source] < drawing.layers[target]
        assert route[0][0] == pytest.approx(drawing.places[source][0] + widths[source])
        assert route[-1][0] == pytest.approx(drawing.places[target][0])
        assert route[-1][0] - route[0][0] >= COLUMN_GAP - 0.001
        assert all(a[0] <= b[0] for a, b in pairwise(route))


@settings(max_examples=60, deadline=None)
@given(graphs(), SIDES)
def test_the_same_graph_gives_the_same_drawing(graph: Graph, pull: Side) -> None:
    """Nothing depends on chance or on the order of a set."""
    assert layout(*graph, pull=pull) == layout(*graph, pull=pull)


def test_a_box_lies_beside_what_needs_it() -> None:
    """A late input lies just before the step that uses it when pulled to the right, and at the left end otherwise."""
    edges = [(0, 1), (1, 2), (3, 2)]
    assert layout([50.0] * 4, edges, pull="right").layers == [0, 1, 2, 1]
    assert layout([50.0] * 4, edges, pull="left").layers == [0, 1, 2, 0]


def test_a_cycle_has_one_line_that_runs_back() -> None:
    """A file that was rewritten in place leads to itself: one line of the cycle runs to the left."""
    drawing = layout([50.0] * 3, [(0, 1), (1, 2), (2, 0)], pull="right")
    assert sorted(drawing.layers) == [0, 1, 2]
    assert [route[0][0] < route[-1][0] for route in drawing.routes].count(False) == 1
    assert layout([50.0], [(0, 0)], pull="left").routes == [[]]


def test_lines_of_a_tree_do_not_cross() -> None:
    """A tree given in any order is untangled."""
    names = list(range(1, 121))
    random.Random(7).shuffle(names)  # noqa: S311
    place = [0, *names]
    edges = [(place[child], place[(child - 1) // 3]) for child in range(1, 121)]
    assert crossing_count(layout([60.0] * 121, edges, pull="right")) == 0


def test_few_lines_of_a_pipeline_cross() -> None:
    """Samples through steps with a common reference: it lies in the middle, where its lines cross the fewest others."""
    samples = list(range(30))
    random.Random(3).shuffle(samples)  # noqa: S311
    edges = [(1 + 3 * s + step, 1 + 3 * s + step + 1) for s in samples for step in range(2)]
    edges += [(1 + 3 * s + 2, 0) for s in range(30)] + [(91, 1 + 3 * s + 2) for s in range(30)]
    fewest = 2 * sum(range(15))
    assert crossing_count(layout([60.0] * 92, edges, pull="right")) == fewest


def test_a_line_past_other_columns_keeps_clear_of_their_boxes() -> None:
    """A line that skips columns runs level through each, where no box lies."""
    edges = [(0, 1), (1, 2), (2, 3), (0, 3)]
    drawing = layout([60.0] * 4, edges, pull="right")
    route = drawing.routes[3]
    for column in (1, 2):
        left, top = drawing.places[column]
        level = [y for x, y in route if left - 0.001 <= x <= left + 60.001]
        assert len(level) == 2 and level[0] == level[1]
        assert not top < level[0] < top + BOX_HEIGHT


def test_lanes_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Past the bound, long lines go straight instead of taking memory."""
    monkeypatch.setattr(module, "LANES_MAX", 10)
    edges = [(number, number + 1) for number in range(50)] + [(number, 50) for number in range(49)]
    drawing = layout([60.0] * 51, edges, pull="right")
    assert sum(len(route) > 2 for route in drawing.routes) < 10
    assert all(len(route) >= 2 for route in drawing.routes)


def test_ten_thousand_boxes_in_one_column_and_in_one_row() -> None:
    """The extremes of shape are laid out without a recursion or a square of anything."""
    wide = layout([60.0] * 10_000, [(number, 0) for number in range(1, 10_000)], pull="right")
    deep = layout([60.0] * 10_000, [(number + 1, number) for number in range(9_999)], pull="right")
    assert (max(wide.layers), max(deep.layers)) == (1, 9_999)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.floats(-1e4, 1e4), st.floats(1, 50), st.floats(0.5, 8)), min_size=1, max_size=20))
def test_heights_keep_their_gaps_and_come_near(items: list[tuple[float, float, float]]) -> None:
    """The gaps are kept, the weighted mean of the heights is that of those wanted, and what fits stays."""
    wanted, gaps, weights = [one[0] for one in items], [one[1] for one in items[1:]], [one[2] for one in items]
    heights = spread(wanted, gaps, weights)
    assert all(b - a >= gap - 1e-6 for (a, b), gap in zip(pairwise(heights), gaps, strict=True))
    mean = sum(a * w for a, w in zip(wanted, weights, strict=True))
    assert sum(a * w for a, w in zip(heights, weights, strict=True)) == pytest.approx(mean, abs=1e-3 * sum(weights))
    assert spread(heights, [gap - 1e-9 for gap in gaps], weights) == pytest.approx(heights)
