"""What a store says beyond Synapse's own bodies: made by the server, decoded by the client, read by attribute.

Keys are in camelCase on the wire. A field without a default is always there, and null where that is unknown; one with a
default is left out where it has that value. Moments are RFC 3339 texts, UTC.
"""

from __future__ import annotations

from typing import Any, Generic, Literal, TypeVar

import msgspec

from snakeprov.model.digest import Digest
from snakeprov.model.planned import PlannedState
from snakeprov.model.records import JobStatus, RunStatus, StoredJob, StoredRun

T = TypeVar("T")

Outcome = Literal["used", "executed", "generated", "reproduced", "reused", "touched", "missing"]
"""What a job did with a file."""


Role = Literal["input", "output", "log", "benchmark", "code", "workflow", "environment"]
"""What a file was to a job."""

BY_PRODUCTS: frozenset[Role] = frozenset({"log", "benchmark"})
"""Roles of files that describe a job and are not its results."""

MeaningKind = Literal["again", "edited", "sameContent"]
"""Earlier bytes of the file again, edited by hand, or the content of another file."""


NodeKind = Literal["entity", "activity", "url"]

EdgeKind = Literal["used", "executed", "generatedBy", "again", "revisionOf", "sameContent", "inside", "contains"]
"""`revisionOf` (edited by hand after it) and `sameContent` are evidence, not proof; `again` and these two lead from a
version that no activity made to another one. `inside` leads from a file to the directory that was asked about,
`contains` from a directory to the file in it that was asked about."""


class Answer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """An answer, or a part of one."""


class Page(Answer, Generic[T], frozen=True, kw_only=True):
    """A page of a list.

    Attributes:
        next: What to give as `after` for the next page; left out in the last one.
        total_number_of_results: How long the whole list is; only in the first page, and not of every list.
    """

    results: list[T]
    next: str | None = None
    total_number_of_results: int | None = None

    @property
    def hidden(self) -> int:
        """How much of the list is not in this page, which is the first, as far as it was counted."""
        return max((self.total_number_of_results or 0) - len(self.results), 0)


class About(Answer, frozen=True, kw_only=True):
    """What answers here."""

    name: str
    version: str
    api_version: int
    local_files: bool
    max_batch_requests: int


class Status(Answer, frozen=True, kw_only=True):
    """How much the store holds of what the user may see."""

    entities: int
    versions: int
    activities: int
    jobs: int
    runs: int
    stored_bytes: int
    schema_version: str
    journal_mode: str
    notes: list[str]


class Run(StoredRun, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """A run; in a list of runs with how many of its jobs ended how."""

    status: RunStatus
    jobs: dict[JobStatus, int] | None = None


class JobFile(Answer, frozen=True, kw_only=True):
    """A file of a job, and the version that it was; `identity_proved`: its bytes are known although no sha256 is."""

    role: Role
    path: str
    outcome: Outcome
    entity_id: str | None = None
    version_number: int | None = None
    sha256: str | None = None
    activity_id: str | None = None
    identity_proved: bool | None = None


class JobSummary(Answer, frozen=True, kw_only=True):
    """A job as the list of a run's jobs has it."""

    id: str
    rule: str
    status: JobStatus
    wildcards: dict[str, str]
    attempt: int
    outputs: list[JobFile]
    started_on: str | None = None
    ended_on: str | None = None
    error: str | None = None
    activity_id: str | None = None


class PlanKept(Answer, frozen=True, kw_only=True):
    """How many jobs of a DAG are kept."""

    run_id: str
    jobs: int


class PlannedMaker(Answer, frozen=True, kw_only=True):
    """The job that had made what was reused."""

    activity_id: str
    job_id: str
    run_id: str


class PlannedJobAnswer(Answer, frozen=True, kw_only=True):
    """A job of a DAG, and what became of it."""

    rule: str
    wildcards: dict[str, str]
    outputs: list[str]
    state: PlannedState
    job_id: str | None = None
    made_by: PlannedMaker | None = None


class PlannedRule(Answer, frozen=True, kw_only=True):
    """How many jobs of a rule came to one state; the first output, and some of the runs that had made theirs."""

    rule: str
    state: PlannedState
    jobs: int
    output: str
    runs: list[str]


class Plan(Page[PlannedJobAnswer], frozen=True, kw_only=True):
    """A page of the jobs of the DAG of a run, and where it was asked for, all of them summed up by rule and state."""

    jobs_left_out: int
    rules: list[PlannedRule] | None = None


class Making(Answer, frozen=True, kw_only=True):
    """An activity that wrote exactly the bytes of a version, and the job that it was recorded from."""

    activity_id: str
    job_id: str | None
    run_id: str | None
    rule: str | None
    status: JobStatus | None
    ended_on: str | None
    commit: str | None
    dirty: bool | None


class Meaning(Answer, frozen=True, kw_only=True):
    """What the bytes of a version mean where its activity does not say it, and the version that this points at.

    `again`: those of an earlier version of the file. `edited`: changed by hand after a version, `while_job_id` was
    running. `sameContent`: those of a version of another file, which is evidence, not proof. The version is left out
    where it was deleted or is in another project. `making`, in stories: what had made that version; `activity_id`, in
    a look-up: the activity of that version.
    """

    kind: MeaningKind
    entity_id: str | None = None
    version_number: int | None = None
    path: str | None = None
    while_job_id: str | None = None
    while_rule: str | None = None
    making: Making | None = None
    activity_id: str | None = None

    @property
    def version_id(self) -> str | None:
        """The id of the version that it points at."""
        return None if self.entity_id is None else f"{self.entity_id}.{self.version_number}"


class Version(Answer, frozen=True, kw_only=True):
    """A version of a file. What is not known, or not said by the question, is left out.

    Attributes:
        path: As recorded: relative to the working directory or absolute; with a slash at the end for a directory.
        sha256, md5: Of its bytes, or of its manifest for a directory; Synapse knows only the second.
        bytes_kept: Whether the store has the bytes.
        bytes_pruned: True where they were kept once.
        mode: The permissions that the file had.
        role: What it was to the first job that named it.
        meaning: What its bytes mean beside what made it.
        activity_id: The activity that made it first.
    """

    entity_id: str
    version_number: int
    path: str
    project_id: str | None = None
    project_name: str | None = None
    is_latest: bool | None = None
    latest_version_number: int | None = None
    created_on: str | None = None
    created_by: str | None = None
    sha256: str | None = None
    md5: str | None = None
    size_bytes: int | None = None
    content_type: str | None = None
    file_handle_id: str | None = None
    bytes_kept: bool | None = None
    bytes_pruned: bool | None = None
    mode: int | None = None
    role: Role | None = None
    meaning: Meaning | None = None
    activity_id: str | None = None

    @property
    def id(self) -> str:
        """Entity and number: `syn12.3`."""
        return f"{self.entity_id}.{self.version_number}"

    @property
    def label(self) -> str:
        """Path and number, as the commands show it."""
        return f"{self.path}@{self.version_number}"

    @property
    def meant_id(self) -> str | None:
        """The id of the version that its meaning points at."""
        return None if self.meaning is None else self.meaning.version_id

    @property
    def is_directory(self) -> bool:
        """Whether it is a directory that was recorded as one thing."""
        return self.path.endswith("/")

    @property
    def is_by_product(self) -> bool:
        """Whether it is a log or a benchmark."""
        return self.role in BY_PRODUCTS

    @property
    def is_proved(self) -> bool:
        """Whether a digest of its bytes is known."""
        return self.sha256 is not None or self.md5 is not None

    def is_content(self, digest: Digest) -> bool:
        """Return whether some bytes are this version."""
        return digest.sha256 == self.sha256 if self.sha256 else digest.md5 == self.md5


class MadeVersion(Version, frozen=True, kw_only=True):
    """A version, and what made it.

    `outcome`: `generated`, or `reproduced` where the same bytes were made again; where no activity made it, what its
    bytes mean. `by_evidence`, true: no proof links it to where a question started. `way_proved`, false: a use on the
    way there is of bytes that nobody read. `identity_proved`, false: no digest is known.
    """

    outcome: Outcome | MeaningKind | None = None
    job_id: str | None = None
    rule: str | None = None
    run_id: str | None = None
    commit: str | None = None
    dirty: bool | None = None
    by_evidence: bool = False
    way_proved: bool = True
    identity_proved: bool = True


class ToldVersion(Version, frozen=True, kw_only=True):
    """A version and its makings, oldest first, at most 100.

    `generated_by` is the activity of the version. `activity_id`, `rule`, `run_id`, `commit` and `dirty` describe one
    making: the one that was asked for, else the latest. `reproduced_by`: the activities that wrote the same bytes
    again.
    """

    created_on: str | None
    created_by: str | None
    sha256: str | None
    md5: str | None
    size_bytes: int | None
    bytes_kept: bool | None
    generated_by: str | None
    activity_id: str | None
    rule: str | None
    run_id: str | None
    commit: str | None
    dirty: bool | None
    reproduced_by: list[str]
    makings: list[Making]
    role: Role | None
    meaning: Meaning | None


class EntityName(Answer, frozen=True, kw_only=True):
    """The file of a history or a story."""

    id: str
    name: str
    path: str | None = None

    @property
    def recorded_path(self) -> str:
        """Its path, or else its name."""
        return self.path or self.name


class SelectedVersions(Page[Version], frozen=True, kw_only=True):
    """Versions; the file, where its versions were asked for; paths that resemble one at which there is no file."""

    entity: EntityName | None = None
    near: list[str] | None = None


class History(Page[ToldVersion], frozen=True, kw_only=True):
    """The versions of a file and how they came to be, newest first."""

    entity: EntityName


class UsedLink(Answer, frozen=True, kw_only=True):
    """Something outside of the store that an activity used."""

    url: str
    was_executed: bool
    name: str | None = None


class JobId(Answer, frozen=True, kw_only=True):
    """The id of a job."""

    id: str


class RecordedJob(Answer, frozen=True, kw_only=True):
    """A job, its activity and the versions that it read, executed and wrote; in lists also the URLs that it used."""

    job: StoredJob
    files: list[JobFile]
    activity_id: str | None = None
    urls: list[UsedLink] | None = None


class Done(Answer, frozen=True, kw_only=True):
    """An activity, in Synapse's form, and the job and the run that it was recorded from; null where there is none."""

    activity: dict[str, Any] | None
    job: RecordedJob | None
    run: Run | None

    @property
    def record(self) -> StoredJob | None:
        """The record of the job."""
        return None if self.job is None else self.job.job

    @property
    def files(self) -> list[JobFile]:
        """The files of the job; none where there is no job."""
        return [] if self.job is None else self.job.files


class Story(Done, frozen=True, kw_only=True):
    """A version, and the activity, job and run of one of its makings."""

    entity: EntityName
    version: ToldVersion
    previous_version_number: int | None


class Stories(Answer, frozen=True, kw_only=True):
    """Several of them, in the order asked."""

    results: list[Story | None]


class AffectedVersions(Answer, frozen=True, kw_only=True):
    """Versions and what made them, and whether there are more; where no job was meant, rules of a resembling name."""

    versions: list[MadeVersion]
    truncated: bool
    near: list[str] | None = None


class SearchResult(Answer, frozen=True, kw_only=True):
    """A version and the job that made it, either of which may be unknown; `path`: of the version, if there is one."""

    path: str | None = None
    entity_id: str | None = None
    version_number: int | None = None
    is_latest: bool | None = None
    created_on: str | None = None
    sha256: str | None = None
    size_bytes: int | None = None
    outcome: Outcome | None = None
    role: Role | None = None
    meaning: Meaning | None = None
    activity_id: str | None = None
    job_id: str | None = None
    rule: str | None = None
    status: JobStatus | None = None
    wildcards: dict[str, str] | None = None
    ended_on: str | None = None
    run_id: str | None = None
    commit: str | None = None
    dirty: bool | None = None


class UnknownKey(Answer, frozen=True, kw_only=True):
    """A key that nothing has, and those that resemble it."""

    key: str
    near: list[str]


class SearchResults(Page[SearchResult], frozen=True, kw_only=True):
    """What was found; or else resembling rules, or which keys there are."""

    near: list[str] | None = None
    unknown_keys: list[UnknownKey] | None = None
    keys: list[str] | None = None


class Node(Answer, frozen=True, kw_only=True):
    """A version, an activity, or a URL of a lineage; of what the user may not read only `id`, `kind` and `label`.

    Attributes:
        label: The path of a version, the rule or name of an activity, the name of a URL.
        commit: The commit that an activity's code was at.
        dirty: Whether the work tree differed from it.
        identity_proved: Whether a digest of the bytes of a version is known.
        role: Of a version that no activity made: what it was to the first job that named it.
    """

    id: str
    kind: NodeKind
    label: str
    entity_id: str | None = None
    version_number: int | None = None
    path: str | None = None
    is_latest: bool | None = None
    sha256: str | None = None
    identity_proved: bool = True
    role: Role | None = None
    meaning: Meaning | None = None
    url: str | None = None
    activity_id: str | None = None
    rule: str | None = None
    status: JobStatus | None = None
    job_id: str | None = None
    wildcards: dict[str, str] | None = None
    ended_on: str | None = None
    commit: str | None = None
    dirty: bool | None = None


class Edge(Answer, frozen=True):
    """A link from a node to what it came from.

    Attributes:
        making: Of a use: where the version was made several times, the node of the making that had ended before; null
            where none had.
        identity_proved: Whether the bytes that were used are known to be those of the version.
    """

    source: str
    target: str
    kind: EdgeKind
    making: str | msgspec.UnsetType | None = msgspec.UNSET
    identity_proved: bool = True


class Lineage(Answer, frozen=True, kw_only=True):
    """A graph of versions and activities, breadth first; edges point from a thing to what it came from."""

    root: str
    nodes: list[Node]
    edges: list[Edge]
    truncated: bool


class Found(Answer, frozen=True, kw_only=True):
    """A file at its current version, or a folder or project, at a path of a project.

    Attributes:
        is_work: Whether a version that no activity made is somebody's work (see `snakeprov.model.meaning`).
        bytes_pruned: True where its bytes were kept once.
    """

    path: str
    kind: Literal["file", "folder", "project"]
    entity_id: str
    etag: str | None = None
    parent_id: str | None = None
    name: str | None = None
    version_number: int | None = None
    created_on: str | None = None
    data_file_handle_id: str | None = None
    sha256: str | None = None
    md5: str | None = None
    size_bytes: int | None = None
    content_type: str | None = None
    activity_id: str | None = None
    meaning: Meaning | None = None
    is_work: bool | None = None
    bytes_pruned: bool | None = None


class Lookup(Answer, frozen=True, kw_only=True):
    """What is recorded at some paths, without those at which nothing is; there can be a file and a folder at one."""

    found: list[Found]
    project_id: str | None = None


class PastVersion(Answer, frozen=True, kw_only=True):
    """A version that may explain bytes; `is_work`: a job made it, or it was edited or copied from a job's."""

    entity_id: str
    version_number: int
    is_work: bool
    activity_id: str | None = None


class RecordedEvidence(Answer, frozen=True, kw_only=True):
    """What may explain bytes seen at a path."""

    earlier: PastVersion | None = None
    current: PastVersion | None = None
    elsewhere: PastVersion | None = None
    first_read_on: str | None = None


class EvidenceResults(Answer, frozen=True, kw_only=True):
    """Several of them, in the order asked."""

    results: list[RecordedEvidence]


class Pruned(Answer, frozen=True, kw_only=True):
    """What cannot be restored any more, or would not be, and how much space that gives back."""

    dry_run: bool
    versions: int
    versions_shared: int
    versions_without_activity: int
    contents: int
    freed_bytes: int
    results: list[MadeVersion]
    truncated: bool


class LocalFileResult(Answer, frozen=True, kw_only=True):
    """The file handle for a file, and whether its bytes are kept."""

    file_handle_id: str
    bytes_kept: bool
    reason: Literal["changed", "missing", "unreadable", "noSpace"] | None = None


class LocalFileResults(Answer, frozen=True, kw_only=True):
    """Several of them, in the order asked."""

    results: list[LocalFileResult]


class BatchResult(Answer, frozen=True, kw_only=True):
    """The answer to one request of a batch."""

    status: int
    body: Any = None


class BatchResults(Answer, frozen=True, kw_only=True):
    """The answers, in the order of the requests."""

    results: list[BatchResult]
