"""Jobs that fail, are tried again or are interrupted, and capture that fails itself."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest
from snakemake_runs import Outcome, collected, command, environment, place, run

TRACK = "import snakeprov; snakeprov.track(workflow)\n"

RENAMED = """from snakeprov.plugin import hooks
hooks.POINTS = tuple(
    point._replace(method="renamed") if point.method == "finish" else point for point in hooks.POINTS
)
"""
"""Makes Snakemake look like a later version, in which a method has another name."""


QUICK = """import concurrent.futures
add_done_callback = concurrent.futures.Future.add_done_callback
def add_when_done(self, callback):
    concurrent.futures.wait([self])
    add_done_callback(self, callback)
concurrent.futures.Future.add_done_callback = add_when_done
"""
"""Makes every job end before Snakemake begins to wait for it, as a quick one may."""


def tracked(directory: Path, line: str = TRACK) -> Path:
    """Copy the small workflow to `directory`, with `line` at the top of its Snakefile."""
    place("small", directory)
    snakefile = directory / "Snakefile"
    snakefile.write_text(line + snakefile.read_text())
    return directory


@pytest.fixture(scope="module")
def failing(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    directory = place("failing", tmp_path_factory.mktemp("failing"))
    return run(directory, "--keep-going", "--latency-wait", "0")


def test_failed_jobs_are_recorded_once_and_the_run_is_failed(failing: Outcome) -> None:
    """With --keep-going each failed job, and each good one beside it, has one record."""
    assert failing.status == 1
    assert failing.run["status"] == "failed"
    statuses = sorted((job["rule"], job["status"]) for job in failing.jobs if job["rule"] != "retried")
    assert statuses == [("good", "success"), ("missing", "failed"), ("script", "failed"), ("shell", "failed")]


def test_the_failure_says_why(failing: Outcome) -> None:
    """Exit status, the tail of the log and the partial output of a failed job are kept."""
    job = failing.job("shell")
    assert "returned non-zero exit status 3" in job["error"]
    assert job["error"].startswith("CalledProcessError")
    assert job["logExcerpt"] == "the cause\n"
    assert job["outputs"][0]["path"] == "shell.txt"
    assert job["outputs"][0]["fingerprint"][2] == len("partial\n")
    assert not (failing.directory / "shell.txt").exists(), "Snakemake removes it afterwards"
    assert job["startedOn"] <= job["endedOn"]


def test_so_does_that_of_a_job_which_ends_before_it_is_waited_for(tmp_path: Path) -> None:
    """Then it is not inside the handling of the exception that Snakemake tells of the failure."""
    directory = place("failing", tmp_path)
    snakefile = directory / "Snakefile"
    snakefile.write_text(QUICK + snakefile.read_text())
    job = run(directory, "--keep-going", "--latency-wait", "0").job("shell")

    assert (job["exitCode"], job["error"].partition(" ")[0]) == (3, "CalledProcessError")


def test_a_missing_output_is_a_failure_with_its_message(failing: Outcome) -> None:
    """A job that ran well but made no output failed, and the record has Snakemake's reason."""
    job = failing.job("missing")
    assert job["error"].startswith("MissingOutputException")
    assert job["outputs"] == [{"path": "missing.txt", "kind": "missing"}]


def test_each_attempt_is_recorded(failing: Outcome) -> None:
    """A job tried three times has three records; the command of each attempt is its own."""
    attempts = [job for job in failing.jobs if job["rule"] == "retried"]
    assert [(job.get("attempt", 1), job["status"]) for job in attempts] == [
        (1, "retried"),
        (2, "retried"),
        (3, "success"),
    ]
    assert [job["shellcmd"][:9] for job in attempts] == ["test 1 -e", "test 2 -e", "test 3 -e"]
    assert "error" not in attempts[-1]


def test_interrupted_jobs_are_recorded(tmp_path: Path) -> None:
    """What was running when the user pressed Ctrl-C is interrupted, and so is the run."""
    (tmp_path / "Snakefile").write_text(
        TRACK + "rule slow:\n    output: 'slow.txt'\n    shell: 'touch begun; sleep 30; touch {output}'\n"
    )
    process = subprocess.Popen(
        command(), cwd=tmp_path, env=environment(), stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    deadline = time.monotonic() + 60
    while not (tmp_path / "begun").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)
    _, stderr = process.communicate(timeout=60)
    outcome = collected(Outcome(status=process.returncode, stdout="", stderr=stderr, directory=tmp_path))
    assert outcome.status != 0
    assert outcome.job("slow")["status"] == "interrupted", stderr
    assert outcome.run["status"] == "interrupted"


@pytest.mark.parametrize("method", ["open", "append", "finish"])
def test_a_recorder_that_fails_does_not_fail_the_workflow(tmp_path: Path, method: str) -> None:
    """The workflow succeeds, and one sentence says what could not be recorded."""
    outcome = run(tracked(tmp_path), variables={"COLLECT_FAILS": method})
    assert outcome.status == 0
    assert (tmp_path / "last.txt").read_text() == "1\n"
    (said,) = re.findall(r"snakeprov: (.*)", outcome.stderr)
    expected = {
        "open": "Not recorded: the whole run. The folder '.snakeprov' cannot be written. Check who owns it.",
        "append": "3 things could not be recorded, the first: OSError: no space left.",
        "finish": "Not recorded: OSError: no space left.",
    }
    assert said.endswith(expected[method])
    if method == "append":
        assert outcome.run["missing"] == ["OSError: no space left"] * 3


def test_a_run_of_which_nothing_is_recorded_is_no_parent_of_what_its_jobs_run(tmp_path: Path) -> None:
    """To a Snakemake inside a job only a run that has a record is named as the outer one."""
    (tmp_path / "Snakefile").write_text(
        TRACK + "rule inner:\n    shell: 'echo ${{SNAKEPROV_PARENT_RUN-none}} > named'\n"
    )
    named = tmp_path / "named"

    recorded = run(tmp_path)
    assert named.read_text().strip() == recorded.run["id"]

    run(tmp_path, variables={"COLLECT_FAILS": "open"})
    assert named.read_text().strip() == "none"


def test_strict_fails_the_workflow_after_all_jobs_ran(tmp_path: Path) -> None:
    """With strict=True a failing recorder makes the exit status non-zero, but every output is there."""
    line = "import snakeprov; snakeprov.track(workflow, strict=True)\n"
    outcome = run(tracked(tmp_path, line), variables={"COLLECT_FAILS": "append"})
    assert outcome.status == 1
    assert (tmp_path / "last.txt").exists()
    assert "All jobs succeeded, but not everything could be recorded: OSError: no space left." in outcome.stderr
    assert "Traceback" not in outcome.stderr


def test_what_the_user_s_own_code_breaks_is_named_and_the_rest_recorded(tmp_path: Path) -> None:
    """A param whose repr raises, and an input that a job overwrites, are each noted in the record."""
    (tmp_path / "in.txt").write_text("1\n")
    (tmp_path / "Snakefile").write_text(
        TRACK
        + "class Odd:\n    def __repr__(self): raise ValueError('no')\n"
        + "rule odd:\n    input: 'in.txt'\n    output: 'out.txt'\n    params: odd=Odd(), good=1\n"
        + "    shell: 'echo changed >> {input}; touch {output}'\n"
    )
    outcome = run(tmp_path, "--drop-metadata")
    assert outcome.status == 0, outcome.stderr
    job = outcome.job("odd")
    assert job["params"]["good"] == 1
    assert job["params"]["odd"].endswith("Odd: not representable (ValueError), not comparable>")
    (seen,) = job["inputs"]
    assert seen["fingerprintBefore"] != seen["fingerprint"]


def test_an_unknown_snakemake_falls_back_to_its_log(tmp_path: Path) -> None:
    """Without a wrapped method the log messages stand in, a warning says so, and so does the run's record."""
    outcome = run(tracked(tmp_path, RENAMED + TRACK))
    assert outcome.status == 0
    assert outcome.stderr.count("This version of Snakemake is not known yet") == 1
    assert outcome.counts() == {"first": 1, "last": 1, "all": 1}
    assert {job["status"] for job in outcome.jobs} == {"success"}
    assert outcome.held["middle.txt"] == "1\n"
    (missing,) = outcome.run["missing"]
    assert missing.endswith("(it does not tell when jobs succeed)")


def test_where_neither_methods_nor_messages_are_known_the_workflow_runs(tmp_path: Path) -> None:
    """With a logger of an unknown kind nothing can stand in: the last line says so, the workflow is not affected."""
    other_logger = "import snakemake.logging\nsnakemake.logging.logger = object()\n"
    outcome = run(tracked(tmp_path, RENAMED + other_logger + TRACK))
    assert outcome.status == 0, outcome.stderr
    assert "This version of Snakemake is not known yet" in outcome.stderr
    assert "3 of 3 steps (100%) done" in outcome.stderr


def test_the_fallback_records_failures_once_and_guesses_nothing(tmp_path: Path) -> None:
    """Failed attempts are recorded once; where no message tells the end of a job, its status is unknown."""
    snakefile = place("failing", tmp_path) / "Snakefile"
    snakefile.write_text(RENAMED + snakefile.read_text())
    outcome = run(tmp_path, "--keep-going", "--latency-wait", "0")
    assert outcome.job("missing")["status"] in ("failed", "unknown"), "not every version logs this failure"
    assert sorted((job["rule"], job["status"]) for job in outcome.jobs if job["rule"] != "missing") == [
        ("good", "success"),
        ("retried", "retried"),
        ("retried", "retried"),
        ("retried", "success"),
        ("script", "failed"),
        ("shell", "failed"),
    ]
    assert outcome.job("shell")["logExcerpt"] == "the cause\n"


def test_the_fallback_does_not_guess_what_quiet_hides(tmp_path: Path) -> None:
    """Where neither wrapper nor message tells the end of a job, its status is unknown."""
    outcome = run(tracked(tmp_path, RENAMED + TRACK), "--quiet", "progress")
    assert outcome.status == 0
    assert {job["status"] for job in outcome.jobs} == {"unknown"}
