"""Collecting the material of an export."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from snakeprov.export import gather
from snakeprov.model.answers import Edge, Lineage, Node


def lineage(count: int) -> Lineage:
    """A file that was made from the results of `count` activities."""
    nodes = [Node(id="syn1.1", kind="version", label="all", entity_id="syn1", version_number=1)]
    edges = []
    for number in range(count):
        nodes.append(Node(id=f"activity:{number}", kind="activity", label="make", activity_id=str(number)))
        edges.append(Edge(source="syn1.1", target=f"activity:{number}", kind="generatedBy"))
        nodes.append(Node(id=f"syn2.{number}", kind="version", label="part", entity_id="syn2", version_number=number))
        edges.append(Edge(source=f"activity:{number}", target=f"syn2.{number}", kind="used"))
    return Lineage(root="syn1.1", nodes=nodes, edges=edges, truncated=False)


@contextmanager
def counted_lines() -> Iterator[list[int]]:
    """Count the lines of the module that are executed."""
    count = [0]

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        if frame.f_code.co_filename != gather.__file__:
            return None
        count[0] += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        yield count
    finally:
        sys.settrace(before)


def test_the_work_grows_as_the_lineage_does() -> None:
    """Ten times as many activities take about ten times as many steps, not a hundred times."""
    steps = []
    for size in (20, 200):
        graph = gather._Graph()
        graph.add(lineage(size))
        with counted_lines() as count:
            activities = [graph.activity(node, {}) for node in graph.activities()]
        assert len(activities) == size
        steps.append(count[0])
    assert steps[1] < 20 * steps[0]
