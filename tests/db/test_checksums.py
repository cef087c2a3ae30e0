"""The checksum in each row: every writer of a row writes it, and SQL and Python agree on it."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Boolean, Integer, Table

import snakeprov.db
from snakeprov.db import checksums, open_database, tables
from snakeprov.db.database import Database
from snakeprov.db.statements import change, insert_into


def test_only_one_module_writes_statements_that_write() -> None:
    """No INSERT or UPDATE is made without the checksum."""
    folder = Path(snakeprov.db.__file__).parent
    writers = {
        path.name
        for path in folder.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.module == "sqlalchemy"
        if {"insert", "update"} & {alias.name for alias in node.names}
    }

    assert writers == {"statements.py"}


def test_what_a_checksum_leaves_out_is_in_an_index() -> None:
    """The integrity check of SQLite compares the two copies, so that nothing of a row is without a guard."""
    for table in tables.metadata.sorted_tables:
        if not checksums.covered(table):
            continue
        left_out = [column for column in checksums.content(table) if column not in checksums.covered(table)]
        indexed = {column for index in table.indexes for column in index.columns}

        # A key that the database assigns is the row's place in the table, which every index names.
        assert [
            column for column in left_out if column not in indexed and column is not table.autoincrement_column
        ] == []


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Database:
    """A store."""
    return open_database(tmp_path_factory.mktemp("store"), create=True)


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))


@pytest.mark.parametrize(
    "table", [tables.usage, tables.run, tables.principal, tables.setting], ids=lambda one: one.name
)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_both_ways_to_compute_it_agree(store: Database, table: Table, data: st.DataObject) -> None:
    """A row that was inserted carries what SQL would write, whatever its values; so does one that was changed."""
    values = {}
    for column in checksums.content(table):
        kind = st.booleans() if isinstance(column.type, Boolean) else texts
        if isinstance(column.type, Integer):
            kind = st.integers(-(2**63), 2**63 - 1)
        values[column.name] = data.draw(kind | st.none() if column.nullable else kind)
    with store.write() as tx:
        tx.connection.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
        tx.connection.exec_driver_sql(f"DELETE FROM {table.name}")  # noqa: S608
        tx.run(insert_into(table), **values)
        (inserted,) = tx.connection.execute(table.select()).all()
        tx.connection.execute(change(table))
        (changed,) = tx.connection.execute(table.select()).all()
        tx.connection.exec_driver_sql(f"DELETE FROM {table.name}")  # noqa: S608

    assert inserted.checksum == changed.checksum is not None
