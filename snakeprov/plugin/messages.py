"""Hears what Snakemake logs: the details of each job that begins or fails; in an unknown Snakemake also when jobs end.

The shell command and the reason are worked out anew on each access, which costs more than all else here, and logging
a job has just done so. What a cluster says of a failure appears nowhere else. A Snakemake before 9.0 logs with a logger
of its own; of that only the failures are heard: the texts of a job that begins are asked for then.

In a Snakemake that does not have the wrapped methods, messages stand in for the wrappers. They are heard in the thread
that sends them, while the job still exists, and name it by its number. They do not come under `--quiet`, do not tell
retries from failures for groups, and are sent before a success is final.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from snakeprov.plugin.capturing import Capture


@contextmanager
def listening_for_details(capture: Capture) -> Iterator[None]:
    """Pass what is logged of each job that begins or fails inside the `with` on to `capture`."""
    from snakemake.logging import logger  # type: ignore[import-untyped]

    if not isinstance(logger, logging.Logger):
        with _listening_old(capture, logger):
            yield
        return

    def hear(record: logging.LogRecord) -> bool:
        event = record.__dict__.get("event")
        if event == "job_info":
            capture.job_announced(record.__dict__)
        elif event == "job_error":
            capture.job_blamed(record.__dict__)
        return True

    logger.addFilter(hear)
    try:
        yield
    finally:
        logger.removeFilter(hear)


@contextmanager
def _listening_old(capture: Capture, logger: Any) -> Iterator[None]:
    """Do as `listening_for_details`, for a job that fails, with the logger of Snakemake before 9.0."""

    def hear(said: dict[str, Any]) -> None:
        if said.get("level") == "job_error":
            capture.job_blamed({"jobid": said.get("jobid"), "rule_msg": said.get("msg"), "log": said.get("log")})

    handlers = getattr(logger, "log_handler", [])
    handlers.append(hear)
    try:
        yield
    finally:
        handlers.remove(hear)


@contextmanager
def listening_for_jobs(workflow: Any, capture: Capture) -> Iterator[None]:
    """Tell `capture` of the jobs of `workflow` from log messages inside the `with`."""
    from snakemake.logging import logger

    handler = _JobListener(workflow, capture)
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)


class _JobListener(logging.Handler):
    def __init__(self, workflow: Any, capture: Capture) -> None:
        super().__init__()
        self._workflow = workflow
        self._capture = capture
        self._started: dict[int, Any] = {}
        self._jobs: dict[int, Any] = {}

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
        """Return the job with this number. The DAG is searched again only after it has changed."""
        dag = self._workflow.dag
        job = self._jobs.get(number)
        if job is None or job not in dag.jobs:  # a checkpoint adds jobs, and replaces some under their number
            self._jobs = {dag.jobid(one): one for one in dag.jobs}
            job = self._jobs[number]
        return job
