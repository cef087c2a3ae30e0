"""`snakeprov run`: what happened in one run of Snakemake.

Must not know: how a file was made (`show` does).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from snakeprov.cli import options, output
from snakeprov.errors import BadRequestError, NotFoundError, NotRecordedError, UsageError

if TYPE_CHECKING:
    from snakeprov.client import Client

_SHOWN = 50

_PREFIX_MIN = 4
"""A run can be named by the first characters of its id, at least so many."""


@click.command("run")
@click.argument("run_id", metavar="[ID]", required=False)
@options.limit(_SHOWN)
@options.common
def command(run_id: str | None, limit: int | None, store: str | None, as_json: bool) -> None:
    """Show a run and its jobs.

    The run whose id begins with ID; without ID, the last one. Below the jobs that were run are those that were not:
    reused (what they make was up to date), or not reached.
    """
    from snakeprov.cli.repository import collect, opened
    from snakeprov.view import runs

    if limit is None and not as_json:
        limit = _SHOWN
    with opened(store) as (_, client):
        run = find(client, run_id)
        jobs = collect(lambda **page: client.runs.jobs(run["id"], **page), "results", limit=limit)
        plan = collect(lambda **page: client.runs.plan(run["id"], **page), "results", limit=None if as_json else 1)
    if as_json:
        answer = {"run": run, "jobs": jobs["results"], "totalNumberOfResults": jobs["totalNumberOfResults"]}
        output.write_json({**answer, "plan": plan["results"]})
    else:
        output.write_lines(runs.run(run, jobs, output.screen(), plan=plan))


def find(client: Client, run_id: str | None) -> dict[str, Any]:
    """Return the run whose id begins with `run_id`; without one the last.

    Raises:
        NotRecordedError: There is none.
        UsageError: There are several, or `run_id` is too short to name one.
    """
    listed = "'snakeprov runs' lists them."
    if run_id is None:
        last: list[dict[str, Any]] = client.runs.list(limit=1)["results"]
        if not last:
            raise NotRecordedError("No run has been recorded yet.", hint="Run a tracked workflow first.")
        return last[0]
    if len(run_id) < _PREFIX_MIN:
        raise UsageError(
            f"{run_id!r} is too short to name a run.", hint=f"Give at least {_PREFIX_MIN} characters. {listed}"
        )
    try:
        return client.runs.get(run_id)
    except NotFoundError as error:
        raise NotRecordedError(f"No run whose id begins with {run_id!r} is recorded.", hint=listed) from error
    except BadRequestError as error:
        raise UsageError(f"{run_id!r} does not name one run.", hint=f"Give more of its id. {listed}") from error
