"""The result of `snakeprov checkout`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from snakeprov.model.answers import Role, Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A file of the run.

    Attributes:
        path: As recorded.
        to: Where it is below the folder; None if it is not available.
        reason: Why not, as a sentence.
    """

    role: Role
    path: str
    entity_id: str | None = None
    version_number: int | None = None
    sha256: str | None = None
    to: str | None = None
    reason: str | None = None


@dataclass(slots=True, kw_only=True)
class CheckedOut:
    """A run in a folder.

    Attributes:
        run: The run.
        folder: Where it is, absolute (text form).
        work: Where the working directory of the run is below the folder; "." is the folder itself.
        code: Where the code is from: "commit", "commit and patch", or "files" where only the files that ran are there.
        placed: The files that were written.
        missing: The files that are not available.
        notes: What else there is to know, as sentences.
    """

    run: Run
    folder: str
    work: str = "."
    code: Literal["commit", "commit and patch", "files"] = "files"
    placed: list[Item] = field(default_factory=list)
    missing: list[Item] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
