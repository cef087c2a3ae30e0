"""`snakeprov why`: explain why a version of a file differs from the one before."""

from __future__ import annotations

import click

from snakeprov.cli import options, output
from snakeprov.cli.examples import examples


@click.command(
    "why",
    epilog=examples(
        ("why results/table.csv", "what changed since the version before"),
        ("why results/table.csv@1", "why there was a version 1"),
    ),
)
@options.versioned_path
@options.depth
@options.project
@options.common
def command(path: str, depth: int | None, project: str | None, store: str | None, as_json: bool) -> None:
    """Say why a file changed, or why it was made again.

    Lists the inputs, params, code and software that changed since the previous version, and what changed the inputs
    upstream; of the latest version, or of the one named by @N. The first line is a sentence to paste into a mail.
    """
    from snakeprov.cli import target
    from snakeprov.cli.sources import sources_of
    from snakeprov.cli.store import opened
    from snakeprov.lineage.causes import as_first_seen, made_again, since_the_version_before
    from snakeprov.lineage.difference import is_put_back, side_of
    from snakeprov.view import causes, differencedocuments

    with opened(store) as (place, client):
        found = target.find(client, place, path, project=project)
        story = target.ask(client, found, lambda: client.provenance.story(found.entity_id, found.number))
        sources = sources_of(client, place.root)
        trace = since_the_version_before(story, sources, depth)
        again = None if is_put_back(story) else made_again(story, sources, depth)
        side = side_of(as_first_seen(story, sources) or story)
    count = len(story.version.reproduced_by)
    if as_json:
        output.write_json(differencedocuments.why(side, trace, again=again, count=count))
    elif trace is None:
        output.write_lines(causes.first(side, output.screen(), again=again, count=count))
    else:
        output.write_lines(causes.why(trace, output.screen(), again=again, count=count))
