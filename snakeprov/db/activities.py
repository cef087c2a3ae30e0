"""Activities and what they used."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import bindparam, delete, func, select

from snakeprov.db.checksums import content
from snakeprov.db.database import Transaction
from snakeprov.db.statements import Command, Query, change, insert_into
from snakeprov.db.tables import activity, entity, revision, usage


class ActivityRow(NamedTuple):
    """An activity without what it used."""

    id: int
    etag: str
    name: str | None
    description: str | None
    activity_type: str | None
    created_on: int
    created_by: int
    modified_on: int
    modified_by: int


class UsageRow(NamedTuple):
    """One thing that an activity used: an entity version, or else a URL."""

    was_executed: bool
    target_id: int | None
    target_version: int | None
    url: str | None
    name: str | None


class _Owner(NamedTuple):
    created_by: int


class _Current(NamedTuple):
    current_version: int


_GET = Query(select(*content(activity)).where(activity.c.id == bindparam("id")), ActivityRow, checked=activity)
_OWNER = Query(select(activity.c.created_by).where(activity.c.id == bindparam("id")), _Owner)
_USAGES = Query(
    select(usage.c.was_executed, usage.c.target_id, usage.c.target_version, usage.c.url, usage.c.name)
    .where(usage.c.activity_id == bindparam("activity_id"))
    .order_by(usage.c.position),
    UsageRow,
    checked=usage,
)
_CURRENT = Query(select(entity.c.current_version).where(entity.c.id == bindparam("id")), _Current)
_INSERT = insert_into(activity, but=["id"])
_INSERT_USAGE = insert_into(usage)
_UPDATE = Command(
    change(
        activity,
        activity.c.id == bindparam("of_id"),
        etag=bindparam("new_etag"),
        name=bindparam("new_name"),
        description=bindparam("new_description"),
        activity_type=bindparam("new_activity_type"),
        modified_on=bindparam("new_modified_on"),
        modified_by=bindparam("new_modified_by"),
    )
)
_DELETE = Command(delete(activity).where(activity.c.id == bindparam("of_id")))
_DELETE_USAGES = Command(delete(usage).where(usage.c.activity_id == bindparam("of_id")))


def get(tx: Transaction, id_: int) -> ActivityRow | None:
    """Return an activity, or None."""
    return tx.one(_GET, id=id_)


def owner(tx: Transaction, id_: int) -> int | None:
    """Return who created an activity, or None where there is no such activity."""
    found = tx.one(_OWNER, id=id_)
    return None if found is None else found.created_by


def usages(tx: Transaction, id_: int) -> list[UsageRow]:
    """Return what an activity used, in the order it was sent."""
    return tx.all(_USAGES, activity_id=id_)


def current_version(tx: Transaction, entity_id: int) -> int | None:
    """Return the number of an entity's current version, or None where there is no such entity."""
    found = tx.one(_CURRENT, id=entity_id)
    return None if found is None else found.current_version


def insert(
    tx: Transaction,
    *,
    user: int,
    name: str | None,
    description: str | None,
    activity_type: str | None,
    used: Sequence[UsageRow],
) -> ActivityRow:
    """Add an activity."""
    etag, now = str(uuid.uuid4()), tx.now_ms
    id_ = tx.insert(
        _INSERT,
        etag=etag,
        name=name,
        description=description,
        activity_type=activity_type,
        created_on=now,
        created_by=user,
        modified_on=now,
        modified_by=user,
    )
    _insert_usages(tx, id_, used)
    return ActivityRow(id_, etag, name, description, activity_type, now, user, now, user)


def replace(
    tx: Transaction,
    row: ActivityRow,
    *,
    user: int,
    name: str | None,
    description: str | None,
    activity_type: str | None,
    used: Sequence[UsageRow],
) -> ActivityRow:
    """Change everything about an activity but its id and its creation."""
    etag, now = str(uuid.uuid4()), tx.now_ms
    tx.run(
        _UPDATE,
        of_id=row.id,
        new_etag=etag,
        new_name=name,
        new_description=description,
        new_activity_type=activity_type,
        new_modified_on=now,
        new_modified_by=user,
    )
    tx.run(_DELETE_USAGES, of_id=row.id)
    _insert_usages(tx, row.id, used)
    return ActivityRow(row.id, etag, name, description, activity_type, row.created_on, row.created_by, now, user)


def _insert_usages(tx: Transaction, id_: int, used: Sequence[UsageRow]) -> None:
    tx.run_many(
        _INSERT_USAGE,
        [
            {
                "activity_id": id_,
                "position": position,
                "was_executed": item.was_executed,
                "target_id": item.target_id,
                "target_version": item.target_version,
                "url": item.url,
                "name": item.name,
            }
            for position, item in enumerate(used)
        ],
    )


def delete_activity(tx: Transaction, id_: int) -> None:
    """Delete an activity that generated nothing."""
    tx.run(_DELETE, of_id=id_)


def generated(tx: Transaction, id_: int, *, limit: int, offset: int) -> tuple[list[tuple[int, int]], int]:
    """Return a page of the (entity, version) pairs that an activity generated, and how many there are."""
    where = revision.c.activity_id == id_
    page = (
        select(revision.c.entity_id, revision.c.number)
        .where(where)
        .order_by(revision.c.entity_id, revision.c.number)
        .limit(limit)
        .offset(offset)
    )
    total = select(func.count()).select_from(revision).where(where)
    pairs = [(row[0], row[1]) for row in tx.connection.execute(page)]
    return pairs, int(tx.connection.execute(total).scalar_one())
