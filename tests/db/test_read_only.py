"""Asking a store that may not be written: nothing is made beside it, and no answer mixes two states of it."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext
from pathlib import Path

import pytest

from snakeprov.blobs.local import LocalBlobs
from snakeprov.db import Database, open_database, principals, sqlite
from snakeprov.db.verify import check
from snakeprov.disk.layout import DATABASE_NAME
from snakeprov.disk.readonly import COPY_TRIES_MAX, ReadOnlyFile
from snakeprov.errors import BusyStoreError, StoreError

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
    with closing(open_database(folder, create=True, journal_mode=journal_mode)) as store:
        for name in names:
            principals.ensure(store, name)


def users(store: Database) -> list[str]:
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
        with closing(open_database(folder)) as store:
            assert users(store) == ["ada"]
            with pytest.raises(StoreError, match="it cannot be written to"):
                principals.ensure(store, "bob")
        with closing(LocalBlobs(folder / "blobs", journal_mode=journal_mode)) as blobs:
            assert blobs.open(sha256).read() == CONTENT
            assert not blobs.has("0" * 64)
        assert list(check(folder / DATABASE_NAME)) == []
        assert state(folder) == before


@pytest.mark.parametrize("journal_mode", ["wal", "delete"])
def test_what_a_killed_process_left_is_read(folder: Path, journal_mode: sqlite.JournalMode) -> None:
    """What was committed is seen and what was not is not, from a copy that SQLite recovers."""
    make(folder, "ada", journal_mode=journal_mode)
    source = folder / DATABASE_NAME
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
            if (path := source.with_name(DATABASE_NAME + ending)).exists():
                shutil.copyfile(path, killed / path.name)
        connection.rollback()
    expected = ["eve"] if journal_mode == "wal" else ["ada"]
    with only_reading(killed):
        before = state(killed)
        with closing(open_database(killed)) as store:
            assert users(store) == expected
            with pytest.raises(StoreError, match="it cannot be written to"):
                principals.ensure(store, "bob")
        assert state(killed) == before


def test_a_reader_sees_what_a_writer_commits(folder: Path) -> None:
    """While a process writes, with its log mapped, and after it has gone, each question sees the latest state."""
    make(folder, "ada")
    with closing(open_database(folder)) as writer:
        principals.ensure(writer, "bob")
        with only_reading(folder):
            store = open_database(folder)
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
        store = open_database(folder)
        with pytest.raises(BusyStoreError, match="was written to while it was read"), store.read() as tx:
            assert [one.name for one in principals.accounts(tx)] == ["ada"]
            if os.geteuid() == NOBODY:
                os.seteuid(0)
            for path in (folder, folder / DATABASE_NAME):
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
            open_database(folder)
    finally:
        os.seteuid(0)


def test_the_database_is_never_opened_for_writing_by_a_reader(folder: Path) -> None:
    """Also a plain connection of a reader cannot write."""
    make(folder, "ada")
    with (
        only_reading(folder),
        closing(sqlite.connect(folder / DATABASE_NAME)) as connection,
        pytest.raises(sqlite3.OperationalError, match="readonly"),
    ):
        connection.execute("DELETE FROM principal")


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A database with a write-ahead log that nobody has open."""
    place = tmp_path / "place"
    place.mkdir()
    return written(place / "database", "ada")


def written(path: Path, name: str, *, journal_mode: str = "wal") -> Path:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(f"PRAGMA journal_mode={journal_mode}")
        connection.execute("CREATE TABLE IF NOT EXISTS names (name)")
        connection.execute("INSERT INTO names VALUES (?)", (name,))
    return path


def left_behind(path: Path, name: str) -> Path:
    """Leave the files that a process leaves which is killed after it has written a name."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("INSERT INTO names VALUES (?)", (name,))
        files = {ending: path.with_name(path.name + ending).read_bytes() for ending in ("", "-wal")}
    for ending, content in files.items():
        path.with_name(path.name + ending).write_bytes(content)
    return path


def names(file: ReadOnlyFile) -> list[str]:
    with closing(file.connect(timeout_s=1)) as connection:
        return [name for (name,) in connection.execute("SELECT name FROM names ORDER BY rowid")]


@pytest.fixture
def copies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which copies are made."""
    place = tmp_path / "copies"
    place.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    return place


def test_what_a_killed_process_left_is_copied_once(database: Path, copies: Path) -> None:
    """Nothing is made beside the database, though that could be; once there is more, the copy is replaced."""
    left_behind(database, "bob")
    before = state(database.parent)
    file = ReadOnlyFile(database)

    assert names(file) == ["ada", "bob"]
    (first,) = copies.iterdir()
    assert names(file) == ["ada", "bob"]
    assert list(copies.iterdir()) == [first]
    assert file.is_current()
    assert state(database.parent) == before

    left_behind(database, "cyd")
    assert not file.is_current()
    assert names(file) == ["ada", "bob", "cyd"]
    (second,) = copies.iterdir()
    assert second != first

    written(database, "dan")
    assert names(file) == ["ada", "bob", "cyd", "dan"]
    assert list(copies.iterdir()) == []


@pytest.mark.parametrize("journal_mode", ["wal", "delete"])
def test_what_was_closed_properly_is_not_copied(database: Path, copies: Path, journal_mode: str) -> None:
    """It needs no room, and connections stay good as long as nobody writes."""
    file = ReadOnlyFile(written(database, "bob", journal_mode=journal_mode))

    assert names(file) == ["ada", "bob"]
    assert file.is_current()
    assert list(copies.iterdir()) == []


def test_what_a_living_process_has_open_is_not_copied(database: Path, copies: Path) -> None:
    """Its log is shared, so each commit is seen."""
    with closing(sqlite3.connect(database, isolation_level=None)) as writer:
        file = ReadOnlyFile(database)
        for name in ("bob", "cyd"):
            writer.execute("INSERT INTO names VALUES (?)", (name,))
            assert names(file)[-1] == name

        assert list(copies.iterdir()) == []


def test_a_file_that_is_no_database_is_not_copied(
    tmp_path: Path, copies: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A copy would be none either."""
    monkeypatch.setattr(tempfile, "tempdir", str(copies / "missing"))
    (tmp_path / "text").write_text("no database" * 100)

    with pytest.raises(sqlite3.DatabaseError, match="not a database"):
        ReadOnlyFile(tmp_path / "text").connect(timeout_s=1)


def test_a_copy_that_no_place_is_left_for_is_refused(
    database: Path, copies: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With what can be done."""
    monkeypatch.setattr(tempfile, "tempdir", str(copies / "missing"))

    with pytest.raises(StoreError, match="No such file or directory") as refused:
        ReadOnlyFile(left_behind(database, "bob")).connect(timeout_s=1)

    assert "TMPDIR" in (refused.value.hint or "")


@pytest.mark.parametrize(("changes", "is_had"), [(1, True), (COPY_TRIES_MAX - 1, True), (COPY_TRIES_MAX, False)])
def test_a_copy_is_made_again_if_the_database_changed_meanwhile(
    database: Path, copies: Path, monkeypatch: pytest.MonkeyPatch, changes: int, is_had: bool
) -> None:
    """A few times: one that mixes two states is never read."""
    left_behind(database, "bob")
    left = iter(range(1, changes + 1))

    def copyfile(source: Path, target: Path) -> object:
        if source == database and (number := next(left, None)) is not None:
            os.utime(database, (number, number))
        return copy(source, target)

    copy = shutil.copyfile
    monkeypatch.setattr(shutil, "copyfile", copyfile)
    file = ReadOnlyFile(database)

    if is_had:
        assert names(file) == ["ada", "bob"]
    else:
        with pytest.raises(BusyStoreError, match="was written to while it was read"):
            names(file)


@pytest.mark.parametrize("kind", ["closed", "copied", "rollback journal"])
@pytest.mark.parametrize("is_failing", [False, True])
def test_only_what_is_read_as_it_lies_there_must_not_change(
    database: Path, copies: Path, kind: str, is_failing: bool
) -> None:
    """Then what was read means nothing, nor does an error that it led to. Copies and locks are safe from that."""
    if kind == "copied":
        left_behind(database, "bob")
    if kind == "rollback journal":
        written(database, "bob", journal_mode="delete")
    file = ReadOnlyFile(database)
    names(file)
    expected: type[Exception] | None = ValueError if is_failing else None
    if kind == "closed":
        expected = BusyStoreError

    with pytest.raises(expected) if expected else nullcontext(), file.checked():
        written(database, "cyd", journal_mode="delete" if kind == "rollback journal" else "wal")
        if is_failing:
            raise ValueError

    with pytest.raises(ValueError), ReadOnlyFile(database).checked():
        raise ValueError
