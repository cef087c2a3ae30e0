"""The lineage graph, from the store's answer to neighbours and distances."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from snakeprov.lineage.graph import Graph
from snakeprov.model.answers import Edge, Lineage, Node

Make = Callable[..., dict[str, Any]]


def test_neighbours_are_told_apart_by_kind(lineage: Make) -> None:
    """What an activity used, executed and generated are three lists, each in the order of the answer."""
    graph = Graph.of(lineage("c@1", ("join", ["c@1", "d@1"], ["b@2", "a@1"], ["join.py@1"])))
    activity = graph.generator(graph.root)
    assert activity is not None
    assert [node.label for node in graph.used(activity)] == ["b", "a"]
    assert [node.label for node in graph.executed(activity)] == ["join.py"]
    assert [node.label for node in graph.generated(activity)] == ["c", "d"]
    assert graph.users(graph.used(activity)[0]) == [activity]


def test_a_file_that_is_used_and_executed_has_its_user_once(lineage: Make) -> None:
    """A script that a job read as data and ran as code has that job as a user once."""
    graph = Graph.of(lineage("s.py@1", ("self", ["c@1"], ["s.py@1"], ["s.py@1"])))
    assert [node.label for node in graph.users(graph.root)] == ["self"]


def test_distances_count_the_activities_passed(lineage: Make) -> None:
    """An entity's distance is the number of activities between it and the root, by the shortest way."""
    graph = Graph.of(lineage("c@1", ("second", ["c@1"], ["b@1", "a@1"], []), ("first", ["b@1"], ["a@1"], [])))
    far = graph.distances("upstream")
    assert far == {"sync.1": 0, "activity:1": 0, "synb.1": 1, "syna.1": 1, "activity:2": 1}


def test_an_edge_to_a_node_that_was_cut_off_is_left_out() -> None:
    """Where the answer was bounded, an edge may name a node that is not there: it does no harm."""
    node = Node(id="syn1.1", kind="entity", label="a")
    graph = Graph("syn1.1", nodes=[node], edges=[Edge("syn1.1", "activity:9", "generatedBy")], truncated=True)
    assert graph.generator(node) is None


def test_what_is_no_lineage_is_refused() -> None:
    """A root that is not among the nodes is refused."""
    with pytest.raises(KeyError, match=r"syn1\.1"):
        Graph.of(Lineage(root="syn1.1", nodes=[], edges=[], truncated=False))
