"""Which jobs of a run named a file while another one ran: any of them may have changed it.

Must not know: plans, or what the files mean.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from datetime import datetime
from itertools import chain
from typing import Final, NamedTuple

from snakeprov.model.records import JobRecord

PATHS_MAX: Final = 20_000
"""Number of files remembered; the least recently named are forgotten first."""

JOBS_MAX: Final = 16
"""Number of jobs remembered per file: the last ones recorded."""


class _Span(NamedTuple):
    job_id: str
    began: datetime | None
    ended: datetime | None


class Overlaps:
    """The jobs that named each file. Not thread-safe."""

    def __init__(self) -> None:
        self._jobs: OrderedDict[str, deque[_Span]] = OrderedDict()

    def add(self, job: JobRecord) -> None:
        """Take note of a job."""
        span = _span(job)
        for fact in chain(job.inputs, job.outputs):
            spans = self._jobs.setdefault(fact.path, deque(maxlen=JOBS_MAX))
            if span not in spans:
                spans.append(span)
            self._jobs.move_to_end(fact.path)
        while len(self._jobs) > PATHS_MAX:
            self._jobs.popitem(last=False)

    def has(self, job: JobRecord, path: str) -> bool:
        """Return whether another job named a file while `job` ran, or may have: its times are not known."""
        own = _span(job)
        return any(_meet(own, span) for span in self._jobs.get(path, ()) if span.job_id != job.id)


def began_on(job: JobRecord) -> datetime | None:
    """Return when a job began, or else when it was handed out."""
    return job.started_on or job.submitted_on


def _span(job: JobRecord) -> _Span:
    return _Span(job.id, began_on(job), job.ended_on)


def _meet(one: _Span, other: _Span) -> bool:
    """Return whether two jobs ran at the same time, or may have."""
    if one.began is None or one.ended is None or other.began is None or other.ended is None:
        return True
    return one.began < other.ended and other.began < one.ended
