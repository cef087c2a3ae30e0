"""`snakeprov find`: list results by how they were made, and identify a file on disk."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from snakeprov.cli import options, output
from snakeprov.cli.examples import examples
from snakeprov.errors import BadRequestError, CaptureError, NotRecordedError, UsageError

if TYPE_CHECKING:
    from snakeprov.client import Client
    from snakeprov.model.answers import SearchResults, UnknownKey
    from snakeprov.model.digest import Digest
    from snakeprov.places import Place

_SHOWN = 20

KEYS_TOLD_MAX = 30
"""Number of known keys named in the message about an unknown one."""

_EXAMPLE = "For example: snakeprov find rule=align sample=a."

Term = tuple[str, str]


@click.command(
    "find",
    epilog=examples(
        ("find rule=summarise", "what a rule made"),
        ("find rule=summarise island=biscoe", "with a wildcard"),
        ("find 'path=results/clean/*'", "by path"),
        ("find --file results/table.csv", "which version is this file?"),
    ),
)
@click.argument("terms", metavar="KEY=VALUE...", nargs=-1)
@click.option("--file", "files", metavar="FILE", multiple=True, help="Recognise this file by its content.")
@options.limit(_SHOWN)
@options.common
def command(
    terms: tuple[str, ...], files: tuple[str, ...], limit: int | None, store: str | None, as_json: bool
) -> None:
    """List the results that were made with something.

    KEY is rule, path, unmade, status, commit, run, user, host, since, until or digest; the name of a wildcard or param,
    as in sample=a or alpha=0.1, in full wildcard.sample or param.alpha; config.NAME; or annotation.NAME. A * in a rule
    or path matches anything. Different keys must all match; of several values for one key, any. The latest results come
    first.

    --file lists the recorded versions that have the content of a file, even if it was renamed or copied.
    """
    from snakeprov.cli.store import opened
    from snakeprov.view import found

    wanted = [_term(text) for text in terms]
    if not wanted and not files:
        raise UsageError("No search term is given.", hint=_EXAMPLE)
    with opened(store) as (place, client):
        contents = {file: _content(place, file) for file in files}
        answer = _ask(client, wanted, contents, limit=limit or (None if as_json else _SHOWN))
    shown = [f"{key}={value}" for key, value in wanted]
    if as_json:
        output.write_json(found.document(answer, terms=shown, files=contents))
    else:
        output.write_lines(found.found(answer, output.screen(), terms=shown, files=list(contents)))


def _term(text: str) -> Term:
    key, equals, value = text.partition("=")
    if not equals or not key or not value:
        example = f"--file {text} recognises a file by its content." if Path(text).is_file() else _EXAMPLE
        raise UsageError(f"{text!r} is not of the form KEY=VALUE.", hint=example)
    return key, value


def _content(place: Place, file: str) -> Digest:
    """Return the digest of a file or directory on disk.

    Raises:
        UsageError: It cannot be read.
    """
    from snakeprov.cli.ondisk import Disk
    from snakeprov.settings import needs_md5

    with Disk(place.root, md5=needs_md5(place.store)) as disk:
        try:
            return disk.digest(os.path.abspath(file))  # noqa: PTH100  keeps links; reading follows them
        except CaptureError as error:
            raise UsageError(error.message, hint="Name a file or a directory that can be read.") from error


def _ask(client: Client, wanted: Iterable[Term], contents: dict[str, Digest], *, limit: int | None) -> SearchResults:
    from snakeprov.cli import target
    from snakeprov.cli.paging import collect

    terms = [(key, target.find_run(client, value).id if key == "run" else value) for key, value in wanted]
    known_by = client.provenance.digest
    terms += [(known_by, one.sha256 if known_by == "sha256" else one.md5 or "") for one in contents.values()]
    try:
        answer = collect(lambda **page: client.provenance.search(terms, **page), limit=limit)
    except BadRequestError as error:
        raise UsageError(error.reason, hint="'snakeprov find --help' lists the keys.") from error
    for one in answer.unknown_keys or ():
        raise _unknown_key(one, answer.keys or [])
    if answer.near:
        rule = next(value for key, value in terms if key == "rule")
        raise NotRecordedError(
            f"No job of a rule {rule!r} is recorded.", hint=f"Did you mean {target.listed(answer.near)}?"
        )
    return answer


def _unknown_key(unknown: UnknownKey, keys: list[str]) -> UsageError:
    from snakeprov.cli import target

    told = ", ".join(keys[:KEYS_TOLD_MAX]) + (f" and {len(keys) - KEYS_TOLD_MAX} more" if keys[KEYS_TOLD_MAX:] else "")
    near = f"Did you mean {target.listed(unknown.near)}? " if unknown.near else ""
    return UsageError(
        f"{unknown.key!r} is not a key, and no recorded job has such a wildcard or param.",
        hint=f"{near}Keys: {told}.",
    )
