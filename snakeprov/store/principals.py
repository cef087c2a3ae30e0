"""Users by name and number.

Must not know: how a user proved who they are.
"""

from __future__ import annotations

import uuid
from typing import NamedTuple

from sqlalchemy import bindparam, func, insert, select

from snakeprov.store.statements import Command, Query
from snakeprov.store.store import Store, Transaction
from snakeprov.store.tables import principal

FIRST_ID = 101


class Principal(NamedTuple):
    """A user."""

    id: int
    name: str
    etag: str
    created_on: int


_COLUMNS = (principal.c.id, principal.c.name, principal.c.etag, principal.c.created_on)
_BY_NAME = Query(select(*_COLUMNS).where(principal.c.name == bindparam("name")), Principal)
_BY_ID = Query(select(*_COLUMNS).where(principal.c.id == bindparam("id")), Principal)
_INSERT = Command(
    insert(principal).values(
        id=select(func.coalesce(func.max(principal.c.id), FIRST_ID - 1) + 1).scalar_subquery(),
        name=bindparam("name"),
        etag=bindparam("etag"),
        created_on=bindparam("created_on"),
    )
)


def ensure(store: Store, name: str) -> Principal:
    """Return the user called `name`, who is made on first sight. Runs transactions of its own."""
    with store.read() as tx:
        found = tx.one(_BY_NAME, name=name)
    if found is not None:
        return found
    with store.write() as tx:
        found = tx.one(_BY_NAME, name=name)
        if found is None:
            tx.run(_INSERT, name=name, etag=str(uuid.uuid4()), created_on=tx.now_ms)
            found = tx.one(_BY_NAME, name=name)
    assert found is not None  # noqa: S101 - it was inserted two lines above
    return found


def get(tx: Transaction, id_: int) -> Principal | None:
    """Return the user with a number, or None."""
    return tx.one(_BY_ID, id=id_)
