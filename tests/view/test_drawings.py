"""Lineages as DOT, Mermaid and SVG: what is written on the boxes, and that names stay names."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

import pytest
from msgspec.structs import replace

from snakeprov.lineage import fold
from snakeprov.lineage.graph import Graph
from snakeprov.model.answers import Node
from snakeprov.view import dot, labels, mermaid, shapes, svg, text
from snakeprov.view.details import VALUE_CHARACTERS_MAX, Known, of_node

from ..answers import job_record

Make = Callable[..., dict[str, Any]]
Json = dict[str, Any]

HOSTILE = (
    '"]; evil -> evil [label="x',
    "\\",
    '\\"',
    "<b>bold</b>",
    "&amp; &lt;",
    "]]> <![CDATA[ -->",
    "%%{init: {'theme':'dark'}}%%",
    'click n0 "javascript:alert(1)"',
    "end\nsubgraph x",
    "`md` **b** #quot; #35;",
    "\x1b[31m\x00\x07\u202e\u2028",
    "\ufffe\uffff\U0001f9ec",
    "x" * 1_000_000,
    "style a:#1;",
)


def drawn(answer: Json, direction: Any = "upstream") -> tuple[fold.Folded, str, list[str]]:
    graph = Graph.of(answer)
    nodes = fold.sort(graph, direction)
    folded = fold.fold(nodes)
    remarks = labels.remarks(folded, truncated=graph.truncated, reason="because")
    return folded, labels.sentence(nodes, graph, direction), remarks


@pytest.fixture
def hostile(lineage: Make) -> Json:
    """A lineage in which everything is named by an enemy, and in which something is cut off and something listed."""
    steps = [(name, [f"f{at}@1"], [f"f{at + 1}@1"], ["Snakefile@1"]) for at, name in enumerate(HOSTILE)]
    answer = lineage("f0@1", *steps, truncated=True)
    nodes = []
    for at, node in enumerate(answer.nodes):
        name = HOSTILE[at % len(HOSTILE)]
        facts = {"label": name, "path": f"{name}/{name}"} if node.kind == "entity" else {"wildcards": {name: name}}
        nodes.append(replace(node, **facts))
    return replace(answer, nodes=nodes)


def test_dot_keeps_names_in_quotes(hostile: Json) -> None:
    """Without the quoted texts only our own statements are left, and each box has one."""
    lines = list(dot.lineage(*drawn(hostile)))
    bare = [re.sub(r'"(?:\\.|[^"\\])*"', "T", line) for line in lines]
    attributes = r"(?:, [a-z]+=(?:T|[a-z0-9.]+))*"
    allowed = (
        r"// snakeprov lineage|digraph lineage \{|\}|  (?:label=T|rankdir=LR);|  (?:node|edge) \[[a-z]+=[^]]*\];"
        rf"|  n\d+ \[label=T{attributes}\];|  n\d+ -> n\d+(?: \[style=dashed\])?;"
    )
    assert [line for line in bare if not re.fullmatch(allowed, line)] == []
    assert all(line.isprintable() for line in lines)
    assert len(lines) > 2 * len(HOSTILE)
    assert max(map(len, lines)) < 20_000


def test_mermaid_keeps_names_as_codes(hostile: Json) -> None:
    """Every character that might mean something is a code; labels cannot end their quotes, comments their line."""
    lines = list(mermaid.lineage(*drawn(hostile)))
    plain = r"(?:[\w ./@,=+-]|#\d+;|<br>)*"
    allowed = (
        rf"%% snakeprov lineage|flowchart LR|  %% {plain}"
        rf"|  n\d+(?:\(\"{plain}\"\)|\{{\{{\"{plain}\"\}}\}}|\[\[\"{plain}\"\]\])"
        r"|  n\d+ (?:-->|-\.->) n\d+|  classDef [a-z]+ [\w:#,-]+|  class [n\d,]+ [a-z]+"
    )
    assert [line for line in lines if not re.fullmatch(allowed, line, re.ASCII)] == []


def test_svg_keeps_names_as_text(hostile: Json) -> None:
    """The drawing is well-formed XML whose only elements are ours; the names are text in it, whole on hovering."""
    root = ElementTree.fromstring("".join(svg.lineage(*drawn(hostile), direction="upstream")))  # noqa: S314
    tags = {element.tag.rpartition("}")[2] for element in root.iter()}
    assert tags == {"svg", "title", "style", "rect", "text", "g", "path"}
    names = {name for element in root.iter() for name in element.attrib if name.startswith("on")}
    assert names == set()
    titles = "\n".join(element.text or "" for element in root.iter() if element.tag.endswith("title"))
    assert "<b>bold</b>/<b>bold</b>@1" in titles
    assert "\\x1b[31m\\x00\\x07\\u202e\\u2028" in titles
    assert len(titles) < 100_000


@pytest.mark.parametrize(
    ("node", "title", "note", "whole"),
    [
        ({"path": "results/a/table.csv", "version_number": 3}, "table.csv@3", "results/a", "results/a/table.csv@3"),
        ({"path": "out/dir/", "version_number": 1}, "dir/@1", "out", "out/dir/@1"),
        ({"path": "x" * 40 + ".csv", "version_number": 12}, f"…{'x' * 18}.csv@12", "", "x" * 40 + ".csv@12"),
        ({"path": "no/version"}, "version", "no", "no/version"),
        ({"url": "s3://b/k", "label": "key"}, "key", "s3://b/k", "s3://b/k"),
        (
            {"kind": "activity", "label": "sort", "wildcards": {"a": "1", "b": "2"}},
            "sort",
            "a=1, b=2",
            "sort (a=1, b=2)",
        ),
        ({"kind": "activity", "label": "sort", "status": "failed"}, "sort", "failed", "sort (failed)"),
    ],
)
def test_what_is_written_on_a_box(node: dict[str, Any], title: str, note: str, whole: str) -> None:
    """The name and version of a file over its folder, a rule over its wildcards; cut names keep their end."""
    facts = {"id": "n", "kind": "entity", "label": node.get("path", ""), **node}
    if "url" in node:
        facts["kind"] = "url"
    assert labels.of_node(Node(**facts)) == (title, note, whole)


def test_what_is_written_on_a_group() -> None:
    """What the names have in common, how many they are, and their folder; for activities what they differ in."""
    files = tuple(
        Node(id=str(n), kind="entity", label="", path=f"bam/s{n}/s{n}.bam", version_number=1) for n in range(20)
    )
    jobs = tuple(Node(id=str(n), kind="activity", label="align", wildcards={"sample": str(n)}) for n in range(1312))
    assert labels.of_group("data", files)[:2] == ("s*.bam \u00d720", "bam")
    assert labels.of_group("activity", jobs)[:2] == ("align \u00d71,312", "by sample")


def test_the_sentence_says_what_the_drawing_shows(lineage: Make) -> None:
    """It counts files and activities, says when there is more, and when there is nothing."""
    steps = [("two", ["c@1"], ["b@1"], []), ("one", ["b@1"], ["a@1"], ["one.py@1"])]
    assert drawn(lineage("c@1", *steps))[1] == "c@1 came from 3 files through 2 activities (two, one)."
    assert drawn(lineage("c@1", *steps, truncated=True))[1].startswith("c@1 came from at least 3 files")
    assert drawn(lineage("b@1", *steps), "downstream")[1] == "From b@1 came 1 file through 1 activity (two)."
    assert drawn(lineage("a@1"))[1] == "No recorded job made a@1."
    assert drawn(lineage("a@1"), "downstream")[1] == "No recorded job used a@1."
    assert drawn(lineage("a@1", ("try", [], ["a@1"], [])), "downstream")[1] == (
        "a@1 was used by 1 activity (try); no file came of it."
    )
    many = [(f"r{n}", [f"f{n}@1"], [f"f{n + 1}@1"], []) for n in range(9)]
    assert drawn(lineage("f0@1", *many))[1].endswith("9 activities (r0, r1, r2, r3, r4, 4 more rules).")


def test_what_a_drawing_leaves_out_is_said(lineage: Make) -> None:
    """Listed code and the end of the search are noted below the drawing."""
    steps = [(f"r{n}", [f"f{n}@1"], [f"f{n + 1}@1"], ["Snakefile@4"]) for n in range(4)]
    assert drawn(lineage("f0@1", *steps, truncated=True))[2] == [
        "Code of many rules, not linked: Snakefile@4.",
        "\u2026 on a box: there is more beyond it (because).",
    ]


def test_boxes_are_wide_enough_for_their_text() -> None:
    """Wide characters count for two; a short name still has a box that can be hit."""
    assert shapes.width(labels.Label("データ" * 4, "", "")) > shapes.width(labels.Label("a" * 12, "", "")) > 70
    assert shapes.width(labels.Label("a", "", "")) == 70
    assert text.width(labels.of_node(Node(id="x", kind="entity", label="", path="デ" * 99)).title) <= 26


def test_details_are_bounded_and_keep_line_breaks() -> None:
    """A command keeps its lines and loses its controls; a megabyte is cut with its length told, and many params too."""
    node = Node(id="a", kind="activity", label="r", job_id="j")
    params = {str(n): "y" * 9999 for n in range(99)}
    job = job_record(shellcmd="a\n\tb\x1b[2J", error="x" * 1_000_000, params=params)
    facts = dict(of_node(node, Known({}, {"j": job})))
    assert facts["command"] == "a\n    b\\x1b[2J"
    assert facts["error"] == "x" * VALUE_CHARACTERS_MAX + "\n\u2026 1,000,000 characters in all"
    assert len(facts["params"]) < VALUE_CHARACTERS_MAX + 100
