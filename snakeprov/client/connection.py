"""A connection to a store: the resources that every store has, and its backend."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

from snakeprov.client.backend import Backend
from snakeprov.client.files import Files
from snakeprov.client.provenance import Provenance
from snakeprov.client.resources import Activities, Entities
from snakeprov.client.session import Session


class Connection:
    """The resources of a store: `entities`, `activities`, `files`, `provenance`. Not thread-safe.

    Attributes:
        project: The project, by name (in Synapse also by id), that paths are looked up in where no other is named;
            in Synapse one has to be.
    """

    def __init__(self, session: Session, *, choose: Callable[[Connection], Backend]) -> None:
        """Prepare; nothing is sent yet.

        Args:
            session: Sends requests.
            choose: Returns what answers; called once, when that first makes a difference. It may ask.
        """
        self.session = session
        self.entities = Entities(session)
        self.activities = Activities(session)
        self.files = Files(
            session, is_local=lambda: self.backend.is_local, takes_empty=lambda: self.backend.takes_empty
        )
        self.project: str | None = None
        self._choose = choose

    @cached_property
    def backend(self) -> Backend:
        """What answers."""
        return self._choose(self)

    @property
    def provenance(self) -> Provenance:
        """Answers questions that need more than one entity or activity."""
        return self.backend.provenance

    @cached_property
    def user_id(self) -> str:
        """The id of this connection's user, as in an Activity's `createdBy`."""
        return str(self.session.get("/repo/v1/userProfile")["ownerId"])
