"""Snakemake's DAG as a RunPlan: every job that a run has before it.

Must not know: when it is asked, or who takes the plan.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from typing import Any

from snakeprov.model.paths import from_storage
from snakeprov.model.planned import PLANNED_JOBS_MAX, PLANNED_OUTPUTS_MAX, PlannedJob, RunPlan
from snakeprov.model.times import now
from snakeprov.plugin.represent import encodable

PathOf = Callable[[str], str]
"""Gives the recorded form of a path."""

Stored = Callable[[str, str], str]
"""Gives the recorded path of the local copy of a storage object, from its path and its query."""


def plan_of(dag: Any, *, run_id: str, path_of: PathOf, stored: Stored) -> RunPlan:
    """Return every job of the DAG as it is now. Takes 10 microseconds a job."""
    jobs = list(islice(dag.jobs, PLANNED_JOBS_MAX))
    return RunPlan(
        run_id=run_id,
        # Once its checkpoint is done, Snakemake no longer counts a job that has been run as one that is needed.
        jobs=[_planned(job, path_of, stored, is_needed=dag.needrun(job) or dag.finished(job)) for job in jobs],
        jobs_left_out=len(dag.jobs) - len(jobs),
        taken_on=now(),
    )


def wildcards_of(job: Any) -> dict[str, str]:
    """Return the wildcards of a job, by name."""
    wildcards = {}
    for name, value in (job.wildcards_dict or {}).items():
        wildcards[encodable(name)] = encodable(str(value))
    return wildcards


def storage_query(file: Any) -> str | None:
    """Return the query of a storage object, in the form that Snakemake shows; None of any other file."""
    if not file.is_storage:
        return None
    stored = file.storage_object
    return encodable(str(getattr(stored, "print_query", None) or stored.query))


def _planned(job: Any, path_of: PathOf, stored: Stored, *, is_needed: bool) -> PlannedJob:
    return PlannedJob(
        rule=encodable(job.rule.name),
        wildcards=wildcards_of(job),
        outputs=[_repository_path(one, path_of, stored) for one in islice(job.output, PLANNED_OUTPUTS_MAX)],
        is_needed=bool(is_needed),
    )


def _repository_path(file: Any, path_of: PathOf, stored: Stored) -> str:
    flags = file.flags
    if not flags:
        return path_of(file)
    query = storage_query(file)
    path = path_of(file) if query is None else from_storage(query) or stored(path_of(file), query)
    return path + "/" if flags.get("directory") else path
