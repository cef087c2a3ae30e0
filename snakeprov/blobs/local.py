"""Contents in a local folder, by digest: small ones in one SQLite file, large ones in a file each."""

from __future__ import annotations

import errno
import hashlib
import io
import os
import re
import stat
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import BinaryIO, Literal

from snakeprov.blobs.checked import Checked
from snakeprov.blobs.loose import LooseBlobs, check
from snakeprov.blobs.parts import LocalParts
from snakeprov.blobs.small import SmallBlobs
from snakeprov.disk.layout import SMALL_BLOBS_NAME, UPLOADS_NAME
from snakeprov.errors import FullStoreError

SMALL_BYTES_MAX = 64 * 1024
"""Up to which length a content counts as small."""

GATHERED_MAX = 256
"""How many files are gathered for one transaction; times `SMALL_BYTES_MAX`, what is held in memory."""

_SHA256 = re.compile(r"[0-9a-f]{64}")

Outcome = Literal["kept", "changed", "missing", "unreadable", "full"]
"""What became of a file that was to be kept; "full": no space was left."""


class LocalBlobs:
    """The blobs in one folder, which is made when the first is put. Thread-safe, and safe between processes.

    After a power cut the last of them may be missing; a blob that is put again is whole again.

    Attributes:
        parts: Where the parts of unfinished uploads wait.
    """

    def __init__(self, folder: Path, *, journal_mode: str = "delete") -> None:
        """Name the folder; nothing is opened or made yet.

        Args:
            folder: Where the blobs are.
            journal_mode: Of the SQLite file: "wal", or "delete", which works on every file system.

        Raises:
            ValueError: `journal_mode` is something else.
        """
        self._small = SmallBlobs(folder / SMALL_BLOBS_NAME, journal_mode=journal_mode)
        self._loose = LooseBlobs(folder)
        self.parts = LocalParts(folder / UPLOADS_NAME)

    def put_file(self, path: str, sha256: str) -> bool:
        """Keep the content of a file; return False when it is not (or no longer) the content `sha256`.

        Raises:
            OSError: The file cannot be opened or read, or is not a regular file.
            FullStoreError: No space is left.
            StoreError: The folder cannot be written.
        """
        gathered: dict[str, bytes] = {}
        same = self._put(path, sha256, gathered)
        self._small.put(gathered)
        return same

    def put_files(self, files: Sequence[tuple[str, str]]) -> list[Outcome]:
        """Keep the contents of files, given as path and sha256; return the result for each, in the same order.

        What is returned as kept is committed. Small files are kept `GATHERED_MAX` in one transaction.

        Raises:
            StoreError: The folder cannot be written; some of the files may have been kept.
        """
        outcomes: list[Outcome] = []
        for start in range(0, len(files), GATHERED_MAX):
            outcomes += self._put_together(files[start : start + GATHERED_MAX])
        return outcomes

    def put_stream(self, chunks: Iterable[bytes], *, sha256: str | None = None) -> str:
        """Keep a stream of bytes; return its sha256.

        Raises:
            ValueError: `sha256` was given and the content is another; nothing is kept.
            FullStoreError: No space is left.
            StoreError: The folder cannot be written.
        """
        rest = iter(chunks)
        start = bytearray()
        for chunk in rest:
            start += chunk
            if len(start) > SMALL_BYTES_MAX:
                return self._loose.put_stream(chain([bytes(start)], rest), sha256=sha256)
        actual = hashlib.sha256(start).hexdigest()
        check(actual, sha256)
        self._small.put({actual: bytes(start)})
        return actual

    def open(self, sha256: str) -> BinaryIO:
        """Open a blob for reading.

        Raises:
            KeyError: It is not kept.
            CorruptStoreError: It is small, and its bytes are no longer those that were kept.
            StoreError: It cannot be read.
        """
        content = self._small.get(_checked(sha256))
        return self._loose.open(sha256) if content is None else io.BytesIO(content)

    def has(self, sha256: str) -> bool:
        """Return whether a blob is kept."""
        return self._small.size_bytes(_checked(sha256)) is not None or self._loose.has(sha256)

    def size_bytes(self, sha256: str) -> int:
        """Return the length of a blob.

        Raises:
            KeyError: It is not kept.
        """
        size_bytes = self._small.size_bytes(_checked(sha256))
        return self._loose.size_bytes(sha256) if size_bytes is None else size_bytes

    def total_bytes(self) -> int:
        """Return the length of all blobs together; walks the folder."""
        return self._small.total_bytes() + self._loose.total_bytes()

    def contents(self) -> Iterator[tuple[str, int]]:
        """Yield the sha256 and the length of every blob; walks the folder."""
        yield from self._small.contents()
        yield from self._loose.contents()

    def check(self) -> Iterator[Checked]:
        """Read every blob and yield the result of its check, small ones first. Changes nothing and raises nothing."""
        yield from self._small.check()
        yield from self._loose.check()

    def unfinished(self) -> list[Path]:
        """Return the files of large blobs that are being written now, or whose writing was interrupted."""
        return self._loose.unfinished()

    def remove(self, sha256: str) -> bool:
        """Remove a blob; return whether it was there."""
        was_small = self._small.remove(_checked(sha256))
        return self._loose.remove(sha256) or was_small

    def remove_all(self, contents: Sequence[str]) -> None:
        """Remove blobs; missing ones are ignored."""
        for sha256 in contents:
            self._loose.remove(_checked(sha256))
        self._small.remove_all(contents)

    def compact(self) -> None:
        """Give the space of removed blobs back to the file system."""
        self._small.compact()

    def close(self) -> None:
        """Close open files once no other thread uses them. They are opened again when needed."""
        self._small.close()

    def _put_together(self, files: Sequence[tuple[str, str]]) -> list[Outcome]:
        gathered: dict[str, bytes] = {}
        outcomes = [self._outcome(path, sha256, gathered) for path, sha256 in files]
        try:
            self._small.put(gathered)
        except FullStoreError:
            return [
                "full" if outcome == "kept" and sha256 in gathered else outcome
                for outcome, (_, sha256) in zip(outcomes, files, strict=True)
            ]
        return outcomes

    def _outcome(self, path: str, sha256: str, gathered: dict[str, bytes]) -> Outcome:
        try:
            return "kept" if self._put(path, sha256, gathered) else "changed"
        except FileNotFoundError:
            return "missing"
        except FullStoreError:
            return "full"
        except OSError:
            return "unreadable"

    def _put(self, path: str, sha256: str, gathered: dict[str, bytes]) -> bool:
        """Keep the content of a large file, or add that of a small one to `gathered`; False: it is another content.

        A small file that fewer people may read than the file of small contents is kept as a large one is.
        """
        _checked(sha256)
        # Not blocking: opening a FIFO would wait for a writer.
        source = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            status = os.fstat(source)
            if not stat.S_ISREG(status.st_mode):
                raise OSError(errno.EINVAL, "not a regular file", path)
            is_small = status.st_size <= SMALL_BYTES_MAX and self._loose.may_share(status)
            content = _start_of(source) if is_small else None
            if content is None or len(content) > SMALL_BYTES_MAX:
                return self._loose.put(source, sha256, status=status)
            same = hashlib.sha256(content).hexdigest() == sha256
            if same:
                gathered[sha256] = content
            return same
        finally:
            os.close(source)


def _checked(sha256: str) -> str:
    if not _SHA256.fullmatch(sha256):
        raise ValueError(f"{sha256!r} is not a sha256: 64 lower-case hex digits were expected.")
    return sha256


def _start_of(descriptor: int) -> bytes:
    """Return the whole of a small file, or one byte more than a small file can have."""
    content = b""
    while chunk := os.pread(descriptor, SMALL_BYTES_MAX + 1 - len(content), len(content)):
        content += chunk
    return content
