"""The line on a terminal that says how far a long delivery is."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

AFTER_S: Final = 2.0
"""How long a delivery may take before anything is shown."""

EVERY_S: Final = 0.2


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
            print(f"\r\033[K{describe()} … ", end="", file=sys.stderr, flush=True)
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


def uploaded(done_bytes: int, expected_bytes: int) -> str:
    """Return how far uploads are, to be put behind a sentence; nothing where there is nothing to upload.

    >>> uploaded(7_300_000, 2_500_000_000)
    ', 7.3 MB of 2.5 GB uploaded'
    """
    return f", {_size(done_bytes)} of {_size(expected_bytes)} uploaded" if expected_bytes else ""


def _size(size_bytes: int) -> str:
    unit, name = (10**9, "GB") if size_bytes >= 10**9 else (10**6, "MB")
    return f"{size_bytes / unit:.1f} {name}"
