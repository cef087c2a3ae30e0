"""The progress of a client's uploads."""

from __future__ import annotations

import threading


class Transfer:
    """Counts the bytes of the files to upload; may be used from any thread.

    Bytes that the store turned out to have already, or that could not be sent, count as done too.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._expected_bytes = 0
        self._done_bytes = 0

    @property
    def expected_bytes(self) -> int:
        """How many bytes there were to upload, so far as is known."""
        return self._expected_bytes

    @property
    def done_bytes(self) -> int:
        """How many of them are done with."""
        return self._done_bytes

    def expect(self, size_bytes: int) -> None:
        """Add to the number of bytes to upload."""
        with self._lock:
            self._expected_bytes += size_bytes

    def advance(self, size_bytes: int) -> None:
        """Add to the number of bytes that are done."""
        with self._lock:
            self._done_bytes += size_bytes
