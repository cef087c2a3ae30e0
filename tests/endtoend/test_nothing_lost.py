"""Whatever happens to Snakemake or to the store: what was recorded is delivered later, once."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from snakeprov.recorder import backlog
from tests.endtoend.conftest import Work

SNAKEFILE = """
import snakeprov; snakeprov.track(workflow)

rule all:
    input: expand("out/{n}.txt", n=range(8))

rule one:
    input: "in.txt"
    output: "out/{n}.txt"
    shell: "echo {wildcards.n} > {output}; sleep {config[nap]}"
"""

QUICK = ("--config", "nap=0")


@pytest.fixture
def work(make_work: Callable[..., Work]) -> Work:
    """Eight jobs that take as long as `--config nap=` says."""
    made = make_work(SNAKEFILE)
    made.write("in.txt", "input\n")
    return made


def waiting(work: Work) -> int:
    return backlog.count(backlog.outbox_folder(work.folder)).pending


def run_and_kill(work: Work, *, jobs: int, both: bool) -> None:
    """Start the workflow and kill it with -9 as soon as the outbox has seen so many jobs.

    With `both` the delivering process is killed before it has delivered any, else it is left alone.
    """
    process = subprocess.Popen(
        work.command("--config", "nap=0.4"),
        cwd=work.folder,
        env=work.environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    (log,) = wait(lambda: list(backlog.outbox_folder(work.folder).glob("*.log")))
    if both:
        (delivering,) = wait(lambda: delivering_processes(process.pid))
        os.kill(delivering, signal.SIGKILL)
    wait(lambda: log.read_bytes().count(b'"shellcmd"') >= jobs)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def delivering_processes(parent: int) -> list[int]:
    """The delivering process that a Snakemake has started, if it has."""
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    return [int(one) for one in children if b"snakeprov.apps.worker" in _command_line(one)]


def _command_line(process: str) -> bytes:
    """How a process was called; nothing where it has just ended, as the jobs beside it do all the time."""
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


def recorded(work: Work) -> int:
    """How many jobs the store has."""
    try:
        with sqlite3.connect(f"file:{work.folder}/.snakeprov/provenance.sqlite?mode=ro", uri=True) as database:
            return int(database.execute("SELECT count(*) FROM job").fetchone()[0])
    except sqlite3.OperationalError:
        return 0


def wait(condition: Callable[[], object], timeout_s: float = 60) -> list[Any]:
    """Wait until something is so; return it if it is a list."""
    until_s = time.monotonic() + timeout_s
    while time.monotonic() < until_s:
        found = condition()
        if found:
            return found if isinstance(found, list) else []
        time.sleep(0.02)
    raise AssertionError("it did not happen in time")


def test_after_kill_9_of_both_processes_push_delivers_what_reached_the_outbox_once(work: Work) -> None:
    """The run is interrupted, its jobs are there; a second push finds nothing."""
    run_and_kill(work, jobs=3, both=True)
    left = waiting(work)

    first, second = work.ask("push"), work.ask("push")
    (run,) = work.ask("runs")

    assert first["delivered"] == left >= 3
    assert (second["delivered"], waiting(work)) == (0, 0)
    assert (run["status"], run["jobs"]["success"]) == ("interrupted", left)
    made = [output["path"] for job in work.ask("run", run["id"])["jobs"] for output in job["outputs"]]
    assert len(made) == left
    assert all(len(work.ask("log", path)["versions"]) == 1 for path in made)
    assert "commit     Snakemake was killed before git could be asked" in work.say("show", made[0])


def test_after_kill_9_of_snakemake_what_it_appended_is_delivered_all_the_same(work: Work) -> None:
    """The delivering process outlives it, and ends when all is done."""
    run_and_kill(work, jobs=2, both=False)
    wait(lambda: not backlog.files(backlog.outbox_folder(work.folder)))
    (run,) = work.ask("runs")

    assert run["status"] == "interrupted"
    assert run["jobs"]["success"] >= 2
    assert work.ask("push")["delivered"] == 0


def test_after_kill_9_the_next_run_delivers_it_by_itself(work: Work) -> None:
    """Every output has one version in the end, and each job of either run is there once."""
    run_and_kill(work, jobs=2, both=True)
    work.snakemake("--rerun-incomplete", "--unlock", *QUICK)
    work.snakemake("--rerun-incomplete", *QUICK)

    second, first = (run for run in work.ask("runs") if run["status"] != "backfilled")

    assert (first["status"], second["status"]) == ("interrupted", "success")
    assert first["jobs"]["success"] >= 2
    for number in range(8):
        (version,) = work.ask("log", f"out/{number}.txt")["versions"]
        assert version["rule"] == "one"


@pytest.mark.parametrize("delivered", [0, 1], ids=["at once", "in mid-run"])
def test_what_the_delivering_process_left_when_it_was_killed_is_delivered_at_the_end(
    work: Work, delivered: int
) -> None:
    """Another takes over, once the workflow has ended; the last line says so, and with `strict` nothing is amiss."""
    gate = "until [ {wildcards.n} -ne 7 ] || [ -e gate ]; do sleep 0.05; done"
    snakefile = SNAKEFILE.replace("sleep {config[nap]}", gate).replace("(workflow)", "(workflow, strict=True)")
    work.write("Snakefile", snakefile)
    process = subprocess.Popen(
        work.command(), cwd=work.folder, env=work.environment(), stderr=subprocess.PIPE, text=True
    )
    (delivering,) = wait(lambda: process.poll() is None and delivering_processes(process.pid))
    wait(lambda: recorded(work) >= delivered)
    os.kill(delivering, signal.SIGKILL)
    work.write("gate", "open")
    _, said = process.communicate()

    assert process.returncode == 0, said
    assert "snakeprov: recorded 9 jobs (run " in said
    assert "The process that delivers had to be started again (killed by SIGKILL)." in said
    assert work.ask("push")["delivered"] == 0
    (run,) = work.ask("runs")
    assert (run["status"], run["jobs"]) == ("success", {"success": 9})
    assert [len(work.ask("log", f"out/{n}.txt")["versions"]) for n in range(8)] == [1] * 8
    assert backlog.files(backlog.outbox_folder(work.folder)) == []


def test_a_repository_that_is_damaged_does_not_stop_the_workflow_and_gets_its_records_later(work: Work) -> None:
    """One clear sentence at the end; once the store is repaired, push delivers."""
    (work.folder / ".snakeprov").mkdir()
    database = work.write(".snakeprov/provenance.sqlite", "this is no database " * 1000)
    said = work.snakemake(*QUICK)
    complaint = work.say("log", "out/1.txt", status=33)
    database.unlink()

    assert "9 job records could not be delivered and wait; later: snakeprov push. Problem:" in said
    assert "Traceback" not in said + complaint
    assert "provenance.sqlite" in complaint
    assert work.ask("status")["pending"] == 9
    assert work.ask("push")["delivered"] == 9
    assert len(work.ask("log", "out/1.txt")["versions"]) == 1


def test_a_repository_made_by_a_newer_version_is_left_alone(work: Work) -> None:
    """Both versions are named; nothing is changed."""
    work.snakemake(*QUICK)
    with sqlite3.connect(work.folder / ".snakeprov" / "provenance.sqlite") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")

    complaint = work.say("log", "out/1.txt", status=32)
    said = work.snakemake("--forceall", *QUICK)

    assert "9999" in complaint
    assert "could not be delivered" in said
    assert waiting(work) == 9


def test_strict_fails_the_workflow_after_all_jobs_ran_if_anything_was_not_recorded(work: Work) -> None:
    """The jobs' outputs are there; the exit status says that their records are not."""
    work.write("Snakefile", SNAKEFILE.replace("track(workflow)", "track(workflow, strict=True)"))
    work.write(".snakeprov/provenance.sqlite", "this is no database " * 1000)
    said = work.snakemake(*QUICK, status=1)

    assert "strict" in said
    assert (work.folder / "out" / "7.txt").exists()


def test_a_folder_that_cannot_be_written_costs_the_records_but_not_the_workflow(work: Work) -> None:
    """A file stands where the folder should be."""
    work.write(".snakeprov", "in the way\n")
    said = work.snakemake(*QUICK)

    assert (work.folder / "out" / "7.txt").exists()
    assert "snakeprov" in said and "cannot be made" in said
    assert "Traceback" not in said


def test_a_disk_that_is_full_for_the_repository_leaves_the_records_in_the_outbox(work: Work) -> None:
    """The store cannot grow; the workflow succeeds, and push delivers when there is room."""
    limit_kib = 60  # less than an empty database takes
    command = ["bash", "-c", f'ulimit -f {limit_kib}; exec "$@"', "bash", *work.command(*QUICK)]
    done = subprocess.run(command, cwd=work.folder, env=work.environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr

    assert "9 job records could not be delivered" in done.stderr
    assert "Traceback" not in done.stderr
    assert work.ask("push")["delivered"] == 9
    assert len(work.ask("log", "out/1.txt")["versions"]) == 1


def test_what_is_already_recorded_survives_a_lost_outbox(work: Work) -> None:
    """The outbox is only a waiting room."""
    work.snakemake(*QUICK)
    shutil.rmtree(backlog.outbox_folder(work.folder))

    assert len(work.ask("log", "out/1.txt")["versions"]) == 1
    assert work.ask("status")["pending"] == 0


def test_two_runs_at_once_in_one_folder_lose_and_double_nothing(work: Work) -> None:
    """Different targets, one store."""
    work.write("out/.keep", "")
    halves = [[f"out/{n}.txt" for n in range(0, 8, 2)], [f"out/{n}.txt" for n in range(1, 8, 2)]]
    running = [
        subprocess.Popen(
            [*work.command("--nolock", *QUICK), "--", *half],
            cwd=work.folder,
            env=work.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for half in halves
    ]
    said = [process.communicate()[0] for process in running]
    assert [process.returncode for process in running] == [0, 0], said

    assert [run["jobs"] for run in work.ask("runs")] == [{"success": 4}, {"success": 4}]
    assert [len(work.ask("log", f"out/{n}.txt")["versions"]) for n in range(8)] == [1] * 8
    assert len(work.ask("log", "in.txt")["versions"]) == 1
