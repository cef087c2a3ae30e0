"""What waits in the outbox folder of a working directory.

Must not know: how records are delivered.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from snakeprov.config import OUTBOX_NAME, STORE_NAME
from snakeprov.recorder.outbox import SUFFIX, Kind, read


@dataclass(frozen=True, slots=True)
class Backlog:
    """How many job records have not been delivered.

    Attributes:
        pending: Waiting for delivery.
        failed: Refused by the repository; `snakeprov push` tries them again.
        reasons: Why, each reason once.
    """

    pending: int = 0
    failed: int = 0
    reasons: tuple[str, ...] = ()


def outbox_folder(working_directory: Path) -> Path:
    """Return the folder in which records of workflows run in `working_directory` wait."""
    return working_directory / STORE_NAME / OUTBOX_NAME


def files(folder: Path, *, run_id: str | None = None) -> list[Path]:
    """Return the logs in the outbox folder `folder`, the oldest first; none where there is no folder.

    Args:
        folder: The folder.
        run_id: Only those of this run.
    """
    try:
        found = [
            (path.stat().st_mtime_ns, path)
            for path in folder.iterdir()
            if path.suffix == SUFFIX and run_id in (None, path.name.partition(".")[0])
        ]
    except OSError:
        return []
    return [path for _, path in sorted(found)]


def count(folder: Path, *, run_id: str | None = None) -> Backlog:
    """Return how many job records wait in the outbox folder `folder`, or those of one run.

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
        pending += sum(entry.kind is Kind.JOB for entry in content.pending)
        failed += sum(entry.kind is Kind.JOB for entry, _ in content.rejected)
        reasons.update(dict.fromkeys(reason for _, reason in content.rejected))
    return Backlog(pending, failed, tuple(reasons))
