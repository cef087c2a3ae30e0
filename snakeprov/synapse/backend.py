"""The Synapse backend of a client: no runs, no batches, and questions answered step by step."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import NoReturn

from snakeprov.client.batch import Request, Results, send_one_by_one
from snakeprov.client.connection import Connection
from snakeprov.errors import UsageError
from snakeprov.model.activity import Activity
from snakeprov.synapse.walk import Walk

ADDRESS = "https://www.synapse.org/Synapse:"


class SynapseBackend:
    """Has entities, activities and file handles, and takes one request after another."""

    keeps_runs = False
    gives_contents = False
    takes_empty = False
    is_local = False
    address = ADDRESS

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @cached_property
    def provenance(self) -> Walk:
        """Answers questions by walking from file to file."""
        return Walk(self._connection)

    @property
    def runs(self) -> NoReturn:
        """Raise UsageError."""
        raise _not_kept("runs")

    @property
    def jobs(self) -> NoReturn:
        """Raise UsageError."""
        raise _not_kept("jobs")

    def send(self, requests: Sequence[Request], *, repeatable: bool) -> Results:
        """Send requests one by one; what came before one that fails has been done. Raises as `send_one_by_one`."""
        return send_one_by_one(self._connection.session, requests)

    def activity(self, activity: Activity) -> Activity:
        """Return an Activity without its type, which Synapse does not know."""
        return Activity(data={key: value for key, value in activity.items() if key != "activityType"})

    def status(self) -> None:
        """Say nothing: Synapse does not count what it holds."""


def _not_kept(what: str) -> UsageError:
    return UsageError(
        f"Synapse keeps no {what}: it can be asked about one file at a time.",
        hint="Try 'snakeprov log PATH', 'snakeprov show PATH' or 'snakeprov lineage PATH'.",
    )
