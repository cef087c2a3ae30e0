"""The line on a terminal that says how far a long delivery is.

Must not know: how records are delivered.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from snakeprov.client.transfer import Transfer

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


def uploaded(transfer: Transfer) -> str:
    """Return how far uploads are, to be put behind a sentence; nothing where there is nothing to upload.

    >>> from snakeprov.client.transfer import Transfer
    >>> transfer = Transfer()
    >>> transfer.expect(2_500_000_000)
    >>> transfer.advance(7_300_000)
    >>> uploaded(transfer)
    ', 7.3 MB of 2.5 GB uploaded'
    """
    if not transfer.expected_bytes:
        return ""
    return f", {_size(transfer.done_bytes)} of {_size(transfer.expected_bytes)} uploaded"


def _size(size_bytes: int) -> str:
    unit, name = (10**9, "GB") if size_bytes >= 10**9 else (10**6, "MB")
    return f"{size_bytes / unit:.1f} {name}"
