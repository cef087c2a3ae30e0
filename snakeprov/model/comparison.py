"""The result of comparing a file on disk with its record."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from snakeprov.model.answers import Version
from snakeprov.model.digest import Digest

State = Literal["ok", "changed", "missing", "unreadable", "neverRecorded", "temporary", "logGone", "elsewhere"]
"""`temporary`: gone, as a `temp()` output is meant to be. `logGone`: a log or a benchmark that is gone, which is not a
result of its job. `elsewhere`: a storage object, code whose clone is not known, or bytes that nobody saw."""

FINE: frozenset[State] = frozenset({"ok", "temporary", "logGone", "elsewhere"})
"""The states in which nothing is wrong."""


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
    recorded: Version | None = None
    digest: Digest | None = None
    changed_on: datetime | None = None
    same_as: list[str] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)
    made_by: str | None = None
    problem: str | None = None
