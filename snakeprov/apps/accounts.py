"""The users of a store folder and their access tokens, managed by the owner of the folder."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from snakeprov.db import Database, open_database, principals, tokens
from snakeprov.db.principals import Account as Account
from snakeprov.db.tokens import SCOPES
from snakeprov.db.tokens import TokenRow as TokenRow
from snakeprov.errors import NotRecordedError, UsageError
from snakeprov.model import times

NAME_CHARS_MAX = 128

_NAME = re.compile(r"[^\s\x00-\x20\x7f](?:[^\x00-\x1f\x7f]*[^\s\x00-\x20\x7f])?")
_RESERVED = frozenset({"anonymous"})


class NewToken(NamedTuple):
    """A new token, with its text, which is available only now."""

    id: int
    token: str


class Accounts:
    """The users and tokens of a store. Thread-safe."""

    def __init__(self, database: Database) -> None:
        """Manage the users in `database`."""
        self._database = database

    def add(self, name: str) -> Account:
        """Add a user.

        Raises:
            UsageError: There is one of that name already, or nobody can be called that.
        """
        if not _NAME.fullmatch(name) or len(name) > NAME_CHARS_MAX or name.casefold() in _RESERVED:
            raise UsageError(
                f"{name!r} cannot be the name of a user.",
                hint=f"Give 1 to {NAME_CHARS_MAX} printable characters, without blanks at the ends.",
            )
        if self._named(name) is not None:
            raise UsageError(f"There is a user called {name!r} already.", hint="'snakeprov user list' shows all.")
        principals.ensure(self._database, name)
        return self._existing(name)

    def all(self) -> list[Account]:
        """Return every user, oldest first."""
        with self._database.read() as tx:
            return principals.accounts(tx)

    def disable(self, name: str) -> Account:
        """Make every token of a user invalid for good; what the user recorded stays.

        Raises:
            NotRecordedError: There is no such user.
        """
        self._existing(name)
        with self._database.write() as tx:
            principals.disable(tx, name)
        return self._existing(name)

    def create_token(
        self, name: str, *, scopes: Collection[str] = SCOPES, expires_on: datetime | None = None
    ) -> NewToken:
        """Make a token for a user.

        Raises:
            NotRecordedError: There is no such user.
            UsageError: The user is disabled, a scope is unknown, or the token would have expired already.
        """
        unknown = set(scopes) - set(SCOPES)
        if unknown or not scopes:
            raise UsageError(
                f"{', '.join(sorted(unknown)) or 'nothing'!r} cannot be what a token is good for.",
                hint=f"The scopes are: {', '.join(SCOPES)}.",
            )
        account = self._existing(name)
        if account.disabled_on is not None:
            raise UsageError(f"The user {name!r} is disabled.", hint="Add another user.")
        if expires_on is not None and expires_on <= times.now():
            raise UsageError(f"A token that expires on {times.to_wire(expires_on)} would already be invalid.")
        with self._database.write() as tx:
            ordered = [scope for scope in SCOPES if scope in scopes]
            expires_ms = None if expires_on is None else times.to_ms(expires_on)
            return NewToken(*tokens.create(tx, user=account.id, scopes=ordered, expires_on=expires_ms))

    def tokens(self) -> list[TokenRow]:
        """Return every token ever created, without its text."""
        with self._database.read() as tx:
            return tokens.listing(tx)

    def revoke(self, id_: int) -> TokenRow:
        """Make a token invalid at once. Revoking it again has no effect.

        Raises:
            NotRecordedError: There is no such token.
        """
        with self._database.write() as tx:
            tokens.revoke(tx, id_)
            found = next((token for token in tokens.listing(tx) if token.id == id_), None)
        if found is None:
            raise NotRecordedError(f"There is no token {id_}.", hint="'snakeprov token list' shows all.")
        return found

    def _named(self, name: str) -> Account | None:
        with self._database.read() as tx:
            return principals.named(tx, name)

    def _existing(self, name: str) -> Account:
        account = self._named(name)
        if account is None:
            raise NotRecordedError(
                f"There is no user called {name!r}.", hint=f"Add it with 'snakeprov user add {name}'."
            )
        return account


@contextmanager
def opened(folder: Path, *, create: bool = False) -> Iterator[Accounts]:
    """Give the users and tokens of the store in `folder`; closed at the end.

    Raises:
        NoStoreError: There is none, and `create` is false.
        StoreError: It cannot be used; its subclasses say why.
    """
    database = open_database(folder, create=create)
    try:
        yield Accounts(database)
    finally:
        database.close()
