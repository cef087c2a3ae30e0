"""Makings: the activities that wrote exactly the bytes of a version, and which one precedes a given reader.

The first making is the activity of the version. Further ones are jobs that wrote the same bytes again. For a reader
the answer names the latest making that ended before the reader began; where the clocks leave none, the first. A version
that has earlier bytes of its file again, put back by hand, has the makings of those; a file in a directory has those of
the directory.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from sqlalchemy import ColumnElement, and_, func, literal_column, select

from snakeprov.db import members
from snakeprov.db.access import Reader, readable_run
from snakeprov.db.database import Transaction
from snakeprov.db.keys import listed, numbers, pairs, triples
from snakeprov.db.lineage import Version
from snakeprov.db.tables import AGAIN, activity, job, job_file, revision, run, was_reproduced

NEVER: Final = 2**62
"""A moment after every other, in milliseconds: `told` then returns the latest making."""

MAKINGS_MAX: Final = 100
"""Makings of one version that are listed: the latest."""

Asked = tuple[int, int, int]
"""An entity's number, the number of its version, and the moment before which a making must have ended."""


_earlier = revision.alias("earlier")
_PUT_BACK = select(revision.c.entity_id, revision.c.number, _earlier.c.entity_id, _earlier.c.number)
_IS_PUT_BACK = and_(
    revision.c.meaning == AGAIN,
    revision.c.of_entity_id.is_not(None),
    _earlier.c.entity_id == revision.c.of_entity_id,
    _earlier.c.number == revision.c.of_version,
    # Else a job wrote the bytes anew.
    _earlier.c.activity_id == revision.c.activity_id,
)
_MADE_IT = func.coalesce(job_file.c.activity_id, job.c.activity_id)
_ANY = select(job_file.c.job_number).where(was_reproduced()).limit(1)


def _is_making(id_: ColumnElement[int], number: ColumnElement[int]) -> ColumnElement[bool]:
    return and_(was_reproduced(), job_file.c.entity_id == id_, job_file.c.version == number)


def put_back(tx: Transaction, versions: Collection[Version]) -> dict[Version, Version]:
    """Return those of some versions that have the bytes of an earlier one put back, with that one."""
    if not versions:
        return {}
    wanted, id_, number = pairs("versions")
    of_these = and_(revision.c.entity_id == id_, revision.c.number == number)
    statement = _PUT_BACK.select_from(wanted.join(revision, of_these).join(_earlier, _IS_PUT_BACK))
    rows = tx.rows(statement, {"versions": listed(versions)})
    return {(row[0], row[1]): (row[2], row[3]) for row in rows}


def put_back_from(tx: Transaction, versions: Collection[Version]) -> dict[Version, list[Version]]:
    """Return the versions that have the bytes of some versions put back, by these."""
    if not versions:
        return {}
    wanted, id_, number = pairs("versions")
    of_these = and_(revision.c.of_entity_id == id_, revision.c.of_version == number)
    statement = _PUT_BACK.select_from(wanted.join(revision, of_these).join(_earlier, _IS_PUT_BACK))
    found: dict[Version, list[Version]] = {}
    for row in tx.rows(statement, {"versions": listed(versions)}):
        found.setdefault((row[2], row[3]), []).append((row[0], row[1]))
    return found


def made_again(tx: Transaction, versions: Collection[Version]) -> set[Version]:
    """Return those of some versions that have further makings, or have them from others."""
    if not versions or tx.connection.execute(_ANY).first() is None:
        return set()
    sources = _sources(tx, versions)
    found = _made_again(tx, {*versions, *_all(sources)})
    return {version for version in versions if version in found or not found.isdisjoint(sources.get(version, ()))}


def _sources(tx: Transaction, versions: Collection[Version]) -> dict[Version, list[Version]]:
    """Return the versions whose makings are those of some versions as well, the nearest first."""
    found: dict[Version, list[Version]] = {}
    for version, directories in members.directories_of(tx, versions).items():
        found[version] = directories[::-1]
    for version, earlier in put_back(tx, versions).items():
        found.setdefault(version, []).append(earlier)
    return found


def _all(sources: Mapping[Version, Collection[Version]]) -> set[Version]:
    return {one for some in sources.values() for one in some}


def _made_again(tx: Transaction, versions: Collection[Version]) -> set[Version]:
    wanted, id_, number = pairs("versions")
    has_more = select(literal_column("1")).where(_is_making(id_, number)).correlate(wanted).exists()
    statement = select(id_, number).select_from(wanted).where(has_more)
    return {(row[0], row[1]) for row in tx.rows(statement, {"versions": listed(versions)})}


def told(tx: Transaction, asked: Collection[Asked], reader: Reader) -> dict[Asked, int | None]:
    """Return the latest further making before each moment, of those that `reader` may see; None if there is none.

    Meant for the versions that `made_again` returns: the caller falls back on the version's own activity.
    """
    if not asked:
        return {}
    sources = _sources(tx, {(one[0], one[1]) for one in asked})
    having = {one: [one, *((*source, one[2]) for source in sources.get((one[0], one[1]), ()))] for one in asked}
    found = _told(tx, {each for some in having.values() for each in some}, reader)
    return {one: next((found[each] for each in some if found[each] is not None), None) for one, some in having.items()}


def _told(tx: Transaction, asked: Collection[Asked], reader: Reader) -> dict[Asked, int | None]:
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
    """Return what some activities only made again, at most `limit`: activity, entity and version number.

    Versions into which these bytes were put back later, and files in a directory that was made again, are among them.
    """
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
    rows = tx.rows(statement, {"activities": listed(activity_ids)})
    again = put_back_from(tx, {(row[1], row[2]) for row in rows})
    found = [(row[0], row[1], row[2]) for row in rows]
    found += [(row[0], *version) for row in rows for version in again.get((row[1], row[2]), ())]
    inside = members.of_directories(tx, {(id_, number) for _, id_, number in found})
    found += [(maker, *version) for maker, id_, number in found for version in inside.get((id_, number), ())]
    return list(dict.fromkeys(found))


def of_versions(tx: Transaction, versions: Collection[Version], reader: Reader) -> dict[Version, list[int]]:
    """Return the activities that made some versions, oldest first: the first making, then those `reader` may see.

    The latest `MAKINGS_MAX` of each version.
    """
    if not versions:
        return {}
    sources = _sources(tx, versions)
    found = _of_versions(tx, {*versions, *_all(sources)}, reader)
    every = {
        version: [maker for one in (*sources.get(version, ())[::-1], version) for maker in found.get(one, ())]
        for version in versions
    }
    return {version: list(dict.fromkeys(some))[-MAKINGS_MAX:] for version, some in every.items()}


def _of_versions(tx: Transaction, versions: Collection[Version], reader: Reader) -> dict[Version, list[int]]:
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
    for statement, some in ((first, versions), (further, _made_again(tx, versions))):
        for entity_id, version, activity_id in tx.rows(statement, {"versions": listed(some)}) if some else ():
            found.setdefault((entity_id, version), []).append(activity_id)
    return found
