"""Listens to what Snakemake logs of a job that begins, for texts that cost it more to make than all else here.

Must not know: what is recorded of a job.

The shell command and the reason are worked out anew on each access, and logging a job has just done so. A Snakemake
that logs otherwise (before 9.0) costs nothing but time: what was not overheard is asked for.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from snakeprov.plugin.capturing import Capture


@contextmanager
def overhearing(capture: Capture) -> Iterator[None]:
    """Pass what is logged of each job that begins inside the `with` on to `capture`."""
    from snakemake.logging import logger  # type: ignore[import-untyped]

    if not isinstance(logger, logging.Logger):
        yield
        return

    def hear(record: logging.LogRecord) -> bool:
        if record.__dict__.get("event") == "job_info":
            capture.job_announced(record.__dict__)
        return True

    logger.addFilter(hear)
    try:
        yield
    finally:
        logger.removeFilter(hear)
