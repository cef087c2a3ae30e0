"""`snakeprov user`: manage the users of a server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from snakeprov.cli import options, output
from snakeprov.cli.examples import examples

if TYPE_CHECKING:
    from snakeprov.apps.accounts import Account
    from snakeprov.view.documents import UserDocument


@click.group(
    "user",
    epilog=examples(
        ("user add ada", "add a user"),
        ("user list", "all of them"),
    ),
)
def command() -> None:
    """Add, list and disable users of a server."""


@command.command("add")
@click.argument("name")
@options.common
def add(name: str, store: str | None, as_json: bool) -> None:
    """Add a user called NAME, who then needs a token."""
    from snakeprov.apps.accounts import opened
    from snakeprov.cli.store import find_folder

    with opened(find_folder(store, create=True), create=True) as accounts:
        account = accounts.add(name)
    if as_json:
        output.write_json(_document(account))
    else:
        output.write_lines([f"Added user {account.id}. A token: snakeprov token create {name}"])


@command.command("list")
@options.common
def list_(store: str | None, as_json: bool) -> None:
    """List all users."""
    from snakeprov.apps.accounts import opened
    from snakeprov.cli.store import find_folder
    from snakeprov.view import text
    from snakeprov.view.text import say

    with opened(find_folder(store)) as accounts:
        found = accounts.all()
    if as_json:
        output.write_json([_document(account) for account in found])
        return
    rows = [
        [say(account.id), say(account.name, "strong"), say("" if account.disabled_on is None else "disabled")]
        for account in found
    ]
    output.write_lines(
        text.table(rows, output.screen(), titles=("id", "name", "")) if rows else ["There are no users."]
    )


@command.command("disable")
@click.argument("name")
@options.common
def disable(name: str, store: str | None, as_json: bool) -> None:
    """Make every token of NAME invalid for good. What NAME recorded stays."""
    from snakeprov.apps.accounts import opened
    from snakeprov.cli.store import find_folder

    with opened(find_folder(store)) as accounts:
        account = accounts.disable(name)
    if as_json:
        output.write_json(_document(account))
    else:
        output.write_lines([f"Disabled {name}: no token of this user is valid any more."])


def _document(account: Account) -> UserDocument:
    from snakeprov.view.documents import UserDocument

    return UserDocument(
        id=str(account.id),
        name=account.name,
        created_on=output.moment(account.created_on),
        disabled_on=output.moment(account.disabled_on),
    )
