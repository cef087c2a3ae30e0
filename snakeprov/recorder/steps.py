"""A manual step as a record that can wait in an outbox, and its delivery.

Must not know: how the step was told, or which outbox it waited in.
"""

from __future__ import annotations

from typing import Any

import msgspec

from snakeprov.client import Client
from snakeprov.model.records import JobRecord, RunRecord
from snakeprov.recorder.codelinks import CodeLinks
from snakeprov.recorder.context import Policy
from snakeprov.recorder.deliver import Deliverer, Prepared
from snakeprov.recorder.digesting import Observations
from snakeprov.recorder.drain import Tools
from snakeprov.recorder.manual import Step
from snakeprov.recorder.recordpaths import path_of


class StepRecord(msgspec.Struct, kw_only=True, omit_defaults=True, rename="camel"):
    """What is known of a step.

    Attributes:
        run: Stands for the working directory and the project; no store receives it.
        job: The files that it read, ran and wrote.
        step: What else was said of it.
        new_version: Whether it makes versions even of the same bytes.
    """

    run: RunRecord
    job: JobRecord
    step: Step
    new_version: bool = False


def deliver_step(client: Client, record: StepRecord, observations: Observations, tools: Tools) -> list[dict[str, Any]]:
    """Deliver a step; return `{path, entityId, versionNumber, isNew}` of each of its outputs.

    Delivering the same again changes nothing, unless `new_version` asks a snakeprov store for a new version.

    Args:
        client: The store.
        record: The step.
        observations: What was found of its files.
        tools: Those of the working directory.

    Raises:
        RemoteError: The store refused (see `deliver.REFUSED`), or is not able to answer now.
    """
    settings = tools.settings
    deliverer = Deliverer(
        client,
        record.run,
        policy=Policy(always=record.new_version, keep_bytes_max=settings.keep_bytes_max, upload=settings.upload),
        links=CodeLinks(tools.git),
        projects=tools.projects(client),
        catalog=tools.catalog(record.run),
        target_of=tools.target_of,
    )
    made = deliverer.deliver_by_hand(Prepared(-1, record.job, observations), record.step)
    return [
        {"path": path, "entityId": held.entity_id, "versionNumber": held.version_number, "isNew": path in made}
        for path in dict.fromkeys(path_of(fact) for fact in record.job.outputs)
        if (held := made.get(path) or deliverer.held(path)) is not None
    ]
