"""Answer questions about provenance by walking through Synapse's own services.

Answers have the same form as a snakeprov server's. What Synapse does not know is None; a question that it cannot answer
raises `UnsupportedError`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Literal

from msgspec.structs import replace

from snakeprov.client.connection import Connection
from snakeprov.client.session import quoted
from snakeprov.errors import ForbiddenError, NotFoundError, UsageError
from snakeprov.model.activity import Activity
from snakeprov.model.answers import (
    AffectedVersions,
    History,
    JobFile,
    Lineage,
    Making,
    Page,
    Pruned,
    RecordedJob,
    SearchResult,
    SearchResults,
    SelectedVersions,
    Story,
    ToldVersion,
    Version,
)
from snakeprov.model.entities import Body, File
from snakeprov.model.records import StoredJob
from snakeprov.synapse import pathwalk
from snakeprov.synapse.facts import PAGE, Facts, below, job_of
from snakeprov.synapse.graphwalk import GraphWalk, node_of, target_of

_MD5_CHARS: Final = 32


class Walk:
    """Answers what `client.provenance.Provenance` asks, request by request. Not thread-safe."""

    digest: Literal["sha256", "md5"] = "md5"
    is_stepwise = True

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._facts = Facts(connection)

    def find(self, path: str, *, project: str | None = None) -> SelectedVersions:
        """Return the files recorded at `path`. Raises UsageError where no project is given."""
        return pathwalk.find(self._connection.entities, path, project=project or self._connection.project)

    def paths(self, *_: Any, **__: Any) -> list[str]:
        """Return an empty list: Synapse lists one folder at a time, too slow for shell completion."""
        return []

    def with_digest(self, algorithm: str, digest: str, *, limit: int = 100, **_: Any) -> Page[Version]:
        """Return the versions that have a content, in all projects, as one page.

        Raises:
            UsageError: The content is not named by a whole md5: Synapse knows no other digest, and no beginnings.
        """
        return Page(results=[self._found(*one) for one in self._with_digest(algorithm, digest)[:limit]])

    def _with_digest(self, algorithm: str, digest: str) -> list[tuple[str, int]]:
        if algorithm != "md5" or len(digest) != _MD5_CHARS:
            raise UsageError(
                f"Synapse finds contents by their whole md5 only, not by {algorithm}:{digest}.",
                hint="Give md5: and all of its 32 digits.",
            )
        found = self._connection.session.get(f"/repo/v1/entity/md5/{quoted(digest)}")["results"]
        return [(str(one["id"]), int(one["versionNumber"])) for one in found]

    def _result(self, entity_id: str, number: int) -> SearchResult:
        version = self._found(entity_id, number)
        making = self._making(entity_id, number)
        is_of_job = making is not None and making.job_id is not None
        return SearchResult(
            path=version.path,
            entity_id=entity_id,
            version_number=number,
            is_latest=version.is_latest,
            created_on=version.created_on,
            sha256=version.sha256,
            size_bytes=version.size_bytes,
            outcome=None if making is None else "generated",
            activity_id=making.activity_id if making else None,
            job_id=making.job_id if making else None,
            rule=making.rule if making else None,
            status=making.status if making else None,
            wildcards=below("wildcard.", self._facts.noted(entity_id, number)) if is_of_job else None,
            run_id=making.run_id if making else None,
            commit=making.commit if making else None,
            dirty=making.dirty if making else None,
        )

    def _found(self, entity_id: str, number: int) -> Version:
        version = self._version(entity_id, self._facts.info(entity_id, number)[0])
        latest = self._facts.file(entity_id)
        latest_number = (latest.version_number if latest is not None else None) or number
        return replace(
            version,
            is_latest=number == latest_number,
            latest_version_number=latest_number,
            project_name=self._connection.project,
        )

    def history(self, entity_id: str, *, limit: int = 100, after: str = "") -> History:
        """Return a page of an entity's versions and what made them, newest first."""
        limit, offset = min(limit, PAGE), int(after or 0)
        page = self._facts.page(entity_id, limit=limit, offset=offset)
        versions = [self._version(entity_id, info) for info in page["results"]]
        # Synapse's own total is an estimate: whether there is more shows when one asks for more.
        is_full = len(versions) == limit
        return History(
            entity=self._facts.entity(entity_id),
            results=versions,
            next=str(offset + limit) if is_full else None,
            total_number_of_results=None if offset else len(versions) + is_full,
        )

    def story(self, entity_id: str, version_number: int) -> Story:
        """Return the details of a version.

        Raises:
            NotFoundError: There is no such version.
        """
        info, previous_number = self._facts.info(entity_id, version_number)
        version = self._version(entity_id, info)
        activity = self._facts.generated_by(entity_id, version_number)
        entity = self._facts.entity(entity_id)
        meaning = version.meaning
        meant = None if meaning is None else self._facts.meant(entity_id, entity.recorded_path, meaning)
        if meaning is not None and meant is not None:
            meaning = replace(meaning, making=self._making(*meant))
        is_of_job = activity is not None and version.run_id is not None
        return Story(
            entity=entity,
            version=replace(version, bytes_kept=self._bytes_kept(entity_id, version_number), meaning=meaning),
            previous_version_number=previous_number,
            activity=activity,
            job=self._job(entity_id, version_number, activity) if activity is not None and is_of_job else None,
            run=None,
        )

    def versions(self, ids: Sequence[tuple[str, int]]) -> list[Version]:
        """Return some versions; those that do not exist, or that may not be read, are left out."""
        found: list[Version] = []
        for entity_id, number in ids:
            try:
                version = self._version(entity_id, self._facts.info(entity_id, number)[0])
                file = self._connection.entities.get(entity_id, version_number=number)
            except (NotFoundError, ForbiddenError):
                continue
            handle = file.data_file_handle_id if isinstance(file, File) else None
            found.append(replace(version, file_handle_id=handle))
        return found

    def stories(self, versions: Sequence[tuple[str, int, str | None, str | None]]) -> list[Story | None]:
        """Return what `story` returns of several versions, in order; None for what may not be read or is not there."""
        found: list[Story | None] = []
        for entity_id, version_number, *_ in versions:
            try:
                found.append(self.story(entity_id, version_number))
            except (NotFoundError, ForbiddenError):
                found.append(None)
        return found

    def lineage(
        self, entity_id: str, version_number: int, *, direction: str = "upstream", depth: int = 10, limit: int = 1000
    ) -> Lineage:
        """Return what a version came from.

        Raises:
            UsageError: The question is what came from it, which Synapse cannot answer.
        """
        if direction != "upstream":
            raise _unknowable()
        return GraphWalk(self._facts, depth=depth, limit=limit).upstream(entity_id, version_number)

    def current(self, *_: Any, **__: Any) -> Page[Version]:
        """Refuse: raises UsageError."""
        raise UsageError("Synapse cannot be asked for everything that a project has recorded.", hint="Name the files.")

    def prune(self, *_: Any, **__: Any) -> Pruned:
        """Refuse: raises UsageError."""
        raise UsageError("Synapse keeps the bytes of all versions; they cannot be pruned from here.")

    def search(self, terms: Sequence[tuple[str, str]], *, limit: int = 100, after: str = "") -> SearchResults:
        """Return the versions that have one of some contents, named by their md5.

        Raises:
            UsageError: A term other than `md5` is given.
        """
        if any(key != "md5" for key, _ in terms):
            raise UsageError(
                "Synapse cannot be searched for how files were made.",
                hint="Look in its web pages for the annotations snakeprov.rule, snakeprov.param.NAME, …; "
                "'find --file' and 'find md5=' work.",
            )
        found = [self._with_digest("md5", digest) for _, digest in terms]
        every = [one for some in found for one in some]
        first, last = int(after or 0), int(after or 0) + limit
        results = [self._result(*one) for one in every[first:last]]
        return SearchResults(results=results, next=str(last) if len(every) > last else None)

    def affected(self, *_: Any, **__: Any) -> AffectedVersions:
        """Refuse: raises UsageError."""
        raise _unknowable()

    def _version(self, entity_id: str, info: Body) -> ToldVersion:
        number = int(info["versionNumber"])
        noted = self._facts.noted(entity_id, number)
        making = self._making(entity_id, number)
        md5 = info.get("contentMd5")
        return ToldVersion(
            entity_id=entity_id,
            version_number=number,
            path=self._facts.path_noted(entity_id, noted),
            created_on=info.get("modifiedOn"),
            created_by=self._facts.user(info.get("modifiedBy")),
            sha256=noted.get("sha256") if md5 is not None and noted.get("md5") == md5 else None,
            md5=md5,
            size_bytes=int(info["contentSize"]) if info.get("contentSize") is not None else None,
            bytes_kept=None,
            generated_by=making.activity_id if making else None,
            activity_id=making.activity_id if making else None,
            rule=making.rule if making else None,
            run_id=making.run_id if making else None,
            commit=making.commit if making else None,
            dirty=making.dirty if making else None,
            reproduced_by=[],
            makings=[] if making is None else [making],
            role=None,
            meaning=self._facts.meaning(entity_id, number, noted),
        )

    def _making(self, entity_id: str, number: int) -> Making | None:
        """Return what made a version; None where no activity did."""
        activity = self._facts.generated_by(entity_id, number)
        if activity is None:
            return None
        mark = job_of(activity)
        commit = self._facts.noted(entity_id, number).get("commit", "") if mark else ""
        return Making(
            activity_id=str(activity["id"]),
            job_id=mark[0] if mark else None,
            run_id=mark[1] if mark else None,
            rule=activity.name,
            status="success" if mark else None,
            ended_on=None,
            commit=commit.removesuffix("+dirty") or None,
            dirty=commit.endswith("+dirty") if commit else None,
        )

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

    def _job(self, entity_id: str, version_number: int, activity: Activity) -> RecordedJob:
        mark = job_of(activity) or ("", "")
        noted = self._facts.noted(entity_id, version_number)
        files: list[JobFile] = []
        for item in activity["used"]:
            node = node_of(self._facts, item, target_of(self._facts, item))
            if node.path is not None:
                file = JobFile(
                    role="code" if item["wasExecuted"] else "input",
                    path=node.path,
                    outcome="executed" if item["wasExecuted"] else "used",
                    entity_id=node.entity_id,
                    version_number=node.version_number,
                    # Synapse pins versions, and knows the md5 of each.
                    identity_proved=True,
                )
                files.append(file)
        job = StoredJob(
            id=mark[0],
            run_id=mark[1],
            rule=activity.name or "",
            status="success",
            wildcards=below("wildcard.", noted),
            params=below("param.", noted),
        )
        return RecordedJob(job=job, activity_id=str(activity["id"]), files=files)


def _unknowable() -> UsageError:
    return UsageError(
        "Synapse cannot tell what came from a file: it only knows what a file came from.",
        hint="Ask upstream, or record into a store of snakeprov.",
    )
