"""Recording a manual step: somebody says how files were made, and that is delivered at once or waits in the outbox."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, NoReturn
from uuid import uuid4

from snakeprov.capture.places import Places
from snakeprov.capture.secrets.finders import environment_secrets
from snakeprov.capture.secrets.redactor import Redactor
from snakeprov.client import Client
from snakeprov.disk import files
from snakeprov.disk.layout import noted_store
from snakeprov.disk.privacy import prepare_folder
from snakeprov.disk.projects import identity_of, project_of
from snakeprov.errors import BusyStoreError, CaptureError, NoStoreError, OutboxError, RemoteError, UsageError
from snakeprov.model.credentials import strip_credentials
from snakeprov.model.paths import to_text
from snakeprov.model.records import CodeFact, FileFact, JobRecord, ManualStep, RunRecord
from snakeprov.model.times import now
from snakeprov.places import Place, locate
from snakeprov.recorder import backlog
from snakeprov.recorder.context import Receipt, RecordedOutput
from snakeprov.recorder.deliver import REFUSED
from snakeprov.recorder.delivery import Delivery
from snakeprov.recorder.digesting import Digester
from snakeprov.recorder.heldfiles import HeldFiles
from snakeprov.recorder.leftovers import deliver_leftovers
from snakeprov.recorder.observed import CODE_KEY, Observations
from snakeprov.recorder.summary import explain
from snakeprov.recorder.target import TargetOf
from snakeprov.recorder.tools import Tools, opened_tools

_OUT_OF_REACH: Final = (RemoteError, BusyStoreError)
"""What is raised, besides `REFUSED`, where a step can be delivered later."""


@dataclass(frozen=True, kw_only=True)
class Said:
    """What somebody says of a step.

    Attributes:
        outputs: Absolute paths of the files and directories that it made.
        used: What was read: absolute paths, ids of entities, URLs.
        executed: What was run: the same.
        name: Of the Activity.
        description: Of the Activity.
        project: Name of the project; None: that of the settings.
        new_version: Make versions even of the same bytes.
    """

    outputs: Sequence[str]
    used: Sequence[str] = ()
    executed: Sequence[str] = ()
    name: str
    description: str | None = None
    project: str | None = None
    new_version: bool = False


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of a step.

    Attributes:
        outputs: Its outputs.
        waits_because: Why it waits in the outbox; None when it was delivered.
    """

    outputs: Sequence[RecordedOutput] = field(default_factory=list)
    waits_because: str | None = None


def record(said: Said, place: Place, *, connect: Callable[[], Client], target_of: TargetOf) -> Recorded:
    """Record that files were made by hand.

    What waits in the outbox for the store is delivered first, so that versions come in the order they were made in.

    Args:
        said: The step.
        place: The store, its settings, and what recorded paths are relative to.
        connect: Opens the store.
        target_of: Chooses what a client delivers to.

    Raises:
        UsageError: A path is neither a file nor a directory.
        CaptureError: A file cannot be read.
        RemoteError: The store refused the step, which is kept nowhere then; or it cannot be reached and is
            not the one that the outbox of the working directory is delivered to.
        OutboxError: The store cannot be reached, and the outbox cannot be written.
    """
    run, job = _records(said, place)
    with opened_tools(place, target_of) as tools, ExitStack() as opened:
        step = _Step(run, job, _observe(job, tools.digester), tools)

        def connected() -> Client:
            client = opened.enter_context(connect())
            deliver_leftovers(client, tools)
            return client

        may_wait = _is_delivered_to(place)
        with TemporaryDirectory() as scratch:
            folder = backlog.outbox_folder(place.root)
            if may_wait and folder.is_dir():
                with suppress(OutboxError):  # a store elsewhere takes the step all the same
                    return step.record(folder, connected, may_wait=True)
            try:
                return step.record(Path(scratch), connected, may_wait=False)
            except REFUSED:
                raise
            except _OUT_OF_REACH as error:
                if not may_wait:
                    raise
                failure = error

        def fail() -> NoReturn:
            raise failure

        prepare_folder(folder.parent, shared=place.settings.is_shared)
        return step.record(folder, fail, may_wait=True)


@dataclass(frozen=True)
class _Step:
    """A step, with what was found of its files."""

    run: RunRecord
    job: JobRecord
    observations: Observations
    tools: Tools

    def record(self, folder: Path, connect: Callable[[], Client], *, may_wait: bool) -> Recorded:
        """Append the step to an outbox in a folder and deliver that; what is raised leaves nothing in it.

        Args:
            folder: The outbox folder.
            connect: Opens the store.
            may_wait: Whether the step stays in the outbox where the store is out of reach; else that is raised.

        Raises:
            OutboxError: The outbox cannot be written.
            Exception: Why the step was not delivered.
        """
        receipts: list[Receipt] = []
        failures: list[Exception] = []
        store = noted_store(self.tools.working_directory, self.tools.store)
        with backlog.appended(folder, self.run, [self.job], store=store) as outbox:
            delivery = Delivery(
                self.tools,
                connect,
                look=lambda job: (self.observations, {}),
                on_receipt=receipts.append,
                on_failure=failures.append,
            )
            delivery.take(outbox)
            delivery.turn(is_last=True, may_send=False)
            error = next((one for one in (*failures, *(receipt.error for receipt in receipts)) if one), None)
            if error is None:
                return Recorded(receipts[0].outputs)
            if not may_wait or isinstance(error, REFUSED) or not isinstance(error, _OUT_OF_REACH):
                outbox.discard()
                raise error
        backlog.note_destination(self.tools.working_directory, self.tools.store)
        return Recorded([RecordedOutput(fact.path) for fact in self.job.outputs], waits_because=explain(error))


def _records(said: Said, place: Place) -> tuple[RunRecord, JobRecord]:
    """Return the record of a step, and that of the run that stands for it, which no store receives."""
    hide = Redactor(patterns=place.settings.redact, values=environment_secrets(os.environ, ())).text
    inputs, other_used = _split(said.used, place.root)
    code, other_executed = _split(said.executed, place.root)
    run = RunRecord(
        id=uuid4().hex,
        project=said.project or project_of(place.settings, place.root, place.store),
        project_identity=None if said.project else identity_of(place.settings, place.root),
        working_directory=to_text(place.root),
        status="manual",
    )
    job = JobRecord(
        id=uuid4().hex,
        run_id=run.id,
        rule=hide(said.name),
        status="success",
        kind="manual",
        step=ManualStep(
            description=hide(said.description) if said.description else None,
            used=other_used,
            executed=other_executed,
            new_version=said.new_version,
        ),
        inputs=inputs,
        outputs=_facts(said.outputs, place.root),
        code=[CodeFact(role="script", path=fact.path, fingerprint=fact.fingerprint) for fact in code],
        ended_on=now(),
    )
    return run, job


def _observe(job: JobRecord, digester: Digester) -> Observations:
    observations = digester.observe(job, HeldFiles())
    for path, seen in observations.items():
        if seen.digest is None and path != CODE_KEY:
            raise CaptureError(f"{path} cannot be recorded: {seen.problem or 'cannot be read'}.")
    return observations


def _is_delivered_to(place: Place) -> bool:
    """Return whether what waits in the working directory will be delivered to the store that is meant."""
    if not backlog.outbox_folder(place.root).is_dir():
        return True
    try:
        return locate(place.root).store == place.store
    except NoStoreError:
        return True


def _split(things: Sequence[str], working_directory: Path) -> tuple[list[FileFact], list[str]]:
    paths = [one for one in things if one.startswith("/")]
    return _facts(paths, working_directory), [strip_credentials(one) for one in things if not one.startswith("/")]


def _facts(paths: Sequence[str], working_directory: Path) -> list[FileFact]:
    places = Places(str(working_directory))
    return [_fact(path, places) for path in dict.fromkeys(paths)]


def _fact(path: str, places: Places) -> FileFact:
    """Return the state of a file or a directory. Raises UsageError if it is missing or neither."""
    text = places.path(path)
    if os.path.isdir(path):  # noqa: PTH112  any text will do
        return FileFact(path=text, kind="directory")
    fingerprint = files.fingerprint(path)
    if fingerprint is None:
        exists = os.path.lexists(path)
        raise UsageError(
            f"{to_text(path)} is neither a file nor a directory." if exists else f"There is no file {to_text(path)}.",
            hint="Name files by their path, entities by their id (syn123 or syn123.4), anything else by its URL.",
        )
    return FileFact(path=text, fingerprint=fingerprint, mode=files.mode(path))
