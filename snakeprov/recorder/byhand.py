"""Recording a step that was done by hand: look at its files, deliver it at once, tell what became of it.

Must not know: how the step was told.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

from snakeprov.capture.code import GitReader
from snakeprov.capture.digestcache import DigestCache
from snakeprov.client import Client
from snakeprov.config import STORE_NAME, Settings
from snakeprov.errors import CaptureError
from snakeprov.model.paths import to_text
from snakeprov.model.records import FileFact, JobRecord, RunRecord
from snakeprov.model.times import now
from snakeprov.recorder.assemble import Policy, path_of
from snakeprov.recorder.catalog import Catalog
from snakeprov.recorder.codelinks import CodeLinks
from snakeprov.recorder.deliver import Deliverer, Prepared
from snakeprov.recorder.delivery import DIGESTS_NAME
from snakeprov.recorder.digesting import Digester
from snakeprov.recorder.manual import Step, code_fact, file_fact


def record(
    client: Client,
    settings: Settings,
    working_directory: Path,
    *,
    outputs: Sequence[str],
    used: Sequence[str],
    executed: Sequence[str],
    name: str,
    description: str | None = None,
    project: str | None = None,
    new_version: bool = False,
) -> list[dict[str, Any]]:
    """Record that `outputs` were made by hand; return `{path, entityId, versionNumber, isNew}` of each.

    Args:
        client: The repository.
        settings: Those of the working directory.
        working_directory: What recorded paths are relative to.
        outputs: Absolute paths of files and directories.
        used: What was read: absolute paths, ids of entities, URLs.
        executed: What was run: the same.
        name: Of the Activity.
        description: Of the Activity.
        project: Name of the project; None: that of the settings.
        new_version: Make versions even of the same bytes.

    Raises:
        UsageError: A path is neither a file nor a directory.
        CaptureError: A file cannot be read.
        RemoteError: The repository refused or failed; nothing is kept to be delivered later.
    """
    inputs, other_used = _split(used, working_directory)
    code, other_executed = _split(executed, working_directory)
    run = RunRecord(
        id=uuid4().hex,
        project=project or settings.project or to_text(working_directory.name) or "/",
        working_directory=to_text(working_directory),
    )
    job = JobRecord(
        id=uuid4().hex,
        run_id=run.id,
        rule=name,
        status="success",
        inputs=inputs,
        outputs=_facts(outputs, working_directory),
        code=[code_fact(fact) for fact in code],
        ended_on=now(),
    )
    deliverer = Deliverer(
        client,
        run,
        policy=Policy(always=new_version, keep_bytes_max=settings.keep_bytes_max, upload=settings.upload),
        links=CodeLinks(GitReader()),
        catalog=Catalog(),
    )
    prepared = Prepared(-1, job, _observe(job, working_directory))
    made = deliverer.deliver_by_hand(prepared, Step(description=description, used=other_used, executed=other_executed))
    paths = dict.fromkeys(path_of(fact) for fact in job.outputs)
    return [
        {"path": path, "entityId": held.entity_id, "versionNumber": held.version_number, "isNew": path in made}
        for path in paths
        if (held := made.get(path) or deliverer.held(path)) is not None
    ]


def _observe(job: JobRecord, working_directory: Path) -> dict[str, Any]:
    store = working_directory / STORE_NAME
    cache = DigestCache(store / DIGESTS_NAME if store.is_dir() else None)
    try:
        observations = Digester(str(working_directory), cache).observe(job, {})
    finally:
        cache.close()
    for path, seen in observations.items():
        if seen.digest is None:
            raise CaptureError(f"{path} cannot be recorded: {(seen.problem or 'it cannot be read').rstrip('.')}.")
    return observations


def _split(things: Sequence[str], working_directory: Path) -> tuple[list[FileFact], list[str]]:
    paths = [one for one in things if one.startswith("/")]
    return _facts(paths, working_directory), [one for one in things if not one.startswith("/")]


def _facts(paths: Sequence[str], working_directory: Path) -> list[FileFact]:
    return [file_fact(path, working_directory=str(working_directory)) for path in dict.fromkeys(paths)]
