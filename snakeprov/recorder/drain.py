"""Emptying an outbox into a store: one's own, or what dead processes left behind.

Must not know: threads, Snakemake.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import msgspec

from snakeprov.capture.git.reader import GitReader
from snakeprov.client import Client
from snakeprov.errors import OutboxError, RemoteError
from snakeprov.model.planned import RunPlan
from snakeprov.model.records import GitState, JobRecord, RunRecord, decode_job
from snakeprov.recorder.catalog import Catalog
from snakeprov.recorder.codelinks import CodeLinks
from snakeprov.recorder.context import Policy
from snakeprov.recorder.deliver import Deliverer, Prepared, Receipt
from snakeprov.recorder.digesting import Digester, Observations
from snakeprov.recorder.entries import Content as OutboxContent
from snakeprov.recorder.entries import Entry, Kind
from snakeprov.recorder.heldfiles import HeldFiles
from snakeprov.recorder.outbox import Outbox
from snakeprov.recorder.plannedfiles import with_missing
from snakeprov.recorder.projects import Projects
from snakeprov.recorder.summary import Tally
from snakeprov.recorder.target import TargetOf
from snakeprov.settings import Settings

GROUP_JOBS_MAX: Final = 100
"""How many jobs are delivered together: a batch costs a quarter of its requests sent one by one."""

GROUP_FILES_MAX: Final = 10_000
"""How many files the jobs delivered together have at most, unless one job alone has more."""


@dataclass(frozen=True, kw_only=True)
class Tools:
    """What every drain of one working directory works with.

    Attributes:
        settings: Those of the working directory.
        working_directory: Absolute.
        store: The store that is delivered to: a folder, a URL, or "synapse". It need not be that of the settings.
        digester: Looks at files that nobody has looked at before.
        git: Knows the work trees.
        target_of: Chooses what a client delivers to.
        catalogs: What is known of each project in the store.
    """

    settings: Settings
    working_directory: Path
    store: str
    digester: Digester
    git: GitReader
    target_of: TargetOf
    catalogs: dict[str, Catalog] = field(default_factory=dict)

    def catalog(self, run: RunRecord) -> Catalog:
        """Return what is known of the run's project: its files are the same files for every run delivered here."""
        return self.catalogs.setdefault(run.project_identity or run.project, Catalog())

    def projects(self, client: Client) -> Projects:
        """Return what names the projects of runs in the store that `client` reaches."""
        return Projects(client, self.working_directory, self.store)


def make_deliverer(client: Client, run: RunRecord, tools: Tools) -> Deliverer:
    """Return what delivers the jobs of `run` through `client`."""
    return Deliverer(
        client,
        run,
        policy=Policy(
            always=tools.settings.versions == "always",
            keep_bytes_max=tools.settings.keep_bytes_max,
            upload=tools.settings.upload,
        ),
        links=CodeLinks(tools.git),
        projects=tools.projects(client),
        catalog=tools.catalog(run),
        target_of=tools.target_of,
    )


class Drain:
    """Delivers what the outboxes of one run hold, one after another. Not thread-safe."""

    def __init__(
        self, outbox: Outbox, run: RunRecord, client: Client, *, tools: Tools, patch: bytes | None = None
    ) -> None:
        """Prepare to deliver the records of `run`, those of `outbox` first, through `client`."""
        self.rejected: list[str] = []
        self._outbox = outbox
        self._client = client
        self._patch = patch
        self._patch_id: str | None = None
        self._plan: RunPlan | None = None
        self._digester = tools.digester
        self._working_directory = tools.working_directory
        self._deliverer = make_deliverer(client, run, tools)

    @property
    def tally(self) -> Tally:
        """What has been recorded so far."""
        return self._deliverer.tally

    def turn_to(self, outbox: Outbox) -> None:
        """Go on with another outbox of the run."""
        self._outbox = outbox

    def put_run(self, run: RunRecord, numbers: Sequence[int] = ()) -> None:
        """Make the store know the run as it is now; raises RemoteError.

        `numbers` are the run's entries in the outbox.
        """
        if run.git is not None:
            if self._patch is not None and self._client.backend.keeps_runs:
                name = f"{run.id[:8]}.patch"
                self._patch_id = self._client.files.upload(self._patch, file_name=name, content_type="text/x-diff")
                self._patch = None
            run.git.patch_file_handle_id = self._patch_id or run.git.patch_file_handle_id
        self._deliverer.put_run(run)
        self._outbox.delivered(numbers)

    def put_plan(self, entry: Entry) -> None:
        """Make the store know the DAG of the run, which `entry` holds; raises RemoteError."""
        try:
            plan = msgspec.json.decode(entry.payload, type=RunPlan)
        except msgspec.MsgspecError as error:
            self._reject(Receipt(entry.number, f"The record of the plan of a run cannot be read ({error})."))
        else:
            self._plan = with_missing(plan, self._working_directory)
            self._deliverer.put_plan(self._plan)
            self._outbox.delivered([entry.number])

    def renew_plan(self) -> None:
        """Tell the DAG again once all jobs are delivered, which may have found outputs of others edited or put back.

        Raises RemoteError.
        """
        if self._plan is not None and not all(job.is_needed for job in self._plan.jobs):
            self._deliverer.put_plan(self._plan)

    def deliver(self, prepared: Sequence[Prepared]) -> None:
        """Deliver jobs and note in the outbox what became of them.

        Raises:
            RemoteError: The store is not able to answer now. What was found of the files is kept in the outbox.
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
                self._reject(receipt)

    def _reject(self, receipt: Receipt) -> None:
        self.rejected.append(receipt.reason or "")
        reject(self._outbox, receipt)

    def deliver_pending(
        self,
        content: OutboxContent,
        *,
        retry_rejected: bool = False,
        told: Callable[[int], None] = lambda done: None,
    ) -> int:
        """Deliver what waits in the outbox, in order; return how many jobs.

        Args:
            content: What the outbox holds.
            retry_rejected: Whether to try again what the store refused before.
            told: Told how many jobs are done, now and then.

        Raises:
            RemoteError: As `deliver`.
        """
        entries = to_deliver(content, retry_rejected=retry_rejected)
        runs = [entry.number for entry in entries if entry.kind is Kind.RUN]
        if runs:
            self.put_run(run_of(content), runs)
        count = 0
        for group in self._groups(entries, content):
            self.deliver(group)
            count += len(group)
            told(count)
        # After the jobs: what is now the newest version of an output is what the run found or made.
        plans = [entry for entry in entries if entry.kind is Kind.PLAN]
        if plans:
            self._outbox.delivered(entry.number for entry in plans[:-1])
            self.put_plan(plans[-1])
        return count

    def _groups(self, entries: Sequence[Entry], content: OutboxContent) -> Iterator[list[Prepared]]:
        group: list[Prepared] = []
        files = 0
        for entry in entries:
            if entry.kind is not Kind.JOB:
                continue
            job = job_of(entry)
            if isinstance(job, str):
                self._reject(Receipt(entry.number, job))
                continue
            group.append(Prepared(entry.number, job, observations_of(content, entry, job, self._digester)))
            files += len(job.inputs) + len(job.outputs)
            if len(group) >= GROUP_JOBS_MAX or files >= GROUP_FILES_MAX:
                yield group
                group, files = [], 0
        if group:
            yield group


def reject(outbox: Outbox, receipt: Receipt) -> None:
    """Note in the outbox of a record that it was not delivered, and why."""
    if receipt.trace is not None:
        outbox.failed(receipt.number, receipt.reason or "", receipt.trace)
    else:
        outbox.rejected(receipt.number, receipt.reason or "")


class CodeFound(msgspec.Struct, omit_defaults=True):
    """What was found of the code of a run when it began, as the outbox keeps it; see `RunRecord`."""

    git: GitState | None = None
    git_problem: str | None = None


def run_of(content: OutboxContent) -> RunRecord:
    """Return the run that an outbox belongs to, with what was found of its code. Raises OutboxError."""
    try:
        run = msgspec.json.decode(content.last_run or b"", type=RunRecord)
    except msgspec.MsgspecError as error:
        raise OutboxError("The record of the run is damaged.", hint="Move the outbox out of its folder.") from error
    if content.git is None:
        killed = "Snakemake" if run.status == "running" else "the process that delivers"
        run.git_problem = run.git_problem or f"{killed} was killed before git could be asked"
    else:
        found = msgspec.json.decode(content.git, type=CodeFound)
        run.git, run.git_problem = found.git, found.git_problem
    return run


def to_deliver(content: OutboxContent, *, retry_rejected: bool) -> list[Entry]:
    """Return the entries that wait, in order, with those that were refused if they are to be tried again."""
    again = [entry for entry, _ in content.rejected] if retry_rejected else []
    return sorted([*content.pending, *again], key=lambda entry: entry.number)


def observations_of(content: OutboxContent, entry: Entry, job: JobRecord, digester: Digester) -> Observations:
    """Return what was found of the files of an entry's job when it was taken, or else what is found now."""
    found = content.digests.get(entry.number)
    return digester.observe(job, HeldFiles()) if found is None else msgspec.json.decode(found, type=Observations)


def job_of(entry: Entry) -> JobRecord | str:
    """Decode the record of a job in an entry, or return why it is invalid."""
    try:
        return decode_job(entry.payload)
    except msgspec.MsgspecError as error:
        return f"The record of a job cannot be read ({error})."
