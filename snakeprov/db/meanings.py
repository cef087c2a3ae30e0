"""What the bytes of versions mean: earlier bytes again, edited by hand, or the same content as another file."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from sqlalchemy import and_, bindparam, select

from snakeprov.db.database import Transaction
from snakeprov.db.keys import listed, pairs, texts
from snakeprov.db.lineage import Version
from snakeprov.db.statements import Query
from snakeprov.db.tables import entity, job, revision, run


class MeaningRow(NamedTuple):
    """What the bytes of a version mean, and the version that this points at.

    `of_…` is None where that version is not there any more, or went to another project: a user who may read the one
    need not be allowed to read the other.
    """

    entity_id: int
    number: int
    kind: str
    of_entity_id: int | None
    of_version: int | None
    of_path: str | None
    of_activity_id: int | None
    while_job: str | None
    while_rule: str | None


class _Id(NamedTuple):
    entity_id: int


_WANTED, _ID, _NUMBER = pairs("versions")
_own, _other, _target = entity.alias("own"), entity.alias("other"), revision.alias("target")
_is_that_job = and_(job.c.id == revision.c.while_job, run.c.project_id == _own.c.project_id)
_OF = Query(
    select(
        revision.c.entity_id,
        revision.c.number,
        revision.c.meaning.label("kind"),
        _other.c.id.label("of_entity_id"),
        _target.c.number.label("of_version"),
        _other.c.path.label("of_path"),
        _target.c.activity_id.label("of_activity_id"),
        revision.c.while_job,
        job.c.rule.label("while_rule"),
    )
    .select_from(
        _WANTED.join(revision, and_(revision.c.entity_id == _ID, revision.c.number == _NUMBER))
        .join(_own, _own.c.id == revision.c.entity_id)
        .outerjoin(_other, and_(_other.c.id == revision.c.of_entity_id, _other.c.project_id == _own.c.project_id))
        .outerjoin(_target, and_(_target.c.entity_id == _other.c.id, _target.c.number == revision.c.of_version))
        .outerjoin(job.join(run, run.c.id == job.c.run_id), _is_that_job)
    )
    .where(revision.c.meaning.is_not(None)),
    MeaningRow,
)


_FOLDER_MADE = Query(
    select(revision.c.entity_id)
    .select_from(revision.join(entity, entity.c.id == revision.c.entity_id))
    .where(
        revision.c.activity_id == bindparam("activity"),
        entity.c.project_id == bindparam("of_project"),
        entity.c.path.in_(texts("paths")),
    )
    .limit(1),
    _Id,
)


def has_made(tx: Transaction, activity_id: int, *, project_id: int, paths: Collection[str]) -> bool:
    """Say whether an activity generated a version of what lies at one of some paths of a project."""
    return tx.one(_FOLDER_MADE, activity=activity_id, of_project=project_id, paths=listed(paths)) is not None


def of(tx: Transaction, versions: Collection[Version]) -> dict[Version, MeaningRow]:
    """Return what the bytes of some versions mean; versions without a meaning are left out."""
    if not versions:
        return {}
    return {(row.entity_id, row.number): row for row in tx.all(_OF, versions=listed(versions))}
