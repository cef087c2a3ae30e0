"""Everything particular to SQLite: opening, locking, journal modes, and the meaning of its errors."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext
from pathlib import Path
from typing import Literal, cast, get_args

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import QueuePool

from snakeprov.db import checksums
from snakeprov.disk.readonly import may_write, read_only
from snakeprov.disk.shortage import sqlite_shortage
from snakeprov.errors import BusyStoreError, ConfigError, CorruptStoreError, FullStoreError, StoreError

JournalMode = Literal["wal", "delete"]

BUSY_TIMEOUT_S = 30.0
"""How long a transaction waits for another process to finish writing."""

JOURNAL_VARIABLE = "SNAKEPROV_JOURNAL_MODE"
"""Environment variable with the journal mode, for a file system that is taken for what it is not."""

CONNECTIONS_KEPT = 4
CONNECTIONS_MAX = 64
"""How many connections are kept open, and how many there can be at once."""

JOURNAL_SIZE_BYTES_MAX = 64 * 1024 * 1024
"""What is left of the journal file after it has been written back."""

# fmt: off
_WITHOUT_SHARED_MEMORY = frozenset({
    "9p", "afs", "beegfs", "ceph", "cifs", "glusterfs", "gpfs", "lustre", "nfs", "nfs4", "orangefs", "panfs", "pvfs2",
    "smb3", "smbfs", "vboxsf", "virtiofs",
})
# fmt: on
MOUNTS = Path("/proc/self/mounts")

_BUSY = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL})
_CORRUPT = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_REASONS = {
    sqlite3.SQLITE_READONLY: "it cannot be written to",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened",
    sqlite3.SQLITE_PERM: "permission is denied",
    sqlite3.SQLITE_IOERR: "the device failed to read or write",
    sqlite3.SQLITE_AUTH: "permission is denied",
    sqlite3.SQLITE_NOMEM: "memory is short",
    sqlite3.SQLITE_NOLFS: "the file system cannot hold a file of that size",
    sqlite3.SQLITE_TOOBIG: "a value is longer than SQLite can hold",
}


def open_engine(path: Path, *, journal_mode: JournalMode, checks_references: bool = True) -> Engine:
    """Return an engine for the database file `path`, which must exist.

    Connections start no transaction by themselves; a transaction on an engine with the execution option
    `writes=True` takes the write lock at its beginning, so that it waits there and never fails half-way.
    Without `checks_references` rows may refer to what is not there, and deleting takes nothing else along.
    """

    def prepared() -> sqlite3.Connection:
        connection = connect(path)
        try:
            if not may_write(path):
                _prepare_reading(connection)
                return connection
            _prepare(connection, journal_mode=journal_mode, checks_references=checks_references)
        except BaseException:
            connection.close()
            raise
        return connection

    # For an empty URL SQLAlchemy would keep one connection per thread; a bounded queue suits a threaded server.
    engine = create_engine(
        "sqlite://",
        creator=prepared,
        paramstyle="named",
        hide_parameters=True,
        poolclass=QueuePool,
        pool_size=CONNECTIONS_KEPT,
        max_overflow=CONNECTIONS_MAX - CONNECTIONS_KEPT,
    )
    event.listen(engine, "begin", _begin)
    return engine


def connect(path: Path) -> sqlite3.Connection:
    """Return a plain connection to the database file `path`, which must exist. Changes nothing there.

    For a file that may not be written, use `reading`, which detects concurrent changes.
    """
    if path.exists() and not may_write(path):
        return read_only(path).connect(timeout_s=BUSY_TIMEOUT_S)
    return sqlite3.connect(
        path.absolute().as_uri() + "?mode=rw",
        uri=True,
        timeout=BUSY_TIMEOUT_S,
        isolation_level=None,
        check_same_thread=False,
    )


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """Lend a plain connection that is only read from.

    Raises:
        BusyStoreError: The file may not be written, and it was changed while it was read.
    """
    checked = nullcontext() if may_write(path) else read_only(path).checked()
    with checked, closing(connect(path)) as connection:
        yield connection


def _prepare(connection: sqlite3.Connection, *, journal_mode: JournalMode, checks_references: bool) -> None:
    present = connection.execute("PRAGMA journal_mode").fetchone()[0]
    if present != journal_mode:
        try:
            connection.execute(f"PRAGMA journal_mode={journal_mode}")
        except sqlite3.OperationalError as error:
            # Refused while another process of this machine has it open in its mode, which is then as good.
            if error.sqlite_errorcode & 0xFF not in _BUSY:
                raise
    connection.execute(f"PRAGMA synchronous={'NORMAL' if journal_mode == 'wal' else 'FULL'}")
    connection.execute(f"PRAGMA journal_size_limit={JOURNAL_SIZE_BYTES_MAX}")
    connection.execute(f"PRAGMA foreign_keys={'ON' if checks_references else 'OFF'}")
    _prepare_reading(connection)


def _prepare_reading(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA temp_store=MEMORY")
    connection.create_function(checksums.FUNCTION, -1, checksums.of_values, deterministic=True)


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def journal_mode_for(folder: Path, *, mounts: Path = MOUNTS) -> tuple[JournalMode, str]:
    """Return the journal mode that works where `folder` lies, and a note about it, if any.

    Raises:
        ConfigError: `SNAKEPROV_JOURNAL_MODE` is not a journal mode.
    """
    forced = os.environ.get(JOURNAL_VARIABLE)
    if forced:
        if forced not in get_args(JournalMode):
            raise ConfigError(f"{JOURNAL_VARIABLE} in the environment is {forced!r}; expected 'wal' or 'delete'.")
        return cast(JournalMode, forced), f"The journal mode is {forced!r}, because {JOURNAL_VARIABLE} says so."
    kind = file_system_of(folder, mounts=mounts)
    if kind in _WITHOUT_SHARED_MEMORY or kind.startswith("fuse"):
        return "delete", (
            f"The store lies on a {kind} file system, where SQLite's write-ahead log is not safe; "
            "a rollback journal is used instead, so that writers and readers wait for each other."
        )
    return "wal", ""


def file_system_of(folder: Path, *, mounts: Path = MOUNTS) -> str:
    """Return the kind of file system that `folder` lies on ("ext4", "nfs4", …), or "" where that is unknown."""
    try:
        lines = mounts.read_bytes().splitlines()
    except OSError:
        return ""
    target = os.fsencode(folder.resolve())
    best, kind = -1, ""
    for line in lines:
        fields = line.split(b" ")
        if len(fields) < 3:
            continue
        point = _unescape(fields[1])
        inside = target == point or target.startswith(point.rstrip(b"/") + b"/")
        # The last of two mounts on one point is the one that is seen.
        if inside and len(point) >= best:
            best, kind = len(point), fields[2].decode("ascii", "replace")
    return kind


def _unescape(field: bytes) -> bytes:
    for code, character in ((b"\\040", b" "), (b"\\011", b"\t"), (b"\\012", b"\n"), (b"\\134", b"\\")):
        field = field.replace(code, character)
    return field


def full(path: Path, shortage: str) -> FullStoreError:
    """Return the error for a shortage of space, quota or permission at the store `path`."""
    return FullStoreError(
        f"The store {path} cannot be written: {shortage}.",
        hint="Free some space; what was recorded before is unharmed.",
    )


def explain(error: BaseException | None, path: Path) -> StoreError | None:
    """Return what an error of SQLite means for the store at `path`, in our words; None: it is a mistake of ours."""
    code = getattr(error, "sqlite_errorcode", None)
    if isinstance(error, UnicodeDecodeError) or "decode to UTF-8" in str(error):
        code = sqlite3.SQLITE_CORRUPT  # A text, or a name in a message, is no longer valid UTF-8.
    if code is None:
        return None
    primary = code & 0xFF
    if shortage := sqlite_shortage(code, path.parent):
        return full(path, shortage)
    if primary in _BUSY:
        return BusyStoreError(
            f"The store {path} was kept locked by another process for more than {BUSY_TIMEOUT_S:g} seconds.",
            hint="See which process uses it, and run the command once more when that has ended.",
        )
    if primary in _CORRUPT:
        return CorruptStoreError(
            f"The store {path} is damaged, or is not a store of snakeprov.",
            hint="Restore it from a backup, or move it away to start a new one.",
        )
    reason = _REASONS.get(primary)
    if reason is None:
        return None
    return StoreError(
        f"The store {path} cannot be used: {reason} (SQLite says: {error}).",
        hint="Check the permissions of the folder, the state of the disk and your quota.",
    )
