"""Which outputs of jobs that a run did not need were missing.

Looked at by the delivering process, so that Snakemake does not wait for it.
"""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Final

import msgspec

from snakeprov.model.paths import is_elsewhere, to_os
from snakeprov.model.planned import PlannedJob, RunPlan
from snakeprov.model.times import now

AGE_MAX: Final = timedelta(minutes=10)
"""Older plans are ignored: the files may have changed since."""

LOOKED_AT_MAX: Final = 10_000
"""Maximum number of jobs whose first output is looked up on disk."""


def with_missing(plan: RunPlan, working_directory: Path) -> RunPlan:
    """Return a plan that says which of the jobs that were not needed had no output on disk."""
    if plan.taken_on is None or now() - plan.taken_on > AGE_MAX:
        return plan
    left = LOOKED_AT_MAX
    jobs: list[PlannedJob] = []
    for job in plan.jobs:
        is_looked_at = left > 0 and not job.is_needed and bool(job.outputs) and not is_elsewhere(job.outputs[0])
        left -= is_looked_at
        is_missing = is_looked_at and not os.path.lexists(working_directory / to_os(job.outputs[0].rstrip("/")))
        jobs.append(msgspec.structs.replace(job, is_missing=True) if is_missing else job)
    return msgspec.structs.replace(plan, jobs=jobs)
