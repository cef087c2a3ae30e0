"""The rows of the lineage tree: order, repetition, folding, raw inputs, bounds."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from snakeprov.lineage.graph import Graph
from snakeprov.lineage.tree import FOLD_ABOVE, FOLD_SHOWS, Row, code, rows
from snakeprov.model.answers import Edge, Node

Make = Callable[..., dict[str, Any]]


def described(every: list[Row]) -> list[str]:
    """Return rows as text: depth, label, what made it, mark."""
    return [
        " ".join(
            part
            for part in (
                "." * len(row.rails) + row.node.label,
                f"<{row.activity.label}" if row.activity else "",
                row.mark,
                "executed" if row.executed else "",
                f"+{row.folded}" if row.folded else "",
            )
            if part
        )
        for row in every
    ]


def upstream(answer: dict[str, Any], **more: Any) -> list[str]:
    """Return the rows of an answer as text."""
    return described(list(rows(Graph.of(answer), **more)))


def test_the_tree_goes_down_to_the_raw_inputs(lineage: Make) -> None:
    """Below a file lies what its activity used, in the rule's order, and a file nobody generated is raw."""
    answer = lineage("c@1", ("second", ["c@1"], ["b@1", "x@1"], ["s.py@1"]), ("first", ["b@1"], ["a@1"], []))
    assert upstream(answer) == ["c <second", ".b <first", "..a raw", ".x raw"]


def test_a_repeated_subtree_is_shown_once(lineage: Make) -> None:
    """The second time an activity comes up its subtree is not shown again; a raw input is simply named again."""
    answer = lineage("d@1", ("last", ["d@1"], ["b@1", "c@1"], []), ("first", ["b@1", "c@1"], ["a@1"], []))
    assert upstream(answer) == ["d <last", ".b <first", "..a raw", ".c <first repeated"]


def test_an_activity_without_inputs_ends_its_branch(lineage: Make) -> None:
    """A file that a rule made out of nothing is no raw input, and the same once more is not "see above"."""
    answer = lineage("c@1", ("use", ["c@1"], ["a@1", "b@1"], []), ("make", ["a@1", "b@1"], [], []))
    assert upstream(answer) == ["c <use", ".a <make", ".b <make"]


def test_code_that_a_job_generated_is_in_the_tree(lineage: Make) -> None:
    """A script that is itself an output lies in the tree, marked; other code does not."""
    answer = lineage("c@1", ("use", ["c@1"], ["a@1"], ["gen.py@1", "hand.py@1"]), ("write", ["gen.py@1"], ["t@1"], []))
    assert upstream(answer) == ["c <use", ".a raw", ".gen.py <write executed", "..t raw"]


def test_a_cycle_ends(lineage: Make) -> None:
    """Activities that used each other's results, which only a wrong record can say, do not make it endless."""
    answer = lineage("a@1", ("one", ["a@1"], ["b@1"], []), ("two", ["b@1"], ["a@1"], []))
    assert upstream(answer) == ["a <one", ".b <two", "..a <one repeated"]
    assert upstream(answer, direction="downstream") == ["a <one", ".b <two", "..a <one repeated"]


def test_many_siblings_of_one_rule_are_folded(lineage: Make) -> None:
    """Of more than twelve inputs made by one rule three are shown and the rest is counted, wherever they lie."""
    count = FOLD_ABOVE + 1
    made = [(f"s{place}/part@1", f"raw{place}.txt@1") for place in range(count)]
    cleanings = [("clean", [part], [raw], []) for part, raw in made]
    answer = lineage("all@1", ("join", ["all@1"], ["extra@1", *(part for part, _ in made)], []), *cleanings)
    got = upstream(answer)
    assert got[:4] == ["all <join", ".extra raw", ".s0/part <clean", "..raw0.txt raw"]
    assert got[-1] == f".s{count - 1}/part <clean +{count - FOLD_SHOWS}"
    assert len(got) == 2 + 2 * FOLD_SHOWS + 1


def test_what_was_folded_has_not_been_shown(lineage: Make) -> None:
    """A file that a fold hid is shown with all that lies below it where it comes up again."""
    parts = [f"part{place}@1" for place in range(FOLD_ABOVE + 1)]
    cleanings = [("clean", [part], ["raw@1"], []) for part in parts]
    answer = lineage("z@1", ("last", ["z@1"], ["all@1", parts[-1]], []), ("join", ["all@1"], parts, []), *cleanings)
    assert upstream(answer)[-3:] == ["..part12 <clean +10", ".part12 <clean", "..raw raw"]


def test_twelve_siblings_are_not_folded(lineage: Make) -> None:
    """At the bound itself everything is shown."""
    answer = lineage("all@1", ("join", ["all@1"], [f"p{place}@1" for place in range(FOLD_ABOVE)], []))
    assert len(upstream(answer)) == 1 + FOLD_ABOVE


def test_raw_inputs_are_folded_by_kind(lineage: Make) -> None:
    """Raw inputs are alike when they share their top folder and the end of their name."""
    reads = [f"data/s{place}/reads.fq.gz@1" for place in range(40)]
    answer = lineage("all@1", ("join", ["all@1"], [*reads, "data/samples.csv@1"], []))
    assert upstream(answer)[-2:] == [".data/s39/reads.fq.gz +37", ".data/samples.csv raw"]


def test_downstream_shows_what_came_from_a_file(lineage: Make) -> None:
    """Downstream lies what was generated from a file; an activity that generated nothing is itself a row.

    Nobody asked what made the file itself, so it is not called raw.
    """
    answer = lineage(
        "a@1", ("first", ["b@1"], ["a@1"], []), ("second", ["c@1"], ["b@1"], []), ("check", [], ["b@1"], [])
    )
    assert upstream(answer, direction="downstream") == ["a", ".b <first", "..c <second", "..check"]


def test_where_nobody_looked_nothing_is_called_raw(lineage: Make) -> None:
    """At the edge of an answer that is not all, a leaf is unexplored and not raw; nearer than that it is raw."""
    answer = lineage("d@1", ("third", ["d@1"], ["c@1", "x@1"], []), ("second", ["c@1"], ["b@1"], []))
    assert upstream(answer) == ["d <third", ".c <second", "..b raw", ".x raw"]
    assert upstream(replace(answer, truncated=True)) == ["d <third", ".c <second", "..b unexplored", ".x raw"]


def test_a_chain_as_long_as_can_be_asked_for(lineage: Make) -> None:
    """A thousand activities, one behind another, are walked without deep recursion."""
    chain = [(f"r{place}", [f"f{place}@1"], [f"f{place + 1}@1"], []) for place in range(1000)]
    got = upstream(lineage("f0@1", *chain))
    assert got[-1] == "." * 1000 + "f1000 raw"


def test_code_is_listed_once_with_the_rules_that_ran_it(lineage: Make) -> None:
    """Each file of code is listed once; a rule that ran two versions of its code has two labels."""
    cleanings = [
        ("clean", [f"{name}@1"], [], ["Snakefile@1", f"clean.py@{number}"])
        for name, number in (("a", 1), ("b", 1), ("c", 2))
    ]
    graph = Graph.of(lineage("a@1", *cleanings, ("sort", ["d@1"], [], ["Snakefile@1"]), ("bare", ["e@1"], [], [])))
    listed, labels = code(graph)
    assert [(one.node.id, *one.labels) for one in listed] == [
        ("synSnakefile.1", "clean", "clean#2", "sort"),
        ("synclean.py.1", "clean"),
        ("synclean.py.2", "clean#2"),
    ]
    assert list(labels.values()) == ["clean", "clean", "clean#2", "sort", "bare"]


def test_a_link_to_code_that_is_listed_is_not_listed_again(lineage: Make) -> None:
    """A permalink differs from commit to commit while the file it shows may not: it makes no new label."""
    at = "https://github.com/ada/p/blob/{}/work%20flow/Snakefile#L3"
    jobs = [
        ("sort", [f"{name}@1"], [], ["work flow/Snakefile@1", at.format(name), "https://x.org/w.py"]) for name in "ab"
    ]
    listed, labels = code(Graph.of(lineage("a@1", *jobs)))
    assert [(one.node.label, *one.labels) for one in listed] == [
        ("work flow/Snakefile", "sort"),
        ("https://x.org/w.py", "sort"),
    ]
    assert set(labels.values()) == {"sort"}


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), max_size=30), st.sampled_from(["upstream", "downstream"])
)
def test_any_graph_gives_a_finite_tree(pairs: list[tuple[int, int]], direction: Any) -> None:
    """Whatever was recorded, each subtree is shown at most once and the rails fit the rows that follow."""
    nodes = [
        Node(id=f"syn{n}.1", kind="entity", label=f"f{n}", entity_id=f"syn{n}", version_number=1) for n in range(8)
    ]
    nodes += [Node(id=f"activity:{n}", kind="activity", label=f"r{n}") for n in range(8)]
    edges = [Edge(f"syn{n}.1", f"activity:{n}", "generatedBy") for n in range(0, 8, 2)]
    edges += [Edge(f"activity:{activity}", f"syn{entity}.1", "used") for activity, entity in pairs]
    every = list(rows(Graph("syn0.1", nodes=nodes, edges=edges), direction=direction))
    assert every[0].node.id == "syn0.1"
    assert len(every) <= 1 + 8 * len(pairs) * 2
    for row, following in pairwise(every):
        assert len(following.rails) <= len(row.rails) + 1
    for place, row in enumerate(every):
        depth = len(row.rails)
        rest = [len(other.rails) for other in every[place + 1 :]]
        below = next((index for index, other in enumerate(rest) if other <= depth), len(rest))
        assert not row.rails or row.rails[-1] == (below < len(rest) and rest[below] == depth)
