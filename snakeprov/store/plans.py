"""The jobs that runs had before them.

Must not know: HTTP, or what is said of each job.
"""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import bindparam, delete, select

from snakeprov.store.statements import Command, Query, insert_into
from snakeprov.store.store import Transaction
from snakeprov.store.tables import job, run_plan


class PlanRow(NamedTuple):
    """A plan; `jobs` is compressed JSON."""

    jobs: bytes


class Ended(NamedTuple):
    """How a job of a run ended, one attempt of it."""

    id: str
    rule: str
    wildcards: str
    status: str


_GET = Query(select(run_plan.c.jobs).where(run_plan.c.run_id == bindparam("run_id")), PlanRow)
_DELETE = Command(delete(run_plan).where(run_plan.c.run_id == bindparam("of_run_id")))
_INSERT = insert_into(run_plan)
_ENDED = Query(
    select(job.c.id, job.c.rule, job.c.wildcards, job.c.status)
    .where(job.c.run_id == bindparam("run_id"))
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


def ended(tx: Transaction, run_id: str) -> list[Ended]:
    """Return the jobs of a run that have a record, each attempt, in the order they ended."""
    return tx.all(_ENDED, run_id=run_id)
