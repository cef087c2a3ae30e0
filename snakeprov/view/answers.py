"""The JSON that the commands print with `--json`: what the repository answered, under keys that never change.

Must not know: how the answers are shown to people. Every key named here is always present; unknown is null.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from snakeprov.model.findings import Report

Json = dict[str, Any]

_VERSION_KEYS = (
    "versionNumber",
    "createdOn",
    "createdBy",
    "sha256",
    "md5",
    "sizeBytes",
    "bytesKept",
    "generatedBy",
    "activityId",
    "rule",
    "runId",
    "commit",
    "dirty",
)
_FILE_KEYS = ("path", "entityId", "versionNumber", "sha256")


def history(answer: Mapping[str, Any]) -> Json:
    """Return what `log PATH --json` prints for an answer of the history resource."""
    return {"entity": _entity(answer["entity"]), "versions": [_version(one) for one in answer["versions"]]}


def story(answer: Mapping[str, Any]) -> Json:
    """Return what `show --json` prints for an answer of the story resource."""
    job = answer.get("job")
    run = answer.get("run")
    return {
        "entity": _entity(answer["entity"]),
        "version": _version(answer["version"]),
        "activity": answer.get("activity"),
        "job": _job(job["job"], job.get("files", ())) if job else None,
        "run": run_body(run) if run else None,
    }


def lineage(answer: Mapping[str, Any]) -> Json:
    """Return what `lineage --json` prints for an answer of the lineage resource."""
    return {key: answer[key] for key in ("root", "nodes", "edges", "truncated")}


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


def runs(answer: Mapping[str, Any]) -> list[Json]:
    """Return what `runs --json` prints for an answer of the runs resource."""
    keys = ("id", "startedOn", "endedOn", "commandLine")
    return [
        {**_pick(one, keys), "status": run_status(one), "jobs": dict(one.get("jobs") or {})}
        for one in answer["results"]
    ]


def status(answer: Mapping[str, Any], *, store: str, project: str, pending: int, failed: int) -> Json:
    """Return what `status --json` prints for an answer of the status resource and the state of the outbox."""
    counts = _pick(answer, ("entities", "versions", "activities", "storedBytes"))
    return {"store": store, "project": project, "pending": pending, "failedDeliveries": failed, **counts}


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


def run_status(run: Mapping[str, Any]) -> str:
    """Return the status of a run; the wire form leaves out `running`, which every run begins with."""
    return str(run.get("status") or "running")


def run_body(run: Mapping[str, Any]) -> Json:
    """Return a run under its keys."""
    git = run.get("git")
    return {
        **_pick(run, ("id", "commandLine", "snakemakeVersion")),
        "status": run_status(run),
        **_pick(run, ("startedOn", "endedOn", "host", "user")),
        "git": {**_pick(git, ("commit", "branch", "describe", "remote")), "dirty": bool(git.get("dirty"))}
        if git
        else None,
    }


def job_story(answer: Mapping[str, Any]) -> Json:
    """Return what `show job:ID --json` prints: as `story`, of a job that need not have made anything."""
    job, run = answer["job"], answer.get("run")
    return {
        "entity": None,
        "version": None,
        "activity": answer.get("activity"),
        "job": _job(job["job"], job.get("files", ())),
        "run": run_body(run) if run else None,
    }


def _entity(answer: Mapping[str, Any]) -> Json:
    return _pick(answer, ("id", "name", "path"))


def _version(answer: Mapping[str, Any]) -> Json:
    return {
        **_pick(answer, _VERSION_KEYS),
        "reproducedBy": list(answer.get("reproducedBy") or ()),
        "makings": list(answer.get("makings") or ()),
        "role": answer.get("role"),
        "meaning": answer.get("meaning"),
    }


def _job(job: Mapping[str, Any], files: Iterable[Mapping[str, Any]]) -> Json:
    files = list(files)
    return {
        **_pick(job, ("id", "rule", "status")),
        "wildcards": dict(job.get("wildcards") or {}),
        "params": dict(job.get("params") or {}),
        **_pick(job, ("shellcmd", "script", "threads")),
        "resources": dict(job.get("resources") or {}),
        "inputs": [_pick(one, _FILE_KEYS) for one in files if one.get("role") == "input"],
        "outputs": [_pick(one, _FILE_KEYS) for one in files if one.get("role") == "output"],
        "logs": [_pick(one, _FILE_KEYS) for one in files if one.get("role") in ("log", "benchmark")],
        "code": [_pick(one, _FILE_KEYS) for one in files if one.get("role") == "code"],
        "environmentDigest": job.get("environmentDigest"),
        "reason": job.get("reason"),
        "attempt": job.get("attempt", 1),
        **_pick(job, ("startedOn", "endedOn", "exitCode", "error", "logExcerpt")),
    }


def _pick(answer: Mapping[str, Any], keys: Iterable[str]) -> Json:
    return {key: answer.get(key) for key in keys}
