"""A plan: the requests that make a store know what some jobs did, in the order they are to be sent.

Pure: nothing is read or sent here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final, Literal

import msgspec

from snakeprov.client.batch import Ref, Request
from snakeprov.client.files import Content
from snakeprov.model.entities import EXTERNAL_FILE_HANDLE, FILE, FOLDER, PROJECT
from snakeprov.model.meaning import Again, Edited, Made, Meaning, Past, Raw, SameContent
from snakeprov.model.media_types import guessed
from snakeprov.model.paths import OUTSIDE, folders_above, to_names
from snakeprov.recorder.catalog import Catalog, Draft, Held, Listed

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
        size_bytes: How many there were, where only that is known.
    """

    content: Content | None = None
    manifest: tuple[str, bytes] | None = None
    members: Sequence[Content] = ()
    external_url: str | None = None
    mode: int | None = None
    size_bytes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A version that is due.

    Attributes:
        bytes: What it consists of.
        meaning: What its bytes mean.
        content: What tells its bytes from others in the store, if known.
        sha256, size_bytes: Of its bytes, if known.
        seen_ns: Of the file, as of a `Held`.
        while_job: Id of the job during which the file was edited by hand, where that is known.
        is_copy: Whether the job that wrote it had read the same bytes elsewhere.
        comment: What the store is to keep with the version itself, in words.
    """

    bytes: Bytes
    meaning: Again | Made | Edited | SameContent | Raw
    content: str | None = None
    sha256: str | None = None
    size_bytes: int | None = None
    seen_ns: int | None = None
    while_job: str | None = None
    is_copy: bool = False
    comment: str | None = None


class Plan:
    """Grows request by request. Files and folders are looked up in what it will have changed, then in a catalog.

    Attributes:
        requests: What to send, in order.
        uploads: Bytes to store before.
        draft: What will have changed in the catalog.
        directories: Directories that this plan records, by path.
    """

    def __init__(
        self, catalog: Catalog, *, project: str, name_of: NameOf | None = None, tells_meanings: bool = True
    ) -> None:
        """Begin an empty plan.

        Args:
            catalog: What the store holds of the project.
            project: Its name.
            name_of: Turns a name on disk into the one that the store takes, where these differ.
            tells_meanings: Whether the store takes what the bytes of a version mean with the version.
        """
        self.requests: list[Request] = []
        self.uploads: list[Upload] = []
        self.draft = Draft()
        self.directories: dict[str, Listed] = {}
        self._made_at: dict[str, list[tuple[str | None, Held]]] = {}
        self._made_of: dict[str, list[tuple[str, Held]]] = {}
        self._numbers: dict[int, int] = {}
        self._reads: dict[tuple[Any, Any], datetime] = {}
        self._catalog = catalog
        self._project = project
        self._name_of = name_of
        self._tells_meanings = tells_meanings

    def enqueue(self, request: Request) -> int:
        """Append a request; return its position, for a `Ref`."""
        self.requests.append(request)
        return len(self.requests) - 1

    def held(self, path: str) -> Held | None:
        """Return the file at `path` as it will be, or None."""
        return self.draft.files.get(path) or self._catalog.held(path)

    def is_planned(self, path: str) -> bool:
        """Return whether the current version of the file at `path` is one of this plan."""
        held, known = self.draft.files.get(path), self._catalog.held(path)
        return held is not None and (known is None or known.version_number != held.version_number)

    def known(self, path: str) -> Held | None:
        """Return the file at `path` as it was before the plan, or None."""
        return self._catalog.held(path)

    def made_at(self, path: str) -> list[tuple[str | None, Held]]:
        """Return the content and the version of each that the plan makes of the file at `path`, in order."""
        return self._made_at.get(path, [])

    def made_of(self, content: str) -> list[tuple[str, Held]]:
        """Return the path and the version of each that the plan makes of a content, in order; copies are left out."""
        return self._made_of.get(content, [])

    def number_of(self, version_number: int | Ref) -> int:
        """Return the number of a version, as it will be where the plan makes it."""
        return self._numbers[version_number.result] if isinstance(version_number, Ref) else version_number

    def read(self, held: Held, moment: datetime | None) -> None:
        """Take note that a job that began at a moment has read a version."""
        key = held.entity_id, held.version_number
        moment = moment or datetime.min.replace(tzinfo=UTC)
        self._reads[key] = min(moment, self._reads.get(key, moment))

    def first_read(self, held: Held) -> datetime | None:
        """Return when the first job of this plan began that read a version, or None."""
        return self._reads.get((held.entity_id, held.version_number))

    def make(self, path: str, version: Version) -> Held:
        """Plan the next version of the file at `path`, or the first of a new one; return it as it will be."""
        before = self.held(path)
        held = self._create(path, version) if before is None else self._update(before, version)
        meaning = version.meaning
        held = replace(
            held,
            sha256=version.sha256,
            activity_id=meaning.activity_id if isinstance(meaning, Made | Again) else None,
            bytes_pruned=False,
            size_bytes=version.size_bytes,
            made_at=self._catalog.moment(),
            seen_ns=version.seen_ns,
            is_work=is_work_by(meaning),
            again_of=meaning.of if isinstance(meaning, Again) else None,
        )
        self.draft.files[path] = held
        self._made_at.setdefault(path, []).append((version.content, held))
        if version.content is not None and not version.is_copy:
            self._made_of.setdefault(version.content, []).append((path, held))
        return held

    def _create(self, path: str, version: Version) -> Held:
        folder = self.draft.folders.get(path) or self._catalog.folder(path)
        name = self._name(to_names(path)[-1], second=None if folder is None else "file")
        parent_id = self._folder(folders_above(path))
        body = {"concreteType": FILE, "name": name, "parentId": parent_id, **_comment(version)}
        file_handle_id = self._fill(body, name, version.bytes)
        created = self.enqueue(Request("POST", f"{REPO}/entity", body, self._origin(version)))
        self._numbers[created] = 1
        return Held(
            entity_id=Ref(created, "id"),
            name=name,
            parent_id=parent_id,
            etag=Ref(created, "etag"),
            version_number=Ref(created, "versionNumber"),
            file_handle_id=file_handle_id,
        )

    def _update(self, held: Held, version: Version) -> Held:
        body = {
            "concreteType": FILE,
            "id": held.entity_id,
            "name": held.name,
            "parentId": held.parent_id,
            "etag": held.etag,
            **_comment(version),
        }
        if held.description is not None:
            body["description"] = held.description
        file_handle_id = self._fill(body, held.name, version.bytes)
        query = {"newVersion": "true"} | self._origin(version)
        updated = self.enqueue(self._entity_request("PUT", "", held, body, query))
        self._numbers[updated] = self.number_of(held.version_number) + 1
        return replace(
            held,
            etag=Ref(updated, "etag"),
            version_number=Ref(updated, "versionNumber"),
            file_handle_id=file_handle_id,
        )

    def _origin(self, version: Version) -> dict[str, Any]:
        """Return the query that says who made a version, what its bytes mean, and its mode."""
        meaning = version.meaning
        query: dict[str, Any] = {} if version.bytes.mode is None else {"mode": str(version.bytes.mode)}
        if isinstance(meaning, Made | Again) and meaning.activity_id is not None:
            query["generatedBy"] = meaning.activity_id
        said = pointing(meaning)
        if said is not None and self._tells_meanings:
            kind, of = said
            number = of.version_number if isinstance(of.version_number, Ref) else str(of.version_number)
            query |= {"meaning": kind, "meaningOf": of.entity_id, "meaningOfVersion": number}
            if version.while_job is not None and isinstance(meaning, Edited):
                query["whileJob"] = version.while_job
        return query

    def keep_again(self, path: str, held: Held, bytes_: Bytes) -> None:
        """Plan to store the bytes of the current version of a file, which were pruned; the store knows them."""
        self._fill({}, held.name, bytes_)
        self.draft.files[path] = replace(held, bytes_pruned=False)

    def adopt_version(self, path: str, held: Held, generated_by: str | Ref) -> Held:
        """Plan that the current version of a file, so far of unknown origin, was generated by an activity."""
        self.enqueue(self._entity_request("PUT", "/generatedBy", held, None, {"generatedBy": generated_by}))
        read = self.enqueue(self._entity_request("GET", "", held))
        held = replace(held, etag=Ref(read, "etag"), activity_id=generated_by, is_work=True)
        self.draft.files[path] = held
        return held

    def note_work(self, path: str, held: Held) -> Held:
        """Take note that a job made the current version of a file too, though not first; return it as it will be."""
        held = replace(held, is_work=True)
        self.draft.files[path] = held
        return held

    def annotate(self, path: str, held: Held, annotations: msgspec.Raw) -> Held:
        """Plan the annotations (JSON) of the current version of a file."""
        body = {"id": held.entity_id, "etag": held.etag, "annotations": annotations}
        put = self.enqueue(self._entity_request("PUT", "/annotations2", held, body))
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
        handle: dict[str, Any] = {
            "concreteType": EXTERNAL_FILE_HANDLE,
            "fileName": name,
            "externalURL": bytes_.external_url,
            "contentType": guessed(name),
        }
        if bytes_.size_bytes is not None:
            handle["contentSize"] = bytes_.size_bytes
        file_handle_id = Ref(self.enqueue(Request("POST", "/file/v1/externalFileHandle", handle)), "id")
        body["dataFileHandleId"] = file_handle_id
        return file_handle_id

    def _folder(self, paths: Sequence[str]) -> str | Ref:
        """Return the id of the innermost of nested folders, planning those that there are not yet."""
        parent_id = self._project_id()
        for path in paths:
            folder_id = self.draft.folders.get(path) or self._catalog.folder(path)
            if folder_id is None:
                name = to_names(path)[-1] if path != "/" else OUTSIDE
                name = self._name(name, second=None if self.held(path) is None else "folder")
                body = {"concreteType": FOLDER, "name": name, "parentId": parent_id}
                folder_id = Ref(self.enqueue(Request("POST", f"{REPO}/entity", body)), "id")
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
            self.draft.project_id = Ref(self.enqueue(Request("POST", f"{REPO}/entity", body)), "id")
        return self.draft.project_id


def pointing(meaning: Meaning) -> tuple[str, Past] | None:
    """Return what a store calls a meaning that points at a version, and that version; None for the others."""
    match meaning:
        case Again(of):
            return "again", of
        case Edited(after):
            return "edited", after
        case SameContent(of):
            return "sameContent", of
        case _:
            return None


def _comment(version: Version) -> dict[str, str]:
    return {} if version.comment is None else {"versionComment": version.comment}


def is_work_by(meaning: Meaning) -> bool:
    """Return whether a version with a meaning is somebody's work (see `model.meaning`)."""
    if isinstance(meaning, Again):
        return meaning.activity_id is not None or meaning.of.is_work
    return meaning.of.is_work if isinstance(meaning, SameContent) else isinstance(meaning, Made | Edited)
