"""What jobs are delivered to, as far as it makes a difference to their delivery: our own server, or another store."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

from snakeprov.client import Client
from snakeprov.client.resources import ServerProvenance
from snakeprov.recorder.assemble import assemble
from snakeprov.recorder.catalog import BY_SHA256, Catalog, Explanations, Identity, LookedUp
from snakeprov.recorder.context import Context, Prepared
from snakeprov.recorder.explaining import Asked, explain_seen
from snakeprov.recorder.plan import Plan
from snakeprov.recorder.summary import Tally


class Target(Protocol):
    """A store that jobs are delivered to; chosen once for each client."""

    @property
    def identity(self) -> Identity:
        """What tells contents apart there."""

    @property
    def is_atomic(self) -> bool:
        """Whether of the requests of a plan all are carried out or none."""

    def project_name(self, name: str) -> str:
        """Return the name of a project as the store takes it."""

    def look_up(self, project: str, paths: Iterable[str], catalog: Catalog) -> LookedUp:
        """Return what a project holds at some paths, as a `Catalog` learns it. Raises RemoteError."""

    def explain(self, project: str, asked: list[Asked], catalog: Catalog) -> Explanations:
        """Return what the store says of bytes that were seen. Raises RemoteError."""

    def plan(self, project: str, catalog: Catalog) -> Plan:
        """Return an empty plan."""

    def assemble(self, plan: Plan, one: Prepared, context: Context, tally: Tally, catalog: Catalog) -> None:
        """Add to `plan` what makes the store know a job, as far as it does not know it yet; count it in `tally`."""

    def prepare_uploads(self, project_id: str | None) -> None:
        """Have bytes sent to where the owner of a project wants them; None: the project is yet to be made."""

    def remedy(self, error: Exception) -> str:
        """Return what can be done about a refusal, as a sentence, or nothing."""


TargetOf = Callable[[Client], Target]
"""Chooses what a client delivers to. It may ask the store, and raise RemoteError."""


class ServerTarget:
    """Takes whole jobs in one batch, and answers in one request what it holds at many paths."""

    identity = BY_SHA256
    is_atomic = True

    def __init__(self, client: Client) -> None:
        self._provenance = ServerProvenance(client.session)

    def project_name(self, name: str) -> str:
        """Return the name itself."""
        return name

    def look_up(self, project: str, paths: Iterable[str], catalog: Catalog) -> LookedUp:
        """Return what a project holds at some paths. Raises RemoteError."""
        return LookedUp(self._provenance.lookup(project, list(paths)))

    def explain(self, project: str, asked: list[Asked], catalog: Catalog) -> Explanations:
        """Return what the server says of bytes that were seen, by path and sha256. Raises RemoteError."""
        return explain_seen(self._provenance, project, asked) if asked else {}

    def plan(self, project: str, catalog: Catalog) -> Plan:
        """Return an empty plan."""
        return Plan(catalog, project=project)

    def assemble(self, plan: Plan, one: Prepared, context: Context, tally: Tally, catalog: Catalog) -> None:
        """Add a job to `plan`: what the server knows of it already is left as it is."""
        assemble(plan, one.job, one.observations, context, tally)

    def prepare_uploads(self, project_id: str | None) -> None:
        """Do nothing: there is one place for bytes."""

    def remedy(self, error: Exception) -> str:
        """Return nothing: the server's reasons say it."""
        return ""
