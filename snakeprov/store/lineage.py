"""One hop of lineage at a time, for a whole frontier at once.

Must not know: HTTP, how far a question goes, or what the answer looks like.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple

from sqlalchemy import Select, and_, bindparam, select, tuple_

from snakeprov.store.jobs import chunked
from snakeprov.store.store import Transaction
from snakeprov.store.tables import activity, entity, file_handle, revision, usage

Version = tuple[int, int]
"""An entity's number and the number of its version."""


class VersionNode(NamedTuple):
    """What is shown of an entity version, and the activity that generated it."""

    entity_id: int
    number: int
    path: str
    name: str
    current_version: int
    project_id: int
    sha256: str | None
    activity_id: int | None


class UsageEdge(NamedTuple):
    """An activity used an entity version, or else a URL."""

    activity_id: int
    was_executed: bool
    target_id: int | None
    target_version: int | None
    url: str | None
    name: str | None


_USAGE_COLUMNS = (
    usage.c.activity_id,
    usage.c.was_executed,
    usage.c.target_id,
    usage.c.target_version,
    usage.c.url,
    usage.c.name,
)


def is_one_of(id_column: Any, version_column: Any) -> Any:
    """Return the condition that a pair of columns is one of the versions in `pairs`."""
    # SQLite finds no index for a pair in a list of pairs; for the first of the two it does. Numbers that are written
    # into the statement cost SQLAlchemy a third less than as many parameters.
    return and_(
        id_column.in_(bindparam("ids", expanding=True, literal_execute=True)),
        tuple_(id_column, version_column).in_(bindparam("pairs", expanding=True, literal_execute=True)),
    )


def pairs(chunk: list[Version]) -> dict[str, Any]:
    """Return the parameters of `is_one_of`."""
    return {"ids": sorted({pair[0] for pair in chunk}), "pairs": chunk}


_NODES = (
    select(
        revision.c.entity_id,
        revision.c.number,
        entity.c.path,
        entity.c.name,
        entity.c.current_version,
        entity.c.project_id,
        file_handle.c.sha256,
        revision.c.activity_id,
    )
    .select_from(
        revision.join(entity, entity.c.id == revision.c.entity_id).outerjoin(
            file_handle, file_handle.c.id == revision.c.file_handle_id
        )
    )
    .where(is_one_of(revision.c.entity_id, revision.c.number))
)
_USED_BY = (
    select(*_USAGE_COLUMNS)
    .where(usage.c.activity_id.in_(bindparam("ids", expanding=True)))
    .order_by(usage.c.activity_id, usage.c.position)
)
_URLS_USED_BY = _USED_BY.where(usage.c.url.is_not(None))
_USES = (
    select(*_USAGE_COLUMNS)
    .where(is_one_of(usage.c.target_id, usage.c.target_version))
    .order_by(usage.c.activity_id, usage.c.position)
)
_GENERATED = (
    select(revision.c.activity_id, revision.c.entity_id, revision.c.number)
    .where(revision.c.activity_id.in_(bindparam("ids", expanding=True)))
    .order_by(revision.c.activity_id, revision.c.entity_id, revision.c.number)
)
_NAMES = select(activity.c.id, activity.c.name).where(activity.c.id.in_(bindparam("ids", expanding=True)))


def nodes(tx: Transaction, versions: Collection[Version]) -> dict[Version, VersionNode]:
    """Return what is known of each version that exists."""
    found: dict[Version, VersionNode] = {}
    for chunk in chunked(versions):
        for row in tx.rows(_NODES, pairs(chunk)):
            found[row[0], row[1]] = VersionNode(*row)
    return found


def used_by(tx: Transaction, activity_ids: Collection[int], *, limit: int) -> list[UsageEdge]:
    """Return what some activities used, at most `limit` of it."""
    chunks = [{"ids": chunk} for chunk in chunked(activity_ids)]
    return [UsageEdge(*row) for row in _rows(tx, _USED_BY, chunks, limit=limit)]


def urls_used_by(tx: Transaction, activity_ids: Collection[int], *, limit: int) -> list[UsageEdge]:
    """Return the URLs that some activities used, at most `limit` of them."""
    chunks = [{"ids": chunk} for chunk in chunked(activity_ids)]
    return [UsageEdge(*row) for row in _rows(tx, _URLS_USED_BY, chunks, limit=limit)]


def uses_of(tx: Transaction, versions: Collection[Version], *, limit: int) -> list[UsageEdge]:
    """Return which activities used some versions, at most `limit` uses."""
    chunks = [pairs(chunk) for chunk in chunked(versions)]
    return [UsageEdge(*row) for row in _rows(tx, _USES, chunks, limit=limit)]


def generated_by(tx: Transaction, activity_ids: Collection[int], *, limit: int) -> list[tuple[int, int, int]]:
    """Return (activity, entity, version) for each version that some activities generated, at most `limit`."""
    chunks = [{"ids": chunk} for chunk in chunked(activity_ids)]
    return [(row[0], row[1], row[2]) for row in _rows(tx, _GENERATED, chunks, limit=limit)]


def _rows(tx: Transaction, statement: Select[Any], chunks: list[dict[str, Any]], *, limit: int) -> list[Any]:
    rows: list[Any] = []
    for parameters in chunks:
        if len(rows) < limit:
            rows.extend(tx.rows(statement.limit(limit - len(rows)), parameters))
    return rows


def names(tx: Transaction, activity_ids: Collection[int]) -> dict[int, str | None]:
    """Return the name of each activity that exists."""
    return {row[0]: row[1] for chunk in chunked(activity_ids) for row in tx.rows(_NAMES, {"ids": chunk})}
