"""Snakemake that is called by a job, and Snakemake that hands its jobs over and leaves."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import pytest

from snakeprov.cli import main
from tests.matrix import accounts
from tests.matrix.accounts import MADE, SEEN
from tests.matrix.rows import row
from tests.matrix.workflow import Place, Run

OUTER = f"""SEEN = {SEEN!r}
MADE = {MADE!r}

rule outer:
    input: "inner/Snakefile"
    output: "outer.txt"
    shell:
        SEEN + "{sys.executable} -m snakemake --cores 1 --directory inner --snakefile {{input}} 2> inner.log; "
        "cat inner/innermost.txt > {{output}}" + MADE

rule after:
    input: "outer.txt"
    output: "after.txt"
    shell: SEEN + "cat {{input}} > {{output}}" + MADE
"""

INNER = f"""import snakeprov; snakeprov.track(workflow)
MADE = {MADE!r}

rule innermost:
    output: "innermost.txt"
    shell: "echo innermost > {{output}}" + MADE
"""

SUBMITTED = f"""SEEN = {SEEN!r}
MADE = {MADE!r}

rule last:
    input: "first.txt"
    output: "last.txt"
    shell: SEEN + "cat {{input}} > {{output}}" + MADE

rule first:
    output: "first.txt"
    shell: "echo first > {{output}}" + MADE
"""

SUBMIT = (
    "#!/bin/sh\n# A queue that runs a job at once: what it depends on has been submitted before.\n"
    'for script; do :; done\nsh "$script" > "$script.out" 2>&1\necho "job-$$ $*" >> submitted\necho "job-$$"\n'
)


@row("flow: nested Snakemake")
def test_nested_runs(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """The inner run names the outer one, which `snakeprov run` shows; both record their own jobs, once."""
    store = tmp_path / "store"
    place = Place(tmp_path / "outer", OUTER, {"inner/Snakefile": INNER}, store=store)
    outer = place.run("after.txt", SNAKEPROV_STORE=str(store))
    outer.agrees()
    assert outer.counts() == Counter(outer=1, after=1)
    assert outer.record.parent_run_id is None
    (inner_id,) = (one for one in place.run_ids() if one != outer.record.id)
    inner = place.recorded(
        Run(status=0, stdout="", stderr=place.read("inner.log"), directory=place.folder / "inner"), inner_id
    )
    inner.agrees()
    assert inner.counts() == Counter(innermost=1)
    assert inner.record.parent_run_id == outer.record.id
    capfd.readouterr()
    assert main(["run", inner_id, "--store", str(store)]) == 0
    assert f"part of    run {outer.record.id[:8]}" in capfd.readouterr().out


@row("flow: --immediate-submit")
def test_jobs_that_are_only_submitted(tmp_path: Path) -> None:
    """Snakemake leaves before the jobs are done: each is recorded once, as submitted, and generates nothing yet."""
    pytest.importorskip("snakemake_executor_plugin_cluster_generic")
    place = Place(tmp_path / "submitted", SUBMITTED, {"submit.sh": SUBMIT})
    (place.folder / "submit.sh").chmod(0o755)
    arguments = ["--executor", "cluster-generic", "--jobs", "2", "--immediate-submit", "--notemp"]
    run = place.run("last.txt", *arguments, "--cluster-generic-submit-cmd", "./submit.sh {dependencies}")
    assert run.status == 0, run.stderr
    assert run.counts("submitted") == run.counts() == accounts.started(run.stderr) == Counter(first=1, last=1)
    numbers = [line.split()[0] for line in place.read("submitted").splitlines()]
    assert [run.job(rule).job.external_job_id for rule in ("first", "last")] == numbers
    assert not [file for one in run.jobs for file in one.files if file.role == "output"]
    assert place.read("last.txt") == "first\n", "the jobs themselves have run"
