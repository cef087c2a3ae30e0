"""The outbox folder of a working directory: lists and counts what waits in it, and appends whole runs to it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import msgspec
from msgspec import structs

from snakeprov.disk.layout import OUTBOX_NAME, POINTER_NAME, own_folder
from snakeprov.disk.privacy import opener
from snakeprov.disk.shortage import in_words
from snakeprov.errors import OutboxError
from snakeprov.model.credentials import strip_credentials
from snakeprov.model.records import GitState, JobRecord, RunRecord
from snakeprov.recorder.entries import SUFFIX, Content, Kind, read
from snakeprov.recorder.outbox import Log, Outbox


class Backlog(NamedTuple):
    """How many records of jobs and of manual steps have not been delivered.

    Attributes:
        pending: Waiting for delivery.
        failed: Refused by the store; `snakeprov push` tries them again.
        reasons: Why, each reason once.
    """

    pending: int = 0
    failed: int = 0
    reasons: tuple[str, ...] = ()


def outbox_folder(working_directory: Path) -> Path:
    """Return the folder in which records of workflows run in `working_directory` wait."""
    return own_folder(working_directory) / OUTBOX_NAME


def note_destination(working_directory: Path, store: str) -> None:
    """Note in a working directory to which store its records go.

    Raises:
        OutboxError: It cannot be written.
    """
    own = own_folder(working_directory)
    pointer = own / POINTER_NAME
    try:
        if store != str(own):
            with open(pointer, "w", encoding="utf-8", opener=opener) as note:
                note.write(strip_credentials(store) + "\n")
        else:
            pointer.unlink(missing_ok=True)
    except OSError as error:
        raise OutboxError(
            f"{pointer} cannot be written ({in_words(error)}).", hint="Is the folder writable, the disk full?"
        ) from error


def files(folder: Path, *, run_id: str | None = None) -> list[Path]:
    """Return the logs in the outbox folder `folder`, the oldest first; none where there is no folder.

    Args:
        folder: The folder.
        run_id: Only those of this run.
    """
    found: list[tuple[int, Path]] = []
    with suppress(OSError):
        for path in folder.iterdir():
            if path.suffix == SUFFIX and run_id in (None, path.name.partition(".")[0]):
                with suppress(FileNotFoundError):  # all of it has been delivered in the meantime
                    found.append((path.stat().st_mtime_ns, path))
    return [path for _, path in sorted(found)]


def count(folder: Path, *, run_id: str | None = None, store: str | None = None) -> Backlog:
    """Return how many records of jobs and steps wait in the outbox folder `folder`.

    Args:
        folder: The folder.
        run_id: Only those of this run.
        store: Only those for this store, as `noted_store` names it.

    Raises:
        OutboxError: A file in it cannot be read.
    """
    pending = failed = 0
    reasons: dict[str, None] = {}
    for path in files(folder, run_id=run_id):
        try:
            content = read(path)
        except FileNotFoundError:  # all of it has been delivered in the meantime
            continue
        if store not in (None, content.store):
            continue
        pending += sum(entry.kind is Kind.JOB for entry in content.pending)
        failed += sum(entry.kind is Kind.JOB for entry, _ in content.rejected)
        reasons.update(dict.fromkeys(reason for _, reason in content.rejected))
    return Backlog(pending, failed, tuple(reasons))


class CodeFound(msgspec.Struct, frozen=True, omit_defaults=True):
    """What was found of the code of a run when it began, as the outbox keeps it; see `RunRecord`."""

    git: GitState | None = None
    git_problem: str | None = None


def as_recorded(run: RunRecord) -> tuple[CodeFound, bytes | None]:
    """Return what the record of a run says of its code itself."""
    return CodeFound(run.git, run.git_problem), None


def run_of(content: Content) -> RunRecord:
    """Return the run that an outbox belongs to, with what was found of its code. Raises OutboxError."""
    try:
        run = msgspec.json.decode(content.last_run or b"", type=RunRecord)
    except msgspec.MsgspecError as error:
        raise OutboxError("The record of the run is damaged.", hint="Move the outbox out of its folder.") from error
    if content.git is None:
        killed = "Snakemake" if run.status == "running" else "the process that delivers"
        problem = run.git_problem or f"{killed} was killed before git could be asked"
        return structs.replace(run, git_problem=problem)
    return with_code(run, msgspec.json.decode(content.git, type=CodeFound))


def with_code(run: RunRecord, found: CodeFound) -> RunRecord:
    """Return a run with what was found of its code."""
    return structs.replace(run, git=found.git, git_problem=found.git_problem)


@contextmanager
def appended(folder: Path, run: RunRecord, jobs: Iterable[JobRecord], *, store: str) -> Iterator[Outbox]:
    """Append a run and its jobs to an outbox of their own and give that; what is not delivered stays in it.

    Args:
        folder: The outbox folder.
        run: The run.
        jobs: Its jobs.
        store: The store that they are for, as `noted_store` names it.

    Raises:
        OutboxError: It cannot be written.
    """
    log = Log.create(folder, run.id, store=store, first=msgspec.json.encode(run))
    try:
        for job in jobs:
            log.append(Kind.JOB, msgspec.json.encode(job))
        outbox = Outbox(log.path, os.dup(log.descriptor))
        try:
            yield outbox
        finally:
            outbox.close()
    finally:
        log.close()
