"""`snakeprov status`: show what the store holds, and what is not delivered yet."""

from __future__ import annotations

from typing import Any

import click

from snakeprov.cli import options, output
from snakeprov.cli.examples import examples
from snakeprov.errors import NoStoreError, RemoteError, StoreError


@click.command(
    "status",
    epilog=examples(
        ("status", "where the records are, and whether any wait"),
        ("status --json", "for a program"),
    ),
)
@options.common
def command(store: str | None, as_json: bool) -> None:
    """Show what is recorded, and what waits.

    Where the store is, what it holds, and what has not been delivered to it yet. Undelivered records are reported
    even if the store cannot be reached or read.
    """
    from snakeprov.apps.connect import connect
    from snakeprov.cli.store import find_place
    from snakeprov.disk.projects import project_of
    from snakeprov.model.answers import Status
    from snakeprov.recorder import backlog
    from snakeprov.view import documents, runs

    place = find_place(store)
    waiting = backlog.count(backlog.outbox_folder(place.root))
    answer, user, problem = None, None, None
    try:
        with connect(place.store) as client:
            answer = client.status()
            user = None if answer is not None else client.user_name()
    except NoStoreError:
        answer = Status(**dict.fromkeys(_COUNTED, 0), schema_version="", journal_mode="", notes=[])
    except (RemoteError, StoreError) as error:
        problem = error
    counts: dict[str, Any] = {
        "store": place.store,
        "project": project_of(place.settings, place.root, place.store),
        "pending": waiting.pending,
        "failed": waiting.failed,
    }
    if as_json:
        output.write_json(documents.status(answer, **counts))
    else:
        output.write_lines(runs.status(answer, output.screen(), user=user, **counts, reasons=waiting.reasons))
    if problem is not None:
        raise problem


_COUNTED = ("entities", "versions", "activities", "jobs", "runs", "stored_bytes")
"""What a store holds none of to which nothing has been delivered yet."""
