"""The shapes of what snakeprov's own resources answer, for the description of the API.

Must not know: how answers are made. The tests hold real answers against these; what may be absent is UNSET.
"""

from __future__ import annotations

from typing import Any, Literal

from msgspec import UNSET, UnsetType

from snakeprov.model.planned import PlannedState
from snakeprov.model.records import JobRecord, RunRecord
from snakeprov.server.jobs import JobFile, Role
from snakeprov.server.synapseanswers import ActivityAnswer, Shape


class About(Shape):
    """What answers here."""

    name: str
    version: str
    api_version: int
    local_files: bool
    max_batch_requests: int


class Status(Shape):
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


class BatchResult(Shape):
    """The answer to one request of a batch."""

    status: int
    body: Any = UNSET


class BatchResults(Shape):
    """The answers, in the order of the requests."""

    results: list[BatchResult]


class LocalFileResult(Shape):
    """The file handle for a file, and whether its bytes are kept."""

    file_handle_id: str
    bytes_kept: bool
    reason: Literal["changed", "missing", "unreadable", "noSpace"] | UnsetType = UNSET


class LocalFileResults(Shape):
    """Several of them, in the order asked."""

    results: list[LocalFileResult]


class Lookup(Shape):
    """What is recorded at some paths; what is not recorded is left out."""

    found: list[dict[str, Any]]
    project_id: str | UnsetType = UNSET


class PastVersion(Shape):
    """A version that may explain bytes; `is_work`: a job made it, or it was edited or copied from a job's."""

    entity_id: str
    version_number: int
    is_work: bool
    activity_id: str | UnsetType = UNSET


class SightExplained(Shape):
    """What may explain bytes seen at a path."""

    earlier: PastVersion | UnsetType = UNSET
    current: PastVersion | UnsetType = UNSET
    elsewhere: PastVersion | UnsetType = UNSET
    first_read_on: str | UnsetType = UNSET


class Sights(Shape):
    """Several of them, in the order asked."""

    results: list[SightExplained]


class Matches(Shape):
    """The files at a path, or else the paths that resemble it."""

    matches: list[dict[str, Any]]
    near: list[str] | UnsetType = UNSET


class Pruned(Shape):
    """What cannot be restored any more, or would not be, and how much space that gives back."""

    dry_run: bool
    versions: int
    versions_shared: int
    versions_without_activity: int
    contents: int
    freed_bytes: int
    results: list[dict[str, Any]]
    truncated: bool


class Paths(Shape):
    """Recorded paths."""

    paths: list[str]


class SameContent(Shape):
    """Versions that have a content, and whether there are more of them."""

    results: list[dict[str, Any]]
    truncated: bool


class CurrentFiles(Shape):
    """Files at their current versions, by path, and after which path there are more.

    `role` of each: what it was to the first job that named it.
    """

    project_id: str
    results: list[dict[str, Any]]
    next: str | UnsetType = UNSET


class RunAnswer(RunRecord, kw_only=True, rename="camel"):
    """A run, and how many of its jobs ended how."""

    jobs: dict[str, int]


class PlanKept(Shape):
    """How many jobs of a DAG are kept."""

    run_id: str
    jobs: int


class PlannedMaker(Shape):
    """The job that had made what was reused."""

    activity_id: str
    job_id: str
    run_id: str


class PlannedAnswer(Shape):
    """A job of a DAG, and what became of it."""

    rule: str
    wildcards: dict[str, str]
    outputs: list[str]
    state: PlannedState
    job_id: str | UnsetType = UNSET
    made_by: PlannedMaker | UnsetType = UNSET


class PlannedRule(Shape):
    """How many jobs of a rule came to one state; the first output, and some of the runs that had made theirs."""

    rule: str
    state: PlannedState
    jobs: int
    output: str
    runs: list[str]


class Plan(Shape):
    """The DAG of a run: summed up by rule and state, and a page of its jobs."""

    rules: list[PlannedRule]
    results: list[PlannedAnswer]
    total_number_of_results: int
    jobs_left_out: int


class JobId(Shape):
    """The id of a job."""

    id: str


class JobAnswer(Shape):
    """A job, its activity, and which versions of which files it touched."""

    job: JobRecord
    files: list[JobFile]
    activity_id: str | UnsetType = UNSET


class UrlDetails(Shape):
    """Something outside the repository that an activity used."""

    url: str
    was_executed: bool
    name: str | UnsetType = UNSET


class JobDetails(Shape):
    """A job, which versions of which files it touched, and the URLs that its activity used."""

    job: JobRecord
    files: list[JobFile]
    urls: list[UrlDetails]
    activity_id: str | UnsetType = UNSET


class Making(Shape):
    """An activity that wrote exactly the bytes of a version, and the job that it was recorded from."""

    activity_id: str
    job_id: str | None
    run_id: str | None
    rule: str | None
    status: str | None
    ended_on: str | None
    commit: str | None
    dirty: bool | None


class Meaning(Shape):
    """What the bytes of a version mean where its activity does not say it, and the version that this points at.

    `again`: those of an earlier version of the file. `edited`: changed by hand after a version, `while_job_id` was
    running. `sameContent`: those of a version of another file, which is evidence, not proof. The version is left out
    where it was deleted or is in another project. `making`, in stories: what had made that version.
    """

    kind: Literal["again", "edited", "sameContent"]
    entity_id: str | UnsetType = UNSET
    version_number: int | UnsetType = UNSET
    path: str | UnsetType = UNSET
    while_job_id: str | UnsetType = UNSET
    while_rule: str | UnsetType = UNSET
    making: Making | UnsetType = UNSET


class VersionDetails(Shape):
    """A version, its content, and who recorded it."""

    entity_id: str
    version_number: int
    project_id: str
    path: str
    created_on: str
    bytes_kept: bool
    created_by: str | UnsetType = UNSET
    activity_id: str | UnsetType = UNSET
    file_handle_id: str | UnsetType = UNSET
    content_type: str | UnsetType = UNSET
    size_bytes: int | UnsetType = UNSET
    md5: str | UnsetType = UNSET
    sha256: str | UnsetType = UNSET
    meaning: Meaning | UnsetType = UNSET


class Details(Shape):
    """What is known of many versions and jobs; what there is not, or may not be seen, is left out."""

    versions: list[VersionDetails]
    jobs: list[JobDetails]


class VersionAnswer(Shape):
    """A version and its makings, oldest first, at most 100.

    `generated_by` is the activity of the version. `activity_id`, `rule`, `run_id`, `commit` and `dirty` are those of
    the latest making. `reproduced_by`: the activities that wrote the same bytes again. `bytes_pruned`, true: they were
    kept once. `mode`: the permissions that the file had. `role`: what it was to the first job that named it.
    """

    version_number: int
    created_on: str
    created_by: str
    sha256: str | None
    md5: str | None
    size_bytes: int | None
    bytes_kept: bool
    generated_by: str | None
    activity_id: str | None
    rule: str | None
    run_id: str | None
    commit: str | None
    dirty: bool | None
    reproduced_by: list[str]
    makings: list[Making]
    bytes_pruned: bool | UnsetType = UNSET
    mode: int | UnsetType = UNSET
    role: Role | UnsetType = UNSET
    meaning: Meaning | UnsetType = UNSET


class History(Shape):
    """The versions of an entity and how they came to be, newest first."""

    entity: dict[str, Any]
    versions: list[VersionAnswer]
    total_number_of_results: int


class Story(Shape):
    """One version, and the activity, job and run of one of its makings; null where there is none."""

    entity: dict[str, Any]
    version: VersionAnswer
    previous_version_number: int | None
    activity: ActivityAnswer | None
    job: JobAnswer | None
    run: RunRecord | None


class Stories(Shape):
    """Several of them, in the order asked."""

    results: list[Story | None]


class Node(Shape):
    """A version, an activity, or a URL of a graph; of what the user may not read only `id`, `kind` and `label`.

    `identity_proved`, false: no digest of the bytes is known. `role`: of a version that no activity made, what it was
    to the first job that named it.
    """

    id: str
    kind: Literal["entity", "activity", "url"]
    label: str
    entity_id: str | UnsetType = UNSET
    version_number: int | UnsetType = UNSET
    path: str | UnsetType = UNSET
    is_latest: bool | UnsetType = UNSET
    sha256: str | UnsetType = UNSET
    identity_proved: bool | UnsetType = UNSET
    meaning: Meaning | UnsetType = UNSET
    role: Role | UnsetType = UNSET
    url: str | UnsetType = UNSET
    activity_id: str | UnsetType = UNSET
    rule: str | UnsetType = UNSET
    status: str | UnsetType = UNSET
    job_id: str | UnsetType = UNSET
    wildcards: dict[str, str] | UnsetType = UNSET
    ended_on: str | UnsetType = UNSET
    commit: str | UnsetType = UNSET
    dirty: bool | UnsetType = UNSET


class Edge(Shape):
    """A link from a node to what it came from.

    `revisionOf` (edited by hand after it) and `sameContent` are evidence, not proof; `again` and these two lead from a
    version that no activity made to another one. `inside` leads from a file to the directory that was asked about,
    `contains` from a directory to the file in it that was asked about. `making`, of a use: where the version was made
    several times, the node of the making that had ended before; null where none had. `identity_proved`, false: the
    bytes that were read were not looked at.
    """

    source: str
    target: str
    kind: Literal["used", "executed", "generatedBy", "again", "revisionOf", "sameContent", "inside", "contains"]
    making: str | UnsetType | None = UNSET
    identity_proved: bool | UnsetType = UNSET


class Graph(Shape):
    """A graph of versions and activities; edges point from a thing to what it came from."""

    root: str
    nodes: list[Node]
    edges: list[Edge]
    truncated: bool


class AffectedVersion(Shape):
    """A version, and what made it.

    `outcome`: `generated`, or `reproduced` where the same bytes were made again; where no activity made it, what its
    bytes mean. `by_evidence`, true: no proof links it to the start. `identity_proved`, false: no digest is known.
    `way_proved`, false: on every way to it a job used something whose bytes were not read. `role`: what it was to the
    first job that named it.
    """

    entity_id: str
    version_number: int
    is_latest: bool
    path: str
    created_on: str
    outcome: Literal["generated", "reproduced", "again", "edited", "sameContent"]
    activity_id: str | UnsetType = UNSET
    rule: str | UnsetType = UNSET
    run_id: str | UnsetType = UNSET
    commit: str | UnsetType = UNSET
    dirty: bool | UnsetType = UNSET
    sha256: str | UnsetType = UNSET
    size_bytes: int | UnsetType = UNSET
    role: Role | UnsetType = UNSET
    by_evidence: bool | UnsetType = UNSET
    way_proved: bool | UnsetType = UNSET
    identity_proved: bool | UnsetType = UNSET
    meaning: Meaning | UnsetType = UNSET


class AffectedVersions(Shape):
    """Versions and what made them, and whether there are more; where no job was meant, rules of a resembling name."""

    versions: list[AffectedVersion]
    truncated: bool
    near: list[str] | UnsetType = UNSET


class SearchResults(Shape):
    """Versions and the jobs that made them, and whether there are more; or else which keys there are."""

    results: list[dict[str, Any]]
    truncated: bool
    near: list[str] | UnsetType = UNSET
    unknown_keys: list[dict[str, Any]] | UnsetType = UNSET
    keys: list[str] | UnsetType = UNSET
