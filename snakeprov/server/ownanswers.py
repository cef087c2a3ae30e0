"""The shapes of what snakeprov's own resources answer, for the description of the API.

Must not know: how answers are made. The tests hold real answers against these; what may be absent is UNSET.
"""

from __future__ import annotations

from typing import Any, Literal

from msgspec import UNSET, UnsetType

from snakeprov.model.planned import PlannedState
from snakeprov.model.records import JobRecord, RunRecord
from snakeprov.server.jobs import JobFile
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
    """A version that may explain bytes; `is_work`: a job made it, or it comes from such by hand or by copying."""

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
    """Files at their current versions, by path, and after which path there are more."""

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


class Meaning(Shape):
    """What the bytes of a version mean where its activity does not say it, and the version that this points at.

    `again`: those of an earlier version of the file. `edited`: changed by hand after a version, `while_job_id` was
    running. `sameContent`: those of a version of another file, which is evidence and no proof. The version is left out
    where it was deleted or is in another project.
    """

    kind: Literal["again", "edited", "sameContent"]
    entity_id: str | UnsetType = UNSET
    version_number: int | UnsetType = UNSET
    path: str | UnsetType = UNSET
    while_job_id: str | UnsetType = UNSET


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


class History(Shape):
    """The versions of an entity and how they came to be, newest first."""

    entity: dict[str, Any]
    versions: list[dict[str, Any]]
    total_number_of_results: int


class Story(Shape):
    """One version, its activity, job and run; null where there is none."""

    entity: dict[str, Any]
    version: dict[str, Any]
    previous_version_number: int | None
    activity: ActivityAnswer | None
    job: JobAnswer | None
    run: RunRecord | None


class Stories(Shape):
    """Several of them, in the order asked."""

    results: list[Story | None]


class Graph(Shape):
    """A graph of versions and activities; edges point from a thing to what it came from."""

    root: str
    nodes: list[dict[str, Any]]
    edges: list[dict[str, Any]]
    truncated: bool


class AffectedVersions(Shape):
    """Versions and what made them, and whether there are more; where no job was meant, rules of a resembling name."""

    versions: list[dict[str, Any]]
    truncated: bool
    near: list[str] | UnsetType = UNSET


class SearchResults(Shape):
    """Versions and the jobs that made them, and whether there are more; or else which keys there are."""

    results: list[dict[str, Any]]
    truncated: bool
    near: list[str] | UnsetType = UNSET
    unknown_keys: list[dict[str, Any]] | UnsetType = UNSET
    keys: list[str] | UnsetType = UNSET
