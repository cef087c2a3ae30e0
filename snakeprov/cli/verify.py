"""`snakeprov verify`: is what was recorded still what it was?

Must not know: how it is checked.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import click

from snakeprov.cli import options, output
from snakeprov.errors import CorruptStoreError, UsageError

_FOUND = ""
"""What `--store` stands for without a value: the repository that is found."""

DIFFERENT_STATUS = 4
"""The exit status when a file is not what was recorded."""


@click.command("verify")
@click.argument("paths", metavar="[PATH[@N]]...", nargs=-1)
@click.option("--deep", is_flag=True, help="Read every file, also those that look unchanged since they were read.")
@options.project
@click.option(
    "--store",
    metavar="[WHERE]",
    is_flag=False,
    flag_value=_FOUND,
    help="Without PATH: check the repository itself. With PATH: the repository to ask; default: the one found upwards.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
def command(paths: tuple[str, ...], deep: bool, project: str | None, store: str | None, as_json: bool) -> int:
    """Check files on disk, or the repository itself.

    Each PATH is compared with its latest version, or with version @N. A folder stands for everything in it; what was
    never recorded there is told too. Without PATH everything is compared that the project has recorded. The exit
    status is 0 if every file is what was recorded, else 4.

    With --store and no PATH everything that the repository keeps is read and compared with its digests and
    checksums: the database, its references, the contents of files, what waits for delivery. Nothing is changed, and
    workflows may run meanwhile. The exit status is 0 if nothing is damaged, else 33.
    """
    if store is not None and not paths:
        if deep or project is not None:
            raise UsageError(
                "--deep and --project are about files; --store without a PATH checks the repository itself.",
                hint="Name the files; '.' stands for all of them.",
            )
        return _verify_store(store or None, as_json=as_json)
    return _verify_files(paths, store or None, project=project, deep=deep, as_json=as_json)


def _verify_files(paths: tuple[str, ...], store: str | None, *, project: str | None, deep: bool, as_json: bool) -> int:
    from snakeprov.cli import comparison
    from snakeprov.cli.repository import opened
    from snakeprov.view import compared

    with opened(store) as (place, client):
        result = comparison.compare(client, place, paths, project=project, deep=deep, progress=_progress)
    facts: dict[str, Any] = {"ok": result.is_ok, "counts": result.counts, "truncated": result.truncated}
    if as_json:
        output.write_json(compared.answer(result.shown, **facts, deep=deep))
    else:
        output.write_lines(compared.lines(result.shown, output.screen(), **facts))
    return 0 if result.is_ok else DIFFERENT_STATUS


def _verify_store(store: str | None, *, as_json: bool) -> int:
    from snakeprov.cli.repository import find_folder, find_place
    from snakeprov.config import DIGESTS_NAME
    from snakeprov.recorder import backlog
    from snakeprov.verifying import verify_store
    from snakeprov.view import answers, findings

    folder = find_folder(store)
    waiting = backlog.outbox_folder(find_place(store).root)
    with _progress() as progress:
        report = verify_store(folder, outbox_folder=waiting, digests=waiting.with_name(DIGESTS_NAME), progress=progress)
    if as_json:
        output.write_json(answers.verification(report, folder=str(folder)))
    else:
        output.write_lines(findings.store(report, output.screen(), folder=str(folder)))
    return CorruptStoreError.exit_status if report.damaged else 0


@contextmanager
def _progress() -> Iterator[Callable[[int, int], None]]:
    """Show a bar on a terminal, once it is known how much there is to read."""
    if not sys.stderr.isatty():
        yield lambda done, total: None
        return
    with click.progressbar(length=1, label="reading", file=sys.stderr) as bar:

        def show(done: int, total: int) -> None:
            bar.length = max(total, done, 1)
            bar.update(done - bar.pos)

        yield show
