"""The backend of a client: what its resources need to know about the store that answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from snakeprov.client.batch import Request, Results
from snakeprov.client.provenance import Provenance
from snakeprov.client.runs import Jobs, Runs
from snakeprov.model.activity import Activity
from snakeprov.model.answers import Status


class Backend(Protocol):
    """What the resources of a client need to know about its store; chosen once per client."""

    @property
    def keeps_runs(self) -> bool:
        """Whether it keeps runs and jobs, not only what they made."""

    @property
    def gives_contents(self) -> bool:
        """Whether the store returns a content by its digest, also one inside a directory."""

    @property
    def takes_empty(self) -> bool:
        """Whether it takes uploads of nothing."""

    @property
    def is_local(self) -> bool:
        """Whether it can read this machine's files itself."""

    @property
    def address(self) -> str | None:
        """The prefix that makes an id a web address; None if ids are valid in this store only."""

    @property
    def provenance(self) -> Provenance:
        """Answers questions that need more than one entity or activity."""

    @property
    def runs(self) -> Runs:
        """Runs of Snakemake. Raises UsageError where none are kept."""

    @property
    def jobs(self) -> Jobs:
        """Jobs of runs. Raises UsageError where none are kept."""

    def send(self, requests: Sequence[Request], *, repeatable: bool) -> Results:
        """Send requests that belong together; return the bodies of the answers, in order. Raises RemoteError."""

    def activity(self, activity: Activity) -> Activity:
        """Return an Activity as the store takes it."""

    def status(self) -> Status | None:
        """Return how much the store holds; None where it does not say."""
