"""Listens to what Snakemake logs of a job that begins or fails.

Must not know: what is recorded of a job.

The shell command and the reason are worked out anew on each access, which costs more than all else here, and logging
a job has just done so. What a cluster says of a failure is told nowhere else. From a Snakemake that logs otherwise
(before 9.0) nothing is overheard: the texts of a job that begins are asked for then.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from snakeprov.plugin.capturing import Capture


@contextmanager
def overhearing(capture: Capture) -> Iterator[None]:
    """Pass what is logged of each job that begins or fails inside the `with` on to `capture`."""
    from snakemake.logging import logger  # type: ignore[import-untyped]

    if not isinstance(logger, logging.Logger):
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
