"""`snakeprov checkout`: put everything of a run into a folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from snakeprov.cli import options, output
from snakeprov.cli.examples import examples
from snakeprov.errors import NotWrittenError

if TYPE_CHECKING:
    from snakeprov.model.checkedout import CheckedOut

_NOTE = "CHECKOUT.md"
_ANSWER = "checkout.json"


@click.command(
    "checkout",
    epilog=examples(
        ("checkout run:bbbb --to then", "code, inputs and outputs of a run"),
        ("checkout run:last --to now", "those of the last run"),
    ),
)
@click.argument("run_id", metavar="run:ID")
@click.option("--to", "to", metavar="DIR", required=True, help="A new or empty folder.")
@options.common
def command(run_id: str, to: str, store: str | None, as_json: bool) -> None:
    """Put everything of a run into a folder.

    The code at its commit with what was changed since, the files that it wrote and those that it read, as far as they
    are kept. Anything unavailable is reported, and listed in CHECKOUT.md and checkout.json in the folder.
    """
    from snakeprov.cli.store import current_folder, opened
    from snakeprov.cli.target import find_run
    from snakeprov.view import checkedout
    from snakeprov.workdir.checkout import check_out

    with opened(store) as (_, client):
        run = find_run(client, run_id).record
        found = check_out(client, run, current_folder() / Path(to).expanduser())
    note = _leave_notes(found)
    if as_json:
        output.write_json(checkedout.document(found))
    else:
        output.write_lines(checkedout.lines(found, output.screen(), to=to, note=note))


def _leave_notes(found: CheckedOut) -> str:
    """Write the note and its JSON, under names that are free; return the name of the note."""
    import msgspec

    from snakeprov.model.paths import to_os
    from snakeprov.view import checkedout

    folder = Path(to_os(found.folder))
    note, answer = _free(folder / _NOTE), _free(folder / _ANSWER)
    try:
        note.write_text("\n".join(checkedout.note(found)) + "\n", encoding="utf-8")
        answer.write_bytes(msgspec.json.format(msgspec.json.encode(checkedout.document(found)), indent=2) + b"\n")
    except OSError as error:
        raise NotWrittenError(
            f"The note {note} could not be written: {error.strerror or error}.", hint="The files of the run are there."
        ) from error
    return note.name


def _free(path: Path) -> Path:
    free, number = path, 1
    while free.exists() or free.is_symlink():
        number += 1
        free = path.with_stem(f"{path.stem}-{number}")
    return free
