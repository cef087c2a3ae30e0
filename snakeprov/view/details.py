"""What the page of a lineage tells of one file or activity, in names and values.

Must not know: how they are laid out.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC
from typing import Any, NamedTuple

from snakeprov.lineage.graph import Node
from snakeprov.model import meant
from snakeprov.view import text, times

VALUE_CHARACTERS_MAX = 2000
"""Longer values are cut."""

PARAMS_MAX = 50
"""Maximum number of params, or resources, shown."""

Facts = list[tuple[str, str]]


class Known(NamedTuple):
    """What the repository told: of versions by `syn12.3`, of jobs (their records) by their ids."""

    versions: dict[str, Mapping[str, Any]]
    jobs: dict[str, Mapping[str, Any]]


def of_node(node: Node, known: Known) -> Facts:
    """Return what is known of a file or an activity."""
    if node.kind == "activity":
        every = _of_activity(node, known.jobs.get(node.job_id or "", {}))
    else:
        every = _of_file(node, known.versions.get(node.id, {}))
    return [(name, _shown(value)) for name, value in every if value not in (None, "", {}, [])]


def _of_file(node: Node, version: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    kept = version.get("bytesKept")
    yield "path", node.path
    yield "version", node.version_number
    yield "entity", node.entity_id
    if node.meaning is not None:
        yield "bytes mean", meant.said(node.meaning, path=node.path or "")
    yield "identity", None if node.identity_proved else meant.NOT_PROVED
    yield "size", text.size(version.get("sizeBytes"))
    yield "sha256", node.sha256
    yield "md5", version.get("md5")
    yield "recorded", _when(version.get("createdOn"))
    yield "bytes", None if kept is None else "kept" if kept else "not kept"
    yield "url", node.url


def _of_activity(node: Node, job: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    yield "rule", node.rule
    yield "status", node.status
    yield "wildcards", _several(node.wildcards)
    yield "commit", node.commit and node.commit + "+dirty" * bool(node.dirty)
    yield "started", _when(job.get("startedOn"))
    yield "ended", _when(node.ended_on)
    yield "took", times.between(job.get("startedOn"), node.ended_on)
    yield "reason", job.get("reason")
    yield "params", _several(job.get("params"))
    yield "script", job.get("script")
    yield "command", (job.get("shellcmd") or "").strip("\n")
    yield "threads", job.get("threads")
    yield "resources", _several({k: v for k, v in (job.get("resources") or {}).items() if not k.startswith("_")})
    yield "conda", job.get("condaEnvName") or job.get("condaEnvUrl") or job.get("condaEnvPath")
    yield "container", job.get("container")
    yield "attempt", job.get("attempt", 1) if job.get("attempt", 1) > 1 else None
    yield "error", job.get("error")
    yield "log", job.get("logExcerpt")
    yield "run", job.get("runId")
    yield "job", node.job_id


def _when(moment: str | None) -> str | None:
    parsed = times.parse(moment)
    return moment if parsed is None else times.absolute(parsed, UTC)


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
