"""Small contents by their sha256, all in one SQLite file.

A result of a few bytes costs a row instead of an inode, and many of them are kept in one transaction.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any

from snakeprov.blobs.checked import OTHER_BYTES, Checked
from snakeprov.blobs.failures import explained
from snakeprov.disk import privacy
from snakeprov.disk.readonly import may_write, read_only
from snakeprov.disk.shortage import sqlite_shortage
from snakeprov.errors import BusyStoreError, CorruptStoreError, FullStoreError, NewerStoreError, StoreError

FORMAT_VERSION = 1
"""Version of the file's layout, kept in SQLite's `user_version`."""

BUSY_TIMEOUT_S = 30.0
"""How long to wait for another process to finish writing."""

CONNECTIONS_KEPT = 4
"""How many connections stay open between uses; while in use there is one for each thread."""

COMPACTED_PAGES = 5000
"""How many pages of the file are given back in one transaction."""

JOURNAL_MODES = frozenset({"wal", "delete"})

_LAYOUT = "CREATE TABLE IF NOT EXISTS blob (sha256 BLOB PRIMARY KEY NOT NULL, content BLOB NOT NULL)"

# What is put was digested just before; where the row says otherwise, the row has been damaged.
_PUT = """
INSERT INTO blob (sha256, content) VALUES (?, ?)
ON CONFLICT (sha256) DO UPDATE SET content = excluded.content WHERE content IS NOT excluded.content
"""

_BUSY = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL})
# The statements are always the same: one that is wrong for the file (SQLITE_ERROR) shows that the file is not ours.
_CORRUPT = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR})


class SmallBlobs:
    """Contents by sha256, which callers give as 64 lower-case hex digits. The file is made when the first is put.

    Thread-safe, and safe between processes. Every method raises StoreError where the file cannot be used:
    CorruptStoreError when it is damaged, BusyStoreError when another process kept it locked for too long,
    NewerStoreError when a newer version of snakeprov made it.
    """

    def __init__(self, path: Path, *, journal_mode: str) -> None:
        """Name the file; nothing is opened yet.

        Args:
            path: The SQLite file.
            journal_mode: "wal", or "delete" where the file system has no shared memory.

        Raises:
            ValueError: `journal_mode` is something else.
        """
        if journal_mode not in JOURNAL_MODES:
            raise ValueError(f"The journal mode {journal_mode!r} is not known; 'wal' or 'delete' was expected.")
        self._path = path
        self._journal_mode = journal_mode
        self._idle: list[sqlite3.Connection] = []

    def put(self, contents: Mapping[str, bytes]) -> None:
        """Keep contents that the caller has digested, all in one transaction or none of them.

        Raises:
            FullStoreError: No space is left; none of them is kept.
        """
        if not contents:
            return
        rows = [(bytes.fromhex(sha256), content) for sha256, content in contents.items()]
        with self._connected() as connection, connection:  # commits, or rolls back
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(_PUT, rows)

    def get(self, sha256: str) -> bytes | None:
        """Return a content, or None where it is not kept.

        Raises:
            CorruptStoreError: What is kept under the digest is something else.
        """
        content: bytes | None = self._one(
            "SELECT CAST(content AS BLOB) FROM blob WHERE sha256 = ?", bytes.fromhex(sha256)
        )
        if content is not None and hashlib.sha256(content).hexdigest() != sha256:
            raise CorruptStoreError(
                f"The content with the sha256 {sha256} in {self._path} is damaged: its bytes have another sha256.",
                hint="Record the file once more where it still exists, or restore the store from a backup.",
            )
        return content

    def size_bytes(self, sha256: str) -> int | None:
        """Return the length of a content, or None where it is not kept."""
        size_bytes: int | None = self._one("SELECT length(content) FROM blob WHERE sha256 = ?", bytes.fromhex(sha256))
        return size_bytes

    def total_bytes(self) -> int:
        """Return the length of all contents together; reads the whole table."""
        return self._one("SELECT sum(length(content)) FROM blob") or 0

    def contents(self) -> Iterator[tuple[str, int]]:
        """Yield the sha256 and the length of every content."""
        if not self._exists():
            return
        with self._connected() as connection:
            yield from connection.execute("SELECT lower(hex(sha256)), length(content) FROM blob")

    def check(self) -> Iterator[Checked]:
        """Read everything and yield the result of each check; damage to the file itself comes first."""
        if not self._exists():
            return
        try:
            with self._connected() as connection:
                yield from self._check(connection)
        except StoreError as error:
            yield Checked(str(self._path), "", 0, error.message)

    def _check(self, connection: sqlite3.Connection) -> Iterator[Checked]:
        for (line,) in connection.execute("PRAGMA integrity_check"):
            if line != "ok":
                yield Checked(str(self._path), "", 0, f"Its pages do not hang together (SQLite says: {line}).")
        # What is damaged need not have its type any more.
        for sha256, content in connection.execute("SELECT lower(hex(sha256)), CAST(content AS BLOB) FROM blob"):
            is_whole = hashlib.sha256(content or b"").hexdigest() == sha256
            where = f"{self._path}, blob {sha256}"
            yield Checked(where, sha256, len(content or b""), "" if is_whole else OTHER_BYTES)

    def remove(self, sha256: str) -> bool:
        """Remove a content; return whether it was there."""
        if not self._exists():
            return False
        with self._connected() as connection:
            return connection.execute("DELETE FROM blob WHERE sha256 = ?", (bytes.fromhex(sha256),)).rowcount > 0

    def remove_all(self, contents: Sequence[str]) -> None:
        """Remove contents, all in one transaction or none of them."""
        if not contents or not self._exists():
            return
        with self._connected() as connection, connection:  # commits, or rolls back
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany("DELETE FROM blob WHERE sha256 = ?", [(bytes.fromhex(one),) for one in contents])

    def compact(self) -> None:
        """Give the space of removed contents back to the file system, in steps that block other users only briefly."""
        if not self._exists():
            return
        with self._connected() as connection:
            while connection.execute("PRAGMA freelist_count").fetchone()[0]:
                before = connection.execute("PRAGMA page_count").fetchone()[0]
                connection.execute(f"PRAGMA incremental_vacuum({COMPACTED_PAGES})").fetchall()
                if connection.execute("PRAGMA page_count").fetchone()[0] >= before:
                    break
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def close(self) -> None:
        """Close the file once no other thread uses it. It is opened again when needed."""
        while self._idle:
            self._idle.pop().close()

    def _one(self, statement: str, *parameters: bytes) -> Any:
        """Return the only value of the first row; None where there is no row, or no file yet."""
        if not self._exists():
            return None
        with self._connected() as connection:
            row = connection.execute(statement, parameters).fetchone()
        return None if row is None else row[0]

    def _exists(self) -> bool:
        with self._explained():
            return self._path.exists()

    @contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        """Lend a connection; one that has failed is not lent again."""
        with self._explained(), self._checked():
            connection = self._taken() or self._open()
            try:
                yield connection
            except BaseException:
                connection.close()
                raise
            if len(self._idle) < CONNECTIONS_KEPT:
                self._idle.append(connection)
            else:
                connection.close()

    def _checked(self) -> AbstractContextManager[None]:
        """Detect concurrent changes of a file that may not be written."""
        if not self._path.exists() or may_write(self._path):
            return nullcontext()
        file = read_only(self._path)
        if not file.is_current():
            self.close()
        return file.checked()

    def _taken(self) -> sqlite3.Connection | None:
        try:
            return self._idle.pop()
        except IndexError:
            return None

    def _open(self) -> sqlite3.Connection:
        if self._path.exists() and not may_write(self._path):
            connection = read_only(self._path).connect(timeout_s=BUSY_TIMEOUT_S)
            prepare = self._check_version
        else:
            connection = self._made()
            prepare = self._prepare
        try:
            prepare(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _made(self) -> sqlite3.Connection:
        folder = self._path.parent
        folder.parent.mkdir(parents=True, exist_ok=True)
        privacy.make_folder(folder)
        with suppress(FileExistsError):
            os.close(privacy.create(self._path, os.O_RDWR | os.O_EXCL, privacy.file_mode_like(folder)))
        return sqlite3.connect(self._path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False)

    def _prepare(self, connection: sqlite3.Connection) -> None:
        connection.execute("PRAGMA synchronous=NORMAL")
        if _format_version(connection) == 0:
            # Has to be said before there is a table; without it the file would never get smaller.
            connection.execute("PRAGMA auto_vacuum=INCREMENTAL")
            with connection:
                connection.execute("BEGIN IMMEDIATE")
                connection.execute(_LAYOUT)
                connection.execute(f"PRAGMA user_version={FORMAT_VERSION}")
        self._check_version(connection)
        if connection.execute("PRAGMA journal_mode").fetchone()[0] != self._journal_mode:
            try:
                connection.execute(f"PRAGMA journal_mode={self._journal_mode}")
            except sqlite3.OperationalError as error:
                # Refused while another process of this machine has it open in its mode, which is then as good.
                if _primary_code(error) not in _BUSY:
                    raise

    def _check_version(self, connection: sqlite3.Connection) -> None:
        version = _format_version(connection)
        if version != FORMAT_VERSION:
            raise NewerStoreError(
                f"The file {self._path} has format {version}; this version of snakeprov knows format {FORMAT_VERSION}.",
                hint="Upgrade snakeprov.",
            )

    @contextmanager
    def _explained(self) -> Iterator[None]:
        with explained(self._path.parent):
            try:
                yield
            except (sqlite3.Error, UnicodeDecodeError) as error:
                # Messages of SQLite hold names from the file, which need not be text any more.
                is_text = not isinstance(error, UnicodeDecodeError)
                code: int | None = getattr(error, "sqlite_errorcode", None) if is_text else sqlite3.SQLITE_CORRUPT
                if code is None:
                    raise
                raise self._meaning(error, code) from error

    def _meaning(self, error: Exception, code: int) -> StoreError:
        if shortage := sqlite_shortage(code, self._path.parent):
            return FullStoreError(
                f"Nothing more can be kept in {self._path}: {shortage}.",
                hint="Free some space, or lower the size up to which files are kept.",
            )
        if code & 0xFF in _BUSY:
            return BusyStoreError(
                f"The file {self._path} was kept locked by another process for more than {BUSY_TIMEOUT_S:g} seconds.",
                hint="See which process uses it, and run the command once more when that has ended.",
            )
        if code & 0xFF in _CORRUPT:
            return CorruptStoreError(
                f"The file {self._path} is damaged, or is not a file of snakeprov.",
                hint="Restore it from a backup, or move it away: small files that were kept are then missing.",
            )
        return StoreError(
            f"The file {self._path} cannot be used (SQLite says: {error}).",
            hint="Check the permissions of the folder, the state of the disk and your quota.",
        )


def _format_version(connection: sqlite3.Connection) -> int:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return int(version)


def _primary_code(error: sqlite3.Error) -> int | None:
    code: int | None = getattr(error, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF
