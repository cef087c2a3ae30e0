"""Emptying an outbox into a repository: one's own, or what dead processes left behind.

Must not know: threads, Snakemake.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import msgspec

from snakeprov.capture.code import GitReader
from snakeprov.client import Client
from snakeprov.config import Settings
from snakeprov.errors import OutboxError, RemoteError, UsageError
from snakeprov.model.planned import RunPlan
from snakeprov.model.records import JobRecord, RunRecord
from snakeprov.recorder import backlog
from snakeprov.recorder.assemble import Policy
from snakeprov.recorder.catalog import Catalog
from snakeprov.recorder.codelinks import CodeLinks
from snakeprov.recorder.deliver import REFUSED, Deliverer, Prepared, reason_of
from snakeprov.recorder.digesting import Digester, Observations
from snakeprov.recorder.outbox import Content as OutboxContent
from snakeprov.recorder.outbox import Entry, Kind, Outbox
from snakeprov.recorder.steps import StepRecord, deliver_step
from snakeprov.recorder.summary import Tally

GROUP_JOBS_MAX: Final = 100
"""How many jobs are delivered together: a batch costs a quarter of its requests sent one by one."""

GROUP_FILES_MAX: Final = 10_000
"""How many files the jobs delivered together have at most, unless one job alone has more."""


@dataclass(frozen=True, kw_only=True)
class Tools:
    """What every drain of one working directory works with."""

    settings: Settings
    working_directory: Path
    digester: Digester
    git: GitReader
    catalogs: dict[str, Catalog] = field(default_factory=dict)


class Drain:
    """Delivers what one outbox holds. Not thread-safe."""

    def __init__(
        self, outbox: Outbox, run: RunRecord, client: Client, *, tools: Tools, patch: bytes | None = None
    ) -> None:
        """Prepare to deliver the records of `run` from `outbox` through `client`."""
        self.rejected: list[str] = []
        self._outbox = outbox
        self._client = client
        self._patch = patch
        self._patch_id: str | None = None
        self._digester = tools.digester
        self._deliverer = Deliverer(
            client,
            run,
            policy=Policy(
                always=tools.settings.versions == "always",
                keep_bytes_max=tools.settings.keep_bytes_max,
                upload=tools.settings.upload,
            ),
            links=CodeLinks(tools.git),
            # Files of one project are the same files for every run that is delivered in this process.
            catalog=tools.catalogs.setdefault(run.project, Catalog()),
        )

    @property
    def tally(self) -> Tally:
        """What has been recorded so far."""
        return self._deliverer.tally

    def put_run(self, run: RunRecord, numbers: Sequence[int] = ()) -> None:
        """Make the repository know the run as it is now; raises RemoteError.

        `numbers` are the run's entries in the outbox.
        """
        if run.git is not None:
            if self._patch is not None and self._client.is_snakeprov:
                name = f"{run.id[:8]}.patch"
                self._patch_id = self._client.files.upload(self._patch, file_name=name, content_type="text/x-diff")
                self._patch = None
            run.git.patch_file_handle_id = self._patch_id
        self._deliverer.put_run(run)
        self._outbox.delivered(numbers)

    def put_plan(self, plan: RunPlan, numbers: Sequence[int]) -> None:
        """Make the repository know the DAG of the run; `numbers` are its entries in the outbox.

        Raises:
            RemoteError: The repository is not able to answer now.
        """
        self._deliverer.put_plan(plan)
        self._outbox.delivered(numbers)

    def deliver(self, prepared: Sequence[Prepared]) -> None:
        """Deliver jobs and note in the outbox what became of them.

        Raises:
            RemoteError: The repository is not able to answer now. What was found of the files is kept in the outbox.
        """
        try:
            receipts = self._deliverer.deliver(prepared)
        except RemoteError:
            for one in prepared:
                if one.number >= 0:
                    self._outbox.digests(one.number, one.observations_json())
            raise
        self._outbox.delivered(receipt.number for receipt in receipts if receipt.reason is None and receipt.number >= 0)
        for receipt in receipts:
            if receipt.reason is not None:
                self.rejected.append(receipt.reason)
                self._outbox.rejected(receipt.number, receipt.reason)

    def deliver_pending(self, content: OutboxContent, *, retry_rejected: bool = False) -> int:
        """Deliver what waits in the outbox, in order; return how many jobs.

        Args:
            content: What the outbox holds.
            retry_rejected: Whether to try again what the repository refused before.

        Raises:
            RemoteError: As `deliver`.
        """
        entries = _to_deliver(content, retry_rejected=retry_rejected)
        runs = [entry.number for entry in entries if entry.kind is Kind.RUN]
        if runs and content.last_run is not None:
            self.put_run(msgspec.json.decode(content.last_run, type=RunRecord), runs)
        count = 0
        for group in self._groups(entries, content):
            self.deliver(group)
            count += len(group)
        # After the jobs: what is now the newest version of an output is what the run found or made.
        plans = [entry for entry in entries if entry.kind is Kind.PLAN]
        if plans:
            plan = msgspec.json.decode(plans[-1].payload, type=RunPlan)
            self.put_plan(plan, [entry.number for entry in plans])
        return count

    def _groups(self, entries: Sequence[Entry], content: OutboxContent) -> Iterator[list[Prepared]]:
        group: list[Prepared] = []
        files = 0
        for entry in entries:
            if entry.kind is not Kind.JOB:
                continue
            job = msgspec.json.decode(entry.payload, type=JobRecord)
            group.append(Prepared(entry.number, job, _observations(content, entry, job, self._digester)))
            files += len(job.inputs) + len(job.outputs)
            if len(group) >= GROUP_JOBS_MAX or files >= GROUP_FILES_MAX:
                yield group
                group, files = [], 0
        if group:
            yield group


@dataclass
class Leftovers:
    """What became of the outboxes that dead processes left behind.

    Attributes:
        delivered: Records of jobs and steps delivered.
        rejected: Reasons why others were refused.
        problems: Outboxes that could not be read, in words.
    """

    delivered: int = 0
    rejected: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def deliver_leftovers(client: Client, tools: Tools, *, retry_rejected: bool = False) -> Leftovers:
    """Deliver what runs that have ended left in the outbox folder, the oldest first.

    Raises:
        RemoteError: The repository is not able to answer now; what was not delivered waits on.
    """
    result = Leftovers()
    for path in backlog.files(backlog.outbox_folder(tools.working_directory)):
        try:
            recovered = Outbox.recover(path)
        except OutboxError as error:
            result.problems.append(error.message)
            continue
        if recovered is None:
            continue
        outbox, content = recovered
        try:
            _deliver_leftover(outbox, content, client, tools, result, retry_rejected=retry_rejected)
        finally:
            outbox.close()
    return result


def _deliver_leftover(
    outbox: Outbox,
    content: OutboxContent,
    client: Client,
    tools: Tools,
    result: Leftovers,
    *,
    retry_rejected: bool,
) -> None:
    _deliver_steps(outbox, content, client, tools, result, retry_rejected=retry_rejected)
    if content.last_run is None:
        return
    run = msgspec.json.decode(content.last_run, type=RunRecord)
    drain = Drain(outbox, run, client, tools=tools, patch=content.patch)
    result.delivered += drain.deliver_pending(content, retry_rejected=retry_rejected) - len(drain.rejected)
    result.rejected += drain.rejected
    if run.status == "running":
        # Its process is dead, or it would hold the lock.
        run.status = "interrupted"
        drain.put_run(run)


def _deliver_steps(
    outbox: Outbox,
    content: OutboxContent,
    client: Client,
    tools: Tools,
    result: Leftovers,
    *,
    retry_rejected: bool,
) -> None:
    for entry in _to_deliver(content, retry_rejected=retry_rejected):
        if entry.kind is not Kind.STEP:
            continue
        step = msgspec.json.decode(entry.payload, type=StepRecord)
        observations = _observations(content, entry, step.job, tools.digester)
        catalog = tools.catalogs.setdefault(step.run.project, Catalog())
        try:
            deliver_step(client, step, observations, settings=tools.settings, catalog=catalog, git=tools.git)
        except (*REFUSED, UsageError) as error:
            reason = reason_of(error, client)
            outbox.rejected(entry.number, reason)
            result.rejected.append(reason)
        else:
            outbox.delivered([entry.number])
            result.delivered += 1


def _to_deliver(content: OutboxContent, *, retry_rejected: bool) -> list[Entry]:
    """Return the entries that wait, in order, with those that were refused if they are to be tried again."""
    again = [entry for entry, _ in content.rejected] if retry_rejected else []
    return sorted([*content.pending, *again], key=lambda entry: entry.number)


def _observations(content: OutboxContent, entry: Entry, job: JobRecord, digester: Digester) -> Observations:
    """Return what was found of the files of an entry's job when it was taken, or else what is found now."""
    found = content.digests.get(entry.number)
    return digester.observe(job, {}) if found is None else msgspec.json.decode(found, type=Observations)
