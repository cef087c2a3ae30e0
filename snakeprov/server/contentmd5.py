"""The md5 of contents that are kept, computed when a client of Synapse's API first asks for it.

The sha256 tells contents apart in a store, and the md5 of most is never asked for; computing it would more than halve
the speed at which large files are recorded. So it comes with a content only if that is small or was uploaded. Of any
other the first who asks waits until the bytes have been read once. The next transaction that writes notes the result
in the store; until then, or where nothing can be written, the server remembers it.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from snakeprov.db import filehandles
from snakeprov.db.filehandles import FileHandleRow
from snakeprov.db.tables import STORED
from snakeprov.disk.files import Hasher
from snakeprov.errors import StoreError

if TYPE_CHECKING:
    from snakeprov.blobs.local import LocalBlobs
    from snakeprov.db import Transaction

REMEMBERED_MAX = 10_000
"""How many results are remembered; past it the oldest go."""

_CHUNK_BYTES = 1024 * 1024


class ContentMd5s:
    """The md5 of kept contents by their sha256. Thread-safe."""

    def __init__(self, blobs: LocalBlobs) -> None:
        self._blobs = blobs
        self._lock = threading.Lock()
        self._known: dict[str, str] = {}
        self._unwritten: dict[str, str] = {}

    def complete(self, row: FileHandleRow) -> FileHandleRow:
        """Return a file handle with the md5 of its bytes, if they are kept and not damaged."""
        if row.md5 is not None or row.kind != STORED or row.sha256 is None:
            return row
        md5 = self._known.get(row.sha256) or self._computed(row.sha256)
        return row._replace(md5=md5)

    def write(self, tx: Transaction) -> None:
        """Note in the store what was computed since this was last called."""
        if not self._unwritten:
            return
        with self._lock:
            unwritten, self._unwritten = self._unwritten, {}
        for sha256, md5 in unwritten.items():
            filehandles.note_md5(tx, sha256, md5)

    def _computed(self, sha256: str) -> str | None:
        hasher = Hasher(md5=True)
        try:
            with self._blobs.open(sha256) as stream:
                while chunk := stream.read(_CHUNK_BYTES):
                    hasher.update(chunk)
        except (KeyError, OSError, StoreError):
            return None
        digest = hasher.digest()
        if digest.sha256 != sha256 or digest.md5 is None:
            return None
        with self._lock:
            for results in (self._known, self._unwritten):
                results[sha256] = digest.md5
                if len(results) > REMEMBERED_MAX:
                    del results[next(iter(results))]
        return digest.md5
