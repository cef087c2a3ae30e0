"""The JSON that `why` and `diff` print with `--json`, under stable keys.

Every key is always present; unknown is null.
"""

from __future__ import annotations

from snakeprov.lineage.causes import Trace
from snakeprov.lineage.changes import Side
from snakeprov.lineage.rundifference import RunDifference
from snakeprov.lineage.textdifference import TextDifference
from snakeprov.view import clauses, rundifference
from snakeprov.view.answers import Json, run_body


def why(side: Side, trace: Trace | None, *, again: Trace | None, count: int) -> Json:
    """Return what `why --json` prints; `trace` and `again` as for the screen of `why`."""
    return {
        "sentence": clauses.first(side) if trace is None else clauses.why(trace),
        "version": side,
        **_traced(trace),
        "madeAgain": None
        if again is None
        else {"count": count, "sentence": clauses.again(again, count), **_traced(again)},
    }


def diff(trace: Trace, *, content: TextDifference | None) -> Json:
    """Return what `diff --json` prints for two versions."""
    return {"sentence": clauses.diff(trace), **_traced(trace), "content": content}


def run_diff(difference: RunDifference) -> Json:
    """Return what `diff --json` prints for two runs."""
    return {
        "sentence": rundifference.sentence(difference),
        "old": run_body(difference.old),
        "new": run_body(difference.new),
        "facts": difference.facts,
        "causes": difference.causes,
        "outputs": difference.outputs,
        "truncated": difference.truncated,
    }


def _traced(trace: Trace | None) -> Json:
    """Return how two versions differ; null and empty lists where there are no two."""
    difference = None if trace is None else trace.difference
    return {
        "old": None if difference is None else difference.old,
        "new": None if difference is None else difference.new,
        "sameBytes": None if difference is None else difference.same_bytes,
        "causes": () if difference is None else difference.causes,
        "circumstances": () if difference is None else difference.circumstances,
        "unproved": () if difference is None else difference.unproved,
        "unrecorded": () if difference is None else difference.unrecorded,
        "upstream": () if trace is None else trace.upstream,
        "truncated": trace is not None and trace.truncated,
    }
