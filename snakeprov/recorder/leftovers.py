"""Delivering what dead processes left behind in the outbox folder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from snakeprov.client import Client
from snakeprov.errors import OutboxError
from snakeprov.places import Place
from snakeprov.recorder import backlog
from snakeprov.recorder.context import Receipt
from snakeprov.recorder.delivery import Delivery
from snakeprov.recorder.entries import Content
from snakeprov.recorder.outbox import Outbox, unlocked_owner
from snakeprov.recorder.owners import is_alive
from snakeprov.recorder.summary import Tally
from snakeprov.recorder.target import TargetOf
from snakeprov.recorder.tools import Tools, opened_tools


@dataclass
class Leftovers:
    """What became of the outboxes that dead processes left behind.

    Attributes:
        delivered: Records of jobs and of manual steps delivered.
        backfilled: How many of them were made from Snakemake's metadata, since a run was killed before it made them.
        rejected: Reasons why others were refused.
        problems: Outboxes that could not be read, in words.
        tallies: What was recorded of each run, by its id.
    """

    delivered: int = 0
    backfilled: int = 0
    rejected: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    tallies: dict[str, Tally] = field(default_factory=dict)

    def line(self) -> str | None:
        """Return the line that tells the user of it; None where nothing was left behind."""
        parts = []
        if self.delivered:
            backfilled = f", {self.backfilled} of them backfilled" if self.backfilled else ""
            records = "job record" if self.delivered == 1 else "job records"
            parts.append(f"Delivered {self.delivered} {records} of earlier runs{backfilled}.")
        parts += self.problems
        return f"snakeprov: {' '.join(parts)}" if parts else None

    def note(self, receipt: Receipt) -> None:
        """Count a record that was delivered or refused."""
        if receipt.reason is None:
            self.delivered += 1
        else:
            self.rejected.append(receipt.reason)


def push(place: Place, client: Client, *, target_of: TargetOf, even_uncertain: bool = False) -> Leftovers:
    """Deliver what runs that have ended left in the outbox of a working directory, also what was refused before.

    Args:
        place: The working directory, and the store that `client` reaches.
        client: The store.
        target_of: Chooses what a client delivers to.
        even_uncertain: Whether to deliver also what a process on another machine may still write, where the file system
            has no locks.

    Raises:
        RemoteError: The store is not able to answer now; what was not delivered waits on.
    """
    with opened_tools(place, target_of) as tools:
        return deliver_leftovers(client, tools, retry_rejected=True, even_uncertain=even_uncertain)


def recover_leftovers(place: Place, client: Client, *, target_of: TargetOf) -> Leftovers:
    """Do as `push`, but leave what was refused before. Raises RemoteError as `push`."""
    with opened_tools(place, target_of) as tools:
        return deliver_leftovers(client, tools)


def deliver_leftovers(
    client: Client,
    tools: Tools,
    *,
    retry_rejected: bool = False,
    even_uncertain: bool = False,
    told: Callable[[int], None] = lambda jobs: None,
) -> Leftovers:
    """Deliver what runs that have ended left in the outbox folder, the oldest first.

    Args:
        client: The store.
        tools: Those of the working directory.
        retry_rejected: Whether to try again what the store refused before.
        even_uncertain: Whether to take also what a process of another machine may still write.
        told: Told how many records are done, now and then.

    Raises:
        RemoteError: The store is not able to answer now; what was not delivered waits on.
    """
    result = Leftovers()

    def note(receipt: Receipt) -> None:
        result.note(receipt)
        told(result.delivered + len(result.rejected))

    for path in backlog.files(backlog.outbox_folder(tools.working_directory)):
        try:
            recovered = Outbox.recover(path, even_uncertain=even_uncertain)
        except OutboxError as error:
            result.problems.append(error.message)
            continue
        if recovered is None:
            unlocked = unlocked_owner(path)
            if unlocked is not None and is_alive(unlocked) is None:
                result.problems.append(
                    f"Records of another run wait: process {unlocked.process_id} on {unlocked.host} may still be "
                    "writing them. Once it has ended, run `snakeprov push` there, or `snakeprov push --all` here."
                )
            continue
        outbox, content = recovered
        is_done = False
        try:
            delivery = Delivery(tools, lambda: client, on_receipt=note)
            _deliver(delivery, outbox, content, result, retry_rejected=retry_rejected)
            is_done = True
            damage = outbox.damage()
            if damage is not None:
                result.problems.append(damage)
        except OutboxError as error:
            result.problems.append(f"{path}: {error.message}")
        finally:
            # Until it was looked for jobs that did not get there, the file says that there may be some.
            outbox.close(keep=not is_done)
    return result


def _deliver(delivery: Delivery, outbox: Outbox, content: Content, result: Leftovers, *, retry_rejected: bool) -> None:
    """Deliver an outbox to its end, and count what became of it. Raises RemoteError and OutboxError."""
    delivery.resume(outbox, content, retry_rejected=retry_rejected)
    delivery.turn(is_last=True)
    result.delivered += delivery.backfilled
    result.backfilled += delivery.backfilled
    result.problems += delivery.problems
    if delivery.run is not None:
        result.tallies.setdefault(delivery.run.id, Tally()).merge(delivery.tally)
