"""Content-addressed bytes in a folder."""

from __future__ import annotations

import errno
import hashlib
import os
import sqlite3
import stat
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snakeprov.blobs import loose
from snakeprov.blobs.local import GATHERED_MAX, SMALL_BYTES_MAX, LocalBlobs
from snakeprov.blobs.loose import CHUNK_BYTES
from snakeprov.errors import FullStoreError, StoreError

SMALL = b"hello"
LARGE = b"0123456789abcdef" * (SMALL_BYTES_MAX // 16) + b"!"


def sha256_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def files_below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.fixture
def blobs(tmp_path: Path) -> Iterator[LocalBlobs]:
    opened = LocalBlobs(tmp_path / "blobs")
    yield opened
    opened.close()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "source"
    path.write_bytes(LARGE)
    return path


@pytest.mark.parametrize("content", [SMALL, LARGE], ids=["small", "large"])
def test_a_file_is_kept_as_it_was(blobs: LocalBlobs, source: Path, content: bytes) -> None:
    """What was put comes back, also after the file has changed, and no reader can tell how it is kept."""
    source.write_bytes(content)
    sha256 = sha256_of(content)
    assert blobs.put_file(str(source), sha256) is True
    with source.open("r+b") as file:
        file.write(b"J")

    with blobs.open(sha256) as stored:
        assert stored.seek(2) == 2
        assert stored.read(3) == content[2:5]
        assert stored.read() == content[5:]
    length = len(content)
    assert (blobs.has(sha256), blobs.size_bytes(sha256), blobs.total_bytes()) == (True, length, length)


def test_large_contents_lie_apart_and_small_ones_together(blobs: LocalBlobs, source: Path, tmp_path: Path) -> None:
    """A large content is a read-only file of its own under its digest; small ones make no files."""
    blobs.put_file(str(source), sha256_of(LARGE))
    for number in range(3):
        blobs.put_stream([b"%d" % number])
    kept = tmp_path / "blobs" / sha256_of(LARGE)[:2] / sha256_of(LARGE)

    assert sorted(files_below(tmp_path / "blobs")) == sorted([kept, tmp_path / "blobs" / "small.sqlite"])
    assert kept.stat().st_ino != source.stat().st_ino
    assert kept.stat().st_nlink == 1
    assert stat.S_IMODE(kept.stat().st_mode) & 0o222 == 0
    assert blobs.total_bytes() == len(LARGE) + 3


@pytest.mark.parametrize("content", [SMALL, LARGE], ids=["small", "large"])
def test_a_file_that_has_changed_is_not_kept(blobs: LocalBlobs, source: Path, tmp_path: Path, content: bytes) -> None:
    """A file whose content is not what it was said to be leaves nothing behind."""
    source.write_bytes(content)
    assert blobs.put_file(str(source), sha256_of(b"other")) is False
    assert files_below(tmp_path / "blobs") == []


def test_what_is_kept_is_not_copied_again(blobs: LocalBlobs, source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same large content again costs no reading; a blob that has lost its end is put once more."""
    sha256 = sha256_of(LARGE)
    blobs.put_file(str(source), sha256)
    with monkeypatch.context() as context:
        context.setattr(os, "pread", None)
        assert blobs.put_file(str(source), sha256) is True
    (kept,) = files_below(source.parent / "blobs")
    kept.chmod(0o644)
    kept.write_bytes(b"he")
    assert blobs.put_file(str(source), sha256) is True
    assert kept.read_bytes() == LARGE


_BORDERS = [edge + step for edge in (SMALL_BYTES_MAX, CHUNK_BYTES) for step in (-1, 0, 1)]


@settings(max_examples=20, deadline=None)
@given(length=st.sampled_from([0, 1, *_BORDERS, 3 * CHUNK_BYTES + 7]), pieces=st.integers(1, 5))
def test_any_length_comes_back(tmp_path_factory: pytest.TempPathFactory, length: int, pieces: int) -> None:
    """Content of any length comes back whole, put as a file or as a stream however it is cut."""
    folder = tmp_path_factory.mktemp("blobs")
    content = (b"0123456789abcdef" * (length // 16 + 1))[:length]
    sha256 = sha256_of(content)
    path = folder / "source"
    path.write_bytes(content)
    step = max(1, length // pieces)
    from_file, from_stream = LocalBlobs(folder / "file"), LocalBlobs(folder / "stream")

    assert from_file.put_file(str(path), sha256) is True
    assert from_stream.put_stream(content[at : at + step] for at in range(0, length, step)) == sha256
    for blobs in (from_file, from_stream):
        with blobs.open(sha256) as stored:
            assert stored.read() == content
        assert blobs.size_bytes(sha256) == blobs.total_bytes() == length
        assert (folder / "file" / sha256[:2] / sha256).exists() is (length > SMALL_BYTES_MAX)
        blobs.close()


def test_of_many_files_each_has_its_outcome(blobs: LocalBlobs, tmp_path: Path) -> None:
    """Files are kept together, in order, small or large, twice or once; those that cannot be are told one by one."""
    contents = [b"%d" % number for number in range(GATHERED_MAX + 3)] + [LARGE, SMALL, SMALL]
    files = []
    for number, content in enumerate(contents):
        path = tmp_path / f"{number}.txt"
        path.write_bytes(content)
        files.append((str(path), sha256_of(content)))
    bad = [(files[0][0], sha256_of(b"x")), (str(tmp_path / "none"), sha256_of(SMALL)), (str(tmp_path), sha256_of(b""))]

    outcomes = blobs.put_files([*bad, *files])
    assert outcomes == ["changed", "missing", "unreadable"] + ["kept"] * len(files)
    assert blobs.put_files([]) == []
    for content in contents:
        with blobs.open(sha256_of(content)) as stored:
            assert stored.read() == content
    assert [blobs.has(sha256_of(content)) for content in (b"x", b"")] == [False, False]


def test_files_are_committed_together(blobs: LocalBlobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hundred small files cost one transaction."""
    files = []
    for number in range(100):
        path = tmp_path / f"{number}.txt"
        path.write_bytes(b"%d" % number)
        files.append((str(path), sha256_of(b"%d" % number)))
    statements: list[str] = []
    connect = sqlite3.connect

    def traced(*arguments: Any, **options: Any) -> sqlite3.Connection:
        connection = connect(*arguments, **options)
        connection.set_trace_callback(statements.append)
        return connection

    blobs.put_stream([SMALL])
    blobs.close()
    monkeypatch.setattr(sqlite3, "connect", traced)
    assert blobs.put_files(files) == ["kept"] * 100
    assert [word for word in statements if word.startswith(("BEGIN", "COMMIT"))] == ["BEGIN IMMEDIATE", "COMMIT"]


def test_a_stream_is_kept_under_its_digest(blobs: LocalBlobs, tmp_path: Path) -> None:
    """A stream tells its digest, may be checked against one, and leaves nothing behind when it fails."""
    assert blobs.put_stream([b"he", b"", b"llo"]) == sha256_of(b"hello")
    assert blobs.put_stream([LARGE, b"", LARGE], sha256=sha256_of(LARGE * 2)) == sha256_of(LARGE * 2)
    for content in (SMALL, LARGE):
        with pytest.raises(ValueError, match="was expected"):
            blobs.put_stream([content], sha256=sha256_of(b"y"))

    def broken(content: bytes) -> Any:
        yield content
        raise RuntimeError

    for content in (b"x", LARGE):
        with pytest.raises(RuntimeError):
            blobs.put_stream(broken(content))
    assert blobs.total_bytes() == len(SMALL) + 2 * len(LARGE)
    assert len(files_below(tmp_path / "blobs")) == 2


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "A" * 64, "0" * 63, "0" * 64 + "\n", "/" * 64])
def test_a_name_that_is_no_digest_never_reaches_the_disk(blobs: LocalBlobs, source: Path, name: str) -> None:
    """Only 64 lower-case hex digits name a blob."""
    puts = (lambda name: blobs.put_file(str(source), name), lambda name: blobs.put_files([(str(source), name)]))
    for ask in (blobs.open, blobs.has, blobs.size_bytes, blobs.remove, *puts):
        with pytest.raises(ValueError, match="is not a sha256"):
            ask(name)


def test_what_is_not_kept_is_a_key_error(blobs: LocalBlobs, tmp_path: Path) -> None:
    """A blob that is not there is told apart from one that cannot be read, and asking for it makes no files."""
    absent = sha256_of(b"absent")

    def ask_all() -> None:
        for ask in (blobs.open, blobs.size_bytes):
            with pytest.raises(KeyError):
                ask(absent)
        assert (blobs.has(absent), blobs.remove(absent)) == (False, False)

    ask_all()
    assert blobs.total_bytes() == 0
    assert not (tmp_path / "blobs").exists()
    blobs.put_stream([SMALL])
    ask_all()


@pytest.mark.parametrize("content", [SMALL, LARGE], ids=["small", "large"])
def test_a_blob_can_be_removed(blobs: LocalBlobs, content: bytes) -> None:
    """A removed blob is gone, and can be put again."""
    sha256 = blobs.put_stream([content])

    assert (blobs.remove(sha256), blobs.has(sha256), blobs.total_bytes()) == (True, False, 0)
    assert blobs.remove(sha256) is False
    assert blobs.has(blobs.put_stream([content]))


def test_what_is_no_regular_file_is_refused_at_once(blobs: LocalBlobs, tmp_path: Path) -> None:
    """A FIFO does not make anybody wait; a folder and a missing file are told by the operating system's errors."""
    os.mkfifo(tmp_path / "fifo")
    for name in ("fifo", "."):
        with pytest.raises(OSError, match="not a regular file"):
            blobs.put_file(str(tmp_path / name), sha256_of(b""))
    with pytest.raises(FileNotFoundError):
        blobs.put_file(str(tmp_path / "none"), sha256_of(b""))


def test_a_full_disk_leaves_nothing_half_written(
    blobs: LocalBlobs, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No space is told with a hint, another failure with its reason; neither leaves a blob or a part of one."""
    for code, error in ((errno.ENOSPC, FullStoreError), (errno.EIO, StoreError)):

        def fail(descriptor: int, content: bytes, *, code: int = code) -> int:
            raise OSError(code, os.strerror(code))

        with monkeypatch.context() as context, pytest.raises(error, match="can be kept in"):
            context.setattr(os, "write", fail)
            context.setattr(loose, "_cloned", lambda source, target: False)
            blobs.put_file(str(source), sha256_of(LARGE))
    assert files_below(tmp_path / "blobs") == []


def test_an_unwritable_folder_is_told(tmp_path: Path, source: Path) -> None:
    """Where the folder cannot be made, the message names it."""
    for content in (SMALL, LARGE):
        with pytest.raises(StoreError, match=r"Nothing can be kept in .*/source/blobs"):
            LocalBlobs(source / "blobs").put_stream([content])


@pytest.mark.parametrize("content", [SMALL, b"x" * (2 * CHUNK_BYTES)], ids=["small", "large"])
def test_many_may_put_the_same_at_once(blobs: LocalBlobs, tmp_path: Path, content: bytes) -> None:
    """Threads that put the same content end with one blob."""
    path = tmp_path / "source"
    path.write_bytes(content)
    results: list[bool] = []
    threads = [
        threading.Thread(target=lambda: results.append(blobs.put_file(str(path), sha256_of(content)))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert results == [True] * 4
    assert blobs.total_bytes() == len(content)
    assert len(files_below(tmp_path / "blobs")) == 1


def test_parts_wait_until_they_are_put_together(blobs: LocalBlobs, tmp_path: Path) -> None:
    """A part is replaced by a later one; missing ones are told; discarding removes all of an upload."""
    parts = blobs.parts
    parts.put(7, 2, [b"world"])
    assert parts.md5(7, 1) is None
    with pytest.raises(KeyError):
        list(parts.chunks(7, count=2))
    parts.put(7, 1, [b"wrong"])
    parts.put(7, 1, [b"hello ", b""])

    assert b"".join(parts.chunks(7, count=2)) == b"hello world"
    assert parts.md5(7, 2) == hashlib.md5(b"world", usedforsecurity=False).hexdigest()
    parts.discard(7)
    parts.discard(7)
    assert files_below(tmp_path / "blobs") == []
