"""Find entities by the paths of their files."""

from __future__ import annotations

from collections.abc import Collection
from difflib import get_close_matches
from typing import Any, NamedTuple

from sqlalchemy import Select, and_, bindparam, func, select

from snakeprov.db.access import Reader, activity_is_readable, in_readable, readable_run
from snakeprov.db.database import Transaction
from snakeprov.db.entities import inside, within
from snakeprov.db.keys import listed, texts
from snakeprov.db.tables import FILE, ROOT_ID, TRASH_ID, activity, entity, file_handle, job, revision, run

NEAR_MAX = 5
"""How many near paths are offered."""

CANDIDATES_MAX = 2000
"""How many recorded paths a path is compared with."""

ALIKE_MIN = 0.75
"""How alike two paths are that resemble each other, from 0 to 1."""


class Found(NamedTuple):
    """An entity at its current version, with its content."""

    path: str
    kind: str
    id: int
    etag: str
    parent_id: int | None
    name: str
    number: int
    file_handle_id: int | None
    activity_id: int | None
    sha256: str | None
    md5: str | None
    size_bytes: int | None
    content_type: str | None
    handle_kind: str | None
    created_on: int
    meaning: str | None


_CURRENT = and_(revision.c.entity_id == entity.c.id, revision.c.number == entity.c.current_version)
_FOUND = (
    select(
        entity.c.path,
        entity.c.kind,
        entity.c.id,
        entity.c.etag,
        entity.c.parent_id,
        entity.c.name,
        revision.c.number,
        revision.c.file_handle_id,
        revision.c.activity_id,
        file_handle.c.sha256,
        file_handle.c.md5,
        file_handle.c.size_bytes,
        file_handle.c.content_type,
        file_handle.c.kind,
        revision.c.created_on,
        revision.c.meaning,
    )
    .select_from(entity.join(revision, _CURRENT).outerjoin(file_handle, file_handle.c.id == revision.c.file_handle_id))
    .where(
        entity.c.project_id == bindparam("project_id"),
        entity.c.path.in_(texts("paths")),
    )
)


def project_id(tx: Transaction, name: str) -> int | None:
    """Return the project of that name, or None."""
    statement = select(entity.c.id).where(entity.c.parent_id == ROOT_ID, entity.c.name == name)
    found: int | None = tx.connection.execute(statement).scalar()
    return found


def at_paths(tx: Transaction, project: int, paths: Collection[str]) -> dict[str, list[Found]]:
    """Return the entities of a project that lie at some paths: a file, a folder or both; "" is the project itself."""
    found: dict[str, list[Found]] = {}
    for row in tx.connection.execute(_FOUND, {"project_id": project, "paths": listed(paths)}):
        found.setdefault(row[0], []).append(Found(*row))
    return found


def near(tx: Transaction, path: str, *, project: int | None, reader: Reader) -> list[str]:
    """Return recorded paths of readable files that resemble an unrecorded one.

    Similar names in its folder; else files of that name anywhere; else similar names anywhere.
    """
    folder, _, name = path.rstrip("/").rpartition("/")
    statement = select(entity.c.path).where(entity.c.kind == FILE, entity.c.project_id != TRASH_ID).distinct()
    statement = statement.where(in_readable(entity.c.project_id, reader))
    if project is not None:
        statement = statement.where(entity.c.project_id == project)
    statement = statement.order_by(entity.c.path)
    in_folder = statement.where(within(inside(folder))) if folder else statement
    namesakes = statement.where(entity.c.path.endswith("/" + name, autoescape=True))
    return (
        get_close_matches(path, _paths(tx, in_folder), n=NEAR_MAX, cutoff=ALIKE_MIN)
        or (_paths(tx, namesakes, limit=NEAR_MAX) if name else [])
        or get_close_matches(path, _paths(tx, statement), n=NEAR_MAX, cutoff=ALIKE_MIN)
    )


def _paths(tx: Transaction, statement: Select[Any], *, limit: int = CANDIDATES_MAX) -> list[str]:
    return list(tx.connection.execute(statement.limit(limit)).scalars())


class Counts(NamedTuple):
    """How much a store holds."""

    entities: int
    versions: int
    activities: int
    jobs: int
    runs: int


def counts(tx: Transaction, *, reader: Reader) -> Counts:
    """Count what the store holds and the reader may see; entities and versions are those of files."""
    if reader is not None:
        return _counts_for(tx, reader)
    of_files = select(func.count()).select_from(entity).where(entity.c.kind == FILE)
    versions = select(func.count()).select_from(revision).where(revision.c.file_handle_id.is_not(None))
    others = [select(func.count()).select_from(table) for table in (activity, job, run)]
    return Counts(*(int(tx.connection.execute(statement).scalar_one()) for statement in (of_files, versions, *others)))


def _counts_for(tx: Transaction, reader: Reader) -> Counts:
    files = entity.c.kind == FILE, in_readable(entity.c.project_id, reader)
    of_entity, of_run = revision.c.entity_id == entity.c.id, job.c.run_id == run.c.id
    statements = (
        select(func.count()).select_from(entity).where(*files),
        select(func.count()).select_from(revision.join(entity, of_entity)).where(*files),
        select(func.count()).select_from(activity).where(activity_is_readable(reader)),
        select(func.count()).select_from(job.join(run, of_run)).where(readable_run(reader)),
        select(func.count()).select_from(run).where(readable_run(reader)),
    )
    return Counts(*(int(tx.connection.execute(statement).scalar_one()) for statement in statements))
