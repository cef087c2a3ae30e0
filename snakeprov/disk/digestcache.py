"""A cache of digests, so that an unchanged file is read once.

The cache is one small SQLite file that many processes may share. Losing it costs time and nothing else, so any
doubt is a miss and no trouble with it is ever an error: then the cache works in memory for as long as it lives. A
cache that may not be written is only read.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Self

from snakeprov.disk import files, privacy
from snakeprov.disk.layout import digests_file
from snakeprov.disk.readonly import may_write, read_only
from snakeprov.errors import StoreError
from snakeprov.model.digest import Digest
from snakeprov.model.paths import to_text
from snakeprov.model.records import Fingerprint

FORMAT_VERSION = 1
"""Version of the file's layout, kept in SQLite's `user_version`."""

MAX_ROWS = 1_000_000
"""Most digests kept in the file; past it the oldest go (about 150 bytes each)."""

MAX_IN_MEMORY = 25_000
"""Most digests kept in memory; past it the oldest go."""

BATCH_ROWS = 512
"""Digests that are gathered before they are written in one transaction."""

BUSY_TIMEOUT_S = 1.0
"""How long to wait for another process that writes; then a read is a miss and a write is tried again later."""

SETTLED_NS = 2_000_000_000
"""A file must be this old when its reading begins, or it could be changed again without its times showing it."""

SETTLED_FINE_NS = 50_000_000
"""The same where both times have a fraction of a second: then they come from a clock that ticks every 10 ms or
faster (Linux's kernel clock), and not from a file system that counts in whole seconds."""

# An md5 that was never needed is empty.
_LAYOUT = """
CREATE TABLE digest (
    number INTEGER PRIMARY KEY,
    file TEXT NOT NULL UNIQUE,
    state TEXT NOT NULL,
    sha256 BLOB NOT NULL,
    md5 BLOB NOT NULL,
    checksum INTEGER NOT NULL
)
"""


class DigestCache:
    """Digests by fingerprint. Safe to use from many threads; many processes may share the file.

    >>> cache = DigestCache(None)
    >>> cache.get(Fingerprint(1, 2, 0, 0, 0)) is None
    True

    Attributes:
        problem: Why the file is not used, in words; None while it is in use, or if there is none.
    """

    def __init__(self, path: Path | None) -> None:
        """Open the cache file at `path`, made where it is missing; None keeps everything in memory."""
        self.problem: str | None = None
        self._lock = threading.Lock()
        self._memory: dict[Fingerprint, Digest] = {}
        self._unwritten: dict[Fingerprint, Digest] = {}
        self._path = path
        self._connection: sqlite3.Connection | None = None
        self._may_write = True
        if path is not None:
            try:
                self._may_write = _may_write(path)
                if self._may_write or path.exists():
                    self._connection = _open(path)
            except (sqlite3.Error, OSError, ValueError, StoreError) as error:
                self._give_up(error)

    @classmethod
    def of(cls, working_directory: Path) -> Self:
        """Open the cache of a working directory; one that has no folder of ours gets a cache in memory."""
        path = digests_file(working_directory)
        return cls(path if path.parent.is_dir() else None)

    def digest_file(self, path: str, *, md5: bool = False, fresh: bool = False) -> Digest:
        """Return the digest of the regular file at `path`, which is read where it is not known, or is to be `fresh`.

        Raises:
            CaptureError: There is no regular file, it cannot be read, or it changed meanwhile.
        """
        seen = files.fingerprint(path)
        if seen is None:
            return files.digest_file(path, md5=md5)  # which says what there is instead
        return self.digest(seen, lambda: files.digest_stable(path, seen, md5=md5), md5=md5, fresh=fresh)

    def digest(
        self, fingerprint: Fingerprint, read: Callable[[], Digest], *, md5: bool = False, fresh: bool = False
    ) -> Digest:
        """Return the digest of the file that has this fingerprint: as it is known, or as `read` finds it.

        Args:
            fingerprint: What the file looks like.
            read: Called where the digest, or its md5, is not known; makes sure that the file looks like this before
                and after. What it raises is raised here.
            md5: Whether the md5 is needed.
            fresh: Whether to call `read` also where the digest is known.
        """
        known = None if fresh else self.get(fingerprint, md5=md5)
        if known is not None:
            return known
        read_from_ns = time.time_ns()
        digest = read()
        self.put(fingerprint, digest, read_from_ns=read_from_ns)
        return digest

    def get(self, fingerprint: Fingerprint, *, md5: bool = False) -> Digest | None:
        """Return the digest of the file that has this fingerprint, where it is known; with `md5` only if that is."""
        with self._lock:
            known = self._memory.get(fingerprint) or self._read(fingerprint)
        return None if known is None or (md5 and known.md5 is None) else known

    def put(self, fingerprint: Fingerprint, digest: Digest, *, read_from_ns: int | None = None) -> None:
        """Remember a digest, unless the file was so young that a further change might not show.

        Args:
            fingerprint: What the file looked like before it was read, and still after.
            digest: The digest of its bytes.
            read_from_ns: When the reading began (nanoseconds since 1970); now, when not given.
        """
        if digest.size_bytes != fingerprint.size_bytes:
            return
        if not _is_settled(fingerprint, time.time_ns() if read_from_ns is None else read_from_ns):
            return
        with self._lock:
            _remember(self._memory, fingerprint, digest)
            if self._connection is not None and self._may_write:
                _remember(self._unwritten, fingerprint, digest)
                if len(self._unwritten) % BATCH_ROWS == 0:
                    self._write()

    def flush(self) -> None:
        """Write what has been gathered; what cannot be written now is tried again later."""
        with self._lock:
            self._write()

    def close(self) -> None:
        """Write what has been gathered and let go of the file. May be called twice; the cache then works in memory."""
        with self._lock:
            self._write()
            if self._connection is not None:
                self._connection.close()
            self._connection = None
            self._unwritten.clear()

    def _read(self, fingerprint: Fingerprint) -> Digest | None:
        if self._connection is None:
            return None
        file, state = _keys(fingerprint)
        try:
            row = self._connection.execute(
                "SELECT sha256, md5, checksum FROM digest WHERE file = ? AND state = ?", (file, state)
            ).fetchone()
        except sqlite3.Error as error:
            self._fail(error)
            return None
        if row is None:
            return None
        sha256, md5, checksum = row
        if not (isinstance(sha256, bytes) and isinstance(md5, bytes) and len(sha256) == 32 and len(md5) in (0, 16)):
            return None
        if checksum != _checksum(file, state, sha256, md5):
            return None
        digest = Digest(sha256.hex(), md5.hex() or None, fingerprint.size_bytes)
        _remember(self._memory, fingerprint, digest)
        return digest

    def _write(self) -> None:
        if self._connection is None or not self._unwritten:
            return
        rows = [_row(fingerprint, digest) for fingerprint, digest in self._unwritten.items()]
        try:
            with self._connection:  # commits, or rolls back
                self._connection.execute("BEGIN IMMEDIATE")
                self._connection.executemany(
                    "INSERT OR REPLACE INTO digest (file, state, sha256, md5, checksum) VALUES (?, ?, ?, ?, ?)", rows
                )
                # Numbers only grow, and a file that is put again gets a new one: the lowest are the oldest.
                self._connection.execute(
                    "DELETE FROM digest WHERE number <= (SELECT max(number) FROM digest) - ?", (MAX_ROWS,)
                )
        except sqlite3.Error as error:
            self._fail(error)
        else:
            self._unwritten.clear()

    def _fail(self, error: sqlite3.Error) -> None:
        primary_code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
        if primary_code not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            self._give_up(error)

    def _give_up(self, error: Exception) -> None:
        self.problem = (
            f"The digest cache '{to_text(self._path or '')}' is not used: {error}. "
            "Nothing is lost, but unchanged files are read again; if it is damaged, delete it."
        )
        if self._connection is not None:
            self._connection.close()
        self._connection = None
        self._unwritten.clear()


def check(path: Path) -> list[str]:
    """Return what is wrong with a cache file, as sentences; a file that is not there is fine."""
    if not path.exists():
        return []
    try:
        connection = _open(path)
    except (sqlite3.Error, OSError, ValueError, StoreError) as error:
        return [f"It cannot be used: {error}."]
    try:
        lines = [line for (line,) in connection.execute("PRAGMA integrity_check(10)")]
        # What was damaged need not be text any more.
        connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
        rows = connection.execute("SELECT file, state, sha256, md5, checksum FROM digest")
        wrong = sum(not _is_right(*row) for row in rows)
    except (sqlite3.Error, UnicodeDecodeError) as error:
        return [f"It cannot be read (SQLite says: {error})."]
    finally:
        connection.close()
    problems = [f"Its pages do not hang together (SQLite says: {line})." for line in lines if line != "ok"]
    return [*problems, *([f"{wrong} of its rows do not fit their checksums."] if wrong else [])]


def _is_right(file: object, state: object, sha256: object, md5: object, checksum: object) -> bool:
    if not (isinstance(file, str) and isinstance(state, str) and isinstance(sha256, bytes) and isinstance(md5, bytes)):
        return False
    return checksum == _checksum(file, state, sha256, md5)


def _may_write(path: Path) -> bool:
    if path.exists():
        return may_write(path)
    return os.access(path.parent, os.W_OK) or not path.parent.is_dir()


def _open(path: Path) -> sqlite3.Connection:
    if path.exists() and not may_write(path):
        return _of_right_version(read_only(path).connect(timeout_s=BUSY_TIMEOUT_S))
    with suppress(FileExistsError):
        os.close(privacy.create(path, os.O_RDWR | os.O_EXCL, privacy.file_mode(path.parent)))
    connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False)
    try:
        # A write-ahead log does not work on network file systems; the plain journal does, and batches make it cheap.
        connection.execute("PRAGMA synchronous = NORMAL")
        if _format_version(connection) == 0:
            with connection:
                connection.execute("BEGIN IMMEDIATE")
                if _format_version(connection) == 0:  # still, now that no other process can be making it
                    connection.execute(_LAYOUT)
                    connection.execute(f"PRAGMA user_version = {FORMAT_VERSION}")
    except BaseException:
        connection.close()
        raise
    return _of_right_version(connection)


def _of_right_version(connection: sqlite3.Connection) -> sqlite3.Connection:
    try:
        version = _format_version(connection)
        if version != FORMAT_VERSION:
            raise ValueError(f"it has format {version}, and this snakeprov knows format {FORMAT_VERSION}")
    except BaseException:
        connection.close()
        raise
    return connection


def _format_version(connection: sqlite3.Connection) -> int:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return int(version)


def _keys(fingerprint: Fingerprint) -> tuple[str, str]:
    # Text, since device and inode numbers and times may exceed SQLite's 64 signed bits.
    return (
        f"{fingerprint.device}:{fingerprint.inode}",
        f"{fingerprint.size_bytes}:{fingerprint.mtime_ns}:{fingerprint.ctime_ns}",
    )


def _row(fingerprint: Fingerprint, digest: Digest) -> tuple[str, str, bytes, bytes, int]:
    file, state = _keys(fingerprint)
    sha256, md5 = bytes.fromhex(digest.sha256), bytes.fromhex(digest.md5 or "")
    return file, state, sha256, md5, _checksum(file, state, sha256, md5)


def _checksum(file: str, state: str, sha256: bytes, md5: bytes) -> int:
    # SQLite does not notice a bit that has flipped in a row, and a wrong digest would be recorded as a fact.
    return zlib.crc32(b"\0".join((file.encode(), state.encode(), sha256, md5)))


def _is_settled(fingerprint: Fingerprint, moment_ns: int) -> bool:
    times_ns = (fingerprint.mtime_ns, fingerprint.ctime_ns)
    fine = all(time_ns % 1_000_000_000 for time_ns in times_ns)
    return moment_ns - max(times_ns) >= (SETTLED_FINE_NS if fine else SETTLED_NS)


def _remember(kept: dict[Fingerprint, Digest], fingerprint: Fingerprint, digest: Digest) -> None:
    kept.pop(fingerprint, None)  # so that it becomes the youngest
    kept[fingerprint] = digest
    if len(kept) > MAX_IN_MEMORY:
        del kept[next(iter(kept))]
