"""A snakeprov server, behind a socket or in this process."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from snakeprov.client.batch import Request, Results, send_together
from snakeprov.client.resources import OWN, ServerProvenance
from snakeprov.client.runs import Jobs, Runs
from snakeprov.client.session import Session
from snakeprov.errors import NotFoundError, RemoteError
from snakeprov.model.activity import Activity
from snakeprov.model.answers import About, Status


class OwnServer:
    """A snakeprov server: it has every resource, and takes requests in batches."""

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
    def _about(self) -> About | None:
        """The server's description of itself; None if it is not a snakeprov server."""
        try:
            return self._session.ask(OWN, About)
        except NotFoundError:
            return None

    @property
    def is_there(self) -> bool:
        """Whether such a server answers at all."""
        return self._about is not None and self._about.name == "snakeprov"

    @property
    def is_local(self) -> bool:
        """Whether it can read this machine's files itself."""
        return self._about is not None and self._about.local_files

    def send(self, requests: Sequence[Request], *, repeatable: bool) -> Results:
        """Send requests that take effect all together or not at all. Raises as `send_together`, and RemoteError."""
        if self._about is None:
            raise RemoteError(f"{self._session.base_url} is not a snakeprov server.", hint="Is the address right?")
        limit = self._about.max_batch_requests
        return send_together(self._session, requests, repeatable=repeatable, batch_requests_max=limit)

    def activity(self, activity: Activity) -> Activity:
        """Return the Activity itself."""
        return activity

    def status(self) -> Status:
        """Return how much the server holds of what the user may see."""
        return self._session.ask(f"{OWN}/status", Status)
