"""How entries lie in a file that is only ever appended to, so that a torn or damaged one costs nothing but itself.

Must not know: what an entry says, or which file it is in.

    magic (4 bytes) | kind (1) | length (4, little-endian) | Adler-32 of kind and payload (4) | payload

An entry that was torn (the machine stopped in the middle of writing it) or damaged fails its checksum; reading goes
on at the next magic. Adler-32 needs no tables: where something is appended now and then, those of a CRC have left the
processor's cache each time, and cost more than all the rest.
"""

from __future__ import annotations

import struct
import zlib
from typing import Final, NamedTuple

import msgspec

_MAGIC: Final = b"\xf5SPR"
_HEAD: Final = struct.Struct("<4sBII")


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
        damaged_bytes: How many bytes before that are no entry.
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
