"""/snakeprov/v1/runs/{id}/plan: every job that a run had before it, and what became of each.

Must not know: how rows are kept.
"""

from __future__ import annotations

import zlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from snakeprov.db import jobs, lookup, plans, runs
from snakeprov.db.jobs import MadeBy
from snakeprov.db.lookup import Found
from snakeprov.db.plans import Ended
from snakeprov.db.tables import FILE
from snakeprov.model.answers import Plan, PlanKept, PlannedJobAnswer, PlannedMaker, PlannedRule
from snakeprov.model.paths import folders_above
from snakeprov.model.planned import PLANNED_JOBS_MAX, PlannedJob, PlannedState, RunPlan
from snakeprov.server.call import Call
from snakeprov.server.queries import Paging
from snakeprov.server.refusals import bad_request, not_found, shown
from snakeprov.server.runs import check_may_add, existing
from snakeprov.server.services import Services

service = Services("Runs and jobs")

MAKERS_MAX = 3
"""How many runs are named that made what a rule's jobs had made before."""

STATES: Final[dict[str, PlannedState]] = {"failed": "failed", "interrupted": "interrupted", "retried": "interrupted"}
"""What became of a job by the status of its last attempt; every other status means that it was executed."""


class _Kept(msgspec.Struct, omit_defaults=True):
    """A job of the DAG as it is kept.

    Attributes:
        activity_id: What had made its outputs when the run ended.
        is_edited: Whether somebody had edited one of its outputs before the run.
    """

    job: PlannedJob
    activity_id: int | None = None
    is_edited: bool = False


class _Plan(msgspec.Struct, omit_defaults=True):
    jobs: list[_Kept]
    jobs_left_out: int = 0


class PlanPage(Paging, frozen=True):
    """Which jobs of a plan."""

    limit: Annotated[int, Meta(ge=1, le=10_000)] = 1000


@service("PUT", "/snakeprov/v1/runs/{id}/plan")
def put(call: Call, body: RunPlan) -> PlanKept:
    """Keeps every job of a run's DAG, in place of what was kept before."""
    id_ = call.route["id"]
    if body.run_id != id_:
        raise bad_request(f"The body has the runId {shown(body.run_id)}, the path {shown(id_)}.")
    if len(body.jobs) > PLANNED_JOBS_MAX:
        raise bad_request(f"The plan has {len(body.jobs)} jobs; at most {PLANNED_JOBS_MAX} are allowed.")
    run = runs.owner(call.tx, id_)
    if run is None:
        raise not_found(f"There is no run with id {shown(id_)}.")
    check_may_add(call, run)
    kept = _Plan(_with_makers(call, body.jobs, project=run.project_id), body.jobs_left_out)
    plans.put(call.tx, id_, zlib.compress(msgspec.json.encode(kept)))
    return PlanKept(run_id=id_, jobs=len(body.jobs))


@service("GET", "/snakeprov/v1/runs/{id}/plan")
def read(call: Call, query: PlanPage) -> Plan:
    """Every job of a run's DAG: executed, failed, interrupted, reused, edited, not needed or not reached.

    A summary by rule and state, and a page of the jobs in the order of Snakemake's DAG.
    """
    run = existing(call)
    found = plans.get(call.tx, run.id)
    plan = _Plan([]) if found is None else msgspec.json.decode(zlib.decompress(found), type=_Plan)
    ended = {_key(one.rule, msgspec.json.decode(one.wildcards)): one for one in plans.ended(call.tx, run.id)}
    made = jobs.made(call.tx, {one.activity_id for one in plan.jobs if one.activity_id is not None})
    edited = _with_folders(plans.edited(call.tx, run.id)) if plan.jobs else set()
    results = [_result(one, ended, made.get(one.activity_id or 0), edited) for one in plan.jobs]
    return Plan(
        rules=_rules(results),
        results=results[query.offset : query.offset + query.limit],
        total_number_of_results=len(results),
        jobs_left_out=plan.jobs_left_out,
    )


def _with_makers(call: Call, planned: Sequence[PlannedJob], *, project: int | None) -> list[_Kept]:
    """Return the jobs, those that did not have to be run with what the store knows of their outputs."""
    outputs = dict.fromkeys(path for job in planned if not job.is_needed for path in job.outputs)
    found = {} if project is None else lookup.at_paths(call.tx, project, outputs)
    files = {path: one for path, some in found.items() for one in some if one.kind == FILE}
    edited = set() if project is None else plans.edited_now(call.tx, project, outputs)
    return [_Kept(job) if job.is_needed else _with_maker(job, files, edited) for job in planned]


def _with_maker(job: PlannedJob, found: Mapping[str, Found], edited: Collection[str]) -> _Kept:
    known = [found[path] for path in job.outputs if path in found]
    is_edited = any(path in edited for path in job.outputs)
    is_first_known = bool(known) and known[0].path == job.outputs[0]
    return _Kept(job, known[0].activity_id if is_first_known else None, is_edited)


def _result(
    kept: _Kept, ended: dict[tuple[Any, ...], Ended], maker: MadeBy | None, edited: Collection[str]
) -> PlannedJobAnswer:
    job = kept.job
    last = ended.get(_key(job.rule, job.wildcards))
    state = _not_run(kept, edited) if last is None else STATES.get(last.status, "executed")
    made_by = None
    if maker is not None and state == "reused":
        made_by = PlannedMaker(activity_id=str(maker.activity_id), job_id=maker.job_id, run_id=maker.run_id)
    return PlannedJobAnswer(
        rule=job.rule,
        wildcards=job.wildcards,
        outputs=job.outputs,
        state=state,
        job_id=None if last is None else last.id,
        made_by=made_by,
    )


def _with_folders(paths: Collection[str]) -> set[str]:
    """Return paths and the directories above them, as outputs of jobs have them."""
    return {*paths, *(f"{folder}/" for path in paths for folder in folders_above(path))}


def _not_run(kept: _Kept, edited: Collection[str]) -> PlannedState:
    """Return why a job was not run; `edited`: paths of what other jobs found edited, and of directories with it."""
    if kept.job.is_needed:
        return "notReached"
    if kept.job.is_missing or not kept.job.outputs:
        return "notNeeded"
    is_edited = kept.is_edited or any(path in edited for path in kept.job.outputs)
    return "edited" if is_edited else "reused"


def _rules(results: Iterable[PlannedJobAnswer]) -> list[PlannedRule]:
    """Return how many jobs of each rule ended in each state, with the first output of the first of them."""
    folded: dict[tuple[str, PlannedState], list[PlannedJobAnswer]] = {}
    for one in results:
        folded.setdefault((one.rule, one.state), []).append(one)
    return [
        PlannedRule(
            rule=rule,
            state=state,
            jobs=len(jobs),
            output=next(iter(jobs[0].outputs), ""),
            runs=list(dict.fromkeys(one.made_by.run_id for one in jobs if one.made_by is not None))[:MAKERS_MAX],
        )
        for (rule, state), jobs in folded.items()
    ]


def _key(rule: str, wildcards: dict[str, str]) -> tuple[Any, ...]:
    """Return what tells a job from all others of its run."""
    return (rule, *sorted(wildcards.items()))
