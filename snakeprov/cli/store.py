"""Open the store that a command works on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from snakeprov.errors import NoStoreError, UsageError

if TYPE_CHECKING:
    from snakeprov.client import Client
    from snakeprov.places import Place


def find_place(store: str | None, *, create: bool = False) -> Place:
    """Return the place of the store: what `--store` names, or the nearest store in the current folder or above.

    Args:
        store: What `--store` named.
        create: Whether one that is yet to be made will do, unless `--store` named it.

    Raises:
        NoStoreError: There is none.
        UsageError: The current folder is gone.
    """
    from snakeprov.places import locate

    return locate(current_folder(), store=store, create=create)


def find_folder(store: str | None, *, create: bool = False) -> Path:
    """Return the folder of the store, for a command that works on the store itself.

    Args:
        store: What `--store` named.
        create: Whether `--store` may name a folder that is not a store yet.

    Raises:
        NoStoreError: There is none.
        UsageError: It is on a server.
    """
    from snakeprov.settings import is_remote

    try:
        found = find_place(store).store
    except NoStoreError:
        if not create or store is None:
            raise
        return (current_folder() / Path(store).expanduser()).resolve()
    if is_remote(found):
        raise UsageError(
            f"{found} is a server; run this command on the machine that has its folder.",
            hint="Name a folder with --store.",
        )
    return Path(found)


@contextmanager
def opened(store: str | None) -> Iterator[tuple[Place, Client]]:
    """Give the place of the store and a client for it; closed at the end.

    Raises:
        NoStoreError: There is none, or nothing has been delivered to it yet.
        StoreError: It cannot be used.
    """
    from snakeprov.disk import logfile
    from snakeprov.disk.projects import project_of

    place = find_place(store)
    logfile.start(place.root, "command")
    with _connected(place) as client:
        client.project = project_of(place.settings, place.root, place.store)
        yield place, client


def _connected(place: Place) -> Client:
    from snakeprov.apps.connect import connect

    try:
        return connect(place.store)
    except NoStoreError as error:
        from snakeprov.disk.layout import noted_store
        from snakeprov.recorder import backlog

        store = noted_store(place.root, place.store)
        waiting = backlog.count(backlog.outbox_folder(place.root), store=store).pending
        if not waiting:
            raise
        raise NoStoreError(
            f"Nothing has been delivered to {place.store} yet.",
            hint=f"{waiting} job record{'' if waiting == 1 else 's'} wait{'s' if waiting == 1 else ''} for it: "
            "deliver with 'snakeprov push'.",
        ) from error


def current_folder() -> Path:
    """Return the current folder.

    Raises:
        UsageError: It is gone.
    """
    try:
        return Path.cwd()
    except FileNotFoundError as error:
        raise UsageError("The current folder no longer exists.", hint="Change to another folder.") from error
