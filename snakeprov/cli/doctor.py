"""`snakeprov doctor`: print what a bug report needs."""

from __future__ import annotations

import click

from snakeprov.cli import options, output
from snakeprov.cli.examples import examples


@click.command(
    "doctor",
    epilog=examples(
        ("doctor", "what to paste into a bug report"),
        ("doctor --json", "for a program"),
    ),
)
@options.common
def command(store: str | None, as_json: bool) -> None:
    """Print what a bug report needs.

    Prints the versions of snakeprov and of what it uses, the file systems of the working directory and of the store,
    the journal mode, whether files can be locked, and how many records wait. Works where the store cannot be used.
    Prints no values of settings or variables, no credentials, and "~" for your home.
    """
    from snakeprov.apps.doctor import diagnose
    from snakeprov.cli.store import current_folder
    from snakeprov.view import diagnosis

    found = diagnose(current_folder(), store=store)
    if as_json:
        output.write_json(diagnosis.document(found))
    else:
        output.write_lines(diagnosis.lines(found, output.screen()))
