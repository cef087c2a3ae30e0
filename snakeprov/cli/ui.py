"""`snakeprov ui`: open the web pages of the store."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import click

from snakeprov.cli import options, output
from snakeprov.cli.examples import examples

if TYPE_CHECKING:
    from snakeprov.client import Client
    from snakeprov.places import Place


@click.command(
    "ui",
    epilog=examples(
        ("ui", "the latest results and runs"),
        ("ui results/figure.png", "what made this file?"),
        ("ui run:last", "what did the last run do?"),
        ("ui --no-browser --port 8900", "over ssh -L 8900:localhost:8900"),
    ),
)
@click.argument("target", metavar="[PATH[@N]|run:ID]", required=False, shell_complete=options.recorded_paths)
@click.option("--no-browser", is_flag=True, help="Only print the address; open no browser.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, show_default=True, help="0: any free port.")
@options.project
@options.common
def command(
    target: str | None, no_browser: bool, port: int, project: str | None, store: str | None, as_json: bool
) -> None:
    """Look at files, runs and their history in a browser.

    Opens the pages of the store on this machine only: how a file was made and from what, its versions, runs with their
    failures, search. With a file or a run they open there. The address signs in the first browser that opens it.
    Ctrl-C ends the pages.
    """
    from snakeprov.apps.ui import showing
    from snakeprov.cli.store import opened

    with opened(store) as (place, client):
        first = _page_of(client, place, target, project=project) if target else "/"
    with showing(place, port=port, first=first) as ui:
        if as_json:
            output.write_line_of_json({"url": ui.url})
        else:
            output.write_lines([f"The pages of {place.store} are at", f"  {ui.url}", "Ctrl-C ends them."])
        if not no_browser:
            # Some browsers are programs that run until one leaves them.
            threading.Thread(target=_open, args=(ui.url,), daemon=True).start()
        ui.run()


def _page_of(client: Client, place: Place, target: str, *, project: str | None) -> str:
    from snakeprov.cli import target as targets
    from snakeprov.web import urls

    found = targets.find_either(client, place, target, project=project)
    if isinstance(found, targets.RunTarget):
        return urls.run(found.id)
    return urls.version(found.entity_id, found.number)


def _open(url: str) -> None:
    import webbrowser

    webbrowser.open(url)
