"""When jobs ran: against the times at which files were written, and against each other."""

from __future__ import annotations

from collections import OrderedDict, deque
from datetime import datetime
from itertools import chain
from typing import Final, NamedTuple

from snakeprov.model.records import JobRecord

CLOCK_SLACK_NS: Final = 1_000_000_000
"""A file system may tell when a file was written only to the second."""

PATHS_MAX: Final = 20_000
"""Number of files remembered; the least recently named are forgotten first."""

JOBS_MAX: Final = 16
"""Number of jobs remembered per file: the last ones recorded."""


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

    def overlaps(self, other: Span) -> bool:
        """Return whether another job ran at the same time."""
        return self.began_ns < other.ended_ns and other.began_ns < self.ended_ns


def began_on(job: JobRecord) -> datetime | None:
    """Return when a job began, or else when it was handed out."""
    return job.started_on or job.submitted_on


def span_of(job: JobRecord) -> Span | None:
    """Return from when to when a job ran, if that is known."""
    began = began_on(job)
    if began is None or job.ended_on is None:
        return None
    return Span(began.timestamp() * 1e9, job.ended_on.timestamp() * 1e9)


class Overlaps:
    """The jobs of a run that named each file: any that ran while it changed may have changed it. Not thread-safe."""

    def __init__(self) -> None:
        self._jobs: OrderedDict[str, deque[tuple[str, Span | None]]] = OrderedDict()

    def note(self, job: JobRecord) -> None:
        """Take note of the files that a job names."""
        one = job.id, span_of(job)
        for fact in chain(job.inputs, job.outputs):
            known = self._jobs.setdefault(fact.path, deque(maxlen=JOBS_MAX))
            if one not in known:
                known.append(one)
            self._jobs.move_to_end(fact.path)
        while len(self._jobs) > PATHS_MAX:
            self._jobs.popitem(last=False)

    def has(self, job: JobRecord, path: str) -> bool:
        """Return whether another job named a file while `job` ran, or may have: its times are not known."""
        own = span_of(job)
        others = (span for job_id, span in self._jobs.get(path, ()) if job_id != job.id)
        return any(own is None or span is None or own.overlaps(span) for span in others)
