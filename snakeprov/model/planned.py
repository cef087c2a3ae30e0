"""The plan of a run: every job of its DAG, whether it ran or not."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

PLANNED_JOBS_MAX = 100_000
"""Maximum number of jobs listed in a plan; the others of a larger DAG are only counted."""

PLANNED_OUTPUTS_MAX = 20
"""Outputs that a plan names of each job."""

PlannedState = Literal["executed", "reused", "edited", "notNeeded", "failed", "interrupted", "notReached"]
"""What became of a job of the DAG. Of those that were not run: `reused`, its outputs were there and up to date;
`edited`, somebody had edited one of them by hand; `notNeeded`, its output was missing and nothing needed it;
`notReached`, the run ended before."""


class PlannedJob(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """One job of the DAG.

    Attributes:
        wildcards: With the rule they tell the jobs of a run apart.
        outputs: The paths under which a store has its outputs, at most `PLANNED_OUTPUTS_MAX`.
        is_needed: Whether it had to be run.
        is_missing: Whether it did not have to be run although its first output was not there.
    """

    rule: str
    wildcards: dict[str, str] = {}
    outputs: list[str] = []
    is_needed: bool = False
    is_missing: bool = False


class RunPlan(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """The DAG of one run.

    Attributes:
        jobs: At most `PLANNED_JOBS_MAX`.
        jobs_left_out: How many more there were.
        taken_on: When it was like this.
    """

    run_id: str
    jobs: list[PlannedJob] = []
    jobs_left_out: int = 0
    taken_on: datetime | None = None
