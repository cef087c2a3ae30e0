"""Details of many versions and jobs at once, for questions about a whole lineage."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from sqlalchemy import and_, select

from snakeprov.db.database import Transaction
from snakeprov.db.jobs import JobRow
from snakeprov.db.keys import listed, pairs, texts
from snakeprov.db.lineage import Version
from snakeprov.db.statements import Query
from snakeprov.db.tables import entity, file_handle, job, principal, revision


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
    mode: int | None
    meaning: str | None


_WANTED, _ID, _NUMBER = pairs("versions")
_VERSIONS = Query(
    select(
        revision.c.entity_id,
        revision.c.number,
        entity.c.project_id,
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
        revision.c.meaning,
    ).select_from(
        _WANTED.join(revision, and_(revision.c.entity_id == _ID, revision.c.number == _NUMBER))
        .join(entity, entity.c.id == revision.c.entity_id)
        .outerjoin(file_handle, file_handle.c.id == revision.c.file_handle_id)
        .outerjoin(principal, principal.c.id == revision.c.created_by)
    ),
    VersionDetails,
)
_JOBS = Query(
    select(job.c.number, job.c.id, job.c.run_id, job.c.activity_id, job.c.record, job.c.listed_on).where(
        job.c.id.in_(texts("ids"))
    ),
    JobRow,
    checked=job,
)


def versions(tx: Transaction, wanted: Collection[Version]) -> dict[Version, VersionDetails]:
    """Return the details of each version that exists."""
    return {(row.entity_id, row.number): row for row in tx.all(_VERSIONS, versions=listed(wanted))}


def jobs(tx: Transaction, ids: Collection[str]) -> dict[str, JobRow]:
    """Return each job that exists, by its id."""
    return {row.id: row for row in tx.all(_JOBS, ids=listed(ids))}
