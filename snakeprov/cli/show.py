"""`snakeprov show`: how one version of a file was made.

Must not know: what came before its inputs (`lineage` does).
"""

from __future__ import annotations

import click

from snakeprov.cli import options, output


@click.command("show")
@options.versioned_path
@options.project
@options.common
def command(path: str, project: str | None, store: str | None, as_json: bool) -> None:
    """Show how a file was made.

    What was used and executed, with which parameters, by which command, when, where and why; of the latest version,
    or of the one named by @N.
    """
    from snakeprov.cli import target
    from snakeprov.cli.repository import opened
    from snakeprov.view import answers, story

    with opened(store) as (place, client):
        found = target.find(client, place, path, project=project)
        answer = target.ask(client, found, lambda: client.provenance.story(found.entity_id, found.number))
    if as_json:
        output.write_json(answers.story(answer))
    else:
        output.write_lines(story.story(answer, output.screen()))
