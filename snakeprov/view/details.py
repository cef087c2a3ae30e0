"""The details of one file or activity on the page of a lineage, as names and values."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from snakeprov.lineage.fold import Sorted
from snakeprov.model import meant
from snakeprov.model.answers import Node, RecordedJob, Version
from snakeprov.model.records import JobRecord
from snakeprov.view import text, times

VALUE_CHARACTERS_MAX = 2000
"""Longer values are cut."""

PARAMS_MAX = 50
"""Maximum number of params, or resources, shown."""

Facts = list[tuple[str, str]]


class Known(NamedTuple):
    """What the store told: of versions by `syn12.3`, of jobs (their records) by their ids."""

    versions: dict[str, Version]
    jobs: dict[str, JobRecord]

    @classmethod
    def of(cls, versions: Iterable[Version], jobs: Iterable[RecordedJob]) -> Known:
        """Return what a store answered."""
        return cls({one.id: one for one in versions}, {one.job.id: one.job for one in jobs})


def versions_of(nodes: Sorted) -> list[tuple[str, int]]:
    """Return the versions in a lineage, of which details may be known."""
    return [(one.entity_id, one.version_number) for one in nodes.nodes if one.entity_id and one.version_number]


def jobs_of(nodes: Sorted) -> list[str]:
    """Return the ids of the jobs in a lineage."""
    return [one.job_id for one in nodes.nodes if one.job_id]


def of_node(node: Node, known: Known) -> Facts:
    """Return the details of a file or an activity, as names and values in the order shown."""
    if node.kind == "activity":
        every = _of_activity(node, known.jobs.get(node.job_id or ""))
    else:
        every = _of_file(node, known.versions.get(node.id))
    return [(name, _shown(value)) for name, value in every if value not in (None, "", {}, [])]


def _of_file(node: Node, version: Version | None) -> Iterator[tuple[str, Any]]:
    yield "path", node.path
    yield "version", node.version_number
    yield "entity", node.entity_id
    if node.meaning is not None:
        yield "bytes mean", meant.said(node.meaning, path=node.path or "")
    yield "identity", None if node.identity_proved else meant.NOT_PROVED
    if version is not None:
        yield "size", text.size(version.size_bytes)
    yield "sha256", node.sha256
    if version is not None:
        yield "md5", version.md5
        yield "recorded", _when(times.parse(version.created_on))
        yield "bytes", None if version.bytes_kept is None else "kept" if version.bytes_kept else "not kept"
    yield "url", node.url


def _of_activity(node: Node, job: JobRecord | None) -> Iterator[tuple[str, Any]]:
    ended = times.parse(node.ended_on)
    yield "rule", node.rule
    yield "status", node.status
    yield "wildcards", _several(node.wildcards)
    yield "commit", node.commit and node.commit + "+dirty" * bool(node.dirty)
    if job is not None:
        yield "started", _when(job.started_on)
    yield "ended", _when(ended)
    if job is not None:
        yield "took", times.between(job.started_on, ended)
        yield from _of_job(job)
    yield "job", node.job_id


def _of_job(job: JobRecord) -> Iterator[tuple[str, Any]]:
    yield "reason", job.reason
    yield "params", _several(job.params)
    yield "script", job.script
    yield "command", (job.shellcmd or "").strip("\n")
    yield "threads", job.threads
    yield "resources", _several({name: value for name, value in job.resources.items() if not name.startswith("_")})
    yield "conda", job.conda_env_name or job.conda_env_url or job.conda_env_path
    yield "container", job.container
    yield "attempt", job.attempt if job.attempt > 1 else None
    yield "error", job.error
    yield "log", job.log_excerpt
    yield "run", job.run_id


def _when(moment: datetime | None) -> str | None:
    return None if moment is None else times.absolute(moment, UTC)


def _several(values: Mapping[str, Any] | None) -> str:
    pairs = list((values or {}).items())
    more = [f"\u2026 and {len(pairs) - PARAMS_MAX} more"] if len(pairs) > PARAMS_MAX else []
    return "\n".join([*(f"{name} = {_one(value)}" for name, value in pairs[:PARAMS_MAX]), *more])


def _one(value: Any) -> str:
    shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text.shorten(shown[:VALUE_CHARACTERS_MAX], VALUE_CHARACTERS_MAX // 10)


def _shown(value: Any) -> str:
    """Return a value of bounded length, its line breaks kept and other controls escaped."""
    whole = str(value)
    kept = whole[:VALUE_CHARACTERS_MAX].expandtabs(4)
    more = f"\n\u2026 {text.number(len(whole))} characters in all" if len(whole) > VALUE_CHARACTERS_MAX else ""
    return "\n".join(text.say(line).text for line in kept.split("\n")) + more
