"""The result of comparing two versions: the two sides, and every fact that differs."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

import msgspec

from snakeprov.lineage.textdifference import TextDifference
from snakeprov.lineage.unrecorded import Unrecorded
from snakeprov.model.answers import Meaning

Kind = Literal[
    "origin",
    "rule",
    "wildcard",
    "param",
    "code",
    "command",
    "environment",
    "package",
    "input",
    "config",
    "circumstance",
]
Action = Literal["changed", "added", "removed", "unknown"]
"""`unknown`: it is on both sides, and whether it is the same cannot be told."""

Origin = Literal["job", "activity", "none"]


class FileVersion(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A file as a job had it; without an entity where nothing was there or nothing is known."""

    path: str
    entity_id: str | None = None
    version_number: int | None = None
    sha256: str | None = None


class Change(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One fact that is not the same on both sides.

    Attributes:
        kind: What sort of fact; a `circumstance` is one that usually has no effect on a result.
        name: What it is called: a path, the path of a value inside of params (`a.b[2]`), a package.
        action: Whether it changed, is only on the new or the old side, or cannot be compared.
        old: On the old side: a `FileVersion`, or a value; None where it was not there.
        new: On the new side.
        role: Of code and environments, what the file is: script, snakefile, module, …
        difference: Of code and environments, how the texts differ, where that was looked at.
        is_elsewhere: A Snakefile changed, but nothing in it that defines the rule.
    """

    kind: Kind
    name: str
    action: Action
    old: Any = None
    new: Any = None
    role: str | None = None
    difference: TextDifference | None = None
    is_elsewhere: bool = False


class Side(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One of two versions that are compared, and what made it.

    Attributes:
        origin: Whether a recorded job made it, an activity without a job, or nobody known.
        meaning: What its bytes mean beside that.
        role: What it was to the first job that named it.
        is_put_back: Whether it was made before, changed, and then put back: `origin` is what made it then.
    """

    path: str
    entity_id: str
    version_number: int
    sha256: str | None = None
    size_bytes: int | None = None
    bytes_kept: bool | None = None
    created_on: str | None = None
    origin: Origin = "none"
    activity_id: str | None = None
    rule: str | None = None
    job_id: str | None = None
    run_id: str | None = None
    commit: str | None = None
    dirty: bool | None = None
    reason: str | None = None
    ended_on: datetime | None = None
    meaning: Meaning | None = None
    role: str | None = None
    is_put_back: bool = False


class Difference(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """How the stories of two versions differ.

    Attributes:
        same_bytes: Whether both have the same content; None where that is not known.
        causes: What they were made from that differs, in this order: origin, rule, wildcards, params, code, command,
            environment, inputs.
        circumstances: What else differs around them.
        unproved: What may differ, too: params and config that are not recorded whole, inputs without a digest.
        unrecorded: What could explain other bytes, where no cause is known.
    """

    old: Side
    new: Side
    same_bytes: bool | None
    causes: tuple[Change, ...] = ()
    circumstances: tuple[Change, ...] = ()
    unproved: tuple[Change, ...] = ()
    unrecorded: tuple[Unrecorded, ...] = ()
