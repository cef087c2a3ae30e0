"""`snakeprov verify`: compare the files on disk with what was recorded."""

from __future__ import annotations

from typing import Any

import click

from snakeprov.cli import options, output
from snakeprov.cli.examples import examples
from snakeprov.errors import UsageError

_NO_VALUE = ""
"""What `--store` stands for without a value, as it was once called to check the store itself."""

DIFFERENT_STATUS = 4
"""The exit status when a file is not what was recorded."""


@click.command(
    "verify",
    epilog=examples(
        ("verify", "every file of the project"),
        ("verify results", "the files in a folder"),
        ("verify --deep", "and read even those that look unchanged"),
    ),
)
@click.argument("paths", metavar="[PATH[@N]]...", nargs=-1)
@click.option("--deep", is_flag=True, help="Read every file, even those that look unchanged since they were last read.")
@options.project
@options.store(without_value=_NO_VALUE)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
def command(paths: tuple[str, ...], deep: bool, project: str | None, store: str | None, as_json: bool) -> int:
    """Compare the files on disk with what was recorded.

    Compares each PATH with its latest version, or with version @N. For a folder it compares everything in it, and lists
    files that were never recorded. Without PATH, it compares everything that the project has recorded. The exit status
    is 0 if every file is what was recorded, else 4. `snakeprov fsck` checks the store itself.
    """
    if store == _NO_VALUE and not paths:
        if deep or project is not None:
            raise UsageError(
                "--store needs a value: the folder or URL of a store.",
                hint="Run 'snakeprov fsck' to check the store itself.",
            )
        from snakeprov.cli import fsck

        click.echo("snakeprov: 'verify --store' is now 'snakeprov fsck'.", err=True)
        return fsck.check(None, as_json=as_json)
    return _verify_files(paths, store or None, project=project, deep=deep, as_json=as_json)


def _verify_files(paths: tuple[str, ...], store: str | None, *, project: str | None, deep: bool, as_json: bool) -> int:
    from snakeprov.cli import comparison
    from snakeprov.cli.store import opened
    from snakeprov.view import compared

    with opened(store) as (place, client):
        result = comparison.compare(client, place, paths, project=project, deep=deep, progress=output.reading)
    facts: dict[str, Any] = {"ok": result.is_ok, "counts": result.counts, "truncated": result.truncated}
    if as_json:
        output.write_json(compared.document(result.shown, **facts, deep=deep))
    else:
        output.write_lines(compared.lines(result.shown, output.screen(), **facts))
    return 0 if result.is_ok else DIFFERENT_STATUS
