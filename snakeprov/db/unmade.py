"""Versions that no activity made, and the recorded directories and files around them."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from sqlalchemy import and_, bindparam, func, select

from snakeprov.db.database import Transaction
from snakeprov.db.entities import inside, within
from snakeprov.db.keys import listed, pairs, texts
from snakeprov.db.lineage import Version
from snakeprov.db.statements import Query
from snakeprov.db.tables import FILE, STORED, entity, file_handle, revision
from snakeprov.model.entities import DIRECTORY_CONTENT_TYPE


class Unmade(NamedTuple):
    """A version that no activity made; `is_listed`: a directory whose manifest is kept."""

    entity_id: int
    number: int
    project_id: int
    path: str
    sha256: str
    is_listed: int

    @property
    def version(self) -> Version:
        """Which version it is."""
        return self.entity_id, self.number


_IS_LISTED = and_(file_handle.c.kind == STORED, file_handle.c.content_type == DIRECTORY_CONTENT_TYPE)
_COLUMNS = select(
    revision.c.entity_id,
    revision.c.number,
    entity.c.project_id,
    entity.c.path,
    file_handle.c.sha256,
    func.coalesce(_IS_LISTED, False).label("is_listed"),
).where(entity.c.kind == FILE, revision.c.activity_id.is_(None), file_handle.c.sha256.is_not(None))
_WANTED, _ID, _NUMBER = pairs("versions")
_WITH_CONTENT = revision.join(entity, entity.c.id == revision.c.entity_id).join(
    file_handle, file_handle.c.id == revision.c.file_handle_id
)
_OF = Query(
    _COLUMNS.select_from(
        _WANTED.join(revision, and_(revision.c.entity_id == _ID, revision.c.number == _NUMBER))
        .join(entity, entity.c.id == revision.c.entity_id)
        .join(file_handle, file_handle.c.id == revision.c.file_handle_id)
    ),
    Unmade,
)
_AT = Query(
    _COLUMNS.select_from(_WITH_CONTENT)
    .where(entity.c.path.in_(texts("paths")), entity.c.project_id == bindparam("of_project"), _IS_LISTED)
    .order_by(revision.c.created_on.desc(), revision.c.entity_id)
    .limit(bindparam("limit")),
    Unmade,
)


def of(tx: Transaction, versions: Collection[Version]) -> list[Unmade]:
    """Return those of some versions that no activity made and whose content is known."""
    return tx.all(_OF, versions=listed(versions)) if versions else []


def directories(tx: Transaction, project_id: int, paths: Collection[str], *, limit: int) -> list[Unmade]:
    """Return the versions of the directories at some paths that have a manifest, newest first, at most `limit`."""
    return tx.all(_AT, of_project=project_id, paths=listed(paths), limit=limit)


def files(tx: Transaction, project_id: int, folder: str, *, limit: int) -> list[Unmade]:
    """Return the versions of files below a folder, at most `limit`."""
    statement = _COLUMNS.select_from(_WITH_CONTENT).where(
        within(inside(folder)), entity.c.project_id == project_id, entity.c.path.not_like("%/")
    )
    ordered = statement.order_by(revision.c.entity_id, revision.c.number).limit(limit)
    return [Unmade(*row) for row in tx.connection.execute(ordered)]
