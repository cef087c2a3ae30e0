"""Which outputs Snakemake's own logs say were left behind by jobs that failed.

Must not know: what becomes of the outputs.

A failed job leaves the same metadata as one that succeeded, and with `--keep-incomplete` its outputs too. Only the logs
in `.snakemake/log/` tell the difference.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from snakeprov.metadata.stored import FOLDER_NAME

LOGS_MAX: Final = 1000
"""So many logs are read, the newest."""

LINES_MAX: Final = 10_000_000
"""So many lines are read of each."""

_TIME_FORMAT: Final = "[%a %b %d %H:%M:%S %Y]"


def read(working_directory: Path) -> dict[str, float]:
    """Return when the job that makes an output failed last, in whole seconds since 1970, by the output's path."""
    failed: dict[str, float] = {}
    for log in _newest(working_directory / FOLDER_NAME / "log"):
        with contextlib.suppress(OSError), log.open(encoding="utf-8", errors="replace") as lines:
            for output, moment_s in _failures(lines):
                failed[output] = max(moment_s, failed.get(output, 0.0))
    return failed


def _newest(folder: Path) -> list[Path]:
    try:
        with os.scandir(folder) as entries:
            names = sorted(entry.name for entry in entries if entry.name.endswith(".log"))  # they begin with the date
    except OSError:
        return []
    return [folder / name for name in names[-LOGS_MAX:]]


def _failures(lines: Iterable[str]) -> Iterator[tuple[str, float]]:
    """Yield each output of a job that a log says failed, and when."""
    said_s: float | None = None
    is_failure = False
    for _, line in zip(range(LINES_MAX), lines, strict=False):
        if line.startswith("["):
            said_s = _moment(line.strip())
        elif not line.startswith(" "):
            is_failure = line.startswith("Error in rule ") or (is_failure and not line.strip())
        elif is_failure and said_s is not None and line.startswith("    output: "):
            for output in line.removeprefix("    output: ").rstrip("\n").split(", "):
                yield output, said_s


def _moment(stamp: str) -> float | None:
    try:
        return time.mktime(time.strptime(stamp, _TIME_FORMAT))
    except (ValueError, OverflowError):
        return None
