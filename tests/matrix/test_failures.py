"""Jobs and runs that end badly: what is recorded, and that nothing is generated."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.matrix.rows import row
from tests.matrix.workflow import RUN_TIMEOUT_S, Place, Run

SNAKEFILE = """
rule all:
    input: "exit.txt", "missing.txt", "ensure.txt", "script.txt", "killed.txt", "raised.txt", "good.txt"

rule good:
    output: "good.txt"
    shell: "echo good > {output}"

rule exit:
    output: "exit.txt"
    log: "exit.log"
    shell: "echo partial > {output}; echo the cause > {log}; exit 3"

rule missing:
    output: "missing.txt"
    shell: "true"

rule ensure:
    output: ensure("ensure.txt", non_empty=True)
    shell: "touch {output}"

rule script:
    output: "script.txt"
    script: "fail.py"

rule killed:
    output: "killed.txt"
    shell: "kill -9 $$"

rule raised:
    output: "raised.txt"
    run:
        raise ValueError("on purpose")

rule again:
    output: "again.txt"
    retries: 2
    run:
        from pathlib import Path
        with open("attempts", "a") as file:
            file.write("x")
        assert Path("attempts").read_text() == "xxx"
        Path(output[0]).write_text("at last")
"""

PUSH = "import sys; from snakeprov.cli import main; sys.exit(main(['push']))"

SLOW = """
rule all:
    input: expand("{n}.txt", n=range(3))

rule one:
    output: "{n}.txt"
    shell: "echo x > begun-{wildcards.n}; sleep {config[nap]}; echo {wildcards.n} > {output}"
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    return Place(tmp_path_factory.mktemp("failures"), SNAKEFILE, {"fail.py": "raise SystemExit(5)\n"})


@pytest.fixture(scope="module")
def failed(place: Place) -> Run:
    return place.run("--keep-going", "--latency-wait", "0")


@row(
    "failures: bad exit",
    "failures: missing output",
    "failures: ensure",
    "failures: script exception",
    "failures: killed by a signal",
    "failures: run: exception",
)
def test_each_failed_job_is_recorded_once_and_generates_nothing(place: Place, failed: Run) -> None:
    """Snakemake's log tells of the same jobs; of all outputs only the good job's has a version."""
    assert failed.status == 1
    assert failed.record.status == "failed"
    failed.counts_agree()
    assert failed.counts("failed").keys() == {"exit", "missing", "ensure", "script", "killed", "raised"}
    assert [file.path for one in failed.jobs for file in one.files if file.role == "output"] == ["good.txt"]


@pytest.mark.parametrize(
    ("rule", "exit_code", "error"),
    [
        pytest.param("exit", 3, "returned non-zero exit status 3", marks=row("failures: bad exit")),
        pytest.param("missing", None, "MissingOutputException", marks=row("failures: missing output")),
        pytest.param("ensure", None, "unexpected empty output files", marks=row("failures: ensure")),
        pytest.param("script", 5, "returned non-zero exit status 5", marks=row("failures: script exception")),
        pytest.param("killed", -9, "SIGKILL", marks=row("failures: killed by a signal")),
        pytest.param("raised", None, "", marks=row("failures: run: exception")),
    ],
)
def test_the_record_says_why_a_job_failed(failed: Run, rule: str, exit_code: int | None, error: str) -> None:
    """What Snakemake said, and the exit code where there was one and Snakemake told of it."""
    job = failed.job(rule).job
    assert job.exit_code == exit_code
    assert error in (job.error or "")


@row("failures: bad exit")
def test_the_end_of_the_log_of_a_failed_job_is_kept(failed: Run) -> None:
    """Snakemake keeps the file, but the next run overwrites it."""
    assert failed.job("exit").job.log_excerpt == "the cause\n"


@row("failures: retries in a process of its own")
def test_attempts_inside_a_process_of_its_own_are_marked_unknown(tmp_path: Path) -> None:
    """The job made three attempts, which only its own process knows."""
    place = Place(tmp_path / "work", SNAKEFILE)
    run = place.run("again.txt")
    assert run.status == 0, run.stderr
    assert place.read("attempts") == "xxx"
    (one,) = run.jobs
    assert one.job.status == "success"
    assert one.job.incomplete == ["It ran in a process of its own, which may have tried it up to 3 times"]


@row("failures: Snakefile that raises after the first job")
def test_what_succeeded_before_the_workflow_raised_is_recorded(tmp_path: Path) -> None:
    """An input function raises when a checkpoint is done."""
    snakefile = """
rule all:
    input: lambda wildcards: [checkpoints.first.get().output[0], nonsense]

checkpoint first:
    output: "first.txt"
    shell: "echo 1 > {output}"
"""
    run = Place(tmp_path / "work", snakefile).run()
    assert run.status == 1
    assert "nonsense" in run.stderr
    assert run.record.status == "failed"
    assert run.counts("success") == {"first": 1}
    assert (tmp_path / "work" / "first.txt").exists()


def begin(place: Place, *arguments: str) -> subprocess.Popen[str]:
    """Start a run of one job at a time and return when the first job is running."""
    process = subprocess.Popen(
        [sys.executable, "-m", "snakemake", "--cores", "1", *arguments],
        cwd=place.folder,
        env=place.environment(),
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    until_s = time.monotonic() + RUN_TIMEOUT_S
    while len(list(place.folder.glob("begun-*"))) < 1 and time.monotonic() < until_s:
        time.sleep(0.05)
    return process


def ended(place: Place, process: subprocess.Popen[str]) -> Run:
    """Wait for a run and return what was recorded of it, once what it left behind has been delivered."""
    _, stderr = process.communicate(timeout=RUN_TIMEOUT_S)
    subprocess.run([sys.executable, "-c", PUSH], cwd=place.folder, env=place.environment(), check=True, timeout=60)
    run = Run(status=process.returncode, stdout="", stderr=stderr, directory=place.folder)
    # A delivering process that outlives Snakemake keeps its outbox to itself: then push leaves it alone.
    until_s = time.monotonic() + RUN_TIMEOUT_S
    while not place.run_ids() and time.monotonic() < until_s:
        time.sleep(0.05)
    (run_id,) = place.run_ids()
    return place.recorded(run, run_id)


def states(place: Place, run: Run) -> Counter[str]:
    with place.client() as client:
        plan = client.runs.plan(run.record.id)
    return Counter(one.state for one in plan.results)


@row("failures: Ctrl-C")
def test_what_was_running_at_ctrl_c_is_interrupted_and_the_rest_not_reached(tmp_path: Path) -> None:
    """Nothing is generated."""
    place = Place(tmp_path / "work", SLOW)
    process = begin(place, "--config", "nap=60")
    os.killpg(process.pid, signal.SIGINT)
    run = ended(place, process)
    assert run.status != 0
    assert run.record.status == "interrupted", run.stderr
    assert run.counts("interrupted") == run.counts() == {"one": 1}
    assert states(place, run) == {"interrupted": 1, "notReached": 3}
    assert [file for one in run.jobs for file in one.files if file.role == "output"] == []


@row("failures: SIGTERM")
def test_a_job_that_ends_well_after_sigterm_is_recorded_as_such(tmp_path: Path) -> None:
    """Snakemake lets it end, and starts no other."""
    place = Place(tmp_path / "work", SLOW)
    process = begin(place, "--config", "nap=3")
    process.terminate()
    run = ended(place, process)
    assert run.record.status != "success"
    assert run.counts() == {"one": 1}
    assert states(place, run)["notReached"] == 3
    made = [file.path for one in run.jobs for file in one.files if file.role == "output"]
    assert [path for path in made if not (place.folder / path).exists()] == []


@row("failures: kill -9")
def test_after_kill_9_the_plan_tells_what_was_not_reached(tmp_path: Path) -> None:
    """The DAG was safe in the outbox before the first job began."""
    place = Place(tmp_path / "work", SLOW)
    process = begin(place, "--config", "nap=60")
    os.killpg(process.pid, signal.SIGKILL)
    run = ended(place, process)
    assert run.record.status == "interrupted"
    assert run.jobs == []
    assert states(place, run) == {"notReached": 4}
