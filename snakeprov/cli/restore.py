"""`snakeprov restore`: put a version of a file or directory back."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from snakeprov.cli import options, output
from snakeprov.cli.examples import examples
from snakeprov.errors import NotKeptError

if TYPE_CHECKING:
    from snakeprov.client import Client
    from snakeprov.model.answers import Version
    from snakeprov.places import Place
    from snakeprov.workdir.restoring import Restored


@click.command(
    "restore",
    epilog=examples(
        ("restore results/table.csv@1 -o old.csv", "version 1, elsewhere"),
        ("restore results/table.csv --force", "over what is there"),
    ),
)
@options.versioned_path
@click.option("-o", "--output", "out", metavar="OUT", help="Where to put it; default: where it was recorded.")
@click.option("--force", is_flag=True, help="Overwrite what is there, even if it is not recorded and so is lost.")
@options.project
@options.common
def command(path: str, out: str | None, force: bool, project: str | None, store: str | None, as_json: bool) -> int:
    """Give back a version of a file or a directory.

    The latest version, or the one named by @N. Its bytes are compared with the digest that was recorded before they
    replace anything, and what is there is only replaced if it can be restored itself. Where the bytes were not kept,
    the command says how to make them again, and exits with status 5.
    """
    from snakeprov.cli import target
    from snakeprov.cli.store import current_folder, opened
    from snakeprov.model.notkept import why_not_kept
    from snakeprov.model.paths import relative_to, to_text
    from snakeprov.view import restored
    from snakeprov.workdir import restoring

    with opened(store) as (place, client):
        found = target.find(client, place, path, project=project)
        story = target.ask(client, found, lambda: client.provenance.story(found.entity_id, found.number))
        version = story.version
        is_latest = found.number == found.latest_number
        try:
            result = _restore(
                client,
                place,
                version,
                _destination(path, version, place, out),
                force=force,
                # The latest version is what the files after it were made from: with its time they are not made again.
                mtime_ns=restoring.written_ns(story, version.path) if is_latest else None,
            )
        except NotKeptError as error:
            why = why_not_kept(story, keep_bytes_max=place.settings.keep_bytes_max, upload=place.settings.upload)
            reason = f"{error.message.rstrip('.')}, because {why}."
            recipe = restoring.how_to_remake(client, story)
            if as_json:
                output.write_json(restored.document_not_kept(version, recipe, reason=reason))
            else:
                output.write_lines(restored.not_kept(version, recipe, output.screen(), reason=reason))
            return error.exit_status
    facts: dict[str, Any] = {
        "to": to_text(result.place),
        "unchanged": result.unchanged,
        "replaced": result.replaced,
        "lost": result.lost,
        "not_restored": result.not_restored,
    }
    if as_json:
        output.write_json(restored.document(version, **facts))
    else:
        shown = relative_to(facts["to"], to_text(current_folder()))
        output.write_lines(restored.lines(version, output.screen(), **{**facts, "to": shown}))
    return 0


def _restore(
    client: Client, place: Place, version: Version, destination: Path, *, force: bool, mtime_ns: int | None
) -> Restored:
    from snakeprov.disk.digestcache import DigestCache
    from snakeprov.settings import needs_md5
    from snakeprov.workdir import restoring
    from snakeprov.workdir.comparing import Comparer

    # What may be lost is read, not remembered.
    comparer = Comparer(str(place.root), DigestCache(None), deep=True, md5=needs_md5(place.store))
    return restoring.restore(client, comparer, version, destination, force=force, mtime_ns=mtime_ns)


def _destination(typed: str, version: Version, place: Place, out: str | None) -> Path:
    """Return the path for a version; a file restored into a folder keeps its name."""
    from snakeprov.cli import target
    from snakeprov.cli.store import current_folder
    from snakeprov.model.paths import to_os
    from snakeprov.workdir import restoring

    path = to_os(version.path.rstrip("/"))
    if out is None:
        named = target.named_paths(place, typed)
        in_clone = target.named_in_clone(place, typed, version.path)
        return restoring.own_place(place.root, version, named=named, in_clone=in_clone)
    chosen = Path(os.path.normpath(current_folder() / out))
    is_folder = not version.is_directory and (out.endswith("/") or chosen.is_dir())
    return chosen / os.path.basename(path) if is_folder else chosen  # noqa: PTH119  any bytes
