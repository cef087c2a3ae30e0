"""What the store holds now, as far as it has been asked or told.

Values are real ones here; while a plan is being made, a `Draft` lays over them what the plan will bring about, with
references (`Ref`) to answers that are still to come.
"""

from __future__ import annotations

import itertools
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import astuple, dataclass, field
from datetime import datetime
from typing import Final, NamedTuple

from snakeprov.client.batch import Ref, Results, resolve
from snakeprov.model.answers import Lookup, Meaning
from snakeprov.model.digest import Digest
from snakeprov.model.meaning import Past
from snakeprov.model.paths import folders_above

FILES_MAX: Final = 20_000
"""How many files are remembered; those not used for the longest time are forgotten, and asked for again."""


@dataclass(frozen=True, slots=True)
class Held:
    """A file that the store holds, in its current version.

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
        size_bytes: Of the current version, if known.
        made_at: When the current version was recorded, as a text that sorts: later ones come after.
        seen_ns: When its bytes were known to be these, as a file's mtime is counted; None: unknown.
        is_work: Whether the current version is somebody's work (see `model.meaning`); None: not known here.
        again_of: The version whose bytes the current version has again, where it does.
        description: Of the entity, where an update has to repeat it.
        noted: What the target has noted of it, for itself.
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
    size_bytes: int | None = None
    made_at: str = ""
    seen_ns: int | None = None
    is_work: bool | None = None
    again_of: Past | None = None
    description: str | None = None
    noted: object = None

    @property
    def past(self) -> Past:
        """Return the current version as something that may explain bytes."""
        is_work = self.activity_id is not None or bool(self.is_work)
        return Past(self.entity_id, self.version_number, self.activity_id, is_work)


@dataclass(frozen=True, slots=True)
class Listed:
    """A directory that is recorded as one thing.

    Attributes:
        version: Its newest version that an Activity made.
        members: sha256 of the files in it, by path below it.
        made_at: As of a `Held`.
    """

    version: Past
    members: Mapping[str, str]
    made_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """What the store says of bytes seen at a path.

    Attributes:
        earlier: The version of the path before its current one that has them.
        elsewhere: A version of another path that has them.
        is_work: Whether the current version is somebody's work.
        first_read: When the first job began that read the current version, where that has them.
    """

    earlier: Past | None = None
    elsewhere: Past | None = None
    is_work: bool = False
    first_read: datetime | None = None


Explanations = Mapping[tuple[str, str], Explained]
"""By path, and by what tells contents apart in the store: sha256, or md5 in Synapse."""

UNEXPLAINED = Explained()


@dataclass(frozen=True, slots=True)
class Identity:
    """What tells contents apart in a store: of bytes that were seen, and of a version that it holds.

    `lacks_marks`: whether what the bytes of a version mean has not been recorded with it yet.
    """

    of_digest: Callable[[Digest], str]
    of_held: Callable[[Held], str | None]
    lacks_marks: Callable[[Held], bool] = lambda held: False


BY_SHA256 = Identity(lambda digest: digest.sha256, lambda held: held.sha256)


class Besides(NamedTuple):
    """What a store says of a file besides the answer that every store gives."""

    description: str | None
    noted: object


class LookedUp(NamedTuple):
    """What a store holds at some paths, and what it says besides of the files, by path."""

    answer: Lookup
    besides: Mapping[str, Besides] = {}


class Catalog:
    """Files and folders of one project by path. Not thread-safe."""

    def __init__(self) -> None:
        self.project_id: str | None = None
        self._files: OrderedDict[str, Held | None] = OrderedDict()
        self._folders: dict[str, str | None] = {}
        self._moments = itertools.count()

    def moment(self) -> str:
        """Return the `made_at` of what is recorded now: after everything that was looked up or recorded before."""
        return f"~{next(self._moments):015}"

    def held(self, path: str) -> Held | None:
        """Return the file at `path`, or None."""
        if path in self._files:
            self._files.move_to_end(path)
        return self._files.get(path)

    def folder(self, path: str) -> str | None:
        """Return the id of the folder at `path` ("" is the project), or None."""
        return self._folders.get(path) if path else self.project_id

    def unknown(self, paths: Iterable[str]) -> list[str]:
        """Return those of `paths`, and of the folders above them, that have not been looked up yet; each once."""
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

    def learn(self, asked: Iterable[str], looked_up: LookedUp) -> None:
        """Take in what the look-up of the paths `asked` answered."""
        answer, besides = looked_up
        self.project_id = answer.project_id or self.project_id
        for path in asked:
            self._files[path] = None
            self._folders.setdefault(path, None)
        for one in answer.found:
            if one.kind == "file":
                self._files[one.path] = Held(
                    entity_id=one.entity_id,
                    name=one.name or "",
                    parent_id=one.parent_id or "",
                    etag=one.etag or "",
                    version_number=one.version_number or 1,
                    sha256=one.sha256,
                    activity_id=one.activity_id,
                    file_handle_id=one.data_file_handle_id,
                    bytes_pruned=bool(one.bytes_pruned),
                    size_bytes=one.size_bytes,
                    made_at=one.created_on or "",
                    seen_ns=_to_ns(one.created_on),
                    is_work=one.is_work,
                    again_of=_again_of(one.meaning),
                    description=besides[one.path].description if one.path in besides else None,
                    noted=besides[one.path].noted if one.path in besides else None,
                )
            elif one.path:
                self._folders[one.path] = one.entity_id

    def forget(self) -> None:
        """Forget everything: what is known has proved to be stale."""
        self.project_id = None
        self._files.clear()
        self._folders.clear()

    def trim(self) -> None:
        """Forget the files that were not used for the longest time, past `FILES_MAX`, and what is not a folder."""
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
            settled = {name: resolve(getattr(held, name), results) for name in Held.__dataclass_fields__}
            if held.again_of is not None:
                settled["again_of"] = Past(*(resolve(value, results) for value in astuple(held.again_of)))
            self._files[path] = Held(**settled)
            self._files.move_to_end(path)


@dataclass
class Draft:
    """What a plan will have changed in the catalog once it is done."""

    project_id: str | Ref | None = None
    folders: dict[str, str | Ref] = field(default_factory=dict)
    files: dict[str, Held] = field(default_factory=dict)


def _again_of(meaning: Meaning | None) -> Past | None:
    if meaning is None or meaning.kind != "again" or meaning.entity_id is None or meaning.version_number is None:
        return None
    return Past(meaning.entity_id, meaning.version_number, meaning.activity_id)


def _to_ns(time: str | None) -> int | None:
    return None if time is None else int(datetime.fromisoformat(time).timestamp() * 1e9)
