"""Access tokens; only their digests are kept."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import bindparam, select

from snakeprov.db.database import Transaction
from snakeprov.db.statements import Command, Query, change, insert_into
from snakeprov.db.tables import principal, token

PREFIX = "spt_"
"""What every token begins with, so that people and scanners of leaked secrets recognise one."""

SECRET_BYTES = 32

VIEW, DOWNLOAD, MODIFY = "view", "download", "modify"
SCOPES = (VIEW, DOWNLOAD, MODIFY)
"""What a token can be good for; the names are Synapse's."""


class TokenRow(NamedTuple):
    """A token without its secret; `user_name` is whose it is, `scopes` are separated by spaces."""

    id: int
    user_id: int
    user_name: str
    scopes: str
    created_on: int
    expires_on: int | None
    revoked_on: int | None


class Holder(NamedTuple):
    """The user of a valid token, and the scopes of the token."""

    id: int
    name: str
    etag: str
    created_on: int
    scopes: str


_HOLDER = Query(
    select(principal.c.id, principal.c.name, principal.c.etag, principal.c.created_on, token.c.scopes)
    .select_from(token.join(principal, principal.c.id == token.c.user_id))
    .where(
        token.c.sha256 == bindparam("sha256"),
        token.c.revoked_on.is_(None),
        principal.c.disabled_on.is_(None),
        (token.c.expires_on.is_(None)) | (token.c.expires_on > bindparam("now")),
    ),
    Holder,
)
_ALL = Query(
    select(
        token.c.id,
        token.c.user_id,
        principal.c.name.label("user_name"),
        token.c.scopes,
        token.c.created_on,
        token.c.expires_on,
        token.c.revoked_on,
    )
    .select_from(token.join(principal, principal.c.id == token.c.user_id))
    .order_by(token.c.id),
    TokenRow,
)
_INSERT = insert_into(token, but=["id"])
_REVOKE = Command(
    change(token, token.c.id == bindparam("of_id"), token.c.revoked_on.is_(None), revoked_on=bindparam("now"))
)


def new_secret() -> str:
    """Return a token that nobody can guess."""
    return PREFIX + secrets.token_urlsafe(SECRET_BYTES)


def digest(secret: str) -> str:
    """Return what is kept of a token. It needs no salt: a token has as many random bits as its digest."""
    return hashlib.sha256(secret.encode()).hexdigest()


def create(tx: Transaction, *, user: int, scopes: Iterable[str], expires_on: int | None) -> tuple[int, str]:
    """Add a token; return its number and the token itself, which cannot be shown again."""
    secret = new_secret()
    id_ = tx.insert(
        _INSERT,
        sha256=digest(secret),
        user_id=user,
        scopes=" ".join(scopes),
        created_on=tx.now_ms,
        expires_on=expires_on,
        revoked_on=None,
    )
    return id_, secret


def holder(tx: Transaction, secret: str) -> Holder | None:
    """Return the user of a token; None if it is unknown, expired or revoked, or its user is disabled."""
    return tx.one(_HOLDER, sha256=digest(secret), now=tx.now_ms)


def listing(tx: Transaction) -> list[TokenRow]:
    """Return every token that was ever made, in that order."""
    return tx.all(_ALL)


def revoke(tx: Transaction, id_: int) -> bool:
    """Make a token invalid; return whether there was a token of that number that was not revoked yet."""
    return tx.run(_REVOKE, of_id=id_, now=tx.now_ms) > 0
