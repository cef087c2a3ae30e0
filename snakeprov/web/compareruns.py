"""Two runs side by side: what they were started with, what their jobs were given, and which outputs differ."""

from __future__ import annotations

from typing import Final

from snakeprov.client import Client
from snakeprov.errors import BadRequestError, NotFoundError
from snakeprov.lineage.rundifference import SUCCEEDED, RunDifference, compare_runs
from snakeprov.model.answers import Run
from snakeprov.view import rundifference, text
from snakeprov.web.http import Response
from snakeprov.web.visit import Visit

OUTPUTS_READ: Final = 1000
JOBS_READ: Final = 500
"""Outputs and jobs of each run that are compared; the command compares more."""

ROWS_MAX: Final = 100
PREFIX: Final = "run:"


def show(visit: Visit, old_id: str, new_id: str) -> Response:
    """Return the comparison of two runs."""
    found = [_run(visit.client, one) for one in (old_id, new_id)]
    old, new = found
    if old is None or new is None:
        missing = (old_id, new_id)[found.index(None)]
        return visit.unknown(f"No run whose id begins with {missing[:40]} is recorded.")
    difference = _difference(visit.client, old, new)
    names = [text.short_id(one.id) for one in (old, new)]
    return visit.page(
        "compareruns.html",
        title=f"Runs {names[0]} and {names[1]}",
        runs=[old, new],
        sentence=rundifference.sentence(difference),
        command=f"snakeprov diff run:{names[0]} run:{names[1]}",
        facts=[rundifference.fact_row(one) for one in difference.facts[:ROWS_MAX]],
        causes=[
            (title, [rundifference.cause_row(one) for one in rows[:ROWS_MAX]], len(rows))
            for title, rows in rundifference.causes_by_title(difference.causes)
        ],
        rules=difference.outputs[:ROWS_MAX],
        files=[one for rule in difference.outputs for one in rule.files if one.outcome == "different"][:ROWS_MAX],
        different=difference.count("different"),
        truncated=difference.truncated,
    )


def _run(client: Client, run_id: str) -> Run | None:
    if not run_id.isalnum():
        return None
    try:
        return client.runs.get(run_id)
    except (NotFoundError, BadRequestError):
        return None


def _difference(client: Client, old: Run, new: Run) -> RunDifference:
    outputs = [client.runs.outputs(one.id, limit=OUTPUTS_READ) for one in (old, new)]
    jobs = [client.jobs.of_run(one.id, limit=JOBS_READ) for one in (old, new)]
    succeeded = [[one for one in page.results if one.job.status in SUCCEEDED] for page in jobs]
    return compare_runs(
        old,
        new,
        old_outputs=outputs[0].results[::-1],
        new_outputs=outputs[1].results[::-1],
        old_jobs=succeeded[0],
        new_jobs=succeeded[1],
        truncated=any(page.next is not None for page in outputs) or any(page.next is not None for page in jobs),
    )
