"""Versions of files: named by their ids, of one file, or the newest or current ones at paths or with a content."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Literal, NamedTuple

from sqlalchemy import ColumnElement, FromClause, Select, and_, bindparam, select, tuple_

from snakeprov.db.access import Reader, in_readable
from snakeprov.db.database import Transaction
from snakeprov.db.keys import listed, pairs, texts
from snakeprov.db.lineage import Version
from snakeprov.db.tables import FILE, FOLDER, TRASH_ID, entity, file_handle, principal, revision
from snakeprov.model.paths import folders_above

Algorithm = Literal["sha256", "md5"]

AFTER_HEX = "g"
"""The first character after those of a digest."""

BEYOND = "\U0010ffff"
"""What comes after every path that begins in the same way."""

MomentKey = tuple[int, int, int]
"""The place of a version among others, newest first: when it was recorded, the entity, and its number."""

PathKey = tuple[str, int]
"""The place of a file among others: its path and its project."""


class FileVersion(NamedTuple):
    """A version of a file, its content, and who recorded it."""

    entity_id: int
    number: int
    current_version: int
    project_id: int
    project_name: str
    path: str
    name: str
    created_on: int
    created_by: str | None
    activity_id: int | None
    file_handle_id: int | None
    file_kind: str | None
    content_type: str | None
    size_bytes: int | None
    md5: str | None
    sha256: str | None
    mode: int | None

    @property
    def id(self) -> Version:
        """The entity and the number."""
        return self.entity_id, self.number


_HOME = entity.alias("home")
_COLUMNS = (
    revision.c.entity_id,
    revision.c.number,
    entity.c.current_version,
    entity.c.project_id,
    _HOME.c.name.label("project_name"),
    entity.c.path,
    entity.c.name,
    revision.c.created_on,
    principal.c.name.label("created_by"),
    revision.c.activity_id,
    revision.c.file_handle_id,
    file_handle.c.kind.label("file_kind"),
    file_handle.c.content_type,
    file_handle.c.size_bytes,
    file_handle.c.md5,
    file_handle.c.sha256,
    revision.c.mode,
)


def _select(revisions: FromClause) -> Select[Any]:
    return select(*_COLUMNS).select_from(
        revisions.join(entity, entity.c.id == revision.c.entity_id)
        .join(_HOME, _HOME.c.id == entity.c.project_id)
        .outerjoin(file_handle, file_handle.c.id == revision.c.file_handle_id)
        .outerjoin(principal, principal.c.id == revision.c.created_by)
    )


_WANTED, _ID, _NUMBER = pairs("versions")
_NAMED = _select(_WANTED.join(revision, and_(revision.c.entity_id == _ID, revision.c.number == _NUMBER)))
_ROWS = _select(revision)
_IS_CURRENT = revision.c.number == entity.c.current_version
_MOMENT = revision.c.created_on, revision.c.entity_id, revision.c.number
_PATH = entity.c.path, entity.c.project_id
_SINCE = (
    select(entity.c.project_id, entity.c.path, entity.c.kind, entity.c.created_on, revision.c.created_on)
    .select_from(entity.join(revision, and_(revision.c.entity_id == entity.c.id, _IS_CURRENT)))
    .where(entity.c.project_id.in_(bindparam("projects", expanding=True)), entity.c.path.in_(texts("paths")))
)


def with_ids(tx: Transaction, wanted: Collection[Version], *, reader: Reader) -> list[FileVersion]:
    """Return those of some versions that exist and that the reader may read, each once, in the order given."""
    statement = _NAMED.where(in_readable(entity.c.project_id, reader)).params(versions=listed(wanted))
    found = {row.id: row for row in _rows(tx, statement)}
    return [found[one] for one in dict.fromkeys(wanted) if one in found]


def of_file(tx: Transaction, entity_id: int, *, before: int | None, limit: int) -> list[FileVersion]:
    """Return versions of a file, newest first, those before a number."""
    statement = _ROWS.where(revision.c.entity_id == entity_id).order_by(revision.c.number.desc()).limit(limit)
    if before is not None:
        statement = statement.where(revision.c.number < before)
    return _rows(tx, statement)


def at_paths(
    tx: Transaction, paths: Sequence[str], *, project: int | None, reader: Reader, after: MomentKey | None, limit: int
) -> list[FileVersion]:
    """Return the current versions of the files at some paths, in one project or in all, newest first."""
    return _newest(tx, and_(entity.c.path.in_(paths), _IS_CURRENT), project, reader, after, limit)


def with_digest(
    tx: Transaction,
    algorithm: Algorithm,
    prefix: str,
    *,
    project: int | None,
    reader: Reader,
    after: MomentKey | None,
    limit: int,
) -> list[FileVersion]:
    """Return versions whose digest begins with `prefix` (lower-case hex), newest first, in one project or in all."""
    digest = file_handle.c[algorithm]
    return _newest(tx, and_(digest >= prefix, digest < prefix + AFTER_HEX), project, reader, after, limit)


def _newest(
    tx: Transaction,
    condition: ColumnElement[bool],
    project: int | None,
    reader: Reader,
    after: MomentKey | None,
    limit: int,
) -> list[FileVersion]:
    statement = _of_files(project, reader).where(condition).order_by(*(one.desc() for one in _MOMENT)).limit(limit)
    return _rows(tx, statement if after is None else statement.where(tuple_(*_MOMENT) < after))


def below(
    tx: Transaction, prefix: str, *, project: int | None, reader: Reader, after: PathKey | None, limit: int
) -> list[FileVersion]:
    """Return the current versions of the files whose paths begin with `prefix`, in one project or in all, by path."""
    # One bound at each end, in a form that an index can serve.
    first = (prefix, -1) if after is None else max(after, (prefix, -1))
    statement = _of_files(project, reader).where(_IS_CURRENT).order_by(*_PATH).limit(limit)
    return _rows(tx, statement.where(tuple_(*_PATH) > first, entity.c.path < prefix + BEYOND))


def _of_files(project: int | None, reader: Reader) -> Select[Any]:
    statement = _ROWS.where(entity.c.kind == FILE, entity.c.project_id != TRASH_ID)
    statement = statement.where(in_readable(entity.c.project_id, reader))
    return statement if project is None else statement.where(entity.c.project_id == project)


def _rows(tx: Transaction, statement: Select[Any]) -> list[FileVersion]:
    return [FileVersion(*row) for row in tx.connection.execute(statement)]


def superseded(tx: Transaction, rows: Sequence[FileVersion]) -> set[Version]:
    """Return those of some current versions that cannot be there any more: their place, or their folder's, is taken.

    At one place there is a file, a directory that was recorded as one thing, or a folder: what came last.
    """
    stems = {row.path: row.path.rstrip("/") for row in rows}
    above = {path: folders_above(path) for path in stems}
    asked = {path for stem in stems.values() for path in (stem, f"{stem}/")}
    asked.update(*above.values())
    since: dict[tuple[int, str, str], int] = {}
    projects = {row.project_id for row in rows}
    found = tx.connection.execute(_SINCE, {"projects": sorted(projects), "paths": listed(asked)})
    for project_id, path, kind, created_on, made_on in found:
        since[project_id, path, kind] = created_on if kind == FOLDER else made_on
    gone = set()
    for row in rows:
        stem = stems[row.path]
        rivals = [(stem, FOLDER)] if row.path == stem else []
        rivals += [(stem if row.path != stem else f"{stem}/", FILE), *((folder, FILE) for folder in above[row.path])]
        if any(since.get((row.project_id, *rival), row.created_on) > row.created_on for rival in rivals):
            gone.add(row.id)
    return gone
