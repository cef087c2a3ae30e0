"""Delete entities to the trash and from it for good, and single versions.

What is in the trash belongs to the project `TRASH_ID`, under a path that no other entity has and that tells where it
was, so that its own place is free again. Its versions stay, and so does what they say of activities.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from sqlalchemy import CTE, bindparam, delete, func, select

from snakeprov.db.database import Transaction
from snakeprov.db.entities import EntityRow
from snakeprov.db.statements import Command, Query, change
from snakeprov.db.tables import TRASH_ID, entity, revision


class _Newest(NamedTuple):
    number: int | None


_DELETE_VERSION = Command(
    delete(revision).where(revision.c.entity_id == bindparam("of_entity"), revision.c.number == bindparam("of_number"))
)
_NEWEST = Query(
    select(func.max(revision.c.number).label("number")).where(revision.c.entity_id == bindparam("of_entity")), _Newest
)
_SET_CURRENT = Command(change(entity, entity.c.id == bindparam("of_entity"), current_version=bindparam("new_current")))
_IN_TRASH = re.compile(r"//syn[0-9]+/")


def put(tx: Transaction, row: EntityRow) -> None:
    """Put an entity into the trash, and everything below it."""
    within = _within(row.id)
    path = f"//syn{row.id}/" + entity.c.path
    tx.connection.execute(change(entity, entity.c.id.in_(select(within.c.id)), project_id=TRASH_ID, path=path))
    tx.connection.execute(change(entity, entity.c.id == row.id, name=f"syn{row.id}", parent_id=TRASH_ID))


def purge(tx: Transaction, id_: int) -> None:
    """Delete an entity and everything below it for good, with all their versions."""
    within = _within(id_)
    tx.connection.execute(delete(entity).where(entity.c.id.in_(select(within.c.id))))


def recorded_path(path: str) -> str:
    """Return the former path of an entity in the trash; any other path unchanged."""
    return _IN_TRASH.sub("", path, count=1) if path.startswith("//") else path


def delete_version(tx: Transaction, row: EntityRow, number: int) -> bool:
    """Delete a version, which must not be the only one; return whether another one is current now."""
    tx.run(_DELETE_VERSION, of_entity=row.id, of_number=number)
    if number != row.current_version:
        return False
    newest = tx.one(_NEWEST, of_entity=row.id)
    assert newest is not None and newest.number is not None  # noqa: S101 - the caller leaves one
    tx.run(_SET_CURRENT, of_entity=row.id, new_current=newest.number)
    return True


def _within(id_: int) -> CTE:
    """Return the query for the ids of an entity and of everything below it."""
    top: Any = select(entity.c.id).where(entity.c.id == id_).cte("within", recursive=True)
    return top.union_all(select(entity.c.id).join(top, entity.c.parent_id == top.c.id))  # type: ignore[no-any-return]
