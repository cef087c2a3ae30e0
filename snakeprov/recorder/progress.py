"""The line on a terminal that says how far a long delivery is."""

from __future__ import annotations

import shutil
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from snakeprov.recorder.reading import Reading

AFTER_S: Final = 2.0
"""How long a delivery may take before anything is shown."""

EVERY_S: Final = 0.2

_ESTIMATE_AFTER_S: Final = 1.0
"""How long a file has to be read before it is estimated how long it will take yet."""


@contextmanager
def shown(describe: Callable[[], str]) -> Iterator[None]:
    """Show what `describe` says while the block lasts, after a moment, if standard error is a terminal.

    `describe` is called in a thread of its own; the line is wiped at the end.
    """
    if not sys.stderr.isatty():
        yield
        return
    ended = threading.Event()

    def show() -> None:
        if ended.wait(AFTER_S):
            return
        while True:
            # A line that wraps could not be wiped.
            room = shutil.get_terminal_size().columns - len(" … ")
            print(f"\r\033[K{describe()[:room]} … ", end="", file=sys.stderr, flush=True)
            if ended.wait(EVERY_S):
                break
        print("\r\033[K", end="", file=sys.stderr, flush=True)

    thread = threading.Thread(target=show, name="snakeprov-progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


class ReadingClock:
    """Says how far the reading of a large file is, and how long it will take yet.

    >>> clock = ReadingClock()
    >>> clock.hear(Reading("genome.bam", 2_000_000_000, 400_000_000), now_s=0)
    'reading genome.bam, 0.4 of 2.0 GB'
    >>> clock.hear(Reading("genome.bam", 2_000_000_000, 800_000_000), now_s=2)
    'reading genome.bam, 0.8 of 2.0 GB, 6 s to go'
    """

    def __init__(self) -> None:
        self._first: Reading | None = None
        self._first_s = 0.0

    def hear(self, reading: Reading, *, now_s: float) -> str:
        """Return a sentence about a file as it is read at a moment of a clock."""
        first = self._first
        if first is None or (first.name, first.size_bytes) != (reading.name, reading.size_bytes):
            first = self._first = reading
            self._first_s = now_s
        name = "".join(one if one.isprintable() else "?" for one in reading.name)
        said = f"reading {name}, {reading.done_bytes / 10**9:.1f} of {_size(reading.size_bytes)}"
        done_bytes, took_s = reading.done_bytes - first.done_bytes, now_s - self._first_s
        if done_bytes <= 0 or took_s < _ESTIMATE_AFTER_S:
            return said
        return f"{said}, {_span((reading.size_bytes - reading.done_bytes) / done_bytes * took_s)} to go"


def _span(seconds: float) -> str:
    minutes = round(seconds / 60)
    return f"{round(seconds)} s" if seconds < 100 else f"{minutes} min"


def uploaded(done_bytes: int, expected_bytes: int) -> str:
    """Return how far uploads are, to be put behind a sentence; nothing where there is nothing to upload.

    >>> uploaded(7_300_000, 2_500_000_000)
    ', 7.3 MB of 2.5 GB uploaded'
    """
    return f", {_size(done_bytes)} of {_size(expected_bytes)} uploaded" if expected_bytes else ""


def _size(size_bytes: int) -> str:
    unit, name = (10**9, "GB") if size_bytes >= 10**9 else (10**6, "MB")
    return f"{size_bytes / unit:.1f} {name}"
