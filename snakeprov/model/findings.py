"""The findings of a check of a store."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

FINDINGS_MAX: Final = 1000
"""Number of findings reported in full; the rest are counted."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it should be.

    Attributes:
        where: The file, or the file and the row in it.
        problem: What is wrong, as a sentence.
        remedy: What to do about it, as a sentence.
        is_damage: False where nothing that was recorded is wrong or missing.
    """

    where: str
    problem: str
    remedy: str
    is_damage: bool = True


@dataclass
class Report:
    """What was checked, and what was found.

    Attributes:
        findings: What is not as it should be, at most `FINDINGS_MAX`.
        damaged: How many findings are damage, told or not.
        rows: How many rows of the database were compared with their checksums.
        contents: How many stored contents were compared with their digests.
        content_bytes: How long these are together.
        outboxes: How many outbox files were read.
    """

    findings: list[Finding] = field(default_factory=list)
    damaged: int = 0
    rows: int = 0
    contents: int = 0
    content_bytes: int = 0
    outboxes: int = 0

    def add(self, finding: Finding) -> None:
        """Take a finding."""
        self.damaged += finding.is_damage
        if len(self.findings) < FINDINGS_MAX:
            self.findings.append(finding)
