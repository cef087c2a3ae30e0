"""Makings: the activities that wrote exactly the bytes of a version, and which of them a reader of it had before it.

Must not know: HTTP, or who asks what for.

The first making is the activity of the version. Further ones are jobs that wrote the same bytes again. For a reader
the latest making that ended before the reader began is told; where the clocks leave none, the first.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from sqlalchemy import ColumnElement, and_, func, literal_column, select

from snakeprov.store.access import Reader, readable_run
from snakeprov.store.keys import listed, numbers, pairs, triples
from snakeprov.store.lineage import Version
from snakeprov.store.store import Transaction
from snakeprov.store.tables import activity, job, job_file, revision, run, was_reproduced

NEVER: Final = 2**62
"""A moment after every other, in milliseconds: `told` then returns the latest making."""

MAKINGS_MAX: Final = 100
"""Makings of one version that are listed: the latest."""

Asked = tuple[int, int, int]
"""An entity's number, the number of its version, and the moment before which a making must have ended."""


_MADE_IT = func.coalesce(job_file.c.activity_id, job.c.activity_id)
_ANY = select(job_file.c.job_number).where(was_reproduced()).limit(1)


def _is_making(id_: ColumnElement[int], number: ColumnElement[int]) -> ColumnElement[bool]:
    return and_(was_reproduced(), job_file.c.entity_id == id_, job_file.c.version == number)


def made_again(tx: Transaction, versions: Collection[Version]) -> set[Version]:
    """Return those of some versions that have further makings."""
    if not versions or tx.connection.execute(_ANY).first() is None:
        return set()
    wanted, id_, number = pairs("versions")
    has_more = select(literal_column("1")).where(_is_making(id_, number)).correlate(wanted).exists()
    statement = select(id_, number).select_from(wanted).where(has_more)
    return {(row[0], row[1]) for row in tx.rows(statement, {"versions": listed(versions)})}


def told(tx: Transaction, asked: Collection[Asked], reader: Reader) -> dict[Asked, int | None]:
    """Return the latest further making before each moment, of those that `reader` may see; None where there is none.

    Meant for the versions that `made_again` returns: the caller falls back on the version's own activity.
    """
    if not asked:
        return {}
    wanted, id_, number, moment = triples("asked")
    # In the order of recording, so that the search ends at the first job that had ended.
    latest = (
        select(_MADE_IT)
        .select_from(job_file.join(job, job.c.number == job_file.c.job_number).join(run, run.c.id == job.c.run_id))
        .where(_is_making(id_, number), job.c.listed_on <= moment, _MADE_IT.is_not(None), readable_run(reader))
        .order_by(job_file.c.job_number.desc())
        .limit(1)
        .correlate(wanted)
        .scalar_subquery()
    )
    statement = select(id_, number, moment, latest).select_from(wanted)
    return {(row[0], row[1], row[2]): row[3] for row in tx.rows(statement, {"asked": listed(asked)})}


def began(tx: Transaction, activity_ids: Collection[int]) -> dict[int, int]:
    """Return when each activity began: its job, or else the latest moment at which it can have begun."""
    if not activity_ids:
        return {}
    moment = func.coalesce(job.c.started_on, job.c.listed_on, activity.c.created_on)
    statement = (
        select(activity.c.id, moment)
        .select_from(activity.outerjoin(job, job.c.activity_id == activity.c.id))
        .where(activity.c.id.in_(numbers("activities")))
    )
    return {row[0]: row[1] for row in tx.rows(statement, {"activities": listed(activity_ids)})}


def of_activities(tx: Transaction, activity_ids: Collection[int], *, limit: int) -> list[tuple[int, int, int]]:
    """Return what some activities only made again, at most `limit`: activity, entity and version number."""
    if not activity_ids or tx.connection.execute(_ANY).first() is None:
        return []
    own = (
        select(job.c.activity_id, job_file.c.entity_id, job_file.c.version)
        .select_from(job.join(job_file, job_file.c.job_number == job.c.number))
        .where(
            job.c.activity_id.in_(numbers("activities")),
            was_reproduced(),
            job_file.c.activity_id.is_(None),
            job_file.c.entity_id.is_not(None),
        )
    )
    of_file = select(job_file.c.activity_id, job_file.c.entity_id, job_file.c.version).where(
        job_file.c.activity_id.in_(numbers("activities")), was_reproduced(), job_file.c.entity_id.is_not(None)
    )
    statement = own.union(of_file).order_by(literal_column("1"), literal_column("2"), literal_column("3")).limit(limit)
    found = tx.rows(statement, {"activities": listed(activity_ids)})
    return [(row[0], row[1], row[2]) for row in found]


def of_versions(tx: Transaction, versions: Collection[Version], reader: Reader) -> dict[Version, list[int]]:
    """Return the activities that made some versions, oldest first: the first making, then those `reader` may see.

    The latest `MAKINGS_MAX` of each version.
    """
    found: dict[Version, list[int]] = {}
    wanted, id_, number = pairs("versions")
    first = (
        select(revision.c.entity_id, revision.c.number, revision.c.activity_id)
        .select_from(wanted.join(revision, and_(revision.c.entity_id == id_, revision.c.number == number)))
        .where(revision.c.activity_id.is_not(None))
    )
    further = (
        select(job_file.c.entity_id, job_file.c.version, _MADE_IT)
        .select_from(
            wanted.join(job_file, _is_making(id_, number))
            .join(job, job.c.number == job_file.c.job_number)
            .join(run, run.c.id == job.c.run_id)
        )
        .where(_MADE_IT.is_not(None), readable_run(reader))
        .order_by(job_file.c.job_number, job_file.c.position)
    )
    for statement, some in ((first, versions), (further, made_again(tx, versions))):
        for entity_id, version, activity_id in tx.rows(statement, {"versions": listed(some)}) if some else ():
            makings = found.setdefault((entity_id, version), [])
            if activity_id not in makings:
                makings.append(activity_id)
    return {version: makings[-MAKINGS_MAX:] for version, makings in found.items()}
