"""Everything that came from some versions or activities, however far away, in one question to the database.

Must not know: HTTP, or how a start is named.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple

from sqlalchemy import CTE, Column, Select, and_, literal, select, union

from snakeprov.store.access import Reader, in_readable, readable_run
from snakeprov.store.keys import listed, numbers, pairs
from snakeprov.store.lineage import Version
from snakeprov.store.store import Transaction
from snakeprov.store.tables import (
    TRASH_ID,
    activity,
    entity,
    file_handle,
    job,
    job_file,
    revision,
    run,
    usage,
    was_reproduced,
)

ROUNDS_MAX = 20
"""So often what came from a version that was only made again is asked for anew."""


_ANY_REPRODUCED = select(job_file.c.job_number).where(was_reproduced()).limit(1)


class Affected(NamedTuple):
    """A version, and the job that made it or, with the outcome `reproduced`, made the same bytes again."""

    entity_id: int
    number: int
    current_version: int
    path: str
    name: str
    sha256: str | None
    size_bytes: int | None
    created_on: int
    activity_id: int
    activity_name: str | None
    rule: str | None
    run_id: str | None
    git_commit: str | None
    git_dirty: bool | None
    outcome: str


def users_of(versions: Collection[Version], entities: Collection[int]) -> Select[tuple[int]]:
    """Return the query for the activities that used some versions, or any version of some entities."""
    wanted, id_, number = pairs("versions")
    of_versions = select(usage.c.activity_id).select_from(
        wanted.join(usage, and_(usage.c.target_id == id_, usage.c.target_version == number))
    )
    of_entities = select(usage.c.activity_id).where(usage.c.target_id.in_(numbers("entities")))
    both = union(of_versions, of_entities).subquery()
    return select(both.c.activity_id).params(versions=listed(versions), entities=listed(entities))


def activities_of(
    *, rule: str | None, run_ids: Collection[str] | None, commit: str | None, reader: Reader
) -> Select[tuple[int]]:
    """Return the query for the activities of jobs: of a rule, of some runs, at a commit that begins with `commit`."""
    jobs = _jobs_of(job.c.activity_id, rule=rule, run_ids=run_ids, commit=commit, reader=reader)
    return jobs.where(job.c.activity_id.is_not(None))


def is_any_job(
    tx: Transaction, *, rule: str | None, run_ids: Collection[str] | None, commit: str | None, reader: Reader
) -> bool:
    """Return whether there is a job, with an activity or without, of which all this holds."""
    jobs = _jobs_of(job.c.number, rule=rule, run_ids=run_ids, commit=commit, reader=reader)
    return tx.connection.execute(jobs.limit(1)).first() is not None


def _jobs_of(
    column: Column[int], *, rule: str | None, run_ids: Collection[str] | None, commit: str | None, reader: Reader
) -> Select[tuple[int]]:
    jobs = select(column).select_from(job.join(run, run.c.id == job.c.run_id)).where(readable_run(reader))
    if rule is not None:
        jobs = jobs.where(job.c.rule == rule)
    if run_ids is not None:
        jobs = jobs.where(job.c.run_id.in_(sorted(run_ids)))
    if commit is not None:
        jobs = jobs.where(run.c.git_commit >= commit, run.c.git_commit < commit + "g")
    return jobs


def downstream(
    tx: Transaction, starts: Select[tuple[int]], *, reader: Reader, limit: int
) -> tuple[list[Affected], bool]:
    """Return what some activities made and all that came from it, and whether more than `limit` was found.

    What somebody may not read is not told, and nothing is told of what came from it only. What was put into the trash
    is passed through and not told.

    Args:
        tx: The transaction.
        starts: The query for the activities.
        reader: Who looks.
        limit: How many activities are passed and how many versions returned, at most.
    """
    found: dict[Version, Affected] = {}
    truncated = False
    has_reproduced = tx.connection.execute(_ANY_REPRODUCED).first() is not None
    for _ in range(ROUNDS_MAX):
        again: list[Version] = []
        # One more than is allowed, to know whether there is more.
        some = _reached(starts, reader=reader).limit(limit + 1).cte("some_of_them")
        rows = list(map(Affected._make, tx.rows(_generated(some, reader).limit(limit + 1))))
        truncated = truncated or len(rows) > limit
        if has_reproduced:
            made_again = list(map(Affected._make, tx.rows(_reproduced(some, reader).limit(limit + 1))))
            truncated = truncated or len(made_again) > limit
            again += [(row.entity_id, row.number) for row in made_again if (row.entity_id, row.number) not in found]
            rows += made_again
        for row in rows:
            found.setdefault((row.entity_id, row.number), row)
        # What used bytes that were there before, and were made again by something affected.
        if not again or truncated:
            break
        starts = users_of(set(again), ())
    else:
        truncated = True
    told = list(found.values())
    return told[:limit], truncated or len(told) > limit


def _reached(starts: Select[tuple[int]], *, reader: Reader) -> Select[tuple[int]]:
    """Return the query for some activities, for those that used what they made, and so on, the nearest first."""
    reached = starts.cte("reached", recursive=True)
    made = revision.alias("made")
    onward = (
        select(usage.c.activity_id)
        .select_from(reached)
        .join(made, made.c.activity_id == reached.c.activity_id)
        .join(usage, and_(usage.c.target_id == made.c.entity_id, usage.c.target_version == made.c.number))
    )
    if reader is not None:
        between = entity.alias("between")
        onward = onward.join(between, between.c.id == made.c.entity_id).where(in_readable(between.c.project_id, reader))
    return select(reached.union(onward).c.activity_id)


def _generated(some: CTE, reader: Reader) -> Select[Any]:
    return _told("generated", reader).select_from(
        some.join(revision, revision.c.activity_id == some.c.activity_id)
        .join(entity, entity.c.id == revision.c.entity_id)
        .join(activity, activity.c.id == some.c.activity_id)
        .outerjoin(file_handle, file_handle.c.id == revision.c.file_handle_id)
        .outerjoin(job, job.c.activity_id == some.c.activity_id)
        .outerjoin(run, run.c.id == job.c.run_id)
    )


def _reproduced(some: CTE, reader: Reader) -> Select[Any]:
    at_version = and_(revision.c.entity_id == job_file.c.entity_id, revision.c.number == job_file.c.version)
    return (
        _told("reproduced", reader)
        .select_from(
            some.join(job, job.c.activity_id == some.c.activity_id)
            .join(job_file, job_file.c.job_number == job.c.number)
            .join(revision, at_version)
            .join(entity, entity.c.id == revision.c.entity_id)
            .join(activity, activity.c.id == some.c.activity_id)
            .outerjoin(file_handle, file_handle.c.id == revision.c.file_handle_id)
            .join(run, run.c.id == job.c.run_id)
        )
        .where(was_reproduced())
    )


def _told(outcome: str, reader: Reader) -> Select[Any]:
    return select(
        revision.c.entity_id,
        revision.c.number,
        entity.c.current_version,
        entity.c.path,
        entity.c.name,
        file_handle.c.sha256,
        file_handle.c.size_bytes,
        revision.c.created_on,
        activity.c.id.label("activity_id"),
        activity.c.name.label("activity_name"),
        job.c.rule,
        job.c.run_id,
        run.c.git_commit,
        run.c.git_dirty,
        literal(outcome).label("outcome"),
    ).where(entity.c.project_id != TRASH_ID, in_readable(entity.c.project_id, reader))
