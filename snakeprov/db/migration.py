"""Migrate an older store in one transaction.

Alembic is imported only where there is something to do: every command opens the store, and it is migrated once.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import Connection, MetaData, inspect, select
from sqlalchemy.exc import DBAPIError

from snakeprov import __version__
from snakeprov.db import checksums, sqlite, tables
from snakeprov.db.statements import change
from snakeprov.errors import CorruptStoreError, NewerStoreError, SnakeprovError, StoreError

if TYPE_CHECKING:
    from alembic.script import ScriptDirectory

MADE_BY = "made_by"
"""The setting that says which version of snakeprov gave the store its revision."""

_FOLDER = Path(__file__).parent / "migrations"


class Schema(NamedTuple):
    """The tables that a store is to have, and how those of older stores become them.

    Attributes:
        revision: What a store with these tables says in `alembic_version`.
        metadata: The tables.
        steps: The folders with Alembic's modules, one module for each step.
    """

    revision: str = tables.SCHEMA_REVISION
    metadata: MetaData = tables.metadata
    steps: tuple[Path, ...] = (_FOLDER / "versions",)


CURRENT = Schema()


def bring_forward(path: Path, *, journal_mode: sqlite.JournalMode, schema: Schema = CURRENT) -> None:
    """Give the store at `path` the tables of `schema`: all that is missing or, when that fails, nothing of it.

    A store that has them is only looked at. Safe between processes: the first one works, the others wait for it.

    Raises:
        NewerStoreError: A newer version of snakeprov made it.
        CorruptStoreError: It is damaged, or is not a store.
        BusyStoreError: Another process kept it locked for too long.
        StoreError: It cannot be read, or a step failed.
    """
    present = _glance(path)
    if present == schema.revision:
        return
    _check_known(path, present, schema)
    engine = sqlite.open_engine(path, journal_mode=journal_mode, checks_references=False)
    try:
        with engine.execution_options(writes=True).begin() as connection:
            _migrate(connection, schema)
    except SnakeprovError:
        raise
    except Exception as error:
        cause = error.orig if isinstance(error, DBAPIError) else error
        raise sqlite.explain(cause, path) or StoreError(
            f"The store {path} could not be brought to revision {schema.revision!r}; it is as it was "
            f"({type(cause).__name__}: {cause}).",
            hint="Please report this; the version of snakeprov that made the store can still use it.",
        ) from error
    finally:
        engine.dispose()


def _migrate(connection: Connection, schema: Schema) -> None:
    from alembic.migration import MigrationContext
    from alembic.operations import Operations

    present = connection.execute(select(tables.alembic_version.c.version_num)).scalar_one()
    if present == schema.revision:
        return  # Another process has done it while this one waited for the lock.
    before = _columns(connection)
    with Operations.context(MigrationContext.configure(connection)):
        for step in reversed(list(_scripts(schema).iterate_revisions(schema.revision, present))):
            step.module.upgrade()
    _renew_checksums(connection, before, schema)
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
    if broken is not None:
        raise ValueError(f"a row of the table {broken[0]!r} refers to a row of {broken[2]!r} that is not there")
    connection.execute(change(tables.alembic_version, version_num=schema.revision))
    connection.execute(change(tables.setting, tables.setting.c.name == MADE_BY, value=__version__))


def _renew_checksums(connection: Connection, before: dict[str, list[str]], schema: Schema) -> None:
    """Write the checksums of the rows in tables that have got other columns."""
    after = _columns(connection)
    for table in schema.metadata.sorted_tables:
        if checksums.covered(table) and before.get(table.name) != after.get(table.name):
            connection.execute(change(table))


def _columns(connection: Connection) -> dict[str, list[str]]:
    inspector = inspect(connection)
    return {name: [column["name"] for column in inspector.get_columns(name)] for name in inspector.get_table_names()}


def _scripts(schema: Schema) -> ScriptDirectory:
    from alembic.script import ScriptDirectory

    return ScriptDirectory(str(_FOLDER), version_locations=[str(folder) for folder in schema.steps])


def _check_known(path: Path, present: str, schema: Schema) -> None:
    """Refuse a store of a revision that no step begins with; nothing is changed in it."""
    if present in {script.revision for script in _scripts(schema).walk_revisions("base", schema.revision)}:
        return
    statement = select(tables.setting.c.value).where(tables.setting.c.name == MADE_BY)
    with sqlite.reading(path) as connection:
        found = connection.execute(str(statement.compile(compile_kwargs={"literal_binds": True}))).fetchone()
    maker = found[0] if found else None
    raise NewerStoreError(
        f"The store {path} has revision {present!r}{f', given to it by snakeprov {maker}' if maker else ''}; "
        f"this is snakeprov {__version__}, which knows revision {schema.revision!r}.",
        hint=f"Upgrade snakeprov{f' to {maker} or newer' if maker else ''}.",
    )


def _glance(path: Path) -> str:
    """Return the revision of a store, at the least possible cost."""
    statement = str(select(tables.alembic_version.c.version_num))
    try:
        with sqlite.reading(path) as connection:
            rows = connection.execute(statement).fetchall()
    except (sqlite3.Error, UnicodeDecodeError) as error:
        raise sqlite.explain(error, path) or _not_a_store(path) from error
    if len(rows) != 1:
        raise _not_a_store(path)
    return str(rows[0][0])


def _not_a_store(path: Path) -> CorruptStoreError:
    return CorruptStoreError(f"{path} is not a store of snakeprov.", hint="Move it away to start a new one.")
