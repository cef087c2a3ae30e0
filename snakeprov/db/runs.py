"""Runs of Snakemake, and the outcome of their jobs."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple

from sqlalchemy import bindparam, delete, func, select, tuple_

from snakeprov.db import access
from snakeprov.db.access import Reader
from snakeprov.db.checksums import content
from snakeprov.db.database import Transaction
from snakeprov.db.statements import Command, Query, change, insert_into
from snakeprov.db.tables import job, run, run_value
from snakeprov.model.records import JobStatus, RunStatus

AMBIGUOUS_MAX = 6
"""How many runs with the same beginning of their id are looked at."""


class RunRow(NamedTuple):
    """A run; `record` is its RunRecord as JSON."""

    id: str
    status: RunStatus
    record: str
    project_id: int | None
    created_by: int
    started_on: int


class RunOwner(NamedTuple):
    """Whose a run is, and the project that it belongs to, if there is one."""

    id: str
    project_id: int | None
    created_by: int


_COLUMNS = (run.c.id, run.c.status, run.c.record, run.c.project_id, run.c.created_by, run.c.started_on)
_FIXED = ("id", "created_by")
_OWNER = Query(select(run.c.id, run.c.project_id, run.c.created_by).where(run.c.id == bindparam("id")), RunOwner)
_GET = Query(select(*_COLUMNS).where(run.c.id == bindparam("id")), RunRow, checked=run)
_INSERT = insert_into(run)
_INSERT_VALUE = insert_into(run_value)
_DELETE_VALUES = Command(delete(run_value).where(run_value.c.run_id == bindparam("of_run")))
_UPDATE = Command(
    change(
        run,
        run.c.id == bindparam("of_id"),
        **{column.name: bindparam(f"new_{column.name}") for column in content(run) if column.name not in _FIXED},
    )
)


def owner(tx: Transaction, id_: str) -> RunOwner | None:
    """Return whose the run with that very id is, or None."""
    return tx.one(_OWNER, id=id_)


def get(tx: Transaction, id_: str) -> RunRow | None:
    """Return the run with that very id, or None."""
    return tx.one(_GET, id=id_)


def put(
    tx: Transaction,
    id_: str,
    *,
    user: int,
    started_on: int | None,
    values: Collection[tuple[str, str]],
    **columns: Any,
) -> bool:
    """Add a run, which is then the user's, or replace its record; return whether it is new.

    `values` are keys and values that it is found by, each pair once.
    """
    fields = {"started_on": tx.now_ms if started_on is None else started_on, **columns}
    is_new = owner(tx, id_) is None
    if is_new:
        tx.run(_INSERT, id=id_, created_by=user, **fields)
    else:
        tx.run(_UPDATE, of_id=id_, **{f"new_{name}": value for name, value in fields.items()})
        tx.run(_DELETE_VALUES, of_run=id_)
    tx.run_many(_INSERT_VALUE, [{"key": key, "value": value, "run_id": id_} for key, value in values])
    return is_new


def beginning_with(tx: Transaction, prefix: str, *, reader: Reader) -> list[RunRow]:
    """Return the first few runs that the reader may see whose id begins with `prefix`, which is ASCII."""
    statement = (
        select(*_COLUMNS)
        .where(run.c.id >= prefix, run.c.id < prefix + "\x7f", access.readable_run(reader))
        .order_by(run.c.id)
        .limit(AMBIGUOUS_MAX)
    )
    return [RunRow(*row) for row in tx.connection.execute(statement)]


def page(tx: Transaction, *, after: tuple[int, str] | None, limit: int, reader: Reader) -> list[RunRow]:
    """Return runs that the reader may see, newest first; `after`: when a run began, and its id."""
    statement = select(*_COLUMNS).where(access.readable_run(reader)).limit(limit)
    statement = statement.order_by(run.c.started_on.desc(), run.c.id.desc())
    if after is not None:
        statement = statement.where(tuple_(run.c.started_on, run.c.id) < after)
    return [RunRow(*row) for row in tx.connection.execute(statement)]


def count(tx: Transaction, *, reader: Reader) -> int:
    """Return how many runs there are that the reader may see."""
    statement = select(func.count()).select_from(run).where(access.readable_run(reader))
    return int(tx.connection.execute(statement).scalar_one())


def job_counts(tx: Transaction, ids: list[str]) -> dict[str, dict[JobStatus, int]]:
    """Return, for each run that has jobs, how many ended in which status."""
    counts: dict[str, dict[JobStatus, int]] = {}
    statement = (
        select(job.c.run_id, job.c.status, func.count())
        .where(job.c.run_id.in_(ids))
        .group_by(job.c.run_id, job.c.status)
        .order_by(job.c.run_id, func.min(job.c.number))
    )
    for run_id, status, number in tx.connection.execute(statement):
        counts.setdefault(run_id, {})[status] = number
    return counts
