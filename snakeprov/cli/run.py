"""`snakeprov run`: what happened in one run of Snakemake.

Must not know: how a file was made (`show` does).
"""

from __future__ import annotations

import click

from snakeprov.cli import options, output

_SHOWN = 50


@click.command("run")
@click.argument("run_id", metavar="[ID]", required=False)
@options.limit(_SHOWN)
@options.common
def command(run_id: str | None, limit: int | None, store: str | None, as_json: bool) -> None:
    """Show a run and its jobs.

    The run whose id begins with ID; without ID, the last one. Below the jobs that were run are those that were not:
    reused (their outputs were there and up to date), edited by hand (somebody changed an output), not needed (the
    output was missing and nothing needed it), or not reached.
    """
    from snakeprov.cli import target
    from snakeprov.cli.repository import collect, opened
    from snakeprov.view import runs

    if limit is None and not as_json:
        limit = _SHOWN
    with opened(store) as (_, client):
        _, run = target.last_run(client) if run_id is None else target.find_run(client, run_id)
        jobs = collect(lambda **page: client.runs.jobs(run["id"], **page), "results", limit=limit)
        plan = collect(lambda **page: client.runs.plan(run["id"], **page), "results", limit=None if as_json else 1)
    if as_json:
        answer = {"run": run, "jobs": jobs["results"], "totalNumberOfResults": jobs["totalNumberOfResults"]}
        output.write_json({**answer, "plan": plan["results"]})
    else:
        output.write_lines(runs.run(run, jobs, output.screen(), plan=plan))
