"""Compare the jobs of two runs: the inputs, code, params and software that differ, over all jobs.

Pure functions.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec

from snakeprov.lineage.changes import Action, Change, FileVersion, Kind
from snakeprov.lineage.difference import compare_jobs
from snakeprov.model.answers import Done, RecordedJob, Run

CAUSES_MAX: Final = 1000
"""Differences that are listed."""

_OF_A_RULE: Final = frozenset({"param", "wildcard", "command", "rule"})
"""Kinds of changes that belong to one rule; a file or an environment is the same for all."""


class JobsChange(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One difference between what the jobs of two runs were given.

    Attributes:
        kind, name, action, old, new, role: As of a `Change`: that of the first job where there are several.
        rules: The rules of the jobs.
        jobs: How many jobs of the new run it concerns.
        varies: Whether the values are not the same for all of these jobs.
    """

    kind: Kind
    name: str
    action: Action
    old: Any = None
    new: Any = None
    role: str | None = None
    rules: tuple[str, ...] = ()
    jobs: int = 1
    varies: bool = False


def compare_all(
    old: Sequence[RecordedJob], new: Sequence[RecordedJob], *, old_run: Run, new_run: Run
) -> tuple[JobsChange, ...]:
    """Return what differs between the jobs that both runs have, each difference once, by kind and name.

    A file that the new run made is left out: what changed it is listed itself. A command that changed is listed only
    where nothing else that is listed of its job explains it.
    """
    before = {_key(one): one for one in old}
    made = {file.path for one in new for file in one.files if file.role == "output"}
    found: dict[tuple[str, str, str], list[tuple[str, Change]]] = {}
    for one in new:
        earlier = before.get(_key(one))
        if earlier is not None:
            rule = one.job.rule
            before_and_after = Done(activity=None, job=earlier, run=old_run), Done(activity=None, job=one, run=new_run)
            for change in _of_job(*before_and_after, made):
                place = rule if change.kind in _OF_A_RULE else ""
                found.setdefault((change.kind, change.name, place), []).append((rule, change))
    together = sorted((_together(changes) for changes in found.values()), key=lambda one: (one.kind, one.name))
    return tuple(together[:CAUSES_MAX])


def _key(one: RecordedJob) -> tuple[str, str]:
    """Return the key by which a job is matched with one of another run."""
    job = one.job
    wildcards = sorted(job.wildcards.items())
    # Jobs of a rule without wildcards can only be told apart by what they write.
    outputs = [] if wildcards else sorted(fact.path for fact in job.outputs)
    return job.rule, repr((wildcards, outputs))


def _of_job(old: Done, new: Done, made: set[str]) -> Iterable[Change]:
    causes, _ = compare_jobs(old, new)
    known = [one for one in causes if one.action != "unknown" and not (one.kind == "input" and _path(one) in made)]
    explained = any(one.kind != "command" for one in causes)
    return [one for one in known if one.kind != "command" or not explained]


def _path(change: Change) -> str:
    file = change.new or change.old
    return file.path if isinstance(file, FileVersion) else change.name


def _together(changes: Sequence[tuple[str, Change]]) -> JobsChange:
    first = changes[0][1]
    return JobsChange(
        kind=first.kind,
        name=first.name,
        action=first.action,
        old=first.old,
        new=first.new,
        role=first.role,
        rules=tuple(dict.fromkeys(rule for rule, _ in changes)),
        jobs=len(changes),
        varies=any((one.action, one.old, one.new) != (first.action, first.old, first.new) for _, one in changes),
    )
