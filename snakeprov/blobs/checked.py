"""The result of comparing one stored content with its digest."""

from __future__ import annotations

from typing import NamedTuple


class Checked(NamedTuple):
    """A content that was read, or a file that should be one.

    Attributes:
        where: The file, or the file and the row in it.
        sha256: What it was kept as; empty where that is not known.
        size_bytes: How much was read.
        problem: What is wrong with it, as a sentence; empty where it is whole.
        is_damage: Whether something that was kept is lost by that.
    """

    where: str
    sha256: str
    size_bytes: int
    problem: str = ""
    is_damage: bool = True


NOT_YOURS = "It is a copy of a private file, which only its owner may check."
"""The problem of a content that may not be read."""

OTHER_BYTES = "It is damaged: its bytes have another sha256."
"""The problem of a content that is not what it was kept as."""
