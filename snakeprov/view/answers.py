"""The JSON that the commands print with `--json`: the answers of a store under stable keys.

Every key named here is always present; unknown is null.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from snakeprov.model.answers import Done, History, JobFile, Role, Run, Status, Story
from snakeprov.model.findings import Report
from snakeprov.model.records import JobRecord

Json = dict[str, Any]

_FILE_KEYS = ("path", "entityId", "versionNumber", "sha256")


def history(told: History) -> Json:
    """Return what `log PATH --json` prints."""
    return {"entity": told.entity, "versions": told.results}


def done(told: Done) -> Json:
    """Return what `show --json` prints for a version, or for a job that need not have made anything."""
    return {
        "entity": told.entity if isinstance(told, Story) else None,
        "version": told.version if isinstance(told, Story) else None,
        "activity": told.activity,
        "job": None if told.job is None else _job(told.job.job, told.job.files),
        "run": None if told.run is None else run_body(told.run),
    }


def methods(answer: Mapping[str, Any]) -> Json:
    """Return what `methods --json` prints for the methods of an export."""
    keys = ("name", "jobs", "ran", "tools", "environment", "params")
    steps = [_pick(step, keys) for step in answer["steps"]]
    inputs = [_pick(one, ("path", "versionNumber", "sha256", "url")) for one in answer["inputs"]]
    return {"paragraph": answer["paragraph"], "inputs": inputs, "steps": steps, "truncated": answer["truncated"]}


def export(answer: Mapping[str, Any]) -> Json:
    """Return what `export --json` prints of what was written."""
    return _pick(answer, ("title", "format", "profile", "output", "sha256", "sizeBytes", "jobs", "files")) | _pick(
        answer, ("filesIncluded", "missing", "truncated")
    )


def runs(listed: Iterable[Run]) -> list[Json]:
    """Return what `runs --json` prints for runs."""
    return [
        {
            "id": one.id,
            "startedOn": one.started_on,
            "endedOn": one.ended_on,
            "commandLine": one.command_line,
            "status": one.status,
            "jobs": one.jobs or {},
        }
        for one in listed
    ]


def status(answer: Status | None, *, store: str, project: str, pending: int, failed: int) -> Json:
    """Return what `status --json` prints for an answer of the status resource and the state of the outbox."""
    return {
        "store": store,
        "project": project,
        "pending": pending,
        "failedDeliveries": failed,
        "entities": answer.entities if answer else None,
        "versions": answer.versions if answer else None,
        "activities": answer.activities if answer else None,
        "storedBytes": answer.stored_bytes if answer else None,
    }


def verification(report: Report, *, folder: str) -> Json:
    """Return what `fsck --json` prints for what was checked and found."""
    findings = [
        {"where": one.where, "problem": one.problem, "remedy": one.remedy, "isDamage": one.is_damage}
        for one in report.findings
    ]
    checked = {
        "rows": report.rows,
        "contents": report.contents,
        "contentBytes": report.content_bytes,
        "outboxes": report.outboxes,
    }
    damaged = report.damaged
    return {"store": folder, "ok": not damaged, "damaged": damaged, "checked": checked, "findings": findings}


def run_body(run: Run) -> Json:
    """Return a run under its keys."""
    git = run.git
    return {
        **picked(run, ("id", "commandLine", "snakemakeVersion", "status", "startedOn", "endedOn", "host", "user")),
        "git": None
        if git is None
        else {**picked(git, ("commit", "branch", "describe", "remote")), "dirty": bool(git.dirty)},
    }


def picked(answer: msgspec.Struct, keys: Iterable[str]) -> Json:
    """Return some of the fields of an answer by their names on the wire; unknown is null."""
    fields = dict(zip(answer.__struct_encode_fields__, msgspec.structs.astuple(answer), strict=True))
    return {key: fields[key] for key in keys}


def _job(job: JobRecord, files: Sequence[JobFile]) -> Json:
    def of(*roles: Role) -> list[Json]:
        return [picked(one, _FILE_KEYS) for one in files if one.role in roles]

    return {
        **picked(job, ("id", "rule", "status", "wildcards", "params", "shellcmd", "script", "threads", "resources")),
        "inputs": of("input"),
        "outputs": of("output"),
        "logs": of("log", "benchmark"),
        "code": of("code"),
        **picked(job, ("environmentDigest", "reason", "attempt", "startedOn", "endedOn")),
        **picked(job, ("exitCode", "error", "logExcerpt")),
    }


def _pick(answer: Mapping[str, Any], keys: Iterable[str]) -> Json:
    return {key: answer.get(key) for key in keys}
