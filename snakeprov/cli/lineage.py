"""`snakeprov lineage`: draw what a version came from, or what came from it."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

import click

from snakeprov.cli import options, output
from snakeprov.cli.examples import examples
from snakeprov.errors import UsageError

if TYPE_CHECKING:
    from snakeprov.lineage.graph import Direction
    from snakeprov.model.answers import Lineage

DEPTH_MAX = 1000
"""No more activities than this are looked through, one behind another."""

NODES_MAX = 100_000
"""No more files and activities than this are looked at."""

NODES_HELD_MAX = 10_000
"""A page holds no more files and activities than this."""

DEPTH_DRAWN = 5
DEPTH_SHOWN = 3
"""Default depth in activities: of a drawing, and of what a page shows at first."""

FORMATS = ("text", "json", "dot", "mermaid", "svg", "html")
SUFFIXES = {".dot": "dot", ".gv": "dot", ".mmd": "mermaid", ".mermaid": "mermaid", ".svg": "svg", ".html": "html"}

PROGRAM_FORMATS = (".png", ".pdf", ".jpg", ".eps", ".ps")
"""Formats that a program makes of a drawing."""


@click.command(
    "lineage",
    epilog=examples(
        ("lineage results/figure.png", "what it came from"),
        ("lineage data/penguins.csv --downstream", "what came from it"),
        ("lineage results/figure.png -o why.svg", "a drawing"),
        ("lineage results/figure.png -o why.html", "a page"),
    ),
)
@options.versioned_path
@click.option("--upstream", "direction", flag_value="upstream", default="upstream", help="What it came from (default).")
@click.option("--downstream", "direction", flag_value="downstream", help="What came from it.")
@click.option(
    "--depth",
    type=click.IntRange(1, DEPTH_MAX),
    metavar="N",
    help="Follow at most N activities; default: unlimited, "
    f"{DEPTH_DRAWN} in a drawing; a page shows {DEPTH_SHOWN} at first.",
)
@click.option("--format", "form", type=click.Choice(FORMATS), help="Default: text, or from the name of OUT.")
@click.option("-o", "--output", "out", metavar="OUT", help="Write the drawing to this file.")
@options.project
@options.common
def command(
    path: str,
    direction: Direction,
    depth: int | None,
    form: str | None,
    out: str | None,
    project: str | None,
    store: str | None,
    as_json: bool,
) -> None:
    """Draw what a file came from.

    Prints a tree from the file down to the raw inputs, with the rule that made each file and the commit of its code;
    or, with --downstream, a tree of everything that came from it. --format dot, mermaid or svg makes a drawing, html a
    page in one file that you can search and unfold.
    """
    from snakeprov.cli import target
    from snakeprov.cli.store import opened

    form = _format(form, out, as_json=as_json)
    with opened(store) as (place, client):
        found = target.find(client, place, path, project=project)

        def ask(*, depth: int, limit: int) -> Lineage:
            def question() -> Lineage:
                return client.provenance.lineage(
                    found.entity_id, found.number, direction=direction, depth=depth, limit=limit
                )

            return target.ask(client, found, question)

        if form in ("text", "json"):
            answer = ask(depth=depth or DEPTH_MAX, limit=NODES_MAX)
        elif form == "html":
            from snakeprov.cli import drawing

            # Synapse is asked for each file and activity on its own: no more than is shown.
            held = depth or DEPTH_SHOWN if client.provenance.is_stepwise else DEPTH_MAX
            answer = ask(depth=held, limit=NODES_HELD_MAX)
            drawn = drawing.page(client, answer, direction=direction, depth=depth or DEPTH_SHOWN)
        else:
            from snakeprov.cli import drawing

            answer = ask(depth=depth or DEPTH_DRAWN, limit=NODES_MAX)
            drawn = drawing.drawing(answer, form, direction=direction, depth=depth or DEPTH_DRAWN)
    if form == "json":
        output.write_json(answer)
    elif form == "text":
        from snakeprov.lineage.graph import Graph
        from snakeprov.view import tree

        output.write_lines(tree.lineage(Graph.of(answer), output.screen(), direction=direction, depth=depth))
    elif out is None:
        output.write_text(drawn.text)
    else:
        drawing.write(drawn, out)


def _format(form: str | None, out: str | None, *, as_json: bool) -> str:
    """Return the format of the output.

    Raises:
        UsageError: The options clash, or `out` does not tell its format.
    """
    if as_json and form not in (None, "json"):
        raise UsageError(f"--json and --format {form} were both given.", hint="Leave one of them out.")
    if form is None and out is not None and not as_json:
        form = next((one for suffix, one in SUFFIXES.items() if out.lower().endswith(suffix)), None)
        if form is None:
            raise _no_format(out)
    form = "json" if as_json else form or "text"
    if out is not None and form in ("text", "json"):
        raise UsageError(f"-o goes with a drawing; {form} goes to the standard output.", hint=f"Redirect it: > {out}")
    return form


def _no_format(out: str) -> UsageError:
    """Return the error for a file name that tells no format."""
    suffix = posixpath.splitext(out)[1].lower()
    if suffix in PROGRAM_FORMATS:
        dot = f"{out[: -len(suffix)]}.dot"
        return UsageError(
            f"A lineage is not drawn as {suffix}, but as .html, .svg, .dot or .mmd.",
            hint=f"Graphviz makes one: write {dot}, then run 'dot -T{suffix[1:]} {dot} -o {out}'.",
        )
    return UsageError(
        f"The name {out!r} does not say what to draw.", hint="End it in .html, .svg, .dot or .mmd, or add --format."
    )
