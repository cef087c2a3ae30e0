"""A job that Snakemake marked as complete, and whose record was never written: the next run notices."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.endtoend.conftest import RUN_TIMEOUT_S, Work

DYING = Path(__file__).parent.parent / "workflows" / "dying.py"

SNAKEFILE = """
import snakeprov; snakeprov.track(workflow)

rule sum:
    input: expand("out/{n}.txt", n=range(3))
    output: "sum.txt", "count.txt"
    shell: "cat {input} > {output[0]}; ls out | wc -l > {output[1]}"

rule one:
    input: "in.txt"
    output: "out/{n}.txt"
    shell: "cat {input} > {output}; echo {wildcards.n} >> {output}"
"""

OUTPUTS = {"out/0.txt": "one", "out/1.txt": "one", "out/2.txt": "one", "sum.txt": "sum", "count.txt": "sum"}

OPTIONS = ("--nolock", "--rerun-incomplete")


def die(work: Work, moment: str, number: int, *arguments: str) -> None:
    """Run the workflow until it kills itself."""
    command = [sys.executable, str(DYING), moment, str(number), *work.command(*OPTIONS, *arguments)[3:]]
    done = subprocess.run(
        command, cwd=work.folder, env=work.environment(), capture_output=True, timeout=RUN_TIMEOUT_S, check=False
    )
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()


@pytest.fixture
def work(make_work: Callable[..., Work]) -> Work:
    """Four jobs, three of them before the last."""
    made = make_work(SNAKEFILE)
    made.write("in.txt", "input\n")
    return made


def assert_all_is_recorded_once(work: Work) -> None:
    """Compare what is on disk with what is recorded: one version of each output, made by its rule, by one job."""
    made: dict[str, list[str]] = {}
    for run in work.ask("runs"):
        for job in work.ask("run", run["id"])["jobs"]:
            for output in job["outputs"]:
                made.setdefault(output["path"], []).append(job["rule"])
    assert made == {path: [rule] for path, rule in OUTPUTS.items()}
    for path, rule in OUTPUTS.items():
        assert (work.folder / path).exists()
        (version,) = work.ask("log", path)["versions"]
        assert version["rule"] == rule
    assert work.ask("status")["pending"] == 0
    assert list((work.folder / ".snakeprov" / "outbox").iterdir()) == []


@pytest.mark.parametrize(
    ("moment", "number", "backfilled"),
    [("marked", 1, 1), ("marked", 4, 1), ("ended", 2, 0)],
)
def test_after_kill_9_at_any_moment_and_another_run_every_output_is_recorded_once(
    work: Work, moment: str, number: int, backfilled: int
) -> None:
    """Also where the other run has nothing left to do; what no record told of is marked as backfilled."""
    die(work, moment, number)

    said = work.snakemake(*OPTIONS)

    assert_all_is_recorded_once(work)
    runs = work.ask("runs")
    assert [run["jobs"] for run in runs if run["status"] == "backfilled"] == [{"backfilled": 1}] * backfilled
    assert [run["status"] for run in runs if run["status"] == "interrupted"] == ["interrupted"]
    assert "Traceback" not in said
