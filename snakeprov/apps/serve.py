"""Serve a store folder on a socket until it is stopped."""

from __future__ import annotations

import ipaddress
import logging
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from snakeprov.apps.listener import listen
from snakeprov.blobs.local import LocalBlobs
from snakeprov.db import open_database
from snakeprov.db.tokens import new_secret
from snakeprov.disk.layout import BLOBS_NAME
from snakeprov.errors import UsageError
from snakeprov.server import create_app
from snakeprov.server.presigned import kept_secret

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
        address, port = _address(listener)
        self.url = f"http://{_shown(address)}:{port}"
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
        listener = _listen(app, host=host, port=port, trusted_proxy=trusted_proxy)
        try:
            with _ended_by_signals():
                yield Server(listener, token=token)
        finally:
            listener.close()
    finally:
        blobs.close()
        database.close()


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    previous = {number: signal.signal(number, _interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    except KeyboardInterrupt:
        pass
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def _listen(app: Any, *, host: str, port: int, trusted_proxy: str | None) -> Any:
    proxy = {} if trusted_proxy is None else _trusting(trusted_proxy)
    try:
        return listen(app, host=host, port=port, clear_untrusted_proxy_headers=True, **proxy)
    except (OSError, ValueError) as error:
        raise UsageError(
            f"Nothing can listen on port {port} of {host!r}: {getattr(error, 'strerror', None) or error}.",
            hint="Choose another --port (0: any that is free) or --host.",
        ) from error


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


def _address(listener: Any) -> tuple[str, int]:
    # A name can stand for several addresses; then there is a list of them.
    several = getattr(listener, "effective_listen", None)
    if several:
        return several[0][0], int(several[0][1])
    return listener.effective_host, int(listener.effective_port)


def _shown(address: str) -> str:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.is_unspecified:
        return "127.0.0.1" if parsed.version == 4 else "[::1]"
    return f"[{address}]" if parsed.version == 6 else address


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return address == "localhost"


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    # A second signal ends the process at once.
    signal.signal(number, signal.SIG_DFL)
    raise KeyboardInterrupt
