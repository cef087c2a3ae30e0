"""Opening a store: absent, new, newer, damaged, foreign, on a file system that cannot do everything."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

from snakeprov.db import open_database, principals, sqlite
from snakeprov.db.tables import SCHEMA_REVISION
from snakeprov.disk.layout import DATABASE_NAME
from snakeprov.errors import (
    BusyStoreError,
    ConfigError,
    CorruptStoreError,
    FullStoreError,
    NewerStoreError,
    NoStoreError,
    StoreError,
)


def test_there_is_no_store_until_one_is_made(tmp_path: Path) -> None:
    """Opening what is not there fails with a hint; with `create` it is made, with nothing left beside it."""
    folder = tmp_path / "a" / "b"
    with pytest.raises(NoStoreError, match=r"There is no store in .*/a/b\. The first tracked run"):
        open_database(folder)
    open_database(folder, create=True).close()

    assert [path.name for path in folder.iterdir()] == [DATABASE_NAME]
    open_database(folder).close()


def test_only_one_of_many_makers_makes_the_store(tmp_path: Path) -> None:
    """Threads that all want to make the store end up with the same one."""
    names: list[str] = []

    def make(number: int) -> None:
        store = open_database(tmp_path, create=True)
        names.append(principals.ensure(store, f"user{number}").name)
        store.close()

    threads = [threading.Thread(target=make, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    store = open_database(tmp_path)
    ids = {principals.ensure(store, name).id for name in names}
    store.close()

    assert ids == {101, 102, 103, 104}
    assert [path.name for path in tmp_path.iterdir()] == [DATABASE_NAME]


def test_a_newer_store_is_not_touched(tmp_path: Path) -> None:
    """A revision that is not known is named beside the one that is, and the hint says which version is needed."""
    open_database(tmp_path, create=True).close()
    connection = sqlite3.connect(tmp_path / DATABASE_NAME)
    connection.execute("UPDATE alembic_version SET version_num = '0099'")
    connection.execute("UPDATE setting SET value = '7.1' WHERE name = 'made_by'")
    connection.commit()
    connection.close()
    content = (tmp_path / DATABASE_NAME).read_bytes()

    with pytest.raises(NewerStoreError, match=f"has revision '0099'.* knows revision '{SCHEMA_REVISION}'") as refused:
        open_database(tmp_path)
    assert str(refused.value).endswith("Upgrade snakeprov to 7.1 or newer.")
    assert (tmp_path / DATABASE_NAME).read_bytes() == content


@pytest.mark.parametrize("content", [b"this is no database, and it is long enough to be one" * 20, b""])
def test_a_file_that_is_no_store_is_told_as_such(tmp_path: Path, content: bytes) -> None:
    """Something else under the store's name, even an empty file, is neither used nor overwritten."""
    (tmp_path / DATABASE_NAME).write_bytes(content)

    with pytest.raises(CorruptStoreError, match=r"not a store of snakeprov"):
        open_database(tmp_path, create=True)
    assert (tmp_path / DATABASE_NAME).read_bytes() == content


def test_a_damaged_store_is_told_as_such(tmp_path: Path) -> None:
    """A store whose pages are overwritten is damaged, wherever that is noticed."""
    open_database(tmp_path, create=True).close()
    path = tmp_path / DATABASE_NAME
    content = bytearray(path.read_bytes())
    content[100:] = b"\xff" * (len(content) - 100)
    path.write_bytes(content)

    with pytest.raises(CorruptStoreError, match="is damaged"):
        open_database(tmp_path)


def test_a_name_that_is_no_text_any_more_is_damage(tmp_path: Path) -> None:
    """SQLite puts the name into a message, which Python cannot decode."""
    with closing(open_database(tmp_path, create=True)) as database:
        whole = database.path.read_bytes()
        damaged = whole.replace(b"tableactivityactivity", b"tableactivit\xffactivit\xff")
        assert damaged != whole
        database.path.write_bytes(damaged)

        with pytest.raises(CorruptStoreError, match="is damaged"), database.read() as tx:
            tx.connection.exec_driver_sql("SELECT * FROM activity")


def test_text_that_the_caller_cannot_decode_is_no_damage(tmp_path: Path) -> None:
    """The error belongs to whoever used the transaction."""
    with (
        closing(open_database(tmp_path, create=True)) as database,
        pytest.raises(UnicodeDecodeError),
        database.read(),
    ):
        b"\xff".decode()


def test_an_unusable_place_is_told_with_path_and_reason(tmp_path: Path) -> None:
    """A folder that is a file, and a store that is a folder, cannot be used; the message says which and why."""
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"/file/x/provenance\.sqlite cannot be made or read: "):
        open_database(tmp_path / "file" / "x", create=True)
    (tmp_path / DATABASE_NAME).mkdir()
    with pytest.raises(StoreError, match=r"cannot be used: it cannot be opened"):
        open_database(tmp_path)


def test_the_journal_fits_the_file_system(tmp_path: Path) -> None:
    """A local disk gets a write-ahead log; the mode can be forced, and changed for a store that exists."""
    store = open_database(tmp_path, create=True)
    assert (store.journal_mode, store.note) == ("wal", "")
    store.close()
    store = open_database(tmp_path, journal_mode="delete")
    with store.read() as tx:
        mode = tx.connection.exec_driver_sql("PRAGMA journal_mode").scalar()
    store.close()

    assert mode == store.journal_mode == "delete"


MOUNTS = rb"""/dev/sda1 / ext4 rw 0 0
server:/home /home nfs4 rw 0 0
/dev/sdb1 /home/ada/scratch\040disk xfs rw 0 0
sshfs /mnt fuse.sshfs rw 0 0
broken line
"""


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("/", "ext4"),
        ("/home", "nfs4"),
        ("/home/ada/.snakeprov", "nfs4"),
        ("/home/ada/scratch disk/x", "xfs"),
        ("/homely", "ext4"),
        ("/mnt/x", "fuse.sshfs"),
    ],
)
def test_the_file_system_is_that_of_the_innermost_mount(tmp_path: Path, folder: str, kind: str) -> None:
    """The kind of file system is read from the list of mounts, whose spaces are escaped."""
    mounts = tmp_path / "mounts"
    mounts.write_bytes(MOUNTS)

    assert sqlite.file_system_of(Path(folder), mounts=mounts) == kind
    assert sqlite.file_system_of(Path(folder), mounts=tmp_path / "none") == ""


def test_network_file_systems_get_a_rollback_journal(tmp_path: Path) -> None:
    """Where the write-ahead log is not safe the store says what it does instead."""
    mounts = tmp_path / "mounts"
    mounts.write_bytes(b"server:/ / nfs4 rw 0 0\n")
    mode, note = sqlite.journal_mode_for(tmp_path, mounts=mounts)

    assert mode == "delete"
    assert note.startswith("The store lies on a nfs4 file system")


def test_the_journal_mode_can_be_forced_by_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The store says so; any other word is refused."""
    monkeypatch.setenv("SNAKEPROV_JOURNAL_MODE", "delete")
    store = open_database(tmp_path, create=True)
    store.close()
    monkeypatch.setenv("SNAKEPROV_JOURNAL_MODE", "memory")
    with pytest.raises(ConfigError, match="SNAKEPROV_JOURNAL_MODE in the environment is 'memory'; expected 'wal'"):
        open_database(tmp_path)

    assert store.journal_mode == "delete"
    assert store.note == "The journal mode is 'delete', because SNAKEPROV_JOURNAL_MODE says so."


@pytest.mark.parametrize(("first", "second"), [("wal", "delete"), ("delete", "wal")])
def test_a_store_that_is_open_in_another_journal_mode_can_be_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first: sqlite.JournalMode, second: sqlite.JournalMode
) -> None:
    """The mode that it has stays while others use it; nobody is locked out."""
    monkeypatch.setattr(sqlite, "BUSY_TIMEOUT_S", 0.2)
    one = open_database(tmp_path, create=True, journal_mode=first)
    with one.read() as tx:
        tx.connection.exec_driver_sql("SELECT count(*) FROM setting").scalar()
        other = open_database(tmp_path, journal_mode=second)
        with other.read() as tx_too:
            assert tx_too.connection.exec_driver_sql("SELECT count(*) FROM setting").scalar() == 1
        other.close()
    assert principals.ensure(one, "ada").id == 101
    one.close()


def test_a_lock_is_waited_for_and_then_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A writer waits for another up to the time limit, and then says that it was locked out."""
    monkeypatch.setattr(sqlite, "BUSY_TIMEOUT_S", 0.05)
    store = open_database(tmp_path, create=True)
    other = sqlite3.connect(tmp_path / DATABASE_NAME, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with (
        pytest.raises(BusyStoreError, match=r"kept locked by another process for more than 0\.05 seconds"),
        store.write(),
    ):
        pass
    other.execute("ROLLBACK")
    with store.write():
        pass
    other.close()
    store.close()


def test_a_full_disk_is_told_and_harms_nothing(tmp_path: Path) -> None:
    """When no space is left the transaction is undone, and what was there before is still there."""
    store = open_database(tmp_path, create=True)
    ada = principals.ensure(store, "ada")
    with pytest.raises(FullStoreError, match="no space is left on the device"), store.write() as tx:
        tx.connection.exec_driver_sql("PRAGMA max_page_count=1")
        for number in range(5000):
            tx.connection.exec_driver_sql(f"INSERT INTO setting (name, value) VALUES ('{number}', '{'x' * 500}')")  # noqa: S608
    store.close()
    store = open_database(tmp_path)

    assert principals.ensure(store, "ada") == ada
    with store.read() as tx:
        assert tx.connection.exec_driver_sql("SELECT count(*) FROM setting").scalar() == 1
    store.close()


def test_a_transaction_is_all_or_nothing(tmp_path: Path) -> None:
    """An exception undoes everything, and a read transaction sees one state throughout."""
    store = open_database(tmp_path, create=True)

    def names() -> int:
        with store.read() as tx:
            return int(tx.connection.exec_driver_sql("SELECT count(*) FROM setting WHERE name = 'a'").scalar_one())

    with pytest.raises(RuntimeError), store.write() as tx:
        tx.connection.exec_driver_sql("INSERT INTO setting (name, value) VALUES ('a', 'b')")
        raise RuntimeError
    assert names() == 0
    with store.read() as before:
        assert before.connection.exec_driver_sql("SELECT count(*) FROM setting WHERE name = 'a'").scalar() == 0
        with store.write() as tx:
            tx.connection.exec_driver_sql("INSERT INTO setting (name, value) VALUES ('a', 'b')")
        assert before.connection.exec_driver_sql("SELECT count(*) FROM setting WHERE name = 'a'").scalar() == 0
    assert names() == 1
    store.close()


def test_the_tables_are_written_for_postgresql_too() -> None:
    """The schema and the prepared statements compile for PostgreSQL."""
    from sqlalchemy.dialects import postgresql
    from sqlalchemy.schema import CreateIndex, CreateTable

    from snakeprov.db import (
        activities,
        entities,
        filehandles,
        jobs,
        lineage,
        revisions,
        runs,
        tables,
        uploads,
    )
    from snakeprov.db.statements import Command, Query

    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    for table in tables.metadata.sorted_tables:
        assert "CREATE TABLE" in str(CreateTable(table).compile(dialect=dialect))
    (partial,) = (one for one in tables.revision.indexes if one.name == "revision_of")
    assert str(CreateIndex(partial).compile(dialect=dialect)).endswith("WHERE of_entity_id IS NOT NULL")
    modules = (activities, entities, filehandles, jobs, lineage, principals, revisions, runs, uploads)
    statements = [item for module in modules for item in vars(module).values() if isinstance(item, Query | Command)]
    assert len(statements) > 30
    for statement in statements:
        assert "json_each" not in statement.bound(dialect, {})[0]


def test_what_is_looked_up_often_is_in_an_index(tmp_path: Path) -> None:
    """The questions that recording and lineage ask are answered from indexes, never by reading a whole table."""
    from snakeprov.db import entities, jobs, lineage
    from snakeprov.db.statements import Query

    store = open_database(tmp_path, create=True)
    with store.read() as tx:
        queries = [entities._AT_PATH, entities._CHILD, entities._CURRENT]
        queries += [item for module in (jobs, lineage) for item in vars(module).values() if type(item) is Query]
        assert len(queries) > 15
        for query in queries:
            text = query.bound(tx.connection.dialect, {})[0]
            cursor = tx.connection.connection.cursor()
            steps = cursor.execute(f"EXPLAIN QUERY PLAN {text}", dict.fromkeys(_names(text), 1)).fetchall()
            # A list given as a parameter is scanned from one end to the other.
            scans = [step[3] for step in steps if step[3].startswith("SCAN") and "VIRTUAL TABLE" not in step[3]]
            assert scans == [], text
            cursor.close()
    store.close()


def _names(text: str) -> list[str]:
    import re

    return re.findall(r":([a-z_0-9]+)", text)


@pytest.mark.parametrize("asked", ["a\0b", "\0", "a\0"])
def test_a_text_that_sqlite_would_cut_off_finds_nothing(tmp_path: Path, asked: str) -> None:
    """Not what is called like its beginning; nor do others, asked for with it, get lost."""
    from sqlalchemy import select

    from snakeprov.db.keys import listed, texts
    from snakeprov.db.tables import setting

    store = open_database(tmp_path, create=True)
    with store.write() as tx:
        for name in ("a", "b\u00e4", ""):
            tx.connection.exec_driver_sql(f"INSERT INTO setting (name, value, checksum) VALUES ('{name}', 'x', 0)")  # noqa: S608
        statement = select(setting.c.name).where(setting.c.name.in_(texts("wanted")))
        found = tx.connection.execute(statement, {"wanted": listed([asked, "b\u00e4"])})
        assert found.scalars().all() == ["b\u00e4"]
    store.close()
