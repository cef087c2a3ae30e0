"""What Synapse knows of the current version of a file, beyond what every store knows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from snakeprov.model.digest import Digest
from snakeprov.model.meaning import Past
from snakeprov.recorder.catalog import Held, Identity


@dataclass(frozen=True, slots=True)
class SynapseVersion:
    """What a `Held` carries for Synapse.

    Attributes:
        md5: Of its bytes; None when unknown.
        job_id: The job whose Activity generated it, if snakeprov recorded that Activity.
        is_annotated: Whether it carries that job's annotations: they are sent after the version is made.
        annotations: Those that are not snakeprov's.
        was_seen: Whether snakeprov recorded it because a job read it, and no job is known that made it.
        is_read: Whether this was read from Synapse, rather than brought about by this process.
        read_for: The job for which snakeprov recorded the version, where that did not make it.
        lacks_marks: Whether a delivery was interrupted after it had made the version and before it had annotated it.
        before: The version before one that lacks its marks, or after which it was edited.
    """

    md5: str | None = None
    job_id: str | None = None
    is_annotated: bool = False
    annotations: Mapping[str, Any] = field(default_factory=dict)
    was_seen: bool = False
    is_read: bool = True
    read_for: str | None = None
    lacks_marks: bool = False
    before: Past | None = None


def md5_of(digest: Digest) -> str:
    """Return the md5 of a content; of one that was read for another store, without it, what is that of no version."""
    return digest.md5 or ""


def noted_of(held: Held | None) -> SynapseVersion | None:
    """Return what is noted of the current version of a file, or None."""
    return held.noted if held is not None and isinstance(held.noted, SynapseVersion) else None


def _md5(held: Held) -> str | None:
    noted = noted_of(held)
    return None if noted is None else noted.md5


def _lacks_marks(held: Held) -> bool:
    noted = noted_of(held)
    return noted is not None and noted.lacks_marks


BY_MD5 = Identity(md5_of, _md5, _lacks_marks)
"""Synapse tells contents apart by their md5."""
