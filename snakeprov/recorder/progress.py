"""How far a long delivery is: the line on a terminal that says it, and which large file is being read."""

from __future__ import annotations

import shutil
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec

AFTER_S: Final = 2.0
"""How long a delivery may take before anything is shown."""

EVERY_S: Final = 0.2

_ESTIMATE_AFTER_S: Final = 1.0
"""How long a file has to be read before it is estimated how long it will take yet."""

LARGE_BYTES: Final = 256 * 1024 * 1024
"""Smallest size of a file that the progress names: a smaller one is read in a moment."""

_UNIT_BYTES: Final = 1024 * 1024


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


class Reading(msgspec.Struct, frozen=True):
    """A file that is being read.

    Attributes:
        name: Its name, without folders.
        size_bytes: Its size.
        done_bytes: How much of it has been read, as far as the system tells.
    """

    name: str
    size_bytes: int
    done_bytes: int


class Readings:
    """The large files that are being read now, perhaps several at a time. May be used from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._now: list[Reading] = []
        self._begun: list[Reading] = []  # since none was being read

    @contextmanager
    def of(self, path: str, size_bytes: int) -> Iterator[None]:
        """Tell of a file as long as the block reads it, if it is large."""
        if size_bytes < LARGE_BYTES:
            yield
            return
        # `done_bytes`: what the process had read before.
        one = Reading(path.rpartition("/")[2], size_bytes, bytes_read())
        with self._lock:
            self._begun = [*self._begun, one] if self._now else [one]
            self._now.append(one)
        try:
            yield
        finally:
            with self._lock:
                self._now.remove(one)

    def now(self) -> Reading | None:
        """Return the file that has been read for longest; None where no large one is read.

        The system tells only how much is read in all: of files read at the same time, the sizes count together.
        """
        with self._lock:
            one, begun = (self._now[0] if self._now else None), self._begun
        if one is None:
            return None
        size_bytes = sum(reading.size_bytes for reading in begun)
        name = one.name if len(begun) == 1 else f"{one.name} and {len(begun) - 1} more"
        return Reading(name, size_bytes, min(bytes_read() - begun[0].done_bytes, size_bytes))


def bytes_read() -> int:
    """Return how many bytes this process has read from files, sockets left out; 0 where the system does not tell.

    In whole units of 1 MiB, since asking reads a few bytes too, and would look like progress.
    """
    try:
        first = Path("/proc/self/io").read_text(encoding="ascii").partition("\n")[0]
        return int(first.removeprefix("rchar: ")) // _UNIT_BYTES * _UNIT_BYTES
    except (OSError, ValueError):
        return 0
