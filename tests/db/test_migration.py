"""Old stores: the first process that opens one migrates it in one transaction, or leaves it as it was."""

from __future__ import annotations

import multiprocessing
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import BigInteger, Column, MetaData, Table, Text

from snakeprov.db import open_database, principals, tables
from snakeprov.db.migration import CURRENT, Schema
from snakeprov.disk.layout import DATABASE_NAME
from snakeprov.errors import NewerStoreError, StoreError
from tests.db.structure import structure_of

REVISIONS = Path(__file__).parent / "revisions"
"""The SQL of a store of each revision, to be migrated for as long as such stores may exist."""

ADDS_TABLES = '''
"""A table, a column with a default and an index more."""
import sqlalchemy as sa
from alembic import op

revision = "1001"
down_revision = {previous!r}


def upgrade():
    op.create_table(
        "sample",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("checksum", sa.BigInteger),
    )
    op.add_column("principal", sa.Column("mail", sa.Text, server_default="none", nullable=False))
    op.create_index("principal_mail", "principal", ["mail"])
'''

REBUILDS = '''
"""A table that others refer to, made again with another type."""
import sqlalchemy as sa
from alembic import op

revision = "1002"
down_revision = "1001"


def upgrade():
    with op.batch_alter_table("principal") as table:
        table.alter_column("etag", existing_type=sa.String(36), type_=sa.Text, existing_nullable=False)
    {then}
'''


@pytest.fixture
def later(tmp_path: Path) -> Callable[..., Schema]:
    """Give `later(then)`: the schema of a version that is two steps ahead, the second of which ends with `then`."""

    def make(then: str = "pass") -> Schema:
        folder = tmp_path / "steps"
        folder.mkdir(exist_ok=True)
        (folder / "first.py").write_text(ADDS_TABLES.format(previous=CURRENT.revision))
        (folder / "second.py").write_text(REBUILDS.format(then=then))
        metadata = MetaData()
        for table in tables.metadata.sorted_tables:
            table.to_metadata(metadata)
        Table("sample", metadata, Column("id", Text, primary_key=True), Column("checksum", BigInteger))
        metadata.tables["principal"].c.etag.type = Text()
        mail = Column("mail", Text, nullable=False, server_default="none", index=True)
        metadata.tables["principal"].append_column(mail)
        return Schema("1002", metadata, (*CURRENT.steps, folder))

    return make


def old_store(folder: Path) -> Path:
    """Make a store of today with something in it; return its database."""
    store = open_database(folder, create=True)
    principals.ensure(store, "ada")
    with store.write() as tx:
        tx.connection.exec_driver_sql(
            "INSERT INTO token (sha256, user_id, scopes, created_on) VALUES ('ab', 101, 'view', 1)"
        )
    store.close()
    return folder / DATABASE_NAME


def rows(path: Path, statement: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(statement).fetchall()


def test_the_revision_of_today_is_written_down(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """The tables of a revision that has been released never change; a change to them is a new revision."""
    open_database(tmp_path, create=True).close()
    with closing(sqlite3.connect(tmp_path / DATABASE_NAME)) as connection:
        statements = [
            sql for (sql,) in connection.execute("SELECT sql FROM sqlite_schema ORDER BY type = 'index', name") if sql
        ]
    text = ";\n".join(one for one in statements if "sqlite_sequence" not in one) + ";\n"
    kept = REVISIONS / f"{CURRENT.revision}.sql"
    if request.config.getoption("--update-golden"):
        kept.write_text(text, encoding="utf-8")

    assert text == kept.read_text(encoding="utf-8"), "the tables have changed: see --update-golden"


@pytest.mark.parametrize("revision", sorted(path.stem for path in REVISIONS.glob("*.sql")))
def test_a_store_of_any_revision_becomes_what_a_new_one_is(tmp_path: Path, revision: str) -> None:
    """Whatever it began as, its tables, columns, indexes and references are those of a store made today."""
    (tmp_path / "old").mkdir()
    old = tmp_path / "old" / DATABASE_NAME
    with closing(sqlite3.connect(old)) as connection:
        connection.executescript((REVISIONS / f"{revision}.sql").read_text(encoding="utf-8"))
        connection.execute("INSERT INTO alembic_version VALUES (?)", (revision,))
        connection.commit()
    open_database(tmp_path / "old").close()
    open_database(tmp_path / "new", create=True).close()

    assert structure_of(old) == structure_of(tmp_path / "new" / DATABASE_NAME)


def test_an_old_store_is_brought_forward_and_keeps_what_it_held(tmp_path: Path, later: Callable[..., Schema]) -> None:
    """After two steps it has the tables of a new one and its own rows, with references and checksums that are right."""
    path = old_store(tmp_path / "old")
    schema = later()
    open_database(tmp_path / "new", create=True, schema=schema).close()
    store = open_database(tmp_path / "old", schema=schema)
    with store.read() as tx:
        right = "checksum IS row_checksum(id, name, etag, created_on, disabled_on, mail)"
        wrong = tx.connection.exec_driver_sql(f"SELECT count(*) FROM principal WHERE NOT {right}").scalar()  # noqa: S608
    store.close()

    assert structure_of(path) == structure_of(tmp_path / "new" / DATABASE_NAME)
    assert rows(path, "SELECT version_num FROM alembic_version") == [("1002",)]
    assert rows(path, "SELECT name, mail FROM principal JOIN token ON user_id = principal.id") == [("ada", "none")]
    assert wrong == 0
    with pytest.raises(NewerStoreError, match="has revision '1002'"):
        open_database(tmp_path / "old")


@pytest.mark.parametrize(
    ("then", "reason"),
    [
        ("raise RuntimeError('the disk burns')", "RuntimeError: the disk burns"),
        ("op.execute('DELETE FROM principal')", "a row of the table 'token' refers to a row of 'principal'"),
        ("op.execute('SELECT nonsense')", "no such column: nonsense"),
    ],
)
def test_a_step_that_fails_leaves_the_store_as_it_was(
    tmp_path: Path, later: Callable[..., Schema], then: str, reason: str
) -> None:
    """Also the steps before it are undone, byte for byte; the version that made the store can still use it."""
    path = old_store(tmp_path / "old")
    before = path.read_bytes()
    with pytest.raises(StoreError, match=r"could not be brought to revision '1002'; it is as it was") as failed:
        open_database(tmp_path / "old", schema=later(then))

    assert reason in str(failed.value)
    assert path.read_bytes() == before
    store = open_database(tmp_path / "old")
    assert principals.ensure(store, "ada").id == 101
    store.close()


def _open(folder: Path, schema: Schema, barrier: object) -> None:
    barrier.wait()  # type: ignore[attr-defined]
    open_database(folder, schema=schema).close()


def test_of_several_processes_that_open_an_old_store_one_migrates(tmp_path: Path, later: Callable[..., Schema]) -> None:
    """Each of them gets the new store; the steps run once."""
    path = old_store(tmp_path / "old")
    schema = later(f"open({str(tmp_path / 'ran')!r}, 'a').write('x'); import time; time.sleep(0.3)")
    context = multiprocessing.get_context("fork")
    barrier = context.Barrier(3)
    processes = [context.Process(target=_open, args=(tmp_path / "old", schema, barrier)) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()

    assert [process.exitcode for process in processes] == [0, 0, 0]
    assert (tmp_path / "ran").read_text() == "x"
    assert rows(path, "SELECT version_num FROM alembic_version") == [("1002",)]


def test_opening_a_store_of_today_does_not_import_alembic(tmp_path: Path) -> None:
    """It is opened by every command."""
    import subprocess
    import sys

    code = (
        "import sys; from pathlib import Path; from snakeprov.db import open_database;"
        f"open_database(Path({str(tmp_path)!r}), create=True).close(); open_database(Path({str(tmp_path)!r})).close();"
        "print('alembic' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "False\n"
