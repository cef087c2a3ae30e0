"""Ask Synapse what a project holds at some paths, for which it has no single request.

A path is walked down from the project, one name after another; a file that is found is then read with its
annotations and the Activity that generated it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final, Literal, NamedTuple

from snakeprov.client import Client
from snakeprov.errors import ConfigError, ForbiddenError, NotFoundError
from snakeprov.model.activity import Activity
from snakeprov.model.answers import Found, Lookup
from snakeprov.model.entities import FILE, Body, Folder, Project
from snakeprov.model.meaning import Past
from snakeprov.model.paths import OUTSIDE, folders_above, to_names
from snakeprov.model.records import JobRecord
from snakeprov.recorder.catalog import Besides, Catalog, Explained, Held, LookedUp
from snakeprov.recorder.explaining import Asked
from snakeprov.synapse import pathwalk
from snakeprov.synapse.assemble import Done
from snakeprov.synapse.jobmark import marked
from snakeprov.synapse.names import to_synapse_name
from snakeprov.synapse.rules import PREFIX, is_entity_id
from snakeprov.synapse.version import SynapseVersion, md5_of, noted_of

VERSIONS_LOOKED_AT_MAX: Final = 50
"""So far back it is looked for a version that a job made before others made more."""

OTHERS_LOOKED_AT_MAX: Final = 5
"""Maximum number of files with the same content that are examined, newest first."""

STEPS_MAX: Final = 2
"""Maximum number of links that are followed to learn whether a version is work: it may be a copy put back."""

_Seen = tuple[Found, Besides | None]
"""What is at a path, and for a file what Synapse knows of it beyond that."""


class _Version(NamedTuple):
    """A version; the number of the one whose content it has again, if it has; what its Activity used."""

    past: Past
    again_of: int | None
    used: frozenset[tuple[str | None, int | None]]


class SynapseLookup:
    """Asks for the files and folders of one project. Not thread-safe."""

    def __init__(self, client: Client, project: str) -> None:
        """Prepare to ask `client`; `project` is the name of a project, or its id."""
        self._client = client
        self._project = project

    def look_up(self, paths: Iterable[str], catalog: Catalog) -> LookedUp:
        """Return what the project holds at each of `paths`.

        Raises:
            ConfigError: The project is named by an id that no project or folder has.
            RemoteError: Synapse failed.
        """
        asked = list(paths)
        project_id = catalog.project_id or self._find_project()
        if project_id is None:
            return LookedUp(Lookup(found=[]))
        above = {path: folders_above(path) for path in asked}
        folders = {folder for each in above.values() for folder in each}
        ids: dict[str, str | None] = {}

        found: list[Found] = []
        besides: dict[str, Besides] = {}

        def folder_id(path: str) -> str | None:
            if not path:
                return project_id
            if path not in ids:
                ids[path] = catalog.folder(path) or seen(path, "folder")
            return ids[path]

        def seen(path: str, kind: Literal["file", "folder"]) -> str | None:
            entries = self._at(folder_id(_parent(path)), path, kind)
            found.extend(one for one, _ in entries)
            besides.update((one.path, more) for one, more in entries if more is not None)
            return next((one.entity_id for one, _ in entries if one.kind == kind), None)

        for path in asked:
            if path in folders:
                if (known := catalog.folder(path)) is not None:
                    found.append(Found(path=path, kind="folder", entity_id=known))
                else:
                    folder_id(path)
            elif path:
                seen(path, "file")
        return LookedUp(Lookup(project_id=project_id, found=found), besides)

    def explain(self, asked: Sequence[Asked], catalog: Catalog) -> dict[tuple[str, str], Explained]:
        """Return what may explain bytes that were seen, by path and md5, as far as Synapse can tell.

        Who read a version first is not known there. One that snakeprov recorded without an Activity was read by then.
        """
        return {(one.path, md5_of(one.digest)): self._explained(one, catalog) for one in asked}

    def _explained(self, asked: Asked, catalog: Catalog) -> Explained:
        held, md5 = asked.held, md5_of(asked.digest)
        first_read = None
        noted = noted_of(held)
        if noted is not None and noted.md5 == md5 and noted.was_seen:
            first_read = datetime.min.replace(tzinfo=UTC)
        return Explained(
            earlier=self._earlier(held, md5) if held is not None else None,
            elsewhere=self._elsewhere(asked.path, md5, catalog) if asked.elsewhere else None,
            is_work=held is not None and held.past.is_work,
            first_read=first_read,
        )

    def _earlier(self, held: Held, md5: str) -> Past | None:
        """Return the newest version before the current one that has an md5, or the one whose content that has again."""
        entity_id = str(held.entity_id)
        for version in self._client.entities.versions(entity_id, limit=VERSIONS_LOOKED_AT_MAX):
            number = int(version["versionNumber"])
            if version.get("contentMd5") != md5 or number == held.version_number:
                continue
            past, origin, _ = self._past(entity_id, number, md5)
            if origin is not None:
                before = self._past(entity_id, origin, md5).past
                past = before if before.activity_id == past.activity_id else past
            return past
        return None

    def _past(self, entity_id: str, number: int, md5: str, *, steps: int = STEPS_MAX) -> _Version:
        """Return a version that has an md5, following at most `steps` links. Raises NotFoundError."""
        activity = self._client.entities.generated_by(entity_id, version_number=number)
        annotations: Body = self._client.entities.annotations(entity_id, version_number=number)["annotations"]
        is_work = activity is not None or self._comes_from_work(entity_id, annotations, md5, steps=steps)
        past = Past(entity_id, number, str(activity["id"]) if activity is not None else None, is_work)
        references = [one.get("reference") or {} for one in (() if activity is None else activity.get("used", ()))]
        used = frozenset((one.get("targetId"), one.get("targetVersionNumber")) for one in references)
        return _Version(past, _again_of(annotations, md5), used)

    def _comes_from_work(self, entity_id: str, annotations: Body, md5: str, *, steps: int = STEPS_MAX) -> bool:
        """Return whether a version without an Activity is work, or a copy of it; a copy of a raw input is another one.

        Args:
            entity_id: Its file.
            annotations: Its annotations.
            md5: Of its bytes.
            steps: Maximum number of links to other versions that are followed.
        """
        meant = _meant(annotations, md5)
        if meant is None or meant[0] == "edited":
            return meant is not None
        _, path, number = meant
        if steps == 0:
            return False
        try:
            if path:
                here = _text(annotations, "path") or ""
                found = pathwalk.file_beside(self._client.entities, entity_id, here, path)
                entity_id = found.entity_id if found is not None else ""
            return bool(entity_id) and self._past(entity_id, number, md5, steps=steps - 1).past.is_work
        except (NotFoundError, ForbiddenError):  # deleted since, or not shared
            return False

    def _elsewhere(self, path: str, md5: str, catalog: Catalog) -> Past | None:
        """Return a version of another path that has an md5, no copy: the newest that was made, else the newest."""
        others: list[_Version] = []
        for header in reversed(self._client.entities.with_md5(md5)):
            if f"syn{header.get('benefactorId')}" != catalog.project_id or len(others) >= OTHERS_LOOKED_AT_MAX:
                continue
            entity_id, number = str(header["id"]), int(header["versionNumber"])
            annotations = self._client.entities.annotations(entity_id, version_number=number)["annotations"]
            where = _text(annotations, "path")
            if where not in (None, path) and _text(annotations, "md5") == md5:
                found = self._past(entity_id, number, md5)
                others.append(found._replace(past=replace(found.past, path=where)))
        those = {(one.past.entity_id, one.past.version_number) for one in others}
        origins = [one.past for one in others if one.used.isdisjoint(those)] or [one.past for one in others]
        return next((one for one in origins if one.activity_id is not None), origins[0] if origins else None)

    def done(self, job: JobRecord, outputs: Iterable[tuple[str, Held, str | None]]) -> Done | None:
        """Return what an earlier attempt to deliver `job` has brought about, or None.

        Args:
            job: The job.
            outputs: Its outputs that there are files of: path, current version, md5 of the bytes it wrote.
        """
        result: Done | None = None
        for path, held, md5 in outputs:
            activity_id, noted = None, noted_of(held)
            if noted is not None and noted.job_id == job.id:
                activity_id = str(held.activity_id)
            elif noted is not None and noted.is_read and md5 is not None and noted.md5 != md5:
                activity_id = self._made_before(str(held.entity_id), job, md5)
            if activity_id is not None:
                result = result or Done(activity_id)
                result.paths.add(path)
        return result

    def _made_before(self, entity_id: str, job: JobRecord, md5: str) -> str | None:
        """Return the Activity of an older version that `job` made, if there is one."""
        for version in self._client.entities.versions(entity_id, limit=VERSIONS_LOOKED_AT_MAX):
            if version.get("contentMd5") != md5:
                continue
            activity = self._client.entities.generated_by(entity_id, version_number=int(version["versionNumber"]))
            if activity is not None and _job_id(activity.description) == job.id:
                return str(activity["id"])
        return None

    def _find_project(self) -> str | None:
        if not is_entity_id(self._project):
            return self._client.entities.find_child(None, to_synapse_name(self._project))
        try:
            entity = self._client.entities.get(self._project)
        except NotFoundError as error:
            raise ConfigError(
                f"The project {self._project} does not exist, or you have no access to it.",
                hint="Set `project` to the id of a project that you can see, or to the name of a new one.",
            ) from error
        if not isinstance(entity, (Project, Folder)):
            raise ConfigError(f"{self._project} is a file.", hint="Set `project` to the id of a project or folder.")
        return self._project

    def _at(self, parent_id: str | None, path: str, kind: Literal["file", "folder"]) -> list[_Seen]:
        """Return what is at a path: a thing of this kind, and one of the other kind if that has the name itself."""
        name = OUTSIDE if path == "/" else to_names(path)[-1]
        entries: list[_Seen] = []
        for second in (None, kind):
            found = parent_id and self._client.entities.find_child(parent_id, to_synapse_name(name, second=second))
            if not found:
                break
            entries.append(self._read(path, found))
            if entries[-1][0].kind == kind:
                break
        return entries

    def _read(self, path: str, entity_id: str) -> _Seen:
        bundle = self._client.entities.bundle(entity_id)
        entity = bundle["entity"]
        if entity["concreteType"] != FILE:
            return Found(path=path, kind="folder", entity_id=entity_id), None
        annotations: Body = bundle.get("annotations", {}).get("annotations", {})
        activity = Activity(data=bundle["activity"]) if bundle.get("activity") else None
        handle_id = entity.get("dataFileHandleId")
        md5 = next((one.get("contentMd5") for one in bundle.get("fileHandles", ()) if one["id"] == handle_id), None)
        if md5 is None:  # file handles are shown only to those who may download
            versions = self._client.entities.versions(entity_id, limit=1)
            md5 = versions[0].get("contentMd5") if versions else None
        job_id = _job_id(activity.description) if activity is not None else None
        # A new version begins with the annotations of the one before: only if they name its md5 they are its own.
        is_own = md5 is not None and _text(annotations, "md5") == md5
        is_annotated = job_id is not None and _text(annotations, "job") == job_id
        read_for = _job_id(entity.get("versionComment"))
        lacks_marks = not is_own and not is_annotated and (job_id or read_for) is not None
        found = Found(
            path=path,
            kind="file",
            entity_id=entity_id,
            name=entity["name"],
            parent_id=entity["parentId"],
            etag=entity["etag"],
            version_number=entity["versionNumber"],
            data_file_handle_id=handle_id,
            activity_id=str(activity["id"]) if activity is not None else None,
            sha256=_text(annotations, "sha256") if is_own else None,
            created_on=entity.get("modifiedOn"),
            is_work=activity is not None or (md5 is not None and self._comes_from_work(entity_id, annotations, md5)),
        )
        version = SynapseVersion(
            md5=md5,
            job_id=job_id,
            was_seen=is_own and job_id is None,
            is_annotated=is_annotated,
            read_for=read_for,
            lacks_marks=lacks_marks,
            before=self._before(entity_id, int(entity["versionNumber"]))
            if lacks_marks
            else _edited_after(entity_id, annotations, md5),
            annotations={key: value for key, value in annotations.items() if not key.startswith(PREFIX)},
        )
        return found, Besides(entity.get("description"), version)

    def _before(self, entity_id: str, number: int) -> Past | None:
        """Return the version before one, or None."""
        for version in self._client.entities.versions(entity_id, limit=VERSIONS_LOOKED_AT_MAX):
            if (before := int(version["versionNumber"])) < number:
                md5 = version.get("contentMd5")
                return replace(self._past(entity_id, before, md5 or "").past, is_read=md5 is not None)
        return None


def _parent(path: str) -> str:
    above = folders_above(path)
    return above[-1] if above else ""


def _job_id(description: str | None) -> str | None:
    found = marked(description)
    return found[0] if found else None


def _text(annotations: Body, name: str) -> str | None:
    values = (annotations.get(PREFIX + name) or {}).get("value")
    return str(values[0]) if values else None


def _meant(annotations: Body, md5: str) -> tuple[str, str, int] | None:
    """Return what is noted that the bytes of a version mean: the kind, and path and number of the version meant.

    A new version begins with the annotations of the one before: they are its own only if they name its `md5`.
    """
    kind, (path, _, number) = _text(annotations, "meaning"), (_text(annotations, "meaningOf") or "").rpartition("@")
    if kind is None or not number.isdecimal() or _text(annotations, "md5") != md5:
        return None
    return kind, path, int(number)


def _edited_after(entity_id: str, annotations: Body, md5: str | None) -> Past | None:
    """Return the version of the same file after which a version is noted to have been edited."""
    match _meant(annotations, md5) if md5 is not None else None:
        case "edited", "", number:
            return Past(entity_id, number)
    return None


def _again_of(annotations: Body, md5: str) -> int | None:
    """Return the number of the version of the same file whose content a version has again, if it has."""
    match _meant(annotations, md5):
        case "again", "", number:
            return number
    return None
