"""The recorder of a run as its capture knows it: what it takes, how it is opened, and who delivers what is left.

Must not know: when jobs begin or end, or how a record is delivered. The recorder's own modules are loaded on demand.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from snakeprov.model.held import Hold, Listing
from snakeprov.model.planned import RunPlan
from snakeprov.model.records import JobRecord, RunRecord
from snakeprov.settings import Settings


class Summary(Protocol):
    """What a recorder says when it has finished."""

    @property
    def shortfall(self) -> int: ...

    @property
    def reason(self) -> str: ...

    def line(self, *, program: str = "snakeprov") -> str: ...


class Recorder(Protocol):
    """What a recorder does for a run."""

    def start(self, run: RunRecord) -> None: ...
    def plan(self, plan: RunPlan) -> None: ...
    def hold(self, message: Hold | Listing, descriptors: Sequence[int] = ()) -> bool: ...
    def append(self, job: JobRecord) -> None: ...
    def append_encoded(self, payload: bytes) -> None: ...
    def finish(self, run: RunRecord, *, is_shown: bool = True) -> Summary: ...


def open_recorder(settings: Settings, directory: Path, *, secrets: Sequence[str] = ()) -> Recorder:
    """Return the recorder that takes this run's records and has them delivered where `settings` say.

    `secrets` are hidden in what the delivering process finds out by itself.
    """
    from snakeprov.recorder import recorder

    return recorder.Recorder(settings, directory, program="snakeprov.apps.worker", secrets=secrets)


def recover(settings: Settings, directory: Path) -> str | None:
    """Deliver what runs that were killed, or had no store, left behind; return a line that says so, if any did."""
    from snakeprov.recorder import backlog

    if not backlog.files(backlog.outbox_folder(directory)):
        return None
    from snakeprov.apps import worker

    return worker.recover(settings, directory).line()
