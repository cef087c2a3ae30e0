"""Connect to what `--store` names (a folder, the URL of a server, or "synapse") and return a client for it."""

from __future__ import annotations

import getpass
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from snakeprov.disk.layout import BLOBS_NAME
from snakeprov.disk.privacy import prepare_folder
from snakeprov.errors import UsageError
from snakeprov.settings import SYNAPSE, is_url

if TYPE_CHECKING:
    from snakeprov.client import Client
    from snakeprov.client.backend import Backend
    from snakeprov.client.connection import Connection
    from snakeprov.server.app import App

SERVER_TOKEN_VARIABLE = "SNAKEPROV_TOKEN"  # noqa: S105  the name of a variable
"""Environment variable with the access token for a server."""


def connect(
    where: str | os.PathLike[str], *, create: bool = False, shared: bool = False, token: str | None = None
) -> Client:
    """Return a client for a store.

    Args:
        where: Folder of an embedded store, the http(s) URL of a server (what precedes `/repo/v1`), or "synapse".
        create: Make the folder a store if it is not one yet.
        shared: Whether the group may read and write a folder that is made.
        token: Access token for a server; by default that of the environment variable `SNAKEPROV_TOKEN`.

    Raises:
        NoStoreError: The folder holds no store, and `create` is false.
        StoreError: It cannot be used; its subclasses say why.
        UsageError: `where` is a URL that is neither http nor https.
        UnauthorizedError: `where` is Synapse, and there is no access token for it.
        ConfigError: Synapse's configuration file cannot be read.
    """
    from snakeprov.client import Client
    from snakeprov.client.session import Session

    text = os.fspath(where)
    if text == SYNAPSE:
        return _synapse(token)
    if is_url(text):
        return Client(Session(text, token=token or os.environ.get(SERVER_TOKEN_VARIABLE)), choose=_whatever_answers)
    if "://" in text:
        raise UsageError(f"{text!r} is not a store.", hint="Give a folder, a URL that begins with http, or synapse.")
    return _open(Path(text), create=create, shared=shared)


def _synapse(token: str | None) -> Client:
    from snakeprov.client import Client
    from snakeprov.client.session import Session
    from snakeprov.synapse.access import REPO_PREFIX, find_access
    from snakeprov.synapse.backend import SynapseBackend

    access = find_access(token=token)
    base_url = access.endpoints[REPO_PREFIX].removesuffix(REPO_PREFIX)
    return Client(Session(base_url, token=access.token, endpoints=access.endpoints), choose=SynapseBackend)


def _whatever_answers(connection: Connection) -> Backend:
    from snakeprov.client.ownserver import OwnServer
    from snakeprov.synapse.backend import SynapseBackend

    server = OwnServer(connection.session)
    return server if server.is_there else SynapseBackend(connection)


def _open(folder: Path, *, create: bool, shared: bool) -> Client:
    app, close = _embedded(folder, create=create, shared=shared)
    return _client_of(app, on_close=close)


@contextmanager
def connecting(where: str) -> Iterator[Callable[[], Client]]:
    """Give a function that returns clients for one store: as many as there are threads. Arguments as `connect`.

    Raises:
        UsageError: The store is Synapse, which keeps no runs.
        NoStoreError, StoreError: As `connect`.
    """
    if where == SYNAPSE:
        raise UsageError(
            "Synapse has pages of its own; these are for stores of snakeprov.",
            hint="Name a folder or the URL of a snakeprov server with --store.",
        )
    if is_url(where):
        yield lambda: connect(where)
        return
    app, close = _embedded(Path(where), create=False, shared=False)
    try:
        yield lambda: _client_of(app)
    finally:
        close()


def _embedded(folder: Path, *, create: bool, shared: bool) -> tuple[App, Callable[[], None]]:
    """Return the application of the store in a folder, for the user of this process, and what closes it."""
    from snakeprov.blobs.local import LocalBlobs
    from snakeprov.db import open_database
    from snakeprov.server import create_app

    # Without a handler Python prints warnings into the terminal, which belongs to the user's pipeline.
    logging.getLogger("snakeprov").addHandler(logging.NullHandler())
    if create:
        prepare_folder(folder, shared=shared)
    database = open_database(folder, create=create)
    blobs = LocalBlobs(folder / BLOBS_NAME, journal_mode=database.journal_mode)

    def close() -> None:
        blobs.close()
        database.close()

    app = create_app(database, blobs, identify=lambda request: request.env["REMOTE_USER"], local_files=True)
    return app, close


def _client_of(app: App, *, on_close: Callable[[], None] | None = None) -> Client:
    from snakeprov.client import Client, wsgi
    from snakeprov.client.ownserver import OwnServer
    from snakeprov.client.session import Session

    session = Session(wsgi.PREFIX, transport=wsgi.Application(app, user=user_name()))
    return Client(session, choose=lambda connection: OwnServer(connection.session), on_close=on_close)


def user_name() -> str:
    """Return the name of the user that this process runs as."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())
