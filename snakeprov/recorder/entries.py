"""What the files of an outbox hold: how entries lie in them, their kinds, and what all of them together come to.

    magic (4 bytes) | kind (1) | length (4, little-endian) | Adler-32 of kind and payload (4) | payload

An entry that was torn (the machine stopped in the middle of writing it) or damaged fails its checksum; reading goes
on at the next magic. Adler-32 needs no tables: where something is appended now and then, those of a CRC have left the
processor's cache each time, and cost more than all the rest.
"""

from __future__ import annotations

import struct
import zlib
from enum import IntEnum
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from snakeprov import __version__
from snakeprov.errors import OutboxError
from snakeprov.recorder.owners import Owner

_FORMAT: Final = b"snakeprov outbox "

HEADER: Final = _FORMAT + b"4\n"
SUFFIX: Final = ".log"
ACK_SUFFIX: Final = ".ack"

_START_BYTES: Final = 64 * 1024
"""Within how many bytes a log names its store."""

_MAGIC: Final = b"\xf5SPR"
_HEAD: Final = struct.Struct("<4sBII")


class Kind(IntEnum):
    """What an entry is: STORE, at the start of a log, names the store that its records were captured for.

    RUN, JOB and PLAN are the records; the others speak of them.
    OWNER and RELEASED say that a process holds the outbox, or no longer does; they occur in both files.
    """

    RUN = 1
    JOB = 2
    DELIVERED = 3
    REJECTED = 4
    DIGESTS = 5
    PATCH = 6
    GIT = 7
    STORE = 8
    PLAN = 9
    OWNER = 10
    RELEASED = 11


RECORDS: Final = frozenset({Kind.RUN, Kind.JOB, Kind.PLAN})


class Rejected(msgspec.Struct, omit_defaults=True):
    """The note that a record was not delivered, and why: the store refused it, or snakeprov itself failed.

    `failed_version` is the version of snakeprov that failed; another version takes the record as one that waits.
    """

    number: int
    reason: str
    failed_version: str = ""


class Digests(msgspec.Struct):
    """The note of what was found out about the files of a record."""

    number: int
    payload: msgspec.Raw


class Entry(NamedTuple):
    """An entry that carries a record.

    Attributes:
        number: Where in its log it begins, which names it whatever else in the file may be damaged.
        kind: RUN, JOB or PLAN.
        payload: The record.
    """

    number: int
    kind: Kind
    payload: bytes


class Content(msgspec.Struct):
    """What an outbox holds.

    Attributes:
        store: The store that its records were captured for, as `noted_store` names it; None where that is damaged.
        pending: Records neither delivered nor rejected, in order.
        rejected: Records that the store refused, or at which this version of snakeprov failed, with the reason.
        digests: What was found out about the files of a record, by its number.
        last_run: The newest RUN payload, delivered or not.
        git: What was found of the code of the run (JSON); None where nobody has looked.
        patch: How the code of the run differed from its commit, if it did.
        owners: The processes that hold it and have not released it.
        damaged_bytes: How many bytes of the log could not be read as entries.
    """

    store: str | None = None
    pending: list[Entry] = []
    rejected: list[tuple[Entry, str]] = []
    digests: dict[int, bytes] = {}
    last_run: bytes | None = None
    git: bytes | None = None
    patch: bytes | None = None
    owners: list[Owner] = []
    damaged_bytes: int = 0


class Frame(NamedTuple):
    """An entry as it lies in the file, from byte `start` to before byte `end`."""

    start: int
    end: int
    kind: int
    payload: bytes


class Frames(msgspec.Struct):
    """What was found in a stretch of a file.

    Attributes:
        found: The entries, in order.
        end: Up to where the file has been made sense of.
        damaged_bytes: How many bytes before that are not part of an entry.
    """

    found: list[Frame]
    end: int
    damaged_bytes: int = 0


def frame(kind: int, payload: bytes) -> bytes:
    """Return the bytes of an entry."""
    return _HEAD.pack(_MAGIC, kind, len(payload), zlib.adler32(payload, kind)) + payload


def parse(data: bytes, *, offset: int, is_final: bool) -> Frames:
    """Return the entries in `data`.

    Args:
        data: A stretch of the file.
        offset: Where in the file it begins.
        is_final: Whether an entry that is not whole at the end is damage; else the rest of it may yet come.
    """
    frames = Frames([], offset)
    position = 0
    while position < len(data):
        if data.startswith(_MAGIC, position) and position + _HEAD.size <= len(data):
            _, kind, length, checksum = _HEAD.unpack_from(data, position)
            end = position + _HEAD.size + length
            payload = data[position + _HEAD.size : end]
            if end <= len(data) and checksum == zlib.adler32(payload, kind):
                frames.found.append(Frame(offset + position, offset + end, kind, payload))
                position = end
                continue
            if end > len(data) and not is_final:
                break
        following = data.find(_MAGIC, position + 1)
        if following < 0 and not is_final:
            break
        stop = following if following >= 0 else len(data)
        frames.damaged_bytes += stop - position
        position = stop
    frames.end = offset + position
    return frames


def store_of(path: Path) -> str | None:
    """Return the store that the outbox is for whose log is `path`, as `Content` has it.

    Raises:
        FileNotFoundError: It is gone.
        OutboxError: It cannot be read, or is not an outbox.
    """
    frames = parse(_log_of(path, size_max=_START_BYTES), offset=len(HEADER), is_final=True)
    return next((one.payload.decode() for one in frames.found if one.kind == Kind.STORE), None)


def read(path: Path) -> Content:
    """Return what the outbox holds whose log is `path`, without locking it.

    Raises:
        OutboxError: It cannot be read, or is not an outbox.
    """
    content = Content()
    frames = parse(_log_of(path), offset=len(HEADER), is_final=True)
    content.damaged_bytes = frames.damaged_bytes
    records: dict[int, Entry] = {}
    for one in frames.found:
        if one.kind in RECORDS:
            records[one.start] = Entry(one.start, Kind(one.kind), one.payload)
        if one.kind == Kind.RUN:
            content.last_run = one.payload
        elif one.kind == Kind.STORE:
            content.store = one.payload.decode()
        _note_owner(one, content)
    rejected = _read_acks(path, records, content)
    content.pending = [entry for number, entry in records.items() if number not in rejected]
    content.rejected = [(records[number], reason) for number, reason in rejected.items() if number in records]
    return content


def _read_acks(path: Path, records: dict[int, Entry], content: Content) -> dict[int, str]:
    """Take in what is noted beside a log, and out of `records` what was delivered; return what was refused, and why.

    A damaged note is passed over: what it spoke of is done again.
    """
    rejected: dict[int, str] = {}
    try:
        data = _bytes_of(path.with_suffix(ACK_SUFFIX))
    except FileNotFoundError:
        return rejected
    for one in parse(data, offset=0, is_final=True).found:
        _note_owner(one, content)
        match one.kind:
            case Kind.DELIVERED:
                for number in msgspec.json.decode(one.payload, type=list[int]):
                    records.pop(number, None)
                    rejected.pop(number, None)
            case Kind.REJECTED:
                note = msgspec.json.decode(one.payload, type=Rejected)
                if note.failed_version in ("", __version__):
                    rejected[note.number] = note.reason
            case Kind.DIGESTS:
                found = msgspec.json.decode(one.payload, type=Digests)
                content.digests[found.number] = bytes(found.payload)
            case Kind.GIT:
                content.git = one.payload
            case Kind.PATCH:
                content.patch = one.payload
    return rejected


def _note_owner(one: Frame, content: Content) -> None:
    if one.kind == Kind.OWNER:
        content.owners.append(msgspec.json.decode(one.payload, type=Owner))
    elif one.kind == Kind.RELEASED:
        gone = msgspec.json.decode(one.payload, type=Owner)
        content.owners = [owner for owner in content.owners if owner != gone]


def _log_of(path: Path, *, size_max: int = -1) -> bytes:
    """Return the entries in a log, up to a size. Raises FileNotFoundError and OutboxError."""
    log = _bytes_of(path, size_max=size_max)
    if not log.startswith(HEADER):
        if log.startswith(_FORMAT):
            raise OutboxError(
                f"{path} was written by another version of snakeprov, in a format that this one does not read.",
                hint="Run 'snakeprov push' with the version that wrote it, or move it out of the outbox folder.",
            )
        raise OutboxError(f"{path} is not an outbox of snakeprov.", hint="Move it out of the outbox folder.")
    return log[len(HEADER) :]


def _bytes_of(path: Path, *, size_max: int = -1) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(size_max)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise OutboxError(f"The outbox {path} cannot be read ({error.strerror}).") from error
