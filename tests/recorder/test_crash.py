"""Killed with -9 at any step: nothing is lost, and nothing is there twice."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import msgspec
import pytest

from snakeprov.apps.connect import connect
from snakeprov.client import Client
from snakeprov.model.paths import to_text
from snakeprov.recorder import backlog
from snakeprov.recorder.entries import Kind, read
from snakeprov.recorder.outbox import Log, Outbox
from snakeprov.recorder.owners import owner

from . import faults

NOBODY = 65534

EVERYTHING = {"entities": 6, "versions": 6, "activities": 3, "jobs": 3, "runs": 1}
"""Six files in one version each, and what made them: three jobs of one run."""


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working directory with a store in which there is nothing yet."""
    work = tmp_path_factory.mktemp("template") / "work"
    faults.make_files(work)
    with connect(work / ".snakeprov", create=True):
        pass
    return work


def repository(work: Path) -> Callable[[], Client]:
    return partial(connect, work / ".snakeprov", create=True)


def check(work: Path) -> None:
    """The store holds everything once, and nothing waits."""
    with repository(work)() as client:
        assert faults.holdings(client) == EVERYTHING
        (run,) = client.runs.list().results
        assert run.status == "success"
    assert list(backlog.outbox_folder(work).iterdir()) == []


@pytest.mark.parametrize(
    ("how", "stride"), [(faults.deliver, 1), (faults.push_all, 3)], ids=["while it runs", "push, every third"]
)
def test_a_delivery_that_is_killed_at_any_step_is_made_good_by_the_next(
    how: Callable[[Path, Callable[[], Client]], object], stride: int, template: Path, tmp_path: Path
) -> None:
    """Whatever it had stored, sent, or noted, and however torn its last note was."""
    for step in range(1, faults.STEPS_MAX, stride):
        work = faults.fresh(template, tmp_path / "work")
        faults.fill_outbox(work)
        if not faults.dies_at(step, partial(how, work, repository(work))):
            break
        faults.push_all(work, repository(work))
        check(work)
    else:
        raise AssertionError("it never came to an end")
    check(work)
    assert step > 10


def test_a_recovery_that_is_killed_in_its_turn_loses_nothing(template: Path, tmp_path: Path) -> None:
    """Each attempt gets a few steps further than the one before."""
    work = faults.fresh(template, tmp_path / "work")
    faults.fill_outbox(work)
    attempts = 0
    while faults.dies_at(4 + 3 * attempts, partial(faults.push_all, work, repository(work))):
        attempts += 1

    check(work)
    assert attempts > 2


def test_capture_that_is_killed_at_any_step_has_saved_what_it_said_it_had(template: Path, tmp_path: Path) -> None:
    """Every record is there for which `append` returned; of a torn one nothing is believed."""
    ids = [job.id for job in faults.records(template)]

    def append_all(work: Path, told: int) -> None:
        run = msgspec.json.encode(faults.run_record(work, status="running"))
        log = Log.create(backlog.outbox_folder(work), faults.RUN_ID, store=".", first=run)
        for job in faults.records(work):
            log.append(Kind.JOB, msgspec.json.encode(job))
            os.pwrite(told, job.id.encode(), 0)

    survived = 0
    for step in range(1, faults.STEPS_MAX):
        work = faults.fresh(template, tmp_path / "work")
        told = os.open(tmp_path / "told", os.O_RDWR | os.O_CREAT | os.O_TRUNC)
        was_killed = faults.dies_at(step, partial(append_all, work, told))
        last = os.pread(told, 32, 0).decode()
        os.close(told)
        expected = ids[: ids.index(last) + 1] if last else []
        logs = backlog.files(backlog.outbox_folder(work))
        jobs = [entry for path in logs for entry in read(path).pending if entry.kind is Kind.JOB]
        assert [msgspec.json.decode(entry.payload)["id"] for entry in jobs] == expected
        survived += len(expected)
        if not was_killed:
            break
    assert survived > len(ids)


def test_a_torn_record_is_told_of_and_what_is_before_it_delivered(template: Path, tmp_path: Path) -> None:
    """The run says that it was interrupted; the damaged log is kept beside the others."""
    work = faults.fresh(template, tmp_path / "work")
    log = faults.fill_outbox(work, status="running", has_ended=False)
    log.write_bytes(log.read_bytes()[:-10])

    with repository(work)() as client:
        result = faults.push(faults.place_of(work), client)
        (run,) = client.runs.list().results

    assert result.delivered == faults.JOBS - 1
    (problem,) = result.problems
    assert f"bytes of the outbox {to_text(log)} are damaged: records are lost; see {faults.RUN_ID}.damaged" in problem
    assert run.status == "interrupted"
    assert faults.push_all(work, repository(work)) == 0


def test_an_outbox_that_is_damaged_from_the_start_does_not_hold_up_the_others(template: Path, tmp_path: Path) -> None:
    """It is named, and left where it is."""
    work = faults.fresh(template, tmp_path / "work")
    faults.fill_outbox(work)
    bad = backlog.outbox_folder(work) / f"{'b' * 32}.log"
    log = Log.create(bad.parent, bad.stem, store=".", first=b"")
    log.append(Kind.JOB, b"not a record")
    log.close()

    with repository(work)() as client:
        result = faults.push(faults.place_of(work), client)

    assert result.delivered == faults.JOBS
    assert bad.exists()
    (problem,) = result.problems
    assert str(bad) in problem


def test_a_record_that_is_none_is_refused_and_the_others_are_delivered(template: Path, tmp_path: Path) -> None:
    """It stays in the outbox with the reason."""
    work = faults.fresh(template, tmp_path / "work")
    path = faults.fill_outbox(work)
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND)
    Log(path, descriptor, path.stat().st_size, owner()).append(Kind.JOB, b'{"id": 1}')
    os.close(descriptor)

    faults.deliver(work, repository(work))

    left = backlog.count(backlog.outbox_folder(work))
    assert (left.pending, left.failed) == (0, 1)
    assert "The record of a job cannot be read" in left.reasons[0]
    assert Outbox.recover(path) is not None


def test_a_folder_that_may_no_longer_be_written_costs_nothing_but_time(template: Path) -> None:
    """Permission goes while the workflow runs: the records stay where they are, and are delivered when it is back."""
    if os.getuid() != 0:
        pytest.skip("becoming somebody to whom permissions matter takes root")
    with tempfile.TemporaryDirectory() as folder:  # where somebody else may look, unlike into pytest's own
        Path(folder).chmod(0o755)
        work = faults.fresh(template, Path(folder) / "work")
        faults.fill_outbox(work)
        for path in [work, *work.rglob("*")]:
            os.chown(path, NOBODY, NOBODY)
        locked = [work / ".snakeprov", backlog.outbox_folder(work), work / ".snakeprov" / "provenance.sqlite"]
        for path in locked:
            path.chmod(0o555)

        def deliver() -> None:
            os.setgid(NOBODY)
            os.setuid(NOBODY)
            assert faults.deliver(work, repository(work))

        assert not faults.dies_at(0, deliver)
        assert backlog.count(backlog.outbox_folder(work)).pending == faults.JOBS
        for path in locked:
            path.chmod(0o755)
        assert faults.push_all(work, repository(work)) == faults.JOBS
        check(work)
