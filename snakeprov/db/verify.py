"""Check that the database is intact: its pages, its rows, and their references to each other.

Three checks overlap. SQLite's integrity check finds pages that do not hang together and indexes that say something
else than their tables; the checksums find rows that say something else than what was written; the references and
counters find rows that have gone. What no check reads is what no query reads: free pages and unused bytes.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import Table, select

from snakeprov.db import checksums, sqlite, tables
from snakeprov.db.tables import STORED
from snakeprov.errors import BusyStoreError
from snakeprov.model.findings import Finding

FINDINGS_MAX = 100
"""Number of findings of one kind reported; the rest appear once these have been fixed."""

TRIES_MAX = 5
"""How often one check is made where the database is changed while it is read."""

HOLDERS_MAX = 3
"""How many of the file versions with one content are named."""

_Check = Callable[[sqlite3.Connection], Iterator[tuple[str, str]]]
"""Finds what is wrong: the row, or nothing, and the sentence that says it."""

_REMEDY = "Restore it from a backup; nothing else can tell what was there."

_SHA256 = re.compile(r"[0-9a-f]{64}")
_CURRENT_VERSION = """
SELECT entity.id, entity.path, entity.current_version, entity.last_version, max(revision.number)
FROM entity LEFT JOIN revision ON revision.entity_id = entity.id
GROUP BY entity.id
HAVING max(revision.number) IS NOT entity.current_version OR max(revision.number) > entity.last_version
"""
_PROJECT = """
SELECT id, path, project_id FROM entity WHERE project_id NOT IN (SELECT id FROM entity)
"""
_STORED = "SELECT DISTINCT sha256 FROM file_handle WHERE kind = ?"
_HOLDERS = """
SELECT entity.path, revision.number
FROM file_handle JOIN revision ON revision.file_handle_id = file_handle.id JOIN entity ON entity.id = revision.entity_id
WHERE file_handle.sha256 = ? ORDER BY entity.path, revision.number LIMIT ?
"""


def check(path: Path, *, counted: Callable[[int], None] = lambda rows: None) -> Iterator[Finding]:
    """Yield what is wrong with the database at `path`. It may be written to meanwhile; nothing is changed in it.

    Raises:
        BusyStoreError: It may not be written, and it changed during each attempt to read it.

    Args:
        path: The database.
        counted: Called with the number of rows compared with their checksums, table by table.
    """
    checks: list[tuple[str, _Check]] = [
        ("", _pages),
        ("", _tables),
        ("", _references),
        *((table.name, _rows_of(table, counted)) for table in tables.metadata.sorted_tables),
        ("entity", _versions),
        ("sqlite_sequence", _counters),
    ]
    for place, one in checks:
        try:
            for where, problem in _found(path, one):
                yield Finding(_place(path, where), problem, _REMEDY)
        except (sqlite3.Error, UnicodeDecodeError) as error:
            yield Finding(_place(path, place), f"It cannot be read (SQLite says: {error}).", _REMEDY)


def stored_contents(path: Path) -> Iterator[str]:
    """Yield the sha256 of each content that the store says it keeps.

    What is damaged is left out: `check` tells.
    """
    try:
        with _reading(path) as connection:
            for (sha256,) in connection.execute(_STORED, (STORED,)):
                if isinstance(sha256, str) and _SHA256.fullmatch(sha256):
                    yield sha256
    except (sqlite3.Error, UnicodeDecodeError):
        return


def holders(path: Path, sha256: str) -> list[str]:
    """Return the first file versions that have a content, as `path@version`."""
    try:
        with _reading(path) as connection:
            return [f"{name}@{number}" for name, number in connection.execute(_HOLDERS, (sha256, HOLDERS_MAX))]
    except (sqlite3.Error, UnicodeDecodeError):
        return []


def _found(path: Path, check: _Check) -> list[tuple[str, str]]:
    """Return what one check finds, or the first of it."""
    tries = TRIES_MAX
    while True:
        try:
            with _reading(path) as connection:
                return list(islice(check(connection), FINDINGS_MAX))
        except BusyStoreError:
            tries -= 1
            if not tries:
                raise


def _place(path: Path, where: str) -> str:
    return f"{path}, {where}" if where else str(path)


@contextmanager
def _reading(path: Path) -> Iterator[sqlite3.Connection]:
    with sqlite.reading(path) as connection:
        # What was damaged need not be text any more.
        connection.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")
        yield connection


def _pages(connection: sqlite3.Connection) -> Iterator[tuple[str, str]]:
    for (line,) in connection.execute(f"PRAGMA integrity_check({FINDINGS_MAX})"):
        if line != "ok":
            said = line.removeprefix("*** in database main ***").strip()
            yield "", f"Its pages do not hang together (SQLite says: {said})."


def _tables(connection: sqlite3.Connection) -> Iterator[tuple[str, str]]:
    for table in tables.metadata.sorted_tables:
        rows = connection.execute("SELECT name FROM pragma_table_info(?)", (table.name,)).fetchall()
        missing = {column.name for column in table.columns} - {name for (name,) in rows}
        if missing:
            yield table.name, f"The table has no {', '.join(sorted(missing))}."


def _references(connection: sqlite3.Connection) -> Iterator[tuple[str, str]]:
    for table, rowid, target, _ in connection.execute("PRAGMA foreign_key_check"):
        row = "a row" if rowid is None else f"row {rowid}"
        yield table, f"In the table {table}, {row} refers to a row of {target} that is not there."


def _rows_of(table: Table, counted: Callable[[int], None]) -> _Check:
    covered = checksums.covered(table)
    keys = list(table.primary_key.columns)
    statement = str(select(*keys, table.c[checksums.NAME], *covered)) if covered else ""

    def rows(connection: sqlite3.Connection) -> Iterator[tuple[str, str]]:
        count = 0
        for row in connection.execute(statement) if covered else ():
            count += 1
            if not _is_right(row[len(keys)], row[len(keys) + 1 :]):
                key = ", ".join(f"{column.name} {value!r}" for column, value in zip(keys, row, strict=False))
                yield f"{table.name} {key}", "The row is not what was written: it does not fit its checksum."
        counted(count)

    return rows


def _is_right(checksum: object, values: Sequence[Any]) -> bool:
    try:
        return checksums.of_values(*values) == checksum
    except UnicodeEncodeError:
        return False


def _versions(connection: sqlite3.Connection) -> Iterator[tuple[str, str]]:
    for id_, path, current, last, newest in connection.execute(_CURRENT_VERSION):
        yield (
            f"entity syn{id_} ({path})",
            f"Its newest version is {newest}; it says that this is {current}, and that the last one made was {last}.",
        )
    for id_, path, project in connection.execute(_PROJECT):
        yield f"entity syn{id_} ({path})", f"It belongs to a project syn{project} that is not there."


def _counters(connection: sqlite3.Connection) -> Iterator[tuple[str, str]]:
    given = dict(connection.execute("SELECT name, seq FROM sqlite_sequence"))
    for table in tables.metadata.sorted_tables:
        key = table.autoincrement_column
        if key is None:
            continue
        (largest,) = connection.execute(f"SELECT max({key.name}) FROM {table.name}").fetchone()  # noqa: S608  our names
        if largest is not None and largest > int(given.get(table.name, 0)):
            yield "sqlite_sequence", f"The next number for {table.name} is smaller than {largest}, which is taken."
