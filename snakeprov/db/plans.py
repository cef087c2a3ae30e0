"""The planned jobs of runs."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, NamedTuple

from sqlalchemy import and_, bindparam, delete, func, or_, select

from snakeprov.db.database import Transaction
from snakeprov.db.keys import listed, pairs, texts
from snakeprov.db.statements import Command, Query, insert_into
from snakeprov.db.tables import EDITED, entity, job, job_file, revision, run, run_plan
from snakeprov.model.paths import folders_above


class PlanRow(NamedTuple):
    """A plan, in the form that the server gives it."""

    jobs: bytes


class Ended(NamedTuple):
    """How a job of a run ended, one attempt of it."""

    id: str
    rule: str
    wildcards: str
    status: str


EDITED_MAX = 10_000
"""Edited versions that are looked for among what the jobs of a run read."""

_NEVER: Final = 2**62
"""A job's number after every other."""

_WANTED, _ID, _VERSION = pairs("versions")
_EDITED = (
    select(revision.c.entity_id, revision.c.number)
    .where(
        # In this form the partial index on the versions that point at another serves.
        revision.c.of_entity_id.is_not(None),
        revision.c.meaning == EDITED,
        revision.c.activity_id.is_(None),
        revision.c.created_on >= select(run.c.started_on).where(run.c.id == bindparam("run_id")).scalar_subquery(),
    )
    .limit(EDITED_MAX)
)
_READ = (
    select(job_file.c.path)
    .select_from(
        _WANTED.join(job_file, and_(job_file.c.entity_id == _ID, job_file.c.version == _VERSION)).join(
            job, job.c.number == job_file.c.job_number
        )
    )
    .where(job.c.run_id == bindparam("run_id"))
    .distinct()
)
_EDITED_NOW = (
    select(entity.c.path, func.min(job_file.c.job_number))
    .select_from(
        revision.join(
            entity, and_(entity.c.id == revision.c.entity_id, entity.c.current_version == revision.c.number)
        ).outerjoin(
            job_file, and_(job_file.c.entity_id == revision.c.entity_id, job_file.c.version == revision.c.number)
        )
    )
    .where(
        revision.c.of_entity_id.is_not(None),
        revision.c.meaning == EDITED,
        revision.c.activity_id.is_(None),
        entity.c.project_id == bindparam("of_project"),
    )
    .group_by(entity.c.path)
    .limit(EDITED_MAX)
)
_LAST_MADE = (
    select(entity.c.path, func.max(job_file.c.job_number))
    .select_from(entity.join(job_file, job_file.c.entity_id == entity.c.id))
    .where(
        entity.c.project_id == bindparam("of_project"),
        entity.c.path.in_(texts("paths")),
        or_(job_file.c.outcome == "generated", job_file.c.outcome == "reproduced"),
    )
    .group_by(entity.c.path)
)
_GET = Query(select(run_plan.c.jobs).where(run_plan.c.run_id == bindparam("run_id")), PlanRow)
_DELETE = Command(delete(run_plan).where(run_plan.c.run_id == bindparam("of_run_id")))
_INSERT = insert_into(run_plan)
_ENDED = Query(
    select(job.c.id, job.c.rule, job.c.wildcards, job.c.status)
    .where(job.c.run_id == bindparam("run_id"), job.c.rule.in_(texts("rules")))
    .order_by(job.c.listed_on, job.c.number),
    Ended,
)


def put(tx: Transaction, run_id: str, jobs: bytes) -> None:
    """Keep the plan of a run, in place of the one before."""
    tx.run(_DELETE, of_run_id=run_id)
    tx.run(_INSERT, run_id=run_id, jobs=jobs)


def get(tx: Transaction, run_id: str) -> bytes | None:
    """Return the plan of a run, or None."""
    row = tx.one(_GET, run_id=run_id)
    return None if row is None else row.jobs


def ended(tx: Transaction, run_id: str, rules: Collection[str]) -> list[Ended]:
    """Return the jobs of some rules of a run that have a record, each attempt, in the order they ended."""
    return tx.all(_ENDED, run_id=run_id, rules=listed(rules))


def edited_now(tx: Transaction, project_id: int, outputs: Collection[str]) -> set[str]:
    """Filter outputs to those that were edited since they were last made, or that contain an edited file."""
    found: dict[str, list[int]] = {}
    for path, seen in tx.rows(_EDITED_NOW, {"of_project": project_id}):
        for place in (path, *(f"{folder}/" for folder in folders_above(path))):
            if place in outputs:
                # What no job named was not seen before anything.
                found.setdefault(place, []).append(_NEVER if seen is None else seen)
    if not found:
        return set()
    made = {row[0]: row[1] for row in tx.rows(_LAST_MADE, {"of_project": project_id, "paths": listed(found)})}
    return {path for path, seen in found.items() if max(seen) > made.get(path, 0)}


def edited(tx: Transaction, run_id: str) -> set[str]:
    """Return the paths of files that the jobs of a run read and that turned out to be edited since it began."""
    versions = [(row[0], row[1]) for row in tx.rows(_EDITED, {"run_id": run_id})]
    if not versions:
        return set()
    return {row[0] for row in tx.rows(_READ, {"versions": listed(versions), "run_id": run_id})}
