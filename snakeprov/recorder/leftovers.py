"""Delivering what dead processes left behind in the outbox folder, and noticing what did not even get there.

Must not know: threads, Snakemake.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec

from snakeprov.client import Client
from snakeprov.errors import OutboxError, RemoteError
from snakeprov.model.records import RunRecord
from snakeprov.recorder import backlog
from snakeprov.recorder.backfill import backfill_missing
from snakeprov.recorder.deliver import REFUSED, Receipt, receipt_of
from snakeprov.recorder.drain import Drain, Tools, observations_of, reject, run_of, to_deliver
from snakeprov.recorder.entries import Content, Kind
from snakeprov.recorder.outbox import Outbox, unlocked_owner
from snakeprov.recorder.owners import is_alive
from snakeprov.recorder.steps import StepRecord, deliver_step
from snakeprov.recorder.summary import Tally, explain


@dataclass
class Leftovers:
    """What became of the outboxes that dead processes left behind.

    Attributes:
        delivered: Records of jobs and of steps by hand delivered.
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
    delivery = _Delivery(client, tools, result, retry_rejected=retry_rejected, told=told)
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
            delivery.deliver(outbox, content)
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


class _Delivery:
    """Delivers outboxes, and counts in `result` what becomes of their records."""

    def __init__(
        self,
        client: Client,
        tools: Tools,
        result: Leftovers,
        *,
        retry_rejected: bool,
        told: Callable[[int], None],
    ) -> None:
        self._client = client
        self._tools = tools
        self._result = result
        self._retry_rejected = retry_rejected
        self._told = told

    def deliver(self, outbox: Outbox, content: Content) -> None:
        """Deliver what an outbox holds. Raises RemoteError and OutboxError."""
        self._deliver_steps(outbox, content)
        entries = to_deliver(content, retry_rejected=True)
        if content.last_run is None and all(entry.kind is Kind.STEP for entry in entries):
            return
        run = run_of(content)
        drain = Drain(outbox, run, self._client, tools=self._tools, patch=content.patch)
        before = self._result.delivered
        delivered = drain.deliver_pending(
            content, retry_rejected=self._retry_rejected, told=lambda done: self._told(before + done)
        )
        self._result.delivered += delivered - len(drain.rejected)
        self._result.tallies.setdefault(run.id, Tally()).add(drain.tally)
        self._result.rejected += drain.rejected
        if run.status == "running":
            # Its process is dead, or it would hold the lock.
            notice_missing(self._client, self._tools, run, self._result)
            run.status = "interrupted"
            drain.put_run(run)

    def _deliver_steps(self, outbox: Outbox, content: Content) -> None:
        tools = self._tools
        for entry in to_deliver(content, retry_rejected=self._retry_rejected):
            if entry.kind is not Kind.STEP:
                continue
            step = msgspec.json.decode(entry.payload, type=StepRecord)
            observations = observations_of(content, entry, step.job, tools.digester)
            try:
                deliver_step(self._client, step, observations, tools)
            except Exception as error:  # refused, or a fault of ours: neither may hold up what else waits
                if isinstance(error, RemoteError) and not isinstance(error, REFUSED):
                    raise
                self._reject(outbox, receipt_of(entry.number, error, tools.target_of(self._client)))
            else:
                outbox.delivered([entry.number])
                self._result.delivered += 1

    def _reject(self, outbox: Outbox, receipt: Receipt) -> None:
        reject(outbox, receipt)
        self._result.rejected.append(receipt.reason or "")


def notice_missing(client: Client, tools: Tools, run: RunRecord, result: Leftovers) -> None:
    """Record what a run that was killed had finished and not recorded. Raises RemoteError; else tells in `result`."""
    try:
        backfilled = backfill_missing(client, tools, run)
    except RemoteError:
        raise
    except Exception as error:  # whatever Snakemake left there, it must not keep back what is recorded
        result.problems.append(f"What run {run.id[:8]} did before it was killed could not be read: {explain(error)}")
    else:
        result.delivered += backfilled
        result.backfilled += backfilled
