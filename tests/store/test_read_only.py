"""Asking a store that may not be written: nothing is made beside it, and no answer mixes two states of it."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from snakeprov.blobs.local import LocalBlobs
from snakeprov.errors import BusyStoreError, StoreError
from snakeprov.store import Store, open_store, principals, sqlite
from snakeprov.store.store import FILE_NAME
from snakeprov.store.verify import check

NOBODY = 65534
CONTENT = b"small"


@contextmanager
def only_reading(folder: Path) -> Iterator[None]:
    """Be somebody who may read the folder and write nothing in it."""
    before = [(path, path.stat().st_mode) for path in (folder, *folder.rglob("*"))]
    for path, _ in before:
        path.chmod(0o555 if path.is_dir() else 0o444)
    is_root = os.geteuid() == 0
    if is_root:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if is_root:
            os.seteuid(0)
        for path, mode in before:
            if path.exists():
                path.chmod(mode)


def state(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Everything in a folder, with times."""
    return {
        str(path): (path.stat().st_mtime_ns, b"" if path.is_dir() else path.read_bytes())
        for path in sorted((folder, *folder.rglob("*")))
    }


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that others may reach."""
    made = Path(tempfile.mkdtemp(prefix="snakeprov-test-"))
    made.chmod(0o755)
    yield made / "store"
    shutil.rmtree(made)


def make(folder: Path, *names: str, journal_mode: sqlite.JournalMode = "wal") -> None:
    with closing(open_store(folder, create=True, journal_mode=journal_mode)) as store:
        for name in names:
            principals.ensure(store, name)


def users(store: Store) -> list[str]:
    with store.read() as tx:
        return [account.name for account in principals.accounts(tx)]


@pytest.mark.parametrize("journal_mode", ["wal", "delete"])
def test_reading_leaves_no_trace(folder: Path, journal_mode: sqlite.JournalMode) -> None:
    """Records, contents and the check of the whole are read; writing is refused, and nothing has changed."""
    make(folder, "ada", journal_mode=journal_mode)
    with closing(LocalBlobs(folder / "blobs", journal_mode=journal_mode)) as blobs:
        sha256 = blobs.put_stream([CONTENT])
    with only_reading(folder):
        before = state(folder)
        with closing(open_store(folder)) as store:
            assert users(store) == ["ada"]
            with pytest.raises(StoreError, match="it cannot be written to"):
                principals.ensure(store, "bob")
        with closing(LocalBlobs(folder / "blobs", journal_mode=journal_mode)) as blobs:
            assert blobs.open(sha256).read() == CONTENT
            assert not blobs.has("0" * 64)
        assert list(check(folder / FILE_NAME)) == []
        assert state(folder) == before


@pytest.mark.parametrize("journal_mode", ["wal", "delete"])
def test_what_a_killed_process_left_is_read(folder: Path, journal_mode: sqlite.JournalMode) -> None:
    """What was committed is seen and what was not is not, from a copy that SQLite recovers."""
    make(folder, "ada", journal_mode=journal_mode)
    source = folder / FILE_NAME
    killed = folder.with_name("killed")
    killed.mkdir()
    with closing(sqlite.connect(source)) as connection:
        connection.execute("PRAGMA cache_size=1")  # so that pages are written before they are committed
        if journal_mode == "wal":
            connection.execute("UPDATE principal SET name = 'eve', checksum = NULL")
        else:
            connection.execute("PRAGMA synchronous=OFF")
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("UPDATE principal SET name = 'eve'")
            connection.executemany(
                "INSERT INTO setting (name, value) VALUES (?, ?)", [(str(n), "x" * 900) for n in range(200)]
            )
        for ending in ("", "-wal", "-journal"):
            if (path := source.with_name(FILE_NAME + ending)).exists():
                shutil.copyfile(path, killed / path.name)
        connection.rollback()
    expected = ["eve"] if journal_mode == "wal" else ["ada"]
    with only_reading(killed):
        before = state(killed)
        with closing(open_store(killed)) as store:
            assert users(store) == expected
            with pytest.raises(StoreError, match="it cannot be written to"):
                principals.ensure(store, "bob")
        assert state(killed) == before


def test_a_reader_sees_what_a_writer_commits(folder: Path) -> None:
    """While a process writes, with its log mapped, and after it has gone, each question sees the latest state."""
    make(folder, "ada")
    with closing(open_store(folder)) as writer:
        principals.ensure(writer, "bob")
        with only_reading(folder):
            store = open_store(folder)
            assert users(store) == ["ada", "bob"]
        principals.ensure(writer, "cyd")
        with only_reading(folder):
            assert users(store) == ["ada", "bob", "cyd"]
    with only_reading(folder):
        assert users(store) == ["ada", "bob", "cyd"]
    make(folder, "dan")
    with only_reading(folder):
        assert users(store) == ["ada", "bob", "cyd", "dan"]
        store.close()


def test_a_change_in_the_middle_of_a_question_is_noticed(folder: Path) -> None:
    """The answer is withheld, since it may mix two states; the next question is answered."""
    make(folder, "ada")
    with only_reading(folder):
        store = open_store(folder)
        with pytest.raises(BusyStoreError, match="was written to while it was read"), store.read() as tx:
            assert [one.name for one in principals.accounts(tx)] == ["ada"]
            if os.geteuid() == NOBODY:
                os.seteuid(0)
            for path in (folder, folder / FILE_NAME):
                path.chmod(0o755)
            make(folder, "bob")
    with only_reading(folder):
        assert users(store) == ["ada", "bob"]
        store.close()


def test_a_store_that_is_closed_to_others_is_told_as_such(folder: Path) -> None:
    """SQLite's error says that permission is missing, not that the store is damaged."""
    make(folder, "ada")
    if os.geteuid() != 0:
        pytest.skip("another user takes root")
    folder.chmod(0o755)
    os.seteuid(NOBODY)
    try:
        with pytest.raises(StoreError, match="cannot be used: it cannot be opened"):
            open_store(folder)
    finally:
        os.seteuid(0)


def test_the_database_is_never_opened_for_writing_by_a_reader(folder: Path) -> None:
    """Also a plain connection of a reader cannot write."""
    make(folder, "ada")
    with (
        only_reading(folder),
        closing(sqlite.connect(folder / FILE_NAME)) as connection,
        pytest.raises(sqlite3.OperationalError, match="readonly"),
    ):
        connection.execute("DELETE FROM principal")
