"""The database of a store: open it, and run transactions on it."""

from __future__ import annotations

import os
import sqlite3
import traceback
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from sqlalchemy import Engine, bindparam, select
from sqlalchemy.exc import DBAPIError

from snakeprov import __version__
from snakeprov.db import sqlite, tables
from snakeprov.db.migration import CURRENT, MADE_BY, Schema, bring_forward
from snakeprov.db.statements import Command, Query, insert_into
from snakeprov.disk import privacy
from snakeprov.disk.layout import DATABASE_NAME
from snakeprov.disk.readonly import ReadOnlyFile, may_write, read_only
from snakeprov.disk.replacing import publish
from snakeprov.disk.shortage import shortage_in
from snakeprov.errors import NoStoreError, StoreError
from snakeprov.model import times

if TYPE_CHECKING:
    from sqlalchemy import Connection, CursorResult, Executable

R = TypeVar("R", bound=NamedTuple)


class Transaction:
    """One transaction: everything done through it happens together or not at all.

    `connection` runs any Core statement; the methods here run the prepared ones, without SQLAlchemy's cost.
    Belongs to one thread.

    Attributes:
        now_ms: The moment it began; everything written in it carries this one time.
    """

    __slots__ = ("_cursor", "_dialect", "connection", "now_ms")

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.now_ms = times.to_ms(times.now())
        self._dialect = connection.dialect
        self._cursor: Any = connection.connection.cursor()

    def one(self, query: Query[R], **parameters: Any) -> R | None:
        """Return the first row, or None."""
        row = self._cursor.execute(*query.bound(self._dialect, parameters)).fetchone()
        return None if row is None else query.make(row)

    def all(self, query: Query[R], **parameters: Any) -> list[R]:
        """Return every row."""
        make = query.make
        return [make(row) for row in self._cursor.execute(*query.bound(self._dialect, parameters)).fetchall()]

    def plain(self, query: Query[R], **parameters: Any) -> list[R]:
        """Return every row as the driver gives it: a tuple, whose values have no names.

        For answers of ten thousands of rows. Unlike a plain tuple, one with names is looked at by each garbage
        collection, which costs more than making it.
        """
        rows: list[R] = self._cursor.execute(*query.bound(self._dialect, parameters)).fetchall()
        return rows

    def run(self, command: Command, **parameters: Any) -> int:
        """Run a command; return the number of rows it changed."""
        command.complete(parameters)
        self._cursor.execute(*command.bound(self._dialect, parameters))
        return int(self._cursor.rowcount)

    def run_many(self, command: Command, rows: Sequence[dict[str, Any]]) -> None:
        """Run a command once for each of `rows`, the parameters by name, to which those that follow are added."""
        if rows:
            for row in rows:
                command.complete(row)
            self._cursor.executemany(command.bound(self._dialect, {})[0], rows)

    def insert(self, command: Command, **parameters: Any) -> int:
        """Run an INSERT; return the id that the new row was given."""
        command.complete(parameters)
        self._cursor.execute(*command.bound(self._dialect, parameters))
        return int(self._cursor.lastrowid)

    def rows(self, statement: Executable, parameters: Mapping[str, Any] | None = None) -> list[Any]:
        """Return every row of any Core statement as the driver gives it: for long answers, at half the cost.

        A boolean can come as 0 or 1.
        """
        result: CursorResult[Any] = self.connection.execute(statement, parameters)
        return list(result.cursor.fetchall())

    def close(self) -> None:
        """Let go of the rows of the last query; the transaction itself ends where it was begun."""
        self._cursor.close()


class Database:
    """An open database. Thread-safe; `close` it when done.

    Attributes:
        path: The database file.
        journal_mode: "wal", or "delete" where the file system cannot do better.
        note: What a user should know about the way it is opened; empty when there is nothing to say.
    """

    def __init__(
        self,
        path: Path,
        engine: Engine,
        *,
        journal_mode: sqlite.JournalMode,
        note: str,
        file: ReadOnlyFile | None = None,
    ) -> None:
        """Take an open engine; `file` is given where the database may not be written."""
        self.path = path
        self._file = file
        self.journal_mode: str = journal_mode
        self.note = note
        self._readers = engine
        self._writers = engine.execution_options(writes=True)

    @contextmanager
    def read(self) -> Iterator[Transaction]:
        """Open a transaction that sees one state of the store and changes nothing.

        Raises:
            StoreError: The store cannot be read.
        """
        with self._transaction(self._readers) as tx:
            yield tx

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        """Open a transaction that may write: it commits at the end, and rolls back on any exception.

        Raises:
            BusyStoreError: Another process kept the store locked for too long.
            FullStoreError: No space is left.
            StoreError: The store cannot be written.
        """
        with self._transaction(self._writers) as tx:
            yield tx

    def close(self) -> None:
        """Close every connection; the store can be opened again."""
        self._readers.dispose()

    @contextmanager
    def _transaction(self, engine: Engine) -> Iterator[Transaction]:
        checked: AbstractContextManager[None] = nullcontext()
        if self._file is not None:
            if not self._file.is_current():
                self._readers.dispose()
            checked = self._file.checked()
        try:
            with checked, engine.connect() as connection, connection.begin():
                tx = Transaction(connection)
                with closing(tx):
                    yield tx
        except (sqlite3.Error, DBAPIError, UnicodeDecodeError) as error:
            meaning = sqlite.explain(error.orig if isinstance(error, DBAPIError) else error, self.path)
            if meaning is None or (isinstance(error, UnicodeDecodeError) and not _is_of_driver(error)):
                raise
            raise meaning from error


def _is_of_driver(error: Exception) -> bool:
    """Return whether the database's driver raised an error, rather than the code that used the transaction."""
    *_, (frame, _) = traceback.walk_tb(error.__traceback__)
    return str(frame.f_globals["__name__"]).startswith((__name__, sqlite.__name__, "sqlalchemy."))


def open_database(
    folder: Path,
    *,
    create: bool = False,
    journal_mode: sqlite.JournalMode | None = None,
    schema: Schema = CURRENT,
) -> Database:
    """Open the store in `folder`; migrate it if an older version of snakeprov made it.

    Args:
        folder: The store folder; made, with `create`, where it is missing.
        create: Make an empty store if there is none. Safe when several processes do so at once.
        journal_mode: Forces SQLite's journal mode; by default what the file system can do.
        schema: The tables that it is to have.

    Raises:
        NoStoreError: There is none, and `create` is false.
        NewerStoreError: It was made by another, newer version of snakeprov.
        CorruptStoreError: It is damaged, or is not a store.
        BusyStoreError: Another process kept it locked for too long.
        StoreError: It cannot be read or written.
    """
    path = folder / DATABASE_NAME
    note = ""
    try:
        if create:
            folder.parent.mkdir(parents=True, exist_ok=True)
            privacy.make_folder(folder)
        if journal_mode is None:
            journal_mode, note = sqlite.journal_mode_for(folder)
        if not path.exists():
            if not create:
                raise NoStoreError(
                    f"There is no store in {folder}.",
                    hint="The first tracked run of Snakemake creates one.",
                )
            _create(path, journal_mode=journal_mode, schema=schema)
    except OSError as error:
        if shortage := shortage_in(error):
            raise sqlite.full(path, shortage) from error
        raise StoreError(
            f"The store {path} cannot be made or read: {error.strerror or error}.",
            hint="Check that the folder exists and that you may write to it.",
        ) from error
    bring_forward(path, journal_mode=journal_mode, schema=schema)
    engine = sqlite.open_engine(path, journal_mode=journal_mode)
    return Database(
        path, engine, journal_mode=journal_mode, note=note, file=None if may_write(path) else read_only(path)
    )


def _create(path: Path, *, journal_mode: sqlite.JournalMode, schema: Schema) -> None:
    """Make an empty store, complete before it gets its name, so that nobody ever sees half of one."""
    unfinished = path.with_name(f".new-{uuid.uuid4().hex}.sqlite")
    os.close(privacy.create(unfinished, os.O_RDWR | os.O_EXCL, privacy.file_mode(path.parent)))
    try:
        engine = sqlite.open_engine(unfinished, journal_mode=journal_mode)
        database = Database(path, engine, journal_mode=journal_mode, note="")
        with closing(database), database.write() as tx:
            schema.metadata.create_all(tx.connection)
            _fill(tx, revision=schema.revision)
        publish(unfinished, path)
    finally:
        for ending in ("", "-wal", "-shm", "-journal"):
            unfinished.with_name(unfinished.name + ending).unlink(missing_ok=True)


def _fill(tx: Transaction, *, revision: str) -> None:
    tx.run(insert_into(tables.alembic_version), version_num=revision)
    tx.run(insert_into(tables.setting), name=MADE_BY, value=__version__)
    changes = {"created_on": tx.now_ms, "created_by": 0}
    nothing = dict.fromkeys(column.name for column in tables.revision.columns if column.nullable)
    for id_, name in ((tables.ROOT_ID, "root"), (tables.TRASH_ID, "trash")):
        tx.run(
            insert_into(tables.entity),
            id=id_,
            kind=tables.FOLDER,
            name=name,
            parent_id=None,
            project_id=id_,
            path="",
            etag=str(uuid.UUID(int=0)),
            current_version=1,
            last_version=1,
            **changes,
        )
        tx.run(
            insert_into(tables.revision),
            entity_id=id_,
            number=1,
            label="1",
            modified_on=tx.now_ms,
            modified_by=0,
            **changes,
            **nothing,
        )


def setting(tx: Transaction, name: str) -> str | None:
    """Return a setting of the store, or None."""
    statement = select(tables.setting.c.value).where(tables.setting.c.name == bindparam("of_name"))
    return tx.connection.execute(statement, {"of_name": name}).scalar()
