"""Shorten Snakemake's reason for a job, which names every file and so can name thousands."""

from __future__ import annotations

from typing import Final

NAMES_MAX: Final = 3
"""Maximum number of files named per reason; the others are counted."""

PART_CHARACTERS_MAX: Final = 300
"""What is shown of one reason."""

PARTS_MAX: Final = 10


def folded(reason: str) -> str:
    """Return a reason in one line, long lists of files folded.

    >>> folded("Missing output files: a.txt, b.txt, c.txt, d.txt, e.txt; Code has changed")
    'Missing output files: a.txt, b.txt, c.txt and 2 more; Code has changed'
    """
    parts = " ".join(reason.split()).split("; ")
    shown = [_folded(part) for part in parts[:PARTS_MAX]]
    if len(parts) > PARTS_MAX:
        shown.append(f"and {len(parts) - PARTS_MAX} more reasons")
    return "; ".join(shown)


def _folded(part: str) -> str:
    label, colon, rest = part.partition(": ")
    names = rest.split(", ")
    if colon and len(names) > NAMES_MAX:
        part = f"{label}: {', '.join(names[:NAMES_MAX])} and {len(names) - NAMES_MAX:,} more"
    if len(part) > PART_CHARACTERS_MAX:
        part = part[: PART_CHARACTERS_MAX - 1] + "…"
    return part
