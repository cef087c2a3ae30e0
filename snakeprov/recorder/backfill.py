"""Recording what was there before: jobs that are complete in Snakemake and that nobody recorded when they ran.

The jobs become records of a run of their own, of status `backfilled`, that go through the outbox like those of any
other run. What the store knows already, or what waits for it in an outbox, is not recorded again; and since the
id of a job is made from what it left, the same job has the same id each time it is found.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final
from uuid import uuid4

import msgspec
from msgspec import structs

from snakeprov import __version__
from snakeprov.capture.secrets.finders import environment_secrets
from snakeprov.capture.secrets.redactor import Redactor
from snakeprov.client import Client
from snakeprov.disk.layout import noted_store
from snakeprov.disk.projects import noted_identity, project_of
from snakeprov.errors import NotRecordedError, OutboxError
from snakeprov.metadata import failures, stored
from snakeprov.metadata.past import Past, read_past
from snakeprov.model.paths import to_text
from snakeprov.model.records import JobRecord, RunRecord, decode_job
from snakeprov.model.times import now
from snakeprov.recorder import backlog
from snakeprov.recorder.context import Receipt
from snakeprov.recorder.entries import Kind, read
from snakeprov.recorder.outbox import is_live
from snakeprov.recorder.tools import Tools

CLOCK_SKEW: Final = timedelta(seconds=2)
"""How far the clock of a file system may be behind that of this machine."""

COMPARED_MAX: Final = 100
"""Maximum number of jobs whose outputs are looked up in the store at once."""

Progress = Callable[[str, int, int], None]
"""Told what is being done, how much of it is done, and how much there is."""


@dataclass
class Backfill:
    """What was found, and what became of it.

    Attributes:
        run: The run that stands for it.
        jobs: The jobs that were not recorded yet, in the order in which they ended.
        recorded_outputs: How many outputs were recorded already.
        past: All that was found in Snakemake's metadata, with what was left out.
        unreadable: Metadata that could not be read, in words.
        delivered: Ids of the jobs that were delivered.
        reasons: Why others were refused.
    """

    run: RunRecord
    jobs: list[JobRecord] = field(default_factory=list)
    recorded_outputs: int = 0
    past: Past = field(default_factory=Past)
    unreadable: list[str] = field(default_factory=list)
    delivered: set[str] = field(default_factory=set)
    reasons: list[str] = field(default_factory=list)

    def note(self, receipt: Receipt) -> None:
        """Take note of what became of a job."""
        if receipt.reason is not None:
            self.reasons.append(receipt.reason)
        elif receipt.job_id is not None:
            self.delivered.add(receipt.job_id)


def require_metadata(working_directory: Path) -> None:
    """Raise NotRecordedError if Snakemake keeps nothing of workflows that ran in `working_directory`."""
    if not stored.is_there(working_directory):
        raise NotRecordedError(
            f"Snakemake keeps no metadata of past jobs in {working_directory}.",
            hint="Call this where the workflow ran; nothing is kept of runs with --drop-metadata.",
        )


def find(
    client: Client | None,
    tools: Tools,
    *,
    targets: Sequence[str] = (),
    killed: RunRecord | None = None,
    progress: Progress = lambda what, done, total: None,
) -> Backfill:
    """Return what could be recorded of the past; nothing is written.

    Args:
        client: The store; None if it does not exist yet.
        tools: Those of the working directory.
        targets: Outputs, or folders of them, by their paths as they are recorded; none: all.
        killed: Only jobs that ended after this run began, which was killed and holds the lock of its outbox no more.
        progress: Told how far it is.

    Raises:
        NotRecordedError: Snakemake keeps nothing here, or nothing of one of the targets.
        RemoteError: The store is not able to answer now.
    """
    require_metadata(tools.working_directory)
    run = _run(tools, killed)
    since_s = None
    if killed is not None and killed.started_on is not None:
        since_s = (killed.started_on - CLOCK_SKEW).timestamp()
    metadata = stored.read(tools.working_directory, since_s=since_s)
    wanted = _Wanted(targets)
    past = read_past(
        metadata.records,
        str(tools.working_directory),
        run_id=run.id,
        is_wanted=wanted,
        failed_on_s=failures.read(tools.working_directory).get,
    )
    wanted.require()
    result = Backfill(run, past=past, unreadable=metadata.unreadable)
    outboxes = backlog.files(backlog.outbox_folder(tools.working_directory))
    own = killed.id if killed is not None else None
    store = noted_store(tools.working_directory, tools.store)
    others = [path for path in outboxes if path.name.partition(".")[0] != own]
    result.jobs = list(_unclaimed(past.jobs, others, store))
    _drop_recorded(result, client, tools, progress)
    redactor = Redactor(patterns=tools.settings.redact, values=environment_secrets(os.environ, ()))
    result.jobs = [redactor.job(job) for job in result.jobs]
    return result


def find_missing(client: Client, tools: Tools, killed: RunRecord) -> Backfill:
    """Return the jobs that a run had finished but could not record before it was killed.

    Raises:
        RemoteError: The store is not able to answer now.
    """
    if not stored.is_there(tools.working_directory):
        return Backfill(killed)
    return find(client, tools, killed=killed)


def _run(tools: Tools, killed: RunRecord | None) -> RunRecord:
    """Return the run that stands for what is found, or for what a killed run did not record."""
    moment = now()
    project = project_of(tools.settings, tools.working_directory, tools.store) if killed is None else killed.project
    return RunRecord(
        id=uuid4().hex,
        project=project,
        project_identity=None if killed is None else killed.project_identity,
        working_directory=to_text(tools.working_directory),
        status="backfilled",
        command_line="snakeprov backfill",
        git_problem="what ran then is not known",
        snakeprov_version=__version__,
        started_on=moment,
        ended_on=moment,
        missing=[] if killed is None else [f"Run {killed.id} was killed before it could record these jobs"],
    )


class _Wanted:
    """Whether an output was asked for, and whether all that was asked for was found."""

    def __init__(self, targets: Sequence[str]) -> None:
        self._missing = dict.fromkeys(targets)
        self._targets = [(target, target.rstrip("/") + "/") for target in targets]

    def __call__(self, path: str) -> bool:
        asked = [target for target, folder in self._targets if path == target or path.startswith(folder)]
        for target in asked:
            self._missing.pop(target, None)
        return bool(asked) or not self._targets

    def require(self) -> None:
        for target in self._missing:
            raise NotRecordedError(
                f"Snakemake keeps no metadata of {target}.",
                hint="Name outputs of rules, or folders that hold some.",
            )


def _unclaimed(jobs: Sequence[JobRecord], outboxes: Sequence[Path], store: str) -> Iterator[JobRecord]:
    """Yield the jobs that no outbox for a store speaks of and no living run may yet speak of to it."""
    waiting: set[str] = set()
    until: datetime | None = None
    for path in outboxes:
        # Where it is gone all of it has been delivered in the meantime, and is found in the store.
        with suppress(OutboxError, FileNotFoundError):
            content = read(path)
            if content.store != store:
                continue
            run = None if content.last_run is None else msgspec.json.decode(content.last_run, type=RunRecord)
            if run is not None and run.started_on is not None and is_live(path):
                until = run.started_on if until is None else min(until, run.started_on)
            for entry in (*content.pending, *(entry for entry, _ in content.rejected)):
                if entry.kind is Kind.JOB:
                    waiting |= {fact.path for fact in decode_job(entry.payload).outputs}
    for job in jobs:
        began = job.started_on or job.ended_on
        if until is not None and began is not None and began >= until:
            continue
        outputs = [fact for fact in job.outputs if fact.path not in waiting]
        if outputs:
            yield structs.replace(job, outputs=outputs)


def _drop_recorded(result: Backfill, client: Client | None, tools: Tools, progress: Progress) -> None:
    """Leave only the outputs that the store does not hold with these bytes and an Activity that made them."""
    if client is None:
        return
    deliverer = tools.deliverer(client, _with_identity(result.run, tools))
    if not deliverer.find_project():
        return
    jobs, result.jobs = result.jobs, []
    for start in range(0, len(jobs), COMPARED_MAX):
        progress("comparing", start, len(jobs))
        group = jobs[start : start + COMPARED_MAX]
        deliverer.look_up(fact.stored_path for job in group for fact in job.outputs)
        for job in group:
            outputs = [
                fact
                for fact in job.outputs
                if (held := deliverer.held(fact.stored_path)) is None
                or held.activity_id is None
                or not tools.digester.has_digest(fact, held.sha256)
            ]
            result.recorded_outputs += len(job.outputs) - len(outputs)
            if outputs:
                result.jobs.append(structs.replace(job, outputs=outputs))


def _with_identity(run: RunRecord, tools: Tools) -> RunRecord:
    """Return a run with an identity that tells its project from others of the same name; nothing is written."""
    if run.project_identity is not None or tools.settings.project is not None:
        return run
    identity = noted_identity(tools.working_directory) or uuid4().hex  # a new one that no project in the store has
    return structs.replace(run, project_identity=identity)
