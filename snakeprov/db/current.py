"""List the current files of a project, in the order of their paths."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import and_, bindparam, select

from snakeprov.db.database import Transaction
from snakeprov.db.entities import inside, within
from snakeprov.db.keys import listed, texts
from snakeprov.db.tables import FILE, FOLDER, entity, file_handle, revision


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
    meaning: str | None


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
        revision.c.meaning,
    )
    .select_from(entity.join(revision, _CURRENT).outerjoin(file_handle, file_handle.c.id == revision.c.file_handle_id))
    .where(entity.c.kind == FILE)
    .order_by(entity.c.path)
)
_SINCE = (
    select(entity.c.path, entity.c.kind, entity.c.created_on, revision.c.created_on)
    .select_from(entity.join(revision, _CURRENT))
    .where(entity.c.project_id == bindparam("project_id"), entity.c.path.in_(texts("paths")))
)


def page(tx: Transaction, project_id: int, *, under: str, after: str, limit: int) -> list[CurrentRow]:
    """Return files of a project whose paths come after one, at most `limit`; with `under` only those in a folder."""
    statement = _FILES.where(entity.c.project_id == project_id, entity.c.path > after).limit(limit)
    if under:
        statement = statement.where(within(inside(under)))
    return [CurrentRow(*row) for row in tx.connection.execute(statement)]


def superseded(tx: Transaction, project_id: int, rows: Sequence[CurrentRow]) -> set[str]:
    """Return the paths of those files that cannot be there any more: their place, or a folder of theirs, is taken.

    At one place there is a file, a directory that was recorded as one thing, or a folder: what came last.
    """
    stems = {row.path: row.path.rstrip("/") for row in rows}
    above = {path: _above(stem) for path, stem in stems.items()}
    asked = {path for stem in stems.values() for path in (stem, f"{stem}/")}
    asked.update(*above.values())
    since: dict[tuple[str, str], int] = {}
    found = tx.connection.execute(_SINCE, {"project_id": project_id, "paths": listed(asked)})
    for path, kind, created_on, made_on in found:
        since[path, kind] = created_on if kind == FOLDER else made_on
    gone = set()
    for row in rows:
        stem = stems[row.path]
        rivals = [(stem, FOLDER)] if row.path == stem else []
        rivals += [(stem if row.path != stem else f"{stem}/", FILE), *((folder, FILE) for folder in above[row.path])]
        if any(since.get(rival, row.created_on) > row.created_on for rival in rivals):
            gone.add(row.path)
    return gone


def _above(path: str) -> list[str]:
    parts = path.split("/")[:-1]
    return [folder for end in range(1, len(parts) + 1) if (folder := "/".join(parts[:end]))]
