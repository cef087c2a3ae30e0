"""The shapes of answers, for the description of the API: what is always there, and what may be.

Must not know: how answers are made. The tests hold real answers against these.
"""

from __future__ import annotations

from typing import Any, Generic, Literal, TypeVar

import msgspec
from msgspec import UNSET, UnsetType

from snakeprov.model.entities import Entity, FileHandle
from snakeprov.model.planned import PlannedState
from snakeprov.model.provenance import Used
from snakeprov.model.records import JobRecord, RunRecord
from snakeprov.server.acl import ResourceAccess
from snakeprov.server.annotations import AnnotationsValue
from snakeprov.server.jobs import JobFile
from snakeprov.server.legacy import LegacyAnnotations
from snakeprov.server.wire import ActivityType

T = TypeVar("T")


class _Answer(msgspec.Struct, rename="camel"):
    pass


class ErrorResponse(_Answer):
    """Why a request was refused: `reason` is one sentence for a person."""

    concrete_type: Literal["org.sagebionetworks.repo.model.ErrorResponse"]
    reason: str
    failed_request: int | UnsetType = UNSET


class Nothing(_Answer):
    """An object without keys."""


class Page(_Answer, Generic[T]):
    """A page of a list, and how long the whole list is."""

    results: list[T]
    total_number_of_results: int


class ActivityAnswer(_Answer):
    """An activity."""

    id: str
    etag: str
    created_on: str
    created_by: str
    modified_on: str
    modified_by: str
    used: list[Used]
    name: str | UnsetType = UNSET
    description: str | UnsetType = UNSET
    activity_type: ActivityType | UnsetType = UNSET


class ReferenceAnswer(_Answer):
    """An entity version."""

    target_id: str
    target_version_number: int


class EntityHeader(_Answer):
    """An entity as listings show it."""

    id: str
    name: str
    type: str
    version_number: int
    version_label: str
    is_latest_version: bool
    benefactor_id: int
    created_on: str
    modified_on: str
    created_by: str
    modified_by: str


class EntityId(_Answer):
    """The id of an entity."""

    id: str


class EntityPath(_Answer):
    """From the root to an entity."""

    path: list[EntityHeader]


class ChildrenPage(_Answer):
    """A page of children; without a token there is no other."""

    page: list[EntityHeader]
    next_page_token: str | UnsetType = UNSET


class VersionInfo(_Answer):
    """A version of an entity."""

    id: str
    version_number: int
    version_label: str
    is_latest_version: bool
    modified_by: str
    modified_by_principal_id: str
    modified_on: str
    version_comment: str | UnsetType = UNSET
    content_md5: str | UnsetType = UNSET
    content_size: str | UnsetType = UNSET


class AnnotationsAnswer(_Answer):
    """The annotations of a version."""

    id: str
    etag: str
    annotations: dict[str, AnnotationsValue]


class AccessControlList(_Answer):
    """Who may do what in a project."""

    id: str
    etag: str
    creation_date: str
    resource_access: list[ResourceAccess]


class Restrictions(_Answer):
    """What restricts an entity beside its access list: nothing, here."""

    object_id: int
    restriction_level: Literal["OPEN"]
    has_unmet_access_requirement: bool


class Bundle(_Answer):
    """An entity and what belongs to it, as far as it was asked for and exists."""

    entity_type: Literal["project", "folder", "file"]
    entity: Entity | UnsetType = UNSET
    annotations: AnnotationsAnswer | UnsetType = UNSET
    permissions: dict[str, Any] | UnsetType = UNSET
    path: EntityPath | UnsetType = UNSET
    has_children: bool | UnsetType = UNSET
    access_control_list: AccessControlList | UnsetType = UNSET
    benefactor_acl: AccessControlList | UnsetType = UNSET
    file_handles: list[FileHandle] | UnsetType = UNSET
    file_name: str | UnsetType = UNSET
    restriction_information: Restrictions | UnsetType = UNSET
    activity: ActivityAnswer | UnsetType = UNSET


class LegacyBundle(_Answer):
    """An entity with its annotations in the form of 2012."""

    entity_type: Literal["project", "folder", "file"]
    entity: Entity
    annotations: LegacyAnnotations | UnsetType = UNSET
    access_control_list: AccessControlList | UnsetType = UNSET


class UserProfile(_Answer):
    """A user."""

    owner_id: str
    user_name: str
    display_name: str
    emails: list[str]
    etag: str


class UserGroupHeader(_Answer):
    """A user as a listing shows one."""

    owner_id: str
    user_name: str
    is_individual: bool


class UserGroupHeaders(_Answer):
    """A page of users."""

    prefix_filter: str
    children: list[UserGroupHeader]
    total_number_of_results: int


class UploadDestination(_Answer):
    """Where files are uploaded to."""

    concrete_type: str
    storage_location_id: int
    upload_type: str
    banner: str
    sts_enabled: bool


class UploadStatus(_Answer):
    """How far an upload has come: `partsState` has one character for each part, 1 once it is there."""

    upload_id: str
    started_by: str
    started_on: str
    updated_on: str
    state: Literal["UPLOADING", "COMPLETED"]
    parts_state: str
    result_file_handle_id: str | UnsetType = UNSET


class AddedPart(_Answer):
    """Whether a part is there and is what it should be."""

    upload_id: str
    part_number: int
    add_part_state: Literal["ADD_SUCCESS", "ADD_FAILED"]
    error_message: str | UnsetType = UNSET


class PartUrl(_Answer):
    """Where to PUT the bytes of a part."""

    part_number: int
    upload_presigned_url: str
    signed_headers: dict[str, str]


class PartUrls(_Answer):
    """Where to PUT the bytes of some parts."""

    part_presigned_urls: list[PartUrl]


Failure = Literal["NOT_FOUND", "UNAUTHORIZED"]


class FileResult(_Answer):
    """A file handle and a URL of its bytes, or why they cannot be had."""

    file_handle_id: str
    failure_code: Failure | UnsetType = UNSET
    file_handle: FileHandle | UnsetType = UNSET
    pre_signed_url: str | UnsetType = msgspec.field(name="preSignedURL", default=UNSET)


class FileResults(_Answer):
    """Several of them, in the order asked."""

    requested_files: list[FileResult]


class CopyResult(_Answer):
    """A copied file handle, or why it cannot be copied."""

    original_file_handle_id: str
    failure_code: Failure | UnsetType = UNSET
    new_file_handle: FileHandle | UnsetType = UNSET


class CopyResults(_Answer):
    """Several of them, in the order asked."""

    copy_results: list[CopyResult]


class About(_Answer):
    """What answers here."""

    name: str
    version: str
    api_version: int
    local_files: bool
    max_batch_requests: int


class Status(_Answer):
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


class BatchResult(_Answer):
    """The answer to one request of a batch."""

    status: int
    body: Any = UNSET


class BatchResults(_Answer):
    """The answers, in the order of the requests."""

    results: list[BatchResult]


class LocalFileResult(_Answer):
    """The file handle for a file, and whether its bytes are kept."""

    file_handle_id: str
    bytes_kept: bool
    reason: Literal["changed", "missing", "unreadable", "noSpace"] | UnsetType = UNSET


class LocalFileResults(_Answer):
    """Several of them, in the order asked."""

    results: list[LocalFileResult]


class Lookup(_Answer):
    """What is recorded at some paths; what is not recorded is left out."""

    found: list[dict[str, Any]]
    project_id: str | UnsetType = UNSET


class Matches(_Answer):
    """The files at a path, or else the paths that resemble it."""

    matches: list[dict[str, Any]]
    near: list[str] | UnsetType = UNSET


class Pruned(_Answer):
    """What cannot be restored any more, or would not be, and how much space that gives back."""

    dry_run: bool
    versions: int
    versions_shared: int
    versions_without_activity: int
    contents: int
    freed_bytes: int
    results: list[dict[str, Any]]
    truncated: bool


class Paths(_Answer):
    """Recorded paths."""

    paths: list[str]


class SameContent(_Answer):
    """Versions that have a content, and whether there are more of them."""

    results: list[dict[str, Any]]
    truncated: bool


class CurrentFiles(_Answer):
    """Files at their current versions, by path, and after which path there are more."""

    project_id: str
    results: list[dict[str, Any]]
    next: str | UnsetType = UNSET


class RunAnswer(RunRecord, kw_only=True, rename="camel"):
    """A run, and how many of its jobs ended how."""

    jobs: dict[str, int]


class PlanKept(_Answer):
    """How many jobs of a DAG are kept."""

    run_id: str
    jobs: int


class PlannedMaker(_Answer):
    """The job that had made what was reused."""

    activity_id: str
    job_id: str
    run_id: str


class PlannedAnswer(_Answer):
    """A job of a DAG, and what became of it."""

    rule: str
    wildcards: dict[str, str]
    outputs: list[str]
    state: PlannedState
    job_id: str | UnsetType = UNSET
    made_by: PlannedMaker | UnsetType = UNSET


class PlannedRule(_Answer):
    """How many jobs of a rule came to one state; the first output, and some of the runs that had made theirs."""

    rule: str
    state: PlannedState
    jobs: int
    output: str
    runs: list[str]


class Plan(_Answer):
    """The DAG of a run: summed up by rule and state, and a page of its jobs."""

    rules: list[PlannedRule]
    results: list[PlannedAnswer]
    total_number_of_results: int
    jobs_left_out: int


class JobId(_Answer):
    """The id of a job."""

    id: str


class JobAnswer(_Answer):
    """A job, its activity, and which versions of which files it touched."""

    job: JobRecord
    files: list[JobFile]
    activity_id: str | UnsetType = UNSET


class UrlDetails(_Answer):
    """Something outside the repository that an activity used."""

    url: str
    was_executed: bool
    name: str | UnsetType = UNSET


class JobDetails(_Answer):
    """A job, which versions of which files it touched, and the URLs that its activity used."""

    job: JobRecord
    files: list[JobFile]
    urls: list[UrlDetails]
    activity_id: str | UnsetType = UNSET


class VersionDetails(_Answer):
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


class Details(_Answer):
    """What is known of many versions and jobs; what there is not, or may not be seen, is left out."""

    versions: list[VersionDetails]
    jobs: list[JobDetails]


class History(_Answer):
    """The versions of an entity and how they came to be, newest first."""

    entity: dict[str, Any]
    versions: list[dict[str, Any]]
    total_number_of_results: int


class Story(_Answer):
    """One version, its activity, job and run; null where there is none."""

    entity: dict[str, Any]
    version: dict[str, Any]
    previous_version_number: int | None
    activity: ActivityAnswer | None
    job: JobAnswer | None
    run: RunRecord | None


class Stories(_Answer):
    """Several of them, in the order asked."""

    results: list[Story | None]


class Graph(_Answer):
    """A graph of versions and activities; edges point from a thing to what it came from."""

    root: str
    nodes: list[dict[str, Any]]
    edges: list[dict[str, Any]]
    truncated: bool


class AffectedVersions(_Answer):
    """Versions and what made them, and whether there are more; where no job was meant, rules of a resembling name."""

    versions: list[dict[str, Any]]
    truncated: bool
    near: list[str] | UnsetType = UNSET


class SearchResults(_Answer):
    """Versions and the jobs that made them, and whether there are more; or else which keys there are."""

    results: list[dict[str, Any]]
    truncated: bool
    near: list[str] | UnsetType = UNSET
    unknown_keys: list[dict[str, Any]] | UnsetType = UNSET
    keys: list[str] | UnsetType = UNSET
