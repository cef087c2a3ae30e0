"""Many processes on one store: each record is there, once, and nobody is locked out."""

from __future__ import annotations

import contextlib
import io
import json
import multiprocessing
from collections import Counter
from collections.abc import Callable
from multiprocessing.context import ForkProcess
from typing import Any

import pytest

from snakeprov.cli import main
from tests.endtoend.conftest import Work
from tests.replaying import jobs_of, replay

PROCESSES = 8
JOBS = 8
COMMANDS = (
    ("log", "out/0-0.txt"),
    ("show", "in.txt"),
    ("lineage", "out/0-0.txt"),
    ("runs",),
    ("status",),
    ("push",),
    ("fsck",),
)

_fork = multiprocessing.get_context("fork")


def _record(work: Work, number: int, barrier: Any, said: Any) -> None:
    run_id = f"{number:08d}" * 4
    records = jobs_of(work.folder, run_id, [f"{number}-{one}.txt" for one in range(JOBS)])
    barrier.wait()
    said.put((number, replay(work.folder, run_id, records)))


def _ask(said: Any, is_over: Any) -> None:
    """Run one command after the other until everything is recorded."""
    while not is_over.is_set():
        for command in COMMANDS:
            out, err = io.TextIOWrapper(io.BytesIO()), io.StringIO()
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                status = main([*command, "--json"])
            # Before the first delivery there is nothing to ask for yet.
            said.put((" ".join(command), f"{status} {err.getvalue()}"))


def _is_failure(line: str) -> bool:
    return "locked" in line or "unexpected" in line


@pytest.mark.parametrize("journal_mode", ["wal", "delete"])
def test_eight_processes_lose_and_double_nothing(
    make_work: Callable[..., Work], monkeypatch: pytest.MonkeyPatch, journal_mode: str
) -> None:
    """They record at once into a store that none has made yet, with commands beside them, in either journal."""
    monkeypatch.setenv("SNAKEPROV_JOURNAL_MODE", journal_mode)
    work = make_work("rule one:\n")
    jobs_of(work.folder, "0" * 32, [])
    monkeypatch.chdir(work.folder)
    said, barrier, is_over = _fork.Queue(), _fork.Barrier(PROCESSES), _fork.Event()
    recorders = [_fork.Process(target=_record, args=(work, number, barrier, said)) for number in range(PROCESSES)]
    asker = _fork.Process(target=_ask, args=(said, is_over))
    for process in (*recorders, asker):
        process.start()
    lines = _collect(recorders, said, is_over)
    asker.join()

    assert [process.exitcode for process in (*recorders, asker)] == [0] * (PROCESSES + 1)
    for number in range(PROCESSES):
        assert f"recorded {JOBS} jobs" in lines[number], lines
    assert {what for what in lines if isinstance(what, str)} == {" ".join(command) for command in COMMANDS}
    assert {what: line for what, line in lines.items() if _is_failure(line)} == {}
    assert Counter(json.dumps(run["jobs"]) for run in work.ask("runs")) == {f'{{"success": {JOBS}}}': PROCESSES}
    assert len(work.ask("log", "in.txt")["versions"]) == 1
    made = [made for run in work.ask("runs") for job in work.ask("run", run["id"])["jobs"] for made in job["outputs"]]
    assert {(one["path"], one["versionNumber"]) for one in made} == {
        (f"out/{number}-{one}.txt", 1) for number in range(PROCESSES) for one in range(JOBS)
    }
    verified = work.ask("fsck")
    assert verified["findings"] == []
    assert work.ask("status")["pending"] == 0


def _collect(recorders: list[ForkProcess], said: Any, is_over: Any) -> dict[Any, str]:
    """Return what was said last by each recorder and each command, and all that was ever said of a failure."""
    lines: dict[Any, str] = {}
    while sum(isinstance(what, int) for what in lines) < len(recorders):
        what, line = said.get(timeout=120)
        lines[what] = lines[what] if _is_failure(lines.get(what, "")) else line
    for process in recorders:
        process.join()
    is_over.set()
    seen = {what for what in lines if isinstance(what, str)}
    while len(seen) < len(COMMANDS) or not said.empty():
        what, line = said.get(timeout=120)
        seen.add(what)
        lines[what] = lines[what] if _is_failure(lines.get(what, "")) else line
    return lines
