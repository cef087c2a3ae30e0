"""Answers of a store with what a test is about, and the rest as it is where nothing is known."""

from __future__ import annotations

from typing import Any
from zlib import crc32

from snakeprov.model.answers import EntityName, JobFile, Making, Outcome, Role, Run, Story, ToldVersion
from snakeprov.model.records import StoredJob

_UNKNOWN = (
    *("created_on", "created_by", "sha256", "md5", "size_bytes", "bytes_kept", "generated_by", "activity_id"),
    *("rule", "run_id", "commit", "dirty", "role", "meaning"),
)


def entity_of(path: str) -> str:
    """Return the id of the file at a path."""
    return f"syn{crc32(path.encode())}"


def named(text: str) -> tuple[str, int]:
    """Return path and number of `path@number`."""
    path, _, number = text.partition("@")
    return path, int(number or 1)


def told_version(text: str, **facts: Any) -> ToldVersion:
    """Return the version `path@number`, which nothing made unless the facts say so."""
    path, number = named(text)
    unknown = dict.fromkeys(_UNKNOWN)
    own: dict[str, Any] = {"entity_id": entity_of(path), "version_number": number, "path": path}
    return ToldVersion(**{**unknown, **own, "reproduced_by": [], "makings": [], **facts})


def told_story(version: ToldVersion, **facts: Any) -> Story:
    """Return the story of a version, with the activity, job and run that the facts name."""
    name = EntityName(id=version.entity_id, name=version.path.rpartition("/")[2], path=version.path)
    nothing: dict[str, Any] = {"activity": None, "job": None, "run": None, "previous_version_number": None}
    return Story(entity=name, version=version, **{**nothing, **facts})


def making(activity_id: str, **facts: Any) -> Making:
    """Return the making by an activity, of which no job is known unless the facts name it."""
    unknown = dict.fromkeys(("job_id", "run_id", "rule", "status", "ended_on", "commit", "dirty"))
    return Making(activity_id=activity_id, **{**unknown, **facts})


def job_file(role: Role, text: str, outcome: Outcome = "used", **facts: Any) -> JobFile:
    """Return the file `path@number` of a job; the digest is that of the version."""
    path, number = named(text)
    known: dict[str, Any] = {"entity_id": entity_of(path), "version_number": number, "sha256": f"sha of {text}"}
    return JobFile(role=role, path=path, outcome=outcome, **{**known, **facts})


def job_record(rule: str = "fit", **facts: Any) -> StoredJob:
    """Return the record of a job that succeeded."""
    return StoredJob(**{"id": "1", "run_id": "2", "rule": rule, "status": "success", **facts})


def told_run(id_: str, **facts: Any) -> Run:
    """Return a run."""
    return Run(id=id_, **{"project": "p", "working_directory": "/w", "status": "success", **facts})
