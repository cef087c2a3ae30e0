"""/repo/v1/entity: make, read and change projects, folders and files.

Must not know: how rows are kept.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from snakeprov.db import access, activities, entities, filehandles, revisions
from snakeprov.db.access import CHANGE_PERMISSIONS, CREATE, READ, UPDATE
from snakeprov.db.entities import EntityRow, Place
from snakeprov.db.revisions import Meaning
from snakeprov.db.tables import FILE, FOLDER, PROJECT, ROOT_ID, TRASH_ID
from snakeprov.model.entities import Body, Entity
from snakeprov.model.paths import OUTSIDE
from snakeprov.server import meanings, permissions, wire
from snakeprov.server.call import Call, entity_number, plain_number
from snakeprov.server.names import check_name
from snakeprov.server.queries import Number, Query
from snakeprov.server.refusals import bad_request, conflict, forbidden, not_found, shown, stale
from snakeprov.server.services import Services
from snakeprov.server.wire import EntityBody

service = Services("Entities")

DESCRIPTION_CHARS_MAX = 1000
COMMENT_CHARS_MAX = 256
LABEL_CHARS_MAX = 256
PATH_CHARS_MAX = 16_384
"""Four times what Linux allows: a byte that is not UTF-8 takes four characters in a path's text form."""

UNLINK = -1
"""`generatedBy=-1` removes the link to the activity."""

CREATOR = (
    "in the design only the creator of an activity may connect it to an entity (403); today's Synapse lets everybody "
    "who may read the activity. Here: the creator."
)
MEANING = (
    "`meaning`, `meaningOf` and `meaningOfVersion` are snakeprov's: they say what the bytes of a new version mean, "
    "where its activity does not say it: those of an earlier version of the file again, edited by hand after a version "
    "(`whileJob`: while this job ran), or the same content as a version of another file. An activity of another user "
    "can be named where the version has the bytes again that it made, or lies in a directory that it made. `mode`, "
    "snakeprov's too, are the permissions that the file of a new version had."
)


class AtVersion(Query, frozen=True):
    """One version of an entity; by default the current one."""

    version_number: Number | None = None


class NewVersion(meanings.MeaningQuery, frozen=True):
    """What generated a version, what its bytes mean, and the permissions that its file had."""

    generated_by: Annotated[int, Meta(ge=UNLINK)] | None = None
    mode: Annotated[int, Meta(ge=0, le=0o777)] | None = None


class Change(NewVersion, frozen=True):
    """The same, and whether a new version is made even if the content is the same."""

    new_version: bool = False


@service(
    "POST",
    "/repo/v1/entity",
    answer=Entity,
    status=201,
    note=f"{CREATOR} {MEANING} Synapse allows letters, digits, spaces and `_,.-+()'` in names; here a name can be any "
    f"that a file can have. Synapse has 10 000 children in a container and 50 levels; here there are no such bounds.",
)
def create(call: Call, query: NewVersion, body: EntityBody) -> Body:
    """Makes a project, a folder or a file."""
    return wire.entity(insert(call, body, query))


def insert(call: Call, body: EntityBody, query: NewVersion) -> EntityRow:
    """Make an entity as a body says; the query says which activity generated it and what its bytes mean."""
    kind = _kind(body)
    parent = _parent(call, body.parent_id, kind=kind)
    name = None if body.name is None else check_name(body.name, kind=kind)
    _check_texts(body)
    if name is not None:
        _check_free(call, parent, name, kind=kind)
    handle = None
    if kind == FILE:
        if body.data_file_handle_id is None:
            raise bad_request("FileEntity.dataFileHandleId cannot be null")
        handle = _own_handle(call, body.data_file_handle_id).id
    meaning = meanings.asked(call, query)
    if meaning is not None and kind != FILE:
        raise bad_request(f"A {kind} has no bytes that could mean anything.")
    path = "" if name is None or kind != FILE else entities.child_path(parent, name)
    generated_by = _generated_by(call, query, meaning, project_id=parent.project_id, path=path)
    id_, _, _ = entities.insert_entity(call.tx, kind=kind, name=name, parent=parent, user=call.user.id)
    revisions.insert_first(
        call.tx,
        id_,
        user=call.user.id,
        file_handle_id=handle,
        activity_id=None if generated_by == UNLINK else generated_by,
        label=body.version_label or "1",
        comment=body.version_comment,
        description=body.description,
        meaning=meaning,
        mode=query.mode,
    )
    row = existing(call, id_, need=None)
    if kind == PROJECT:
        access.create(call.tx, id_, name=row.name, owner=call.user.id)
    return row


@service("GET", "/repo/v1/entity/{id}", answer=Entity)
def read(call: Call, query: AtVersion) -> Body:
    """An entity."""
    return wire.entity(existing(call, call.entity_id(), number=query.version_number))


@service("PUT", "/repo/v1/entity/{id}", answer=Entity, note=f"{CREATOR} {MEANING}")
def update(call: Call, query: Change, body: EntityBody) -> Body:
    """Changes an entity, with its etag; other content, or `newVersion`, makes a new version of a file.

    A new version never inherits the activity of the one before it. `generatedBy=-1` removes the link.
    """
    return wire.entity(change(call, call.entity_id(), body, query, new_version=query.new_version))


def change(call: Call, id_: int, body: EntityBody, query: NewVersion, *, new_version: bool = False) -> EntityRow:
    """Change an entity to what a body says.

    Args:
        call: The request.
        id_: The entity.
        body: What it is to be.
        query: What generated it and what its bytes mean.
        new_version: Make a new version of a file even if its content is the same.
    """
    row = existing(call, id_, need=UPDATE)
    if row.id == ROOT_ID:
        raise forbidden("The root folder cannot be changed.")
    meaning = meanings.asked(call, query, entity_id=row.id)
    generated_by = _generated_by(call, query, meaning, project_id=row.project_id, path=row.path)
    if body.etag is None or body.parent_id is None:
        raise bad_request("An update needs the etag and the parentId of the entity as they were read.")
    check_etag(row, body.etag)
    if body.concrete_type is not None and _kind(body) != row.kind:
        raise bad_request(f"syn{row.id} is a {row.kind}; its concreteType cannot be changed to {body.concrete_type}.")
    _check_texts(body)
    _relocate(call, row, body)
    number = _revise(call, row, body, new_version=new_version, meaning=meaning, mode=query.mode)
    if meaning is not None and number == row.number:
        raise bad_request("'meaning' says what the bytes of a new version mean; this change makes none.")
    if generated_by is not None:
        activity_id = None if generated_by == UNLINK else generated_by
        revisions.set_activity(call.tx, row.id, number, activity_id=activity_id, user=call.user.id)
    entities.touch(call.tx, row.id)
    return existing(call, row.id, need=None)


def existing(call: Call, id_: int, *, number: int | None = None, need: str | None = READ) -> EntityRow:
    """Return an entity, at a version or at its current one, if the user has the permission `need` on it.

    Raises:
        Refusal: 404, there is no such entity or version, or it is in the trash; 403, the user lacks the permission.
    """
    row = entities.get(call.tx, id_, number=number)
    place = row or entities.place(call.tx, id_)
    if place is not None and place.project_id == TRASH_ID:
        raise not_found(f"Entity syn{id_} is in trash can.")
    if need is not None and place is not None:
        permissions.check(call, id_, project_id=place.project_id, permission=need)
    if row is None:
        if number is None:
            raise not_found(f"Entity syn{id_} does not exist.")
        raise not_found(f"Cannot find a node with id syn{id_} and version {number}")
    return row


def check_etag(row: EntityRow, etag: str) -> None:
    """Refuse a change that was made to an older state of an entity (412)."""
    if etag != row.etag:
        raise stale(
            f"Object: syn{row.id} was updated since you last fetched it, retrieve it again and re-apply the update"
        )


def own_activity(call: Call, id_: int) -> int:
    """Return an activity that this user may connect to entities: only who created it may.

    Raises:
        Refusal: 404, there is no such activity; 403, somebody else created it.
    """
    owner = activities.owner(call.tx, id_)
    if owner is None:
        raise not_found(f"Activity id {id_} not found.")
    if owner != call.user.id:
        raise forbidden(f"Only the user who created activity {id_} can connect it to an entity.")
    return id_


def _generated_by(call: Call, query: NewVersion, meaning: Meaning | None, *, project_id: int, path: str) -> int | None:
    """Return the number in `generatedBy`: UNLINK, an activity of this user, or one that what it made passes on.

    To restore a version, or to read a member of a recorded directory, one need not have made it.
    """
    number = query.generated_by
    if (
        number is None
        or number == UNLINK
        or meanings.passes_on(call, number, meaning, project_id=project_id, path=path)
    ):
        return number
    return own_activity(call, number)


def _kind(body: EntityBody) -> str:
    if body.concrete_type is None:
        raise bad_request("concreteType is missing.")
    kind = wire.KINDS.get(body.concrete_type)
    if kind is None:
        known = ", ".join(wire.KINDS)
        raise bad_request(f"concreteType {body.concrete_type!r} is not supported: one of {known} was expected.")
    return kind


def _parent(call: Call, parent_id: str | None, *, kind: str, need: str = CREATE) -> Place:
    if parent_id is None:
        if kind != PROJECT:
            raise bad_request(f"A {kind} needs a parentId.")
        number = ROOT_ID
    else:
        number = entity_number(parent_id)
    parent = entities.place(call.tx, number)
    if parent is None:
        raise not_found(f"The given parent: {parent_id} does not exist")
    if parent.project_id == TRASH_ID:
        raise forbidden(f"The given parent: {parent_id} is in trash can.")
    permissions.check(call, parent.id, project_id=parent.project_id, permission=need)
    if (parent.id == ROOT_ID) != (kind == PROJECT) or parent.kind == FILE:
        what = "root" if parent.id == ROOT_ID else parent.kind
        raise bad_request(f"Entity type: {kind} cannot have a parent of type: {what}")
    return parent


def _check_free(call: Call, parent: Place, name: str, *, kind: str, but: int | None = None) -> None:
    """Refuse a place that an entity other than `but` has (409)."""
    if kind == FILE and parent.kind == PROJECT and name == OUTSIDE:
        raise bad_request(f"The name {name} cannot be used: it is the folder of what lies outside the project.")
    if entities.rival(call.tx, parent, name, kind=kind, but=but):
        raise conflict(f"An entity with the name: {name} already exists with a parentId: syn{parent.id}")
    if len(parent.path) + len(name) > PATH_CHARS_MAX:
        raise bad_request(f"The path of {shown(name)} would have more than {PATH_CHARS_MAX} characters.")


def _check_texts(body: EntityBody) -> None:
    if body.file_name_override is not None:
        raise bad_request("fileNameOverride cannot be set; give the file handle the name.")
    for text, what, most in (
        (body.description, "description", DESCRIPTION_CHARS_MAX),
        (body.version_comment, "versionComment", COMMENT_CHARS_MAX),
        (body.version_label, "versionLabel", LABEL_CHARS_MAX),
    ):
        if text is not None and len(text) > most:
            raise bad_request(f"The {what} has {len(text)} characters; at most {most} are allowed.")


def _own_handle(call: Call, id_: str) -> filehandles.FileHandleRow:
    handle = filehandles.get(call.tx, plain_number(id_, what="a file handle id"))
    if handle is None:
        raise not_found(f"File handle {id_} does not exist.")
    if handle.created_by != call.user.id:
        raise forbidden(f"Only the user who created file handle {id_} can assign it to an entity.")
    return handle


def _relocate(call: Call, row: EntityRow, body: EntityBody) -> None:
    """Rename or move an entity, if the body says so."""
    assert body.parent_id is not None  # noqa: S101 - the caller refuses a body without
    name = row.name if body.name is None else check_name(body.name, kind=row.kind)
    stays = entity_number(body.parent_id) == row.parent_id
    if stays and name == row.name:
        return
    parent = _parent(call, body.parent_id, kind=row.kind, need=READ if stays else CREATE)
    if parent.project_id not in (row.project_id, ROOT_ID):
        # Another access list will hold for it.
        permissions.check(call, row.id, project_id=row.project_id, permission=CHANGE_PERMISSIONS)
    inside_itself = (
        parent.kind == FOLDER and parent.project_id == row.project_id and entities.contains(row.path, parent.path)
    )
    if inside_itself and row.kind == FOLDER:
        raise bad_request(f"syn{row.id} cannot be moved into itself.")
    _check_free(call, parent, name, kind=row.kind, but=row.id)
    entities.move(call.tx, row, parent=parent, name=name)


def _revise(
    call: Call, row: EntityRow, body: EntityBody, *, new_version: bool, meaning: Meaning | None, mode: int | None
) -> int:
    """Make a new version where one is due, else change the current one; return the number of the current version."""
    label = body.version_label if body.version_label != row.label else None
    if row.kind != FILE:
        _set_fields(call, row, body, file_handle_id=None, label=label)
        return row.number
    handle_id, other_content = _content(call, row, body)
    if not other_content and not new_version:
        _check_label(call, row, label)
        _set_fields(call, row, body, file_handle_id=handle_id, label=label)
        return row.number
    if revisions.count(call.tx, row.id) >= revisions.VERSIONS_MAX:
        raise bad_request(f"syn{row.id} has {revisions.VERSIONS_MAX} versions; it cannot have more.")
    if new_version:
        _check_label(call, row, label)
    return revisions.insert_next(
        call.tx,
        row,
        user=call.user.id,
        file_handle_id=handle_id,
        label=label if new_version else None,
        comment=body.version_comment if new_version else None,
        description=body.description,
        meaning=meaning,
        mode=mode,
    )


def _content(call: Call, row: EntityRow, body: EntityBody) -> tuple[int | None, bool]:
    """Return the file handle that the body asks for, and whether its content is other than the present one."""
    if body.data_file_handle_id is None or body.data_file_handle_id == str(row.file_handle_id):
        return row.file_handle_id, False
    new = _own_handle(call, body.data_file_handle_id)
    old = None if row.file_handle_id is None else filehandles.get(call.tx, row.file_handle_id)
    return new.id, old is None or not filehandles.is_same_content(old, new)


def _check_label(call: Call, row: EntityRow, label: str | None) -> None:
    taken = None if label is None else revisions.labelled(call.tx, row.id, label)
    if taken is not None:
        raise bad_request(f"Version {taken} of syn{row.id} has the label {label!r} already; labels are unique.")


def _set_fields(call: Call, row: EntityRow, body: EntityBody, *, file_handle_id: int | None, label: str | None) -> None:
    revisions.set_fields(
        call.tx,
        row,
        user=call.user.id,
        file_handle_id=file_handle_id,
        label=label or row.label,
        comment=body.version_comment,
        description=body.description,
    )
