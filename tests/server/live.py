"""A server on a socket that asks for tokens, and its users, for the tests of permissions."""

from __future__ import annotations

import hashlib
import itertools
import threading
from collections.abc import Collection
from datetime import datetime
from pathlib import Path
from typing import Any

import requests

from snakeprov.apps.accounts import Accounts
from snakeprov.apps.listener import listen
from snakeprov.blobs.local import LocalBlobs
from snakeprov.db import Database, open_database
from snakeprov.db.tokens import SCOPES
from snakeprov.server import create_app
from snakeprov.server.uploads import PART_BYTES_MIN

from .api import Api, Json, digests

APPS_MAX = 8
"""How many applications answer on the socket at once; one test has a few."""

WORKING = ("view", "download", "modify")
"""What a token allows with which somebody works."""

AUTHENTICATED, PUBLIC, ANONYMOUS = 273948, 273949, 273950


class User(Api):
    """Talks to a server over a socket as the holder of a token, or as nobody."""

    def __init__(self, url: str, token: str | None) -> None:
        super().__init__(url, Path())
        self._token = token
        del self.session.headers["X-User"]
        if token is not None:
            self.session.headers["Authorization"] = f"Bearer {token}"

    def as_another(self) -> User:
        """Return the same user on a connection of its own, for another thread."""
        return User(self.url, self._token)

    def handle(self, content: bytes | None = None, *, name: str = "a.txt", keep: bool = False) -> str:
        """Return the id of a file handle for bytes that are elsewhere, or with `keep` here."""
        content = f"content {next(self._numbers)}".encode() if content is None else content
        if keep:
            return self.upload(content, name=name)
        sent = digests(content)
        body = {"externalURL": f"https://example.org/{name}", "fileName": name, "contentMd5": sent["md5"]}
        return str(self.post("/file/v1/externalFileHandle", body)["id"])

    def start_upload(self, content: bytes, *, name: str = "a.txt", content_type: str | None = None) -> str:
        body = {
            "contentType": content_type,
            "fileName": name,
            "fileSizeBytes": len(content),
            "partSizeBytes": PART_BYTES_MIN,
            "contentMD5Hex": digests(content)["md5"],
        }
        return str(self.post("/file/v1/file/multipart", body, expect=200)["uploadId"])

    def upload(self, content: bytes, *, name: str = "a.txt", content_type: str | None = None) -> str:
        """Upload a content of one part; return the id of its file handle."""
        id_ = self.start_upload(content, name=name, content_type=content_type)
        path = f"/file/v1/file/multipart/{id_}"
        urls = self.post(f"{path}/presigned/url/batch", {"partNumbers": [1]}, expect=200)["partPresignedUrls"]
        requests.put(urls[0]["uploadPresignedUrl"], data=content, timeout=30).raise_for_status()
        self.put(f"{path}/add/1?partMD5Hex={digests(content)['md5']}")
        return str(self.put(f"{path}/complete")["resultFileHandleId"])

    @property
    def id(self) -> int:
        return int(self.get("/repo/v1/userProfile")["ownerId"])

    def share(self, project: Json, **wanted: Collection[str]) -> Json:
        """Let others do something in a project: `u102=["READ"]`; all others lose what they had."""
        path = f"/repo/v1/entity/{project['id']}/acl"
        acl = self.get(path)
        own = [entry for entry in acl["resourceAccess"] if entry["principalId"] == self.id]
        others = [{"principalId": int(name[1:]), "accessType": list(types)} for name, types in wanted.items()]
        return dict(self.put(path, {**acl, "resourceAccess": own + others}))


class Served:
    """A server on a socket, and its accounts."""

    def __init__(self, url: str, store: Database) -> None:
        self.url = url
        self.accounts = Accounts(store)

    def user(self, name: str, *, scopes: Collection[str] = SCOPES, expires_on: datetime | None = None) -> User:
        """Return a user with a token; creates the user if that name is new."""
        return User(self.url, self._token(name, scopes=scopes, expires_on=expires_on))

    def login(self, name: str, *, scopes: Collection[str] = WORKING) -> dict[str, str]:
        """Return the environment variables with which commands ask the server as a user, who is added if need be."""
        return {"SNAKEPROV_STORE": self.url, "SNAKEPROV_TOKEN": self._token(name, scopes=scopes)}

    def nobody(self) -> User:
        return User(self.url, None)

    def _token(self, name: str, *, scopes: Collection[str], expires_on: datetime | None = None) -> str:
        if name not in [account.name for account in self.accounts.all()]:
            self.accounts.add(name)
        return self.accounts.create_token(name, scopes=scopes, expires_on=expires_on).token


class Socket:
    """A socket on which many applications answer, each below a path: to begin to listen takes long, to end longer."""

    def __init__(self) -> None:
        self._apps: dict[str, Any] = {}
        self._numbers = itertools.count()
        server = listen(self._answer, host="127.0.0.1", port=0)
        self._url = f"http://127.0.0.1:{server.effective_port}"
        threading.Thread(target=server.run, daemon=True).start()

    def mount(self, app: Any) -> str:
        """Let an application answer from now on; return its URL. Only the last few that were mounted do."""
        name = f"app{next(self._numbers)}"
        self._apps[name] = app
        if len(self._apps) > APPS_MAX:
            del self._apps[next(iter(self._apps))]
        return f"{self._url}/{name}"

    def open(self, folder: Path) -> Served:
        """Let an application that asks for tokens answer, with a store and its bytes in a folder."""
        return self.serve(open_database(folder, create=True), LocalBlobs(folder / "blobs"))

    def serve(self, store: Database, blobs: LocalBlobs, **options: Any) -> Served:
        """Let an application that asks for tokens answer."""
        return Served(self.mount(create_app(store, blobs, **options)), store)

    def _answer(self, environ: dict[str, Any], start_response: Any) -> Any:
        _, name, *rest = environ["PATH_INFO"].split("/", 2)
        environ |= {"SCRIPT_NAME": f"/{name}", "PATH_INFO": "/" + "".join(rest)}
        return self._apps[name](environ, start_response)


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def stored_files(folder: Path) -> bytes:
    """Return everything that the files of a store's database hold."""
    return b"".join(path.read_bytes() for path in sorted(folder.glob("provenance.sqlite*")))
