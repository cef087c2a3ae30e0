"""`snakeprov log`: list the versions of a file, or the latest outputs of the last run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from snakeprov.cli import options, output
from snakeprov.cli.examples import examples
from snakeprov.errors import NotRecordedError, UsageError

if TYPE_CHECKING:
    from snakeprov.client import Client

_SHOWN = 20


@click.command(
    "log",
    epilog=examples(
        ("log results/table.csv", "its versions, newest first"),
        ("log", "what the last run wrote"),
        ("log results", "the recorded files in a folder"),
        ("log results/table.csv --json", "for a program"),
    ),
)
@click.argument("path", required=False, shell_complete=options.recorded_paths)
@options.limit(_SHOWN)
@options.project
@options.common
def command(path: str | None, limit: int | None, project: str | None, store: str | None, as_json: bool) -> None:
    """List the versions of a file.

    Newest first: when each version was recorded, which rule generated it in which run, the commit of the code, its
    size and digest. For a folder: the files in it, as 'snakeprov ls' lists them. Without PATH: the latest outputs of
    the last run.
    """
    from snakeprov.cli import ls, target, targetsyntax
    from snakeprov.cli.paging import collect
    from snakeprov.cli.store import opened
    from snakeprov.view import documents, history

    if limit is None and not as_json:
        limit = _SHOWN
    with opened(store) as (place, client):
        if path is None:
            _latest(client, limit=limit, as_json=as_json)
            return
        try:
            found = target.find(client, place, path, project=project)
        except NotRecordedError:
            if not client.backend.keeps_runs or not ls.is_folder(client, place, path, project=project):
                raise
            ls.write(client, place, path, limit=limit, project=project, as_json=as_json)
            return
        if found.version_number is not None and not isinstance(targetsyntax.read(path), targetsyntax.DigestPrefix):
            raise UsageError(
                f"'log' lists every version of {found.name}, so @{found.version_number} has no meaning here.",
                hint=f"'snakeprov show {found.name}@{found.version_number}' shows that one.",
            )
        answer = collect(lambda **page: client.provenance.history(found.entity_id, **page), limit=limit)
    if as_json:
        output.write_json(documents.log(answer))
    else:
        output.write_lines(history.versions(answer, output.screen()))


def _latest(client: Client, *, limit: int | None, as_json: bool) -> None:
    from snakeprov.cli import target
    from snakeprov.cli.paging import collect
    from snakeprov.view import documents, history

    runs = client.runs.list(limit=1).results
    if not runs:
        if as_json:
            output.write_json(documents.LatestDocument(run=None, outputs=[], total_number_of_results=0))
        else:
            output.write_lines([target.no_run(client)])
        return
    run = runs[0]
    outputs = collect(lambda **page: client.runs.outputs(run.id, **page), limit=limit)
    if as_json:
        total = outputs.total_number_of_results or 0
        output.write_json(documents.LatestDocument(run=run, outputs=outputs.results, total_number_of_results=total))
    else:
        output.write_lines(history.latest(run, outputs, output.screen()))
