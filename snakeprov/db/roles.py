"""The role of each version in the first job that named it: input, output, log, code, …"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from sqlalchemy import select

from snakeprov.db.database import Transaction
from snakeprov.db.keys import listed, pairs
from snakeprov.db.lineage import Version
from snakeprov.db.statements import Query
from snakeprov.db.tables import job_file
from snakeprov.model.answers import Role


class _Role(NamedTuple):
    entity_id: int
    number: int
    role: Role | None


_WANTED, _ID, _NUMBER = pairs("versions")
_FIRST = (
    select(job_file.c.role)
    .where(job_file.c.entity_id == _ID, job_file.c.version == _NUMBER)
    .order_by(job_file.c.job_number, job_file.c.position)
    .limit(1)
    .correlate(_WANTED)
    .scalar_subquery()
)
_ROLES = Query(
    select(_ID.label("entity_id"), _NUMBER.label("number"), _FIRST.label("role")).select_from(_WANTED), _Role
)


def of(tx: Transaction, versions: Collection[Version]) -> dict[Version, Role]:
    """Return the role of each version that a job named."""
    if not versions:
        return {}
    rows = tx.all(_ROLES, versions=listed(versions))
    return {(row.entity_id, row.number): row.role for row in rows if row.role is not None}
