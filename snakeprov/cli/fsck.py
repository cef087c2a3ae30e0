"""`snakeprov fsck`: check a store for damage."""

from __future__ import annotations

import click

from snakeprov.cli import options, output
from snakeprov.cli.examples import examples
from snakeprov.errors import CorruptStoreError


@click.command(
    "fsck",
    epilog=examples(
        ("fsck", "check everything that the store keeps"),
        ("fsck --json", "for a program"),
    ),
)
@options.common
def command(store: str | None, as_json: bool) -> int:
    """Check the store itself.

    Reads everything that the store keeps and compares it with its digests and checksums: the database, its
    references, the contents of files, what waits for delivery. Changes nothing; workflows may run meanwhile. The exit
    status is 0 if nothing is damaged, else 33.
    """
    return check(store, as_json=as_json)


def check(store: str | None, *, as_json: bool) -> int:
    """Check the store that `--store` names, or the nearest one; print the report and return the exit status."""
    from snakeprov.apps.verify import verify_store
    from snakeprov.cli.store import find_folder, find_place
    from snakeprov.disk.layout import digests_file
    from snakeprov.recorder import backlog
    from snakeprov.view import documents, findings

    folder = find_folder(store)
    root = find_place(store).root
    with output.reading() as progress:
        report = verify_store(
            folder, outbox_folder=backlog.outbox_folder(root), digests=digests_file(root), progress=progress
        )
    if as_json:
        output.write_json(documents.fsck(report, folder=str(folder)))
    else:
        output.write_lines(findings.store(report, output.screen(), folder=str(folder)))
    return CorruptStoreError.exit_status if report.damaged else 0
