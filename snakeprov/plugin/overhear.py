"""Listens to what Snakemake logs of a job that begins or fails.

Must not know: what is recorded of a job.

The shell command and the reason are worked out anew on each access, which costs more than all else here, and logging
a job has just done so. What a cluster says of a failure appears nowhere else. A Snakemake before 9.0 logs with a logger
of its own; of that only the failures are overheard: the texts of a job that begins are asked for then.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from snakeprov.plugin.capturing import Capture


@contextmanager
def overhearing(capture: Capture) -> Iterator[None]:
    """Pass what is logged of each job that begins or fails inside the `with` on to `capture`."""
    from snakemake.logging import logger  # type: ignore[import-untyped]

    if not isinstance(logger, logging.Logger):
        with _overhearing_old(capture, logger):
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
def _overhearing_old(capture: Capture, logger: Any) -> Iterator[None]:
    """Do as `overhearing`, for a job that fails, with the logger of Snakemake before 9.0."""

    def hear(said: dict[str, Any]) -> None:
        if said.get("level") == "job_error":
            capture.job_blamed({"jobid": said.get("jobid"), "rule_msg": said.get("msg"), "log": said.get("log")})

    handlers = getattr(logger, "log_handler", [])
    handlers.append(hear)
    try:
        yield
    finally:
        handlers.remove(hear)
