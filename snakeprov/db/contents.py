"""Find versions of files by their content."""

from __future__ import annotations

from typing import Literal, NamedTuple

from sqlalchemy import select

from snakeprov.db.access import Reader, in_readable
from snakeprov.db.database import Transaction
from snakeprov.db.tables import FILE, TRASH_ID, entity, file_handle, revision

Algorithm = Literal["sha256", "md5"]

AFTER_HEX = "g"
"""The first character after those of a digest."""


class VersionOf(NamedTuple):
    """A version that has a content."""

    entity_id: int
    number: int
    current_version: int
    path: str
    name: str
    project_id: int
    project_name: str
    sha256: str | None
    md5: str | None
    size_bytes: int | None
    activity_id: int | None
    created_on: int


def versions_with(tx: Transaction, algorithm: Algorithm, prefix: str, *, reader: Reader, limit: int) -> list[VersionOf]:
    """Return versions that the reader may read whose digest begins with `prefix` (lower-case hex), newest first.

    The trash is left out.
    """
    column = file_handle.c[algorithm]
    home = entity.alias("home")
    statement = (
        select(
            revision.c.entity_id,
            revision.c.number,
            entity.c.current_version,
            entity.c.path,
            entity.c.name,
            entity.c.project_id,
            home.c.name,
            file_handle.c.sha256,
            file_handle.c.md5,
            file_handle.c.size_bytes,
            revision.c.activity_id,
            revision.c.created_on,
        )
        .select_from(
            file_handle.join(revision, revision.c.file_handle_id == file_handle.c.id)
            .join(entity, entity.c.id == revision.c.entity_id)
            .join(home, home.c.id == entity.c.project_id)
        )
        .where(column >= prefix, column < prefix + AFTER_HEX, entity.c.kind == FILE)
        .where(entity.c.project_id != TRASH_ID, in_readable(entity.c.project_id, reader))
        .order_by(revision.c.created_on.desc(), revision.c.entity_id, revision.c.number.desc())
        .limit(limit)
    )
    return [VersionOf(*row) for row in tx.connection.execute(statement)]
