"""The outbox: where records are safe from the moment they are captured until they are delivered.

Knows bytes and files.

A run has one outbox after another, each of two files that are only ever appended to:

| file | holds | written by |
|---|---|---|
| `<name>.log` | which store it is for, then records: the run, its jobs, the run again | `Log`, in Snakemake |
| `<name>.ack` | what became of them, and what was found of their files and code | `Outbox`, where they are delivered |
| `<name>.trace` | where in its own code snakeprov failed at a record (text) | the same |

Two processes have the log open at the same time and share its lock: a process that wants to deliver what dead
processes left behind takes the lock first. Not every file system has locks, and not every lock is seen by other
machines. So the files also name the processes that hold them. An outbox is never taken while one of its processes lives
or, where there are no locks, while one may live. Delivering a record twice does no harm: the store knows its id.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import tempfile
from collections import deque
from collections.abc import Iterable
from enum import Enum
from pathlib import Path
from typing import Final, Self

import msgspec

from snakeprov import __version__
from snakeprov.disk import privacy
from snakeprov.disk.shortage import in_words
from snakeprov.errors import OutboxError
from snakeprov.recorder.entries import (
    ACK_SUFFIX,
    HEADER,
    RECORDS,
    SUFFIX,
    Content,
    Digests,
    Entry,
    Kind,
    Rejected,
    frame,
    parse,
    read,
)
from snakeprov.recorder.owners import Owner, living, owner, uncertain

DAMAGED_SUFFIX: Final = ".damaged"
TRACE_SUFFIX: Final = ".trace"
LOG_SIZE_MAX: Final = 4 * 1024 * 1024
"""A log larger than this (bytes) is followed by the next one, so that a long run takes no disk without end."""

READ_SIZE: Final = 256 * 1024
"""How many bytes of a log are read at once, unless one entry has more."""


class Lock(Enum):
    """What asking for a lock came to: it is ours now, somebody else's, or the file system has none."""

    TAKEN = "taken"
    HELD = "held"
    MISSING = "missing"


class Log:
    """A log, locked and open for appending. Not thread-safe."""

    def __init__(self, path: Path, descriptor: int, size_bytes: int, own: Owner) -> None:
        self.path = path
        self.descriptor = descriptor
        self.size_bytes = size_bytes
        self._own = own

    @classmethod
    def create(cls, folder: Path, name: str, *, store: str, first: bytes) -> Self:
        """Make and lock the log `name` for `store` (see `noted_store`); it begins with the record `first` of a run.

        Raises:
            OutboxError: The folder cannot be made or written.
        """
        path = folder / f"{name}{SUFFIX}"
        new = folder / f"{name}.new"
        own = owner()
        start = b"".join(
            (
                HEADER,
                frame(Kind.STORE, store.encode()),
                frame(Kind.RUN, first),
                frame(Kind.OWNER, msgspec.json.encode(own)),
            )
        )
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            privacy.make_folder(folder)
            descriptor = privacy.create(new, os.O_RDWR | os.O_APPEND | os.O_EXCL, privacy.file_mode_like(folder))
            try:
                _lock(descriptor)
                _write(descriptor, start, size_bytes=0)
                # Nobody may take it for one that was left behind, as it would be before it is locked.
                new.rename(path)
            except OSError:
                os.close(descriptor)
                new.unlink(missing_ok=True)
                raise
        except OSError as error:
            raise OutboxError(
                f"The outbox {path} cannot be written ({in_words(error)}).",
                hint="Is the folder writable, the disk full?",
            ) from error
        return cls(path, descriptor, len(start), own)

    def append(self, kind: Kind, payload: bytes) -> None:
        """Append a record. It survives the death of this process when this returns.

        Raises:
            OutboxError: The disk is full or failing; nothing was appended.
        """
        entry = frame(kind, payload)
        try:
            _write(self.descriptor, entry, size_bytes=self.size_bytes)
        except OSError as error:
            raise OutboxError(f"The outbox {self.path} cannot be written ({in_words(error)}).") from error
        self.size_bytes += len(entry)

    def share(self, process_id: int) -> None:
        """Note that another process has the outbox too, which delivers it.

        A failure to write the note is harmless where there are locks; elsewhere the outbox is safe while this process
        lives.
        """
        with contextlib.suppress(OutboxError):
            self.append(Kind.OWNER, msgspec.json.encode(owner(process_id)))

    def discard(self) -> None:
        """Remove the log, to which nothing was appended yet."""
        self.path.unlink(missing_ok=True)
        self.close()

    def close(self) -> None:
        """Let go of the file. The lock is free when the delivering process has let go of it too."""
        if self.descriptor >= 0:
            with contextlib.suppress(OutboxError):  # else it is free when this process has ended
                self.append(Kind.RELEASED, msgspec.json.encode(self._own))
            os.close(self.descriptor)
            self.descriptor = -1


class Outbox:
    """An outbox where it is delivered: its log is read, and what became of the records is noted. Not thread-safe."""

    def __init__(self, path: Path, descriptor: int) -> None:
        """Take the outbox whose log is `path`, open and locked as `descriptor`, which is closed by `close`."""
        self.path = path
        self._descriptor = descriptor
        self._acks = -1
        self._acks_size_bytes = 0
        self._entries: deque[Entry] = deque()
        self._read_to = len(HEADER)
        self._taken_to = len(HEADER)
        self._undelivered: set[int] = set()
        self._digested: set[int] = set()
        self._damaged_bytes = 0
        self._own: Owner | None = None

    @classmethod
    def recover(cls, path: Path, *, even_uncertain: bool = False) -> tuple[Self, Content] | None:
        """Lock the outbox that dead processes left behind and read it; None if one of them lives, or may live.

        Args:
            path: Its log.
            even_uncertain: Whether to take it also where a process of another machine may live.

        Raises:
            OutboxError: It cannot be read.
        """
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise OutboxError(f"The outbox {path} cannot be opened ({error.strerror}).") from error
        # The file may have been finished and removed between opening and locking it.
        lock = _lock(descriptor)
        if lock is Lock.HELD or not path.exists():
            os.close(descriptor)
            return None
        outbox = cls(path, descriptor)
        try:
            content = read(path)
        except FileNotFoundError:
            os.close(descriptor)
            return None
        except OutboxError:
            os.close(descriptor)
            raise
        if _owned(Lock.TAKEN if even_uncertain else lock, content):
            os.close(descriptor)
            return None
        outbox._own = owner()
        outbox._note(Kind.OWNER, msgspec.json.encode(outbox._own))
        outbox._read_to = outbox._taken_to = os.fstat(descriptor).st_size
        outbox._undelivered = {one.number for one in (*content.pending, *(one for one, _ in content.rejected))}
        outbox._digested = set(content.digests)
        outbox._damaged_bytes = content.damaged_bytes
        return outbox, content

    @property
    def is_delivered(self) -> bool:
        """Whether all that was taken from it has been delivered."""
        return not self._undelivered

    def take(self, *, is_final: bool) -> Entry | None:
        """Return the next record, or None if there is none yet.

        Args:
            is_final: Whether nothing more will be appended.

        Raises:
            OutboxError: The log cannot be read.
        """
        if not self._entries:
            self._read_on(is_final=is_final)
        if not self._entries:
            return None
        entry = self._entries.popleft()
        self._taken_to = entry.number + 1
        self._undelivered.add(entry.number)
        return entry

    def content(self) -> Content:
        """Return what it holds of what was taken from it. Raises OutboxError."""
        content = read(self.path)
        content.pending = [one for one in content.pending if one.number < self._taken_to]
        return content

    def sync(self) -> None:
        """Make what was appended to the log survive a power cut too. Raises OutboxError when the disk fails."""
        try:
            os.fdatasync(self._descriptor)
        except OSError as error:
            raise OutboxError(f"The outbox {self.path} cannot be written ({in_words(error)}).") from error

    def delivered(self, numbers: Iterable[int]) -> None:
        """Note that records were delivered.

        A failure to write the note is harmless: they would be delivered again, which changes nothing.
        """
        done = list(numbers)
        if done:
            self._undelivered.difference_update(done)
            self._note(Kind.DELIVERED, msgspec.json.encode(done))

    def rejected(self, number: int, reason: str) -> None:
        """Note that the store refused a record for good, and why."""
        self._note(Kind.REJECTED, msgspec.json.encode(Rejected(number, reason)))

    def failed(self, number: int, reason: str, trace: str) -> None:
        """Note that snakeprov itself failed at a record, and keep the trace beside the log for a report."""
        self._note(Kind.REJECTED, msgspec.json.encode(Rejected(number, reason, __version__)))
        with contextlib.suppress(OSError):
            path = self.path.with_suffix(TRACE_SUFFIX)
            descriptor = privacy.create(path, os.O_WRONLY | os.O_APPEND, privacy.file_mode_like(path.parent))
            with os.fdopen(descriptor, "a", encoding="utf-8", errors="backslashreplace") as file:
                file.write(f"snakeprov {__version__}, record {number}\n{trace}\n")

    def digests(self, number: int, payload: bytes) -> None:
        """Keep what was found out about the files of a record (JSON), once, for a delivery by a later process."""
        if number in self._digested:
            return
        self._digested.add(number)
        self._note(Kind.DIGESTS, msgspec.json.encode(Digests(number, msgspec.Raw(payload))))

    def code(self, git: bytes, patch: bytes | None) -> None:
        """Keep what was found of the code of the run (JSON), and how it differs from its commit."""
        self._note(Kind.GIT, git)
        if patch is not None:
            self._note(Kind.PATCH, patch)

    def damage(self) -> str | None:
        """Return what of the log could not be read, in words; None where all of it could."""
        if not self._damaged_bytes:
            return None
        kept = self.path.with_suffix(DAMAGED_SUFFIX).name
        return f"{self._damaged_bytes} bytes of the outbox {self.path} are damaged: records are lost; see {kept}."

    def close(self, *, keep: bool = False) -> None:
        """Let go of the files; remove them when all records have been delivered, unless they are to be kept.

        A damaged log is not removed but set aside.
        """
        if self._descriptor < 0:
            return
        if self._own is not None:
            self._note(Kind.RELEASED, msgspec.json.encode(self._own))
        with contextlib.suppress(OSError):
            if not keep and self.is_delivered and self._read_to >= os.fstat(self._descriptor).st_size:
                # In this order: a log whose acknowledgements are gone is only delivered again.
                self.path.with_suffix(TRACE_SUFFIX).unlink(missing_ok=True)
                self.path.with_suffix(ACK_SUFFIX).unlink(missing_ok=True)
                if self._damaged_bytes:
                    self.path.rename(self.path.with_suffix(DAMAGED_SUFFIX))
                else:
                    self.path.unlink(missing_ok=True)
        for descriptor in (self._descriptor, self._acks):
            if descriptor >= 0:
                os.close(descriptor)
        self._descriptor = self._acks = -1

    def discard(self) -> None:
        """Remove it, with all that it holds."""
        for suffix in (TRACE_SUFFIX, ACK_SUFFIX, SUFFIX):
            self.path.with_suffix(suffix).unlink(missing_ok=True)
        self.close(keep=True)

    def _read_on(self, *, is_final: bool) -> None:
        size = READ_SIZE
        while True:
            try:
                data = os.pread(self._descriptor, size, self._read_to)
            except OSError as error:
                raise OutboxError(f"The outbox {self.path} cannot be read ({error.strerror}).") from error
            is_end = len(data) < size
            frames = parse(data, offset=self._read_to, is_final=is_final and is_end)
            self._entries += [
                Entry(one.start, Kind(one.kind), one.payload) for one in frames.found if one.kind in RECORDS
            ]
            self._read_to = frames.end
            self._damaged_bytes += frames.damaged_bytes
            if self._entries or is_end:
                return
            size *= 2

    def _note(self, kind: Kind, payload: bytes) -> None:
        entry = frame(kind, payload)
        with contextlib.suppress(OSError):
            if self._acks < 0:
                path = self.path.with_suffix(ACK_SUFFIX)
                mode = privacy.file_mode_like(path.parent)
                self._acks = privacy.create(path, os.O_WRONLY | os.O_APPEND, mode)
                self._acks_size_bytes = os.fstat(self._acks).st_size
            _write(self._acks, entry, size_bytes=self._acks_size_bytes)
            self._acks_size_bytes += len(entry)


def is_live(path: Path) -> bool:
    """Return whether a process that writes the log `path`, or one that delivers it, lives or may live."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    except OSError:  # without write permission the lock cannot be tested
        return True
    try:
        lock = _lock(descriptor)
        return lock is Lock.HELD or _owned(lock, read(path))
    except (FileNotFoundError, OutboxError):
        return False
    finally:
        os.close(descriptor)


def unlocked_owner(path: Path) -> Owner | None:
    """Return the process that may still own the unlocked outbox of the log `path`, or None."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        return uncertain(read(path).owners) if _lock(descriptor) is Lock.MISSING else None
    except (FileNotFoundError, OutboxError):
        return None
    finally:
        os.close(descriptor)


def _owned(lock: Lock, content: Content) -> bool:
    """Return whether an outbox is somebody else's, as far as its notes and its `lock` tell.

    A lock that was given does not prove that everybody is dead: some file systems keep locks of each machine apart.
    """
    return (uncertain if lock is Lock.MISSING else living)(content.owners) is not None


def _write(descriptor: int, entry: bytes, *, size_bytes: int) -> None:
    """Append an entry to a file of `size_bytes`: all of it or nothing. Raises OSError."""
    written = os.write(descriptor, entry)
    if written != len(entry):
        os.ftruncate(descriptor, size_bytes)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def locks_work(folder: Path) -> bool | None:
    """Return whether a file in a folder can be locked, so that others see it; None where none can be made there."""
    try:
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".lock-") as first, Path(first.name).open("rb") as second:
            return _lock(first.fileno()) is Lock.TAKEN and _lock(second.fileno()) is Lock.HELD
    except OSError:
        return None


def _lock(descriptor: int) -> Lock:
    """Ask for the lock, without waiting."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return Lock.HELD
    except OSError:
        return Lock.MISSING
    return Lock.TAKEN
