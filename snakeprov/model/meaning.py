"""Decide what bytes seen at a path mean: which version they are, who made them, and what they came from.

Pure, and the only place where this is decided.

The first rule that fits holds:

1. The bytes of the current version are that version.
2. The bytes of an earlier version of the path are the next version, with the content of the earlier one again.
3. What a job wrote, or left in a directory that is recorded as one thing, was made by that job.
4. Other bytes where somebody's work was, and no job wrote them: edited by hand after the version before.
5. Other bytes where nobody's work was: a raw input, new or changed.
6. The bytes of a version of another path: a version of its own, with that as evidence. Never of trivial content.
7. Bytes that nobody could read: the current version where the file looks as it did, and not proved; otherwise
   another version without digest. The same holds for bytes that follow work whose bytes nobody could read.

A version is somebody's work if a job made it, or if it comes from such a version by rule 2, 4 or 6.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

EVIDENT_BYTES_MIN: Final = 32
"""Shorter contents can be equal by chance, and are not evidence of a copy."""

Id = Any
"""An id, or a placeholder for one that is not assigned yet."""


@dataclass(frozen=True, slots=True)
class Past:
    """A recorded version.

    Attributes:
        entity_id: The file.
        version_number: Which of its versions.
        activity_id: What made it, if known.
        is_work: Whether it is somebody's work, rather than a raw input.
        path: Where it is, if that is another path and is known.
        is_read: Whether the digest of its bytes is known.
    """

    entity_id: Id
    version_number: Id
    activity_id: Id | None = None
    is_work: bool = False
    path: str | None = None
    is_read: bool = True


@dataclass(frozen=True, slots=True)
class Listing:
    """A version of a directory above the path, recorded as one thing, that has a file of that name.

    Attributes:
        directory: The version, which an Activity made.
        has_these: Whether the file has the bytes that were seen.
        is_newer: Whether the directory was recorded after the current version of the path, with other bytes in it.
    """

    directory: Past
    has_these: bool
    is_newer: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Bytes seen at a path, and what is recorded that may explain them.

    Attributes:
        is_read: Whether the bytes could be read.
        looks_same: Whether the file looks as it did when the current version was recorded; asked where one of the two
            could not be read.
        writer: The Activity that wrote the bytes, where a recorded job did.
        current: The current version of the path.
        is_current: Whether the bytes are those of the current version.
        earlier: The newest other version of the path that has these bytes, and did not itself have them again.
        listing: What a directory above says of the path.
        elsewhere: A version of another path that has these bytes.
        size_bytes: How many there are.
        always: Whether a job makes a version each time, even of the same bytes.
    """

    is_read: bool = True
    looks_same: bool = False
    writer: Id | None = None
    current: Past | None = None
    is_current: bool = False
    earlier: Past | None = None
    listing: Listing | None = None
    elsewhere: Past | None = None
    size_bytes: int = 0
    always: bool = False


@dataclass(frozen=True, slots=True)
class Current:
    """They are the current version; `is_proved`: by their digest."""

    is_proved: bool = True


@dataclass(frozen=True, slots=True)
class Again:
    """The next version, with the content of `of` again, made by `activity_id`, if anybody did."""

    of: Past
    activity_id: Id | None


@dataclass(frozen=True, slots=True)
class Made:
    """The next version, made by `activity_id`."""

    activity_id: Id


@dataclass(frozen=True, slots=True)
class Edited:
    """The next version, edited by hand after `after`."""

    after: Past


@dataclass(frozen=True, slots=True)
class SameContent:
    """The next version, of a raw input that has the same content as `of`."""

    of: Past


@dataclass(frozen=True, slots=True)
class Raw:
    """The next version, of a raw input."""


Meaning = Current | Again | Made | Edited | SameContent | Raw


def meaning_of(seen: Evidence) -> Meaning:
    """Return what bytes mean, from the evidence about them.

    >>> by_job = Past("syn1", 1, activity_id="7", is_work=True)
    >>> meaning_of(Evidence(current=by_job)) == Edited(by_job)
    True
    >>> meaning_of(Evidence(current=Past("syn1", 2), earlier=by_job)) == Again(by_job, "7")
    True
    >>> meaning_of(Evidence(current=Past("syn1", 1, activity_id="7", is_work=True, is_read=False), looks_same=True))
    Current(is_proved=False)
    """
    if seen.is_current and not (seen.always and seen.writer is not None):
        return Current()
    writer = seen.writer
    if writer is None and seen.listing is not None and seen.listing.has_these:
        writer = seen.listing.directory.activity_id
    earlier = seen.current if seen.is_current else seen.earlier
    if earlier is not None:
        return Again(earlier, earlier.activity_id if writer is None else writer)
    if writer is not None:
        return Made(writer)
    if not seen.is_read and seen.current is not None and seen.looks_same:
        return Current(is_proved=False)
    before = seen.listing.directory if seen.listing is not None and seen.listing.is_newer else seen.current
    if before is not None and before.is_work:
        return Edited(before) if before.is_read or not seen.looks_same else Current(is_proved=False)
    if seen.elsewhere is not None and seen.size_bytes >= EVIDENT_BYTES_MIN:
        return SameContent(seen.elsewhere)
    return Raw()
