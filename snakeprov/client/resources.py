"""The resources of a store, one small class for each kind.

Source: Synapse's REST services under `/repo/v1`; snakeprov's own under `/snakeprov/v1`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeVar

import msgspec

from snakeprov.client.session import Session, quoted
from snakeprov.errors import NotFoundError
from snakeprov.model.activity import Activity
from snakeprov.model.answers import (
    AffectedVersions,
    EvidenceResults,
    History,
    Lineage,
    Lookup,
    Page,
    Pruned,
    RecordedEvidence,
    SearchResults,
    SelectedVersions,
    Stories,
    Story,
    Version,
)
from snakeprov.model.entities import Body, Entity, File, Folder, Project

AnyEntity = TypeVar("AnyEntity", Project, Folder, File)
T = TypeVar("T")

OWN = "/snakeprov/v1"
REPO = "/repo/v1"

IDS_MAX = 1000
"""Maximum number of versions, or of jobs, that one request names."""


class Entities:
    """Projects, folders, files and their versions."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def create(self, entity: AnyEntity, *, generated_by: str | None = None) -> AnyEntity:
        """Store a new entity and return it as stored.

        Raises:
            ConflictError: Its parent has a child of that name.
        """
        answer = self._session.post(f"{REPO}/entity", entity, query={"generatedBy": generated_by})
        return msgspec.convert(answer, type(entity))

    def get(self, entity_id: str, *, version_number: int | None = None) -> Project | Folder | File:
        """Return an entity, in one of its versions or as it is now.

        Raises:
            NotFoundError: There is none of that id, or no such version.
        """
        version = "" if version_number is None else f"/version/{version_number}"
        entity: Project | Folder | File = msgspec.convert(
            self._session.get(f"{REPO}/entity/{quoted(entity_id)}{version}"), Entity
        )
        return entity

    def update(self, entity: AnyEntity, *, new_version: bool = False, generated_by: str | None = None) -> AnyEntity:
        """Store a changed entity; return it as stored.

        A File whose bytes differ gets a new version even without `new_version`.

        Raises:
            StaleError: It was changed since it was read.
        """
        query = {"newVersion": new_version, "generatedBy": generated_by}
        answer = self._session.put(f"{REPO}/entity/{quoted(entity.id or '')}", entity, query=query)
        return msgspec.convert(answer, type(entity))

    def find_child(self, parent_id: str | None, name: str) -> str | None:
        """Return the id of the entity called `name` in `parent_id` (None: among the projects), or None."""
        try:
            found = self._session.post(
                f"{REPO}/entity/child", {"parentId": parent_id, "entityName": name}, repeatable=True
            )
        except NotFoundError:
            return None
        return str(found["id"])

    def children(self, parent_id: str, *, limit: int) -> list[Body]:
        """Return the headers (`{id, name, type, …}`) of at most `limit` files and folders in a container, by name."""
        body: Body = {"parentId": parent_id, "includeTypes": ["file", "folder"]}
        body |= {"sortBy": "NAME", "sortDirection": "ASC"}
        found: list[Body] = []
        while len(found) < limit:
            page = self._session.post(f"{REPO}/entity/children", body, repeatable=True)
            found += page["page"]
            body["nextPageToken"] = page.get("nextPageToken")
            if not page["page"] or body["nextPageToken"] is None:
                break
        return found[:limit]

    def with_md5(self, md5: str) -> list[Body]:
        """Return the file versions whose content has an md5, as headers with `id` and `versionNumber`."""
        return list(self._session.get(f"{REPO}/entity/md5/{quoted(md5)}")["results"])

    def versions(self, entity_id: str, *, limit: int = 10, offset: int = 0) -> list[Body]:
        """Return a page of an entity's versions (VersionInfo), newest first."""
        page = self._session.get(f"{REPO}/entity/{quoted(entity_id)}/version", {"limit": limit, "offset": offset})
        return list(page["results"])

    def path(self, entity_id: str) -> list[str]:
        """Return the ids from the root to an entity, which is the last. Raises NotFoundError."""
        answer = self._session.get(f"{REPO}/entity/{quoted(entity_id)}/path")
        return [str(header["id"]) for header in answer["path"]]

    def bundle(self, entity_id: str) -> Body:
        """Return an entity as it is now with what belongs to it: `{entity, annotations, fileHandles, activity}`.

        Raises:
            NotFoundError: There is none of that id.
        """
        body = dict.fromkeys(("includeEntity", "includeAnnotations", "includeFileHandles", "includeActivity"), True)
        return dict(self._session.post(f"{REPO}/entity/{quoted(entity_id)}/bundle2", body, repeatable=True))

    def annotations(self, entity_id: str, *, version_number: int | None = None) -> Body:
        """Return the annotations, of a version if told: `{id, etag, annotations: {key: {type, value: [text, …]}}}`."""
        version = "" if version_number is None else f"/version/{version_number}"
        return dict(self._session.get(f"{REPO}/entity/{quoted(entity_id)}{version}/annotations2"))

    def set_annotations(self, entity_id: str, annotations: Mapping[str, Any]) -> Body:
        """Replace the annotations, given as `annotations()` returned them.

        Raises:
            StaleError: The entity was changed since they were read.
        """
        return dict(self._session.put(f"{REPO}/entity/{quoted(entity_id)}/annotations2", annotations))

    def generated_by(self, entity_id: str, *, version_number: int | None = None) -> Activity | None:
        """Return the Activity that generated an entity (in its current version unless told), or None."""
        version = "" if version_number is None else f"/version/{version_number}"
        try:
            answer = self._session.get(f"{REPO}/entity/{quoted(entity_id)}{version}/generatedBy")
        except NotFoundError:
            return None
        return Activity(data=answer)

    def set_generated_by(self, entity_id: str, activity_id: str) -> Activity:
        """Say that an entity's current version was generated by an activity; return the Activity.

        Raises:
            ForbiddenError: The activity was created by someone else.
        """
        path = f"{REPO}/entity/{quoted(entity_id)}/generatedBy"
        return Activity(data=self._session.put(path, query={"generatedBy": activity_id}))


class Activities:
    """Activities: what was used and executed."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def create(self, activity: Activity) -> Activity:
        """Store a new activity and return it as stored, used entities pinned to their versions."""
        return Activity(data=self._session.post(f"{REPO}/activity", activity))

    def get(self, activity_id: str) -> Activity:
        """Return an activity.

        Raises:
            NotFoundError: There is none of that id.
        """
        return Activity(data=self._session.get(f"{REPO}/activity/{quoted(activity_id)}"))

    def update(self, activity: Activity) -> Activity:
        """Store a changed activity; return it as stored.

        Raises:
            StaleError: It was changed since it was read.
        """
        return Activity(data=self._session.put(f"{REPO}/activity/{quoted(str(activity['id']))}", activity))

    def generated(self, activity_id: str, *, limit: int = 10, offset: int = 0) -> Body:
        """Return a page of the entity versions it generated: `{results: [Reference], totalNumberOfResults}`."""
        path = f"{REPO}/activity/{quoted(activity_id)}/generated"
        return dict(self._session.get(path, {"limit": limit, "offset": offset}))


class ServerProvenance:
    """Answers questions that need more than one entity or activity, in one request each.

    `Provenance` describes the arguments and the errors of the questions that every store answers.
    """

    digest: Literal["sha256", "md5"] = "sha256"
    is_stepwise = False

    def __init__(self, session: Session) -> None:
        self._session = session

    def lookup(self, project: str, paths: Sequence[str]) -> Lookup:
        """Return what a project holds at each of `paths`; what it lacks is left out."""
        body = {"project": project, "paths": list(paths)}
        return self._session.ask_with(f"{OWN}/lookup", Lookup, body)

    def evidence(self, project: str, seen: Sequence[Mapping[str, Any]]) -> list[RecordedEvidence]:
        """Return what may explain bytes seen at paths, in order.

        Args:
            project: Name of the project.
            seen: Each `{path, sha256, elsewhere}`; the last asks for other files with the same bytes too.
        """
        body = {"project": project, "seen": list(seen)}
        return self._session.ask_with(f"{OWN}/evidence", EvidenceResults, body).results

    def prune(self, criteria: Mapping[str, Any], *, dry_run: bool, limit: int = 1000) -> Pruned:
        """Remove the bytes of versions, or with `dry_run` only tell which; what is recorded stays.

        Args:
            criteria: All of them have to hold: `project`, `rules`, `before` (RFC 3339), `largerThanBytes`, `keepLast`;
                `unreferenced` adds contents that nothing refers to.
            dry_run: Change nothing.
            limit: Maximum number of versions listed.

        Raises:
            ForbiddenError: One may not delete from the project.
            NotFoundError: There is no such project.
        """
        body = {**criteria, "dryRun": dry_run, "limit": limit}
        return self._session.ask_with(f"{OWN}/prune", Pruned, body, repeatable=False)

    def find(self, path: str, *, project: str | None = None) -> SelectedVersions:
        """Return the files recorded at `path` at their current versions, or else the paths that resemble it."""
        return self._versions(SelectedVersions, path=path, project=project)

    def paths(self, prefix: str, *, project: str | None = None, limit: int = 100) -> list[str]:
        """Return recorded paths that begin with `prefix`, in order."""
        return list(dict.fromkeys(one.path for one in self.current(prefix, project=project, limit=limit).results))

    def with_digest(
        self, algorithm: str, digest: str, *, project: str | None = None, limit: int = 100, after: str = ""
    ) -> Page[Version]:
        """Return the versions that have a content, newest first."""
        return self._versions(Page[Version], **{algorithm: digest}, project=project, limit=limit, after=after)

    def current(
        self, prefix: str = "", *, project: str | None = None, limit: int = 1000, after: str = ""
    ) -> Page[Version]:
        """Return files whose paths begin with `prefix` at their current versions, by path."""
        return self._versions(Page[Version], prefix=prefix, project=project, limit=limit, after=after)

    def history(self, entity_id: str, *, limit: int = 100, after: str = "") -> History:
        """Return a page of an entity's versions and what made them, newest first."""
        return self._versions(History, entityId=entity_id, include=["makings"], limit=limit, after=after)

    def versions(self, ids: Sequence[tuple[str, int]]) -> list[Version]:
        """Return some versions; those that do not exist, or that may not be read, are left out."""
        wanted = [{"entityId": entity_id, "versionNumber": number} for entity_id, number in ids]
        return self._versions(Page[Version], ids=wanted).results

    def _versions(self, type_: type[T], **body: Any) -> T:
        return self._session.ask_with(f"{OWN}/versions", type_, body)

    def story(self, entity_id: str, version_number: int) -> Story:
        """Return the details of a version and its latest making."""
        (story,) = self.stories([(entity_id, version_number, None, None)])
        if story is None:
            # It raises what says why.
            Entities(self._session).get(entity_id, version_number=version_number)
            reason = f"Cannot find a node with id {entity_id} and version {version_number}"
            raise NotFoundError(f"There is no version {version_number} of {entity_id}.", status=404, reason=reason)
        return story

    def stories(self, versions: Sequence[tuple[str, int, str | None, str | None]]) -> list[Story | None]:
        """Return the stories of several versions, in order; None for one that may not be read or does not exist."""
        keys = ("entityId", "versionNumber", "activityId", "readerActivityId")
        body = {"versions": [dict(zip(keys, one, strict=True)) for one in versions]}
        return self._session.ask_with(f"{OWN}/stories", Stories, body).results

    def lineage(
        self, entity_id: str, version_number: int, *, direction: str = "upstream", depth: int = 10, limit: int = 1000
    ) -> Lineage:
        """Return what a version came from ("upstream") or what came from it ("downstream")."""
        query = {
            "entityId": entity_id,
            "versionNumber": version_number,
            "direction": direction,
            "depth": depth,
            "limit": limit,
        }
        return self._session.ask(f"{OWN}/lineage", Lineage, query)

    def search(self, terms: Sequence[tuple[str, str]], *, limit: int = 100, after: str = "") -> SearchResults:
        """Return the results that were made with given values, latest first."""
        body = {"terms": [{"key": key, "value": value} for key, value in terms], "limit": limit, "after": after}
        return self._session.ask_with(f"{OWN}/search", SearchResults, body)

    def affected(
        self,
        versions: Sequence[tuple[str, int | None]] = (),
        *,
        rule: str | None = None,
        run_id: str | None = None,
        commit: str | None = None,
        limit: int = 10_000,
    ) -> AffectedVersions:
        """Return everything that came from given versions, or from the outputs of given jobs, which are included."""
        starts = [{"entityId": id_} | ({"versionNumber": n} if n is not None else {}) for id_, n in versions]
        jobs = {"rule": rule, "runId": run_id, "commit": commit}
        body = {"versions": starts, "limit": limit, **{key: value for key, value in jobs.items() if value is not None}}
        return self._session.ask_with(f"{OWN}/affected", AffectedVersions, body)
