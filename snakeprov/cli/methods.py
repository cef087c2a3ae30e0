"""`snakeprov methods`: write the methods section of a paper."""

from __future__ import annotations

import click

from snakeprov.cli import options, output
from snakeprov.cli.examples import examples


@click.command(
    "methods",
    epilog=examples(
        ("methods results/figure.png", "a paragraph for the paper"),
        ("methods run:bbbb --format markdown", "of a whole run"),
    ),
)
@click.argument("what", metavar="PATH[@N]…|run:ID", nargs=-1, required=True)
@click.option("--format", "form", type=click.Choice(("text", "markdown")), default="text", show_default=True)
@options.project
@options.common
def command(what: tuple[str, ...], form: str, project: str | None, store: str | None, as_json: bool) -> None:
    """Write the methods section of a paper.

    Prints a paragraph and a table of the steps: what was run, recorded versions of tools, environments and params. It
    says what was not recorded.
    """
    from snakeprov.cli.material import material_of
    from snakeprov.cli.store import opened
    from snakeprov.export.methods import methods
    from snakeprov.view import methods as view

    with opened(store) as (place, client):
        material = material_of(client, place, what, project=project)
    told = methods(material)
    if as_json:
        output.write_json(told)
    else:
        output.write_lines(view.markdown(told) if form == "markdown" else view.terminal(told, output.screen()))
