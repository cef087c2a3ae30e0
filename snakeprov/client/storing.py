"""Store an entity with its provenance in one call, and get one with its bytes.

Source: `store` and `get` of Synapse's Python client. It differs where a file's bytes are those of its current version:
no new version is made then, unless that version already has an Activity and another one is given.
"""

from __future__ import annotations

import os
import re
from pathlib import Path, PurePosixPath
from typing import Final, TypeVar

import msgspec

from snakeprov.client.connection import Connection
from snakeprov.client.files import Content
from snakeprov.disk.files import Hasher, digest_file
from snakeprov.disk.replacing import complete
from snakeprov.disk.shortage import in_words
from snakeprov.errors import (
    CaptureError,
    ConflictError,
    ForbiddenError,
    NotFoundError,
    NotRecordedError,
    ProvenanceError,
    RemoteError,
    UsageError,
)
from snakeprov.model.activity import Activity
from snakeprov.model.digest import Digest
from snakeprov.model.entities import EXTERNAL_FILE_HANDLE, File, Folder, Project
from snakeprov.model.notkept import why_not_kept
from snakeprov.model.paths import to_text

AnyEntity = TypeVar("AnyEntity", Project, Folder, File)

NEAR_MAX: Final = 3
CHUNK_BYTES: Final = 1024 * 1024

_ID: Final = re.compile(r"(syn[0-9]{1,18})(?:\.([0-9]{1,18}))?")


def activity_of(
    activity: Activity | None, *, used: object, executed: object, name: str | None, description: str | None
) -> Activity | None:
    """Return the Activity that the parameters of `store` stand for, if any.

    Raises:
        ProvenanceError: They clash, or one of them cannot be taken.
    """
    parts = (used, executed, name, description)
    if activity is None:
        if all(part is None for part in parts):
            return None
        return Activity(name=name, description=description, used=used, executed=executed)
    if not isinstance(activity, Activity):
        raise ProvenanceError(f"activity must be a snakeprov.Activity, not a {type(activity).__name__}.")
    if any(part is not None for part in parts):
        raise ProvenanceError(
            "activity cannot be combined with used, executed, activityName or activityDescription.",
            hint="Say all of it in the Activity: activity.used(…), activity.executed(…).",
        )
    return activity


def store(client: Connection, entity: AnyEntity, *, activity: Activity | None, new_version: bool) -> AnyEntity:
    """Store an entity, new or changed, and link it to an Activity; return it as stored.

    Args:
        client: The store.
        entity: What to store. Where its parent has a child of that name and kind, that one is changed.
        activity: What generated it; stored first if it has no id yet.
        new_version: Make a version of a file even of the same bytes.

    Raises:
        UsageError: A file has neither a path nor a file handle, or its path cannot be read.
        RemoteError: The store refused or failed.
    """
    _check(entity)
    found: AnyEntity | None = None
    if entity.id is None:
        found = _namesake(client, entity)
        entity = entity if found is None else _identify(entity, found)
    changes = _fill(client, entity) if isinstance(entity, File) else False
    activity_id = _activity_id(client, activity)
    if entity.id is None:
        try:
            return _at(client.entities.create(entity, generated_by=activity_id), entity)
        except ConflictError:  # another client was faster
            if _namesake(client, entity) is None:
                raise
            return store(client, entity, activity=_stored(activity_id), new_version=new_version)
    if entity == found and activity_id is None and not (changes or new_version):
        return entity
    if isinstance(entity, File) and activity_id is not None and not changes:
        before = client.entities.generated_by(entity.id)
        new_version |= before is not None and str(before["id"]) != activity_id
    if isinstance(entity, File):
        if changes or new_version:
            # Those of the version before; the store gives the new one its own.
            entity.version_label = entity.version_comment = None
        stored = client.entities.update(entity, new_version=changes or new_version, generated_by=activity_id)
    else:
        stored = client.entities.update(entity, generated_by=activity_id)
    return _at(stored, entity)


def get(
    client: Connection,
    entity: str | Project | Folder | File,
    *,
    version: int | None,
    download: str | os.PathLike[str] | None,
) -> Project | Folder | File:
    """Return an entity, in its latest version or another; with its bytes if `download` names a folder.

    Raises:
        UsageError: Several projects have that path, or another file of its name lies in the folder.
        NotRecordedError: No such path is recorded, or the bytes of the file are not kept.
        NotFoundError: There is no such entity or version.
    """
    entity_id, number = _identified(client, entity)
    if version is not None and number is not None and version != number:
        raise UsageError(f"Two versions are given for {entity_id}: {number} and {version}.")
    found = client.entities.get(entity_id, version_number=version if version is not None else number)
    if download is None or not isinstance(found, File):
        return found
    return found.at(str(_download(client, found, Path(download))))


def _check(entity: object) -> None:
    if not isinstance(entity, (Project, Folder, File)):
        raise UsageError(
            f"A {type(entity).__name__} cannot be stored.", hint="Give a Project, a Folder or a File of snakeprov."
        )
    if entity.id is None and not entity.name:
        raise UsageError("An entity that is not stored yet needs a name.")
    if isinstance(entity, File) and entity.path is None and entity.data_file_handle_id is None:
        raise UsageError(f"The file {entity.name!r} has no path.", hint="Make it with File(path, parent=…).")


def _namesake(client: Connection, entity: AnyEntity) -> AnyEntity | None:
    """Return the entity that is stored under the name of one that has no id, if there is one."""
    found_id = client.entities.find_child(entity.parent_id, entity.name or "")
    if found_id is None:
        return None
    found = client.entities.get(found_id)
    if type(found) is not type(entity):
        raise UsageError(
            f"{found_id} is called {entity.name!r} already; it is a {type(found).__name__}, not a "
            f"{type(entity).__name__}.",
            hint="Choose another name or another parent.",
        )
    return found


def _identify(entity: AnyEntity, found: AnyEntity) -> AnyEntity:
    """Return the stored entity with what is given in `entity`."""
    given = {name: value for name, value in msgspec.structs.asdict(entity).items() if value is not None}
    return _at(msgspec.structs.replace(found, **{**given, "parent_id": found.parent_id}), entity)


def _fill(client: Connection, entity: File) -> bool:
    """See to the file handle of a file with a path; return whether its bytes are not those of the current version."""
    if entity.path is None:
        return False
    digest = _digest(Path(entity.path))
    is_stored = entity.id is not None and entity.data_file_handle_id is not None
    if is_stored and _current_md5(client, entity.id or "") == digest.md5:
        return False
    path = to_text(os.path.abspath(entity.path))  # noqa: PTH100  links stay links
    content = Content(path=path, file_name=entity.name or "", digest=digest, keep=True)
    (stored,) = client.files.store([content])
    if stored.reason is not None:
        raise UsageError(f"The file {entity.path} could not be stored: {stored.reason}.")
    entity.data_file_handle_id = stored.file_handle_id
    return True


def _current_md5(client: Connection, entity_id: str) -> str | None:
    """Return the md5 of the current version of a file; None where it is not known, or not to this user."""
    latest = next(iter(client.entities.versions(entity_id, limit=1)), {})
    if "contentMd5" in latest:
        return str(latest["contentMd5"])
    # The server computes it for a file handle, but not for each in a list of versions.
    file = client.entities.get(entity_id)
    if not isinstance(file, File) or file.data_file_handle_id is None:
        return None
    try:
        return client.files.location(file.data_file_handle_id, entity_id=entity_id)[0].content_md5
    except (ForbiddenError, NotFoundError):
        return None


def _digest(path: Path) -> Digest:
    if not path.is_file():
        raise UsageError(f"{path} is not a file that can be stored.", hint="Is the path right?")
    try:
        return digest_file(str(path), md5=True)
    except CaptureError as error:
        raise UsageError(f"The file {path} cannot be read.", hint=error.message) from error


def _activity_id(client: Connection, activity: Activity | None) -> str | None:
    if activity is None:
        return None
    if activity.get("id") is None:
        activity = client.activities.create(client.backend.activity(activity))
    return str(activity["id"])


def _stored(activity_id: str | None) -> Activity | None:
    return None if activity_id is None else Activity(data={"id": activity_id})


def _at(entity: AnyEntity, like: AnyEntity) -> AnyEntity:
    if isinstance(entity, File) and isinstance(like, File) and like.path is not None:
        entity.at(like.path)
    return entity


def _identified(client: Connection, entity: str | Project | Folder | File) -> tuple[str, int | None]:
    if not isinstance(entity, str):
        if entity.id is None:
            raise UsageError(f"The entity {entity.name!r} is not stored yet.", hint="Store it first.")
        return entity.id, None
    match = _ID.fullmatch(entity)
    if match is None:
        return _id_at(client, entity), None
    return match[1], int(match[2]) if match[2] else None


def _id_at(client: Connection, path: str) -> str:
    """Return the id of the file that is recorded at `path`."""
    answer = client.provenance.find(path)
    matches = answer.results
    own = [one for one in matches if one.project_name == client.project]
    names = sorted({one.project_name or "" for one in matches})
    if len(names) > 1 and not own:
        message = f"{path} is recorded in several projects: {', '.join(names)}."
        raise UsageError(message, hint="Set client.project to one of them.")
    if not matches:
        near = answer.near
        raise NotRecordedError(
            f"{path} is not recorded.",
            hint=f"Did you mean {' or '.join(near[:NEAR_MAX])}?" if near else "An id is written syn123 or syn123.4.",
        )
    return (own or matches)[0].entity_id


def _download(client: Connection, file: File, folder: Path) -> Path:
    name = PurePosixPath((file.name or "").rstrip("/")).name
    if not name or name in (".", ".."):
        raise UsageError(f"{file.id} is called {file.name!r}, which is not a valid file name here.")
    handle, url = client.files.location(file.data_file_handle_id or "", entity_id=file.id or "")
    if url is None or (handle.concrete_type == EXTERNAL_FILE_HANDLE and not url.startswith(("http://", "https://"))):
        why = why_not_kept(client.provenance.story(file.id or "", file.version_number or 1))
        raise NotRecordedError(
            f"The bytes of {file.id}.{file.version_number} are not kept, because {why}.",
            hint=f"They were at {url}." if url else "",
        )
    target = folder / name
    if target.exists():
        if handle.content_md5 is not None and target.is_file() and _digest(target).md5 == handle.content_md5:
            return target
        raise UsageError(f"{target} exists and is another file.", hint="Move it away, or download to another folder.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with complete(target) as part, part.open("xb") as stream:
            hasher = Hasher(md5=True)
            for chunk in client.files.chunks(url):
                stream.write(chunk)
                hasher.update(chunk)
            if handle.content_md5 not in (None, hasher.digest().md5):
                raise RemoteError(f"The download of {file.id} differs from what was stored: its md5 is different.")
    except OSError as error:
        raise UsageError(f"{target} cannot be written ({in_words(error)}).") from error
    return target
