"""Compare two runs: how they were started, and which of their outputs differ.

Pure functions.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, Literal

import msgspec

from snakeprov.lineage.changes import Action, Kind
from snakeprov.lineage.difference import CHANGES_MAX, RUN_FACTS
from snakeprov.lineage.jobdifference import JobsChange, compare_all
from snakeprov.lineage.values import differing
from snakeprov.model.answers import MadeVersion, RecordedJob, Run

SUCCEEDED: Final = frozenset({"success", "cached", "backfilled"})
"""How jobs end that are compared."""

FILES_MAX: Final = 1000
"""Number of outputs of one rule that are named; all are counted."""

_FACTS: Final = {
    "command_line": "command line",
    "project": "project",
    "status": "status",
    **RUN_FACTS,
}


class Fact(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One fact about the runs that differs.

    Attributes:
        kind: `config`, or `circumstance` for everything else.
    """

    kind: Kind
    name: str
    action: Action
    old: Any = None
    new: Any = None


class Output(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A file that is not the same after both runs.

    Attributes:
        outcome: `different`, or made only by one of the runs: `onlyOld`, `onlyNew`.
        old_version: The number of its version on the old side.
        new_version: On the new side.
    """

    path: str
    outcome: Literal["different", "onlyOld", "onlyNew"]
    old_version: int | None = None
    new_version: int | None = None


class RuleOutputs(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The outputs of a rule in both runs, counted; `files` are those that are not the same, by path."""

    rule: str
    same: int
    different: int
    only_old: int
    only_new: int
    files: tuple[Output, ...]


class RunDifference(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """How two runs differ.

    Attributes:
        old: The one run.
        new: The other.
        facts: What differs of what they were started with and where.
        causes: What differs of what their jobs were given: inputs, code, params, software.
        outputs: Of each rule, in the order of the new run.
        truncated: Whether a run had more outputs or jobs than were compared.
    """

    old: Run
    new: Run
    facts: tuple[Fact, ...]
    causes: tuple[JobsChange, ...]
    outputs: tuple[RuleOutputs, ...]
    truncated: bool

    def count(self, name: Literal["same", "different", "only_old", "only_new"]) -> int:
        """Return how many outputs of all rules are counted under a name."""
        return sum(getattr(one, name) for one in self.outputs)


def compare_runs(
    old: Run,
    new: Run,
    *,
    old_outputs: Sequence[MadeVersion],
    new_outputs: Sequence[MadeVersion],
    old_jobs: Sequence[RecordedJob] = (),
    new_jobs: Sequence[RecordedJob] = (),
    truncated: bool = False,
) -> RunDifference:
    """Return how two runs differ.

    Args:
        old: A run.
        new: Another.
        old_outputs: What the run wrote.
        new_outputs: Of the other run.
        old_jobs: The jobs of the run.
        new_jobs: Of the other run.
        truncated: Whether there were more outputs or jobs than these.
    """
    return RunDifference(
        old=old,
        new=new,
        facts=tuple(_facts(old, new)),
        causes=compare_all(old_jobs, new_jobs, old_run=old, new_run=new),
        outputs=tuple(_by_rule(old_outputs, new_outputs)),
        truncated=truncated,
    )


def _facts(old: Run, new: Run) -> Iterable[Fact]:
    before, after = _commit(old), _commit(new)
    if before != after:
        yield _fact("commit", before, after)
    for one in differing(old.config, new.config, limit=CHANGES_MAX):
        yield Fact(kind="config", name=one.path, action=one.action, old=one.old, new=one.new)
    for attribute, name in _FACTS.items():
        old_value, new_value = getattr(old, attribute), getattr(new, attribute)
        if old_value != new_value:
            yield _fact(name, old_value, new_value)


def _fact(name: str, old: Any, new: Any) -> Fact:
    action: Action = "added" if old is None else "removed" if new is None else "changed"
    return Fact(kind="circumstance", name=name, action=action, old=old, new=new)


def _commit(run: Run) -> str | None:
    git = run.git
    return f"{git.commit}{'+dirty' if git.dirty else ''}" if git and git.commit else None


def _by_rule(old: Sequence[MadeVersion], new: Sequence[MadeVersion]) -> Iterable[RuleOutputs]:
    ours, theirs = ({one.path: one for one in outputs} for outputs in (old, new))
    rules = dict.fromkeys(one.rule or "" for one in (*theirs.values(), *ours.values()))
    found: dict[str, list[Output | None]] = {rule: [] for rule in rules}
    for path, one in theirs.items():
        before = ours.get(path)
        found[one.rule or ""].append(None if before and _is_same(before, one) else _output(path, before, one))
    for path, before in ours.items():
        if path not in theirs:
            found[before.rule or ""].append(_output(path, before, None))
    for rule, outputs in found.items():
        outcomes = [one.outcome if one else "same" for one in outputs]
        yield RuleOutputs(
            rule=rule,
            same=outcomes.count("same"),
            different=outcomes.count("different"),
            only_old=outcomes.count("onlyOld"),
            only_new=outcomes.count("onlyNew"),
            files=tuple(sorted((one for one in outputs if one), key=lambda one: one.path)[:FILES_MAX]),
        )


def _is_same(old: MadeVersion, new: MadeVersion) -> bool:
    if old.sha256 is not None and new.sha256 is not None:
        return old.sha256 == new.sha256
    return (old.entity_id, old.version_number) == (new.entity_id, new.version_number)


def _output(path: str, old: MadeVersion | None, new: MadeVersion | None) -> Output:
    return Output(
        path=path,
        outcome="onlyNew" if old is None else "onlyOld" if new is None else "different",
        old_version=None if old is None else old.version_number,
        new_version=None if new is None else new.version_number,
    )
