"""Find versions by how they were made (rule, values, commit, run, time, status), by path and by content.

A condition is about jobs or about versions. Where there is one about jobs, each output of each job that fits is a
result, and a job without outputs is one too; else each version that fits.
"""

from __future__ import annotations

from collections.abc import Collection
from difflib import get_close_matches
from typing import Any, Literal, NamedTuple

from sqlalchemy import ColumnElement, Select, and_, func, literal, null, or_, select, true, tuple_

from snakeprov.db.access import Reader, in_readable, readable_run
from snakeprov.db.database import Transaction
from snakeprov.db.fileversions import AFTER_HEX, BEYOND, Algorithm
from snakeprov.db.tables import (
    FILE,
    TRASH_ID,
    entity,
    file_handle,
    job,
    job_file,
    job_value,
    revision,
    run,
    run_value,
)
from snakeprov.model.answers import Outcome
from snakeprov.model.records import JobStatus

KEYS_MAX = 1000
"""Maximum number of distinct keys, or rules, that are examined."""

NEAR_MAX = 3

_WILD = ("*", "?")


class Condition(NamedTuple):
    """Something that must hold, of jobs or of versions."""

    of: Literal["job", "version"]
    clause: ColumnElement[bool]


class Result(NamedTuple):
    """A version and the job that made it, either may be unknown; `path` is None for a job without outputs."""

    path: str | None
    entity_id: int | None
    number: int | None
    current_version: int | None
    created_on: int | None
    activity_id: int | None
    annotations: str | None
    sha256: str | None
    size_bytes: int | None
    outcome: Outcome | None
    job_id: str | None
    rule: str | None
    status: JobStatus | None
    wildcards: str | None
    ended_on: int | None
    run_id: str | None
    git_commit: str | None
    git_dirty: int | None
    job_number: int
    position: int


Key = tuple[int, ...]
"""The place of a result among others: two numbers where a condition is about jobs, else four."""

_NUMBER = func.coalesce(job.c.number, 0)
_POSITION = func.coalesce(job_file.c.position, 0)
_OF_VERSION = (revision.c.created_on, revision.c.activity_id, revision.c.annotations)
_OF_CONTENT = (file_handle.c.sha256, file_handle.c.size_bytes)
_OF_JOB = (
    job.c.id.label("job_id"),
    job.c.rule,
    job.c.status,
    job.c.wildcards,
    job.c.ended_on,
    run.c.id.label("run_id"),
    run.c.git_commit,
    run.c.git_dirty,
)


def are_of_jobs(conditions: Collection[Condition]) -> bool:
    """Return whether a condition is about jobs."""
    return any(condition.of == "job" for condition in conditions)


def key_of(row: Result, *, of_jobs: bool) -> Key:
    """Return the place of a result, of a search with a condition about jobs or of one without."""
    if of_jobs:
        return row.job_number, row.position
    return row.created_on or 0, row.entity_id or 0, row.number or 0, row.job_number


def find(
    tx: Transaction, conditions: Collection[Condition], *, reader: Reader, after: Key | None, limit: int
) -> list[Result]:
    """Return the results that meet every condition and that the reader may read, latest first, those after one."""
    statement = _by_job(reader, after) if are_of_jobs(conditions) else _by_version(reader, after)
    statement = statement.where(*(condition.clause for condition in conditions)).limit(limit)
    return [Result(*row) for row in tx.connection.execute(statement)]


def _by_job(reader: Reader, after: Key | None) -> Select[Any]:
    begins: ColumnElement[bool] = true()
    if after is not None:
        number, position = after
        # The first bound is one that an index can serve.
        begins = and_(job.c.number <= number, or_(job.c.number < number, job_file.c.position > position))
    is_output = and_(job_file.c.job_number == job.c.number, job_file.c.role == "output")
    at_version = and_(revision.c.entity_id == job_file.c.entity_id, revision.c.number == job_file.c.version)
    seen = or_(entity.c.id.is_(None), and_(entity.c.project_id != TRASH_ID, in_readable(entity.c.project_id, reader)))
    return (
        select(
            job_file.c.path,
            job_file.c.entity_id,
            job_file.c.version,
            entity.c.current_version,
            *_OF_VERSION,
            func.coalesce(file_handle.c.sha256, job_file.c.sha256),
            file_handle.c.size_bytes,
            job_file.c.outcome,
            *_OF_JOB,
            job.c.number,
            _POSITION,
        )
        .select_from(
            job.join(run, run.c.id == job.c.run_id)
            .outerjoin(job_file, is_output)
            .outerjoin(revision, at_version)
            .outerjoin(entity, entity.c.id == revision.c.entity_id)
            .outerjoin(file_handle, file_handle.c.id == revision.c.file_handle_id)
        )
        .where(readable_run(reader), seen, begins)
        .order_by(job.c.number.desc(), job_file.c.position)
    )


def _by_version(reader: Reader, after: Key | None) -> Select[Any]:
    key = revision.c.created_on, revision.c.entity_id, revision.c.number, _NUMBER
    begins: ColumnElement[bool] = true() if after is None else tuple_(*key) < after
    return (
        select(
            entity.c.path,
            revision.c.entity_id,
            revision.c.number,
            entity.c.current_version,
            *_OF_VERSION,
            *_OF_CONTENT,
            null(),
            *_OF_JOB,
            _NUMBER,
            literal(0),
        )
        .select_from(
            revision.join(entity, entity.c.id == revision.c.entity_id)
            .outerjoin(file_handle, file_handle.c.id == revision.c.file_handle_id)
            .outerjoin(job, job.c.activity_id == revision.c.activity_id)
            .outerjoin(run, run.c.id == job.c.run_id)
        )
        .where(entity.c.kind == FILE, entity.c.project_id != TRASH_ID, in_readable(entity.c.project_id, reader), begins)
        .order_by(*(column.desc() for column in key))
    )


def with_job_value(keys: Collection[str], values: Collection[str]) -> Condition:
    """Return the condition that a job has one of some values under one of some keys."""
    of_value = job_value.c.key.in_(keys), job_value.c.value.in_(values)
    return Condition("job", job.c.number.in_(select(job_value.c.job_number).where(*of_value)))


def with_run_value(key: str, values: Collection[str]) -> Condition:
    """Return the condition that the run of a job has one of some values under a key."""
    of_value = run_value.c.key == key, run_value.c.value.in_(values)
    return Condition("job", job.c.run_id.in_(select(run_value.c.run_id).where(*of_value)))


def of_rule(names: Collection[str], *, dialect: str) -> Condition:
    """Return the condition that a job is of one of some rules, which may have the wildcards `*` and `?`."""
    return Condition("job", or_(*(_like(job.c.rule, name, dialect=dialect) for name in names)))


def of_status(statuses: Collection[str]) -> Condition:
    """Return the condition that a job ended in one of some ways."""
    return Condition("job", job.c.status.in_(statuses))


def of_runs(ids: Collection[str]) -> Condition:
    """Return the condition that a job belongs to one of some runs."""
    return Condition("job", job.c.run_id.in_(ids))


def at_commits(prefixes: Collection[str]) -> Condition:
    """Return the condition that a job's run was at a commit that begins in one of some ways (lower-case hex)."""
    column = run.c.git_commit
    begins = or_(*(and_(column >= prefix, column < prefix + AFTER_HEX) for prefix in prefixes))
    return Condition("job", job.c.run_id.in_(select(run.c.id).where(begins)))


def between(since_ms: int | None, until_ms: int | None) -> Condition:
    """Return the condition that a job ended at a moment or after it, and before another."""
    clauses = [job.c.listed_on >= since_ms] if since_ms is not None else []
    clauses += [job.c.listed_on < until_ms] if until_ms is not None else []
    return Condition("job", and_(*clauses))


def at_paths(patterns: Collection[str], *, dialect: str) -> Condition:
    """Return the condition that a version lies at one of some paths; `*` and `?` stand for any characters."""
    return Condition("version", or_(*(_like(entity.c.path, pattern, dialect=dialect) for pattern in patterns)))


def with_digests(prefixes: Collection[tuple[Algorithm, str]]) -> Condition:
    """Return the condition that a version's content has one of some digests, or one that begins so."""
    begins = (
        and_(file_handle.c[algorithm] >= prefix, file_handle.c[algorithm] < prefix + AFTER_HEX)
        for algorithm, prefix in prefixes
    )
    # Not by the handle that is joined: this way the search begins at the digests.
    return Condition("version", revision.c.file_handle_id.in_(select(file_handle.c.id).where(or_(*begins))))


def annotated(key: str, values: Collection[str]) -> Condition:
    """Return the condition that a version's annotations may have a value under a key: who asks has to look closer."""
    text = revision.c.annotations
    has_value = or_(*(text.contains(value, autoescape=True) for value in values))
    return Condition("version", and_(text.contains(f'"{key}"', autoescape=True), has_value))


def knows_key(tx: Transaction, key: str, *, reader: Reader) -> bool:
    """Return whether a job that the reader may see has a value under a key."""
    statement = select(job_value.c.job_number).where(job_value.c.key == key).limit(1)
    if reader is not None:
        own = job_value.join(job, job.c.number == job_value.c.job_number).join(run, run.c.id == job.c.run_id)
        statement = statement.select_from(own).where(readable_run(reader))
    return tx.connection.execute(statement).first() is not None


def keys(tx: Transaction, *, reader: Reader) -> list[str]:
    """Return the keys under which jobs that the reader may see have values, in order, at most `KEYS_MAX`."""
    found = _distinct(tx, job_value.c.key)
    return found if reader is None else [key for key in found if knows_key(tx, key, reader=reader)]


def near_rules(tx: Transaction, name: str, *, reader: Reader) -> list[str]:
    """Return rules that resemble `name` if no rule has that name; none for users who may not see all jobs."""
    known = _distinct(tx, job.c.rule) if reader is None else []
    return [] if name in known else get_close_matches(name, known, n=NEAR_MAX)


def _distinct(tx: Transaction, column: Any) -> list[str]:
    """Return the different values of the first column of an index, going from one to the next and not over all rows."""
    values = select(func.min(column).label("value")).cte("distinct_values", recursive=True)
    following = select(func.min(column)).where(column > values.c.value).scalar_subquery()
    values = values.union_all(select(following).where(values.c.value.is_not(None)))
    statement = select(values.c.value).where(values.c.value.is_not(None)).limit(KEYS_MAX)
    return list(tx.connection.execute(statement).scalars())


def _like(column: Any, pattern: str, *, dialect: str) -> ColumnElement[bool]:
    if not any(sign in pattern for sign in _WILD):
        return and_(column == pattern)
    if dialect == "sqlite":
        # LIKE takes upper and lower case for the same there, GLOB does not; it knows sets of characters, we do not.
        prefix = pattern[: min(place for sign in _WILD if (place := pattern.find(sign)) >= 0)]
        return and_(column >= prefix, column < prefix + BEYOND, column.op("GLOB")(pattern.replace("[", "[[]")))
    escaped = pattern.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return and_(column.like(escaped.replace("*", "%").replace("?", "_"), escape="\\"))
