"""The loop that delivers a run: out of its outboxes, in order, to the store.

Every record goes this way: those of a run that goes on, of one whose process is dead, of what is backfilled, and of a
manual step. Callers differ in who holds the files of a job, whether the code is known, and who learns the outcome.

The files of a record are observed when it arrives, since they may change or vanish later. A record that cannot be
delivered then waits in its outbox together with what was found; a later turn, or a later process, delivers it.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

import msgspec
from msgspec import structs

from snakeprov.client import Client
from snakeprov.disk.layout import noted_store, own_folder
from snakeprov.disk.privacy import prepare_folder
from snakeprov.disk.projects import identity_of
from snakeprov.errors import RemoteError
from snakeprov.model.planned import RunPlan
from snakeprov.model.records import JobRecord, RunRecord, decode_job
from snakeprov.recorder import backlog
from snakeprov.recorder.backfill import Backfill, Progress, find_missing
from snakeprov.recorder.backlog import CodeFound, appended, as_recorded, run_of, with_code
from snakeprov.recorder.circumstances import with_missing
from snakeprov.recorder.context import Prepared, Receipt
from snakeprov.recorder.deliver import Deliverer
from snakeprov.recorder.entries import Content, Entry, Kind
from snakeprov.recorder.heldfiles import HeldFiles
from snakeprov.recorder.observed import Observations
from snakeprov.recorder.outbox import Outbox
from snakeprov.recorder.summary import Tally, explain
from snakeprov.recorder.tools import Tools

GROUP_JOBS_MAX: Final = 100
"""How many jobs are delivered together: a batch costs a quarter of its requests sent one by one."""

GROUP_FILES_MAX: Final = 10_000
"""How many files the jobs delivered together have at most, unless one job alone has more."""

SYNC_S: Final = 5.0
"""How often the outbox is forced onto the disk. An append in Snakemake's threads waits while that happens."""

_logger: Final = logging.getLogger(__name__)

Seen = tuple[Observations, Mapping[str, bytes]]
"""What was found of the files of a job, and the bytes of small ones that it wrote, by sha256."""


@dataclass
class _Group:
    """Jobs of one outbox that are delivered together, and the plan of the run that comes after them, if one does."""

    jobs: list[Prepared] = field(default_factory=list)
    plan: Entry | None = None


class Delivery:
    """Delivers the records of one run out of its outboxes, one after another. Not thread-safe.

    Attributes:
        run: The run as it is now, as far as it is known.
        jobs: How many jobs have been taken from outboxes as they came. May be read by another thread.
        is_behind: Whether something waits in an outbox that could not be delivered when it came.
        backfilled: How many jobs were recorded that a killed run had done and had not recorded.
        problems: What could not be read, in words, each once.
    """

    def __init__(
        self,
        tools: Tools,
        connect: Callable[[], Client],
        *,
        look: Callable[[JobRecord], Seen] | None = None,
        find_code: Callable[[RunRecord], tuple[CodeFound, bytes | None]] = as_recorded,
        on_receipt: Callable[[Receipt], None] = lambda receipt: None,
        on_failure: Callable[[Exception], None] | None = None,
    ) -> None:
        """Prepare; nothing is connected yet.

        Args:
            tools: Those of the working directory.
            connect: Returns the store; called again after it failed.
            look: Looks at the files of a job; without it, they are looked at where they lie.
            find_code: Finds the code of the run when it begins, and how it differs from its commit.
            on_receipt: Told what becomes of each record of a job.
            on_failure: Called with the reason why records cannot be delivered now; the files of later records are still
                observed. Without it, the failure is raised, and later records stay in the outbox unobserved.
        """
        self.run: RunRecord | None = None
        self.jobs = 0
        self.is_behind = False
        self.backfilled = 0
        self.problems: dict[str, None] = {}
        self._tools = tools
        self._connect = connect
        self._look = look or (lambda job: (tools.digester.observe(job, HeldFiles()), {}))
        self._find_code = find_code
        self._on_receipt = on_receipt
        self._on_failure = on_failure
        self._retries_rejected = False
        self._deliverer: Deliverer | None = None
        self._run_numbers: set[int] = set()
        self._code: CodeFound | None = None
        self._patch: bytes | None = None
        self._plan: RunPlan | None = None
        self._outbox: Outbox | None = None
        self._further: deque[Outbox] = deque()
        self._full: list[Outbox] = []
        self._synced_s = 0.0

    @property
    def tally(self) -> Tally:
        """What has been recorded so far."""
        return Tally() if self._deliverer is None else self._deliverer.tally

    def take(self, outbox: Outbox) -> None:
        """Take a further outbox of the run: nothing more will be appended to the one before."""
        self._further.append(outbox)

    def resume(self, outbox: Outbox, content: Content, *, retry_rejected: bool = False) -> None:
        """Take what dead processes left of the run: all of it waits.

        Args:
            outbox: Where it waits.
            content: What that holds.
            retry_rejected: Whether to try again what the store refused before.

        Raises:
            OutboxError: The record of the run is damaged.
        """
        self.run = run_of(content)
        self._code, self._patch = CodeFound(self.run.git, self.run.git_problem), content.patch
        self._outbox = outbox
        self._retries_rejected = retry_rejected
        self.is_behind = True

    def turn(self, *, is_last: bool, may_send: bool = True) -> None:
        """Deliver what was appended since the last turn, and what waits.

        Args:
            is_last: Whether nothing more will be appended.
            may_send: Whether to try again to deliver what waits.

        Raises:
            OutboxError: An outbox cannot be read.
            RemoteError: The store is not able to take the end of the run now.
            Exception: A failure, where there is no `on_failure`.
        """
        was_behind = self.is_behind
        self._deliver_new(is_last=is_last)
        if self.is_behind and may_send and (was_behind or is_last):
            try:
                self._deliver_waiting()
            except Exception as error:
                self._fail(error)
        if is_last and not self.is_behind:
            self._end()

    def close(self) -> None:
        """Let go of the outboxes. Never raises."""
        self._full += [*([self._outbox] if self._outbox is not None else []), *self._further]
        self._close_full()

    # What comes, and what waits

    def _deliver_new(self, *, is_last: bool) -> None:
        while True:
            if self._outbox is not None:
                take = partial(self._outbox.take, is_final=is_last or bool(self._further))
                self._deliver(self._outbox, iter(take, None))
            if not self._further:
                return
            self._turn_over()

    def _deliver_waiting(self) -> None:
        """Deliver what could not be delivered when it came; stop where that fails again."""
        self.is_behind = False
        for outbox in (*self._full, *([self._outbox] if self._outbox is not None else [])):
            content = outbox.content()
            again = [entry for entry, _ in content.rejected] if self._retries_rejected else []
            waiting = sorted([*content.pending, *again], key=lambda entry: entry.number)
            self._run_numbers.update(entry.number for entry in waiting if entry.kind is Kind.RUN)
            self._deliver(outbox, (one for one in waiting if one.kind is not Kind.RUN), found=content.digests)
            if self.is_behind:
                return
        self._close_full()

    def _turn_over(self) -> None:
        """Go on with the next outbox."""
        if self._outbox is not None:
            self._outbox.delivered(self._run_numbers)  # the next outbox begins with the run as well
            self._run_numbers.clear()
            self._full.append(self._outbox)
            if not self.is_behind:
                self._close_full()
        self._outbox = self._further.popleft()
        if self._code is not None:
            self._note_code(self._outbox, self._code)

    def _close_full(self) -> None:
        """Let go of the outboxes to which nothing will be appended; those with refused records stay on disk."""
        for outbox in self._full:
            damage = outbox.damage()
            if damage is not None:
                self.problems[damage] = None
            try:
                outbox.close()
            except OSError as error:  # nothing that was recorded is lost by it
                self.problems[explain(error)] = None
        self._full.clear()

    # The loop

    def _deliver(self, outbox: Outbox, entries: Iterable[Entry], *, found: Mapping[int, bytes] | None = None) -> None:
        """Deliver entries of an outbox, in order.

        `found` is what is known of the files of entries that waited, by number; None: the entries are new.
        """
        for group in self._groups(outbox, entries, found):
            if self.is_behind:
                self._keep(outbox, group)
                continue
            try:
                self._send(outbox, group)
            except Exception as error:
                self._keep(outbox, group)
                self._fail(error)
                if found is not None:
                    return

    def _groups(self, outbox: Outbox, entries: Iterable[Entry], found: Mapping[int, bytes] | None) -> Iterator[_Group]:
        """Yield jobs to deliver together, with what is found of their files; take in the run."""
        group, files = _Group(), 0
        for entry in entries:
            if entry.kind is Kind.RUN:
                self._learn(outbox, entry)
                continue
            if entry.kind is Kind.PLAN:
                group.plan = entry
            else:
                self.jobs += found is None
                prepared = self._prepared(outbox, entry, (found or {}).get(entry.number))
                if prepared is None:
                    continue
                group.jobs.append(prepared)
                files += len(prepared.job.inputs) + len(prepared.job.outputs)
            if group.plan is not None or len(group.jobs) >= GROUP_JOBS_MAX or files >= GROUP_FILES_MAX:
                yield group
                group, files = _Group(), 0
                if found is None:
                    self._sync(outbox)
        if group.jobs:
            yield group

    def _prepared(self, outbox: Outbox, entry: Entry, found: bytes | None) -> Prepared | None:
        """Return the job of an entry with what is known of its files, or else found now; None if it cannot be read."""
        try:
            job = decode_job(entry.payload)
        except msgspec.MsgspecError as error:
            self._note(outbox, [Receipt(entry.number, reason=f"The record of a job cannot be read ({error}).")])
            return None
        if found is not None:
            observations = msgspec.json.decode(found, type=Observations)
            return Prepared(entry.number, job, self._tools.digester.complete(observations))
        return Prepared(entry.number, job, *self._look(job))

    def _send(self, outbox: Outbox, group: _Group) -> None:
        deliverer = self._connected()
        self._note(outbox, deliverer.deliver(group.jobs))
        if group.plan is not None:
            self._put_plan(outbox, group.plan, deliverer)

    def _note(self, outbox: Outbox, receipts: Sequence[Receipt]) -> None:
        """Note in an outbox what became of its records."""
        outbox.delivered(receipt.number for receipt in receipts if receipt.reason is None)
        for receipt in receipts:
            if receipt.reason is not None:
                _logger.debug("%s, record %d: %s", outbox.path, receipt.number, receipt.reason, exc_info=receipt.error)
                if receipt.trace is None:
                    outbox.rejected(receipt.number, receipt.reason)
                else:
                    outbox.failed(receipt.number, receipt.reason, receipt.trace)
            self._on_receipt(receipt)

    def _keep(self, outbox: Outbox, group: _Group) -> None:
        """Keep what was found of jobs that are not delivered now."""
        for one in group.jobs:
            outbox.digests(one.number, one.observations_json())

    def _fail(self, error: Exception) -> None:
        _logger.debug("run %s waits", self.run and self.run.id, exc_info=error)
        self.is_behind = True
        if self._on_failure is None:
            raise error
        self._on_failure(error)

    def _sync(self, outbox: Outbox) -> None:
        if time.monotonic() - self._synced_s > SYNC_S:
            outbox.sync()
            self._synced_s = time.monotonic()

    def _connected(self) -> Deliverer:
        """Return what delivers the jobs of this run. Raises what `connect` raises."""
        assert self.run is not None  # noqa: S101  every log begins with the run
        if self._deliverer is None:
            self._deliverer = self._tools.deliverer(self._connect(), self.run, patch=self._patch)
        return self._deliverer

    # The run

    def _learn(self, outbox: Outbox, entry: Entry) -> None:
        """Take in the run as it is now, and look at its code when it begins."""
        run = msgspec.json.decode(entry.payload, type=RunRecord)
        if self._code is None:
            self._code, self._patch = self._find_code(run)
            self._note_code(outbox, self._code)
        self.run = with_code(run, self._code)
        self._run_numbers.add(entry.number)

    def _note_code(self, outbox: Outbox, code: CodeFound) -> None:
        if code.git is not None and self._deliverer is not None and self._deliverer.has_unclean_code:
            code = CodeFound(structs.replace(code.git, dirty=True), code.git_problem)
        outbox.code(msgspec.json.encode(code), self._patch)

    def _put_plan(self, outbox: Outbox, entry: Entry, deliverer: Deliverer) -> None:
        """Make the store know the DAG of the run. Raises RemoteError."""
        try:
            plan = msgspec.json.decode(entry.payload, type=RunPlan)
        except msgspec.MsgspecError as error:
            reason = f"The record of the plan of a run cannot be read ({error})."
            self._note(outbox, [Receipt(entry.number, reason=reason)])
        else:
            self._plan = with_missing(plan, self._tools.working_directory)
            deliverer.put_plan(self._plan)
            outbox.delivered([entry.number])

    def _end(self) -> None:
        """Make the store know how the run ended; a run that does not say so was killed. Raises RemoteError."""
        if self.run is None or self._outbox is None:
            return
        deliverer = self._connected()
        if self.run.status == "running":
            self._backfill_missing(self.run)
            self.run = structs.replace(self.run, status="interrupted")
        if self._plan is not None and not all(job.is_needed for job in self._plan.jobs):
            # Jobs that are delivered by now may have found outputs of others edited or put back.
            deliverer.put_plan(self._plan)
        deliverer.put_run(self.run)
        self._outbox.delivered(self._run_numbers)

    def _backfill_missing(self, killed: RunRecord) -> None:
        """Record what a run that was killed had finished and not recorded. Raises RemoteError."""
        client = self._connect()
        try:
            found = find_missing(client, self._tools, killed)
            deliver_backfill(client, self._tools, found)
        except RemoteError:
            raise
        except Exception as error:  # whatever Snakemake left there, it must not keep back what is recorded
            what = f"What run {killed.id[:8]} did before it was killed could not be read: {explain(error)}"
            self.problems[what] = None
        else:
            self.backfilled = len(found.delivered)


def deliver_backfill(
    client: Client, tools: Tools, found: Backfill, *, progress: Progress = lambda what, done, total: None
) -> None:
    """Record what `backfill.find` found: append it to an outbox of its own, and deliver that.

    Raises:
        StoreError, OutboxError: The outbox cannot be written.
        RemoteError: The store is not able to answer now; what was not delivered waits in the outbox.
    """
    if not found.jobs:
        return
    prepare_folder(own_folder(tools.working_directory), shared=tools.settings.is_shared)
    identity = found.run.project_identity or identity_of(tools.settings, tools.working_directory)
    run = structs.replace(found.run, project_identity=identity)

    def note(receipt: Receipt) -> None:
        found.note(receipt)
        progress("recording", len(found.delivered) + len(found.reasons), len(found.jobs))

    store = noted_store(tools.working_directory, tools.store)
    with appended(backlog.outbox_folder(tools.working_directory), run, found.jobs, store=store) as outbox:
        delivery = Delivery(tools, lambda: client, on_receipt=note)
        delivery.take(outbox)
        delivery.turn(is_last=True)
