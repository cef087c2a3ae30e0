"""Small contents in one SQLite file."""

from __future__ import annotations

import hashlib
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from snakeprov.blobs import small
from snakeprov.blobs.local import LocalBlobs
from snakeprov.blobs.small import CONNECTIONS_KEPT, FORMAT_VERSION, SmallBlobs
from snakeprov.errors import BusyStoreError, CorruptStoreError, FullStoreError, NewerStoreError, StoreError

HELLO = hashlib.sha256(b"hello").hexdigest()


def by_digest(*contents: bytes) -> dict[str, bytes]:
    return {hashlib.sha256(content).hexdigest(): content for content in contents}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "blobs" / "small.sqlite"


@pytest.fixture(params=["delete", "wal"])
def blobs(path: Path, request: pytest.FixtureRequest) -> Iterator[SmallBlobs]:
    opened = SmallBlobs(path, journal_mode=request.param)
    yield opened
    opened.close()


def run_sql(path: Path, *statements: str) -> Any:
    """Run statements in the file, past our code; return the first value of the last."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in statements:
            row = connection.execute(statement).fetchone()
    return None if row is None else row[0]


def limit_pages(monkeypatch: pytest.MonkeyPatch, pages: int) -> None:
    """Let files of SQLite grow no further than so many pages, as on a disk that is full."""
    connect = sqlite3.connect

    def limited(*arguments: Any, **options: Any) -> sqlite3.Connection:
        connection = connect(*arguments, **options)
        connection.execute(f"PRAGMA max_page_count={pages}")
        return connection

    monkeypatch.setattr(sqlite3, "connect", limited)


def test_the_journal_is_the_one_that_was_asked_for(path: Path) -> None:
    """The file is made with the journal mode of the caller, and follows when a store is moved to another disk."""
    for mode in ("wal", "delete", "wal"):
        with closing(SmallBlobs(path, journal_mode=mode)) as blobs:
            blobs.put(by_digest(mode.encode()))
        assert run_sql(path, "PRAGMA journal_mode") == mode
    with pytest.raises(ValueError, match=r"journal mode 'off' is not known; 'wal' or 'delete' was expected"):
        LocalBlobs(path.parent, journal_mode="off")


def test_a_file_that_is_written_to_keeps_its_journal(path: Path) -> None:
    """Where another process is writing with the plain journal, the file is used with that one too, at once."""
    with closing(SmallBlobs(path, journal_mode="delete")) as first:
        first.put(by_digest(b"hello"))
    with closing(sqlite3.connect(path, isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        with closing(SmallBlobs(path, journal_mode="wal")) as second:
            assert second.get(HELLO) == b"hello"
            assert run_sql(path, "PRAGMA journal_mode") == "delete"


def test_bytes_that_have_changed_are_never_returned(blobs: SmallBlobs, path: Path) -> None:
    """A damaged content is an error that names its digest; putting the content again repairs it."""
    blobs.put(by_digest(b"hello", b"world"))
    run_sql(path, f"UPDATE blob SET content = CAST('jello' AS BLOB) WHERE sha256 = x'{HELLO}'")  # noqa: S608
    with pytest.raises(CorruptStoreError, match=rf"{HELLO} in .*small\.sqlite is damaged"):
        blobs.get(HELLO)
    assert blobs.get(*by_digest(b"world")) == b"world"
    blobs.put(by_digest(b"hello"))
    assert blobs.get(HELLO) == b"hello"


def test_a_damaged_file_is_told_by_its_name(path: Path) -> None:
    """What is no database, has lost its end, or is somebody else's is refused on every way in."""
    blobs = SmallBlobs(path, journal_mode="delete")
    blobs.put({f"{number:064x}": b"x" * 30_000 for number in range(20)})
    blobs.close()
    whole = path.read_bytes()
    foreign = path.with_name("foreign.sqlite")
    run_sql(foreign, "CREATE TABLE other (name TEXT)", f"PRAGMA user_version={FORMAT_VERSION}")
    for content in (b"no database at all, " * 100, whole[:8192], foreign.read_bytes()):
        path.write_bytes(content)
        for use in (blobs.total_bytes, lambda: blobs.get(f"{19:064x}"), lambda: blobs.put(by_digest(b"x" * 9000))):
            with pytest.raises(CorruptStoreError, match=r"The file .*small\.sqlite is damaged"):
                use()
            blobs.close()


def test_a_newer_file_is_left_alone(blobs: SmallBlobs, path: Path) -> None:
    """A file of a later format is refused with what to do."""
    blobs.put(by_digest(b"hello"))
    blobs.close()
    run_sql(path, "PRAGMA user_version=99")
    with pytest.raises(NewerStoreError, match=r"has format 99; .* Upgrade snakeprov"):
        blobs.get(HELLO)


def test_a_file_that_cannot_be_opened_is_told(path: Path) -> None:
    """A folder in its place is an error with SQLite's reason."""
    path.mkdir(parents=True)
    with pytest.raises(StoreError, match=r"small\.sqlite cannot be used \(SQLite says: unable to open"):
        SmallBlobs(path, journal_mode="wal").put(by_digest(b"hello"))


def test_a_full_disk_keeps_all_or_none(blobs: SmallBlobs, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the space ends in the midst of a transaction nothing of it is kept, and what was there is unharmed."""
    blobs.put(by_digest(b"hello"))
    blobs.close()
    large = by_digest(*(bytes([number]) * 60_000 for number in range(4)))
    with monkeypatch.context() as context:
        limit_pages(context, 20)
        with pytest.raises(FullStoreError, match=r"Nothing more can be kept in .*small\.sqlite: no space is left"):
            blobs.put(large)
        assert [blobs.get(sha256) for sha256 in large] == [None] * 4
        assert blobs.get(HELLO) == b"hello"
    blobs.close()
    blobs.put(large)
    assert blobs.total_bytes() == 5 + 4 * 60_000


def test_a_full_disk_is_the_outcome_of_each_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of files that are kept together, the small ones have no space; the others keep their own outcome."""
    files = []
    for name, content in (("a", b"a" * 60_000), ("b", b"b" * 60_000), ("large", b"c" * 70_000)):
        (tmp_path / name).write_bytes(content)
        files.append((str(tmp_path / name), hashlib.sha256(content).hexdigest()))
    files.append((str(tmp_path / "none"), files[0][1]))
    limit_pages(monkeypatch, 10)
    with closing(LocalBlobs(tmp_path / "blobs")) as blobs:
        assert blobs.put_files(files) == ["full", "full", "kept", "missing"]
        assert [blobs.has(sha256) for _, sha256 in files] == [False, False, True, False]
        with pytest.raises(FullStoreError):
            blobs.put_file(*files[0])


def test_waiting_for_another_process_has_an_end(blobs: SmallBlobs, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that stays locked is an error that says how long was waited; afterwards it can be used."""
    monkeypatch.setattr(small, "BUSY_TIMEOUT_S", 0.01)
    blobs.put(by_digest(b"hello"))
    blobs.close()
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(BusyStoreError, match=r"kept locked by another process for more than 0\.01 seconds"):
            blobs.put(by_digest(b"world"))
        assert blobs.get(HELLO) == b"hello"
    blobs.put(by_digest(b"world"))
    assert blobs.total_bytes() == 10


def test_threads_share_it_and_few_connections_stay_open(blobs: SmallBlobs) -> None:
    """Threads may put and read at once; no more than the bound of connections is kept afterwards."""
    failures: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for step in range(5):
                mine = by_digest(b"%d" % step, b"%d %d" % (number, step))
                blobs.put(mine)
                assert [blobs.get(sha256) for sha256 in mine] == list(mine.values())
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(2 * CONNECTIONS_KEPT)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
    assert len(blobs._idle) <= CONNECTIONS_KEPT
    assert all(blobs.get(sha256) is not None for sha256 in by_digest(*(b"%d" % step for step in range(5))))


_PROCESS = """
import sys
from pathlib import Path
from snakeprov.blobs.local import LocalBlobs

blobs = LocalBlobs(Path(sys.argv[1]), journal_mode=sys.argv[3])
print("ready", flush=True)
sys.stdin.readline()
for step in range(15):
    blobs.put_stream([b"%d" % step])
    blobs.put_stream([b"%s %d" % (sys.argv[2].encode(), step)])
blobs.close()
"""


@pytest.mark.parametrize("mode", ["delete", "wal"])
def test_processes_share_it(tmp_path: Path, mode: str) -> None:
    """Processes that make the file and write to it at the same moment lose nothing."""
    names = ["a", "b", "c"]
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", _PROCESS, str(tmp_path / "blobs"), name, mode],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for name in names
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()

    assert [process.communicate(timeout=60)[1] for process in processes] == [""] * 3
    with closing(LocalBlobs(tmp_path / "blobs", journal_mode=mode)) as blobs:
        contents = [b"%d" % step for step in range(15)]
        contents += [b"%s %d" % (name.encode(), step) for name in names for step in range(15)]
        assert all(blobs.has(sha256) for sha256 in by_digest(*contents))
        assert blobs.total_bytes() == sum(map(len, contents))
