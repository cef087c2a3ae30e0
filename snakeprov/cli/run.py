"""`snakeprov run`: show one run of Snakemake and its jobs."""

from __future__ import annotations

import click

from snakeprov.cli import options, output, paging
from snakeprov.cli.examples import examples

_READ_MAX = 2_000
"""Number of jobs that are read to draw those of one rule together."""


@click.command(
    "run",
    epilog=examples(
        ("run", "the last run"),
        ("run bbbb", "the run whose id begins so"),
        ("run bbbb -n 100", "each job on its own"),
    ),
)
@click.argument("run_id", metavar="[ID]", required=False)
@click.option(
    "-n",
    "--limit",
    type=click.IntRange(1, paging.LIMIT_MAX),
    help="List this many jobs, each on its own; default: jobs of one rule together, or all with --json.",
)
@options.common
def command(run_id: str | None, limit: int | None, store: str | None, as_json: bool) -> None:
    """Show a run and its jobs.

    The run whose id begins with ID; without ID, the last one. Failed jobs come first. The jobs of a rule that has many
    share a line: how many there are, their median time and their outputs.

    Below the jobs that ran are those that did not: reused (their outputs were there and up to date), edited by hand
    (somebody changed an output), not needed (the output was missing and nothing needed it), or not reached.
    """
    from snakeprov.cli import target
    from snakeprov.cli.paging import collect
    from snakeprov.cli.store import opened
    from snakeprov.view import documents, runs

    is_folded = limit is None and not as_json
    read = _READ_MAX if is_folded else limit
    with opened(store) as (_, client):
        _, run = target.last_run(client) if run_id is None else target.find_run(client, run_id)
        jobs = collect(lambda **page: client.runs.jobs(run.id, **page), limit=read)
        plan = collect(lambda **page: client.runs.plan(run.id, rules=not as_json, **page), limit=None if as_json else 1)
    if as_json:
        total = jobs.total_number_of_results or 0
        answer = documents.RunJobsDocument(run=run, jobs=jobs.results, total_number_of_results=total, plan=plan.results)
        output.write_json(answer)
    else:
        output.write_lines(runs.run(run, jobs, output.screen(), plan=plan, is_folded=is_folded))
