"""`snakeprov token`: manage access tokens for a server."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import click

from snakeprov.cli import options, output
from snakeprov.cli.examples import examples
from snakeprov.errors import UsageError

if TYPE_CHECKING:
    from snakeprov.apps.accounts import TokenRow
    from snakeprov.view.documents import TokenDocument

_SCOPES = ("view", "download", "modify")
_SPAN = re.compile(r"([1-9][0-9]{0,4})([hdw])")
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}


@click.group(
    "token",
    epilog=examples(
        ("token create ada --expires 30d", "a token for a user"),
        ("token list", "all of them"),
    ),
)
def command() -> None:
    """Create, list and revoke access tokens."""


@command.command("create")
@click.argument("name")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    type=click.Choice(_SCOPES),
    help="What it permits; may be given several times; default: all.",
)
@click.option("--expires", metavar="WHEN", help="12h, 30d, 8w, or a date such as 2027-01-31; default: never.")
@options.common
def create(name: str, scopes: tuple[str, ...], expires: str | None, store: str | None, as_json: bool) -> None:
    """Create a token for the user NAME. It is shown once; the store keeps only its digest."""
    from snakeprov.apps.accounts import opened
    from snakeprov.cli.store import find_folder
    from snakeprov.model import times
    from snakeprov.view.documents import NewTokenDocument

    expires_on = None if expires is None else _moment(expires)
    chosen = [scope for scope in _SCOPES if scope in (scopes or _SCOPES)]
    with opened(find_folder(store)) as accounts:
        made = accounts.create_token(name, scopes=chosen, expires_on=expires_on)
    if as_json:
        until = None if expires_on is None else times.to_wire(expires_on)
        output.write_json(
            NewTokenDocument(token=made.token, id=str(made.id), user=name, scopes=chosen, expires_on=until)
        )
    else:
        output.write_lines([made.token])


@command.command("list")
@options.common
def list_(store: str | None, as_json: bool) -> None:
    """List all tokens, without their text."""
    from snakeprov.apps.accounts import opened
    from snakeprov.cli.store import find_folder
    from snakeprov.view import text
    from snakeprov.view.text import say

    with opened(find_folder(store)) as accounts:
        found = accounts.tokens()
    if as_json:
        output.write_json([_document(token) for token in found])
        return
    rows = [
        [
            say(token.id),
            say(token.user_name, "strong"),
            say(token.scopes),
            say(output.moment(token.created_on)),
            say(output.moment(token.expires_on) or "never"),
            say(_state(token)),
        ]
        for token in found
    ]
    titles = ("id", "user", "scopes", "made", "expires", "")
    output.write_lines(text.table(rows, output.screen(), titles=titles) if rows else ["There are no tokens."])


@command.command("revoke")
@click.argument("id_", metavar="ID", type=click.IntRange(1, 2**53))
@options.common
def revoke(id_: int, store: str | None, as_json: bool) -> None:
    """Make the token ID invalid at once."""
    from snakeprov.apps.accounts import opened
    from snakeprov.cli.store import find_folder

    with opened(find_folder(store)) as accounts:
        token = accounts.revoke(id_)
    if as_json:
        output.write_json(_document(token))
    else:
        output.write_lines([f"Revoked token {token.id} of {token.user_name}."])


def _document(token: TokenRow) -> TokenDocument:
    from snakeprov.view.documents import TokenDocument

    return TokenDocument(
        id=str(token.id),
        user=token.user_name,
        scopes=token.scopes.split(),
        created_on=output.moment(token.created_on),
        expires_on=output.moment(token.expires_on),
        revoked_on=output.moment(token.revoked_on),
    )


def _state(token: TokenRow) -> str:
    if token.revoked_on is not None:
        return "revoked"
    return "expired" if token.expires_on is not None and token.expires_on <= time.time() * 1000 else ""


def _moment(when: str) -> datetime:
    """Return the moment that `--expires` names; a date ends with the day, in UTC.

    Raises:
        UsageError: It names none.
    """
    span = _SPAN.fullmatch(when)
    try:
        if span:
            return datetime.now(UTC) + int(span[1]) * _UNITS[span[2]]
        day = datetime.strptime(when, "%Y-%m-%d").replace(tzinfo=UTC)
        return day + timedelta(days=1)
    except (ValueError, OverflowError) as error:
        raise UsageError(
            f"--expires {when!r} is not a time.",
            hint="Give hours, days or weeks (12h, 30d, 8w) or a date (2027-01-31).",
        ) from error
