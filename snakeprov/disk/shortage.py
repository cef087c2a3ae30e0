"""Recognise that a disk accepts no more data, and say why."""

from __future__ import annotations

import errno
import os
from pathlib import Path

_NO_SPACE = "no space is left on the device"
_SHORTAGES = {errno.ENOSPC: _NO_SPACE, errno.EDQUOT: "your quota on the device is used up"}
_READ_ONLY = {errno.EROFS: "the file system is read-only"}
_PROBE_BYTES = 64 * 1024


def shortage_in(error: OSError) -> str | None:
    """Return what is short (space, quota, …), as the end of a sentence; None if the error has another cause."""
    return _SHORTAGES.get(error.errno or 0)


def in_words(error: OSError) -> str:
    """Return why something cannot be written, as the end of a sentence."""
    return shortage_in(error) or _READ_ONLY.get(error.errno or 0) or error.strerror or str(error)


def sqlite_shortage(code: int, folder: Path) -> str | None:
    """Return what is short in the folder of a database, from the extended error code of SQLite; or None.

    SQLite does not hand on what the system said: a quota that is used up is to it a write that failed, or a journal
    that cannot be made. So where it says that, writing is tried here.
    """
    import sqlite3

    # The second one: the shared memory beside the write-ahead log cannot grow.
    if code & 0xFF == sqlite3.SQLITE_FULL or code == sqlite3.SQLITE_IOERR_SHMSIZE:
        return _NO_SPACE
    is_unspecific = code & 0xFF in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN)
    return _shortage_of(folder) if is_unspecific else None


def _shortage_of(folder: Path) -> str | None:
    import tempfile

    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(os.urandom(_PROBE_BYTES))  # not zeros, which some file systems do not store
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        return shortage_in(error)
    return None
