"""Runs Snakemake in a process that kills itself with -9 at a chosen moment.

Usage: python dying.py MOMENT N [argument of snakemake …]

MOMENT is `marked`: Snakemake has just marked the N-th job as complete in its metadata, and its record is not written
yet; `ended`: the N-th job has ended and Snakemake has not marked it yet; `recorded`: its record is just written.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

import snakemake.cli
from snakemake import persistence

from snakeprov.recorder.recorder import Recorder

MOMENT, NUMBER = sys.argv[1], int(sys.argv[2])
seen = 0


def pass_by() -> None:
    global seen
    seen += 1
    if seen == NUMBER:
        os.kill(os.getpid(), signal.SIGKILL)


def wrap_finished(original: Callable[..., Any]) -> Callable[..., Any]:
    async def finished(self: Any, job: Any) -> None:
        if MOMENT == "ended":
            pass_by()
        await original(self, job)
        if MOMENT == "marked":
            pass_by()

    return finished


def wrap_append(original: Callable[..., Any]) -> Callable[..., Any]:
    def append(self: Any, *arguments: Any) -> None:
        original(self, *arguments)
        if MOMENT == "recorded":
            pass_by()

    return append


owner: Any = getattr(persistence, "PersistenceBase", None) or persistence.Persistence
owner.finished = wrap_finished(owner.finished)
Recorder.append_encoded = wrap_append(Recorder.append_encoded)  # type: ignore[method-assign]
sys.argv = ["snakemake", *sys.argv[3:]]
snakemake.cli.main()
