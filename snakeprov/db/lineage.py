"""One hop of lineage for a whole frontier at once."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from sqlalchemy import and_, bindparam, select

from snakeprov.db.database import Transaction
from snakeprov.db.keys import listed, numbers, pairs
from snakeprov.db.statements import Query
from snakeprov.db.tables import activity, entity, file_handle, job, job_file, revision, usage

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
    md5: str | None
    has_content: bool
    activity_id: int | None
    meaning: str | None


class UsageEdge(NamedTuple):
    """An activity used an entity version, or else a URL."""

    activity_id: int
    was_executed: bool
    target_id: int | None
    target_version: int | None
    url: str | None
    name: str | None


class Generated(NamedTuple):
    """An activity generated an entity version."""

    activity_id: int
    entity_id: int
    number: int


class _Name(NamedTuple):
    id: int
    name: str | None


_VERSIONS, _ID, _NUMBER = pairs("versions")
_NODES = Query(
    select(
        revision.c.entity_id,
        revision.c.number,
        entity.c.path,
        entity.c.name,
        entity.c.current_version,
        entity.c.project_id,
        file_handle.c.sha256,
        file_handle.c.md5,
        revision.c.file_handle_id.is_not(None).label("has_content"),
        revision.c.activity_id,
        revision.c.meaning,
    ).select_from(
        _VERSIONS.join(revision, and_(revision.c.entity_id == _ID, revision.c.number == _NUMBER))
        .join(entity, entity.c.id == revision.c.entity_id)
        .outerjoin(file_handle, file_handle.c.id == revision.c.file_handle_id)
    ),
    VersionNode,
)
_USAGES = select(
    usage.c.activity_id,
    usage.c.was_executed,
    usage.c.target_id,
    usage.c.target_version,
    usage.c.url,
    usage.c.name,
).limit(bindparam("limit"))
_IN_ORDER = (usage.c.activity_id, usage.c.position)
_OF_THESE = usage.c.activity_id.in_(numbers("activities"))
_USED_BY = Query(_USAGES.where(_OF_THESE).order_by(*_IN_ORDER), UsageEdge)
_URLS_USED_BY = Query(_USAGES.where(_OF_THESE, usage.c.url.is_not(None)).order_by(*_IN_ORDER), UsageEdge)
_USES = Query(
    _USAGES.select_from(
        _VERSIONS.join(usage, and_(usage.c.target_id == _ID, usage.c.target_version == _NUMBER))
    ).order_by(*_IN_ORDER),
    UsageEdge,
)
_GENERATED = Query(
    select(revision.c.activity_id, revision.c.entity_id, revision.c.number)
    .where(revision.c.activity_id.in_(numbers("activities")))
    .order_by(revision.c.activity_id, revision.c.entity_id, revision.c.number)
    .limit(bindparam("limit")),
    Generated,
)
_UNPROVED = Query(
    select(job.c.activity_id, job_file.c.entity_id, job_file.c.version.label("number"))
    .select_from(job.join(job_file, job_file.c.job_number == job.c.number))
    .where(
        job.c.activity_id.in_(numbers("activities")),
        job_file.c.sha256.is_(None),
        job_file.c.entity_id.is_not(None),
        job_file.c.role != "output",
    ),
    Generated,
)
_NAMES = Query(select(activity.c.id, activity.c.name).where(activity.c.id.in_(numbers("activities"))), _Name)


def nodes(tx: Transaction, versions: Collection[Version]) -> dict[Version, VersionNode]:
    """Return the facts about each version that exists."""
    return {(node.entity_id, node.number): node for node in tx.all(_NODES, versions=listed(versions))}


def used_by(tx: Transaction, activity_ids: Collection[int], *, limit: int) -> list[UsageEdge]:
    """Return what some activities used, at most `limit` of it."""
    return tx.plain(_USED_BY, activities=listed(activity_ids), limit=limit)


def urls_used_by(tx: Transaction, activity_ids: Collection[int], *, limit: int) -> list[UsageEdge]:
    """Return the URLs that some activities used, at most `limit` of them."""
    return tx.all(_URLS_USED_BY, activities=listed(activity_ids), limit=limit)


def uses_of(tx: Transaction, versions: Collection[Version], *, limit: int) -> list[UsageEdge]:
    """Return which activities used some versions, at most `limit` uses."""
    return tx.plain(_USES, versions=listed(versions), limit=limit)


def generated_by(tx: Transaction, activity_ids: Collection[int], *, limit: int) -> list[Generated]:
    """Return the versions that some activities generated, at most `limit`."""
    return tx.plain(_GENERATED, activities=listed(activity_ids), limit=limit)


def unproved_uses(tx: Transaction, activity_ids: Collection[int]) -> list[Generated]:
    """Return what the jobs of some activities used although its bytes were not read."""
    return tx.plain(_UNPROVED, activities=listed(activity_ids))


def names(tx: Transaction, activity_ids: Collection[int]) -> dict[int, str | None]:
    """Return the name of each activity that exists."""
    return {row.id: row.name for row in tx.all(_NAMES, activities=listed(activity_ids))}
