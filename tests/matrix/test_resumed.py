"""A run that resumes another: what is recorded of every job of its DAG."""

from __future__ import annotations

from collections import Counter

import pytest

from snakeprov.model.answers import Plan
from tests.matrix.rows import row
from tests.matrix.workflow import Place, Run

SNAKEFILE = """
rule all:
    input: "last.txt"

checkpoint parts:
    output: directory("parts")
    shell: "mkdir {output}; for n in 0 1 2; do echo $n > {output}/$n; done"

rule one:
    input: "parts/{n}"
    output: "one/{n}.txt"
    shell: "test -e good -o {wildcards.n} -lt 2 && cp {input} {output}"

def ones(wildcards):
    folder = checkpoints.parts.get().output[0]
    return [f"one/{n}.txt" for n in glob_wildcards(folder + "/{n,[0-9]}").n]

rule last:
    input: ones
    output: "last.txt"
    shell: "cat {input} > {output}"
"""


def plan_of(place: Place, run: Run) -> Plan:
    with place.client() as client:
        return client.runs.plan(run.record.id)


def states(plan: Plan) -> Counter[tuple[str, str]]:
    return Counter((one.rule, one.state) for one in plan.results)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    return Place(tmp_path_factory.mktemp("resumed"), SNAKEFILE)


@pytest.fixture(scope="module")
def first(place: Place) -> Run:
    return place.run("--keep-going")


@pytest.fixture(scope="module")
def second(place: Place, first: Run) -> Run:
    place.write("good", "")
    return place.run("--rerun-triggers", "mtime")


@row("a resumed run: after a failure", "a resumed run: after a checkpoint")
def test_every_job_of_the_dag_is_told_of_with_what_became_of_it(place: Place, first: Run) -> None:
    """The jobs that a checkpoint added are among them; what came after the failed one was not reached."""
    assert first.status == 1
    assert states(plan_of(place, first)) == {
        ("parts", "executed"): 1,
        ("one", "executed"): 2,
        ("one", "failed"): 1,
        ("last", "notReached"): 1,
        ("all", "notReached"): 1,
    }


@row("a resumed run: after a failure", "a resumed run: after a checkpoint")
def test_what_was_up_to_date_is_reused_with_the_job_that_made_it(place: Place, first: Run, second: Run) -> None:
    """The maker of each reused output is the job of the first run that has it among its outputs."""
    assert second.status == 0, second.stderr
    plan = plan_of(place, second)
    assert states(plan) == {
        ("one", "reused"): 2,
        ("one", "executed"): 1,
        ("last", "executed"): 1,
        ("all", "executed"): 1,
    }
    made = {one.job.id: [file.path for file in one.files if file.role == "output"] for one in first.jobs}
    for one in plan.results:
        if one.state == "reused":
            assert one.made_by.run_id == first.record.id
            assert made[one.made_by.job_id] == one.outputs
    assert {one.job_id for one in plan.results if one.job_id is not None} == {one.job.id for one in second.jobs}


@row("a resumed run: nothing to do")
def test_a_run_with_nothing_to_do_is_no_run(place: Place, second: Run) -> None:
    """Snakemake executes nothing, so nothing is recorded."""
    again = place.run("--rerun-triggers", "mtime")
    assert "Nothing to be done" in again.stdout + again.stderr
    assert again.told is None


def test_a_directory_output_is_found_by_the_name_that_the_repository_has_for_it(place: Place, first: Run) -> None:
    """It ends with a slash."""
    (parts,) = (one for one in plan_of(place, first).results if one.rule == "parts")
    assert parts.outputs == ["parts/"]
