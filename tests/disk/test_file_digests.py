"""Fingerprints and digests of single files."""

from __future__ import annotations

import hashlib
import os
import resource
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snakeprov.disk import files
from snakeprov.disk.files import digest_descriptor, digest_file, digest_stable, fingerprint, from_stat
from snakeprov.errors import CaptureError, ChangedFileError
from snakeprov.model.digest import Digest
from snakeprov.model.records import Fingerprint

BORDERS = [0, 1, files.MD5_FREE_BYTES, files.INLINE_CHUNK_BYTES, files.INLINE_BYTES]
BORDERS += [files.INLINE_BYTES + files.CHUNK_BYTES, files.INLINE_BYTES + 2 * files.CHUNK_BYTES]


def parts(digest: Digest) -> tuple[str, str | None, int]:
    """All of a digest: two are equal already when their sha256 is."""
    return digest.sha256, digest.md5, digest.size_bytes


def expected_digest(content: bytes) -> Digest:
    return Digest(hashlib.sha256(content).hexdigest(), hashlib.md5(content).hexdigest(), len(content))  # noqa: S324


@settings(max_examples=25, deadline=None)
@given(border=st.sampled_from(BORDERS), offset=st.integers(-2, 2), seed=st.binary(min_size=1, max_size=16))
def test_digest_is_that_of_hashlib(
    tmp_path_factory: pytest.TempPathFactory, border: int, offset: int, seed: bytes
) -> None:
    """The digests of a file are hashlib's of its bytes, whatever its size is relative to the chunks."""
    size_bytes = max(0, border + offset)
    content = (seed * (size_bytes // len(seed) + 1))[:size_bytes]
    path = tmp_path_factory.mktemp("digest") / "file"
    path.write_bytes(content)
    assert parts(digest_file(str(path), md5=True)) == parts(expected_digest(content))
    assert digest_file(str(path)) == expected_digest(content)


def test_the_md5_of_a_large_file_is_computed_only_where_it_is_asked_for(tmp_path: Path) -> None:
    """Reading for it takes twice as long; for a small file it makes no difference."""
    for size_bytes in (files.MD5_FREE_BYTES + 1, files.INLINE_BYTES + 1):
        (tmp_path / "large").write_bytes(bytes(size_bytes))
        assert digest_file(str(tmp_path / "large")).md5 is None
    (tmp_path / "small").write_bytes(bytes(files.MD5_FREE_BYTES))
    assert digest_file(str(tmp_path / "small")).md5 == expected_digest(bytes(files.MD5_FREE_BYTES)).md5


def test_a_content_is_the_same_with_its_md5_and_without() -> None:
    """The sha256 is the identity, so where the md5 is known makes no other content."""
    with_md5 = expected_digest(b"a")
    without = Digest(with_md5.sha256, None, 1)

    assert with_md5 == without
    assert not with_md5 != without  # noqa: SIM202
    assert len({with_md5, without}) == 1
    assert with_md5 != expected_digest(b"b")


def test_empty_file_has_the_empty_digest(tmp_path: Path) -> None:
    """An empty file has the digest of no bytes."""
    path = tmp_path / "empty"
    path.touch()
    assert digest_file(str(path)) == expected_digest(b"")


def test_large_sparse_file_takes_little_memory(tmp_path: Path) -> None:
    """A file of 100 MB is digested rightly in memory of a few chunks."""
    path = tmp_path / "sparse"
    with path.open("wb") as file:
        file.truncate(100_000_000)
        file.seek(50_000_000)
        file.write(b"here")
    reference = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            reference.update(chunk)
    before_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    digest = digest_file(str(path))
    grown_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kib
    assert (digest.sha256, digest.size_bytes) == (reference.hexdigest(), 100_000_000)
    assert grown_kib < 32 << 10


def test_descriptor_is_left_as_it_was(tmp_path: Path) -> None:
    """Digesting a descriptor reads the whole file, even a deleted one, and neither moves nor closes it."""
    path = tmp_path / "vanishing"
    content = os.urandom(files.INLINE_BYTES + 5)
    path.write_bytes(content)
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.lseek(descriptor, 7, os.SEEK_SET)
        path.unlink()
        assert digest_descriptor(descriptor) == expected_digest(content)
        assert os.lseek(descriptor, 0, os.SEEK_CUR) == 7
    finally:
        os.close(descriptor)


def test_closed_descriptor_is_a_capture_error(tmp_path: Path) -> None:
    """A descriptor that is not open gives our sentence, with the cause chained."""
    descriptor = os.open(tmp_path, os.O_RDONLY)
    os.close(descriptor)
    with pytest.raises(
        CaptureError, match=rf"'descriptor {descriptor}' cannot be read for its digest: Bad file"
    ) as info:
        digest_descriptor(descriptor)
    assert isinstance(info.value.__cause__, OSError)


def test_fifo_is_never_opened(tmp_path: Path) -> None:
    """A FIFO is refused at once, and a writer that waits for a reader goes on waiting."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    opened = threading.Event()

    def write() -> None:
        with fifo.open("wb"):
            opened.set()

    writer = threading.Thread(target=write, daemon=True)
    writer.start()
    time.sleep(0.05)
    with pytest.raises(CaptureError, match=r"fifo' cannot be digested: it is a FIFO, and only regular files"):
        digest_file(str(fifo))
    assert fingerprint(str(fifo)) is None
    assert not opened.wait(0.1)
    os.close(os.open(fifo, os.O_RDONLY | os.O_NONBLOCK))
    writer.join(5)


def test_what_is_not_a_regular_file_is_refused(tmp_path: Path) -> None:
    """A directory, a socket and a device have neither fingerprint nor digest, and the error says what they are."""
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "s"))
        for path, kind in ((tmp_path, "a directory"), (tmp_path / "s", "a socket"), (Path("/dev/zero"), "a device")):
            assert fingerprint(str(path)) is None
            with pytest.raises(CaptureError, match=f"it is {kind}"):
                digest_file(str(path))


@pytest.mark.parametrize(("name", "reason"), [("missing", "No such file or directory"), ("nul\0byte", "null ")])
def test_missing_file_is_a_capture_error(tmp_path: Path, name: str, reason: str) -> None:
    """A path at which there is nothing has no fingerprint, and its digest is an error with reason, hint and cause."""
    path = f"{tmp_path}/{name}"
    assert fingerprint(path) is None
    with pytest.raises(CaptureError, match=f"cannot be read for its digest: .*{reason}") as info:
        digest_file(path)
    assert info.value.hint == "Check that it exists and that you may read it."
    assert info.value.__cause__ is not None


def test_unreadable_file_is_a_capture_error(tmp_path: Path) -> None:
    """A file that may not be read has a fingerprint, and its digest is an error that says so."""
    path = tmp_path / "secret"
    path.write_bytes(b"x")
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("this user (root, say) may read everything")
    assert fingerprint(str(path)) is not None
    with pytest.raises(CaptureError, match="Permission denied"):
        digest_file(str(path))


def test_name_that_is_not_utf8_is_told_in_text_form(tmp_path: Path) -> None:
    """Files whose name is not UTF-8 are digested, and errors about them can be printed anywhere."""
    path = os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9")
    with pytest.raises(CaptureError) as info:
        digest_file(path)
    assert r"caf\xe9" in str(info.value)
    Path(path).write_bytes(b"coffee")
    assert digest_file(path) == expected_digest(b"coffee")


def test_links_are_followed(tmp_path: Path) -> None:
    """The fingerprint and the digest of a link are those of the file it leads to."""
    (tmp_path / "file").write_bytes(b"bytes")
    (tmp_path / "link").symlink_to("file")
    assert fingerprint(str(tmp_path / "link")) == from_stat((tmp_path / "file").stat())
    assert digest_file(str(tmp_path / "link")) == expected_digest(b"bytes")


def test_stable_digest_of_an_unchanged_file(tmp_path: Path) -> None:
    """A file that stays as it is has the same digest with and without an expected fingerprint."""
    path = tmp_path / "file"
    path.write_bytes(b"bytes")
    seen = fingerprint(str(path))
    assert digest_stable(str(path), seen) == digest_stable(str(path)) == expected_digest(b"bytes")


def test_stable_digest_notices_a_change_since_the_fingerprint(tmp_path: Path) -> None:
    """A file with another fingerprint than expected, or none, is reported as changed and not digested."""
    path = tmp_path / "file"
    path.write_bytes(b"old")
    seen = fingerprint(str(path))
    path.write_bytes(b"other")
    with pytest.raises(ChangedFileError, match="file' changed since it was seen, so its digest would not be") as info:
        digest_stable(str(path), seen)
    assert info.value.hint == "Let nothing else write to the files of a workflow while it runs."
    path.unlink()
    with pytest.raises(ChangedFileError, match="changed since it was seen: it is gone"):
        digest_stable(str(path), seen)
    with pytest.raises(CaptureError, match="No such file") as missing:
        digest_stable(str(path))
    assert not isinstance(missing.value, ChangedFileError)


def test_stable_digest_notices_a_change_while_reading(tmp_path: Path) -> None:
    """A file that another process writes to while it is read is reported as changed."""
    path = tmp_path / "growing"
    with path.open("wb") as file:
        file.truncate(64 << 20)
    program = "import sys\nf = open(sys.argv[1], 'r+b', 0)\nprint(flush=True)\nwhile True: f.seek(0); f.write(b'x')"
    with subprocess.Popen([sys.executable, "-c", program, str(path)], stdout=subprocess.PIPE) as writing:
        try:
            assert writing.stdout is not None
            writing.stdout.readline()
            with pytest.raises(ChangedFileError, match="changed while it was read"):
                digest_stable(str(path))
        finally:
            writing.kill()


def test_digest_goes_on_where_no_thread_can_be_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Under a limit on threads a large file is digested in the calling thread."""
    content = os.urandom(files.INLINE_BYTES + 1)
    (tmp_path / "file").write_bytes(content)

    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    assert digest_file(str(tmp_path / "file")) == expected_digest(content)


def open_descriptors() -> list[bool]:
    def is_open(descriptor: int) -> bool:
        try:
            os.fstat(descriptor)
        except OSError:
            return False
        return True

    return [is_open(descriptor) for descriptor in range(256)]


def test_no_descriptor_or_thread_is_left_behind(tmp_path: Path) -> None:
    """Digesting, also where it fails, leaves neither an open descriptor nor a thread."""
    (tmp_path / "file").write_bytes(bytes(files.INLINE_BYTES + 1))
    before = (open_descriptors(), threading.active_count())
    for name in ("file", "missing", "."):
        try:
            digest_file(str(tmp_path / name))
        except CaptureError:
            continue
    assert (open_descriptors(), threading.active_count()) == before


def test_fingerprint_is_five_numbers_of_stat(tmp_path: Path) -> None:
    """A fingerprint holds device, inode, size and the two times of a file."""
    path = tmp_path / "file"
    path.write_bytes(b"12345")
    status = path.stat()
    assert fingerprint(str(path)) == Fingerprint(
        status.st_dev, status.st_ino, 5, status.st_mtime_ns, status.st_ctime_ns
    )


def test_importing_files_loads_neither_git_nor_sql() -> None:
    """Capture in Snakemake's process starts without the libraries that only the recorder needs."""
    program = "import sys, snakeprov.disk.files; print([m for m in ('git', 'gitdb', 'sqlite3') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout == "[]\n"
