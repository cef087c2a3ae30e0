"""The client: everything the product asks of a repository goes through it.

Must not know: which repository answers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from types import TracebackType
from typing import Any, Self

import requests

from snakeprov.client.batch import Request, Results, send_one_by_one, send_together
from snakeprov.client.files import Files
from snakeprov.client.resources import OWN, Activities, Entities, Jobs, Provenance, Runs
from snakeprov.client.session import Session
from snakeprov.errors import NotFoundError


class Client:
    """A repository's client: `entities`, `activities`, `files`, `runs`, `jobs`, `provenance`, and batches.

    Made by `snakeprov.connect`. A context manager; not thread-safe: give each thread one of its own.
    """

    def __init__(
        self,
        base_url: str,
        *,
        token: str | None = None,
        transport: requests.Session | None = None,
        on_close: Callable[[], None] | None = None,
    ) -> None:
        """Prepare a client; nothing is sent yet. Arguments as those of `Session`.

        Args:
            base_url: What precedes `/repo/v1`.
            token: Access token.
            transport: A `requests` session to send with.
            on_close: Called when the client is closed.
        """
        self.session = Session(base_url, token=token, transport=transport)
        self.entities = Entities(self.session)
        self.activities = Activities(self.session)
        self.files = Files(self.session, is_local=lambda: bool(self.info.get("localFiles")))
        self.runs = Runs(self.session)
        self.jobs = Jobs(self.session)
        self.provenance = Provenance(self.session)
        self._on_close = on_close

    @cached_property
    def info(self) -> dict[str, Any]:
        """What the repository says of itself; empty where it is not snakeprov's."""
        try:
            return dict(self.session.get(OWN))
        except NotFoundError:
            return {}

    @property
    def is_snakeprov(self) -> bool:
        """Whether the repository knows snakeprov's own resources."""
        return self.info.get("name") == "snakeprov"

    def send(self, requests: Sequence[Request], *, repeatable: bool = False) -> Results:
        """Send requests that belong together; return the bodies answered, in order.

        Where the repository takes batches, all are done or none. Raises as `send_together`.
        """
        if self.is_snakeprov:
            limit = int(self.info["maxBatchRequests"])
            return send_together(self.session, requests, repeatable=repeatable, batch_requests_max=limit)
        return send_one_by_one(self.session, requests)

    def status(self) -> dict[str, Any]:
        """Return the counts and the state of the repository."""
        return dict(self.session.get(f"{OWN}/status"))

    def close(self) -> None:
        """Close the connection; closing twice does no harm."""
        self.session.close()
        if self._on_close:
            self._on_close()
            self._on_close = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
