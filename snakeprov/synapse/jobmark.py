"""The sentence in an Activity's description that identifies its job.

A store that has no place for jobs keeps it with the Activity.
"""

from __future__ import annotations

import re
from typing import Final

_MARK: Final = re.compile(r"snakeprov job ([0-9a-f]{32}) of run ([0-9a-f]{32})")


def mark(job_id: str, run_id: str) -> str:
    """Return the mark of a job."""
    return f"snakeprov job {job_id} of run {run_id}"


def marked(description: str | None) -> tuple[str, str] | None:
    """Return the ids of the job and of the run whose mark a description holds, or None.

    >>> marked("x=1; " + mark("1" * 32, "a" * 32))[0] == "1" * 32
    True
    """
    found = _MARK.search(description or "")
    return (found[1], found[2]) if found else None
