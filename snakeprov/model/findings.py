"""What a check of stored things found.

Must not know: who checks, or what is done about it.
"""

from __future__ import annotations

from dataclasses import dataclass


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
