"""Lineages folded for drawings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from snakeprov.lineage import fold as folding
from snakeprov.lineage.fold import Folded, fold, sort
from snakeprov.lineage.graph import Graph
from snakeprov.model.answers import Edge, Node

Make = Callable[..., dict[str, Any]]


def folded(answer: dict[str, Any], direction: Any = "upstream") -> Folded:
    return fold(sort(Graph.of(answer), direction))


def told(drawing: Folded) -> list[str]:
    return [f"{box.kind} {box.members[0].label} {len(box.members)}" for box in drawing.boxes]


def samples(lineage: Make, count: int) -> dict[str, Any]:
    """A merge of `count` files, each aligned from its reads with one genome."""
    names = [f"s{number}" for number in range(count)]
    aligned = [
        ("align", [f"bam/{name}.bam@1"], [f"reads/{name}.fq@1", "genome.fa@1"], ["align.sh@1"]) for name in names
    ]
    merged = ("merge", ["all.bam@1"], [f"bam/{name}.bam@1" for name in names], ["merge.sh@1"])
    return lineage("all.bam@1", merged, *aligned)


def test_a_wide_fan_out_is_one_box_for_each_rule(lineage: Make) -> None:
    """Hundreds of samples become a box of files, one of activities and one of raw files; the genome stays alone."""
    assert told(folded(samples(lineage, 312))) == [
        "data all.bam 1",
        "activity merge 1",
        "data bam/s0.bam 312",
        "code merge.sh 1",
        "activity align 312",
        "data reads/s0.fq 312",
        "data genome.fa 1",
        "code align.sh 1",
    ]


def test_a_narrow_one_stays_as_it_is(lineage: Make) -> None:
    """As many alike as the text shows without folding are drawn one by one; one more are folded."""
    assert len(folded(samples(lineage, 12)).boxes) == 5 + 3 * 12
    assert len(folded(samples(lineage, 13)).boxes) == 8


def test_data_flows_from_what_was_used_to_what_was_generated(lineage: Make) -> None:
    """Each flow is there once, however many of its kind are folded in it, and says how the thing was used."""
    drawing = folded(samples(lineage, 20))
    names = [box.members[0].label for box in drawing.boxes]
    assert [(names[one.source], one.kind, names[one.target]) for one in drawing.flows] == [
        ("bam/s0.bam", "used", "merge"),
        ("merge.sh", "executed", "merge"),
        ("merge", "generatedBy", "all.bam"),
        ("reads/s0.fq", "used", "align"),
        ("genome.fa", "used", "align"),
        ("align.sh", "executed", "align"),
        ("align", "generatedBy", "bam/s0.bam"),
    ]


def test_what_ended_otherwise_is_not_folded_with_the_rest(lineage: Make) -> None:
    """Failed activities of a rule are a box of their own beside those that ended well."""
    answer = lineage("raw.csv@1", *[("try", [], ["raw.csv@1"], []) for _ in range(40)])
    activities = [one for one in answer.nodes if one.kind == "activity"]
    files = [one for one in answer.nodes if one.kind != "activity"]
    failed = [replace(one, status="failed" if number < 15 else "success") for number, one in enumerate(activities)]
    answer = replace(answer, nodes=[*files, *failed])
    drawing = folded(answer, "downstream")
    assert [(box.members[0].status, len(box.members)) for box in drawing.boxes[1:]] == [("failed", 15), ("success", 25)]


def test_code_of_many_rules_is_listed_instead_of_linked(lineage: Make) -> None:
    """A Snakefile that more than three rules ran is no box; a script of one rule is, and a compiled one always."""
    steps = [(f"r{n}", [f"f{n}@1"], [f"f{n + 1}@1"], ["Snakefile@1", f"r{n}.py@1", "tool@1"]) for n in range(4)]
    drawing = folded(lineage("f0@1", *steps, ("compile", ["tool@1"], ["tool.c@1"], [])))
    assert [node.label for node in drawing.common] == ["Snakefile"]
    assert {"code r0.py 1", "code tool 1"} <= set(told(drawing))
    assert "code Snakefile 1" not in told(drawing)


def test_a_link_to_code_that_is_a_file_too_is_not_drawn_twice(lineage: Make) -> None:
    """The permalink of a script that is drawn as a file has no box; other links have."""
    link, other = "https://x.org/blob/1a2b/run.py#L1", "https://x.org/wrapper.py"
    drawing = folded(lineage("a@1", ("run", ["a@1"], ["s3://b/k"], ["run.py@1", link, other])))
    assert told(drawing) == ["data a 1", "activity run 1", "data s3://b/k 1", "code run.py 1", f"code {other} 1"]


def test_too_many_boxes_are_cut_and_counted(lineage: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Past the bound the boxes nearest to the root are kept, and the rest is counted."""
    monkeypatch.setattr(folding, "BOXES_MAX", 5)
    drawing = folded(lineage("f0@1", *[(f"r{n}", [f"f{n}@1"], [f"f{n + 1}@1"], []) for n in range(20)]))
    assert [box.members[0].label for box in drawing.boxes] == ["f0", "r0", "f1", "r1", "f2"]
    assert drawing.left_out == 41 - 5
    assert max(max(flow.source, flow.target) for flow in drawing.flows) < 5


def test_where_the_search_ended_is_marked(lineage: Make) -> None:
    """In a truncated answer the boxes farthest away say that nobody looked beyond them."""
    drawing = folded(lineage("a@1", ("make", ["a@1"], ["b@1"], []), truncated=True))
    assert [box.unexplored for box in drawing.boxes] == [False, False, True]


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40), st.booleans()), max_size=120),
    st.sampled_from(["upstream", "downstream"]),
)
def test_every_node_is_in_one_box_or_listed(links: list[tuple[int, int, bool]], direction: Any) -> None:
    """Whatever was recorded, cycles included: what can be reached is drawn once or listed, and flows join boxes."""
    nodes = [Node(id=f"f{n}", kind="entity", label=f"d{n % 3}/f{n}", version_number=1) for n in range(41)]
    nodes += [Node(id=f"a{n}", kind="activity", label=f"r{n % 2}") for n in range(41)]
    edges = [Edge(f"a{a}", f"f{f}", "executed" if code else "used") for a, f, code in links]
    edges += [Edge(f"f{n}", f"a{n}", "generatedBy") for n in range(0, 41, 2)]
    ordered = sort(Graph("f0", nodes=nodes, edges=edges), direction)
    drawing = fold(ordered)
    members = [node.id for box in drawing.boxes for node in box.members]
    assert sorted(members + [node.id for node in drawing.common]) == sorted(node.id for node in ordered.nodes)
    assert len(set(members)) == len(members)
    assert ordered.nodes[0].id == "f0" and drawing.boxes[0].members[0].id == "f0"
    assert all(0 <= flow.source < len(drawing.boxes) > flow.target >= 0 for flow in drawing.flows)
    assert len(set(drawing.flows)) == len(drawing.flows) if drawing.flows else True
