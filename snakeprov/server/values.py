"""The keys and values by which jobs and runs are found: wildcards, params, config, user and host.

Must not know: how they are kept, or how a question about them is answered.

A nested value has a key for each of its parts (`param.model.depth`), a list several values under one key. Longer
texts are cut, and what is over the bounds is not found by value: it stays in the record.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from snakeprov.model.records import JobRecord, JobStatus, RunRecord

VALUES_MAX = 100
"""Maximum number of values by which a job or a run is found."""

KEY_CHARS_MAX = 200
VALUE_CHARS_MAX = 200

DEPTH_MAX = 8
"""Values that are nested deeper are left out."""

UNMADE = "unmade"
"""The key under which a job is found by the outputs that it was to make and did not."""

_FAILED: frozenset[JobStatus] = frozenset({"failed", "retried", "interrupted"})

_WORDS = {"true": "true", "false": "false", "null": "null", "none": "null"}


def of_job(job: JobRecord) -> dict[tuple[str, str], None]:
    """Return the keys and values of a job, each pair once.

    >>> job = JobRecord(id="1", run_id="2", rule="a", status="success", wildcards={"sample": "x"}, params={"k": [1, 2]})
    >>> list(of_job(job))
    [('wildcard.sample', 'x'), ('param.k', '1'), ('param.k', '2')]
    """
    unmade = {(UNMADE, fact.path[:VALUE_CHARS_MAX]): None for fact in job.outputs[:VALUES_MAX]}
    if job.status not in _FAILED:
        unmade = {}
    if not job.wildcards and not job.params:
        return unmade
    return _bounded({"wildcard": job.wildcards, "param": job.params}) | unmade


def of_run(run: RunRecord) -> dict[tuple[str, str], None]:
    """Return the keys and values of a run, each pair once."""
    return _bounded({"user": run.user or (), "host": run.host or (), "config": run.config})


def forms(text: str) -> list[str]:
    """Return the texts under which a value may be kept that somebody writes as `text`.

    >>> forms("0.10"), forms("3"), forms("True"), forms("adelie")
    (['0.10', '0.1'], ['3', '3.0'], ['True', 'true'], ['adelie'])
    """
    found = [text[:VALUE_CHARS_MAX]]
    if text.lower() in _WORDS:
        found.append(_WORDS[text.lower()])
    try:
        number = float(text)
    except ValueError:
        return list(dict.fromkeys(found))
    found.append(repr(number))
    if number.is_integer() and abs(number) < 2**53:
        found.append(str(int(number)))
    return list(dict.fromkeys(found))


def _bounded(value: Mapping[str, Any]) -> dict[tuple[str, str], None]:
    found: dict[tuple[str, str], None] = {}
    for key, text in _flat("", value, depth=DEPTH_MAX):
        found[key[:KEY_CHARS_MAX], text[:VALUE_CHARS_MAX]] = None
        if len(found) >= VALUES_MAX:
            break
    return found


def _flat(key: str, value: Any, *, depth: int) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield key, value
    elif isinstance(value, Mapping):
        if depth:
            for name, part in value.items():
                yield from _flat(f"{key}.{name}" if key else str(name), part, depth=depth - 1)
    elif isinstance(value, list | tuple):
        if depth:
            for part in value:
                yield from _flat(key, part, depth=depth - 1)
    elif value is None:
        yield key, "null"
    elif isinstance(value, bool):
        yield key, "true" if value else "false"
    else:
        yield key, repr(value) if isinstance(value, float) else str(value)
