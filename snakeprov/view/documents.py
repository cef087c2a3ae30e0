"""What the commands print with `--json`: one type for each, whose keys are a promise.

Every key is always there, and null where the value is unknown. A document that only one screen needs is defined
beside that screen.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, TypeVar

import msgspec

from snakeprov.model.answers import (
    Done,
    EntityName,
    History,
    JobFile,
    JobSummary,
    MadeVersion,
    PlannedJobAnswer,
    Role,
    Run,
    Status,
    Story,
    ToldVersion,
)
from snakeprov.model.findings import Report
from snakeprov.model.records import GitState, JobStatus, RunStatus, StoredJob

D = TypeVar("D", bound="Document")


class Document(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What a command prints, or a part of it."""


def document_of(type_: type[D], told: object, **further: Any) -> D:
    """Return a document with the attributes of an answer, a record or a finding that have the names of its fields.

    Args:
        type_: The document.
        told: The answer, record or finding.
        further: Fields that it lacks, or has in another form.
    """
    names = [name for name in type_.__struct_fields__ if name not in further and hasattr(told, name)]
    same = {name: getattr(told, name) for name in names}
    return type_(**same, **further)


class GitDocument(Document, frozen=True, kw_only=True):
    """The commit of a run."""

    commit: str | None
    branch: str | None
    describe: str | None
    remote: str | None
    dirty: bool


class RunDocument(Document, frozen=True, kw_only=True):
    """A run."""

    id: str
    command_line: str | None
    snakemake_version: str | None
    status: RunStatus
    started_on: datetime | None
    ended_on: datetime | None
    host: str | None
    user: str | None
    git: GitDocument | None


class ListedRunDocument(Document, frozen=True, kw_only=True):
    """A run in `runs`, with how many of its jobs ended how."""

    id: str
    started_on: datetime | None
    ended_on: datetime | None
    command_line: str | None
    status: RunStatus
    jobs: dict[str, int]


class FileDocument(Document, frozen=True, kw_only=True):
    """A file of a job, at the version that it read or wrote."""

    path: str
    entity_id: str | None
    version_number: int | None
    sha256: str | None


class JobDocument(Document, frozen=True, kw_only=True):
    """A job in `show`."""

    id: str
    rule: str
    status: JobStatus
    wildcards: dict[str, str]
    params: dict[str, Any]
    shellcmd: str | None
    script: str | None
    threads: int | None
    resources: dict[str, Any]
    inputs: list[FileDocument]
    outputs: list[FileDocument]
    logs: list[FileDocument]
    code: list[FileDocument]
    environment_digest: str | None
    reason: str | None
    attempt: int
    started_on: datetime | None
    ended_on: datetime | None
    exit_code: int | None
    error: str | None
    log_excerpt: str | None


class LogDocument(Document, frozen=True, kw_only=True):
    """`log PATH`: the versions of a file, newest first."""

    entity: EntityName
    versions: list[ToldVersion]


class LatestDocument(Document, frozen=True, kw_only=True):
    """`log` without a path: the last run, and what it wrote, the latest first."""

    run: Run | None
    outputs: list[MadeVersion]
    total_number_of_results: int


class ShowDocument(Document, frozen=True, kw_only=True):
    """`show`: a version and its latest making, or a job; null where there is none."""

    entity: EntityName | None
    version: ToldVersion | None
    activity: dict[str, Any] | None
    job: JobDocument | None
    run: RunDocument | None


class RunJobsDocument(Document, frozen=True, kw_only=True):
    """`run`: its jobs, and those that it had before it."""

    run: Run
    jobs: list[JobSummary]
    total_number_of_results: int
    plan: list[PlannedJobAnswer]


class StatusDocument(Document, frozen=True, kw_only=True):
    """`status`: the outbox and the store; what a store does not tell is null."""

    store: str
    project: str
    pending: int
    failed_deliveries: int
    entities: int | None = None
    versions: int | None = None
    activities: int | None = None
    stored_bytes: int | None = None


class FindingDocument(Document, frozen=True, kw_only=True):
    """Something that `fsck` found."""

    where: str
    problem: str
    remedy: str
    is_damage: bool


class CheckedDocument(Document, frozen=True, kw_only=True):
    """How much `fsck` has compared with its checksums."""

    rows: int
    contents: int
    content_bytes: int
    outboxes: int


class FsckDocument(Document, frozen=True, kw_only=True):
    """`fsck`."""

    store: str
    ok: bool
    damaged: int
    checked: CheckedDocument
    findings: list[FindingDocument]


class ExportDocument(Document, frozen=True, kw_only=True):
    """`export -o`: what was written; `profile` and the files included only of a crate."""

    title: str
    format: str
    profile: str | None = None
    output: str
    sha256: str | None
    size_bytes: int | None
    jobs: int
    files: int
    files_included: int = 0
    missing: list[str] = []
    truncated: bool


class PushDocument(Document, frozen=True, kw_only=True):
    """`push`: how many records were delivered, wait, or were refused, and why."""

    delivered: int
    pending: int
    failed: int
    reasons: list[str]


class BackfilledJobDocument(Document, frozen=True, kw_only=True):
    """A job in `backfill`."""

    id: str
    rule: str
    ended_on: datetime | None
    outputs: list[str]


class BackfillDocument(Document, frozen=True, kw_only=True):
    """`backfill`; `run_id` is null where nothing was recorded."""

    run_id: str | None
    jobs: list[BackfilledJobDocument]
    delivered: int
    recorded_outputs: int
    left_out: dict[str, list[str]]
    unreadable: list[str]
    reasons: list[str]


class TokenDocument(Document, frozen=True, kw_only=True):
    """A token in `token list`."""

    id: str
    user: str
    scopes: list[str]
    created_on: str | None
    expires_on: str | None
    revoked_on: str | None


class NewTokenDocument(Document, frozen=True, kw_only=True):
    """`token create`: the only time that the token itself is shown."""

    token: str
    id: str
    user: str
    scopes: list[str]
    expires_on: str | None


class UserDocument(Document, frozen=True, kw_only=True):
    """A user in `user list`."""

    id: str
    name: str
    created_on: str | None
    disabled_on: str | None


def log(told: History) -> LogDocument:
    """Return what `log PATH --json` prints."""
    return LogDocument(entity=told.entity, versions=told.results)


def show(told: Done) -> ShowDocument:
    """Return what `show --json` prints for a version, or for a job that need not have made anything."""
    return ShowDocument(
        entity=told.entity if isinstance(told, Story) else None,
        version=told.version if isinstance(told, Story) else None,
        activity=told.activity,
        job=None if told.job is None else _job(told.job.job, told.job.files),
        run=None if told.run is None else run_document(told.run),
    )


def runs(listed: Iterable[Run]) -> list[ListedRunDocument]:
    """Return what `runs --json` prints for runs."""
    return [document_of(ListedRunDocument, one, jobs=one.jobs or {}) for one in listed]


def status(answer: Status | None, *, store: str, project: str, pending: int, failed: int) -> StatusDocument:
    """Return what `status --json` prints for the answer of a store, if there is one, and the state of the outbox."""
    return document_of(StatusDocument, answer, store=store, project=project, pending=pending, failed_deliveries=failed)


def fsck(report: Report, *, folder: str) -> FsckDocument:
    """Return what `fsck --json` prints for what was checked and found."""
    return FsckDocument(
        store=folder,
        ok=not report.damaged,
        damaged=report.damaged,
        checked=document_of(CheckedDocument, report),
        findings=[document_of(FindingDocument, one) for one in report.findings],
    )


def run_document(run: Run) -> RunDocument:
    """Return a run as `show` and `diff` print it."""
    return document_of(RunDocument, run, git=None if run.git is None else _git(run.git))


def _git(git: GitState) -> GitDocument:
    return document_of(GitDocument, git, dirty=bool(git.dirty))


def _job(job: StoredJob, files: Sequence[JobFile]) -> JobDocument:
    def of(*roles: Role) -> list[FileDocument]:
        return [document_of(FileDocument, one) for one in files if one.role in roles]

    return document_of(
        JobDocument,
        job,
        inputs=of("input"),
        outputs=of("output"),
        logs=of("log", "benchmark"),
        code=of("code"),
    )
