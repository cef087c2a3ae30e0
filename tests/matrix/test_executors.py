"""Where jobs run: in this process's children, on a cluster, on a real SLURM."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.matrix import slurm
from tests.matrix.accounts import MADE, SEEN
from tests.matrix.rows import row
from tests.matrix.workflow import Place

SNAKEFILE = f"""
localrules: all

rule all:
    input: expand("out/{{n}}.txt", n=range(3)), "sum.txt"

rule one:
    input: "in.txt"
    output: "out/{{n}}.txt"
    shell: {SEEN!r} + "cp {{input}} {{output}}" + {MADE!r}

rule sum:
    input: expand("out/{{n}}.txt", n=range(3))
    output: "sum.txt"
    shell: {SEEN!r} + "cat {{input}} > {{output}}" + {MADE!r}
"""

SUBMIT = """#!/bin/sh
# A cluster of one: runs the job at once, in a process of its own, and says under which number.
echo x >> numbers
number=$(wc -l < numbers)
sh "$1" > "job-$number.log" 2>&1
echo "cluster-$((number))"
"""


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path / "work", SNAKEFILE, {"in.txt": "input\n"})


@row("executors: local, 1 core")
def test_jobs_of_one_core_are_recorded_once(place: Place) -> None:
    """One after the other."""
    run = place.run(cores=1)
    run.agrees()
    assert run.counts() == {"one": 3, "sum": 1, "all": 1}


@row("executors: local, 4 cores")
def test_jobs_of_four_cores_are_recorded_once(place: Place) -> None:
    """At the same time."""
    run = place.run(cores=4)
    run.agrees()
    assert run.counts() == {"one": 3, "sum": 1, "all": 1}


@row("executors: cluster-generic")
def test_jobs_of_a_cluster_are_recorded_once_with_its_numbers(place: Place) -> None:
    """Each has the number that the submit script printed; the rule that runs here has none."""
    pytest.importorskip("snakemake_executor_plugin_cluster_generic")
    place.write("submit.sh", SUBMIT)
    run = place.run(
        *("--executor", "cluster-generic", "--jobs", "2", "--seconds-between-status-checks", "1"),
        *("--cluster-generic-submit-cmd", "sh ./submit.sh"),
    )
    run.agrees()
    numbers = {one.job.external_job_id for one in run.jobs if one.job.rule != "all"}
    assert numbers == {f"cluster-{number}" for number in range(1, 5)}
    assert run.job("all").job.external_job_id is None


@pytest.fixture(scope="module")
def cluster() -> Iterator[dict[str, str]]:
    """The variables that point to a SLURM cluster of this machine; skips, saying why, where there is none."""
    pytest.importorskip("snakemake_executor_plugin_slurm")
    # Beside pytest's folders, whose long names do not fit into the path of a socket.
    folder = Path(tempfile.mkdtemp(prefix="slurm-", dir="/tmp"))
    try:
        with slurm.cluster(folder) as variables:
            yield variables
    except slurm.SlurmError as error:
        pytest.skip(f"no SLURM here: {error}")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@row("executors: SLURM")
def test_jobs_of_slurm_are_recorded_once_with_its_numbers_and_reasons(tmp_path: Path, cluster: dict[str, str]) -> None:
    """A job that fails there has SLURM's number, what the plugin says, and the end of the log that SLURM kept."""
    snakefile = SNAKEFILE.replace('"sum.txt"', '"bad.txt"', 1) + (
        '\nrule bad:\n    output: "bad.txt"\n    shell: "echo the cause >&2; exit 7"\n'
    )
    place = Place(tmp_path / "work", snakefile, {"in.txt": "input\n"})
    run = place.run(
        *("--executor", "slurm", "--jobs", "4", "--keep-going", "--latency-wait", "10"),
        *("--default-resources", "slurm_account=none", "slurm_partition=debug", "mem_mb=50", "runtime=5"),
        *("--slurm-status-command", "squeue", "--slurm-init-seconds-before-status-checks", "1"),
        *("--seconds-between-status-checks", "1", "--slurm-no-account"),
        **cluster,
    )
    assert run.status == 1, run.stderr
    run.counts_agree()
    run.files_agree()
    assert run.counts("success") == {"one": 3}
    said = re.findall(r"Job \d+ has been submitted with SLURM jobid (\d+)", run.stderr)
    assert sorted(one.job.external_job_id for one in run.jobs) == sorted(said)
    bad = run.job("bad").job
    assert (bad.status, bad.exit_code) == ("failed", None)
    assert f"SLURM-job '{bad.external_job_id}' failed" in bad.error
    assert "the cause" in bad.log_excerpt
