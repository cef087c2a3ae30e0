"""Which large file is being read, and how much of it: what the delivering process tells of a long digest."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec

LARGE_BYTES: Final = 256 * 1024 * 1024
"""Smallest size of a file that the progress names: a smaller one is read in a moment."""

_UNIT_BYTES: Final = 1024 * 1024


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
