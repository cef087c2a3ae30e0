"""`snakeprov lineage`: what a version of a file came from, or what came from it.

Must not know: how the tree is drawn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from snakeprov.cli import options, output

if TYPE_CHECKING:
    from snakeprov.lineage.graph import Direction

DEPTH_MAX = 1000
"""No more activities than this are looked through, one behind another."""

NODES_MAX = 100_000
"""No more files and activities than this are looked at."""


@click.command("lineage")
@options.versioned_path
@click.option("--upstream", "direction", flag_value="upstream", default="upstream", help="What it came from (default).")
@click.option("--downstream", "direction", flag_value="downstream", help="What came from it.")
@click.option(
    "--depth",
    type=click.IntRange(1, DEPTH_MAX),
    metavar="N",
    help="Look through at most N activities, one behind another.",
)
@options.project
@options.common
def command(
    path: str, direction: Direction, depth: int | None, project: str | None, store: str | None, as_json: bool
) -> None:
    """Draw what a file came from.

    A tree from the file down to the raw inputs, with the rule that made each file and the commit of its code; or,
    with --downstream, of everything that came from it.
    """
    from snakeprov.cli import target
    from snakeprov.cli.repository import opened
    from snakeprov.lineage.graph import Graph
    from snakeprov.view import answers, tree

    with opened(store) as (place, client):
        found = target.find(client, place, path, project=project)
        answer = target.ask(
            client,
            found,
            lambda: client.provenance.lineage(
                found.entity_id, found.number, direction=direction, depth=depth or DEPTH_MAX, limit=NODES_MAX
            ),
        )
    if as_json:
        output.write_json(answers.lineage(answer))
    else:
        graph = Graph.from_wire(answer)
        output.write_lines(tree.lineage(graph, output.screen(), direction=direction, depth=depth))
