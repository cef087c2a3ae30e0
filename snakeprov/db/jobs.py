"""Jobs, and the versions that they read and wrote."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, bindparam, func, select, tuple_

from snakeprov.db.database import Transaction
from snakeprov.db.keys import listed, numbers, texts
from snakeprov.db.statements import Parameters, Query, insert_into
from snakeprov.db.tables import file_handle, job, job_file, job_value, revision, run
from snakeprov.model.answers import Outcome, Role
from snakeprov.model.records import JobStatus

AMBIGUOUS_MAX = 5
"""Maximum number of jobs returned for an ambiguous id prefix."""

JobKey = tuple[int, int]
"""The place of a job among those of its run: when it ended, and its number."""

OutputKey = tuple[int, int, int]
"""The place of an output among those of its run: that of its job, and its position there."""


class JobRow(NamedTuple):
    """A job; `record` is its JobRecord as JSON."""

    number: int
    id: str
    run_id: str
    activity_id: int | None
    record: str
    listed_on: int


class JobFileRow(NamedTuple):
    """One file of a job, and the version that it was."""

    role: Role
    path: str
    entity_id: int | None
    version: int | None
    sha256: str | None
    outcome: Outcome
    activity_id: int | None


class JobSummaryRow(NamedTuple):
    """A job in a listing."""

    number: int
    id: str
    rule: str
    status: JobStatus
    wildcards: str
    started_on: int | None
    ended_on: int | None
    attempt: int
    error: str | None
    activity_id: int | None
    listed_on: int


class OutputRow(NamedTuple):
    """An output of a run."""

    path: str
    entity_id: int
    version: int
    sha256: str | None
    size_bytes: int | None
    rule: str
    outcome: Outcome
    job_id: str
    created_on: int
    listed_on: int
    job_number: int
    position: int


class MadeBy(NamedTuple):
    """The job from which an activity was recorded. SQLite has no truth values: `git_dirty` is 0, 1 or unknown."""

    activity_id: int
    job_id: str
    rule: str
    status: JobStatus
    ended_on: int | None
    wildcards: str
    run_id: str
    git_commit: str | None
    git_dirty: int | None


class _Number(NamedTuple):
    number: int


class _FileOf(NamedTuple):
    job_number: int
    role: Role
    path: str
    entity_id: int | None
    version: int | None
    sha256: str | None
    outcome: Outcome
    activity_id: int | None


_COLUMNS = (job.c.number, job.c.id, job.c.run_id, job.c.activity_id, job.c.record, job.c.listed_on)
_NUMBER = Query(select(job.c.number).where(job.c.id == bindparam("id")), _Number)
_GET = Query(select(*_COLUMNS).where(job.c.id == bindparam("id")), JobRow, checked=job)
_WITH_IDS = Query(select(*_COLUMNS).where(job.c.id.in_(texts("ids"))), JobRow, checked=job)
_FILE_COLUMNS = (
    job_file.c.role,
    job_file.c.path,
    job_file.c.entity_id,
    job_file.c.version,
    job_file.c.sha256,
    job_file.c.outcome,
    job_file.c.activity_id,
)
_FILES = Query(
    select(*_FILE_COLUMNS).where(job_file.c.job_number == bindparam("job_number")).order_by(job_file.c.position),
    JobFileRow,
    checked=job_file,
)
_FILES_OF_SOME = (
    select(job_file.c.job_number, *_FILE_COLUMNS)
    .where(job_file.c.job_number.in_(numbers("jobs")))
    .order_by(job_file.c.job_number, job_file.c.position)
)
_FILES_OF = Query(_FILES_OF_SOME, _FileOf, checked=job_file)
_OUTPUTS_OF = Query(_FILES_OF_SOME.where(job_file.c.role == "output"), _FileOf, checked=job_file)
_VERSION = Query(
    select(revision.c.number).where(
        revision.c.entity_id == bindparam("entity_id"), revision.c.number == bindparam("number")
    ),
    _Number,
)
_WITH_RUN = job.join(run, run.c.id == job.c.run_id)
_MADE_COLUMNS = (
    job.c.id.label("job_id"),
    job.c.rule,
    job.c.status,
    job.c.ended_on,
    job.c.wildcards,
    job.c.run_id,
    run.c.git_commit,
    run.c.git_dirty,
)
_MADE_OWN = Query(
    select(job.c.activity_id, *_MADE_COLUMNS)
    .select_from(_WITH_RUN)
    .where(job.c.activity_id.in_(numbers("activities")))
    .order_by(job.c.number),
    MadeBy,
)
_MADE_OF_FILE = Query(
    select(job_file.c.activity_id, *_MADE_COLUMNS)
    .select_from(_WITH_RUN.join(job_file, job_file.c.job_number == job.c.number))
    .where(job_file.c.activity_id.in_(numbers("activities")))
    .order_by(job.c.number),
    MadeBy,
)
_OUTPUTS = job.join(job_file, job_file.c.job_number == job.c.number).join(
    revision, (revision.c.entity_id == job_file.c.entity_id) & (revision.c.number == job_file.c.version)
)
_INSERT = insert_into(job, but=["number"])
_INSERT_FILE = insert_into(job_file)
_INSERT_VALUE = insert_into(job_value)


def is_recorded(tx: Transaction, id_: str) -> bool:
    """Say whether there is a job with that id."""
    return tx.one(_NUMBER, id=id_) is not None


def get(tx: Transaction, id_: str) -> JobRow | None:
    """Return the job with an id, or None."""
    return tx.one(_GET, id=id_)


def beginning_with(tx: Transaction, prefix: str) -> list[JobRow]:
    """Return the first few jobs whose id begins with `prefix`, which is ASCII."""
    statement = select(*_COLUMNS).where(job.c.id >= prefix, job.c.id < prefix + "\x7f").order_by(job.c.id)
    return [JobRow(*row) for row in tx.connection.execute(statement.limit(AMBIGUOUS_MAX))]


def files(tx: Transaction, number: int) -> list[JobFileRow]:
    """Return the files of a job in the order they were sent."""
    return tx.all(_FILES, job_number=number)


def has_version(tx: Transaction, entity_id: int, version: int) -> bool:
    """Say whether an entity has a version."""
    return tx.one(_VERSION, entity_id=entity_id, number=version) is not None


def insert(
    tx: Transaction, *, columns: Parameters, files: Sequence[JobFileRow], values: Collection[tuple[str, str]]
) -> None:
    """Add a job.

    Args:
        tx: The transaction.
        columns: Those of the table but `number` and `listed_on`.
        files: The files it touched.
        values: Keys and values that it is found by, each pair once.
    """
    listed_on = columns["ended_on"] if columns["ended_on"] is not None else tx.now_ms
    number = tx.insert(_INSERT, listed_on=listed_on, **columns)
    tx.run_many(
        _INSERT_FILE,
        [
            {
                "job_number": number,
                "position": position,
                "role": file.role,
                "path": file.path,
                "entity_id": file.entity_id,
                "version": file.version,
                "sha256": file.sha256,
                "outcome": file.outcome,
                "activity_id": file.activity_id,
            }
            for position, file in enumerate(files)
        ],
    )
    tx.run_many(_INSERT_VALUE, [{"key": key, "value": value, "job_number": number} for key, value in values])


def of_activity(tx: Transaction, activity_id: int) -> JobRow | None:
    """Return the job from which an activity was recorded, or None."""
    found = made(tx, [activity_id]).get(activity_id)
    return None if found is None else get(tx, found.job_id)


def made(tx: Transaction, activity_ids: Collection[int]) -> dict[int, MadeBy]:
    """Return, for each activity that was recorded from a job, that job.

    Usually the activity is the job's own; a file of a job can have an activity to itself.
    """
    found: dict[int, MadeBy] = {}
    for query in (_MADE_OWN, _MADE_OF_FILE):
        if missing := [id_ for id_ in activity_ids if id_ not in found]:
            for row in tx.all(query, activities=listed(missing)):
                found.setdefault(row.activity_id, row)
    return found


def count(tx: Transaction, run_id: str) -> int:
    """Return how many jobs a run has."""
    statement = select(func.count()).select_from(job).where(job.c.run_id == run_id)
    return int(tx.connection.execute(statement).scalar_one())


def page(tx: Transaction, run_id: str, *, after: JobKey | None, limit: int) -> list[JobSummaryRow]:
    """Return jobs of a run in the order they ended, those after one."""
    statement = _of_run(
        select(
            job.c.number,
            job.c.id,
            job.c.rule,
            job.c.status,
            job.c.wildcards,
            job.c.started_on,
            job.c.ended_on,
            job.c.attempt,
            job.c.error,
            job.c.activity_id,
            job.c.listed_on,
        ),
        run_id,
        after,
    )
    return [JobSummaryRow(*row) for row in tx.connection.execute(statement.limit(limit))]


def of_run(tx: Transaction, run_id: str, *, after: JobKey | None, limit: int) -> list[JobRow]:
    """Return jobs of a run, with their records, in the order they ended, those after one."""
    statement = _of_run(select(*_COLUMNS), run_id, after)
    return [JobRow(*row) for row in tx.connection.execute(statement.limit(limit))]


def with_ids(tx: Transaction, ids: Collection[str]) -> list[JobRow]:
    """Return those of some jobs that exist, each once, in the order given."""
    found = {row.id: row for row in tx.all(_WITH_IDS, ids=listed(ids))}
    return [found[id_] for id_ in dict.fromkeys(ids) if id_ in found]


def _of_run(statement: Select[Any], run_id: str, after: JobKey | None) -> Select[Any]:
    key = job.c.listed_on, job.c.number
    statement = statement.where(job.c.run_id == run_id).order_by(*key)
    return statement if after is None else statement.where(tuple_(*key) > after)


def files_of(tx: Transaction, job_numbers: Collection[int]) -> dict[int, list[JobFileRow]]:
    """Return the files of some jobs in the order they were sent, by the number of the job."""
    return _by_job(tx, _FILES_OF, job_numbers)


def outputs_of(tx: Transaction, job_numbers: Collection[int]) -> dict[int, list[JobFileRow]]:
    """Return the outputs of some jobs in the order they were sent, by the number of the job."""
    return _by_job(tx, _OUTPUTS_OF, job_numbers)


def _by_job(tx: Transaction, query: Query[_FileOf], job_numbers: Collection[int]) -> dict[int, list[JobFileRow]]:
    found: dict[int, list[JobFileRow]] = {}
    for row in tx.all(query, jobs=listed(job_numbers)):
        found.setdefault(row.job_number, []).append(JobFileRow._make(row[1:]))
    return found


def outputs(tx: Transaction, run_id: str, *, after: OutputKey | None, limit: int) -> list[OutputRow]:
    """Return versions that a run made or made again, the latest first, those after one."""
    key = job.c.listed_on, job.c.number, job_file.c.position
    statement = (
        select(
            job_file.c.path,
            job_file.c.entity_id,
            job_file.c.version,
            job_file.c.sha256,
            file_handle.c.size_bytes,
            job.c.rule,
            job_file.c.outcome,
            job.c.id,
            revision.c.created_on,
            *key,
        )
        .select_from(_OUTPUTS.outerjoin(file_handle, file_handle.c.id == revision.c.file_handle_id))
        .where(*_are_outputs_of(run_id))
        .order_by(*(column.desc() for column in key))
        .limit(limit)
    )
    if after is not None:
        statement = statement.where(tuple_(*key) < after)
    return [OutputRow(*row) for row in tx.connection.execute(statement)]


def count_outputs(tx: Transaction, run_id: str) -> int:
    """Return how many versions a run made or made again."""
    statement = select(func.count()).select_from(_OUTPUTS).where(*_are_outputs_of(run_id))
    return int(tx.connection.execute(statement).scalar_one())


def _are_outputs_of(run_id: str) -> tuple[ColumnElement[bool], ...]:
    return job.c.run_id == run_id, job_file.c.role == "output"
