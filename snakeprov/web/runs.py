"""The page of a run: what became of its jobs."""

from __future__ import annotations

import statistics
from typing import Final, NamedTuple

from snakeprov.client import Client
from snakeprov.errors import BadRequestError, NotFoundError
from snakeprov.model.answers import Done, JobSummary, Page, Plan, PlannedRule, Run
from snakeprov.view import history, text
from snakeprov.view import runs as view
from snakeprov.web import highlight, jobs, render, urls
from snakeprov.web.http import Response, redirect
from snakeprov.web.visit import Visit

JOBS_READ: Final = 1000
"""Jobs that a page reads; of those of a longer run the first that ended."""

JOBS_MAX: Final = 200
"""Jobs that a page lists."""

FAILED_MAX: Final = 10
"""Failed jobs that are shown with their errors."""

NEAR_MAX: Final = 5
RUNS_READ: Final = 50
PATCH_CHARACTERS_MAX: Final = 400_000

_FAILED: Final = frozenset({"failed", "interrupted"})
_STATES: Final = ("failed", "interrupted", "executed", *view.NOT_RUN)
_WORDS: Final = {**view.NOT_RUN, "executed": "ran"}


class RuleTotal(NamedTuple):
    """The jobs of one rule: how many are in which state, and how long those took that were read."""

    rule: str
    states: list[tuple[str, str, int]]
    total_s: float
    median_s: float | None
    share: float
    output: str


class Failure(NamedTuple):
    """A job that failed, and the last that it said."""

    job: JobSummary
    error: str
    log: jobs.LogEnd | None
    command: str


def show(visit: Visit, run_id: str) -> Response:
    """Return the page of a run."""
    client = visit.client
    try:
        run = client.runs.get(run_id)
    except (NotFoundError, BadRequestError):
        near = [(_named(one), urls.run(one.id)) for one in client.runs.list(limit=NEAR_MAX).results]
        said = f"No run whose id begins with {run_id[:40]} is recorded."
        return visit.unknown(said, hint="These are the latest:" if near else "", near=near)
    if run.id != run_id:
        return redirect(urls.run(run.id))
    plan = client.runs.plan(run.id, limit=1, rules=True)
    read = client.runs.jobs(run.id, limit=JOBS_READ)
    rule = visit.request.query.get("rule")
    failed = _failed(client, run, read)
    listed = [one for one in read.results if rule in (None, one.rule)]
    listed.sort(key=lambda one: one.status not in _FAILED)
    return visit.page(
        "run.html",
        title=f"Run {text.short_id(run.id)}",
        run=run,
        line=history.run_line(run, render.screen()),
        facts={name: value for name, value in view.facts(run, render.screen()).items() if value},
        commit_url="" if run.git is None else urls.of_commit(run.git.remote, run.git.commit),
        has_patch=run.git is not None and run.git.patch_file_handle_id is not None,
        rules=_rules(plan, read),
        read=len(read.results),
        jobs_total=read.total_number_of_results or len(read.results),
        rule=rule,
        listed=listed[:JOBS_MAX],
        listed_total=len(listed),
        took={one.id: view.took_s(one) for one in listed[:JOBS_MAX]},
        failures=[_failure(client, one) for one in failed[:FAILED_MAX]],
        failed_total=len(failed),
        reused=_reused(plan),
        words=view.NOT_RUN,
        plan=plan,
        before=_before(client, run),
        command=f"snakeprov run {text.short_id(run.id)}",
    )


def patch(visit: Visit, run_id: str) -> Response:
    """Return the page that shows how the code of a run differed from its commit."""
    run = visit.client.runs.get(run_id)
    diff = visit.client.runs.patch(run.id).decode("utf-8", "backslashreplace")
    return visit.page(
        "patch.html",
        title=f"The code of run {text.short_id(run.id)}",
        run=run,
        diff=highlight.code(render.safe_lines(diff[:PATCH_CHARACTERS_MAX]), language="diff"),
        is_cut=len(diff) > PATCH_CHARACTERS_MAX,
    )


def _before(client: Client, run: Run) -> str:
    """Return the run before this one in its project, if it is among the latest; else nothing."""
    listed = client.runs.list(limit=RUNS_READ).results
    ids = [one.id for one in listed if one.project == run.project]
    later = ids.index(run.id) if run.id in ids else len(ids)
    return next(iter(ids[later + 1 :]), "")


def _named(run: Run) -> str:
    return f"{text.short_id(run.id)} {run.project} {run.status}"


def _rules(plan: Plan, read: Page[JobSummary]) -> list[RuleTotal]:
    """Return the jobs of each rule together: those that took longest first."""
    states: dict[str, dict[str, int]] = {}
    outputs: dict[str, str] = {}
    for one in plan.rules or ():
        states.setdefault(one.rule, {})[one.state] = states.get(one.rule, {}).get(one.state, 0) + one.jobs
        outputs.setdefault(one.rule, one.output)
    if not states:
        for job in read.results:
            state = job.status if job.status in _FAILED else "executed"
            states.setdefault(job.rule, {})[state] = states.get(job.rule, {}).get(state, 0) + 1
            if job.outputs:
                outputs.setdefault(job.rule, job.outputs[0].path)
    took: dict[str, list[float]] = {}
    for job in read.results:
        if (seconds := view.took_s(job)) is not None:
            took.setdefault(job.rule, []).append(seconds)
    every_s = sum(map(sum, took.values())) or 1.0
    rows = [
        RuleTotal(
            rule,
            [(state, _WORDS.get(state, state), counts[state]) for state in _STATES if counts.get(state)],
            sum(took.get(rule, ())),
            statistics.median(took[rule]) if rule in took else None,
            sum(took.get(rule, ())) / every_s,
            outputs.get(rule, ""),
        )
        for rule, counts in states.items()
    ]
    return sorted(rows, key=lambda one: (-sum(n for state, _, n in one.states if state in _FAILED), -one.total_s))


def _failed(client: Client, run: Run, read: Page[JobSummary]) -> list[JobSummary]:
    """Return the jobs that failed, also those that were not among the first."""
    failed = [one for one in read.results if one.status in _FAILED]
    if read.next is None or len(failed) >= FAILED_MAX:
        return failed
    known = {one.id for one in failed}
    found = client.provenance.search([("run", run.id), ("status", "failed")], limit=JOBS_MAX).results
    ids = list(dict.fromkeys(one.job_id for one in found if one.job_id and one.job_id not in known))[:FAILED_MAX]
    for one in client.jobs.with_ids(ids) if ids else ():
        job = one.job
        failed.append(
            JobSummary(
                id=job.id,
                rule=job.rule,
                status=job.status,
                wildcards=job.wildcards,
                attempt=job.attempt,
                outputs=[],
                error=job.error,
            )
        )
    return failed


def _failure(client: Client, job: JobSummary) -> Failure:
    found = next(iter(client.jobs.with_ids([job.id])), None)
    if found is None:
        return Failure(job, job.error or "", None, "")
    done = Done(job=found, activity=None, run=None)
    return Failure(job, found.job.error or job.error or "", jobs.log_end(client, done), found.job.shellcmd or "")


def _reused(plan: Plan) -> list[PlannedRule]:
    return sorted(
        (one for one in plan.rules or () if one.state in view.NOT_RUN),
        key=lambda one: list(view.NOT_RUN).index(one.state),
    )
