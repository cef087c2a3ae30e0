"""When a job ran, to be compared with the times at which files were written.

Must not know: which files, or what follows from it.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from snakeprov.model.records import JobRecord
from snakeprov.recorder.overlaps import began_on

CLOCK_SLACK_NS: Final = 1_000_000_000
"""A file system may tell when a file was written only to the second."""


class Span(NamedTuple):
    """From when to when a job ran, as a file's time of modification is counted."""

    began_ns: float
    ended_ns: float

    def may_have(self, moment_ns: int) -> bool:
        """Return whether something can have happened while the job ran."""
        return self.began_ns - CLOCK_SLACK_NS <= moment_ns <= self.ended_ns

    def has(self, moment_ns: int) -> bool:
        """Return whether something happened while the job ran."""
        return self.began_ns <= moment_ns <= self.ended_ns


def span_of(job: JobRecord) -> Span | None:
    """Return from when to when a job ran, if that is known."""
    began = began_on(job)
    if began is None or job.ended_on is None:
        return None
    return Span(began.timestamp() * 1e9, job.ended_on.timestamp() * 1e9)
