"""The files of a project as they are now, in the order of their paths.

Must not know: HTTP, or what the list is for.
"""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import and_, select

from snakeprov.store.entities import inside, within
from snakeprov.store.store import Transaction
from snakeprov.store.tables import FILE, entity, file_handle, revision


class CurrentRow(NamedTuple):
    """A file at its current version, with its content."""

    path: str
    id: int
    number: int
    created_on: int
    file_handle_kind: str | None
    sha256: str | None
    md5: str | None
    size_bytes: int | None


_CURRENT = and_(revision.c.entity_id == entity.c.id, revision.c.number == entity.c.current_version)
_FILES = (
    select(
        entity.c.path,
        entity.c.id,
        revision.c.number,
        revision.c.created_on,
        file_handle.c.kind,
        file_handle.c.sha256,
        file_handle.c.md5,
        file_handle.c.size_bytes,
    )
    .select_from(entity.join(revision, _CURRENT).outerjoin(file_handle, file_handle.c.id == revision.c.file_handle_id))
    .where(entity.c.kind == FILE)
    .order_by(entity.c.path)
)


def page(tx: Transaction, project_id: int, *, under: str, after: str, limit: int) -> list[CurrentRow]:
    """Return files of a project whose paths come after one, at most `limit`; with `under` only those in a folder."""
    statement = _FILES.where(entity.c.project_id == project_id, entity.c.path > after).limit(limit)
    if under:
        statement = statement.where(within(inside(under)))
    return [CurrentRow(*row) for row in tx.connection.execute(statement)]
