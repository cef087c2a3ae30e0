"""Find the outputs that failed jobs left behind, according to Snakemake's logs.

A failed job leaves the same metadata as one that succeeded, and with `--keep-incomplete` its outputs too. Only the logs
in `.snakemake/log/` tell the difference.
"""

from __future__ import annotations

import contextlib
import os
import re
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from snakeprov.metadata.stored import FOLDER_NAME

LOGS_MAX: Final = 1000
"""Maximum number of logs that are read, newest first."""

LINES_MAX: Final = 10_000_000
"""Maximum number of lines read of each."""

_TIME_FORMAT: Final = "[%a %b %d %H:%M:%S %Y]"
_ERROR: Final = re.compile(r"(message: )?Error in (rule|group) ")


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
    """Yield each output of a job, or of a member of a group, that a log says failed, and when.

    Snakemake does not know which jobs of a group failed; it indents the message about each.
    """
    said_s: float | None = None
    is_failure = False
    for _, line in zip(range(LINES_MAX), lines, strict=False):
        text = line.strip()
        moment_s = _moment(text)
        if moment_s is not None:
            said_s, is_failure = moment_s, False
        elif _ERROR.match(text):
            is_failure = True
        elif text and not line.startswith(" "):
            is_failure = False
        elif is_failure and said_s is not None and text.startswith("output: "):
            for output in text.removeprefix("output: ").split(", "):
                yield output, said_s


def _moment(text: str) -> float | None:
    """Return the time at the beginning of a message of Snakemake, in whole seconds since 1970."""
    stamp, bracket, _ = text.partition("]")
    if not stamp.startswith("[") or not bracket:
        return None
    try:
        return time.mktime(time.strptime(stamp + bracket, _TIME_FORMAT))
    except (ValueError, OverflowError):
        return None
