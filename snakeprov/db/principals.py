"""Users by name and number."""

from __future__ import annotations

import uuid
from typing import NamedTuple

from sqlalchemy import bindparam, func, select

from snakeprov.db.database import Database, Transaction
from snakeprov.db.statements import Command, Query, change, insert_into
from snakeprov.db.tables import principal

FIRST_ID = 101


class Principal(NamedTuple):
    """A user."""

    id: int
    name: str
    etag: str
    created_on: int


class Account(NamedTuple):
    """A user as the administrator sees it."""

    id: int
    name: str
    created_on: int
    disabled_on: int | None


class _Id(NamedTuple):
    id: int


_COLUMNS = (principal.c.id, principal.c.name, principal.c.etag, principal.c.created_on)
_BY_NAME = Query(select(*_COLUMNS).where(principal.c.name == bindparam("name")), Principal)
_BY_ID = Query(select(*_COLUMNS).where(principal.c.id == bindparam("id")), Principal)
_LAST = Query(select(func.coalesce(func.max(principal.c.id), FIRST_ID - 1).label("id")), _Id)
_INSERT = insert_into(principal)
_ACCOUNT = (principal.c.id, principal.c.name, principal.c.created_on, principal.c.disabled_on)
_ACCOUNTS = Query(select(*_ACCOUNT).order_by(principal.c.id), Account)
_NAMED = Query(select(*_ACCOUNT).where(principal.c.name == bindparam("name")), Account)
_DISABLE = Command(
    change(
        principal,
        principal.c.name == bindparam("of_name"),
        principal.c.disabled_on.is_(None),
        disabled_on=bindparam("now"),
    )
)


def ensure(database: Database, name: str) -> Principal:
    """Return the user called `name`, who is made on first sight. Runs transactions of its own."""
    with database.read() as tx:
        found = tx.one(_BY_NAME, name=name)
    if found is not None:
        return found
    with database.write() as tx:
        found = tx.one(_BY_NAME, name=name)
        if found is None:
            (last,) = tx.all(_LAST)
            found = Principal(last.id + 1, name, str(uuid.uuid4()), tx.now_ms)
            tx.run(_INSERT, **found._asdict(), disabled_on=None)
    return found


def get(tx: Transaction, id_: int) -> Principal | None:
    """Return the user with a number, or None."""
    return tx.one(_BY_ID, id=id_)


def beginning_with(tx: Transaction, prefix: str, *, limit: int, offset: int) -> tuple[list[Principal], int]:
    """Return a page of the users whose names begin with a text in any case, by name, and how many there are."""
    where = func.lower(principal.c.name).startswith(prefix.lower(), autoescape=True)
    page = select(*_COLUMNS).where(where).order_by(principal.c.name).limit(limit).offset(offset)
    total = select(func.count()).select_from(principal).where(where)
    rows = [Principal(*row) for row in tx.connection.execute(page)]
    return rows, int(tx.connection.execute(total).scalar_one())


def named(tx: Transaction, name: str) -> Account | None:
    """Return the user called `name`, or None."""
    return tx.one(_NAMED, name=name)


def accounts(tx: Transaction) -> list[Account]:
    """Return all users in the order in which they came."""
    return tx.all(_ACCOUNTS)


def disable(tx: Transaction, name: str) -> bool:
    """Make all tokens of a user invalid for good; return whether there was such a user who was not disabled yet."""
    return tx.run(_DISABLE, of_name=name, now=tx.now_ms) > 0
