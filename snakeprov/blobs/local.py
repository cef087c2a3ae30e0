"""Content-addressed bytes in a local folder.

Must not know: entities, activities, SQL, HTTP.

A blob lies at `ab/cd/<sha256>`, read-only, and is complete from the moment it has that name. A blob is never a hard
link to a file of the user: writing to that would rewrite what was recorded.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import re
import stat
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from snakeprov.blobs.parts import LocalParts
from snakeprov.errors import FullStoreError, StoreError

CHUNK_BYTES = 1024 * 1024
"""How much is read and written at a time."""

_FICLONE = 0x40049409
_SHA256 = re.compile(r"[0-9a-f]{64}")
_TEMPORARY = "incoming"
_NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT})


class LocalBlobs:
    """The blobs in one folder, which is made when the first is put. Thread-safe, and safe between processes.

    Attributes:
        parts: Where the parts of unfinished uploads wait.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.parts = LocalParts(folder / "uploads")

    def put_file(self, path: str, sha256: str) -> bool:
        """Keep the content of a file; return False when it is not (or no longer) the content `sha256`.

        Content that is kept already is not read again. Where the file system can share extents the copy costs
        nothing; else it is copied. What is kept was digested after it was copied, or while.

        Raises:
            OSError: The file cannot be opened or read, or is not a regular file.
            FullStoreError: No space is left.
            StoreError: The folder cannot be written.
        """
        target = self._path(sha256)
        # Not blocking: opening a FIFO would wait for a writer.
        source = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            status = os.fstat(source)
            if not stat.S_ISREG(status.st_mode):
                raise OSError(errno.EINVAL, "not a regular file", path)
            if _has_size(target, status.st_size):
                return True
            with self._incoming() as (temporary, descriptor):
                if _cloned(source, descriptor):
                    same = _digest(_chunks(descriptor)) == sha256
                else:
                    same = self._write(descriptor, _chunks(source)) == sha256
                if same:
                    self._publish(temporary, target)
            return same
        finally:
            os.close(source)

    def put_stream(self, chunks: Iterable[bytes], *, sha256: str | None = None) -> str:
        """Keep a stream of bytes; return its sha256.

        Raises:
            ValueError: `sha256` was given and the content is another; nothing is kept.
            FullStoreError: No space is left.
            StoreError: The folder cannot be written.
        """
        with self._incoming() as (temporary, descriptor):
            actual = self._write(descriptor, chunks)
            if sha256 is not None and actual != sha256:
                raise ValueError(f"The content has the sha256 {actual}; {sha256} was expected.")
            self._publish(temporary, self._path(actual))
        return actual

    def open(self, sha256: str) -> BinaryIO:
        """Open a blob for reading.

        Raises:
            KeyError: It is not kept.
            StoreError: It cannot be read.
        """
        path = self._path(sha256)
        try:
            return path.open("rb")
        except FileNotFoundError:
            raise KeyError(sha256) from None
        except OSError as error:
            raise StoreError(f"The blob {path} cannot be read: {error.strerror or error}.") from error

    def has(self, sha256: str) -> bool:
        """Say whether a blob is kept."""
        return self._path(sha256).is_file()

    def size_bytes(self, sha256: str) -> int:
        """Return the length of a blob.

        Raises:
            KeyError: It is not kept.
        """
        try:
            return self._path(sha256).stat().st_size
        except FileNotFoundError:
            raise KeyError(sha256) from None

    def total_bytes(self) -> int:
        """Return the length of all blobs together; walks the folder."""
        return sum(path.stat().st_size for path in self._folder.glob("[0-9a-f][0-9a-f]/[0-9a-f][0-9a-f]/*"))

    def remove(self, sha256: str) -> bool:
        """Remove a blob; return whether it was there."""
        try:
            self._path(sha256).unlink()
        except FileNotFoundError:
            return False
        return True

    def _path(self, sha256: str) -> Path:
        if not _SHA256.fullmatch(sha256):
            raise ValueError(f"{sha256!r} is not a sha256: 64 lower-case hex digits were expected.")
        return self._folder / sha256[:2] / sha256[2:4] / sha256

    @contextmanager
    def _incoming(self) -> Iterator[tuple[Path, int]]:
        """Open a new file of ours to write into; whatever is left of it at the end is removed."""
        temporary = self._folder / _TEMPORARY / uuid.uuid4().hex
        with self._explained():
            temporary.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o444)
        try:
            yield temporary, descriptor
        finally:
            os.close(descriptor)
            temporary.unlink(missing_ok=True)

    def _write(self, descriptor: int, chunks: Iterable[bytes]) -> str:
        sha256 = hashlib.sha256()
        for chunk in chunks:
            sha256.update(chunk)
            with self._explained():
                view = memoryview(chunk)
                while view:
                    view = view[os.write(descriptor, view) :]
        return sha256.hexdigest()

    def _publish(self, temporary: Path, target: Path) -> None:
        with self._explained():
            target.parent.mkdir(parents=True, exist_ok=True)
            temporary.rename(target)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if error.errno in _NO_SPACE:
                raise FullStoreError(
                    f"Nothing more can be kept in {self._folder}: no space is left on the device.",
                    hint="Free some space, or lower the size up to which files are kept.",
                ) from error
            raise StoreError(
                f"Nothing can be kept in {self._folder}: {error.strerror or error}.",
                hint="Check the permissions of the folder and the state of the disk.",
            ) from error


def _has_size(path: Path, size_bytes: int) -> bool:
    # After a power cut a blob can be shorter than it was; then it is put once more.
    try:
        return path.stat().st_size == size_bytes
    except FileNotFoundError:
        return False


def _cloned(source: int, target: int) -> bool:
    try:
        fcntl.ioctl(target, _FICLONE, source)
    except OSError:
        return False
    return True


def _chunks(descriptor: int) -> Iterator[bytes]:
    offset = 0
    while chunk := os.pread(descriptor, CHUNK_BYTES, offset):
        yield chunk
        offset += len(chunk)


def _digest(chunks: Iterable[bytes]) -> str:
    sha256 = hashlib.sha256()
    for chunk in chunks:
        sha256.update(chunk)
    return sha256.hexdigest()
