"""A small project in which everything happens to a file that can: the records of it, in a folder or on a server."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from snakeprov.client import Client
from snakeprov.model.paths import to_names

CLEAN, DIRTY = "1a2b3c4d5e6f7a8b9c0d1e2f3a4b5c6d7e8f9a0b", "2b3c4d5e6f7a8b9c0d1e2f3a4b5c6d7e8f9a0b1c"
MODEL = "org.sagebionetworks.repo.model."
OWN = "/snakeprov/v1"

Json = dict[str, Any]


class Version(NamedTuple):
    """A version of a file, and its digest where one is known."""

    path: str
    entity_id: str
    number: int
    sha256: str | None


class Tale:
    """Records runs, jobs and what became of files in between, through the client, with times of its own."""

    def __init__(self, client: Client, folder: Path) -> None:
        self._session = client.session
        self._folder = folder
        self._ids: dict[str, str] = {}
        self._folders: dict[tuple[str, ...], str] = {}
        self._activities: dict[str, str] = {}
        self._run = ""
        self._hour = 0
        self._jobs = 0

    def run(self, day: int, *, commit: str = CLEAN, dirty: bool = False) -> None:
        """Begin a run on a day of January."""
        self._run = f"{day:02}" * 16
        self._hour = 9
        git = {"root": "/w", "commit": commit, "dirty": dirty}
        facts = {"status": "success", "commandLine": "snakemake all", "snakemakeVersion": "9.27.1", "git": git}
        times = {"startedOn": self._time(9), "endedOn": self._time(20)}
        record = {"id": self._run, "project": "study", "workingDirectory": str(self._folder), **facts, **times}
        self._session.put(f"{OWN}/runs/{self._run}", record)

    def job(self, rule: str, used: Sequence[Version], *made: tuple[str, bytes]) -> list[Version]:
        """Record a job of the run; bytes that a file has at present are made again."""
        self._jobs += 1
        activity = self._activity(rule, used)
        files = [self._file("input", one, "used") for one in used]
        versions = []
        for path, content in made:
            held = self._current(path)
            if held is not None and held.sha256 == hashlib.sha256(content).hexdigest():
                version, outcome = held, "reproduced"
            else:
                version, outcome = (
                    self.version(path, content, generatedBy=activity, **self._earlier(path, content)),
                    "generated",
                )
            versions.append(version)
            files.append(self._file("output", version, outcome))
        facts = {"id": f"{self._jobs:032x}", "runId": self._run, "rule": rule, "status": "success", "kind": "shell"}
        self._hour += 1
        times = {"startedOn": self._time(self._hour), "endedOn": self._time(self._hour + 1)}
        inputs = {"inputs": [{"path": one.path} for one in used], "outputs": [{"path": path} for path, _ in made]}
        job = {**facts, **times, **inputs, "shellcmd": f"sort > {rule}"}
        self._session.put(f"{OWN}/jobs/{facts['id']}", {"job": job, "activityId": activity, "files": files})
        self._activities[rule] = activity
        return versions

    def version(self, path: str, content: bytes | None, **query: Any) -> Version:
        """Record a version of a file; `content` is None where nobody looked at it."""
        body = {"concreteType": MODEL + "FileEntity", "dataFileHandleId": self._handle(path, content)}
        names = to_names(path)
        if path in self._ids:
            old = self._session.get(f"/repo/v1/entity/{self._ids[path]}")
            query["newVersion"] = True
            answer = self._session.put(
                f"/repo/v1/entity/{old['id']}", {**old, **body, "versionLabel": None}, query=query
            )
        else:
            new = {**body, "name": names[-1], "parentId": self._container(names[:-1])}
            answer = self._session.post("/repo/v1/entity", new, query=query)
        self._ids[path] = answer["id"]
        sha256 = None if content is None else hashlib.sha256(content).hexdigest()
        return Version(path, answer["id"], answer["versionNumber"], sha256)

    def meaning(self, kind: str, of: Version, **more: Any) -> Json:
        """Return what a version means, as the parameters of a request."""
        return {"meaning": kind, "meaningOf": of.entity_id, "meaningOfVersion": of.number, **more}

    def activity_of(self, rule: str) -> str:
        """Return the last activity of a rule."""
        return self._activities[rule]

    def last_job_id(self) -> str:
        """Return the id of the last job."""
        return f"{self._jobs:032x}"

    def plan(self, *jobs: Json) -> None:
        """Record the DAG of the run."""
        self._session.put(f"{OWN}/runs/{self._run}/plan", {"runId": self._run, "jobs": list(jobs)})

    def _earlier(self, path: str, content: bytes) -> Json:
        for number in range(1, self._number(path) + 1):
            if (old := self._at(path, number)).sha256 == hashlib.sha256(content).hexdigest():
                return self.meaning("again", old)
        return {}

    def _number(self, path: str) -> int:
        return (
            0
            if path not in self._ids
            else int(self._session.get(f"/repo/v1/entity/{self._ids[path]}")["versionNumber"])
        )

    def _current(self, path: str) -> Version | None:
        return self._at(path, self._number(path)) if path in self._ids else None

    def _at(self, path: str, number: int) -> Version:
        asked = {"versions": [{"entityId": self._ids[path], "versionNumber": number}]}
        (story,) = self._session.post(f"{OWN}/stories", asked)["results"]
        return Version(path, self._ids[path], number, story["version"]["sha256"])

    def _activity(self, rule: str, used: Sequence[Version]) -> str:
        references = [{"targetId": one.entity_id, "targetVersionNumber": one.number} for one in used]
        kind = MODEL + "provenance.UsedEntity"
        items = [{"concreteType": kind, "wasExecuted": False, "reference": one} for one in references]
        return str(self._session.post("/repo/v1/activity", {"name": rule, "used": items})["id"])

    def _file(self, role: str, version: Version, outcome: str) -> Json:
        digest = {} if version.sha256 is None else {"sha256": version.sha256}
        where = {"entityId": version.entity_id, "versionNumber": version.number}
        return {"role": role, "path": version.path, "outcome": outcome, **where, **digest}

    def _handle(self, path: str, content: bytes | None) -> str:
        body: Json = {"externalURL": f"file:///w/{path}", "fileName": path}
        if content is not None:
            body |= {"contentMd5": hashlib.md5(content, usedforsecurity=False).hexdigest()}
            body |= {"contentSha256": hashlib.sha256(content).hexdigest(), "contentSize": len(content)}
        return str(self._session.post("/file/v1/externalFileHandle", body)["id"])

    def _container(self, names: tuple[str, ...]) -> str:
        if names not in self._folders:
            kind, name = ("Folder", names[-1]) if names else ("Project", "study")
            body: Json = {"concreteType": MODEL + kind, "name": name}
            if names:
                body["parentId"] = self._container(names[:-1])
            self._folders[names] = str(self._session.post("/repo/v1/entity", body)["id"])
        return self._folders[names]

    def _time(self, hour: int) -> str:
        return f"2026-01-{self._run[:2]}T{hour:02}:00:00.000Z"
