"""Bodies as they come and rows as they go: of the resources that are Synapse's, and what several of our own share.

Must not know: SQL, or who may do what.
Source: Synapse's JSON schemas `Entity`, `VersionInfo`, `EntityHeader`, `provenance/*`, `file/*`.

What is absent is left out, never null.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

import msgspec
from msgspec import UNSET

from snakeprov.db import tables
from snakeprov.db.activities import ActivityRow, UsageRow
from snakeprov.db.entities import EntityRow, Header
from snakeprov.db.filehandles import FileHandleRow
from snakeprov.db.jobs import JobFileRow
from snakeprov.db.revisions import VersionRow
from snakeprov.model import times
from snakeprov.model.answers import EntityName, JobFile
from snakeprov.model.entities import EXTERNAL_FILE_HANDLE, FILE, FOLDER, PROJECT, S3_FILE_HANDLE, Body
from snakeprov.model.provenance import USED_ENTITY, USED_URL, Used
from snakeprov.server.synapseanswers import ActivityType, EntityHeader, VersionInfo

CONCRETE_TYPES = {tables.PROJECT: PROJECT, tables.FOLDER: FOLDER, tables.FILE: FILE}
KINDS = {concrete_type: kind for kind, concrete_type in CONCRETE_TYPES.items()}
STORAGE_LOCATION_ID = 1


class EntityBody(msgspec.Struct, rename="camel"):
    """An entity as a client sends it; keys that are the server's to say are ignored."""

    concrete_type: str | None = None
    id: str | None = None
    name: str | None = None
    description: str | None = None
    etag: str | None = None
    parent_id: str | None = None
    version_label: str | None = None
    version_comment: str | None = None
    data_file_handle_id: str | None = None
    file_name_override: str | None = None


class ActivityBody(msgspec.Struct, rename="camel"):
    """An activity as a client sends it."""

    id: str | None = None
    etag: str | None = None
    name: str | None = None
    description: str | None = None
    activity_type: ActivityType | None = None
    used: list[Used] | None = None


@lru_cache(maxsize=1024)
def time(epoch_ms: int) -> str:
    """Return a stored time as it goes over the wire."""
    return times.to_wire(times.from_ms(epoch_ms))


def optional_time(epoch_ms: int | None) -> str | None:
    """Return a stored time as it goes over the wire; None where there is none."""
    return None if epoch_ms is None else time(epoch_ms)


def entity_id(number: int) -> str:
    """Return the id of an entity."""
    return f"syn{number}"


def optional_entity_id(number: int | None) -> str | None:
    """Return the id of an entity; None for none."""
    return None if number is None else f"syn{number}"


def optional_id(number: int | None) -> str | None:
    """Return the id of an activity or a file handle; None for none."""
    return None if number is None else str(number)


def optional_truth(value: int | None) -> bool | None:
    """Return a stored truth value, which SQLite has as a number."""
    return None if value is None else bool(value)


def job_file(row: JobFileRow) -> JobFile:
    """Return a file of a job."""
    return JobFile(
        role=row.role,
        path=row.path,
        outcome=row.outcome,
        entity_id=optional_entity_id(row.entity_id),
        version_number=row.version,
        sha256=row.sha256,
        activity_id=optional_id(row.activity_id),
    )


def entity_name(row: EntityRow) -> EntityName:
    """Return what a file is called."""
    return EntityName(id=entity_id(row.id), name=row.name, path=row.path)


def entity(row: EntityRow) -> Body:
    """Return an entity at a version."""
    body: Body = {
        "concreteType": CONCRETE_TYPES[row.kind],
        "id": f"syn{row.id}",
        "name": row.name,
        "etag": row.etag,
        "createdOn": time(row.created_on),
        "createdBy": str(row.created_by),
        "modifiedOn": time(row.modified_on),
        "modifiedBy": str(row.modified_by),
    }
    if row.parent_id is not None:
        body["parentId"] = f"syn{row.parent_id}"
    if row.description is not None:
        body["description"] = row.description
    if row.kind == tables.FILE:
        body["versionNumber"] = row.number
        body["versionLabel"] = row.label
        body["isLatestVersion"] = row.number == row.current_version
        body["dataFileHandleId"] = str(row.file_handle_id)
        if row.comment is not None:
            body["versionComment"] = row.comment
    return body


def header(row: Header | EntityRow) -> EntityHeader:
    """Return an entity as a listing shows it."""
    return EntityHeader(
        id=entity_id(row.id),
        name=row.name,
        type=CONCRETE_TYPES[row.kind],
        version_number=row.number,
        version_label=row.label,
        is_latest_version=row.number == row.current_version,
        benefactor_id=row.project_id,
        created_on=time(row.created_on),
        modified_on=time(row.modified_on),
        created_by=str(row.created_by),
        modified_by=str(row.modified_by),
    )


def version_info(row: VersionRow, *, entity: int, current: int) -> VersionInfo:
    """Return a version as the list of versions shows it."""
    return VersionInfo(
        id=entity_id(entity),
        version_number=row.number,
        version_label=row.label,
        is_latest_version=row.number == current,
        modified_by=str(row.modified_by),
        modified_by_principal_id=str(row.modified_by),
        modified_on=time(row.modified_on),
        version_comment=UNSET if row.comment is None else row.comment,
        content_md5=UNSET if row.md5 is None else row.md5,
        content_size=UNSET if row.size_bytes is None else str(row.size_bytes),
    )


def activity(row: ActivityRow, used: Iterable[UsageRow]) -> Body:
    """Return an activity."""
    body: Body = {
        "id": str(row.id),
        "etag": row.etag,
        "createdOn": time(row.created_on),
        "createdBy": str(row.created_by),
        "modifiedOn": time(row.modified_on),
        "modifiedBy": str(row.modified_by),
    }
    if row.name is not None:
        body["name"] = row.name
    if row.description is not None:
        body["description"] = row.description
    if row.activity_type is not None:
        body["activityType"] = row.activity_type
    body["used"] = [_used(item) for item in used]
    return body


def _used(row: UsageRow) -> Body:
    if row.target_id is None:
        item: Body = {"concreteType": USED_URL, "wasExecuted": bool(row.was_executed), "url": row.url}
        if row.name is not None:
            item["name"] = row.name
        return item
    reference: Body = {"targetId": f"syn{row.target_id}"}
    if row.target_version is not None:
        reference["targetVersionNumber"] = row.target_version
    return {"concreteType": USED_ENTITY, "wasExecuted": bool(row.was_executed), "reference": reference}


def file_handle(row: FileHandleRow) -> Body:
    """Return a file handle."""
    # Pruned bytes were kept here, and are not elsewhere: the answer says so.
    stored = row.kind != tables.EXTERNAL
    values = {
        "concreteType": S3_FILE_HANDLE if stored else EXTERNAL_FILE_HANDLE,
        "id": str(row.id),
        "etag": row.etag,
        "createdBy": str(row.created_by),
        "createdOn": time(row.created_on),
        "modifiedOn": time(row.created_on),
        "status": "AVAILABLE",
        "fileName": row.file_name,
        "contentType": row.content_type,
        "contentSize": row.size_bytes,
        "contentMd5": row.md5,
        "contentSha256": row.sha256,
        "externalURL": row.external_url,
        "storageLocationId": STORAGE_LOCATION_ID if stored else None,
        "bucketName": "blobs" if stored else None,
        "key": row.sha256 if stored else None,
        "isPreview": False if stored else None,
    }
    return {name: value for name, value in values.items() if value is not None}
