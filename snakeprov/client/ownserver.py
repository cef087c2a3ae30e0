"""A server of snakeprov's own, behind a socket or in this process.

Must not know: which of the two it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from snakeprov.client.batch import Request, Results, send_together
from snakeprov.client.resources import OWN, ServerProvenance
from snakeprov.client.runs import Jobs, Runs
from snakeprov.client.session import Session
from snakeprov.errors import NotFoundError
from snakeprov.model.activity import Activity


class OwnServer:
    """Has everything, and takes requests in batches."""

    keeps_runs = True
    gives_contents = True
    takes_empty = True
    address = None

    def __init__(self, session: Session) -> None:
        self._session = session
        self.provenance = ServerProvenance(session)
        self.runs = Runs(session)
        self.jobs = Jobs(session)

    @cached_property
    def _about(self) -> dict[str, Any]:
        """What the server says of itself; empty where it is not one of ours."""
        try:
            return dict(self._session.get(OWN))
        except NotFoundError:
            return {}

    @property
    def is_there(self) -> bool:
        """Whether such a server answers at all."""
        return self._about.get("name") == "snakeprov"

    @property
    def is_local(self) -> bool:
        """Whether it can read this machine's files itself."""
        return bool(self._about.get("localFiles"))

    def send(self, requests: Sequence[Request], *, repeatable: bool) -> Results:
        """Send requests of which all are done or none. Raises as `send_together`."""
        limit = int(self._about["maxBatchRequests"])
        return send_together(self._session, requests, repeatable=repeatable, batch_requests_max=limit)

    def activity(self, activity: Activity) -> Activity:
        """Return the Activity itself."""
        return activity

    def status(self) -> dict[str, Any]:
        """Return the counts and the state of the repository."""
        return dict(self._session.get(f"{OWN}/status"))
