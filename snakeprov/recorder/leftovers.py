"""Delivering what dead processes left behind in the outbox folder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from snakeprov.client import Client
from snakeprov.disk.layout import noted_store, store_noted
from snakeprov.errors import OutboxError
from snakeprov.places import Place
from snakeprov.recorder import backlog
from snakeprov.recorder.context import Receipt
from snakeprov.recorder.delivery import Delivery
from snakeprov.recorder.entries import Content, Kind, read, store_of
from snakeprov.recorder.outbox import Outbox, is_live, unlocked_owner
from snakeprov.recorder.owners import is_alive
from snakeprov.recorder.summary import Tally, waiting_elsewhere
from snakeprov.recorder.target import TargetOf
from snakeprov.recorder.tools import Tools, opened_tools


@dataclass
class Leftovers:
    """What became of the outboxes that dead processes left behind.

    Attributes:
        delivered: Records of jobs and of manual steps delivered.
        backfilled: How many of them were made from Snakemake's metadata, since a run was killed before it made them.
        rejected: Reasons why others were refused.
        elsewhere: Records of jobs and of manual steps that wait for other stores, by store.
        problems: Outboxes that could not be read, in words.
        tallies: What was recorded of each run, by its id.
    """

    delivered: int = 0
    backfilled: int = 0
    rejected: list[str] = field(default_factory=list)
    elsewhere: dict[str, int] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    tallies: dict[str, Tally] = field(default_factory=dict)

    def line(self) -> str | None:
        """Return the line that tells the user of it; None where nothing was left behind."""
        parts = []
        if self.delivered:
            backfilled = f", {self.backfilled} of them backfilled" if self.backfilled else ""
            records = "job record" if self.delivered == 1 else "job records"
            parts.append(f"Delivered {self.delivered} {records} of earlier runs{backfilled}.")
        if self.elsewhere:
            parts.append(waiting_elsewhere(self.elsewhere))
        parts += self.problems
        return f"snakeprov: {' '.join(parts)}" if parts else None

    def note(self, receipt: Receipt) -> None:
        """Count a record that was delivered or refused."""
        if receipt.reason is None:
            self.delivered += 1
        else:
            self.rejected.append(receipt.reason)


def push(
    place: Place, client: Client, *, target_of: TargetOf, from_any_store: bool = False, even_uncertain: bool = False
) -> Leftovers:
    """Deliver what runs that have ended left in the outbox of a working directory, also what was refused before.

    Args:
        place: The working directory, and the store that `client` reaches.
        client: The store.
        target_of: Chooses what a client delivers to.
        from_any_store: Whether to deliver also what was captured for another store.
        even_uncertain: Whether to deliver also what a process on another machine may still write, where the file system
            has no locks.

    Raises:
        RemoteError: The store is not able to answer now; what was not delivered waits on.
    """
    with opened_tools(place, target_of) as tools:
        return deliver_leftovers(
            client, tools, retry_rejected=True, from_any_store=from_any_store, even_uncertain=even_uncertain
        )


def recover_leftovers(place: Place, client: Client, *, target_of: TargetOf) -> Leftovers:
    """Do as `push`, but leave what was refused before. Raises RemoteError as `push`."""
    with opened_tools(place, target_of) as tools:
        return deliver_leftovers(client, tools)


def deliver_leftovers(
    client: Client,
    tools: Tools,
    *,
    retry_rejected: bool = False,
    from_any_store: bool = False,
    even_uncertain: bool = False,
    told: Callable[[int], None] = lambda jobs: None,
) -> Leftovers:
    """Deliver what runs that have ended left in the outbox folder for the store of `tools`, the oldest first.

    Args:
        client: The store.
        tools: Those of the working directory.
        retry_rejected: Whether to try again what the store refused before.
        from_any_store: Whether to deliver also what was captured for another store.
        even_uncertain: Whether to take also what a process of another machine may still write.
        told: Told how many records are done, now and then.

    Raises:
        RemoteError: The store is not able to answer now; what was not delivered waits on.
    """
    result = Leftovers()

    def note(receipt: Receipt) -> None:
        result.note(receipt)
        told(result.delivered + len(result.rejected))

    own = noted_store(tools.working_directory, tools.store)
    for path in backlog.files(backlog.outbox_folder(tools.working_directory)):
        try:
            store = store_of(path)
            if not from_any_store and store != own:
                _count_elsewhere(path, store, tools, result)
                continue
            recovered = Outbox.recover(path, even_uncertain=even_uncertain)
        except FileNotFoundError:  # all of it has been delivered in the meantime
            continue
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


def _count_elsewhere(path: Path, store: str | None, tools: Tools, result: Leftovers) -> None:
    """Count what waits in an outbox for another store, unless its run goes on. Raises OutboxError."""
    content = read(path)
    waiting = (*content.pending, *(entry for entry, _ in content.rejected))
    jobs = sum(entry.kind is Kind.JOB for entry in waiting)
    if jobs and not is_live(path):
        name = "a store that is not known" if store is None else store_noted(tools.working_directory, store)
        result.elsewhere[name] = result.elsewhere.get(name, 0) + jobs
