"""The outbox: where records are safe from the moment they are captured until they are delivered.

Must not know: what the records say, or where they go. Knows bytes and files.

One append-only file per run, `<run id>.log`, which begins with `HEADER` and goes on with entries:

    magic (4 bytes) | kind (1) | length (4, little-endian) | crc32 of kind, length and payload (4) | payload

An entry that was torn (the machine stopped in the middle of writing it) or damaged fails its checksum; reading goes
on at the next magic. Entries of kind DELIVERED and REJECTED name earlier entries by their number, counted from 0
among the entries that carry records.

The process that writes the file holds a lock on it while it lives; whoever wants to deliver what a dead process
left behind takes the lock first. Two deliveries of one record do no harm: the repository knows the id.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import struct
import threading
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from typing import Final, Self

import msgspec

from snakeprov.errors import OutboxError

HEADER: Final = b"snakeprov outbox 1\n"
SUFFIX: Final = ".log"
RECYCLE_SIZE_BYTES: Final = 4 * 1024 * 1024
"""A file larger than this is emptied when all of it has been delivered."""

_MAGIC: Final = b"\xf5SPR"
_FRAME: Final = struct.Struct("<4sBII")


class Kind(IntEnum):
    """What an entry is. RUN, JOB, STEP and PLAN carry records and are numbered; the others speak of numbered ones."""

    RUN = 1
    JOB = 2
    DELIVERED = 3
    REJECTED = 4
    DIGESTS = 5
    PATCH = 6
    STEP = 7
    PLAN = 8


DONE: Final = frozenset({Kind.JOB, Kind.STEP})
"""Records of something that was done: a job, or a step by hand."""

_NUMBERED: Final = DONE | {Kind.RUN, Kind.PLAN}


class _Rejected(msgspec.Struct):
    number: int
    reason: str


class _Digests(msgspec.Struct):
    number: int
    payload: msgspec.Raw


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry that carries a record.

    Attributes:
        number: Position among the entries that carry records, from 0.
        kind: RUN, JOB, STEP or PLAN.
        payload: The record.
    """

    number: int
    kind: Kind
    payload: bytes


@dataclass
class Content:
    """What an outbox file holds.

    Attributes:
        pending: Records neither delivered nor rejected, in order.
        rejected: Records that the repository refused, with its reason.
        digests: What was found out about the files of a record, by its number.
        last_run: The newest RUN payload, delivered or not.
        patch: How the code of the run differed from its commit, if it did.
        count: How many records were ever numbered in it.
        damaged_bytes: How many bytes could not be read as entries.
    """

    pending: list[Entry] = field(default_factory=list)
    rejected: list[tuple[Entry, str]] = field(default_factory=list)
    digests: dict[int, bytes] = field(default_factory=dict)
    last_run: bytes | None = None
    patch: bytes | None = None
    count: int = 0
    damaged_bytes: int = 0


class Outbox:
    """One run's outbox file, open for appending and locked.

    `append`, `delivered` and the like may be called from several threads.
    """

    def __init__(self, path: Path, descriptor: int, *, count: int, is_new: bool) -> None:
        self.path = path
        self._descriptor = descriptor
        self._lock = threading.Lock()
        self._count = count
        self._undelivered: set[int] = set()
        self._last_run: bytes | None = None
        self._size_bytes = len(HEADER) if is_new else os.fstat(descriptor).st_size

    @classmethod
    def create(cls, folder: Path, run_id: str) -> Self:
        """Make and lock the outbox file of a new run.

        Raises:
            OutboxError: The folder cannot be made or written.
        """
        path = folder / f"{run_id}{SUFFIX}"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
            _lock(descriptor)
            os.write(descriptor, HEADER)
        except OSError as error:
            raise OutboxError(
                f"The outbox {path} cannot be written ({error.strerror}).",
                hint="Is the folder writable, the disk full?",
            ) from error
        return cls(path, descriptor, count=0, is_new=True)

    @classmethod
    def recover(cls, path: Path) -> tuple[Self, Content] | None:
        """Lock the outbox file that another process left behind and read it; None if that process still lives.

        Raises:
            OutboxError: It cannot be read.
        """
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise OutboxError(f"The outbox {path} cannot be opened ({error.strerror}).") from error
        # The file may have been finished and removed between opening and locking it.
        if not _lock(descriptor) or not path.exists():
            os.close(descriptor)
            return None
        content = read(path)
        outbox = cls(path, descriptor, count=content.count, is_new=False)
        outbox._undelivered = {entry.number for entry in content.pending}
        outbox._last_run = content.last_run
        outbox._undelivered |= {entry.number for entry, _ in content.rejected}
        return outbox, content

    def append(self, kind: Kind, payload: bytes) -> int:
        """Append a record; return its number. It survives the death of this process when this returns.

        Raises:
            OutboxError: The disk is full or failing; nothing was appended.
        """
        with self._lock:
            self._write(kind, payload)
            number = self._count
            self._count += 1
            self._undelivered.add(number)
            if kind is Kind.RUN:
                self._last_run = payload
            return number

    def sync(self) -> None:
        """Make what was appended survive a power cut too. Raises OutboxError when the disk fails."""
        try:
            os.fdatasync(self._descriptor)
        except OSError as error:
            raise OutboxError(f"The outbox {self.path} cannot be written ({error.strerror}).") from error

    def delivered(self, numbers: Iterable[int]) -> None:
        """Note that records were delivered.

        A failure to write the note is harmless: they would be delivered again, which changes nothing.
        """
        done = list(numbers)
        with self._lock, contextlib.suppress(OutboxError, OSError):
            self._undelivered.difference_update(done)
            self._write(Kind.DELIVERED, msgspec.json.encode(done))
            if not self._undelivered and self._size_bytes > RECYCLE_SIZE_BYTES:
                self._recycle()

    def rejected(self, number: int, reason: str) -> None:
        """Note that the repository refused a record for good, and why."""
        with self._lock, contextlib.suppress(OutboxError):
            self._write(Kind.REJECTED, msgspec.json.encode(_Rejected(number, reason)))

    def digests(self, number: int, payload: bytes) -> None:
        """Keep what was found out about the files of a record (JSON), for a delivery by a later process."""
        with self._lock, contextlib.suppress(OutboxError):
            self._write(Kind.DIGESTS, msgspec.json.encode(_Digests(number, msgspec.Raw(payload))))

    def patch(self, content: bytes) -> None:
        """Keep how the code of the run differs from its commit."""
        with self._lock, contextlib.suppress(OutboxError):
            self._write(Kind.PATCH, content)

    def close(self) -> None:
        """Let go of the file; remove it when all of its records have been delivered."""
        with self._lock:
            if self._descriptor < 0:
                return
            if not self._undelivered:
                self.path.unlink(missing_ok=True)
            os.close(self._descriptor)
            self._descriptor = -1

    def _recycle(self) -> None:
        """Empty the file, all of which has been delivered, but for the run that it belongs to."""
        os.ftruncate(self._descriptor, len(HEADER))
        self._size_bytes = len(HEADER)
        self._count = 0
        if self._last_run is not None:
            self._write(Kind.RUN, self._last_run)
            self._write(Kind.DELIVERED, b"[0]")
            self._count = 1

    def _write(self, kind: Kind, payload: bytes) -> None:
        entry = _frame(kind, payload)
        try:
            written = os.write(self._descriptor, entry)
            if written != len(entry):
                os.ftruncate(self._descriptor, self._size_bytes)
                raise OSError(28, "No space left on device")
        except OSError as error:
            raise OutboxError(f"The outbox {self.path} cannot be written ({error.strerror}).") from error
        self._size_bytes += written


def read(path: Path) -> Content:
    """Return what an outbox file holds, without locking it.

    Raises:
        OutboxError: It cannot be read, or is no outbox file.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise OutboxError(f"The outbox {path} cannot be read ({error.strerror}).") from error
    if not data.startswith(HEADER):
        if HEADER.startswith(data):
            return Content()
        raise OutboxError(f"{path} is not an outbox of snakeprov.", hint="Move it out of the outbox folder.")
    content = Content()
    records: dict[int, Entry] = {}
    rejected: dict[int, str] = {}
    for kind, payload in _entries(data, content):
        if kind in _NUMBERED:
            records[content.count] = Entry(content.count, kind, payload)
            content.count += 1
            if kind is Kind.RUN:
                content.last_run = payload
        elif kind is Kind.DELIVERED:
            for number in msgspec.json.decode(payload, type=list[int]):
                records.pop(number, None)
                rejected.pop(number, None)
        elif kind is Kind.PATCH:
            content.patch = payload
        elif kind is Kind.REJECTED:
            note = msgspec.json.decode(payload, type=_Rejected)
            rejected[note.number] = note.reason
        else:
            found = msgspec.json.decode(payload, type=_Digests)
            content.digests[found.number] = bytes(found.payload)
    content.pending = [entry for number, entry in records.items() if number not in rejected]
    content.rejected = [(records[number], reason) for number, reason in rejected.items() if number in records]
    return content


def _entries(data: bytes, content: Content) -> Iterator[tuple[Kind, bytes]]:
    position = len(HEADER)
    while position < len(data):
        if data.startswith(_MAGIC, position) and position + _FRAME.size <= len(data):
            _, kind, length, checksum = _FRAME.unpack_from(data, position)
            end = position + _FRAME.size + length
            payload = data[position + _FRAME.size : end]
            if end <= len(data) and checksum == _checksum(kind, payload) and kind in Kind._value2member_map_:
                yield Kind(kind), payload
                position = end
                continue
        following = data.find(_MAGIC, position + 1)
        content.damaged_bytes += (following if following >= 0 else len(data)) - position
        position = following if following >= 0 else len(data)


def _frame(kind: int, payload: bytes) -> bytes:
    return _FRAME.pack(_MAGIC, kind, len(payload), _checksum(kind, payload)) + payload


def _checksum(kind: int, payload: bytes) -> int:
    return zlib.crc32(payload, kind << 24 ^ len(payload))


def _lock(descriptor: int) -> bool:
    """Take the lock; return whether nobody else holds it. A file system without locks counts as free."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True
