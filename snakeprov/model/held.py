"""Files of a job, kept as it left them, on their way to the process that digests them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

from snakeprov.model.digest import Digest
from snakeprov.model.records import Fingerprint


class Member(msgspec.Struct, frozen=True, array_like=True):
    """One member of a directory as a listing shows it.

    Attributes:
        path: Relative to the directory (text form).
        mode: As `stat` has it; 0 where it could not be looked at.
        fingerprint: Of the member itself, links not followed; None where it could not be looked at.
        target: Where a symbolic link points, as written (text form).
    """

    path: str
    mode: int
    fingerprint: Fingerprint | None = None
    target: str | None = None


class HeldFile(msgspec.Struct, frozen=True, array_like=True):
    """One file of a job: its content, its digest, or, if it has neither, an open descriptor that travels with it.

    Attributes:
        key: Which file of the job's record it is, see `input_key`, `output_key` and `before_key`.
        member: Of a directory: the path of the file below it.
        fingerprint: What the file looked like when its job ended.
        content: Its bytes, if it is small.
        digest: Of its bytes, if they are known already.
        is_urgent: Whether the file is about to be changed, so that it should be digested at once.
        any_time: Whether its time of modification may be changed without its bytes: Snakemake gives the local copy of a
            storage object the time of the object.
        moved_from_ns: Of an output that is an input under another name, unchanged (`mv {input} {output}`): the input's
            time of modification. Snakemake gave the output another one.
    """

    key: str
    member: str
    fingerprint: Fingerprint
    content: bytes | None = None
    digest: Digest | None = None
    is_urgent: bool = False
    any_time: bool = False
    moved_from_ns: int | None = None


class Hold(msgspec.Struct, frozen=True, tag=True):
    """Files of one job. For each that has neither content nor digest one descriptor comes with it, in order."""

    job_id: str
    files: list[HeldFile]


class Listing(msgspec.Struct, frozen=True, tag=True):
    """What a directory held when its job ended.

    Attributes:
        job_id: The job.
        key: Which file of its record the directory is.
        path: Where it lies (text form).
        members: A part of its members; None if the sender found too many to list.
        is_last: Whether this is the last part.
    """

    job_id: str
    key: str
    path: str
    members: list[Member] | None
    is_last: bool = True


class Tell(Protocol):
    """Passes a message on without waiting; false if nobody takes it now."""

    def __call__(self, message: Hold | Listing, descriptors: Sequence[int] = ()) -> bool: ...


def input_key(number: int) -> str:
    """Return the key of the input that has this number in the record of a job."""
    return f"i{number}"


def output_key(number: int) -> str:
    """Return the key of the output that has this number in the record of a job."""
    return f"o{number}"


def before_key(path: str) -> str:
    """Return the key of a file as it was before the job changed it."""
    return f"b{path}"
