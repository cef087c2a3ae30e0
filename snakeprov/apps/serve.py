"""Serve a store folder on a socket until it is stopped."""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from snakeprov.apps.listener import address_of, ended_by_signals, listen, shown
from snakeprov.blobs.local import LocalBlobs
from snakeprov.client import Client, wsgi
from snakeprov.client.ownserver import OwnServer
from snakeprov.client.session import Session
from snakeprov.db import open_database
from snakeprov.db.tokens import new_secret
from snakeprov.disk.layout import BLOBS_NAME
from snakeprov.errors import UsageError
from snakeprov.server import create_app
from snakeprov.server.app import App
from snakeprov.server.presigned import kept_secret
from snakeprov.web import Pages, Site

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 8642

_FORWARDED = {"x-forwarded-host", "x-forwarded-proto"}


class Server:
    """A store that listens; it answers once `run` is called.

    Attributes:
        url: Where it is, as a client names it.
        token: Access token of the user who started it, good until the server ends.
        is_public: Whether other machines can reach it.
    """

    def __init__(self, listener: Any, *, token: str) -> None:
        self._listener = listener
        self.token = token
        address, port = address_of(listener)
        self.url = f"http://{shown(address)}:{port}"
        self.is_public = not _is_loopback(address)

    def run(self) -> None:
        """Answer until SIGINT or SIGTERM; requests that are being answered get a few seconds to end."""
        self._listener.run()


@contextmanager
def listening(
    folder: Path,
    *,
    user: str,
    host: str = DEFAULT_HOST,
    port: int = DEFAULT_PORT,
    trusted_proxy: str | None = None,
) -> Iterator[Server]:
    """Give a server for the store in `folder`, which is made where it is missing; closed at the end.

    SIGINT and SIGTERM end the body of the `with` without an exception; this works in the main thread only.

    Args:
        folder: The store.
        user: Who the server's own token stands for.
        host: Name or address of the interface to listen on.
        port: Number of the port; 0: any that is free.
        trusted_proxy: Address of a proxy before the server, whose X-Forwarded-Proto and X-Forwarded-Host are believed.

    Raises:
        UsageError: Nothing can listen there, or the proxy has no address.
        StoreError: The store cannot be used; its subclasses say why.
    """
    # The user at the terminal does not care that a request waits for a thread.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    database = open_database(folder, create=True)
    blobs = LocalBlobs(folder / BLOBS_NAME, journal_mode=database.journal_mode)
    try:
        token = new_secret()
        app = create_app(database, blobs, session=(user, token), url_secret=kept_secret(folder))
        proxy = {} if trusted_proxy is None else _trusting(trusted_proxy)
        listener = listen(together(app), host=host, port=port, clear_untrusted_proxy_headers=True, **proxy)
        try:
            with ended_by_signals():
                yield Server(listener, token=token)
        finally:
            listener.close()
    finally:
        blobs.close()
        database.close()


def together(api: App) -> WSGIApplication:
    """Return the application that answers browsers with pages and everybody else as `api` does."""
    pages = Pages(Site(connect=lambda token: _client_of(api, token=token)))

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        return (pages if pages.has(environ) else api)(environ, start_response)

    return answer


def _client_of(app: App, *, token: str) -> Client:
    """Return a client in this process for the holder of a token."""
    session = Session(wsgi.PREFIX, token=token, transport=wsgi.Application(app, user=""))
    return Client(session, choose=lambda connection: OwnServer(connection.session))


def _trusting(proxy: str) -> dict[str, Any]:
    """Return the settings with which waitress believes a proxy."""
    try:
        address = str(ipaddress.ip_address(proxy))
    except ValueError as error:
        raise UsageError(
            f"The trusted proxy {proxy!r} is not an IP address.",
            hint="Name the address from which the proxy connects, such as 127.0.0.1.",
        ) from error
    return {"trusted_proxy": address, "trusted_proxy_count": 1, "trusted_proxy_headers": _FORWARDED}


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return address == "localhost"
