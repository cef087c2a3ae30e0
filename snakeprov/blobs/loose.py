"""Contents by their sha256, each in a file of its own.

A content lies at `ab/<sha256>`, read-only, and is complete from the moment it has that name. It is never a hard link to
a file of the user: writing to that would rewrite what was recorded.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import uuid
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from snakeprov.blobs.checked import NOT_YOURS, OTHER_BYTES, Checked
from snakeprov.blobs.failures import explained
from snakeprov.disk import privacy
from snakeprov.disk.layout import INCOMING_NAME
from snakeprov.errors import StoreError

CHUNK_BYTES = 1024 * 1024
"""How much is read and written at a time."""

CHECKED_AT_ONCE = 4
"""How many files are read side by side when all are checked: digests are computed without Python's lock."""

CHECKED_TOGETHER = 256
"""How many files wait to be checked at most."""

_FICLONE = 0x40049409
_READ_ONLY = 0o444
_OTHERS = 0o044
_SHA256 = re.compile(r"[0-9a-f]{64}")


class LooseBlobs:
    """Contents by sha256, which callers give as 64 lower-case hex digits. Thread-safe, and safe between processes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, source: int, sha256: str, *, status: os.stat_result) -> bool:
        """Keep the content of an open file; return False when it is not (or no longer) the content `sha256`.

        Content that is kept already is not read again. Where the file system can share extents the copy costs
        nothing; else it is copied. What is kept was digested after it was copied, or while.

        The copy is never more readable than the file.

        Args:
            source: Descriptor of a regular file; its position does not matter.
            sha256: What its content should be.
            status: Of that file.

        Raises:
            OSError: The file cannot be read.
            FullStoreError: No space is left.
            StoreError: The folder cannot be written.
        """
        target = self._path(sha256)
        with explained(self._folder):
            self._make()
            mode = privacy.copied_mode(status, self._folder.stat())
            if _is_whole(target, status.st_size, mode):
                return True
        with self._incoming(mode) as (temporary, descriptor):
            if _cloned(source, descriptor):
                same = _digest(_chunks(descriptor)) == sha256
            else:
                same = self._write(descriptor, _chunks(source)) == sha256
            if same:
                self._publish(temporary, target)
        return same

    def may_share(self, status: os.stat_result) -> bool:
        """Return whether everybody who may read the folder may read a file with this status.

        Raises:
            StoreError: The folder cannot be made or read.
        """
        with explained(self._folder):
            self._make()
            folder = self._folder.stat()
        return not folder.st_mode & _OTHERS & ~privacy.copied_mode(status, folder)

    def put_stream(self, chunks: Iterable[bytes], *, sha256: str | None = None) -> str:
        """Keep a stream of bytes; return its sha256.

        Raises:
            ValueError: `sha256` was given and the content is another; nothing is kept.
            FullStoreError: No space is left.
            StoreError: The folder cannot be written.
        """
        with explained(self._folder):
            self._make()
            mode = privacy.file_mode_like(self._folder) & _READ_ONLY
        with self._incoming(mode) as (temporary, descriptor):
            actual = self._write(descriptor, chunks)
            check(actual, sha256)
            self._publish(temporary, self._path(actual))
        return actual

    def open(self, sha256: str) -> BinaryIO:
        """Open a content for reading.

        Raises:
            KeyError: It is not kept.
            StoreError: It cannot be read.
        """
        path = self._path(sha256)
        try:
            return path.open("rb")
        except FileNotFoundError:
            raise KeyError(sha256) from None
        except PermissionError as error:
            raise StoreError(
                f"You may not read {path}: it is a copy of a private file.", hint="Ask the owner of that file."
            ) from error
        except OSError as error:
            raise StoreError(f"The blob {path} cannot be read: {error.strerror or error}.") from error

    def has(self, sha256: str) -> bool:
        """Return whether a content is kept."""
        return self._path(sha256).is_file()

    def size_bytes(self, sha256: str) -> int:
        """Return the length of a content.

        Raises:
            KeyError: It is not kept.
        """
        try:
            return self._path(sha256).stat().st_size
        except FileNotFoundError:
            raise KeyError(sha256) from None

    def total_bytes(self) -> int:
        """Return the length of all contents together; walks the folder."""
        return sum(path.stat().st_size for path in self._paths())

    def contents(self) -> Iterator[tuple[str, int]]:
        """Yield the sha256 and the length of every content; walks the folder."""
        for path in self._paths():
            if _SHA256.fullmatch(path.name):
                try:
                    yield path.name, path.stat().st_size
                except FileNotFoundError:
                    continue

    def check(self) -> Iterator[Checked]:
        """Read everything, several files in parallel, and yield the result of each check."""
        paths = iter(sorted(self._paths()))
        with ThreadPoolExecutor(CHECKED_AT_ONCE, thread_name_prefix="snakeprov-check") as pool:
            while some := list(islice(paths, CHECKED_TOGETHER)):
                yield from pool.map(_checked, some)

    def unfinished(self) -> list[Path]:
        """Return the files of contents that are being written now, or whose writing was interrupted."""
        return sorted((self._folder / INCOMING_NAME).glob("*"))

    def remove(self, sha256: str) -> bool:
        """Remove a content; return whether it was there."""
        try:
            self._path(sha256).unlink()
        except FileNotFoundError:
            return False
        return True

    def _make(self) -> None:
        self._folder.parent.mkdir(parents=True, exist_ok=True)
        privacy.make_folder(self._folder)

    def _paths(self) -> Iterator[Path]:
        return self._folder.glob("[0-9a-f][0-9a-f]/*")

    def _path(self, sha256: str) -> Path:
        return self._folder / sha256[:2] / sha256

    @contextmanager
    def _incoming(self, mode: int) -> Iterator[tuple[Path, int]]:
        """Open a new temporary file; remove it at the end unless it was renamed."""
        temporary = self._folder / INCOMING_NAME / uuid.uuid4().hex
        with explained(self._folder):
            privacy.make_folder(temporary.parent, like=self._folder)
            descriptor = privacy.create(temporary, os.O_RDWR | os.O_EXCL, mode)
        try:
            yield temporary, descriptor
        finally:
            os.close(descriptor)
            temporary.unlink(missing_ok=True)

    def _write(self, descriptor: int, chunks: Iterable[bytes]) -> str:
        sha256 = hashlib.sha256()
        for chunk in chunks:
            sha256.update(chunk)
            with explained(self._folder):
                view = memoryview(chunk)
                while view:
                    view = view[os.write(descriptor, view) :]
        return sha256.hexdigest()

    def _publish(self, temporary: Path, target: Path) -> None:
        with explained(self._folder):
            try:
                temporary.rename(target)
            except FileNotFoundError:
                privacy.make_folder(target.parent, like=self._folder)
                temporary.rename(target)


def check(actual: str, expected: str | None) -> None:
    """Compare the sha256 of a stream with the one it should have, if any.

    Raises:
        ValueError: They differ.
    """
    if expected is not None and actual != expected:
        raise ValueError(f"The content has the sha256 {actual}; {expected} was expected.")


def _is_whole(path: Path, size_bytes: int, mode: int) -> bool:
    """Return whether a content is kept, for everybody who may read it."""
    # After a power cut a file can be shorter than it was; then it is put once more.
    try:
        status = path.stat()
    except FileNotFoundError:
        return False
    return status.st_size == size_bytes and not mode & ~status.st_mode


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


def _checked(path: Path) -> Checked:
    if path.name[:2] != path.parent.name or not _SHA256.fullmatch(path.name):
        return Checked(str(path), "", 0, "It is not named like a blob, and not used as one.", is_damage=False)
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            size_bytes = os.fstat(descriptor).st_size
            is_whole = _digest(_chunks(descriptor)) == path.name
        finally:
            os.close(descriptor)
    except PermissionError:
        return Checked(str(path), path.name, 0, NOT_YOURS, is_damage=False)
    except OSError as error:
        return Checked(str(path), path.name, 0, f"It cannot be read: {error.strerror or error}.")
    return Checked(str(path), path.name, size_bytes, "" if is_whole else OTHER_BYTES)
