"""Reading many files by several threads: hashlib and the system calls release the GIL."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

SIDE_BY_SIDE_BYTES: Final = 4 << 20
"""From this total size on, files are read side by side; less is read faster than threads are started."""

READERS_MAX: Final = 4
"""How many files are read at a time, at most: no more than there are processors."""

QUEUED_MAX: Final = 1000
"""How many wait to be read."""

_File = TypeVar("_File")
_Found = TypeVar("_Found")


def side_by_side(read: Callable[[_File], _Found], files: Sequence[_File], *, size_bytes: int) -> list[_Found]:
    """Return what `read` returns for each file, in their order.

    Args:
        read: Reads a file; called by several threads where there is much to read.
        files: The files.
        size_bytes: How much there is to read.
    """
    readers = min(READERS_MAX, processors(), len(files))
    if size_bytes >= SIDE_BY_SIDE_BYTES and readers > 1:
        found: list[_Found] = []
        try:
            with ThreadPoolExecutor(readers, "snakeprov-read") as pool:
                for start in range(0, len(files), QUEUED_MAX):
                    found += pool.map(read, files[start : start + QUEUED_MAX])
        except RuntimeError:  # no thread can be started: a limit on processes, or the interpreter is ending
            pass
        else:
            return found
    return [read(file) for file in files]


def processors() -> int:
    """Return how many processors this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except (AttributeError, OSError):  # macOS does not tell
        return os.cpu_count() or 1
