"""Single files: what `stat` says of them, and the digest of their bytes.

Importing this loads neither git nor SQL.

Paths are given as Python's file functions take them, not in text form.
"""

from __future__ import annotations

import hashlib
import os
import stat
from concurrent.futures import ThreadPoolExecutor

from snakeprov.errors import CaptureError, ChangedFileError
from snakeprov.model.digest import Digest
from snakeprov.model.paths import to_text
from snakeprov.model.records import Fingerprint

INLINE_BYTES = 4 << 20
"""Files up to this size are read without a second thread: starting one would take longer."""

INLINE_CHUNK_BYTES = 256 << 10
CHUNK_BYTES = 1 << 20
"""Bytes read at a time, without a second thread and with one; it takes two buffers."""

MD5_FREE_BYTES = 64 << 10
"""The md5 of contents up to this size is always computed: opening the file takes longer."""


class Hasher:
    """Computes the digest of bytes that come in pieces. Not thread-safe.

    >>> hasher = Hasher(md5=True)
    >>> hasher.update(b"abc")
    >>> hasher.digest().md5
    '900150983cd24fb0d6963f7d28e17f72'
    """

    def __init__(self, *, md5: bool = False) -> None:
        """Begin; `md5`: compute that too, which takes more than twice as long as sha256 alone."""
        self._sha256 = hashlib.sha256()
        self._md5 = hashlib.md5(usedforsecurity=False) if md5 else None
        self.size_bytes = 0

    def update(self, chunk: bytes | memoryview) -> None:
        """Take the next bytes."""
        self._sha256.update(chunk)
        if self._md5 is not None:
            self._md5.update(chunk)
        self.size_bytes += len(chunk)

    def digest(self) -> Digest:
        """Return the digest of all bytes so far."""
        md5 = None if self._md5 is None else self._md5.hexdigest()
        return Digest(self._sha256.hexdigest(), md5, self.size_bytes)


def fingerprint(path: str) -> Fingerprint | None:
    """Return what `stat` says of the regular file at `path`, links followed; None if there is none.

    Opens nothing and never raises: a file that cannot be seen is one that is not there.

    >>> fingerprint("/nowhere/at/all") is None
    True
    """
    try:
        status = os.stat(path)  # noqa: PTH116 - once per file of every job: no Path is made
    except (OSError, ValueError):
        return None
    return from_stat(status) if stat.S_ISREG(status.st_mode) else None


def mode(path: str) -> int | None:
    """Return the permissions of the file at `path`, links followed; None if there is none. Never raises."""
    try:
        return os.stat(path).st_mode & 0o777  # noqa: PTH116
    except (OSError, ValueError):
        return None


def from_stat(status: os.stat_result) -> Fingerprint:
    """Return the fingerprint that a result of `os.stat` amounts to."""
    return Fingerprint(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def digest_file(path: str, *, md5: bool = False) -> Digest:
    """Return the digest of the regular file at `path`, links followed.

    A FIFO, a socket or a device is never opened, so this cannot hang on one. The digest has an md5 if `md5` is set, or
    if the file has at most `MD5_FREE_BYTES`.

    Raises:
        CaptureError: There is no regular file, or it cannot be read.
    """
    try:
        # Opening a FIFO, even without blocking, wakes its writer: look first. O_NONBLOCK covers the moment between.
        _require_regular(os.stat(path), path)  # noqa: PTH116
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from error
    try:
        return _digest_regular(descriptor, path, md5=md5)
    finally:
        os.close(descriptor)


def digest_descriptor(descriptor: int, *, md5: bool = False) -> Digest:
    """Return the digest of the whole regular file that is open as `descriptor`.

    Neither moves the offset nor closes the descriptor, so one may be shared between threads.

    Raises:
        CaptureError: It is not a regular file open for reading, or it cannot be read.
    """
    return _digest_regular(descriptor, f"descriptor {descriptor}", md5=md5)


def digest_bytes(content: bytes | memoryview, *, md5: bool = False) -> Digest:
    """Return the digest of bytes in memory, with their md5 where they are few or `md5` is set."""
    hasher = Hasher(md5=md5 or len(content) <= MD5_FREE_BYTES)
    hasher.update(content)
    return hasher.digest()


def digest_held(descriptor: int, expected: Fingerprint, *, any_time: bool = False, md5: bool = False) -> Digest:
    """Return the digest of the regular file that is open as `descriptor`, sure that it is what it was when it was seen.

    Its mode, name and number of links may have changed: it may have been protected, moved or deleted.

    Args:
        descriptor: The file. It is not closed, and its offset is not moved.
        expected: What was seen.
        any_time: Whether its time of modification may be another, too.
        md5: Whether the md5 is needed.

    Raises:
        ChangedFileError: Its size or time of modification is another.
        CaptureError: It cannot be read.
    """
    name = f"descriptor {descriptor}"
    try:
        before = _written(os.fstat(descriptor))
        if before != (expected.size_bytes, before[1] if any_time else expected.mtime_ns):
            raise _changed(name, "since it was seen")
        digest = digest_descriptor(descriptor, md5=md5)
        if _written(os.fstat(descriptor)) != before or digest.size_bytes != expected.size_bytes:
            raise _changed(name, "while it was read")
    except OSError as error:
        raise _unreadable(name, error) from error
    return digest


def _written(status: os.stat_result) -> tuple[int, int]:
    return status.st_size, status.st_mtime_ns


def digest_stable(path: str, expected: Fingerprint | None = None, *, md5: bool = False) -> Digest:
    """Return the digest of the file at `path`, sure that its bytes did not change while they were read.

    Args:
        path: The file.
        expected: The fingerprint it must still have, when given. A change of mode or of links counts as a
            change, since the file system does not tell it from one of the bytes.
        md5: Whether the md5 is needed.

    Raises:
        ChangedFileError: The fingerprint is not the expected one, or was another after reading than before.
        CaptureError: There is no regular file, or it cannot be read.
    """
    before = fingerprint(path)
    if expected is not None and before != expected:
        raise _changed(path, "since it was seen" if before is not None else "since it was seen: it is gone")
    digest = digest_file(path, md5=md5)
    if before is None or fingerprint(path) != before or digest.size_bytes != before.size_bytes:
        raise _changed(path, "while it was read")
    return digest


def _digest_regular(descriptor: int, name: str, *, md5: bool) -> Digest:
    try:
        status = os.fstat(descriptor)
        _require_regular(status, name)
        if status.st_size <= INLINE_BYTES:
            return _digest_inline(descriptor, md5=md5 or status.st_size <= MD5_FREE_BYTES)
        try:
            return _digest_side_by_side(descriptor, md5=md5)
        except RuntimeError:  # no thread can be started: a limit on processes, or the interpreter is ending
            return _digest_inline(descriptor, md5=md5)
    except OSError as error:
        raise _unreadable(name, error) from error


def _digest_inline(descriptor: int, *, md5: bool) -> Digest:
    hasher = Hasher(md5=md5)
    while chunk := os.pread(descriptor, INLINE_CHUNK_BYTES, hasher.size_bytes):
        hasher.update(chunk)
    return hasher.digest()


def _digest_side_by_side(descriptor: int, *, md5: bool) -> Digest:
    """Digest a large file in two threads: here the slower digest, beside it the other and the reading of what is next.

    hashlib and preadv let go of the GIL, so the whole takes about as long as the slower digest alone. One meeting
    of two threads per chunk is the only cost; a third thread, for reading, made it slower.
    """
    sha256 = hashlib.sha256()
    slower, faster = (hashlib.md5(usedforsecurity=False), sha256) if md5 else (sha256, None)
    full, spare = memoryview(bytearray(CHUNK_BYTES)), memoryview(bytearray(CHUNK_BYTES))

    def finish_and_read_ahead(chunk: memoryview, buffer: memoryview, offset: int) -> int:
        if faster is not None:
            faster.update(chunk)
        return os.preadv(descriptor, [buffer], offset)

    size_bytes = 0
    with ThreadPoolExecutor(1, "snakeprov-digest") as beside:
        length = os.preadv(descriptor, [full], 0)
        while length:
            size_bytes += length
            next_length = beside.submit(finish_and_read_ahead, full[:length], spare, size_bytes)
            slower.update(full[:length])
            length = next_length.result()
            full, spare = spare, full
    return Digest(sha256.hexdigest(), slower.hexdigest() if md5 else None, size_bytes)


def _require_regular(status: os.stat_result, name: str) -> None:
    if not stat.S_ISREG(status.st_mode):
        kind = _KINDS.get(stat.S_IFMT(status.st_mode), "not a regular file")
        raise CaptureError(f"'{to_text(name)}' cannot be digested: it is {kind}, and only regular files have a digest.")


_KINDS = {
    stat.S_IFDIR: "a directory",
    stat.S_IFIFO: "a FIFO",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def _unreadable(name: str, error: OSError | ValueError) -> CaptureError:
    reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
    return CaptureError(
        f"'{to_text(name)}' cannot be read for its digest: {reason}.",
        hint="Check that it exists and that you may read it.",
    )


def _changed(path: str, when: str) -> ChangedFileError:
    return ChangedFileError(
        f"'{to_text(path)}' changed {when}, so its digest would not be that of the bytes the job saw.",
        hint="Let nothing else write to the files of a workflow while it runs.",
    )
