"""Questions about provenance, answered by walking through Synapse's own services.

Must not know: who asks. Answers have the form of those of snakeprov's own resources; what Synapse does not know is
None, and what it cannot be asked is said to be so.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Literal

from snakeprov.client.connection import Connection
from snakeprov.client.session import quoted
from snakeprov.errors import ForbiddenError, NotFoundError, UsageError
from snakeprov.model.activity import Activity
from snakeprov.model.entities import File
from snakeprov.synapse import pathwalk
from snakeprov.synapse.facts import PAGE, Facts, Json, below, job_of
from snakeprov.synapse.graphwalk import GraphWalk, node_of, target_of

_MD5_CHARS: Final = 32


class Walk:
    """Answers what `client.provenance.Provenance` asks, request by request. Not thread-safe."""

    digest: Literal["sha256", "md5"] = "md5"
    is_stepwise = True

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._facts = Facts(connection)

    def find(self, path: str, *, project: str | None = None) -> Json:
        """Return the files recorded at `path`: `{matches, near}`. Raises UsageError where the project is not said."""
        return pathwalk.find(self._connection.entities, path, project=project or self._connection.project)

    def paths(self, *_: Any, **__: Any) -> Json:
        """Return none: Synapse lists one folder at a time, which is too slow for who waits while typing."""
        return {"paths": []}

    def with_digest(self, algorithm: str, digest: str, *, limit: int = 100) -> Json:
        """Return the versions that have a content: `{results, truncated}`.

        Raises:
            UsageError: The content is not named by a whole md5: Synapse knows no other digest, and no beginnings.
        """
        if algorithm != "md5" or len(digest) != _MD5_CHARS:
            raise UsageError(
                f"Synapse finds contents by their whole md5 only, not by {algorithm}:{digest}.",
                hint="Give md5: and all of its 32 digits.",
            )
        found = self._connection.session.get(f"/repo/v1/entity/md5/{quoted(digest)}")["results"]
        results = [self._found(str(one["id"]), int(one["versionNumber"])) for one in found[:limit]]
        return {"results": results, "truncated": len(found) > limit}

    def _found(self, entity_id: str, number: int) -> Json:
        version = self._version(entity_id, self._facts.info(entity_id, number)[0])
        latest = self._facts.file(entity_id)
        latest_number = (latest.version_number if latest is not None else None) or number
        mark = job_of(self._facts.generated_by(entity_id, number))
        return {
            "entityId": entity_id,
            "isLatest": number == latest_number,
            "latestVersionNumber": latest_number,
            "path": self._facts.path(entity_id, number),
            "projectName": self._connection.project,
            **version,
            "outcome": "generated" if version["activityId"] is not None else None,
            "jobId": mark[0] if mark else None,
            "status": "success" if mark else None,
            "wildcards": below("wildcard.", self._facts.noted(entity_id, number)) if mark else None,
        }

    def history(self, entity_id: str, *, limit: int = 100, offset: int = 0) -> Json:
        """Return a page of an entity's versions and what made them, newest first: `{entity, versions}`."""
        page = self._facts.page(entity_id, limit=min(limit, PAGE), offset=offset)
        versions = [self._version(entity_id, info) for info in page["results"]]
        # Synapse's own total is an estimate: whether there is more shows when one asks for more.
        total = offset + len(versions) + (len(versions) == min(limit, PAGE))
        return {"entity": self._facts.entity(entity_id), "versions": versions, "totalNumberOfResults": total}

    def story(self, entity_id: str, version_number: int) -> Json:
        """Return all that is known of a version: `{entity, version, previousVersionNumber, activity, job, run}`.

        Raises:
            NotFoundError: There is no such version.
        """
        info, previous_number = self._facts.info(entity_id, version_number)
        version = self._version(entity_id, info) | {"bytesKept": self._bytes_kept(entity_id, version_number)}
        activity = self._facts.generated_by(entity_id, version_number)
        entity = self._facts.entity(entity_id)
        meaning = version.get("meaning")
        meant = None if meaning is None else self._facts.meant(entity_id, entity["path"], meaning)
        making = None if meant is None else self._making(*meant)
        if meaning is not None and making is not None:
            meaning["making"] = making
        story: Json = {
            "entity": entity,
            "version": version,
            "previousVersionNumber": previous_number,
            "activity": activity,
            "job": None,
            "run": None,
        }
        if activity is not None and version["runId"] is not None:
            story["job"] = self._job(entity_id, version_number, activity)
        return story

    def details(self, *, versions: Sequence[tuple[str, int]] = (), jobs: Sequence[str] = ()) -> Json:
        """Return what is known of some versions: `{versions, jobs}`; Synapse cannot be asked for jobs."""
        found = []
        for entity_id, number in versions:
            try:
                version = self._version(entity_id, self._facts.info(entity_id, number)[0])
                file = self._connection.entities.get(entity_id, version_number=number)
            except (NotFoundError, ForbiddenError):
                continue
            handle = file.data_file_handle_id if isinstance(file, File) else None
            path = self._facts.path(entity_id, number)
            found.append({"entityId": entity_id, "path": path, "fileHandleId": handle, "projectId": None, **version})
        return {"versions": found, "jobs": []}

    def stories(self, versions: Sequence[tuple[str, int, str | None, str | None]]) -> list[Json | None]:
        """Return what `story` returns of several versions, in order; None for what may not be read or is not there."""
        found: list[Json | None] = []
        for entity_id, version_number, *_ in versions:
            try:
                found.append(self.story(entity_id, version_number))
            except (NotFoundError, ForbiddenError):
                found.append(None)
        return found

    def lineage(
        self, entity_id: str, version_number: int, *, direction: str = "upstream", depth: int = 10, limit: int = 1000
    ) -> Json:
        """Return what a version came from: `{root, nodes, edges, truncated}`.

        Raises:
            UsageError: What came from it is asked for, which Synapse cannot tell.
        """
        if direction != "upstream":
            raise _unknowable()
        return GraphWalk(self._facts, depth=depth, limit=limit).upstream(entity_id, version_number)

    def current(self, *_: Any, **__: Any) -> Json:
        """Refuse: raises UsageError."""
        raise UsageError(
            "Synapse cannot be asked for everything that a project has recorded.", hint="Name the files to verify."
        )

    def prune(self, *_: Any, **__: Any) -> Json:
        """Refuse: raises UsageError."""
        raise UsageError("Synapse keeps the bytes of all versions; they cannot be pruned from here.")

    def search(self, terms: Sequence[tuple[str, str]], *, limit: int = 100) -> Json:
        """Return the versions that have one of some contents, named by their md5: `{results, truncated}`.

        Raises:
            UsageError: There are other terms.
        """
        if all(key == "md5" for key, _ in terms):
            answers = [self.with_digest("md5", value, limit=limit) for _, value in terms]
            results = [one for answer in answers for one in answer["results"]]
            is_truncated = len(results) > limit or any(one["truncated"] for one in answers)
            return {"results": results[:limit], "truncated": is_truncated}
        raise UsageError(
            "Synapse cannot be searched for how files were made.",
            hint="Look in its web pages for the annotations snakeprov.rule, snakeprov.param.NAME, …; "
            "'find --file' and 'find md5=' work.",
        )

    def affected(self, *_: Any, **__: Any) -> Json:
        """Refuse: raises UsageError."""
        raise _unknowable()

    def _version(self, entity_id: str, info: Json) -> Json:
        number = int(info["versionNumber"])
        noted = self._facts.noted(entity_id, number)
        making = self._making(entity_id, number)
        md5 = info.get("contentMd5")
        meaning = self._facts.meaning(entity_id, number, noted)
        return {
            "versionNumber": number,
            "createdOn": info.get("modifiedOn"),
            "createdBy": self._facts.user(info.get("modifiedBy")),
            "sha256": noted.get("sha256") if md5 is not None and noted.get("md5") == md5 else None,
            "md5": md5,
            "sizeBytes": int(info["contentSize"]) if info.get("contentSize") is not None else None,
            "bytesKept": None,
            "generatedBy": making and making["activityId"],
            **{key: making and making[key] for key in ("activityId", "rule", "runId", "commit", "dirty")},
            "reproducedBy": [],
            "makings": [] if making is None else [making],
            **({} if meaning is None else {"meaning": meaning}),
        }

    def _making(self, entity_id: str, number: int) -> Json | None:
        """Return what made a version; None where no activity did."""
        activity = self._facts.generated_by(entity_id, number)
        if activity is None:
            return None
        mark = job_of(activity)
        commit = self._facts.noted(entity_id, number).get("commit", "") if mark else ""
        return {
            "activityId": str(activity["id"]),
            "rule": activity.name,
            "runId": mark[1] if mark else None,
            "commit": commit.removesuffix("+dirty") or None,
            "dirty": commit.endswith("+dirty") if commit else None,
            "jobId": mark[0] if mark else None,
            "status": "success" if mark else None,
            "endedOn": None,
        }

    def _bytes_kept(self, entity_id: str, version_number: int) -> bool | None:
        """Return whether the bytes of a version are available; None if the user may not download them."""
        file = self._connection.entities.get(entity_id, version_number=version_number)
        handle_id = file.data_file_handle_id if isinstance(file, File) else None
        if handle_id is None:
            return False
        try:
            _, url = self._connection.files.location(handle_id, entity_id=entity_id)
        except NotFoundError:
            return False
        except ForbiddenError:
            return None
        return url is not None and url.startswith(("http://", "https://"))

    def _job(self, entity_id: str, version_number: int, activity: Activity) -> Json:
        mark = job_of(activity) or ("", "")
        noted = self._facts.noted(entity_id, version_number)
        files: list[Json] = []
        for item in activity["used"]:
            node = node_of(self._facts, item, target_of(self._facts, item))
            if "entityId" in node:
                role, outcome = ("code", "executed") if item["wasExecuted"] else ("input", "used")
                keys = ("path", "entityId", "versionNumber", "sha256")
                told = {key: node.get(key) for key in keys}
                # Synapse pins versions, and knows the md5 of each.
                files.append({"role": role, "outcome": outcome, **told, "identityProved": True})
        job = {
            "id": mark[0],
            "runId": mark[1],
            "rule": activity.name or "",
            "status": "success",
            "wildcards": below("wildcard.", noted),
            "params": below("param.", noted),
        }
        return {"job": job, "activityId": str(activity["id"]), "files": files}


def _unknowable() -> UsageError:
    return UsageError(
        "Synapse cannot tell what came from a file: it only knows what a file came from.",
        hint="Ask upstream, or record into a repository of snakeprov.",
    )
