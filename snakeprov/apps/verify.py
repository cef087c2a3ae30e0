"""Check that everything in the folder of a store is intact."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

from snakeprov.blobs.checked import NOT_YOURS
from snakeprov.blobs.local import LocalBlobs
from snakeprov.db import open_database
from snakeprov.db import verify as database
from snakeprov.disk import digestcache
from snakeprov.disk.layout import BLOBS_NAME, DATABASE_NAME
from snakeprov.errors import NewerStoreError, NoStoreError, OutboxError, StoreError
from snakeprov.model.findings import Finding, Report
from snakeprov.recorder import backlog, entries

_DAMAGED = "Restore it from a backup, or delete it: its versions stay recorded but cannot be restored."
_MISSING = "Restore it from a backup; until then its versions cannot be restored."
_UNUSED = "It takes space but is harmless; a workflow may be recording it now."
_NOT_YOURS = "Let its owner run this command."
_RERUN = "Deliver the others with 'snakeprov push'; a job whose record is damaged is recorded when it runs again."


Progress = Callable[[int, int], None]
"""Called with the bytes of contents read so far, and the bytes in all."""


def verify_store(
    folder: Path, *, outbox_folder: Path, digests: Path, progress: Progress = lambda done, total: None
) -> Report:
    """Read everything in the folder of a store and compare it with its digests and checksums.

    Nothing is changed. It may be used meanwhile, also by workflows.

    Args:
        folder: The store.
        outbox_folder: Where records of the working directory wait.
        digests: The digest cache of the working directory.
        progress: Called now and then.

    Raises:
        NoStoreError: There is no store.
        NewerStoreError: A newer version of snakeprov made it.
    """
    report = Report()
    path, journal_mode = _database(folder, report)
    if path is not None:
        _check_database(path, report)
    with closing(LocalBlobs(folder / BLOBS_NAME, journal_mode=journal_mode)) as blobs:
        _check_blobs(blobs, path, report, progress)
    for file in backlog.files(outbox_folder):
        report.outboxes += 1
        for finding in _outbox(file):
            report.add(finding)
    for problem in digestcache.check(digests):
        report.add(Finding(str(digests), problem, "Delete it: unchanged files are then read once more."))
    return report


def _database(folder: Path, report: Report) -> tuple[Path | None, str]:
    """Open the store as every command does; return its database, if it can be opened at all, and its journal mode."""
    try:
        database = open_database(folder)
    except (NoStoreError, NewerStoreError):
        raise
    except StoreError as error:
        report.add(Finding(str(folder / DATABASE_NAME), error.message, error.hint))
        return None, "delete"
    database.close()
    return database.path, database.journal_mode


def _check_database(path: Path, report: Report) -> None:
    def counted(rows: int) -> None:
        report.rows += rows

    for finding in database.check(path, counted=counted):
        report.add(finding)


def _check_blobs(blobs: LocalBlobs, path: Path | None, report: Report, progress: Progress) -> None:
    try:
        total_bytes = blobs.total_bytes()
    except StoreError:
        total_bytes = 0  # What cannot be read is reported below.
    found: set[str] = set()
    for one in blobs.check():
        if one.sha256:
            found.add(one.sha256)
            report.contents += 1
            report.content_bytes += one.size_bytes
            progress(report.content_bytes, total_bytes)
        if one.problem:
            problem = f"{one.problem.removesuffix('.')}{_held(path, one.sha256)}."
            remedy = _DAMAGED if one.is_damage else _NOT_YOURS if one.problem == NOT_YOURS else _UNUSED
            report.add(Finding(one.where, problem, remedy, is_damage=one.is_damage))
    if path is not None:
        for finding in _compared(blobs, path, found):
            report.add(finding)
    for leftover in blobs.unfinished():
        report.add(Finding(str(leftover), "Its content was never completed.", _UNUSED, is_damage=False))


def _compared(blobs: LocalBlobs, path: Path, found: set[str]) -> Iterator[Finding]:
    """Yield the contents that are recorded as kept but missing, and those that no record refers to."""
    recorded = set(database.stored_contents(path))
    try:
        # What has come since the blobs were read is there now.
        missing = [sha256 for sha256 in sorted(recorded - found) if not blobs.has(sha256)]
    except StoreError:
        return  # They could not be read before either.
    for sha256 in missing:
        yield Finding(f"blob {sha256}", f"It is recorded as kept, but missing{_held(path, sha256)}.", _MISSING)
    unused = sorted(found - recorded)
    for sha256 in unused:
        yield Finding(f"blob {sha256}", "No record refers to it.", _UNUSED, is_damage=False)


def _held(path: Path | None, sha256: str) -> str:
    """Return which file versions have a content, as the end of a sentence."""
    versions = database.holders(path, sha256) if path is not None and sha256 else []
    return f" (it is the content of {', '.join(versions)})" if versions else ""


def _outbox(path: Path) -> Iterator[Finding]:
    try:
        content = entries.read(path)
    except FileNotFoundError:  # all of it has been delivered in the meantime
        return
    except OutboxError as error:
        yield Finding(str(path), error.message, error.hint or _RERUN)
        return
    if content.damaged_bytes:
        problem = f"{content.damaged_bytes} bytes of it are not records, or no longer; the other records are intact."
        yield Finding(str(path), problem, _RERUN)
