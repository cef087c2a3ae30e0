"""Recording a step that somebody did by hand: the same versions and the same links as those of a job.

Must not know: the command line (`snakeprov record`), or how requests are sent.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from snakeprov.capture.places import Places
from snakeprov.client.batch import Ref, Request
from snakeprov.disk import files
from snakeprov.errors import UsageError
from snakeprov.model.activity import Activity
from snakeprov.model.paths import to_text
from snakeprov.model.records import CodeFact, FileFact, JobRecord
from snakeprov.recorder.assemble import Assembly
from snakeprov.recorder.plan import REPO, Plan
from snakeprov.recorder.recordpaths import path_of


@dataclass(frozen=True, kw_only=True)
class Step:
    """What describes a step beside the files that it read, ran and wrote.

    Attributes:
        description: What was done.
        used: Ids of entities that were used, and URLs.
        executed: The same, that were executed.
    """

    description: str | None = None
    used: Sequence[str] = field(default_factory=tuple)
    executed: Sequence[str] = field(default_factory=tuple)


def file_fact(path: str, *, places: Places) -> FileFact:
    """Return what is seen of a file or a directory now.

    Args:
        path: Absolute, as Python's file functions take it.
        places: Of the working directory.

    Raises:
        UsageError: There is none, or it is neither.
    """
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


def code_fact(fact: FileFact) -> CodeFact:
    """Return a file as something that was executed."""
    return CodeFact(role="script", path=fact.path, fingerprint=fact.fingerprint)


def assemble_by_hand(
    plan: Plan,
    assembly: Assembly,
    job: JobRecord,
    *,
    step: Step,
    activity_id: str | None = None,
    but: Collection[str] = (),
) -> list[str]:
    """Add to `plan` what makes a store know a step; return the paths of the files that get something new.

    An output gets nothing if it has the bytes of the current version and that version has an Activity.

    Args:
        plan: What to add to.
        assembly: Of the step.
        job: Its record.
        step: What else was said of it.
        activity_id: Its Activity, where an earlier attempt has brought that about.
        but: The outputs that have their version, by path.
    """
    outputs = [fact for fact in job.outputs if path_of(fact) not in but and assembly.makes(fact)]
    if not outputs:
        return []
    assembly.generate(outputs, activity_id or _activity(plan, assembly, step))
    return [path_of(fact) for fact in outputs]


def _activity(plan: Plan, assembly: Assembly, step: Step) -> Ref:
    """Plan the Activity of a step; return its id."""
    assembly.use_inputs()
    assembly.execute_code()
    for things, executed in ((step.used, False), (step.executed, True)):
        for item in Activity(used=list(things))["used"]:
            if "url" in item:
                assembly.use_url(item["url"], item["name"], executed=executed)
            else:
                assembly.used.append({**item, "wasExecuted": executed})
    body = assembly.activity_by_hand(step.description)
    return Ref(plan.add(Request("POST", f"{REPO}/activity", body)), "id")
