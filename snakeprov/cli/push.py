"""`snakeprov push`: deliver what waits in the outbox of the working directory."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from snakeprov.cli import options, output
from snakeprov.cli.examples import examples
from snakeprov.errors import RemoteError

if TYPE_CHECKING:
    from snakeprov.client import Client
    from snakeprov.recorder.backlog import Backlog
    from snakeprov.recorder.leftovers import Leftovers


@click.command(
    "push",
    epilog=examples(
        ("push", "deliver what waits"),
        ("push --json", "for a program"),
    ),
)
@click.option(
    "--all",
    "even_uncertain",
    is_flag=True,
    help="Also deliver records that a process on another machine may still be writing (on file systems without locks). "
    "Use it only if no workflow runs here any more.",
)
@options.common
def command(store: str | None, as_json: bool, even_uncertain: bool) -> int:
    """Deliver what could not be delivered before.

    Records of workflows that were killed, or that could not reach their store, wait in the working directory.
    Records that the store refused are tried again too. A running workflow delivers its own records. With --store,
    records that were captured for another store are delivered there as well.
    """
    from snakeprov.apps.connect import connect
    from snakeprov.apps.target import target_of
    from snakeprov.cli.store import find_place
    from snakeprov.disk.layout import noted_store
    from snakeprov.recorder import backlog, leftovers, progress
    from snakeprov.recorder.summary import waiting_elsewhere

    place = find_place(store)
    with (
        connect(place.store, create=True, shared=place.settings.is_shared) as client,
        progress.shown(lambda: _progress(client)),
    ):
        result = leftovers.push(
            place, client, target_of=target_of, from_any_store=store is not None, even_uncertain=even_uncertain
        )
    own = noted_store(place.root, place.store) if store is None else None
    waiting = backlog.count(backlog.outbox_folder(place.root), store=own)
    reasons = [*result.rejected, *result.problems]
    if as_json:
        from snakeprov.view.documents import PushDocument

        output.write_json(
            PushDocument(delivered=result.delivered, pending=waiting.pending, failed=waiting.failed, reasons=reasons)
        )
    else:
        output.write_lines([_sentence(result, waiting)])
        if result.elsewhere:
            print(f"snakeprov: {waiting_elsewhere(result.elsewhere)}", file=sys.stderr)
        for reason in dict.fromkeys(reasons):
            print(f"snakeprov: {reason}", file=sys.stderr)
    return RemoteError.exit_status if reasons else 0


def _progress(client: Client) -> str:
    from snakeprov.recorder.progress import uploaded

    transfer = client.files.transfer
    return f"snakeprov: delivering{uploaded(transfer.done_bytes, transfer.expected_bytes)}"


def _sentence(result: Leftovers, waiting: Backlog) -> str:
    parts = [f"{_jobs(result.delivered)} delivered" if result.delivered else "Nothing was delivered"]
    if waiting.failed:
        parts.append(f"{_jobs(waiting.failed)} refused")
    if waiting.pending:
        parts.append(f"{_jobs(waiting.pending)} of a running workflow waiting")
    if len(parts) == 1 and not result.delivered:
        return "Nothing waits to be delivered."
    return "; ".join(parts) + "."


def _jobs(count: int) -> str:
    return f"{count} job record{'' if count == 1 else 's'}"
