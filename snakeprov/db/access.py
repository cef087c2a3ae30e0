"""Permissions of users on projects.

Each project has one access control list; what is inside a project inherits it.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, and_, bindparam, delete, or_, select, true

from snakeprov.db.checksums import content
from snakeprov.db.database import Transaction
from snakeprov.db.keys import listed, numbers
from snakeprov.db.statements import Command, Query, change, insert_into
from snakeprov.db.tables import (
    ROOT_ID,
    STORED,
    acl,
    acl_entry,
    activity,
    entity,
    file_handle,
    principal,
    revision,
    run,
)

READ, DOWNLOAD, CREATE, UPDATE, DELETE = "READ", "DOWNLOAD", "CREATE", "UPDATE", "DELETE"
CHANGE_PERMISSIONS = "CHANGE_PERMISSIONS"
CHANGE_SETTINGS, MODERATE = "CHANGE_SETTINGS", "MODERATE"
"""These two are kept and served, because Synapse's client sends them; nothing here asks for them."""

PERMISSIONS = (READ, DOWNLOAD, CREATE, UPDATE, DELETE, CHANGE_PERMISSIONS, CHANGE_SETTINGS, MODERATE)
"""Everything that an access list can allow, in the order in which it is listed."""

AUTHENTICATED_ID, PUBLIC_ID, ANONYMOUS_ID = 273_948, 273_949, 273_950
"""The group of all who are known, the group of everybody, and who is not known: the numbers are Synapse's."""

Reader = tuple[int, int, int] | None
"""The reader: numbers of the user and of the user's groups. None: a reader who may see everything."""


class AclRow(NamedTuple):
    """The access list of a project, without its entries."""

    project_id: int
    etag: str
    created_on: int


class _Entry(NamedTuple):
    principal_id: int
    permission: str


class _Permission(NamedTuple):
    permission: str


_IS_READER = acl_entry.c.principal_id.in_((bindparam("own"), bindparam("group"), bindparam("everybody")))
_GRANTED = Query(
    select(acl_entry.c.permission).where(acl_entry.c.project_id == bindparam("project_id"), _IS_READER), _Permission
)
_GET = Query(select(*content(acl)).where(acl.c.project_id == bindparam("project_id")), AclRow)
_ENTRIES = Query(
    select(acl_entry.c.principal_id, acl_entry.c.permission)
    .where(acl_entry.c.project_id == bindparam("project_id"))
    .order_by(acl_entry.c.principal_id),
    _Entry,
)
_INSERT = insert_into(acl)
_INSERT_ENTRY = insert_into(acl_entry)
_SET_ETAG = Command(change(acl, acl.c.project_id == bindparam("of_id"), etag=bindparam("new_etag")))
_DELETE_ENTRIES = Command(delete(acl_entry).where(acl_entry.c.project_id == bindparam("of_id")))
_ADOPT_RUNS = Command(
    change(
        run,
        run.c.project == bindparam("of_name"),
        run.c.created_by == bindparam("of_user"),
        run.c.project_id.is_(None),
        project_id=bindparam("new_id"),
    )
)


def create(tx: Transaction, project_id: int, *, name: str, owner: int) -> None:
    """Give a new project its access list: its owner may do everything. The owner's runs of that name become its."""
    tx.run(_INSERT, project_id=project_id, etag=str(uuid.uuid4()), created_on=tx.now_ms)
    _insert_entries(tx, project_id, {owner: PERMISSIONS})
    tx.run(_ADOPT_RUNS, of_name=name, of_user=owner, new_id=project_id)


def get(tx: Transaction, project_id: int) -> AclRow | None:
    """Return the access list of a project, or None where there is no such project."""
    return tx.one(_GET, project_id=project_id)


def entries(tx: Transaction, project_id: int) -> dict[int, list[str]]:
    """Return what each user and group may do in a project."""
    found: dict[int, list[str]] = {}
    for row in tx.all(_ENTRIES, project_id=project_id):
        found.setdefault(row.principal_id, []).append(row.permission)
    return {id_: sorted(permissions, key=PERMISSIONS.index) for id_, permissions in found.items()}


def replace(tx: Transaction, project_id: int, wanted: Mapping[int, Collection[str]]) -> None:
    """Replace what users and groups may do in a project."""
    tx.run(_SET_ETAG, of_id=project_id, new_etag=str(uuid.uuid4()))
    tx.run(_DELETE_ENTRIES, of_id=project_id)
    _insert_entries(tx, project_id, wanted)


def _insert_entries(tx: Transaction, project_id: int, wanted: Mapping[int, Collection[str]]) -> None:
    rows = [
        {"project_id": project_id, "principal_id": id_, "permission": permission}
        for id_, permissions in wanted.items()
        for permission in permissions
    ]
    tx.run_many(_INSERT_ENTRY, rows)


def granted(tx: Transaction, project_id: int, reader: Reader) -> frozenset[str]:
    """Return the permissions of a reader in a project. Everybody may see the root of all projects."""
    if reader is None:
        return frozenset(PERMISSIONS)
    if project_id == ROOT_ID:
        return frozenset((READ, CREATE)) if AUTHENTICATED_ID in reader else frozenset((READ,))
    own, group, everybody = reader
    rows = tx.all(_GRANTED, project_id=project_id, own=own, group=group, everybody=everybody)
    return frozenset(row.permission for row in rows)


def allowed(reader: Reader, permission: str = READ) -> Select[tuple[int]]:
    """Return the query for the projects in which a restricted reader has a permission."""
    return select(acl_entry.c.project_id).where(
        acl_entry.c.principal_id.in_(reader or ()), acl_entry.c.permission == permission
    )


def in_readable(project_column: Any, reader: Reader) -> ColumnElement[bool]:
    """Return the condition that the reader may read a project."""
    return true() if reader is None else project_column.in_(allowed(reader))


def readable_run(reader: Reader) -> ColumnElement[bool]:
    """Return the condition that a run is the reader's own, or belongs to a project that the reader may read."""
    if reader is None:
        return true()
    return or_(run.c.created_by == reader[0], run.c.project_id.in_(allowed(reader)))


def readable_projects(tx: Transaction, ids: Collection[int], reader: Reader) -> set[int]:
    """Filter projects to those that the reader may read."""
    if reader is None:
        return set(ids)
    statement = allowed(reader).where(acl_entry.c.project_id.in_(numbers("ids"))).distinct()
    return set(tx.connection.execute(statement, {"ids": listed(ids)}).scalars())


def readable_activities(tx: Transaction, ids: Collection[int], reader: Reader) -> set[int]:
    """Filter activities to those that the reader may see: own ones, and makers of readable versions."""
    if reader is None:
        return set(ids)
    statement = select(activity.c.id).where(activity.c.id.in_(numbers("ids")), activity_is_readable(reader))
    return set(tx.connection.execute(statement, {"ids": listed(ids)}).scalars())


def activity_is_readable(reader: Reader) -> ColumnElement[bool]:
    """Return the condition that an activity is the reader's own, or made a version that the reader may read."""
    if reader is None:
        return true()
    made = (
        select(revision.c.number)
        .join(entity, entity.c.id == revision.c.entity_id)
        .where(revision.c.activity_id == activity.c.id, entity.c.project_id.in_(allowed(reader)))
    )
    return or_(activity.c.created_by == reader[0], made.exists())


def content_is_readable(tx: Transaction, sha256: str, reader: Reader) -> bool:
    """Return whether `reader` may download a content: as its uploader, or with DOWNLOAD on a file that has it."""
    return _may_be_had(tx, and_(*_kept(sha256)), reader)


def content_is_of(tx: Transaction, sha256: str, user: int) -> bool:
    """Say whether a user has brought some bytes."""
    statement = select(file_handle.c.id).where(*_kept(sha256), file_handle.c.created_by == user)
    return tx.connection.execute(statement.limit(1)).first() is not None


def _kept(sha256: str) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions that bytes are kept. A file elsewhere has a digest too, but anybody can claim one."""
    return file_handle.c.sha256 == sha256, file_handle.c.kind == STORED


def handle_is_readable(tx: Transaction, id_: int, reader: Reader) -> bool:
    """Return whether the reader may download the content of a file handle, for one of the same two reasons."""
    return _may_be_had(tx, file_handle.c.id == id_, reader)


def _may_be_had(tx: Transaction, wanted: ColumnElement[bool], reader: Reader) -> bool:
    if reader is None:
        return True
    has_it = (
        select(revision.c.number)
        .join(entity, entity.c.id == revision.c.entity_id)
        .where(revision.c.file_handle_id == file_handle.c.id, entity.c.project_id.in_(allowed(reader, DOWNLOAD)))
    )
    is_own = file_handle.c.created_by == reader[0]
    statement = select(file_handle.c.id).where(wanted, or_(is_own, has_it.exists())).limit(1)
    return tx.connection.execute(statement).first() is not None


def projects_of(tx: Transaction, entity_ids: Collection[int]) -> dict[int, int]:
    """Return the project of each entity that exists."""
    statement = select(entity.c.id, entity.c.project_id).where(entity.c.id.in_(numbers("ids")))
    return {row[0]: row[1] for row in tx.connection.execute(statement, {"ids": listed(entity_ids)})}


def unknown(tx: Transaction, principal_ids: Collection[int]) -> set[int]:
    """Return those of some numbers that are neither a user's nor a group's."""
    statement = select(principal.c.id).where(principal.c.id.in_(numbers("ids")))
    known = set(tx.connection.execute(statement, {"ids": listed(principal_ids)}).scalars())
    return set(principal_ids) - known - {AUTHENTICATED_ID, PUBLIC_ID, ANONYMOUS_ID}
