"""`snakeprov export`: export results or a run as an RO-Crate or a W3C PROV document."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from snakeprov.cli import options, output
from snakeprov.cli.examples import examples
from snakeprov.errors import UsageError

if TYPE_CHECKING:
    from snakeprov.client import Client
    from snakeprov.export.material import Material
    from snakeprov.export.vocabulary import Profile
    from snakeprov.export.w3c import Notation
    from snakeprov.places import Place
    from snakeprov.view.documents import ExportDocument

FORMATS = ("ro-crate", "prov-json", "prov-n", "prov-xml", "turtle")
PROFILES = ("process", "workflow", "provenance")


@click.command(
    "export",
    epilog=examples(
        ("export results/table.csv -o table.zip", "an RO-Crate"),
        ("export run:bbbb --format prov-json -o run.json", "W3C PROV"),
    ),
)
@click.argument("what", metavar="PATH[@N]…|run:ID", nargs=-1, required=True)
@click.option("--format", "form", type=click.Choice(FORMATS), default="ro-crate", show_default=True)
@click.option("-o", "--output", "out", metavar="OUT", help="File to write; for a crate, a folder or NAME.zip.")
@click.option(
    "--profile",
    type=click.Choice(PROFILES),
    help="Profile of a crate; default: provenance, or process if the workflow is unknown.",
)
@click.option(
    "--include-data",
    "data",
    type=click.Choice(("none", "results", "all")),
    default="results",
    show_default=True,
    help="Data to put into a crate, which refers to the rest. It always contains the code.",
)
@click.option(
    "--license", "license_", metavar="ID", help="License of a crate: SPDX id or URL; default: the LICENSE here."
)
@click.option("--public", is_flag=True, help="Leave out users, hosts and absolute paths.")
@click.option("--force", is_flag=True, help="Replace OUT.")
@options.project
@options.common
def command(
    what: tuple[str, ...],
    form: str,
    out: str | None,
    profile: Profile | None,
    data: str,
    license_: str | None,
    *,
    public: bool,
    force: bool,
    project: str | None,
    store: str | None,
    as_json: bool,
) -> None:
    """Export results, or a run.

    Exports results with everything that they came from, or a run with its jobs and files: as an RO-Crate (a folder or
    zip file with metadata, code, data and checksums) or as a W3C PROV document.
    """
    if out is None and (form == "ro-crate" or as_json):
        reason = (
            "Say where to write the export."
            if form == "ro-crate"
            else "--json describes the exported file, and needs -o."
        )
        raise UsageError(reason, hint="Add -o FILE; for an RO-Crate, -o FOLDER or -o NAME.zip.")
    if form != "ro-crate" and (profile or license_):
        raise UsageError("--profile and --license are for crates.", hint="Leave them out, or add --format ro-crate.")
    from snakeprov.cli.store import opened

    with opened(store) as (place, client):
        made = _material(client, place, what, project=project, is_public=public)
        if out is not None and form == "ro-crate":
            told: ExportDocument | None = _crate(client, place, made, (out, profile, data, license_), force=force)
        else:
            told = _document(made, _notation(form), out, force=force)
    from snakeprov.view import exports

    if as_json:
        output.write_json(told)
    elif told is not None:
        output.write_lines(exports.export(told, output.screen()))
    if made.is_truncated and not as_json:
        print("snakeprov: truncated: there is more than one export holds; export fewer results.", file=sys.stderr)


def _material(client: Client, place: Place, what: tuple[str, ...], *, project: str | None, is_public: bool) -> Material:
    from snakeprov.cli.material import material_of

    made = material_of(client, place, what, project=project)
    if not is_public:
        return made
    from snakeprov.export.public import public

    return public(made)


def _notation(form: str) -> Notation:
    _require("prov", form)
    if form == "prov-xml":
        _require("lxml", form)
    notation: Notation = form  # type: ignore[assignment]
    return notation


def _require(library: str, form: str) -> None:
    """Raise an error that says how to install a missing library.

    Raises:
        UsageError: It is not installed.
    """
    from importlib.util import find_spec

    if find_spec(library) is None:
        raise UsageError(
            f"To export {form}, the library {library} is needed, which is not installed.",
            hint="Install it with: pip install 'snakeprov[export]'",
        )


def _document(made: Material, notation: Notation, out: str | None, *, force: bool) -> ExportDocument | None:
    from snakeprov.export import packing, w3c

    path = None if out is None else Path(out)
    if path is not None:
        packing.check_destination(path, force=force)
    text = w3c.written(w3c.document(made), notation)
    if path is None:
        output.write_text(text)
        return None
    sha256 = packing.write_file(path, text.encode())
    return _told(made, notation, str(path), sha256=sha256, size_bytes=len(text.encode()))


def _crate(
    client: Client, place: Place, made: Material, asked: tuple[str, Profile | None, str, str | None], *, force: bool
) -> ExportDocument:
    _require("rocrate", "ro-crate")
    from snakeprov.export import packing

    out, profile, data, license_ = asked
    order = packing.Order(Path(out), profile, data, license_, place.root, force)
    written, followed = packing.write(client, made, order)
    return _told(
        made,
        "ro-crate",
        out,
        sha256=written.sha256,
        size_bytes=written.size_bytes,
        profile=followed,
        files_included=written.files,
        missing=[version.label for version in written.missing],
    )


def _told(made: Material, form: str, out: str, **further: Any) -> ExportDocument:
    from snakeprov.view.documents import ExportDocument

    return ExportDocument(
        title=made.title,
        format=form,
        output=out,
        jobs=len(made.activities),
        files=len(made.versions),
        truncated=made.is_truncated,
        **further,
    )
