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
from snakeprov.server import pages
from snakeprov.server.call import Call
from snakeprov.server.pages import PageQuery
from snakeprov.server.queries import NUMBER_MAX
from snakeprov.server.refusals import bad_request, not_found, shown
from snakeprov.server.runs import check_may_add, existing
from snakeprov.server.services import Services

service = Services("Runs and jobs")

CHUNK_JOBS = 500
"""How many jobs of a plan are read together."""

MAKERS_MAX = 3
"""How many runs are named that made what a rule's jobs had made before."""

STATES: Final[dict[str, PlannedState]] = {"failed": "failed", "interrupted": "interrupted", "retried": "interrupted"}
"""What became of a job by the status of its last attempt; every other status means that it was executed."""


Position = Annotated[int, Meta(ge=0, le=NUMBER_MAX)]
"""The position of a job in its plan."""


class _Kept(msgspec.Struct, omit_defaults=True):
    """A job of the DAG as it is kept.

    Attributes:
        activity_id: What had made its outputs when the run ended.
        is_edited: Whether somebody had edited one of its outputs before the run.
    """

    job: PlannedJob
    activity_id: int | None = None
    is_edited: bool = False


class _Plan(msgspec.Struct):
    """A plan as it is kept: its jobs in chunks of `CHUNK_JOBS`, each compressed by itself, so that a page is cheap."""

    chunks: list[bytes] = []
    jobs: int = 0
    jobs_left_out: int = 0

    def page(self, first: int, last: int) -> list[_Kept]:
        """Return the jobs from `first` to before `last`, by position."""
        if first >= last:
            return []
        before = first // CHUNK_JOBS
        chunks = self.chunks[before : -(-last // CHUNK_JOBS)]
        jobs = [one for chunk in chunks for one in msgspec.json.decode(zlib.decompress(chunk), type=list[_Kept])]
        return jobs[first - before * CHUNK_JOBS : last - before * CHUNK_JOBS]


class PlanPage(PageQuery, frozen=True):
    """Which jobs of a plan, and whether all of them are summed up by rule, which takes reading them all."""

    rules: bool = False


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
    kept = _with_makers(call, body.jobs, project=run.project_id)
    starts = range(0, len(kept), CHUNK_JOBS)
    chunks = [zlib.compress(msgspec.json.encode(kept[start : start + CHUNK_JOBS])) for start in starts]
    plans.put(call.tx, id_, msgspec.msgpack.encode(_Plan(chunks, len(kept), body.jobs_left_out)))
    return PlanKept(run_id=id_, jobs=len(body.jobs))


@service("GET", "/snakeprov/v1/runs/{id}/plan")
def read(call: Call, query: PlanPage) -> Plan:
    """Every job of a run's DAG: executed, failed, interrupted, reused, edited, not needed or not reached.

    A page of the jobs in the order of Snakemake's DAG; with `rules` also a summary of all by rule and state.
    """
    run = existing(call)
    found = plans.get(call.tx, run.id)
    plan = _Plan() if found is None else msgspec.msgpack.decode(found, type=_Plan)
    (first,) = pages.key_of(query.after, tuple[Position]) or (0,)
    last = min(first + query.limit, plan.jobs)
    every = _results(call, run.id, plan.page(0, plan.jobs)) if query.rules else None
    return Plan(
        rules=None if every is None else _rules(every),
        results=_results(call, run.id, plan.page(first, last)) if every is None else every[first:last],
        next=pages.next_of((last,)) if last < plan.jobs else None,
        total_number_of_results=None if first else plan.jobs,
        jobs_left_out=plan.jobs_left_out,
    )


def _results(call: Call, run_id: str, kept: Sequence[_Kept]) -> list[PlannedJobAnswer]:
    """Return what became of some jobs of a run."""
    if not kept:
        return []
    last = plans.ended(call.tx, run_id, {one.job.rule for one in kept})
    ended = {_key(one.rule, msgspec.json.decode(one.wildcards)): one for one in last}
    made = jobs.made(call.tx, {one.activity_id for one in kept if one.activity_id is not None})
    edited = _with_folders(plans.edited(call.tx, run_id))
    return [_result(one, ended, made.get(one.activity_id or 0), edited) for one in kept]


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
