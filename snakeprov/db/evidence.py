"""Records that may explain the bytes at a path: its earlier versions, other paths, and its first reader."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import ColumnElement, FromClause, and_, bindparam, func, literal, or_, select

from snakeprov.db.database import Transaction
from snakeprov.db.lookup import Found
from snakeprov.db.statements import Query
from snakeprov.db.tables import (
    AGAIN,
    EDITED,
    FILE,
    SAME_CONTENT,
    entity,
    file_handle,
    job,
    job_file,
    revision,
    usage,
    was_reproduced,
)

HANDLES_MAX = 1000
"""Maximum number of file handles examined per content, newest first."""

CANDIDATES_MAX = 100
"""Maximum number of versions with the same content examined for copies."""

READERS_MAX = 1000
"""Maximum number of readers examined per version, in the order of recording."""


class Past(NamedTuple):
    """A version that may explain bytes; `is_work`: a job made it, or it was edited or copied from a job's."""

    entity_id: int
    number: int
    activity_id: int | None
    is_work: int


class _Earlier(NamedTuple):
    number: int
    activity_id: int | None
    meaning: str | None
    of_entity_id: int | None
    of_version: int | None


class _Moment(NamedTuple):
    moment: int


_OF, _ORIGIN = revision.alias("of"), revision.alias("origin")
_REMADE = (
    select(literal(1))
    .select_from(job_file)
    .where(job_file.c.entity_id == revision.c.entity_id, job_file.c.version == revision.c.number, was_reproduced())
    .exists()
)


def _is_work(version: FromClause) -> ColumnElement[bool]:
    """Return the condition that a job made a version, or that it was edited after what one made."""
    return or_(version.c.activity_id.is_not(None), func.coalesce(version.c.meaning == EDITED, False))


def _comes_from_work(version: FromClause, of: FromClause) -> ColumnElement[bool]:
    """Return the condition that a version is work, or a copy of it; a copy of a raw input is another raw input."""
    return or_(_is_work(version), and_(func.coalesce(version.c.meaning == SAME_CONTENT, False), _is_work(of)))


_IS_WORK = or_(
    _comes_from_work(revision, _OF), and_(revision.c.meaning == AGAIN, _comes_from_work(_OF, _ORIGIN)), _REMADE
)
_PAST = Query(
    select(
        revision.c.entity_id,
        revision.c.number,
        revision.c.activity_id,
        func.coalesce(_IS_WORK, False).label("is_work"),
    )
    .select_from(
        revision.outerjoin(
            _OF, and_(_OF.c.entity_id == revision.c.of_entity_id, _OF.c.number == revision.c.of_version)
        ).outerjoin(_ORIGIN, and_(_ORIGIN.c.entity_id == _OF.c.of_entity_id, _ORIGIN.c.number == _OF.c.of_version))
    )
    .where(revision.c.entity_id == bindparam("of_id"), revision.c.number == bindparam("of_number")),
    Past,
)
_EARLIER = Query(
    select(
        revision.c.number,
        revision.c.activity_id,
        revision.c.meaning,
        revision.c.of_entity_id,
        revision.c.of_version,
    )
    .select_from(revision.join(file_handle, file_handle.c.id == revision.c.file_handle_id))
    .where(
        revision.c.entity_id == bindparam("of_id"),
        revision.c.number != bindparam("of_number"),
        file_handle.c.sha256 == bindparam("content"),
    )
    .order_by(revision.c.number.desc())
    .limit(1),
    _Earlier,
)
_HANDLES = (
    select(file_handle.c.id)
    .where(file_handle.c.sha256 == bindparam("content"))
    .order_by(file_handle.c.id.desc())
    .limit(HANDLES_MAX)
    .subquery()
)
_CANDIDATES = (
    select(
        revision.c.entity_id,
        revision.c.number,
        revision.c.activity_id,
        _is_work(revision).label("is_work"),
        revision.c.created_on,
    )
    .select_from(
        _HANDLES.join(revision, revision.c.file_handle_id == _HANDLES.c.id).join(
            entity, entity.c.id == revision.c.entity_id
        )
    )
    .where(entity.c.project_id == bindparam("of_project"), entity.c.kind == FILE, entity.c.path != bindparam("of_path"))
    .order_by(revision.c.activity_id.is_(None), revision.c.created_on.desc(), entity.c.id.desc())
    .limit(CANDIDATES_MAX)
    .subquery()
)
_source, _source_entity, _source_handle = revision.alias("source"), entity.alias("its"), file_handle.alias("has")
_IS_COPY = (
    select(literal(1))
    .select_from(
        usage.join(_source, and_(_source.c.entity_id == usage.c.target_id, _source.c.number == usage.c.target_version))
        .join(_source_entity, _source_entity.c.id == _source.c.entity_id)
        .join(_source_handle, _source_handle.c.id == _source.c.file_handle_id)
    )
    .where(
        usage.c.activity_id == _CANDIDATES.c.activity_id,
        _source_handle.c.sha256 == bindparam("content"),
        _source_entity.c.project_id == bindparam("of_project"),
        _source_entity.c.path != bindparam("of_path"),
    )
    .correlate(_CANDIDATES)
    .exists()
)
_ELSEWHERE = Query(
    select(_CANDIDATES.c.entity_id, _CANDIDATES.c.number, _CANDIDATES.c.activity_id, _CANDIDATES.c.is_work)
    .order_by(
        _IS_COPY,
        _CANDIDATES.c.activity_id.is_(None),
        _CANDIDATES.c.created_on.desc(),
        _CANDIDATES.c.entity_id.desc(),
    )
    .limit(1),
    Past,
)
_FIRST_READ = Query(
    select(func.coalesce(job.c.started_on, job.c.ended_on, 0).label("moment"))
    .select_from(job_file.join(job, job.c.number == job_file.c.job_number))
    .where(
        job_file.c.entity_id == bindparam("of_id"),
        job_file.c.version == bindparam("of_number"),
        or_(job_file.c.outcome == "used", job_file.c.outcome == "executed"),
    )
    .order_by(job_file.c.job_number)
    .limit(READERS_MAX),
    _Moment,
)


def past(tx: Transaction, entity_id: int, number: int) -> Past | None:
    """Return a version, or None."""
    return tx.one(_PAST, of_id=entity_id, of_number=number)


def earlier(tx: Transaction, current: Found, sha256: str) -> Past | None:
    """Return the newest version before the current one of a file that has a content, or None.

    Where that version only has the content of another one again, by the same activity, it is the other one.
    """
    found = tx.one(_EARLIER, of_id=current.id, of_number=current.number, content=sha256)
    if found is None:
        return None
    number = found.number
    if found.meaning == AGAIN and found.of_entity_id == current.id and found.of_version is not None:
        origin = past(tx, current.id, found.of_version)
        if origin is not None and origin.activity_id == found.activity_id:
            number = found.of_version
    return past(tx, current.id, number)


def elsewhere(tx: Transaction, project_id: int, path: str, sha256: str) -> Past | None:
    """Return a version of another file of a project that has a content, or None.

    It is where the bytes come from, rather than what an activity made of another version with the same bytes; among
    several the newest that an activity made.
    """
    return tx.one(_ELSEWHERE, of_project=project_id, of_path=path, content=sha256)


def first_read(tx: Transaction, entity_id: int, number: int) -> int | None:
    """Return when the first job began that read or ran a version; None: no recorded job did."""
    return min((row.moment for row in tx.all(_FIRST_READ, of_id=entity_id, of_number=number)), default=None)
