"""The first page: search, recent runs, and what waits to be delivered."""

from __future__ import annotations

from typing import Final

from snakeprov.client import Client
from snakeprov.model.answers import MadeVersion, Run
from snakeprov.view import text
from snakeprov.web.http import Response
from snakeprov.web.visit import Visit

RUNS_MAX: Final = 20
"""Runs on one page."""

RESULTS_MAX: Final = 10
_OUTPUTS_READ: Final = 200


def show(visit: Visit) -> Response:
    """Return the first page."""
    client = visit.client
    after = visit.request.query.get("after", "")
    runs = client.runs.list(limit=RUNS_MAX, after=after)
    latest = runs.results[0] if runs.results and not after else None
    return visit.page(
        "home.html",
        title="Recent runs",
        runs=runs,
        after=after,
        sentence=_sentence(latest, runs.total_number_of_results or 0, is_local=visit.site.is_local),
        latest=latest,
        results=[] if latest is None else _results(client, latest),
        waiting=None if visit.site.waiting is None else visit.site.waiting(),
    )


def _sentence(latest: Run | None, total: int, *, is_local: bool) -> str:
    if latest is None:
        return f"No run has been recorded yet{'' if is_local else ', or none is shared with you'}."
    recorded = f"{text.counted(total, 'run is', 'runs are')} recorded"
    return f"{recorded}; the latest is run {text.short_id(latest.id)} of {latest.project}."


def _results(client: Client, run: Run) -> list[MadeVersion]:
    """Return the last files that a run wrote, newest first, without logs and benchmarks."""
    outputs = client.runs.outputs(run.id, limit=_OUTPUTS_READ).results
    return [one for one in outputs if not one.is_by_product][:RESULTS_MAX]
