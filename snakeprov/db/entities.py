"""Projects, folders and files: where they are, and their versions.

An entity's `path` is what `snakeprov.model.paths` makes of the names below its project. It is kept beside the
entity, so that looking up a path is one look into an index, and it follows every rename and move.
"""

from __future__ import annotations

import uuid
from typing import Any, NamedTuple

from sqlalchemy import Select, and_, bindparam, func, select

from snakeprov.db.access import Reader, in_readable
from snakeprov.db.database import Transaction
from snakeprov.db.statements import Command, Query, change, insert_into
from snakeprov.db.tables import FILE, PROJECT, TRASH_ID, entity, file_handle, revision
from snakeprov.model.paths import from_names, to_os, to_text


class EntityRow(NamedTuple):
    """An entity at one of its versions. `number` is that version, `current_version` the newest that exists."""

    id: int
    kind: str
    name: str
    parent_id: int | None
    project_id: int
    path: str
    etag: str
    created_on: int
    created_by: int
    current_version: int
    last_version: int
    number: int
    file_handle_id: int | None
    activity_id: int | None
    label: str
    comment: str | None
    description: str | None
    modified_on: int
    modified_by: int


class Place(NamedTuple):
    """Where an entity is in its project."""

    id: int
    kind: str
    parent_id: int | None
    project_id: int
    path: str


class Id(NamedTuple):
    """An entity's number."""

    id: int


class Rival(NamedTuple):
    """An entity at a path, and what it is."""

    id: int
    kind: str


_COLUMNS = (
    entity.c.id,
    entity.c.kind,
    entity.c.name,
    entity.c.parent_id,
    entity.c.project_id,
    entity.c.path,
    entity.c.etag,
    entity.c.created_on,
    entity.c.created_by,
    entity.c.current_version,
    entity.c.last_version,
    revision.c.number,
    revision.c.file_handle_id,
    revision.c.activity_id,
    revision.c.label,
    revision.c.comment,
    revision.c.description,
    revision.c.modified_on,
    revision.c.modified_by,
)
_AT_CURRENT = entity.join(
    revision, and_(revision.c.entity_id == entity.c.id, revision.c.number == entity.c.current_version)
)
_AT_ANY = entity.join(revision, revision.c.entity_id == entity.c.id)
_CURRENT = Query(select(*_COLUMNS).select_from(_AT_CURRENT).where(entity.c.id == bindparam("id")), EntityRow)
_VERSION = Query(
    select(*_COLUMNS)
    .select_from(_AT_ANY)
    .where(entity.c.id == bindparam("id"), revision.c.number == bindparam("number")),
    EntityRow,
)
_PLACE = Query(
    select(entity.c.id, entity.c.kind, entity.c.parent_id, entity.c.project_id, entity.c.path).where(
        entity.c.id == bindparam("id")
    ),
    Place,
)
_CHILD = Query(
    select(entity.c.id)
    .where(entity.c.parent_id == bindparam("parent_id"), entity.c.name == bindparam("name"))
    .order_by(entity.c.id.desc())
    .limit(1),
    Id,
)
_AT_PATH = Query(
    select(entity.c.id, entity.c.kind).where(
        entity.c.path == bindparam("path"), entity.c.project_id == bindparam("project_id")
    ),
    Rival,
)
_INSERT = insert_into(entity, but=["id"])
_ADOPT = Command(
    change(
        entity,
        entity.c.id == bindparam("of_id"),
        name=bindparam("new_name"),
        project_id=bindparam("new_project_id"),
        path=bindparam("new_path"),
    )
)
_MOVE = Command(
    change(
        entity,
        entity.c.id == bindparam("of_id"),
        name=bindparam("new_name"),
        parent_id=bindparam("new_parent_id"),
        project_id=bindparam("new_project_id"),
        path=bindparam("new_path"),
    )
)
_PLACE_AT = Command(
    change(
        entity,
        entity.c.id == bindparam("of_id"),
        project_id=bindparam("new_project_id"),
        path=bindparam("new_path"),
    )
)
_TOUCH = Command(change(entity, entity.c.id == bindparam("of_id"), etag=bindparam("new_etag")))


def get(tx: Transaction, id_: int, *, number: int | None = None) -> EntityRow | None:
    """Return an entity at a version, by default at its current one; None when there is no such thing."""
    if number is None:
        return tx.one(_CURRENT, id=id_)
    return tx.one(_VERSION, id=id_, number=number)


def place(tx: Transaction, id_: int) -> Place | None:
    """Return where an entity is, or None."""
    return tx.one(_PLACE, id=id_)


def child_id(tx: Transaction, parent_id: int, name: str) -> int | None:
    """Return the child of that name, the newest of a file and a folder; or None."""
    found = tx.one(_CHILD, parent_id=parent_id, name=name)
    return None if found is None else found.id


def rival(tx: Transaction, parent: Place, name: str, *, kind: str, but: int | None) -> bool:
    """Return whether an entity other than `but` has the place which one of this kind would take under `name`.

    A file is not in the way of a folder, nor the reverse.
    """
    if kind == PROJECT:
        return child_id(tx, parent.id, name) not in (None, but)
    found = tx.all(_AT_PATH, path=child_path(parent, name), project_id=parent.project_id)
    return any(one.id != but and one.kind == kind for one in found)


def contains(outer: str, inner: str) -> bool:
    """Say whether the folder at the path `inner` is the one at `outer`, or lies below it."""
    return to_os(inside(inner)).startswith(to_os(inside(outer)))


def insert_entity(tx: Transaction, *, kind: str, name: str | None, parent: Place, user: int) -> tuple[int, str, str]:
    """Add an entity without revision; return its id, its path and its etag. Without a name it is called by its id."""
    etag = str(uuid.uuid4())
    provisional = name or etag
    path = "" if kind == PROJECT else child_path(parent, provisional)
    id_ = tx.insert(
        _INSERT,
        kind=kind,
        name=provisional,
        parent_id=parent.id,
        # A project is its own project, but its id is known only afterwards; until then its path must not clash.
        project_id=parent.project_id,
        path=path or f"//{etag}",
        etag=etag,
        created_on=tx.now_ms,
        created_by=user,
        current_version=1,
        last_version=1,
    )
    if kind == PROJECT:
        tx.run(_ADOPT, of_id=id_, new_name=name or f"syn{id_}", new_project_id=id_, new_path="")
    elif name is None:
        path = child_path(parent, f"syn{id_}")
        tx.run(_ADOPT, of_id=id_, new_name=f"syn{id_}", new_project_id=parent.project_id, new_path=path)
    return id_, path, etag


def touch(tx: Transaction, id_: int) -> str:
    """Give an entity a new etag; return it."""
    etag = str(uuid.uuid4())
    tx.run(_TOUCH, of_id=id_, new_etag=etag)
    return etag


def child_path(parent: Place, name: str) -> str:
    """Return the path of a child of `parent`."""
    if parent.kind == PROJECT:
        return from_names((name,))
    return to_text(to_os(inside(parent.path)) + to_os(name))


def inside(path: str) -> str:
    """Return what the paths of everything below the folder at `path` begin with."""
    return path if path.endswith("/") else path + "/"


def within(prefix: str) -> Any:
    """Return the condition that a path begins with `prefix`, which ends with a slash, in a form an index can serve."""
    # "0" is the character after "/".
    return and_(entity.c.path > prefix, entity.c.path < prefix[:-1] + "0")


def move(tx: Transaction, row: EntityRow, *, parent: Place, name: str) -> None:
    """Put an entity below `parent` under `name`, and everything below it along."""
    if row.kind == PROJECT:
        tx.run(_MOVE, of_id=row.id, new_name=name, new_parent_id=parent.id, new_project_id=row.project_id, new_path="")
        return
    path = child_path(parent, name)
    tx.run(
        _MOVE,
        of_id=row.id,
        new_name=name,
        new_parent_id=parent.id,
        new_project_id=parent.project_id,
        new_path=path,
    )
    if row.kind != FILE and (path != row.path or parent.project_id != row.project_id):
        _move_below(tx, row, project_id=parent.project_id, path=path)


def _move_below(tx: Transaction, row: EntityRow, *, project_id: int, path: str) -> None:
    """Give everything below an entity the paths that follow from the entity's own."""
    old, new = inside(row.path), inside(path)
    below = and_(entity.c.project_id == row.project_id, entity.c.id != row.id)
    if "\\" not in old + new:
        moved = new + func.substr(entity.c.path, len(old) + 1)
        tx.connection.execute(change(entity, below, within(old), project_id=project_id, path=moved))
        return
    # Whether a backslash is doubled depends on the whole of a path, so one prefix does not do for all of them.
    prefixes = {old} if "\\x" in old else {old, old.replace("\\", "\\\\")}
    old_os, new_os = to_os(old), to_os(new)
    for prefix in prefixes:
        statement = select(entity.c.id, entity.c.path).where(below, within(prefix))
        for id_, present in tx.connection.execute(statement).all():
            present_os = to_os(present)
            if present_os.startswith(old_os):
                moved_path = to_text(new_os + present_os[len(old_os) :])
                tx.run(_PLACE_AT, of_id=id_, new_project_id=project_id, new_path=moved_path)


class Header(NamedTuple):
    """An entity in a listing."""

    id: int
    kind: str
    name: str
    project_id: int
    created_on: int
    created_by: int
    current_version: int
    number: int
    label: str
    modified_on: int
    modified_by: int


_HEADER_COLUMNS = (
    entity.c.id,
    entity.c.kind,
    entity.c.name,
    entity.c.project_id,
    entity.c.created_on,
    entity.c.created_by,
    entity.c.current_version,
    revision.c.number,
    revision.c.label,
    revision.c.modified_on,
    revision.c.modified_by,
)
_SORTS = {"NAME": entity.c.name, "CREATED_ON": entity.c.created_on, "MODIFIED_ON": revision.c.modified_on}


def children(
    tx: Transaction,
    parent_id: int,
    *,
    kinds: list[str],
    reader: Reader,
    sort_by: str,
    descending: bool,
    limit: int,
    offset: int,
) -> list[Header]:
    """Return a page of the children of an entity that the reader may read."""
    column = _SORTS[sort_by]
    order = (column.desc(), entity.c.id.desc()) if descending else (column, entity.c.id)
    return _headers(
        tx,
        select(*_HEADER_COLUMNS)
        .select_from(_AT_CURRENT)
        .where(entity.c.parent_id == parent_id, entity.c.kind.in_(kinds), in_readable(entity.c.project_id, reader))
        .order_by(*order)
        .limit(limit)
        .offset(offset),
    )


def with_md5(tx: Transaction, md5: str, *, reader: Reader, limit: int) -> list[Header]:
    """Return the file versions that the reader may read whose content has an md5, newest entities last."""
    return _headers(
        tx,
        select(*_HEADER_COLUMNS)
        .select_from(_AT_ANY.join(file_handle, file_handle.c.id == revision.c.file_handle_id))
        .where(file_handle.c.md5 == md5, entity.c.project_id != TRASH_ID, in_readable(entity.c.project_id, reader))
        .order_by(entity.c.id, revision.c.number)
        .limit(limit),
    )


def count_children(tx: Transaction, parent_id: int) -> int:
    """Return how many children an entity has."""
    statement = select(func.count()).select_from(entity).where(entity.c.parent_id == parent_id)
    return int(tx.connection.execute(statement).scalar_one())


def ancestry(tx: Transaction, id_: int) -> list[Header]:
    """Return an entity's ancestors from the root down, itself last."""
    found: list[Header] = []
    statement = select(entity.c.parent_id, *_HEADER_COLUMNS).select_from(_AT_CURRENT)
    current: int | None = id_
    # The depth is bounded by the length of a path.
    while current is not None:
        row = tx.connection.execute(statement.where(entity.c.id == current)).first()
        if row is None:
            break
        found.append(Header(*row[1:]))
        current = row[0]
    return found[::-1]


def _headers(tx: Transaction, statement: Select[Any]) -> list[Header]:
    return [Header(*row) for row in tx.connection.execute(statement)]
