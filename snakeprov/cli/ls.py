"""`snakeprov ls`: list the recorded files."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

import click

from snakeprov.cli import options, output, paging
from snakeprov.cli.examples import examples
from snakeprov.errors import NotRecordedError

if TYPE_CHECKING:
    from snakeprov.client import Client
    from snakeprov.model.answers import Version
    from snakeprov.places import Place


@click.command(
    "ls",
    epilog=examples(
        ("ls", "every recorded file"),
        ("ls results/clean", "those in a folder"),
        ("ls -n 5", "the first five"),
    ),
)
@click.argument("folder", required=False, shell_complete=options.recorded_paths)
@click.option("-n", "--limit", type=click.IntRange(1, paging.LIMIT_MAX), help="How many to list; default: all.")
@options.project
@options.common
def command(folder: str | None, limit: int | None, project: str | None, store: str | None, as_json: bool) -> None:
    """List the recorded files.

    Each file of the project at its latest version, by path: when that was recorded, its size and digest, and what it
    was to the first job that named it. With FOLDER only the files in it.
    """
    from snakeprov.cli.store import opened

    with opened(store) as (place, client):
        write(client, place, folder, limit=limit, project=project, as_json=as_json)


def write(
    client: Client, place: Place, folder: str | None, *, limit: int | None, project: str | None, as_json: bool
) -> None:
    """List the files in a folder as typed; None: all of the project.

    Raises:
        NotRecordedError: No recorded file is in the folder.
    """
    from snakeprov.view import listed

    wanted = limit or paging.LIMIT_MAX
    under, found = _found(client, place, folder, limit=wanted + 1, project=project)
    shown, truncated = found[:wanted], len(found) > wanted
    if as_json:
        output.write_json(listed.document(shown, under=under, truncated=truncated))
    else:
        output.write_lines(listed.lines(shown, output.screen(), under=under, truncated=truncated))


def is_folder(client: Client, place: Place, typed: str, *, project: str | None) -> bool:
    """Return whether recorded files are in a folder."""
    return any(True for under in _unders(place, typed) for _ in _files(client, under, project=project, limit=1))


def _found(
    client: Client, place: Place, folder: str | None, *, limit: int, project: str | None
) -> tuple[str, list[Version]]:
    """Return the recorded folder that `folder` means, and the first files in it."""
    if folder is None:
        return "", list(_files(client, "", project=project, limit=limit))
    for under in _unders(place, folder):
        if found := list(_files(client, under, project=project, limit=limit)):
            return under, found
    raise NotRecordedError(
        f"No recorded file is in a folder {folder}.", hint="'snakeprov ls' lists all of the project."
    )


def _unders(place: Place, typed: str) -> list[str]:
    from snakeprov.cli import targetsyntax
    from snakeprov.cli.store import current_folder

    found = targetsyntax.candidates(typed, here=str(current_folder()), root=str(place.root))
    return ["" if one == "." else one.rstrip("/") for one in found]


def _files(client: Client, under: str, *, project: str | None, limit: int) -> Iterator[Version]:
    from snakeprov.workdir import lookup

    return islice(lookup.current(client, project or client.project or "", under=under, page=limit), limit)
