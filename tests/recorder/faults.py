"""Work to be recorded, processes that die at step n of it, and what a store holds afterwards."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from snakeprov.apps.target import target_of
from snakeprov.client import Client
from snakeprov.client.session import Session
from snakeprov.disk.files import fingerprint
from snakeprov.model.answers import Status
from snakeprov.model.records import CodeFact, FileFact, JobRecord, RunRecord
from snakeprov.places import Place, store_of
from snakeprov.recorder import backlog, leftovers
from snakeprov.recorder.entries import Kind
from snakeprov.recorder.heldfiles import HeldFiles
from snakeprov.recorder.leftovers import Leftovers
from snakeprov.recorder.outbox import Log, Outbox
from snakeprov.recorder.owners import owner
from snakeprov.recorder.process import LiveDelivery
from snakeprov.settings import Settings

RUN_ID = "a" * 32
JOBS = 3
STEPS_MAX = 200
"""More steps than any of this takes: a process that still dies there does not get on at all."""


def make_files(work: Path) -> None:
    """Make what the jobs read and wrote: a file that all read, one output each, and a directory."""
    for name in ("in.txt", "Snakefile", *(f"out/{number}.txt" for number in range(JOBS)), "parts/a.csv", "parts/b.csv"):
        place = work / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(f"the content of {name}\n")


def records(work: Path) -> list[JobRecord]:
    """Return the records of the jobs; the last one made a directory as well."""

    def fact(path: str) -> FileFact:
        return FileFact(path=path, fingerprint=fingerprint(str(work / path)))

    jobs = [
        JobRecord(
            id=f"{number:032x}",
            run_id=RUN_ID,
            rule="one",
            status="success",
            kind="shell",
            inputs=[fact("in.txt")],
            outputs=[fact(f"out/{number}.txt")],
            code=[CodeFact(role="snakefile", path="Snakefile", line=1, fingerprint=fact("Snakefile").fingerprint)],
        )
        for number in range(JOBS)
    ]
    jobs[-1].outputs.append(FileFact(path="parts", kind="directory", flags=["directory"]))
    return jobs


def run_record(work: Path, **more: Any) -> RunRecord:
    return RunRecord(
        project="p",
        working_directory=str(work),
        **{"id": RUN_ID, "snakefile": "Snakefile", "status": "success", **more},
    )


def fill_outbox(work: Path, *, has_ended: bool = True, **run: Any) -> Path:
    """Make an outbox with all records, as processes leave it behind that were killed; return its log.

    With `has_ended` the last entry is a note that its process let go of it; without, the last entry is a job.
    """
    folder = backlog.outbox_folder(work)
    log = Log.create(folder, RUN_ID, store=".", first=msgspec.json.encode(run_record(work, **run)))
    if not has_ended:
        log.append(Kind.RELEASED, msgspec.json.encode(owner()))
    for job in records(work):
        log.append(Kind.JOB, msgspec.json.encode(job))
    if has_ended:
        log.close()
    else:
        os.close(log.descriptor)
    return log.path


def deliver(work: Path, connect: Callable[[], Client]) -> list[str]:
    """Deliver the outbox as the delivering process does that was told of it; return what went wrong."""
    (log,) = backlog.files(backlog.outbox_folder(work))
    found = Outbox.recover(log)
    assert found is not None
    outbox, _ = found
    outbox.close(keep=True)
    descriptor = os.open(log, os.O_RDWR)
    delivery = LiveDelivery(Settings(), work, connect=connect, target_of=target_of, held=nothing_held)
    delivery.take(Outbox(log, descriptor))
    delivery.turn(is_last=True)
    delivery.close()
    return list(delivery.problems)


def nothing_held(_job_id: str) -> HeldFiles:
    return HeldFiles()


def place_of(work: Path) -> Place:
    """Return a working directory whose records go to its own store."""
    return Place(store=store_of(Settings(), work), root=work, settings=Settings())


def push(place: Place, client: Client) -> Leftovers:
    """Deliver what waits in a working directory, as `snakeprov push` does."""
    return leftovers.push(place, client, target_of=target_of)


def push_all(work: Path, connect: Callable[[], Client]) -> int:
    """Deliver what waits; return how many job records that were."""
    with connect() as client:
        result = push(place_of(work), client)
    assert (result.rejected, result.problems) == ([], [])
    return result.delivered


def wait_for(condition: Callable[[], object], timeout_s: float = 60) -> None:
    """Wait until something is so."""
    until_s = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < until_s, "it did not happen in time"
        time.sleep(0.02)


def held(client: Client) -> Status:
    """Return how much a store holds."""
    counted = client.status()
    assert counted is not None
    return counted


def holdings(client: Client) -> dict[str, int]:
    """Return how many of everything a store holds."""
    counted = held(client)
    return {name: getattr(counted, name) for name in ("entities", "versions", "activities", "jobs", "runs")}


def fresh(template: Path, folder: Path) -> Path:
    """Return `folder`, made anew as a copy of `template`; times and all, so that fingerprints differ in inode only."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(template, folder)
    return folder


def dies_at(step: int, victim: Callable[[], object]) -> bool:
    """Run `victim` in a process that is killed with -9 at its step `step`; return whether it was.

    A step is one that leaves a trace: a write, half of which is done before, a sync, a file that is opened for
    writing, renamed, removed or cut, and a request to the repository.
    """
    process = os.fork()
    if process == 0:
        try:
            _arm(step)
            victim()
            os._exit(0)
        except BaseException:
            sys.excepthook(*sys.exc_info())
            os._exit(1)
    _, status = os.waitpid(process, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return True
    assert os.WEXITSTATUS(status) == 0, "the victim failed by itself: its error is above"
    return False


def _arm(step: int) -> None:
    left = step
    write = os.write

    def count(last_act: Callable[[], object] = lambda: None) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            last_act()
            os.kill(os.getpid(), signal.SIGKILL)

    def torn(descriptor: int, data: bytes) -> int:
        count(lambda: write(descriptor, data[: len(data) // 2]))
        return write(descriptor, data)

    def audit(event: str, arguments: tuple[Any, ...]) -> None:
        if event in ("os.rename", "os.remove", "os.truncate") or (
            event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)
        ):
            count()

    for name in ("fdatasync", "fsync"):
        _before(os, name, count)
    _before(Session, "send", count)
    os.write = torn  # type: ignore[assignment]
    sys.addaudithook(audit)


def _before(owner: Any, name: str, act: Callable[[], None]) -> None:
    original = getattr(owner, name)

    def wrapped(*arguments: Any, **options: Any) -> Any:
        act()
        return original(*arguments, **options)

    setattr(owner, name, wrapped)
