"""What a file on disk is, compared with what is recorded of it.

Must not know: how files are read, or who compares.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from snakeprov.model.digest import Digest
from snakeprov.model.meant import Meaning

State = Literal["ok", "changed", "missing", "unreadable", "neverRecorded", "temporary", "logGone", "elsewhere"]
"""`temporary`: gone, as a `temp()` output is meant to be. `logGone`: a log or a benchmark that is gone, which is no
result of its job. `elsewhere`: a storage object, code whose clone is not known, or bytes that nobody saw."""

BY_PRODUCTS: frozenset[str] = frozenset({"log", "benchmark"})
"""Roles of files that tell about a job and are no results of it."""

FINE: frozenset[State] = frozenset({"ok", "temporary", "logGone", "elsewhere"})
"""The states in which nothing is wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """The version that a file should be.

    Attributes:
        path: As recorded: relative to the working directory or absolute; with a slash at the end for a directory.
        sha256, md5: Of its bytes, or of its manifest for a directory; Synapse knows only the second.
        mode: The permissions that the file had; None where that is not known.
        bytes_kept: Whether the repository has the bytes; None where that is not known.
        meaning: What its bytes mean beside what made it.
        role: What it was to the first job that named it; None where that is not known.
    """

    path: str
    entity_id: str
    version_number: int
    sha256: str | None
    md5: str | None
    size_bytes: int | None
    bytes_kept: bool | None
    mode: int | None = None
    meaning: Meaning | None = None
    role: str | None = None

    @property
    def is_by_product(self) -> bool:
        """Whether it is a log or a benchmark."""
        return self.role in BY_PRODUCTS

    @property
    def is_directory(self) -> bool:
        """Whether it is a directory recorded as one thing."""
        return self.path.endswith("/")

    def is_content(self, digest: Digest) -> bool:
        """Return whether some bytes are this version."""
        return digest.sha256 == self.sha256 if self.sha256 else digest.md5 == self.md5


@dataclass(frozen=True, slots=True)
class Difference:
    """A member of a directory that is not as it was recorded."""

    path: str
    what: Literal["added", "removed", "changed"]


@dataclass(slots=True, kw_only=True)
class Compared:
    """What became of a comparison.

    Attributes:
        path: As recorded; of a file that never was, relative to the working directory.
        state: The result.
        recorded: What it was compared with.
        digest: Of what is there now.
        changed_on: When what is there now was written, where it is not what was recorded.
        same_as: The versions that have the content that is there now, as `path@version`.
        differences: Of a directory: its members that differ.
        made_by: The rule, or the name of the activity, that wrote the version, of a file that changed since.
        problem: What else there is to say, as a sentence.
    """

    path: str
    state: State
    recorded: Recorded | None = None
    digest: Digest | None = None
    changed_on: datetime | None = None
    same_as: list[str] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)
    made_by: str | None = None
    problem: str | None = None
