"""The client: every question to a store, and every change in it, goes through it."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

from snakeprov.client.backend import Backend
from snakeprov.client.batch import Request, Results
from snakeprov.client.connection import Connection
from snakeprov.client.resources import AnyEntity
from snakeprov.client.runs import Jobs, Runs
from snakeprov.client.session import Session
from snakeprov.model.activity import Activity
from snakeprov.model.answers import Status
from snakeprov.model.entities import File, Folder, Project


class Client(Connection):
    """A store's client: `entities`, `activities`, `files`, `runs`, `jobs`, `provenance`, and batches.

    Made by `snakeprov.connect`. A context manager; not thread-safe: give each thread one of its own.
    """

    def __init__(
        self, session: Session, *, choose: Callable[[Connection], Backend], on_close: Callable[[], None] | None = None
    ) -> None:
        """Prepare a client; nothing is sent yet. Arguments as those of `Connection`.

        Args:
            session: Sends requests.
            choose: Returns what answers.
            on_close: Called when the client is closed.
        """
        super().__init__(session, choose=choose)
        self._on_close = on_close

    @property
    def runs(self) -> Runs:
        """Runs of Snakemake; raises UsageError where the store keeps none."""
        return self.backend.runs

    @property
    def jobs(self) -> Jobs:
        """Jobs of runs; raises UsageError where the store keeps none."""
        return self.backend.jobs

    def send(self, requests: Sequence[Request], *, repeatable: bool = False) -> Results:
        """Send requests that belong together; return the bodies of the answers, in order.

        Where the store takes batches, all are done or none. Raises RemoteError.
        """
        return self.backend.send(requests, repeatable=repeatable)

    def store(
        self,
        entity: AnyEntity,
        *,
        activity: Activity | None = None,
        used: object = None,
        executed: object = None,
        activityName: str | None = None,
        activityDescription: str | None = None,
        forceVersion: bool = False,
    ) -> AnyEntity:
        """Store an entity together with its provenance; return the entity as stored.

        Args:
            entity: A `snakeprov.Project`, `Folder` or `File`, new or as it was got. One of the same name in the same
                parent is changed rather than made again.
            activity: What generated it.
            used: What was used, in any form that `Activity.used()` takes; instead of `activity`.
            executed: What was executed; instead of `activity`.
            activityName: Name of the Activity; instead of `activity`.
            activityDescription: Its description; instead of `activity`.
            forceVersion: Make a new version of a file even of the same bytes.

        Raises:
            UsageError: The entity cannot be stored, or the arguments clash (ProvenanceError).
            RemoteError: The store refused or failed.
        """
        from snakeprov.client import storing

        made_by = storing.activity_of(
            activity, used=used, executed=executed, name=activityName, description=activityDescription
        )
        return storing.store(self, entity, activity=made_by, new_version=forceVersion)

    def get(
        self,
        entity: str | Project | Folder | File,
        *,
        version: int | None = None,
        download: str | os.PathLike[str] | None = None,
    ) -> Project | Folder | File:
        """Return an entity; a file with its bytes in the folder `download`, if that is given.

        Args:
            entity: Its id, `syn12` or `syn12.3`; the path of a file as it was recorded, relative to the working
                directory of its workflow (`results/table.csv`); or the entity.
            version: Its version; None: the latest.
            download: Folder to put the bytes into; a file that lies there already is never changed.

        Raises:
            UsageError: Files of several projects have that path and `project` is none of these, or something else
                lies where the file would.
            NotRecordedError: No such path is recorded, or the bytes are not kept.
            NotFoundError: There is no such entity or version.
        """
        from snakeprov.client import storing

        return storing.get(self, entity, version=version, download=download)

    def status(self) -> Status | None:
        """Return how much the store holds; None where it does not say: Synapse counts nothing."""
        return self.backend.status()

    def user_name(self) -> str:
        """Return the name of the user that this client speaks for, or else the number."""
        return str(self.session.get("/repo/v1/userProfile").get("userName") or self.user_id)

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
