"""Record a manual step: look at its files, deliver it at once, or leave it in the outbox.

Must not know: how the step was told.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec

from snakeprov.capture.git.reader import GitReader
from snakeprov.capture.places import Places
from snakeprov.capture.secrets.finders import environment_secrets
from snakeprov.capture.secrets.redactor import Redactor
from snakeprov.client import Client
from snakeprov.disk.digestcache import DigestCache
from snakeprov.disk.layout import own_folder
from snakeprov.disk.privacy import prepare_folder
from snakeprov.disk.projects import identity_of, project_of
from snakeprov.errors import BusyStoreError, CaptureError, NoStoreError, RemoteError
from snakeprov.model.credentials import strip_credentials
from snakeprov.model.paths import to_text
from snakeprov.model.records import FileFact, JobRecord, RunRecord
from snakeprov.model.times import now
from snakeprov.places import Place, locate
from snakeprov.recorder import backlog
from snakeprov.recorder.deliver import REFUSED, Prepared
from snakeprov.recorder.digesting import CODE_KEY, Digester, Observations
from snakeprov.recorder.drain import Tools
from snakeprov.recorder.entries import Kind
from snakeprov.recorder.heldfiles import HeldFiles
from snakeprov.recorder.leftovers import deliver_leftovers
from snakeprov.recorder.manual import Step, code_fact, file_fact
from snakeprov.recorder.outbox import Log, Outbox
from snakeprov.recorder.steps import StepRecord, deliver_step
from snakeprov.recorder.summary import explain
from snakeprov.recorder.target import TargetOf


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
        outputs: Of each output `{path, entityId, versionNumber, isNew}`; all but the path are None while it waits.
        waits_because: Why it waits in the outbox; None when it was delivered.
    """

    outputs: list[dict[str, Any]] = field(default_factory=list)
    waits_because: str | None = None


def record(said: Said, place: Place, *, connect: Callable[[], Client], target_of: TargetOf) -> Recorded:
    """Record that files were made by hand.

    What waited in the outbox is delivered before, so that versions come in the order in which they were made.

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
    step = _step(said, place)
    cache = DigestCache.of(place.root)
    try:
        digester = Digester(str(place.root), cache)
        observations = _observe(step.job, digester)
        git = GitReader()
        tools = Tools(
            settings=place.settings,
            working_directory=place.root,
            store=place.store,
            digester=digester,
            git=git,
            target_of=target_of,
        )
        try:
            with connect() as client:
                deliver_leftovers(client, tools)
                return Recorded(deliver_step(client, step, observations, tools))
        except REFUSED:
            raise
        except (RemoteError, BusyStoreError) as error:
            if not _is_delivered_to(place):
                raise
            _keep(step, observations, place)
            waiting = [
                {"path": fact.path, "entityId": None, "versionNumber": None, "isNew": None} for fact in step.job.outputs
            ]
            return Recorded(waiting, waits_because=explain(error))
    finally:
        cache.close()


def _step(said: Said, place: Place) -> StepRecord:
    hide = Redactor(patterns=place.settings.redact, values=environment_secrets(os.environ, ())).text
    inputs, other_used = _split(said.used, place.root)
    code, other_executed = _split(said.executed, place.root)
    run = RunRecord(
        id=uuid4().hex,
        project=said.project or project_of(place.settings, place.root, place.store),
        project_identity=None if said.project else identity_of(place.settings, place.root),
        working_directory=to_text(place.root),
    )
    job = JobRecord(
        id=uuid4().hex,
        run_id=run.id,
        rule=hide(said.name),
        status="success",
        inputs=inputs,
        outputs=_facts(said.outputs, place.root),
        code=[code_fact(fact) for fact in code],
        ended_on=now(),
    )
    description = hide(said.description) if said.description else None
    step = Step(description=description, used=other_used, executed=other_executed)
    return StepRecord(run=run, job=job, step=step, new_version=said.new_version)


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


def _keep(step: StepRecord, observations: Observations, place: Place) -> None:
    prepare_folder(own_folder(place.root), shared=place.settings.is_shared)
    backlog.note_destination(place.root, place.store)
    log = Log.create(backlog.outbox_folder(place.root), step.run.id, first=msgspec.json.encode(step), kind=Kind.STEP)
    log.close()
    recovered = Outbox.recover(log.path)
    if recovered is None:  # another process delivers it at this moment
        return
    outbox, content = recovered
    try:
        for entry in content.pending:
            outbox.digests(entry.number, Prepared(entry.number, step.job, observations).observations_json())
        outbox.sync()
    finally:
        outbox.close()


def _split(things: Sequence[str], working_directory: Path) -> tuple[list[FileFact], list[str]]:
    paths = [one for one in things if one.startswith("/")]
    return _facts(paths, working_directory), [strip_credentials(one) for one in things if not one.startswith("/")]


def _facts(paths: Sequence[str], working_directory: Path) -> list[FileFact]:
    places = Places(str(working_directory))
    return [file_fact(path, places=places) for path in dict.fromkeys(paths)]
