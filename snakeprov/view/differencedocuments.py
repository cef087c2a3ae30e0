"""What `why` and `diff` print with `--json`. Every key is always there; unknown is null."""

from __future__ import annotations

from typing import Any

from snakeprov.lineage.causes import Step, Trace
from snakeprov.lineage.changes import Change, Side
from snakeprov.lineage.jobdifference import JobsChange
from snakeprov.lineage.rundifference import Fact, RuleOutputs, RunDifference
from snakeprov.lineage.textdifference import TextDifference
from snakeprov.lineage.unrecorded import Unrecorded
from snakeprov.view import clauses, rundifference
from snakeprov.view.documents import Document, RunDocument, run_document


class _Compared(Document, frozen=True, kw_only=True):
    """How two versions differ; null and empty lists where there are no two."""

    sentence: str
    old: Side | None
    new: Side | None
    same_bytes: bool | None
    causes: tuple[Change, ...]
    circumstances: tuple[Change, ...]
    unproved: tuple[Change, ...]
    unrecorded: tuple[Unrecorded, ...]
    upstream: tuple[Step, ...]
    truncated: bool


class MadeAgainDocument(_Compared, frozen=True, kw_only=True):
    """How often a job wrote the bytes again, and what differed the last time."""

    count: int


class WhyDocument(_Compared, frozen=True, kw_only=True):
    """`why`: what made a version differ from the one before it."""

    version: Side
    made_again: MadeAgainDocument | None


class DiffDocument(_Compared, frozen=True, kw_only=True):
    """`diff` of two versions."""

    content: TextDifference | None


class RunDiffDocument(Document, frozen=True, kw_only=True):
    """`diff` of two runs."""

    sentence: str
    old: RunDocument
    new: RunDocument
    facts: tuple[Fact, ...]
    causes: tuple[JobsChange, ...]
    outputs: tuple[RuleOutputs, ...]
    truncated: bool


def why(side: Side, trace: Trace | None, *, again: Trace | None, count: int) -> WhyDocument:
    """Return what `why --json` prints; `trace` and `again` as for the screen of `why`."""
    return WhyDocument(
        sentence=clauses.first(side) if trace is None else clauses.why(trace),
        version=side,
        **_compared(trace),
        made_again=None
        if again is None
        else MadeAgainDocument(sentence=clauses.again(again, count), count=count, **_compared(again)),
    )


def diff(trace: Trace, *, content: TextDifference | None) -> DiffDocument:
    """Return what `diff --json` prints for two versions."""
    return DiffDocument(sentence=clauses.diff(trace), **_compared(trace), content=content)


def run_diff(difference: RunDifference) -> RunDiffDocument:
    """Return what `diff --json` prints for two runs."""
    return RunDiffDocument(
        sentence=rundifference.sentence(difference),
        old=run_document(difference.old),
        new=run_document(difference.new),
        facts=difference.facts,
        causes=difference.causes,
        outputs=difference.outputs,
        truncated=difference.truncated,
    )


def _compared(trace: Trace | None) -> dict[str, Any]:
    """Return the fields that all documents about two versions share, but for the sentence."""
    difference = None if trace is None else trace.difference
    return {
        "old": None if difference is None else difference.old,
        "new": None if difference is None else difference.new,
        "same_bytes": None if difference is None else difference.same_bytes,
        "causes": () if difference is None else difference.causes,
        "circumstances": () if difference is None else difference.circumstances,
        "unproved": () if difference is None else difference.unproved,
        "unrecorded": () if difference is None else difference.unrecorded,
        "upstream": () if trace is None else trace.upstream,
        "truncated": trace is not None and trace.truncated,
    }
