"""`snakeprov verify`: is what was recorded still what it was?

Must not know: how it is checked.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from snakeprov.cli import output
from snakeprov.errors import CorruptStoreError

if TYPE_CHECKING:
    from snakeprov.verifying import Report

_FOUND = ""
"""What `--store` stands for without a value: the repository that is found."""


@click.command("verify")
@click.option(
    "--store",
    metavar="[WHERE]",
    is_flag=False,
    flag_value=_FOUND,
    required=True,
    help="Check the repository itself; default: the one found upwards.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
def command(store: str, as_json: bool) -> int:
    """Check that nothing in the repository is damaged.

    With --store everything that the repository keeps is read and compared with its digests and checksums: the
    database, its references, the contents of files, what waits for delivery. Nothing is changed, and workflows may
    run meanwhile. The exit status is 0 if nothing is damaged, else 33.
    """
    return _verify_store(store or None, as_json=as_json)


def _verify_store(store: str | None, *, as_json: bool) -> int:
    from snakeprov.cli.repository import find_folder, find_place
    from snakeprov.recorder import backlog
    from snakeprov.recorder.delivery import DIGESTS_NAME
    from snakeprov.verifying import verify_store
    from snakeprov.view import answers, findings

    folder = find_folder(store)
    waiting = backlog.outbox_folder(find_place(store).root)
    with _progress() as progress:
        report = verify_store(folder, outbox_folder=waiting, digests=waiting.with_name(DIGESTS_NAME), progress=progress)
    if as_json:
        output.write_json(answers.verification(report.findings, folder=str(folder), **_counts(report)))
    else:
        output.write_lines(findings.store(report.findings, output.screen(), folder=str(folder), **_counts(report)))
    return CorruptStoreError.exit_status if report.damaged else 0


def _counts(report: Report) -> dict[str, int]:
    return {
        "damaged": report.damaged,
        "rows": report.rows,
        "contents": report.contents,
        "content_bytes": report.content_bytes,
        "outboxes": report.outboxes,
    }


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
