"""What stands in for the wrappers in a Snakemake that does not have the wrapped methods: its log messages.

Must not know: what is recorded of a job.

The messages are heard in the thread that sends them, while the job still exists, and name it by its number. They do
not come under `--quiet`, do not tell retries from failures for groups, and are sent before a success is final.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from snakeprov.plugin.capturing import Capture


@contextmanager
def listening(workflow: Any, capture: Capture) -> Iterator[None]:
    """Tell `capture` of the jobs of `workflow` from log messages inside the `with`."""
    from snakemake.logging import logger  # type: ignore[import-untyped]

    handler = _Listener(workflow, capture)
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)


class _Listener(logging.Handler):
    def __init__(self, workflow: Any, capture: Capture) -> None:
        super().__init__()
        self._workflow = workflow
        self._capture = capture
        self._started: dict[int, Any] = {}

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._hear(record)
        except Exception as error:
            self._capture.problems.note(f"a log message was not understood: {type(error).__name__}: {error}")

    def _hear(self, record: logging.LogRecord) -> None:
        event = getattr(getattr(record, "event", None), "value", None)
        number = getattr(record, "job_id" if event == "job_finished" else "jobid", None)
        if event == "job_info":
            job = self._find(number)
            self._started[job.jobid] = job
            self._capture.jobs_started([job])
            self._capture.job_began(job)
        elif event == "job_finished" and number in self._started:
            self._capture.job_finished(self._started.pop(number))
        elif event == "job_error" and number in self._started:
            self._capture.job_failed(self._started.pop(number))

    def _find(self, number: Any) -> Any:
        dag = self._workflow.dag
        return next(job for job in dag.jobs if dag.jobid(job) == number)
