"""The web pages for the one user who starts them, on this machine."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode

from snakeprov.apps.connect import connecting
from snakeprov.apps.listener import address_of, ended_by_signals, listen
from snakeprov.places import Place
from snakeprov.recorder import backlog
from snakeprov.web import Pages, Site, Waiting
from snakeprov.web.sessions import new_secret

HOST = "127.0.0.1"
"""Only this machine reaches the pages."""

_NAMES = frozenset({HOST, "localhost"})


class Ui:
    """Pages that listen; they answer once `run` is called.

    Attributes:
        url: Where they are, with a secret: the first browser that opens it is signed in.
    """

    def __init__(self, listener: Any, *, key: str, first: str) -> None:
        self._listener = listener
        _, port = address_of(listener)
        self.url = f"http://{HOST}:{port}/open?{urlencode({'key': key, 'next': first})}"

    def run(self) -> None:
        """Answer until SIGINT or SIGTERM."""
        self._listener.run()


@contextmanager
def showing(place: Place, *, port: int = 0, first: str = "/") -> Iterator[Ui]:
    """Give the pages of a store; closed at the end.

    SIGINT and SIGTERM end the body of the `with` without an exception; this works in the main thread only.

    Args:
        place: The store, and the working directory whose outbox is counted.
        port: Number of the port; 0: any that is free.
        first: Address of the page that is opened first.

    Raises:
        UsageError: Nothing can listen there, or the store is Synapse.
        StoreError: The store cannot be used; its subclasses say why.
    """
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    outbox = backlog.outbox_folder(place.root)
    key = new_secret()
    with connecting(place.store) as client:
        site = Site(
            connect=lambda _: client(),
            name=place.store,
            key=key,
            waiting=lambda: Waiting(*backlog.count(outbox)),
            hosts=_NAMES,
        )
        listener = listen(Pages(site), host=HOST, port=port)
        try:
            with ended_by_signals():
                yield Ui(listener, key=key, first=first)
        finally:
            listener.close()
