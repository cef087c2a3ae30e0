"""The client: everything the product asks of a repository goes through it.

Must not know: which repository answers.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import requests

from snakeprov.client.batch import Request, Results, send_one_by_one, send_together
from snakeprov.client.files import Files
from snakeprov.client.resources import OWN, Activities, AnyEntity, Entities, Provenance
from snakeprov.client.runs import Jobs, Runs
from snakeprov.client.session import Session
from snakeprov.errors import NotFoundError, UsageError
from snakeprov.model.activity import Activity
from snakeprov.model.entities import File, Folder, Project

if TYPE_CHECKING:
    from snakeprov.synapse.walk import Walk


class Client:
    """A repository's client: `entities`, `activities`, `files`, `runs`, `jobs`, `provenance`, and batches.

    Made by `snakeprov.connect`. A context manager; not thread-safe: give each thread one of its own.

    Attributes:
        project: The project, by name (in Synapse also by id), that paths are looked up in where no other is named;
            in Synapse one has to be.
    """

    def __init__(
        self,
        base_url: str,
        *,
        token: str | None = None,
        transport: requests.Session | None = None,
        endpoints: Mapping[str, str] | None = None,
        is_snakeprov: bool | None = None,
        on_close: Callable[[], None] | None = None,
    ) -> None:
        """Prepare a client; nothing is sent yet. Arguments as those of `Session`.

        Args:
            base_url: What precedes `/repo/v1`.
            token: Access token.
            transport: A `requests` session to send with.
            endpoints: URLs of groups of services that do not lie below `base_url`, by the prefix of their paths.
            is_snakeprov: Whether the repository knows snakeprov's own resources; None: it will be asked.
            on_close: Called when the client is closed.
        """
        self.session = Session(base_url, token=token, transport=transport, endpoints=endpoints)
        self.entities = Entities(self.session)
        self.activities = Activities(self.session)
        self.files = Files(
            self.session, is_local=lambda: bool(self.info.get("localFiles")), takes_empty=lambda: self.is_snakeprov
        )
        self.project: str | None = None
        self._is_snakeprov = is_snakeprov
        self._on_close = on_close

    @cached_property
    def provenance(self) -> Provenance | Walk:
        """Answers questions that need more than one entity or activity."""
        if self.is_snakeprov:
            return Provenance(self.session)
        from snakeprov.synapse.walk import Walk

        return Walk(self)

    @cached_property
    def runs(self) -> Runs:
        """Runs of Snakemake; raises UsageError where the repository keeps none."""
        self._require("runs")
        return Runs(self.session)

    @cached_property
    def jobs(self) -> Jobs:
        """Jobs of runs; raises UsageError where the repository keeps none."""
        self._require("jobs")
        return Jobs(self.session)

    @cached_property
    def info(self) -> dict[str, Any]:
        """What the repository says of itself; empty where it is not snakeprov's."""
        if self._is_snakeprov is False:
            return {}
        try:
            return dict(self.session.get(OWN))
        except NotFoundError:
            return {}

    @property
    def is_snakeprov(self) -> bool:
        """Whether the repository knows snakeprov's own resources."""
        if self._is_snakeprov is None:
            self._is_snakeprov = self.info.get("name") == "snakeprov"
        return self._is_snakeprov

    @cached_property
    def user_id(self) -> str:
        """The id of the user that this client speaks for, as in an Activity's `createdBy`."""
        return str(self.session.get("/repo/v1/userProfile")["ownerId"])

    def send(self, requests: Sequence[Request], *, repeatable: bool = False) -> Results:
        """Send requests that belong together; return the bodies answered, in order.

        Where the repository takes batches, all are done or none. Raises as `send_together`.
        """
        if self.is_snakeprov:
            limit = int(self.info["maxBatchRequests"])
            return send_together(self.session, requests, repeatable=repeatable, batch_requests_max=limit)
        return send_one_by_one(self.session, requests)

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
        """Store an entity together with how it came about; return it as stored.

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
            RemoteError: The repository refused or failed.
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

    def status(self) -> dict[str, Any]:
        """Return the counts and the state of the repository; of Synapse only that it answers, and to whom."""
        if not self.is_snakeprov:
            return {"user": str(self.session.get("/repo/v1/userProfile").get("userName") or self.user_id)}
        return dict(self.session.get(f"{OWN}/status"))

    def _require(self, what: str) -> None:
        if not self.is_snakeprov:
            raise UsageError(
                f"Synapse keeps no {what}: it can be asked about one file at a time.",
                hint="Try 'snakeprov log PATH', 'snakeprov show PATH' or 'snakeprov lineage PATH'.",
            )

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
