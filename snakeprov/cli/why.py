"""`snakeprov why`: explain why a version of a file differs from the one before."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from snakeprov.cli import options, output

if TYPE_CHECKING:
    from snakeprov.lineage.causes import Sources, Trace
    from snakeprov.model.answers import Story


@click.command("why")
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
    from snakeprov.lineage.causes import as_first_seen
    from snakeprov.lineage.difference import is_put_back, side_of
    from snakeprov.view import causes, differencedocuments

    with opened(store) as (place, client):
        found = target.find(client, place, path, project=project)
        story = target.ask(client, found, lambda: client.provenance.story(found.entity_id, found.number))
        sources = sources_of(client, place.root)
        trace = _since_the_version_before(story, sources, depth)
        again = None if is_put_back(story) else _made_again(story, sources, depth)
        side = side_of(as_first_seen(story, sources) or story)
    count = len(story.version.reproduced_by)
    if as_json:
        output.write_json(differencedocuments.why(side, trace, again=again, count=count))
    elif trace is None:
        output.write_lines(causes.first(side, output.screen(), again=again, count=count))
    else:
        output.write_lines(causes.why(trace, output.screen(), again=again, count=count))


def _since_the_version_before(story: Story, sources: Sources, depth: int | None) -> Trace | None:
    """Return why a version differs from the one before; None if there is none, or if the user may not read it.

    The first making of the version is compared with the last of the one before: what changed then made the difference.
    """
    from snakeprov.lineage import causes

    number = story.previous_version_number
    if number is None:
        return None
    (old,) = sources.tell([(story.entity.id, number, None, None)])
    new = causes.as_first_seen(story, sources)
    if old is None or new is None:
        return None
    return causes.trace(old, new, sources, distance_max=depth or causes.DISTANCE_MAX)


def _made_again(story: Story, sources: Sources, depth: int | None) -> Trace | None:
    """Return how the last making of the bytes of a version differs from the one before; None: there was one at most."""
    from snakeprov.lineage import causes

    last = causes.made_before(story)
    before = None if last is None else causes.made_before(story, last[2])
    if last is None or before is None:
        return None
    old, new = sources.tell([before, last])
    if old is None or new is None:
        return None
    return causes.trace(old, new, sources, distance_max=depth or causes.DISTANCE_MAX)
