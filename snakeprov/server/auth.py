"""Who sends a request: the holder of a token, nobody in particular, or whom the host of the application vouches for.

Must not know: any resource, or what is allowed on it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import falcon

from snakeprov.db import Database, principals, tokens
from snakeprov.db.access import ANONYMOUS_ID, AUTHENTICATED_ID, PUBLIC_ID, Reader
from snakeprov.db.tokens import DOWNLOAD, SCOPES, VIEW
from snakeprov.server.refusals import unauthenticated

USERS_REMEMBERED_MAX = 4096
"""How many users are known without asking the store."""

_BEARER = re.compile(r"Bearer +([!-~]{1,1024}) *", re.IGNORECASE)


class User(NamedTuple):
    """Who sends a request, and what the request may be about.

    Attributes:
        reader: The user's own number and those of the user's groups; None where the host of the application vouches
            for the user, whom no access list stops then.
        scopes: What the user's token is good for.
    """

    id: int
    name: str
    etag: str
    created_on: int
    reader: Reader
    scopes: frozenset[str]


ANONYMOUS = User(
    ANONYMOUS_ID,
    "anonymous",
    "00000000-0000-0000-0000-000000000000",
    0,
    (ANONYMOUS_ID, ANONYMOUS_ID, PUBLIC_ID),
    frozenset((VIEW, DOWNLOAD)),
)
"""Who sends no token."""

Identify = Callable[[falcon.Request, bool], User]
"""Finds who sends a request, which may write or not: only then somebody new is noted in the store."""


def by_token(database: Database, *, session: tuple[str, str] | None = None) -> Identify:
    """Return the function that finds a request's user by the token in its `Authorization` header.

    Args:
        database: Where tokens are known.
        session: A user's name and one more token for that user, which is good as long as this function lives and is
            kept nowhere.

    The function raises:
        Refusal: 401, the token is unknown, expired or revoked, or its user is disabled.
    """
    owner = None if session is None else principals.ensure(database, session[0])
    # By digest, so that the time it takes to compare tells nothing.
    digest = None if session is None else tokens.digest(session[1])

    def identify(request: falcon.Request, writes: bool) -> User:
        header = request.auth
        if header is None:
            return ANONYMOUS
        found = _BEARER.fullmatch(header)
        if found is None:
            raise unauthenticated()
        if owner is not None and tokens.digest(found[1]) == digest:
            return _known(owner.id, owner.name, owner.etag, owner.created_on, frozenset(SCOPES))
        with database.read() as tx:
            holder = tokens.holder(tx, found[1])
        if holder is None:
            raise unauthenticated()
        return _known(*holder[:4], frozenset(holder.scopes.split()))

    return identify


def by_name(database: Database, name_of: Callable[[falcon.Request], str]) -> Identify:
    """Return the function that trusts what the host of the application says.

    A new name becomes a user with its first request that writes; reading needs no user.
    """

    seen: set[str] = set()

    @lru_cache(maxsize=USERS_REMEMBERED_MAX)
    def user(name: str) -> User:
        return User(*principals.ensure(database, name), None, frozenset(SCOPES))

    def identify(request: falcon.Request, writes: bool) -> User:
        name = name_of(request)
        if not writes and name not in seen:
            with database.read() as tx:
                if principals.named(tx, name) is None:
                    return ANONYMOUS._replace(name=name, reader=None)
        if len(seen) < USERS_REMEMBERED_MAX:
            seen.add(name)
        return user(name)

    return identify


def _known(id_: int, name: str, etag: str, created_on: int, scopes: frozenset[str]) -> User:
    return User(id_, name, etag, created_on, (id_, AUTHENTICATED_ID, PUBLIC_ID), scopes)
