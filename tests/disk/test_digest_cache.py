"""The cache of digests."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snakeprov.disk import digestcache, files
from snakeprov.disk.digestcache import DigestCache
from snakeprov.model.digest import Digest
from snakeprov.model.records import Fingerprint

S = 1_000_000_000
OLD = Fingerprint(1, 2, 3, 1_000 * S, 1_000 * S)
DIGEST = Digest("ab" * 32, "cd" * 16, 3)


def numbered(number: int) -> Fingerprint:
    return Fingerprint(1, number, 3, 1_000 * S, 1_000 * S)


def test_what_was_put_is_known_after_reopening(tmp_path: Path) -> None:
    """A digest is found again by the next process that opens the file."""
    cache = DigestCache(tmp_path / "cache")
    cache.put(OLD, DIGEST)
    assert cache.get(OLD) == DIGEST
    cache.close()
    again = DigestCache(tmp_path / "cache")
    assert again.get(OLD) == DIGEST
    assert again.problem is None
    again.close()


def test_a_digest_is_completed_when_its_md5_is_asked_for(tmp_path: Path) -> None:
    """What is known without the md5 is a miss for who needs that, and is known with it from then on."""
    cache = DigestCache(tmp_path / "cache")
    cache.put(OLD, Digest(DIGEST.sha256, None, DIGEST.size_bytes))
    cache.close()
    read: list[int] = []

    def read_again() -> Digest:
        read.append(1)
        return DIGEST

    cache = DigestCache(tmp_path / "cache")
    assert cache.digest(OLD, read_again).md5 is None
    assert cache.get(OLD, md5=True) is None
    assert (cache.digest(OLD, read_again, md5=True).md5, read) == (DIGEST.md5, [1])
    cache.close()
    again = DigestCache(tmp_path / "cache")
    found = again.get(OLD, md5=True)
    assert found is not None
    assert found.md5 == DIGEST.md5
    again.close()
    assert digestcache.check(tmp_path / "cache") == []


@pytest.mark.parametrize("field", Fingerprint.__struct_fields__)
def test_any_difference_of_the_fingerprint_is_a_miss(tmp_path: Path, field: str) -> None:
    """A file that differs in device, inode, size or one of its times is not known."""
    cache = DigestCache(tmp_path / "cache")
    cache.put(OLD, DIGEST)
    cache.flush()
    values = {name: getattr(OLD, name) for name in OLD.__struct_fields__}
    values[field] += 1
    assert cache.get(Fingerprint(**values)) is None
    cache.close()


@pytest.mark.parametrize("column", ["sha256", "md5"])
def test_a_row_that_is_damaged_is_a_miss(tmp_path: Path, column: str) -> None:
    """A wrong digest would be recorded as a fact; the check of the file tells that there is one."""
    cache = DigestCache(tmp_path / "cache")
    cache.put(OLD, DIGEST)
    cache.close()
    assert digestcache.check(tmp_path / "cache") == []
    connection = sqlite3.connect(tmp_path / "cache")
    connection.execute(f"UPDATE digest SET {column} = zeroblob(length({column}))")  # noqa: S608
    connection.commit()
    connection.close()

    again = DigestCache(tmp_path / "cache")
    assert again.get(OLD) is None
    again.close()
    assert digestcache.check(tmp_path / "cache") == ["1 of its rows do not fit their checksums."]
    assert digestcache.check(tmp_path / "none") == []


@settings(max_examples=30, deadline=None)
@given(
    fingerprint=st.builds(
        Fingerprint,
        device=st.integers(0, 2**64 - 1),
        inode=st.integers(0, 2**64 - 1),
        size_bytes=st.integers(0, 2**63),
        mtime_ns=st.integers(-(2**70), 10**18),
        ctime_ns=st.integers(-(2**70), 10**18),
    )
)
def test_every_fingerprint_can_be_kept(tmp_path_factory: pytest.TempPathFactory, fingerprint: Fingerprint) -> None:
    """Numbers beyond SQLite's integers, which some file systems give, are kept as well."""
    path = tmp_path_factory.mktemp("cache") / "cache"
    digest = Digest("ab" * 32, "cd" * 16, fingerprint.size_bytes)
    cache = DigestCache(path)
    cache.put(fingerprint, digest)
    cache.close()
    again = DigestCache(path)
    assert again.get(fingerprint) == digest
    assert again.problem is None
    again.close()


@pytest.mark.parametrize(
    ("mtime_ns", "ctime_ns", "age_ns", "kept"),
    [
        (1000 * S, 1000 * S, 2 * S - 1, False),
        (1000 * S, 1000 * S, 2 * S, True),
        (900 * S, 1000 * S, 2 * S - 1, False),
        (1000 * S, 900 * S, 2 * S - 1, False),
        (1000 * S + 1, 1000 * S + 1, digestcache.SETTLED_FINE_NS - 1, False),
        (1000 * S + 1, 1000 * S + 1, digestcache.SETTLED_FINE_NS, True),
        (1000 * S, 1000 * S + 1, digestcache.SETTLED_FINE_NS, False),
        (1000 * S, 1000 * S, -5 * S, False),
    ],
)
def test_young_file_is_not_remembered(mtime_ns: int, ctime_ns: int, age_ns: int, kept: bool) -> None:
    """A file whose times are too near to the start of its reading could change unseen, and is read again."""
    cache = DigestCache(None)
    fingerprint = Fingerprint(1, 2, 3, mtime_ns, ctime_ns)
    cache.put(fingerprint, DIGEST, read_from_ns=max(mtime_ns, ctime_ns) + age_ns)
    assert (cache.get(fingerprint) is not None) is kept


def test_digest_of_another_size_is_not_remembered() -> None:
    """A digest whose size is not the fingerprint's is of other bytes, and is left out."""
    cache = DigestCache(None)
    cache.put(Fingerprint(1, 2, 4, 0, 0), DIGEST)
    assert cache.get(Fingerprint(1, 2, 4, 0, 0)) is None


@pytest.mark.parametrize("content", [b"not a database" * 100, b"SQLite format 3\0" + b"\xff" * 8192])
def test_corrupt_file_works_as_an_empty_cache(tmp_path: Path, content: bytes) -> None:
    """A damaged file is left alone: the cache works in memory and says why."""
    path = tmp_path / "cache"
    path.write_bytes(content)
    cache = DigestCache(path)
    assert cache.get(OLD) is None
    cache.put(OLD, DIGEST)
    cache.flush()
    assert cache.get(OLD) == DIGEST
    assert cache.problem is not None
    assert cache.problem.startswith(f"The digest cache '{path}' is not used: ")
    cache.close()
    assert path.read_bytes() == content


def test_file_damaged_while_open_works_as_an_empty_cache(tmp_path: Path) -> None:
    """A file that is damaged under an open cache makes misses and no errors."""
    path = tmp_path / "cache"
    cache = DigestCache(path)
    for number in range(2000):
        cache.put(numbered(number), DIGEST)
    cache.close()
    cache = DigestCache(path)
    size_bytes = path.stat().st_size
    path.write_bytes(b"\xff" * size_bytes)
    assert cache.get(numbered(7)) is None
    assert cache.problem is not None
    cache.put(OLD, DIGEST)
    cache.close()
    assert cache.get(OLD) == DIGEST


def test_newer_format_and_foreign_database_are_left_alone(tmp_path: Path) -> None:
    """A file of a newer format, or another program's database, is not touched."""
    newer = tmp_path / "newer"
    with sqlite3.connect(newer) as connection:
        connection.execute(f"PRAGMA user_version = {digestcache.FORMAT_VERSION + 1}")
    foreign = tmp_path / "foreign"
    with sqlite3.connect(foreign) as connection:
        connection.execute("CREATE TABLE digest (other)")
    for path, reason in ((newer, "it has format 2, and this snakeprov knows format 1"), (foreign, "already exists")):
        before = path.read_bytes()
        cache = DigestCache(path)
        cache.put(OLD, DIGEST)
        cache.close()
        assert cache.problem is not None
        assert reason in cache.problem
        assert path.read_bytes() == before


def test_folder_that_is_missing_or_a_file_works_as_an_empty_cache(tmp_path: Path) -> None:
    """Where the file cannot be made, the cache works in memory."""
    (tmp_path / "file").touch()
    for path in (tmp_path / "missing" / "cache", tmp_path / "file" / "cache", tmp_path, Path("nul\0byte")):
        cache = DigestCache(path)
        cache.put(OLD, DIGEST)
        assert cache.get(OLD) == DIGEST
        assert cache.problem is not None
        cache.close()


def test_file_has_a_bounded_number_of_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Past the bound the oldest digests go, and a file that was put again counts as young."""
    monkeypatch.setattr(digestcache, "MAX_ROWS", 100)
    cache = DigestCache(tmp_path / "cache")
    for number in range(150):
        cache.put(numbered(number), DIGEST)
        if number == 100:
            cache.flush()
            cache.put(numbered(30), DIGEST)
    cache.close()
    with sqlite3.connect(tmp_path / "cache") as connection:
        assert connection.execute("SELECT count(*) FROM digest").fetchone() == (100,)
    again = DigestCache(tmp_path / "cache")
    known = [number for number in range(150) if again.get(numbered(number))]
    again.close()
    assert known == [30, *range(51, 150)]


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a file the oldest digests go, too."""
    monkeypatch.setattr(digestcache, "MAX_IN_MEMORY", 10)
    cache = DigestCache(None)
    for number in range(25):
        cache.put(numbered(number), DIGEST)
    assert [number for number in range(25) if cache.get(numbered(number))] == list(range(15, 25))


def test_writes_are_batched(tmp_path: Path) -> None:
    """Digests reach the file a batch at a time, or when asked."""
    cache, other = DigestCache(tmp_path / "cache"), DigestCache(tmp_path / "cache")
    for number in range(digestcache.BATCH_ROWS + 1):
        cache.put(numbered(number), DIGEST)
    assert other.get(numbered(0)) == DIGEST
    assert other.get(numbered(digestcache.BATCH_ROWS)) is None
    cache.flush()
    assert other.get(numbered(digestcache.BATCH_ROWS)) == DIGEST
    cache.close()
    other.close()


def test_another_process_that_holds_the_file_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While another process writes, reads are misses and writes wait for the next time."""
    monkeypatch.setattr(digestcache, "BUSY_TIMEOUT_S", 0.05)
    cache = DigestCache(tmp_path / "cache")
    holder = sqlite3.connect(tmp_path / "cache", isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    cache.put(OLD, DIGEST)
    cache.flush()
    assert cache.get(numbered(9)) is None
    holder.execute("ROLLBACK")
    holder.close()
    cache.close()
    assert cache.problem is None
    again = DigestCache(tmp_path / "cache")
    assert again.get(OLD) == DIGEST
    again.close()


def test_file_that_another_process_is_just_making(tmp_path: Path) -> None:
    """A cache that is opened while another process makes the file waits for it and uses it."""
    DigestCache(tmp_path / "layout").close()
    with sqlite3.connect(tmp_path / "layout") as connection:
        (layout,) = connection.execute("SELECT sql FROM sqlite_schema WHERE name = 'digest'").fetchone()
    maker = sqlite3.connect(tmp_path / "cache", isolation_level=None)
    maker.execute("BEGIN IMMEDIATE")
    maker.execute(layout)
    maker.execute(f"PRAGMA user_version = {digestcache.FORMAT_VERSION}")
    opened: list[DigestCache] = []
    opener = threading.Thread(target=lambda: opened.append(DigestCache(tmp_path / "cache")))
    opener.start()
    time.sleep(0.1)
    maker.execute("COMMIT")
    maker.close()
    opener.join()
    assert opened[0].problem is None
    opened[0].close()


def test_many_processes_share_one_file(tmp_path: Path) -> None:
    """Processes that open and fill one new file at the same time all find what each has put."""
    program = (
        "import sys; from pathlib import Path; from snakeprov.disk.digestcache import *\n"
        "n = int(sys.argv[1]); cache = DigestCache(Path(sys.argv[2]))\n"
        "for i in range(300): cache.put(Fingerprint(n, i, 3, 0, 0), Digest('ab' * 32, 'cd' * 16, 3))\n"
        "cache.close(); sys.exit(cache.problem)"
    )
    path = tmp_path / "cache"
    processes = [subprocess.Popen([sys.executable, "-c", program, str(n), str(path)]) for n in range(4)]
    assert [process.wait(60) for process in processes] == [0, 0, 0, 0]
    cache = DigestCache(path)
    assert all(cache.get(Fingerprint(n, i, 3, 0, 0)) == DIGEST for n in range(4) for i in range(300))
    cache.close()


def test_many_threads_share_one_cache(tmp_path: Path) -> None:
    """Threads may use one cache at the same time."""
    cache = DigestCache(tmp_path / "cache")

    def fill(device: int) -> None:
        for inode in range(400):
            cache.put(Fingerprint(device, inode, 3, 0, 0), DIGEST)
            cache.get(Fingerprint(device, inode + 1, 3, 0, 0))

    threads = [threading.Thread(target=fill, args=(device,)) for device in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    cache.close()
    again = DigestCache(tmp_path / "cache")
    assert all(again.get(Fingerprint(device, inode, 3, 0, 0)) for device in range(4) for inode in range(400))
    again.close()


def aged(path: Path, content: bytes) -> str:
    """Write a file and wait until it is old enough to be remembered."""
    path.write_bytes(content)
    now = path.stat().st_ctime_ns
    if not now % S:
        pytest.skip("the file system keeps whole seconds only")
    os.utime(path, ns=(now - 10 * S + 1, now - 10 * S + 1))
    while time.time_ns() - path.stat().st_ctime_ns < digestcache.SETTLED_FINE_NS:
        time.sleep(0.01)
    return str(path)


def test_unchanged_file_is_known_and_a_changed_one_is_not(tmp_path: Path) -> None:
    """A real file is known as long as nothing touches it, in the next process as well."""
    path = aged(tmp_path / "file", b"old")
    seen = files.fingerprint(path)
    assert seen is not None
    cache = DigestCache(tmp_path / "cache")
    cache.put(seen, files.digest_stable(path, seen))
    cache.close()
    again = DigestCache(tmp_path / "cache")
    unchanged = files.fingerprint(path)
    assert unchanged is not None
    assert again.get(unchanged) == files.digest_file(path)
    Path(path).write_bytes(b"new")
    os.utime(path, ns=(seen.mtime_ns, seen.mtime_ns))
    changed = files.fingerprint(path)
    assert changed is not None
    assert (changed.size_bytes, changed.mtime_ns) == (seen.size_bytes, seen.mtime_ns)
    assert again.get(changed) is None
    again.close()
