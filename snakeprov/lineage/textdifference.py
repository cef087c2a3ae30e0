"""Compare two texts line by line within limits, and find the lines of a rule in a Snakefile.

Pure functions.
"""

from __future__ import annotations

import difflib
from typing import Final, Literal

import msgspec

SIZE_BYTES_MAX: Final = 1_000_000
"""Larger contents are not compared."""

LINES_MAX: Final = 4000
"""Maximum number of lines compared after a common beginning and end; the time grows with its square."""

SHOWN_LINES_MAX: Final = 200
"""Maximum number of lines kept of a difference."""

LINE_CHARACTERS_MAX: Final = 500
"""Maximum length kept of a line."""

_NO_NEWLINE: Final = "\\ No newline at end of file"

Reason = Literal["binary", "tooLarge", "bytesNotKept"]


class TextDifference(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """How two texts differ.

    Attributes:
        lines: As `diff -u` prints it, without line ends and without the names of the files.
        added: How many lines are only in the new text.
        removed: How many are only in the old.
        truncated: Whether `lines` is not all.
        reason: Why it is not known, where it is not.
    """

    lines: tuple[str, ...] = ()
    added: int = 0
    removed: int = 0
    truncated: bool = False
    reason: Reason | None = None


def text_difference(old: bytes | None, new: bytes | None) -> TextDifference:
    """Return how two contents differ as texts; None stands for bytes that are not available.

    >>> text_difference(b"a = 1\\n", b"a = 2\\n").lines
    ('@@ -1 +1 @@', '-a = 1', '+a = 2')
    >>> text_difference(b"a", b"\\x00").reason
    'binary'
    """
    if old is None or new is None:
        return TextDifference(reason="bytesNotKept")
    if max(len(old), len(new)) > SIZE_BYTES_MAX:
        return TextDifference(reason="tooLarge")
    if b"\0" in old or b"\0" in new:
        return TextDifference(reason="binary")
    ours, theirs = _lines(old), _lines(new)
    if _differing_lines(ours, theirs) > LINES_MAX:
        return TextDifference(reason="tooLarge")
    lines = []
    for line in list(difflib.unified_diff(ours, theirs))[2:]:
        lines += [line[:-1]] if line.endswith("\n") else [line, _NO_NEWLINE]
    return TextDifference(
        lines=tuple(line[:LINE_CHARACTERS_MAX] for line in lines[:SHOWN_LINES_MAX]),
        added=sum(line.startswith("+") for line in lines),
        removed=sum(line.startswith("-") for line in lines),
        truncated=len(lines) > SHOWN_LINES_MAX or any(len(line) > LINE_CHARACTERS_MAX for line in lines),
    )


def _lines(content: bytes) -> list[str]:
    """Return the lines with their ends; a text split at other characters than a line feed would hide those."""
    *whole, last = content.decode("utf-8", errors="backslashreplace").split("\n")
    return [line + "\n" for line in whole] + ([last] if last else [])


def _differing_lines(old: list[str], new: list[str]) -> int:
    """Return how many lines there are, on the longer side, between the common beginning and the common end."""
    shorter = min(len(old), len(new))
    start = next((place for place in range(shorter) if old[place] != new[place]), shorter)
    room = shorter - start
    end = next((place for place in range(room) if old[-1 - place] != new[-1 - place]), room)
    return max(len(old), len(new)) - start - end
