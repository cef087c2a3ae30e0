"""What is known of many versions and many jobs at once, for questions about a whole lineage.

Must not know: HTTP, or who asks.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from sqlalchemy import bindparam, select

from snakeprov.store.jobs import JobRow, chunked
from snakeprov.store.lineage import Version, is_one_of, pairs
from snakeprov.store.store import Transaction
from snakeprov.store.tables import entity, file_handle, job, principal, revision


class VersionDetails(NamedTuple):
    """A version, its content, and who recorded it."""

    entity_id: int
    number: int
    project_id: int
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


_VERSIONS = (
    select(
        revision.c.entity_id,
        revision.c.number,
        entity.c.project_id,
        entity.c.path,
        entity.c.name,
        revision.c.created_on,
        principal.c.name,
        revision.c.activity_id,
        revision.c.file_handle_id,
        file_handle.c.kind,
        file_handle.c.content_type,
        file_handle.c.size_bytes,
        file_handle.c.md5,
        file_handle.c.sha256,
    )
    .select_from(
        revision.join(entity, entity.c.id == revision.c.entity_id)
        .outerjoin(file_handle, file_handle.c.id == revision.c.file_handle_id)
        .outerjoin(principal, principal.c.id == revision.c.created_by)
    )
    .where(is_one_of(revision.c.entity_id, revision.c.number))
)
_JOBS = select(job.c.number, job.c.id, job.c.run_id, job.c.activity_id, job.c.record).where(
    job.c.id.in_(bindparam("ids", expanding=True))
)


def versions(tx: Transaction, wanted: Collection[Version]) -> dict[Version, VersionDetails]:
    """Return what is known of each version that exists."""
    found: dict[Version, VersionDetails] = {}
    for chunk in chunked(wanted):
        for row in tx.connection.execute(_VERSIONS, pairs(chunk)):
            found[row[0], row[1]] = VersionDetails(*row)
    return found


def jobs(tx: Transaction, ids: Collection[str]) -> dict[str, JobRow]:
    """Return each job that exists, by its id."""
    rows = (JobRow(*row) for chunk in chunked(ids) for row in tx.connection.execute(_JOBS, {"ids": chunk}))
    return {row.id: row for row in rows}
