"""What the repository holds now, as far as it has been asked or told.

Must not know: how it is asked, nor why.

Values are real ones here; while a plan is being made, a `Draft` lays over them what the plan will bring about, with
references (`Ref`) to answers that are still to come.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from snakeprov.client.batch import Ref, Results, resolve
from snakeprov.model.paths import folders_above
from snakeprov.recorder.synapse import Remote

FILES_MAX: Final = 20_000
"""How many files are remembered; those not used for the longest time are forgotten, and asked for again."""


@dataclass(frozen=True, slots=True)
class Held:
    """A file that the repository holds, in its current version.

    Attributes:
        entity_id: Its id.
        name: Its name.
        parent_id: Id of its folder or project.
        etag: Its etag.
        version_number: Of the current version.
        sha256: Of the current version's bytes; None when unknown.
        activity_id: What generated the current version, if known.
        file_handle_id: Of the current version.
        bytes_pruned: Whether the bytes of the current version were kept, and are not any more.
        remote: What Synapse says of it besides, where that is the repository.
    """

    entity_id: str | Ref
    name: str
    parent_id: str | Ref
    etag: str | Ref
    version_number: int | Ref
    sha256: str | None = None
    activity_id: str | Ref | None = None
    file_handle_id: str | Ref | None = None
    bytes_pruned: bool = False
    remote: Remote | None = None


class Catalog:
    """Files and folders of one project by path. Not thread-safe."""

    def __init__(self) -> None:
        self.project_id: str | None = None
        self._files: OrderedDict[str, Held | None] = OrderedDict()
        self._folders: dict[str, str | None] = {}

    def file(self, path: str) -> Held | None:
        """Return the file at `path`, or None: there is none."""
        if path in self._files:
            self._files.move_to_end(path)
        return self._files.get(path)

    def folder(self, path: str) -> str | None:
        """Return the id of the folder at `path` ("" is the project), or None: there is none."""
        return self._folders.get(path) if path else self.project_id

    def unknown(self, paths: Iterable[str]) -> list[str]:
        """Return those of `paths`, each once and with the folders above them, of which nothing is known yet."""
        wanted: dict[str, None] = {}
        if self.project_id is None:
            wanted[""] = None
        for path in paths:
            if path not in self._files:
                wanted[path] = None
                for folder in folders_above(path):
                    if folder not in self._folders:
                        wanted[folder] = None
        return list(wanted)

    def learn(self, asked: Iterable[str], answer: dict[str, Any]) -> None:
        """Take in what the look-up of the paths `asked` answered."""
        self.project_id = answer.get("projectId") or self.project_id
        for path in asked:
            self._files[path] = None
            self._folders.setdefault(path, None)
        for one in answer["found"]:  # at one path there can be a file and a folder
            path = one["path"]
            if one["kind"] == "file":
                self._files[path] = Held(
                    entity_id=one["entityId"],
                    name=one["name"],
                    parent_id=one["parentId"],
                    etag=one["etag"],
                    version_number=one["versionNumber"],
                    sha256=one.get("sha256"),
                    activity_id=one.get("activityId"),
                    file_handle_id=one.get("dataFileHandleId"),
                    bytes_pruned=bool(one.get("bytesPruned")),
                    remote=one.get("remote"),
                )
            elif path:
                self._folders[path] = one["entityId"]

    def forget(self) -> None:
        """Forget everything: what is known has proved to be stale."""
        self.project_id = None
        self._files.clear()
        self._folders.clear()

    def trim(self) -> None:
        """Forget the files that were not used for the longest time, past `FILES_MAX`, and what is no folder."""
        while len(self._files) > FILES_MAX:
            self._files.popitem(last=False)
        if len(self._folders) > FILES_MAX:
            self._folders = {path: id_ for path, id_ in self._folders.items() if id_ is not None}

    def commit(self, draft: Draft, results: Results) -> None:
        """Take in what a plan has brought about, now that the answers to its requests are there."""
        if draft.project_id is not None:
            self.project_id = resolve(draft.project_id, results)
        for path, folder_id in draft.folders.items():
            self._folders[path] = resolve(folder_id, results)
        for path, held in draft.files.items():
            self._files[path] = Held(
                **{name: resolve(getattr(held, name), results) for name in Held.__dataclass_fields__}
            )
            self._files.move_to_end(path)


@dataclass
class Draft:
    """What a plan will have changed in the catalog once it is done."""

    project_id: str | Ref | None = None
    folders: dict[str, str | Ref] = field(default_factory=dict)
    files: dict[str, Held] = field(default_factory=dict)
