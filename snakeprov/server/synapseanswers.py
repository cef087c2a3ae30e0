"""The shapes of what the services answer that Synapse has too; what may be absent is UNSET.

Must not know: how answers are made. Where which keys there are differs much (entities, activities, bundles, file
handles) a handler returns plain values, and the tests hold these against the shape.
"""

from __future__ import annotations

from typing import Any, Generic, Literal, TypeVar

import msgspec
from msgspec import UNSET, UnsetType

from snakeprov.model.annotations import AnnotationsValue
from snakeprov.model.entities import Entity, FileHandle
from snakeprov.model.provenance import Used

T = TypeVar("T")

ActivityType = Literal["UNDEFINED", "MANUAL", "CODE_EXECUTION"]


class Shape(msgspec.Struct, rename="camel"):
    """The shape of an answer: keys in camelCase."""


class LegacyAnnotations(msgspec.Struct, rename="camel"):
    """The annotations of an entity, in one map for each type; dates are milliseconds since 1970."""

    id: str | None = None
    etag: str | None = None
    string_annotations: dict[str, list[str]] = {}
    double_annotations: dict[str, list[float | None]] = {}
    long_annotations: dict[str, list[int]] = {}
    date_annotations: dict[str, list[int]] = {}
    blob_annotations: dict[str, list[str]] = {}


class ResourceAccess(msgspec.Struct, rename="camel"):
    """What one user or group may do."""

    principal_id: int
    access_type: list[str] = []


class PaginatedResults(Shape, Generic[T]):
    """A page of a list, and how long the whole list is."""

    results: list[T]
    total_number_of_results: int


class ErrorResponse(Shape):
    """Why a request was refused: `reason` is one sentence for a person."""

    concrete_type: Literal["org.sagebionetworks.repo.model.ErrorResponse"]
    reason: str
    failed_request: int | UnsetType = UNSET


class Nothing(Shape):
    """An object without keys."""


class ActivityAnswer(Shape):
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


class ReferenceAnswer(Shape):
    """An entity version."""

    target_id: str
    target_version_number: int


class EntityHeader(Shape):
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


class EntityId(Shape):
    """The id of an entity."""

    id: str


class EntityPath(Shape):
    """From the root to an entity."""

    path: list[EntityHeader]


class ChildrenPage(Shape):
    """A page of children; without a token there is no other."""

    page: list[EntityHeader]
    next_page_token: str | UnsetType = UNSET


class VersionInfo(Shape):
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


class AnnotationsAnswer(Shape):
    """The annotations of a version."""

    id: str
    etag: str
    annotations: dict[str, AnnotationsValue]


class AccessControlList(Shape):
    """Who may do what in a project."""

    id: str
    etag: str
    creation_date: str
    resource_access: list[ResourceAccess]


class Restrictions(Shape):
    """What restricts an entity beside its access list: nothing, here."""

    object_id: int
    restriction_level: Literal["OPEN"]
    has_unmet_access_requirement: bool


class Bundle(Shape):
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


class LegacyBundle(Shape):
    """An entity with its annotations in the form of 2012."""

    entity_type: Literal["project", "folder", "file"]
    entity: Entity
    annotations: LegacyAnnotations | UnsetType = UNSET
    access_control_list: AccessControlList | UnsetType = UNSET


class UserProfile(Shape):
    """A user."""

    owner_id: str
    user_name: str
    display_name: str
    emails: list[str]
    etag: str


class UserGroupHeader(Shape):
    """A user as a listing shows one."""

    owner_id: str
    user_name: str
    is_individual: bool


class UserGroupHeaders(Shape):
    """A page of users."""

    prefix_filter: str
    children: list[UserGroupHeader]
    total_number_of_results: int


class UploadDestination(Shape):
    """Where files are uploaded to."""

    concrete_type: str
    storage_location_id: int
    upload_type: str
    banner: str
    sts_enabled: bool


class UploadStatus(Shape):
    """How far an upload has come: `partsState` has one character for each part, 1 once it is there."""

    upload_id: str
    started_by: str
    started_on: str
    updated_on: str
    state: Literal["UPLOADING", "COMPLETED"]
    parts_state: str
    result_file_handle_id: str | UnsetType = UNSET


class AddedPart(Shape):
    """Whether a part is there and is what it should be."""

    upload_id: str
    part_number: int
    add_part_state: Literal["ADD_SUCCESS", "ADD_FAILED"]
    error_message: str | UnsetType = UNSET


class PartUrl(Shape):
    """Where to PUT the bytes of a part."""

    part_number: int
    upload_presigned_url: str
    signed_headers: dict[str, str]


class PartUrls(Shape):
    """Where to PUT the bytes of some parts."""

    part_presigned_urls: list[PartUrl]


Failure = Literal["NOT_FOUND", "UNAUTHORIZED"]


class FileResult(Shape):
    """A file handle and a URL of its bytes, or why they are not available."""

    file_handle_id: str
    failure_code: Failure | UnsetType = UNSET
    file_handle: FileHandle | UnsetType = UNSET
    pre_signed_url: str | UnsetType = msgspec.field(name="preSignedURL", default=UNSET)


class FileResults(Shape):
    """Several of them, in the order asked."""

    requested_files: list[FileResult]


class CopyResult(Shape):
    """A copied file handle, or why it cannot be copied."""

    original_file_handle_id: str
    failure_code: Failure | UnsetType = UNSET
    new_file_handle: FileHandle | UnsetType = UNSET


class CopyResults(Shape):
    """Several of them, in the order asked."""

    copy_results: list[CopyResult]
