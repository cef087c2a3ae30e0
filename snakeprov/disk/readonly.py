"""Read a SQLite file that cannot be written: on a read-only mount, or in another user's store.

SQLite itself does not help there. In WAL mode a reader makes two files beside the database (and a file that a reader
made would lock the owner out); told that the file is immutable, it does not notice when the owner writes. So:

* Rollback journal, or a write-ahead log that a living process has mapped: SQLite's own read-only mode.
* No write-ahead log, or an empty one: opened as immutable; the reader checks afterwards that the file has not changed
  (`checked`). Only a checkpoint changes it, so this fails rarely and never unnoticed.
* A write-ahead log, or a journal, that a killed process left behind: read from a private copy, which SQLite recovers.
"""

from __future__ import annotations

import functools
import os
import shutil
import sqlite3
import tempfile
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from snakeprov.errors import BusyStoreError, StoreError

COPY_TRIES_MAX = 5
"""Attempts to copy a file that another process writes to."""

_VERSIONS_AT, _WAL = 18, b"\x02\x02"


class _State(NamedTuple):
    """What a database and its write-ahead log look like: each its inode, size, and modification time (nanoseconds)."""

    database: tuple[int, int, int]
    log: tuple[int, int, int]


class ReadOnlyFile:
    """A SQLite file that is read without writing anything beside it. Thread-safe."""

    def __init__(self, path: Path) -> None:
        """Name the file; nothing is opened yet."""
        self._path = path
        self._lock = threading.Lock()
        self._fixed: _State | None = None
        self._copy: tempfile.TemporaryDirectory[str] | None = None

    def connect(self, *, timeout_s: float) -> sqlite3.Connection:
        """Return a connection on which any attempt to write fails with SQLITE_READONLY.

        Raises:
            sqlite3.Error: It cannot be read.
            BusyStoreError: Somebody writes to it all the time.
            StoreError: It has to be copied, and there is no place for that.
        """
        with self._lock:
            state = _state_of(self._path)
            if state != self._fixed:
                if self._copy is not None:
                    self._copy.cleanup()
                self._fixed = self._copy = None
            if self._copy is None and not state.log[1] and _is_in_wal_mode(self._path):
                self._fixed = state
                return _opened(self._path, "mode=ro&immutable=1", timeout_s)
            if self._copy is None:
                with suppress(_NotReadable):
                    return _tried(self._path, timeout_s)
                self._copy, self._fixed = _copied(self._path)
            connection = _opened(Path(self._copy.name) / self._path.name, "mode=rw", timeout_s)
            connection.execute("PRAGMA query_only=ON")
            return connection

    def is_current(self) -> bool:
        """Return whether connections that were made before see what the file says now."""
        with self._lock:
            return self._fixed is None or self._fixed == _state_of(self._path)

    @contextmanager
    def checked(self) -> Iterator[None]:
        """Check at the end that nobody changed the database while it was read.

        Raises:
            BusyStoreError: Somebody did, so that what was read, or the error that it led to, means nothing.
        """
        before = _state_of(self._path).database
        try:
            yield
        except Exception as error:
            if self._has_changed(before):
                raise busy(self._path) from error
            raise
        if self._has_changed(before):
            raise busy(self._path)

    def _has_changed(self, before: tuple[int, int, int]) -> bool:
        with self._lock:
            is_immutable = self._fixed is not None and self._copy is None
        return is_immutable and _state_of(self._path).database != before


@functools.cache
def read_only(path: Path) -> ReadOnlyFile:
    """Return the one `ReadOnlyFile` of a path, so that a copy is made once."""
    return ReadOnlyFile(path)


class _NotReadable(Exception):
    """SQLite cannot read a file without writing beside it."""


def may_write(path: Path) -> bool:
    """Return whether this process may write a SQLite file, which takes its folder too."""
    return all(os.access(one, os.W_OK, effective_ids=True) for one in (path, path.parent))


def _tried(path: Path, timeout_s: float) -> sqlite3.Connection:
    """Return a connection in SQLite's own read-only mode. Raises _NotReadable."""
    connection = _opened(path, "mode=ro", timeout_s)
    try:
        # What a writer maps is beside the database already, or this would make it.
        if _is_in_wal_mode(path) and not _beside(path, "-shm").exists():
            raise _NotReadable
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except BaseException as error:
        connection.close()
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN):
            raise _NotReadable from error
        raise
    return connection


def _copied(path: Path) -> tuple[tempfile.TemporaryDirectory[str], _State]:
    """Return a folder with a copy of the database and what belongs to it, and what was copied.

    A log that grows meanwhile does no harm, since SQLite ignores what is not committed; a checkpoint would.
    """
    try:
        folder = tempfile.TemporaryDirectory(prefix="snakeprov-", ignore_cleanup_errors=True)
        for _ in range(COPY_TRIES_MAX):
            before = _state_of(path)
            for ending in ("", "-wal", "-journal"):
                with suppress(FileNotFoundError):
                    shutil.copyfile(_beside(path, ending), _beside(Path(folder.name) / path.name, ending))
            if _state_of(path).database == before.database:
                return folder, before
    except OSError as error:
        raise StoreError(
            f"{path} was not closed properly and is read-only, so it can only be read from a copy, "
            f"which cannot be made ({error.strerror or error}).",
            hint="Set TMPDIR to a folder with enough space, or let its owner run 'snakeprov status' there.",
        ) from error
    raise busy(path)


def busy(path: Path) -> BusyStoreError:
    """Return the error for a file that was written to while it was read."""
    return BusyStoreError(f"{path} was written to while it was read.", hint="Run the command again.")


def _opened(path: Path, parameters: str, timeout_s: float) -> sqlite3.Connection:
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?{parameters}",
        uri=True,
        timeout=timeout_s,
        isolation_level=None,
        check_same_thread=False,
    )


def _state_of(path: Path) -> _State:
    return _State(_look_of(path), _look_of(_beside(path, "-wal")))


def _look_of(path: Path) -> tuple[int, int, int]:
    try:
        status = path.stat()
    except OSError:
        return 0, 0, 0
    return status.st_ino, status.st_size, status.st_mtime_ns


def _is_in_wal_mode(path: Path) -> bool:
    try:
        with closing(path.open("rb", buffering=0)) as file:
            return file.read(_VERSIONS_AT + 2)[_VERSIONS_AT:] == _WAL
    except OSError:
        return False


def _beside(path: Path, ending: str) -> Path:
    return path.with_name(path.name + ending)
