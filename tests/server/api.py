"""Short ways to talk to an application, for the tests of the server."""

from __future__ import annotations

import hashlib
import itertools
from pathlib import Path
from typing import Any

import falcon
import requests

MODEL = "org.sagebionetworks.repo.model."
RUN = "0123456789abcdef0123456789abcdef"

Json = dict[str, Any]


class Api:
    """Talks to an application over a socket as one user, and looks at the status of every answer."""

    def __init__(self, url: str, folder: Path, *, user: str = "ada") -> None:
        self.url = url
        self.folder = folder
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.headers["X-User"] = user
        self._numbers = itertools.count()

    def as_user(self, user: str) -> Api:
        """Return the same application for another user."""
        return Api(self.url, self.folder, user=user)

    def ask(self, method: str, path: str, body: Any = None, **options: Any) -> requests.Response:
        """Send a request; return the answer, whatever it is."""
        if body is not None:
            options["data" if isinstance(body, bytes) else "json"] = body
        url = path if path.startswith("http") else self.url + path
        return self.session.request(method, url, timeout=30, allow_redirects=False, **options)

    def send(self, method: str, path: str, body: Any = None, *, expect: int) -> Any:
        """Send a request; return the JSON of the answer, whose status must be `expect`."""
        answer = self.ask(method, path, body)
        assert answer.status_code == expect, f"{method} {path}: {answer.status_code} {answer.text}"
        if answer.status_code >= 400:
            assert answer.json()["concreteType"] == MODEL + "ErrorResponse"
            assert answer.headers["content-type"] == "application/json"
        return answer.json() if answer.text else None

    def get(self, path: str, *, expect: int = 200) -> Any:
        return self.send("GET", path, expect=expect)

    def post(self, path: str, body: Any, *, expect: int = 201) -> Any:
        return self.send("POST", path, body, expect=expect)

    def put(self, path: str, body: Any = None, *, expect: int = 200) -> Any:
        return self.send("PUT", path, body, expect=expect)

    def delete(self, path: str, *, expect: int = 204) -> Any:
        return self.send("DELETE", path, expect=expect)

    def reason(self, method: str, path: str, body: Any = None, *, expect: int = 400) -> str:
        """Send a request that must fail; return the reason given."""
        return str(self.send(method, path, body, expect=expect)["reason"])

    def project(self, name: str = "P") -> Json:
        return self.container("Project", name)

    def folder_in(self, parent: Json, name: str) -> Json:
        return self.container("Folder", name, parent)

    def container(self, kind: str, name: str, parent: Json | None = None) -> Json:
        body = {"concreteType": MODEL + kind, "name": name}
        return dict(self.post("/repo/v1/entity", body if parent is None else {**body, "parentId": parent["id"]}))

    def handle(self, content: bytes | None = None, *, name: str = "a.txt", keep: bool = False) -> str:
        """Return the id of a file handle for a content, by default one that never was."""
        content = f"content {next(self._numbers)}".encode() if content is None else content
        path = self.folder / "content"
        path.write_bytes(content)
        sent = {"path": str(path), "fileName": name, "keep": keep, **digests(content)}
        answer = self.post("/snakeprov/v1/localFiles", {"files": [sent]}, expect=200)
        return str(answer["results"][0]["fileHandleId"])

    def file_in(self, parent: Json, name: str, *, handle: str | None = None, query: str = "") -> Json:
        body = {
            "concreteType": MODEL + "FileEntity",
            "name": name,
            "parentId": parent["id"],
            "dataFileHandleId": handle or self.handle(),
        }
        return dict(self.post("/repo/v1/entity" + query, body))

    def update(self, entity: Json, *, query: str = "", expect: int = 200, **changes: Any) -> Json:
        return dict(self.put(f"/repo/v1/entity/{entity['id']}{query}", {**entity, **changes}, expect=expect))

    def activity(self, *used: Json, **fields: Any) -> Json:
        return dict(self.post("/repo/v1/activity", {"used": list(used), **fields}))

    def run(self, id_: str = RUN, **fields: Any) -> Json:
        record = {"id": id_, "project": "P", "workingDirectory": "/w", **fields}
        return dict(self.put(f"/snakeprov/v1/runs/{id_}", record, expect=fields.pop("expect", 201)))

    def job(self, id_: str, *, expect: int = 201, run: str = RUN, files: Any = (), **fields: Any) -> Any:
        activity = {"activityId": fields.pop("activity")} if "activity" in fields else {}
        job = {"id": id_, "runId": run, "rule": "plot", "status": "success", **fields}
        body = {"job": job, "files": list(files), **activity}
        return self.put(f"/snakeprov/v1/jobs/{id_}", body, expect=expect)

    def jobs(self, **body: Any) -> Json:
        return dict(self.post("/snakeprov/v1/jobs", body, expect=200))

    def versions(self, **body: Any) -> Json:
        return dict(self.post("/snakeprov/v1/versions", body, expect=200))

    def history(self, entity: Json, **body: Any) -> Json:
        return self.versions(entityId=entity["id"], include=["makings"], **body)

    def story(self, entity: Json, version: int) -> Json:
        body = {"versions": [{"entityId": entity["id"], "versionNumber": version}]}
        return dict(self.post("/snakeprov/v1/stories", body, expect=200)["results"][0])

    def path_of(self, entity: Json) -> str:
        return str(self.versions(entityId=entity["id"], limit=1)["entity"]["path"])


def digests(content: bytes) -> Json:
    return {
        "sha256": hashlib.sha256(content).hexdigest(),
        "md5": hashlib.md5(content, usedforsecurity=False).hexdigest(),
        "sizeBytes": len(content),
    }


def used(entity: Json, version: int | None = None, *, executed: bool = False) -> Json:
    reference = {"targetId": entity["id"], **({} if version is None else {"targetVersionNumber": version})}
    return {"concreteType": MODEL + "provenance.UsedEntity", "reference": reference, "wasExecuted": executed}


def used_url(url: str, *, name: str | None = None, executed: bool = False) -> Json:
    return {"concreteType": MODEL + "provenance.UsedURL", "url": url, "name": name, "wasExecuted": executed}


def user_of(request: falcon.Request) -> str:
    return request.get_header("X-User", default="ada")
