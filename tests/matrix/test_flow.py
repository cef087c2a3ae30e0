"""What shapes the graph of jobs."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.matrix.accounts import MADE, SEEN
from tests.matrix.rows import row
from tests.matrix.workflow import Job, Place, Run

SNAKEFILE = f"""SEEN = {SEEN!r}
MADE = {MADE!r}

scattergather: split=3

include: "rules/included.smk"

module other:
    snakefile: "module/Snakefile"
    config: {{"word": "configured"}}

use rule * from other as other_*
use rule replaced from other as other_replaced with:
    output: "module/with.txt"
    params: word="replaced"

rule all:
    default_target: True
    input:
        "counted.txt", "chosen.txt", "gathered.txt", "included.txt", "module/made.txt", "module/with.txt",
        "base.txt", "heir.txt", "ordered.txt",

checkpoint discover:
    input: "data/a.txt"
    output: directory("found")
    shell: "mkdir {{output}}; for one in x y z; do echo $one > {{output}}/$one.txt; done"

rule measure:
    input: "found/{{name}}.txt"
    output: "measured/{{name}}.txt"
    shell: SEEN + "wc -c < {{input}} > {{output}}" + MADE

def measured(wildcards):
    folder = checkpoints.discover.get().output[0]
    return expand("measured/{{name}}.txt", name=glob_wildcards(folder + "/{{name}}.txt").name)

rule count:
    input: measured
    output: "counted.txt"
    shell: SEEN + "cat {{input}} > {{output}}" + MADE

rule choose:
    input:
        lambda wildcards: "data/a.txt",
        unpack(lambda wildcards: dict(other="data/b.txt")),
    output: "chosen.txt"
    shell: SEEN + "cat {{input.other}} > {{output}}" + MADE

rule scatter:
    output: scatter.split("parts/{{scatteritem}}.txt")
    shell: "for one in {{output}}; do echo $one > $one; done" + MADE

rule work:
    input: "parts/{{scatteritem}}.txt"
    output: "worked/{{scatteritem}}.txt"
    shell: SEEN + "cat {{input}} > {{output}}" + MADE

rule gather:
    input: gather.split("worked/{{scatteritem}}.txt")
    output: "gathered.txt"
    shell: SEEN + "cat {{input}} > {{output}}" + MADE

rule base:
    input: "data/a.txt"
    output: "base.txt"
    params: word="base"
    threads: 2
    shell: SEEN + "echo {{params.word}} > {{output}}" + MADE

use rule base as heir with:
    output: "heir.txt"
    params: word="heir"

ruleorder: fast > slow

rule slow:
    output: "ordered.txt"
    shell: "echo slow > {{output}}" + MADE

rule fast:
    output: "ordered.txt"
    shell: "echo fast > {{output}}" + MADE
"""

MODULE = f"""MADE = {MADE!r}

rule made:
    output: "module/made.txt"
    params: word=config["word"]
    shell: "echo {{params.word}} > {{output}}" + MADE

rule replaced:
    output: "module/replaced.txt"
    params: word="original"
    shell: "echo {{params.word}} > {{output}}" + MADE
"""

INCLUDED = """
rule included:
    input: "data/a.txt"
    output: "included.txt"
    shell: SEEN + "cat {input} > {output}" + MADE
"""

FILES = {"data/a.txt": "a\n", "data/b.txt": "b\n", "rules/included.smk": INCLUDED, "module/Snakefile": MODULE}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    return Place(tmp_path_factory.mktemp("flow"), SNAKEFILE, FILES)


@pytest.fixture(scope="module")
def run(place: Place) -> Run:
    return place.run()


def inputs(job: Job) -> list[str]:
    return [one.path for one in job.job.inputs]


def place_of_rule(place: Place, job: Job) -> tuple[str, str]:
    """Return the Snakefile of a job's rule, and the line in it that the record names."""
    own = next(one for one in job.job.code if one.role == "snakefile")
    return own.path, place.read(own.path).splitlines()[own.line - 1]


@row("flow: checkpoints", "flow: input functions")
def test_checkpoints_and_input_functions(place: Place, run: Run) -> None:
    """Jobs that a checkpoint brought about are recorded once, with what their input functions found."""
    run.agrees()
    single = ["all", "discover", "count", "choose", "scatter", "gather", "included", "other_made", "other_replaced"]
    assert run.counts() == Counter({"measure": 3, "work": 3} | dict.fromkeys([*single, "base", "heir", "fast"], 1))
    assert run.job("discover").job.is_checkpoint is True
    assert sorted(inputs(run.job("count"))) == [f"measured/{name}.txt" for name in "xyz"]
    found = run.job("measure", name="y")
    assert inputs(found) == ["found/y.txt"]
    assert place.story("found/y.txt").activity["id"] == run.job("discover").activity_id
    assert [(one.path, one.name) for one in run.job("choose").job.inputs] == [
        ("data/a.txt", None),
        ("data/b.txt", "other"),
    ]


@row("flow: scattergather")
def test_scattergather(run: Run) -> None:
    """What was scattered is gathered, part by part."""
    parts = [f"{number}-of-3" for number in (1, 2, 3)]
    assert sorted(one.job.wildcards["scatteritem"] for one in run.all("work")) == parts
    assert inputs(run.job("gather")) == [f"worked/{part}.txt" for part in parts]


@row("flow: modules", "flow: include", "flow: rule inheritance", "flow: ruleorder")
def test_code_comes_from_where_it_is_written(place: Place, run: Run) -> None:
    """Rules of modules, includes and parents have the Snakefile and line where they are written, and their params."""
    made = run.job("other_made")
    assert place_of_rule(place, made) == ("module/Snakefile", "rule made:")
    assert made.job.params == {"word": "configured"}
    assert place.read("module/made.txt") == "configured\n"
    replaced = run.job("other_replaced")
    assert replaced.job.params == {"word": "replaced"}
    assert place.read("module/with.txt") == "replaced\n"
    assert place_of_rule(place, run.job("included")) == ("rules/included.smk", "rule included:")
    heir = run.job("heir")
    assert (heir.job.params, heir.job.threads) == ({"word": "heir"}, 2)
    assert inputs(heir) == ["data/a.txt"]
    assert place.read("heir.txt") == "heir\n"
    assert place_of_rule(place, run.job("fast")) == ("Snakefile", "rule fast:")
    assert not run.all("slow")
    # What a job executed is what defines its rule, wherever that is written, and nothing else.
    defined = {
        "other_made": {"module/Snakefile"},
        "other_replaced": {"module/Snakefile", "Snakefile"},
        "included": {"rules/included.smk", "Snakefile"},
        "heir": {"Snakefile"},
    }
    for rule, written in defined.items():
        executed = {one.path for one in run.job(rule).files if one.outcome == "executed"}
        assert executed == written, rule
