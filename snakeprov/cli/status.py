"""`snakeprov status`: what the repository holds, and what has not reached it yet.

Must not know: how records are delivered.
"""

from __future__ import annotations

from typing import Any

import click

from snakeprov.cli import options, output
from snakeprov.errors import NoStoreError, RemoteError, StoreError


@click.command("status")
@options.common
def command(store: str | None, as_json: bool) -> None:
    """Show what is recorded, and what waits.

    Where the repository is, what it holds, and what has not been delivered to it yet. Undelivered records are reported
    even if the repository cannot be reached or read.
    """
    from snakeprov.apps.connect import connect
    from snakeprov.cli.repository import find_place
    from snakeprov.model.projects import project_of
    from snakeprov.recorder import backlog
    from snakeprov.view import answers, runs

    place = find_place(store)
    waiting = backlog.count(backlog.outbox_folder(place.root))
    problem = None
    try:
        with connect(place.store) as client:
            answer = client.status()
    except NoStoreError:
        answer = _EMPTY
    except (RemoteError, StoreError) as error:
        answer, problem = {}, error
    counts: dict[str, Any] = {
        "store": place.store,
        "project": project_of(place.settings, place.root, place.store),
        "pending": waiting.pending,
        "failed": waiting.failed,
    }
    if as_json:
        output.write_json(answers.status(answer, **counts))
    else:
        output.write_lines(runs.status(answer, output.screen(), **counts, reasons=waiting.reasons))
    if problem is not None:
        raise problem


_EMPTY: dict[str, Any] = {"entities": 0, "versions": 0, "activities": 0, "storedBytes": 0}
"""What a repository holds to which nothing has been delivered yet."""
