"""What Synapse refuses and snakeprov takes, refused by a WSGI middleware before the application sees it.

Source: Synapse's server as it is today: entity names, `java.net.URL` for used URLs, sizes of files, annotation names,
numbers of children and levels. What a request has to be compared with is read from the application, as the same user.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any, TypeVar

import msgspec

from snakeprov.model.urls import is_address
from snakeprov.server.annotations import AnnotationsBody
from snakeprov.server.bundles import BundleBody, LegacyBundleBody
from snakeprov.server.filehandles import CopiesBody
from snakeprov.server.legacy import LegacyAnnotations
from snakeprov.server.refusals import Refusal, bad_request, body_of, conflict, not_found, shown
from snakeprov.server.uploads import UploadBody
from snakeprov.server.wire import ActivityBody, EntityBody

Json = dict[str, Any]
Wsgi = Callable[[Json, Callable[..., Any]], Iterable[bytes]]
T = TypeVar("T")

CHILDREN_MAX = 10_000
"""How many children one project or folder can have."""

DEPTH_MAX = 50
"""How many entities can lie above one another, the root included."""

OWN_PREFIX = "/snakeprov/v1"
"""What Synapse does not have, but for the signed URLs under which bytes are sent."""

_SIGNED = (f"{OWN_PREFIX}/download/", f"{OWN_PREFIX}/upload/")
_NAME = re.compile(r"[a-zA-Z0-9,_. \-+()']+")
_ANNOTATION_KEY = re.compile(r"[a-zA-Z0-9_.]+")
_URL = re.compile(r"(?:https?|ftp|file|mailto):.*|jar:[a-z]+:.*!/.*", re.IGNORECASE | re.DOTALL)
_ENTITY = re.compile(r"/repo/v1/entity/(?P<id>(?:syn)?[0-9]+)(?P<part>/.*)?", re.IGNORECASE)


class AsSynapse:
    """A WSGI application that refuses what Synapse refuses, and hands the rest on to the one that it wraps."""

    def __init__(self, app: Any) -> None:
        self._app: Wsgi = app

    def __call__(self, environ: Json, start_response: Callable[..., Any]) -> Iterable[bytes]:
        try:
            _Request(self._app, environ).check()
        except Refusal as refusal:
            status = HTTPStatus(refusal.status_code)
            start_response(f"{status.value} {status.phrase}", [("Content-Type", "application/json")])
            return [msgspec.json.encode(body_of(refusal))]
        return self._app(environ, start_response)


class _Request:
    """One request on its way to the application."""

    def __init__(self, app: Wsgi, environ: Json) -> None:
        self._app = app
        self._environ = environ
        self._path = environ["PATH_INFO"].rstrip("/")

    def check(self) -> None:
        """Refuse what Synapse refuses; trim the name of an entity in the body, as Synapse does.

        Raises:
            Refusal: Synapse refuses it.
        """
        if f"{self._path}/".startswith(f"{OWN_PREFIX}/") and not self._path.startswith(_SIGNED):
            raise not_found("There is no such resource.")
        match self._environ["REQUEST_METHOD"], self._path:
            case "POST", "/repo/v1/entity":
                self._check_entity(self._body(EntityBody))
            case "POST", "/repo/v1/entity/bundle2/create":
                self._check_bundle(self._body(BundleBody))
            case "POST" | "PUT", "/repo/v1/entity/bundle":
                self._check_bundle(self._body(LegacyBundleBody))
            case "POST", "/file/v1/file/multipart":
                _check_upload(self._body(UploadBody))
            case "POST", "/file/v1/filehandles/copy":
                _check_copies(self._body(CopiesBody))
            case "POST" | "PUT", path if path.startswith("/repo/v1/activity"):
                _check_activity(self._body(ActivityBody))
            case "PUT", path if (match := _ENTITY.fullmatch(path)) is not None:
                self._check_change(match["id"], match["part"] or "")

    def _check_change(self, id_: str, part: str) -> None:
        match part:
            case "" | "/version":
                self._check_entity(self._body(EntityBody), id_=id_)
            case "/bundle2":
                self._check_bundle(self._body(BundleBody), id_=id_)
            case "/bundle":
                self._check_bundle(self._body(LegacyBundleBody), id_=id_)
            case "/annotations2":
                _check_annotations(self._body(AnnotationsBody))
            case "/annotations":
                _check_annotations(self._body(LegacyAnnotations))

    def _check_bundle(self, bundle: BundleBody | LegacyBundleBody | None, *, id_: str | None = None) -> None:
        if bundle is not None:
            if bundle.entity is not None:
                known = id_ or (bundle.entity.id if self._environ["REQUEST_METHOD"] == "PUT" else None)
                self._check_entity(bundle.entity, id_=known, within="entity")
            _check_annotations(bundle.annotations)

    def _check_entity(self, body: EntityBody | None, *, id_: str | None = None, within: str | None = None) -> None:
        """Check an entity that is made, or with `id_` one that is changed; `within`: its key in the body."""
        if body is None:
            return
        name = None if body.name is None else _checked_name(body.name)
        if name != body.name:
            self._rename(name, within=within)
        before = {} if id_ is None else self._ask("GET", f"/repo/v1/entity/{id_}") or {}
        if body.parent_id is not None and _number(body.parent_id) != _number(before.get("parentId")):
            self._check_room_below(body.parent_id)
        if name is not None:
            self._check_free(name, body.parent_id, but=before.get("id"))

    def _check_room_below(self, parent: str) -> None:
        path = (self._ask("GET", f"/repo/v1/entity/{parent}/path") or {"path": []})["path"]
        if self._count_children(parent) >= CHILDREN_MAX:
            raise bad_request(f"{parent} has {CHILDREN_MAX} children; it cannot have more.")
        if len(path) >= DEPTH_MAX:
            raise bad_request(f"{parent} lies {DEPTH_MAX} levels deep; nothing can be put below it.")

    def _check_free(self, name: str, parent: str | None, *, but: str | None) -> None:
        """Refuse the name of another child: here a file and a folder may share one."""
        found = self._ask("POST", "/repo/v1/entity/child", {"entityName": name, "parentId": parent})
        if found is not None and found["id"] != but:
            raise conflict(f"An entity with the name: {name} already exists with a parentId: {parent}")

    def _count_children(self, parent: str) -> int:
        count, token = 0, None
        while count < CHILDREN_MAX:
            asked = {"parentId": parent, "includeTypes": ["project", "folder", "file"], "nextPageToken": token}
            answer = self._ask("POST", "/repo/v1/entity/children", asked) or {"page": []}
            count, token = count + len(answer["page"]), answer.get("nextPageToken")
            if token is None:
                break
        return count

    def _ask(self, method: str, path: str, body: Json | None = None) -> Json | None:
        """Return what the application answers to the same user; None where it refuses, as it then will again."""
        sent = b"" if body is None else msgspec.json.encode(body)
        # PEP 3333: bytes shown as ISO 8859-1 text.
        raw = path.encode().decode("latin-1")
        environ = {**self._environ, "REQUEST_METHOD": method, "PATH_INFO": raw, "QUERY_STRING": ""}
        environ |= {"CONTENT_LENGTH": str(len(sent)), "wsgi.input": io.BytesIO(sent)}
        statuses: list[str] = []
        content = b"".join(self._app(environ, lambda status, headers, *error: statuses.append(status)))
        return msgspec.json.decode(content) if statuses[0].startswith("2") else None

    def _content(self) -> bytes:
        """Return the body, which the application can still read."""
        content = self._environ["wsgi.input"].read(int(self._environ.get("CONTENT_LENGTH") or 0))
        self._environ["wsgi.input"] = io.BytesIO(content)
        return bytes(content)

    def _body(self, type_: type[T]) -> T | None:
        """Return the body; None where it is not of that type, which the application then says."""
        try:
            return msgspec.json.decode(self._content(), type=type_)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return None

    def _rename(self, name: str | None, *, within: str | None) -> None:
        body = msgspec.json.decode(self._content())
        (body if within is None else body[within])["name"] = name
        content = msgspec.json.encode(body)
        self._environ |= {"CONTENT_LENGTH": str(len(content)), "wsgi.input": io.BytesIO(content)}


def _checked_name(name: str) -> str:
    """Return an entity's name as Synapse would keep it: without spaces around it."""
    trimmed = name.strip()
    if not _NAME.fullmatch(trimmed):
        raise bad_request(
            f"Invalid name: {shown(name)}. Letters, digits, spaces and any of , _ . - + ( ) ' can be in a name."
        )
    return trimmed


def _check_upload(body: UploadBody | None) -> None:
    if body is not None:
        _checked_name(body.file_name)
        if body.file_size_bytes < 1:
            raise bad_request("File size must be at least one byte.")


def _check_copies(body: CopiesBody | None) -> None:
    for wanted in [] if body is None else body.copy_requests:
        if wanted.new_file_name is not None:
            _checked_name(wanted.new_file_name)


def _check_activity(body: ActivityBody | None) -> None:
    """Refuse a URL that `java.net.URL` does not take: it takes spaces, but few schemes."""
    for item in (body and body.used) or []:
        url = getattr(item, "url", None)
        if url is not None and not (is_address(url) and _URL.fullmatch(url.strip())):
            raise bad_request(f"UsedURL url field is malformed: {shown(url)}; http, https, ftp or file was expected.")


def _check_annotations(body: AnnotationsBody | LegacyAnnotations | None) -> None:
    for key in _annotation_keys(body):
        if not _ANNOTATION_KEY.fullmatch(key):
            raise bad_request(
                f"Invalid annotation name: {shown(key)}. Letters, digits, underscores and dots can be in it."
            )


def _annotation_keys(body: AnnotationsBody | LegacyAnnotations | None) -> list[str]:
    if body is None:
        return []
    if isinstance(body, AnnotationsBody):
        return list(body.annotations)
    by_type = (body.string_annotations, body.double_annotations, body.long_annotations, body.date_annotations)
    return [key for annotations in by_type for key in annotations]


def _number(id_: str | None) -> str:
    return (id_ or "").lower().removeprefix("syn")
