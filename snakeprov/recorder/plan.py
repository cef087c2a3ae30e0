"""A plan: the requests that make a repository know what some jobs did, in the order they are to be sent.

Must not know: jobs, runs, or how requests are sent. Pure: nothing is read or sent here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

import msgspec

from snakeprov.client.batch import Ref, Request
from snakeprov.client.files import Content
from snakeprov.model.entities import EXTERNAL_FILE_HANDLE, FILE, FOLDER, PROJECT
from snakeprov.model.media_types import guessed
from snakeprov.model.paths import OUTSIDE, folders_above, to_names
from snakeprov.recorder.catalog import Catalog, Draft, Held

REPO: Final = "/repo/v1"

NameOf = Callable[[str, Literal["file", "folder"] | None], str]
"""Makes an entity's name of a name on disk and, if a thing of the other kind has that name already, of what it is."""


@dataclass(frozen=True, slots=True)
class Upload:
    """Bytes that must be stored before the plan is sent; the id of their file handle belongs into `body`.

    Exactly one of `content` (a file on this machine) and `manifest` (bytes in memory) is given.
    """

    body: dict[str, Any]
    content: Content | None = None
    manifest: tuple[str, bytes] | None = None


@dataclass(frozen=True, slots=True)
class Bytes:
    """What a new version will consist of: a content, a manifest with its members, or a URL.

    Attributes:
        content: A file on this machine.
        manifest: Name and manifest of a directory.
        members: The files in that directory whose bytes are to be kept with it.
        external_url: Where the bytes were, if they could not be read.
        mode: The permissions of the file, where the store has a place for them.
    """

    content: Content | None = None
    manifest: tuple[str, bytes] | None = None
    members: Sequence[Content] = ()
    external_url: str | None = None
    mode: int | None = None


class Plan:
    """Grows request by request. Files and folders are looked up in what it will have changed, then in a catalog.

    Attributes:
        requests: What to send, in order.
        uploads: Bytes to store before.
        draft: What will have changed in the catalog.
        makers: Activities that made the files inside of directories of this plan, by path and sha256.
    """

    def __init__(self, catalog: Catalog, *, project: str, name_of: NameOf | None = None) -> None:
        """Begin an empty plan.

        Args:
            catalog: What the repository holds of the project.
            project: Its name.
            name_of: Turns a name on disk into the one that the store takes, where these differ.
        """
        self.requests: list[Request] = []
        self.uploads: list[Upload] = []
        self.draft = Draft()
        self.makers: dict[tuple[str, str], str | Ref] = {}
        self._catalog = catalog
        self._project = project
        self._name_of = name_of

    def add(self, request: Request) -> int:
        """Append a request; return its position, for a `Ref`."""
        self.requests.append(request)
        return len(self.requests) - 1

    def file(self, path: str) -> Held | None:
        """Return the file at `path` as it will be, or None."""
        return self.draft.files.get(path) or self._catalog.file(path)

    def create_file(self, path: str, bytes_: Bytes, *, sha256: str | None, generated_by: str | Ref | None) -> Held:
        """Plan a new file with its first version; return it as it will be."""
        folder = self.draft.folders.get(path) or self._catalog.folder(path)
        name = self._name(to_names(path)[-1], second=None if folder is None else "file")
        parent_id = self._folder(folders_above(path))
        body = {"concreteType": FILE, "name": name, "parentId": parent_id}
        file_handle_id = self._fill(body, name, bytes_)
        query = _query(generated_by=generated_by, mode=bytes_.mode)
        created = self.add(Request("POST", f"{REPO}/entity", body, query))
        held = Held(
            entity_id=Ref(created, "id"),
            name=name,
            parent_id=parent_id,
            etag=Ref(created, "etag"),
            version_number=Ref(created, "versionNumber"),
            sha256=sha256,
            activity_id=generated_by,
            file_handle_id=file_handle_id,
        )
        self.draft.files[path] = held
        return held

    def add_version(
        self, path: str, held: Held, bytes_: Bytes, *, sha256: str | None, generated_by: str | Ref | None
    ) -> Held:
        """Plan the next version of a file; return it as it will be."""
        body = {
            "concreteType": FILE,
            "id": held.entity_id,
            "name": held.name,
            "parentId": held.parent_id,
            "etag": held.etag,
        }
        if held.remote is not None and held.remote.description is not None:
            body["description"] = held.remote.description
        file_handle_id = self._fill(body, held.name, bytes_)
        query = {"newVersion": "true", **_query(generated_by=generated_by, mode=bytes_.mode)}
        updated = self.add(self._entity_request("PUT", "", held, body, query))
        held = replace(
            held,
            etag=Ref(updated, "etag"),
            version_number=Ref(updated, "versionNumber"),
            sha256=sha256,
            activity_id=generated_by,
            file_handle_id=file_handle_id,
            bytes_pruned=False,
        )
        self.draft.files[path] = held
        return held

    def keep_again(self, path: str, held: Held, bytes_: Bytes) -> None:
        """Plan to store the bytes of the current version of a file, which were pruned; the repository knows them."""
        self._fill({}, held.name, bytes_)
        self.draft.files[path] = replace(held, bytes_pruned=False)

    def adopt_version(self, path: str, held: Held, generated_by: str | Ref) -> Held:
        """Plan that the current version of a file, so far of unknown origin, was generated by an activity."""
        self.add(self._entity_request("PUT", "/generatedBy", held, None, {"generatedBy": generated_by}))
        read = self.add(self._entity_request("GET", "", held))
        held = replace(held, etag=Ref(read, "etag"), activity_id=generated_by)
        self.draft.files[path] = held
        return held

    def annotate(self, path: str, held: Held, annotations: msgspec.Raw) -> Held:
        """Plan the annotations (JSON) of the current version of a file."""
        body = {"id": held.entity_id, "etag": held.etag, "annotations": annotations}
        put = self.add(self._entity_request("PUT", "/annotations2", held, body))
        held = replace(held, etag=Ref(put, "etag"))
        self.draft.files[path] = held
        return held

    def _entity_request(
        self, method: str, below: str, held: Held, body: Any = None, query: dict[str, Any] | None = None
    ) -> Request:
        if isinstance(held.entity_id, Ref):
            return Request(method, f"{REPO}/entity/{{}}{below}", body, query or {}, path_ref=held.entity_id)
        return Request(method, f"{REPO}/entity/{held.entity_id}{below}", body, query or {})

    def _fill(self, body: dict[str, Any], name: str, bytes_: Bytes) -> str | Ref | None:
        """Arrange for the file handle in the entity `body`; return its id where that is known to the plan."""
        if bytes_.external_url is None:
            self.uploads.append(Upload(body, bytes_.content, bytes_.manifest))
            # The manifest names them by digest; no entity needs the ids of their file handles.
            self.uploads += [Upload({}, content=member) for member in bytes_.members]
            return None
        handle = {
            "concreteType": EXTERNAL_FILE_HANDLE,
            "fileName": name,
            "externalURL": bytes_.external_url,
            "contentType": guessed(name),
        }
        file_handle_id = Ref(self.add(Request("POST", "/file/v1/externalFileHandle", handle)), "id")
        body["dataFileHandleId"] = file_handle_id
        return file_handle_id

    def _folder(self, paths: Sequence[str]) -> str | Ref:
        """Return the id of the innermost of nested folders, planning those that there are not yet."""
        parent_id = self._project_id()
        for path in paths:
            folder_id = self.draft.folders.get(path) or self._catalog.folder(path)
            if folder_id is None:
                name = to_names(path)[-1] if path != "/" else OUTSIDE
                name = self._name(name, second=None if self.file(path) is None else "folder")
                body = {"concreteType": FOLDER, "name": name, "parentId": parent_id}
                folder_id = Ref(self.add(Request("POST", f"{REPO}/entity", body)), "id")
                self.draft.folders[path] = folder_id
            parent_id = folder_id
        return parent_id

    def _name(self, name: str, *, second: Literal["file", "folder"] | None = None) -> str:
        """Return the name of an entity; `second` says what it is if a thing of the other kind has the name already."""
        return name if self._name_of is None else self._name_of(name, second)

    def _project_id(self) -> str | Ref:
        if self._catalog.project_id is not None:
            return self._catalog.project_id
        if self.draft.project_id is None:
            body = {"concreteType": PROJECT, "name": self._name(self._project)}
            self.draft.project_id = Ref(self.add(Request("POST", f"{REPO}/entity", body)), "id")
        return self.draft.project_id


def _query(*, generated_by: str | Ref | None, mode: int | None) -> dict[str, Any]:
    named = {"generatedBy": generated_by, "mode": None if mode is None else str(mode)}
    return {name: value for name, value in named.items() if value is not None}
