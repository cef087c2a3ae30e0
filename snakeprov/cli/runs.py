"""`snakeprov runs`: list the recorded runs of Snakemake."""

from __future__ import annotations

import click

from snakeprov.cli import options, output
from snakeprov.cli.examples import examples

_SHOWN = 20


@click.command(
    "runs",
    epilog=examples(
        ("runs", "the last 20"),
        ("runs -n 100", "more of them"),
        ("runs --json", "for a program"),
    ),
)
@options.limit(_SHOWN)
@options.common
def command(limit: int | None, store: str | None, as_json: bool) -> None:
    """List the runs, newest first."""
    from snakeprov.cli import target
    from snakeprov.cli.paging import collect
    from snakeprov.cli.store import opened
    from snakeprov.view import documents, runs

    if limit is None and not as_json:
        limit = _SHOWN
    with opened(store) as (_, client):
        answer = collect(client.runs.list, limit=limit)
    if as_json:
        output.write_json(documents.runs(answer.results))
    elif not answer.results:
        output.write_lines([target.no_run(client)])
    else:
        output.write_lines(runs.runs(answer, output.screen()))
