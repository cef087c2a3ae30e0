"""Content-addressed bytes in a folder."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snakeprov.blobs import local
from snakeprov.blobs.local import CHUNK_BYTES, LocalBlobs
from snakeprov.errors import FullStoreError, StoreError


def sha256_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def files_below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.fixture
def blobs(tmp_path: Path) -> LocalBlobs:
    return LocalBlobs(tmp_path / "blobs")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "source"
    path.write_bytes(b"hello")
    return path


def test_a_file_is_kept_as_it_was(blobs: LocalBlobs, source: Path, tmp_path: Path) -> None:
    """What was put comes back, also after the file has changed; it lies under its digest, read-only and apart."""
    sha256 = sha256_of(b"hello")
    assert blobs.put_file(str(source), sha256) is True
    kept = tmp_path / "blobs" / sha256[:2] / sha256[2:4] / sha256
    with source.open("r+b") as file:
        file.write(b"J")

    with blobs.open(sha256) as stored:
        assert stored.read() == b"hello"
    assert kept.stat().st_ino != source.stat().st_ino
    assert kept.stat().st_nlink == 1
    assert stat.S_IMODE(kept.stat().st_mode) & 0o222 == 0
    assert files_below(tmp_path / "blobs") == [kept]
    assert (blobs.has(sha256), blobs.size_bytes(sha256), blobs.total_bytes()) == (True, 5, 5)


def test_a_file_that_has_changed_is_not_kept(blobs: LocalBlobs, source: Path, tmp_path: Path) -> None:
    """A file whose content is not what it was said to be leaves nothing behind."""
    assert blobs.put_file(str(source), sha256_of(b"other")) is False
    assert files_below(tmp_path / "blobs") == []


def test_what_is_kept_is_not_copied_again(blobs: LocalBlobs, source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same content a second time costs no reading; a blob that has lost its end is put once more."""
    sha256 = sha256_of(b"hello")
    blobs.put_file(str(source), sha256)
    with monkeypatch.context() as context:
        context.setattr(os, "pread", None)
        assert blobs.put_file(str(source), sha256) is True
    kept = next(path for path in files_below(source.parent / "blobs"))
    kept.chmod(0o644)
    kept.write_bytes(b"he")
    assert blobs.put_file(str(source), sha256) is True
    assert kept.read_bytes() == b"hello"


@settings(max_examples=15, deadline=None)
@given(length=st.sampled_from([0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES + 7]))
def test_any_length_comes_back(tmp_path_factory: pytest.TempPathFactory, length: int) -> None:
    """Empty content, and content around the borders of what is read at a time, comes back whole."""
    folder = tmp_path_factory.mktemp("blobs")
    content = (b"0123456789abcdef" * (length // 16 + 1))[:length]
    path = folder / "source"
    path.write_bytes(content)
    blobs = LocalBlobs(folder / "blobs")

    assert blobs.put_file(str(path), sha256_of(content)) is True
    with blobs.open(sha256_of(content)) as stored:
        assert stored.read() == content


def test_a_stream_is_kept_under_its_digest(blobs: LocalBlobs, tmp_path: Path) -> None:
    """A stream tells its digest, may be checked against one, and leaves nothing behind when it fails."""
    assert blobs.put_stream([b"he", b"", b"llo"]) == sha256_of(b"hello")
    with pytest.raises(ValueError, match="was expected"):
        blobs.put_stream([b"x"], sha256=sha256_of(b"y"))

    def broken() -> Any:
        yield b"x"
        raise RuntimeError

    with pytest.raises(RuntimeError):
        blobs.put_stream(broken())
    assert len(files_below(tmp_path / "blobs")) == 1


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "A" * 64, "0" * 63, "0" * 64 + "\n", "/" * 64])
def test_a_name_that_is_no_digest_never_reaches_the_disk(blobs: LocalBlobs, source: Path, name: str) -> None:
    """Only 64 lower-case hex digits name a blob."""
    for ask in (blobs.open, blobs.has, blobs.size_bytes, blobs.remove, lambda name: blobs.put_file(str(source), name)):
        with pytest.raises(ValueError, match="is not a sha256"):
            ask(name)


def test_what_is_not_kept_is_a_key_error(blobs: LocalBlobs) -> None:
    """A blob that is not there is told apart from one that cannot be read."""
    absent = sha256_of(b"absent")
    for ask in (blobs.open, blobs.size_bytes):
        with pytest.raises(KeyError):
            ask(absent)
    assert (blobs.has(absent), blobs.remove(absent), blobs.total_bytes()) == (False, False, 0)


def test_a_blob_can_be_removed(blobs: LocalBlobs) -> None:
    """A removed blob is gone."""
    sha256 = blobs.put_stream([b"x"])

    assert (blobs.remove(sha256), blobs.has(sha256)) == (True, False)


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
            context.setattr(local, "_cloned", lambda source, target: False)
            blobs.put_file(str(source), sha256_of(b"hello"))
    assert files_below(tmp_path / "blobs") == []


def test_an_unwritable_folder_is_told(tmp_path: Path, source: Path) -> None:
    """Where the folder cannot be made, the message names it."""
    with pytest.raises(StoreError, match=r"Nothing can be kept in .*/source/blobs"):
        LocalBlobs(source / "blobs").put_stream([b"x"])


def test_many_may_put_the_same_at_once(blobs: LocalBlobs, tmp_path: Path) -> None:
    """Threads that put the same content end with one blob."""
    content = b"x" * (2 * CHUNK_BYTES)
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
