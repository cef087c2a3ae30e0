"""Place the boxes of a layered drawing from left to right, and route its lines.

`static/layout.js` is the same for the page, kept equal by a test.

Layers by longest path; order within a layer by barycentre sweeps (Sugiyama, Tagawa and Toda 1981, who call it the
barycentric method); heights by least squares under the rule that boxes keep their order and do not touch. In time in
proportion to the size of the graph, but for sorting; the same input gives the same drawing.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Sequence
from itertools import pairwise
from typing import Literal, NamedTuple

BOX_HEIGHT = 40.0
ROW_GAP = 16.0
LANE_HEIGHT = 6.0
COLUMN_GAP = 64.0

LANES_MAX = 20_000
"""Maximum number of lanes, kept free of boxes, for lines that skip layers; further lines go straight."""

ORDER_SWEEPS = 12
"""Maximum number of sweeps, right and back, that order the boxes."""

HEIGHT_SWEEPS = 6
"""Maximum number of sweeps, right and back, that settle the heights."""

VISITS = 60_000
"""Approximate number of boxes and lanes that each kind of sweep visits in all: large drawings get fewer sweeps."""

LANE_WEIGHT = 8.0
"""How much more than to a box it matters to a lane to be straight."""

Point = tuple[float, float]

Side = Literal["left", "right"]


class Layout(NamedTuple):
    """A drawing.

    Attributes:
        places: The left and the upper edge of each box.
        routes: For each edge, points from the right edge of its source to the left edge of its target; in a cycle one
            edge runs backwards, from left edge to right edge. Empty for an edge from a box to itself.
        layers: The layer of each box, counted from the left.
        width, height: Of the whole.
    """

    places: list[Point]
    routes: list[list[Point]]
    layers: list[int]
    width: float
    height: float


Edge = tuple[int, int]


def layout(widths: Sequence[float], edges: Sequence[Edge], *, pull: Side) -> Layout:
    """Return the drawing of boxes of some widths and edges between them, given as places in `widths`.

    Args:
        widths: One for each box; all are `BOX_HEIGHT` high.
        edges: Source and target.
        pull: Where a box lies that could lie in several layers.

    >>> drawing = layout([50, 50, 50], [(0, 2), (1, 2)], pull="right")
    >>> drawing.layers, drawing.places
    ([0, 0, 1], [(0.0, 0.0), (0.0, 56.0), (114.0, 28.0)])
    """
    count = len(widths)
    layers = layered(count, edges, pull=pull)
    lanes = _lanes(layers, edges)
    rows, links = _rows(layers, lanes)
    rows = ordered(rows, links)
    middles = _middles(rows, links, boxes=count)
    lefts, columns = _columns(rows, widths)
    places = [(lefts[box], middles[box] - BOX_HEIGHT / 2) for box in range(count)]
    routes = [
        _route(edge, layers, lanes, middles=middles, columns=columns, lefts=lefts, widths=widths) for edge in edges
    ]
    return Layout(
        places=places,
        routes=routes,
        layers=layers,
        width=columns[-1][1] if columns else 0.0,
        height=max((middle for middle in middles[:count]), default=-BOX_HEIGHT / 2) + BOX_HEIGHT / 2,
    )


def layered(count: int, edges: Sequence[Edge], *, pull: Side) -> list[int]:
    """Return the layer of each box: every edge leads to the right, but for one in each cycle."""
    forward = _acyclic(count, edges)
    if pull == "right":
        forward = [(target, source) for source, target in forward]
    after: list[list[int]] = [[] for _ in range(count)]
    waits = [0] * count
    for source, target in forward:
        after[source].append(target)
        waits[target] += 1
    layers = [0] * count
    ready = [box for box in range(count) if not waits[box]]
    for box in ready:
        for other in after[box]:
            layers[other] = max(layers[other], layers[box] + 1)
            waits[other] -= 1
            if not waits[other]:
                ready.append(other)
    last = max(layers, default=0)
    return [last - layer for layer in layers] if pull == "right" else layers


def _acyclic(count: int, edges: Sequence[Edge]) -> list[Edge]:
    """Return the edges, those that close a cycle turned round, without those from a box to itself."""
    after: list[list[int]] = [[] for _ in range(count)]
    has_source = [False] * count
    for source, target in edges:
        if source != target:
            after[source].append(target)
            has_source[target] = True
    state = [0] * count  # 1: on the path that is being followed, 2: done
    result: list[Edge] = []
    for start in sorted(range(count), key=has_source.__getitem__):
        stack = [] if state[start] else [(start, iter(after[start]))]
        state[start] = state[start] or 1
        while stack:
            box, rest = stack[-1]
            for other in rest:
                result.append((other, box) if state[other] == 1 else (box, other))
                if not state[other]:
                    state[other] = 1
                    stack.append((other, iter(after[other])))
                    break
            else:
                state[box] = 2
                stack.pop()
    return result


class _Lanes(NamedTuple):
    """What lies between boxes that are more than a layer apart: numbers that go on from those of the boxes.

    `first` is the first lane of each box that has any, one in every further layer to the right; `layers` are those of
    all lanes. All edges that leave a box share its lanes.
    """

    first: dict[int, int]
    layers: list[int]
    links: list[Edge]


def _lanes(layers: Sequence[int], edges: Sequence[Edge]) -> _Lanes:
    count = len(layers)
    reach: dict[int, int] = {}
    pairs = [(a, b) if layers[a] < layers[b] else (b, a) for a, b in edges if a != b]
    for left, right in pairs:
        reach[left] = max(reach.get(left, 0), layers[right])
    lanes = _Lanes({}, [], [])
    for box, far in reach.items():
        wanted = far - layers[box] - 1
        if wanted > 0 and len(lanes.layers) + wanted <= LANES_MAX:
            lanes.first[box] = count + len(lanes.layers)
            lanes.layers.extend(range(layers[box] + 1, far))
            chain = [box, *range(lanes.first[box], lanes.first[box] + wanted)]
            lanes.links.extend(pairwise(chain))
    for left, right in dict.fromkeys(pairs):
        skipped = layers[right] - layers[left] - 1
        if not skipped:
            lanes.links.append((left, right))
        elif left in lanes.first:
            lanes.links.append((lanes.first[left] + skipped - 1, right))
    return lanes


class _Links(NamedTuple):
    """For each box or lane, what it is linked to in the layer to its left, and in the one to its right."""

    before: list[list[int]]
    after: list[list[int]]


def _rows(layers: Sequence[int], lanes: _Lanes) -> tuple[list[list[int]], _Links]:
    every = [*layers, *lanes.layers]
    rows: list[list[int]] = [[] for _ in range(max(every, default=-1) + 1)]
    for item, layer in enumerate(every):
        rows[layer].append(item)
    links = _Links([[] for _ in every], [[] for _ in every])
    for left, right in lanes.links:
        links.after[left].append(right)
        links.before[right].append(left)
    return rows, links


def ordered(rows: list[list[int]], links: _Links) -> list[list[int]]:
    """Return the rows of boxes and lanes in the order with the fewest crossings that was found."""
    best, fewest = rows, crossings(rows, links)
    for _ in range(_sweeps(len(links.before), most=ORDER_SWEEPS)):
        if not fewest:
            break
        rows = _swept(rows, links.before)
        rows = _swept(rows[::-1], links.after)[::-1]
        found = crossings(rows, links)
        if found >= fewest:
            break
        best, fewest = rows, found
    return best


def _swept(rows: list[list[int]], linked: list[list[int]]) -> list[list[int]]:
    """Return the rows, each ordered by the mean place of what its members are linked to in the row before."""
    place = {item: float(number) for row in rows for number, item in enumerate(row)}
    result = rows[:1]
    for row in rows[1:]:
        means = {item: sum(place[one] for one in linked[item]) / len(linked[item]) for item in row if linked[item]}
        row = sorted(row, key=lambda item: means.get(item, place[item]))
        place.update((item, float(number)) for number, item in enumerate(row))
        result.append(row)
    return result


def crossings(rows: Sequence[Sequence[int]], links: _Links) -> int:
    """Return how many pairs of links cross."""
    count = 0
    for row, following in pairwise(rows):
        place = {item: number for number, item in enumerate(following)}
        seen: list[int] = []
        for item in row:
            targets = [place[one] for one in links.after[item]]
            count += sum(len(seen) - bisect_right(seen, target) for target in targets)
            for target in targets:
                insort(seen, target)
    return count


def _middles(rows: list[list[int]], links: _Links, *, boxes: int) -> list[float]:
    """Return the height of the middle of each box and lane; the upper edge of the highest box is at 0."""
    middles = [0.0] * len(links.before)
    gaps: list[list[float]] = []
    for row in rows:
        halves = [(BOX_HEIGHT if item < boxes else LANE_HEIGHT) / 2 for item in row]
        gaps.append([a + b + ROW_GAP for a, b in pairwise(halves)])
        at = 0.0
        for item, gap in zip(row, [*gaps[-1], 0.0], strict=True):
            middles[item] = at
            at += gap
    weights = [1.0 if item < boxes else LANE_WEIGHT for item in range(len(middles))]
    both = [[*before, *after] for before, after in zip(links.before, links.after, strict=True)]
    forth = list(range(len(rows)))
    sweeps = _sweeps(len(middles), most=HEIGHT_SWEEPS)
    passes = [(forth, links.before), (forth[::-1], links.after)] * sweeps + [(forth, both), (forth[::-1], both)]
    for order, linked in passes:
        for number in order:
            row = rows[number]
            wanted = [_mean(linked[item], middles, own=middles[item]) for item in row]
            for item, middle in zip(row, spread(wanted, gaps[number], [weights[item] for item in row]), strict=True):
                middles[item] = middle
    top = min(middles[:boxes], default=0.0) - BOX_HEIGHT / 2
    return [middle - top for middle in middles]


def _sweeps(items: int, *, most: int) -> int:
    return max(1, min(most, VISITS // (2 * max(items, 1))))


def _mean(items: Sequence[int], middles: Sequence[float], *, own: float) -> float:
    if len(items) == 1:
        return middles[items[0]]
    return sum(middles[item] for item in items) / len(items) if items else own


def spread(wanted: Sequence[float], gaps: Sequence[float], weights: Sequence[float]) -> list[float]:
    """Return heights as near to those wanted as the gaps between neighbours allow, by weighted least squares.

    Isotonic regression by pooling adjacent violators.

    >>> spread([10, 10, 50], [20, 20], [1, 1, 1])
    [0.0, 20.0, 50.0]
    """
    if not gaps:
        return list(wanted)
    offsets = [0.0]
    for gap in gaps:
        offsets.append(offsets[-1] + gap)
    blocks: list[tuple[float, float, int]] = []
    for height, offset, weight in zip(wanted, offsets, weights, strict=False):
        mean, total, size = height - offset, weight, 1
        while blocks and blocks[-1][0] >= mean:
            other, weighs, length = blocks.pop()
            mean = (mean * total + other * weighs) / (total + weighs)
            total, size = total + weighs, size + length
        blocks.append((mean, total, size))
    means = [mean for mean, _, size in blocks for _ in range(size)]
    return [mean + offset for mean, offset in zip(means, offsets, strict=False)]


def _columns(rows: list[list[int]], widths: Sequence[float]) -> tuple[list[float], list[Point]]:
    """Return the left edge of each box, which is in the middle of its column, and the edges of each column."""
    lefts = [0.0] * len(widths)
    columns: list[Point] = []
    at = 0.0
    for row in rows:
        boxes = [item for item in row if item < len(widths)]
        wide = max((widths[box] for box in boxes), default=0.0)
        for box in boxes:
            lefts[box] = at + (wide - widths[box]) / 2
        columns.append((at, at + wide))
        at += wide + COLUMN_GAP
    return lefts, columns


def _route(
    edge: Edge,
    layers: Sequence[int],
    lanes: _Lanes,
    *,
    middles: Sequence[float],
    columns: Sequence[Point],
    lefts: Sequence[float],
    widths: Sequence[float],
) -> list[Point]:
    if edge[0] == edge[1]:
        return []
    backwards = layers[edge[0]] > layers[edge[1]]
    left, right = reversed(edge) if backwards else edge
    points = [(lefts[left] + widths[left], middles[left])]
    if left in lanes.first:
        for layer in range(layers[left] + 1, layers[right]):
            lane = lanes.first[left] + layer - layers[left] - 1
            points += [(columns[layer][0], middles[lane]), (columns[layer][1], middles[lane])]
    points.append((lefts[right], middles[right]))
    return points[::-1] if backwards else points
