"""What becomes of a record at which snakeprov itself fails: it is not the store that refused it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from snakeprov.apps.connect import connect
from snakeprov.apps.target import target_of
from snakeprov.model.records import ManualStep
from snakeprov.recorder import backlog, entries, outbox, target
from snakeprov.recorder.entries import Kind
from snakeprov.recorder.leftovers import push, recover_leftovers
from snakeprov.recorder.outbox import Log

from . import faults

BROKEN_JOB = f"{1:032x}"


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A working directory in which the jobs of a run wait in the outbox."""
    faults.make_files(tmp_path)
    faults.fill_outbox(tmp_path)
    return tmp_path


def break_assembly(monkeypatch: pytest.MonkeyPatch, *, kind: str = "shell") -> None:
    """Let the assembly of one job fail as only a fault in the code can."""
    assemble = target.assemble

    def fail_at_one(plan: Any, job: Any, *more: Any) -> None:
        if (job.id, job.kind) == (BROKEN_JOB, kind):
            raise KeyError("no such thing")
        assemble(plan, job, *more)

    monkeypatch.setattr(target, "assemble", fail_at_one)


def push_here(work: Path) -> list[str]:
    with connect(work / ".snakeprov", create=True) as client:
        return push(faults.place_of(work), client, target_of=target_of).rejected


def recorded_jobs(work: Path) -> int:
    with connect(work / ".snakeprov") as client:
        return faults.holdings(client)["jobs"]


def test_a_record_at_which_snakeprov_fails_holds_up_no_other_and_is_kept_with_the_trace(
    work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    break_assembly(monkeypatch)

    (reason,) = push_here(work)

    assert reason.startswith("snakeprov itself failed (KeyError: 'no such thing'). The record is kept")
    assert recorded_jobs(work) == faults.JOBS - 1
    assert backlog.count(backlog.outbox_folder(work)) == (0, 1, (reason,))
    (trace,) = backlog.outbox_folder(work).glob("*.trace")
    assert "in fail_at_one" in trace.read_text()
    assert trace.stat().st_mode & 0o077 == 0


def test_why_a_record_is_not_delivered_is_logged_but_not_on_the_terminal(
    work: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """Whoever debugs sets the level of `snakeprov.recorder`."""
    break_assembly(monkeypatch)
    push_here(work)
    assert (caplog.records, capfd.readouterr().err) == ([], "")

    with caplog.at_level("DEBUG", logger="snakeprov.recorder"):
        push_here(work)

    (record,) = caplog.records
    assert record.exc_info is not None and isinstance(record.exc_info[1], KeyError)


def test_another_version_of_snakeprov_takes_the_record_as_one_that_waits(
    work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        break_assembly(broken)
        push_here(work)
    with connect(work / ".snakeprov") as client:
        assert recover_leftovers(faults.place_of(work), client, target_of=target_of).delivered == 0, (
            "the same version does not try again"
        )

    for module in (entries, outbox):
        monkeypatch.setattr(module, "__version__", "99.0")
    with connect(work / ".snakeprov") as client:
        assert recover_leftovers(faults.place_of(work), client, target_of=target_of).delivered == 1

    assert recorded_jobs(work) == faults.JOBS
    assert list(backlog.outbox_folder(work).iterdir()) == []


def test_a_manual_step_at_which_snakeprov_fails_does_not_hold_up_the_jobs(
    work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = faults.run_record(work, id="b" * 32, status="manual")
    step = msgspec.structs.replace(faults.records(work)[0], id=BROKEN_JOB, kind="manual", step=ManualStep())
    log = Log.create(backlog.outbox_folder(work), run.id, store=".", first=msgspec.json.encode(run))
    log.append(Kind.JOB, msgspec.json.encode(step))
    log.close()
    break_assembly(monkeypatch, kind="manual")

    (reason,) = push_here(work)

    assert reason.startswith("snakeprov itself failed (KeyError: 'no such thing').")
    assert recorded_jobs(work) == faults.JOBS
