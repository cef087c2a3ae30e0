"""/snakeprov/v1/versions: versions of files by id, by file, by path or by content, with their makings on request.

Must not know: how rows are kept.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Annotated, Literal, NamedTuple

import msgspec
from msgspec import Meta

from snakeprov.db import fileversions, jobs, lookup, makings, revisions
from snakeprov.db.access import READ
from snakeprov.db.fileversions import Algorithm, FileVersion
from snakeprov.db.jobs import MadeBy
from snakeprov.db.tables import PRUNED, ROOT_ID, STORED
from snakeprov.db.trash import recorded_path
from snakeprov.model.answers import EntityName, Making, SelectedVersions, ToldVersion, Version
from snakeprov.server import meanings, pages, permissions, wire
from snakeprov.server.call import Call, entity_number
from snakeprov.server.entities import existing
from snakeprov.server.queries import NUMBER_MAX
from snakeprov.server.refusals import bad_request, shown
from snakeprov.server.services import Access, Services

service = Services("Questions")

IDS_MAX = 1000
"""Maximum number of versions that one request names."""

PREFIX_CHARS_MIN = 8
"""Minimum length of a prefix of a digest that names a content."""

_HEX_CHARS: dict[Algorithm, int] = {"sha256": 64, "md5": 32}


class VersionId(msgspec.Struct, rename="camel"):
    """A version of an entity."""

    entity_id: str
    version_number: Annotated[int, Meta(ge=1, le=NUMBER_MAX)]


class VersionsBody(msgspec.Struct, rename="camel"):
    """Which versions, by one of the first six; `project`: of those by path, prefix or digest only those in there."""

    ids: list[VersionId] | None = None
    entity_id: str | None = None
    path: str | None = None
    prefix: str | None = None
    sha256: str | None = None
    md5: str | None = None
    project: str | None = None
    include: list[Literal["makings"]] = []
    limit: Annotated[int, Meta(ge=1, le=10_000)] = 100
    after: str = ""


class _Selected(NamedTuple):
    rows: list[FileVersion]
    next: str | None = None
    total: int | None = None
    entity: EntityName | None = None
    near: list[str] | None = None


@service("POST", "/snakeprov/v1/versions", access=Access.READS)
def listing(call: Call, body: VersionsBody) -> SelectedVersions:
    """Versions of files that the user may read, by one of `ids`, `entityId`, `path`, `prefix`, `sha256` and `md5`.

    With `ids` those versions, in the order given; with `entityId` all versions of a file, newest first, and the file.

    With `path` the current version of each file there, newest first, or the paths that resemble it; without a slash at
    the end it may also mean a directory.

    With `prefix` the current versions of the files whose paths begin so, by path; with `project` too, who may not read
    that is refused. Left out are files whose place something newer took: a folder with files in it, or a file where
    their folder was.

    With `sha256` or `md5` the versions that have a content, newest first: by its digest or at least 8 of its first
    digits.

    With `makings` in `include` each is a ToldVersion, which says what made it.
    """
    given = [name for name in _SELECTIONS if getattr(body, name) is not None]
    if len(given) != 1:
        raise bad_request("One of 'ids', 'entityId', 'path', 'prefix', 'sha256' and 'md5' was expected.")
    selected = _SELECTIONS[given[0]](call, body)
    return SelectedVersions(
        results=[*(with_makings if "makings" in body.include else _versions)(call, selected.rows)],
        next=selected.next,
        total_number_of_results=selected.total,
        entity=selected.entity,
        near=selected.near,
    )


def _with_ids(call: Call, body: VersionsBody) -> _Selected:
    ids = body.ids or []
    if len(ids) > IDS_MAX:
        raise bad_request(f"{len(ids)} versions are asked for; at most {IDS_MAX} are allowed.")
    wanted = [(entity_number(one.entity_id), one.version_number) for one in ids]
    return _Selected(fileversions.with_ids(call.tx, wanted, reader=call.user.reader))


def _of_file(call: Call, body: VersionsBody) -> _Selected:
    entity = existing(call, entity_number(body.entity_id or ""))
    (before,) = pages.key_of(body.after, tuple[pages.Whole]) or (None,)
    rows = fileversions.of_file(call.tx, entity.id, before=before, limit=body.limit + 1)
    rows, following = pages.cut(rows, body.limit, lambda row: (row.number,))
    total = revisions.count(call.tx, entity.id) if before is None else None
    return _Selected(rows, following, total, wire.entity_name(entity))


def _at_path(call: Call, body: VersionsBody) -> _Selected:
    path, project, reader = body.path or "", _project(call, body), call.user.reader
    paths = [path] if path.endswith("/") or not path else [path, path + "/"]
    after = _moment(body)
    rows = fileversions.at_paths(call.tx, paths, project=project, reader=reader, after=after, limit=body.limit + 1)
    near = None if rows or after else lookup.near(call.tx, path, project=project, reader=reader)
    return _newest(body, rows)._replace(near=near)


def _below(call: Call, body: VersionsBody) -> _Selected:
    prefix, project, limit = body.prefix or "", _project(call, body), body.limit
    if project is not None:
        permissions.check(call, project, project_id=project, permission=READ)
    after, reader = pages.key_of(body.after, tuple[str, pages.Whole]), call.user.reader
    rows = fileversions.below(call.tx, prefix, project=project, reader=reader, after=after, limit=limit + 1)
    rows, following = pages.cut(rows, limit, lambda row: (row.path, row.project_id))
    gone = fileversions.superseded(call.tx, rows)
    return _Selected([row for row in rows if row.id not in gone], following)


def _with_sha256(call: Call, body: VersionsBody) -> _Selected:
    return _with_digest(call, body, "sha256", body.sha256 or "")


def _with_md5(call: Call, body: VersionsBody) -> _Selected:
    return _with_digest(call, body, "md5", body.md5 or "")


def _with_digest(call: Call, body: VersionsBody, algorithm: Algorithm, digest: str) -> _Selected:
    rows = fileversions.with_digest(
        call.tx,
        algorithm,
        digest_prefix(digest, algorithm),
        project=_project(call, body),
        reader=call.user.reader,
        after=_moment(body),
        limit=body.limit + 1,
    )
    return _newest(body, rows)


_SELECTIONS: dict[str, Callable[[Call, VersionsBody], _Selected]] = {
    "ids": _with_ids,
    "entity_id": _of_file,
    "path": _at_path,
    "prefix": _below,
    "sha256": _with_sha256,
    "md5": _with_md5,
}


def _project(call: Call, body: VersionsBody) -> int | None:
    """Return the project to look in: the root, which has no files, where there is none of that name."""
    return None if body.project is None else lookup.project_id(call.tx, body.project) or ROOT_ID


def _moment(body: VersionsBody) -> fileversions.MomentKey | None:
    return pages.key_of(body.after, tuple[pages.Whole, pages.Whole, pages.Whole])


def _newest(body: VersionsBody, rows: list[FileVersion]) -> _Selected:
    return _Selected(*pages.cut(rows, body.limit, lambda row: (row.created_on, *row.id)))


def digest_prefix(text: str, algorithm: Algorithm) -> str:
    """Return a digest, or the beginning of one, in lower case.

    Raises:
        Refusal: 400, the value is not a digest, or is too short to identify one content.
    """
    most = _HEX_CHARS[algorithm]
    if not re.fullmatch(f"[0-9a-fA-F]{{{PREFIX_CHARS_MIN},{most}}}", text):
        raise bad_request(
            f"{algorithm}={shown(text)}: a digest, or its first {PREFIX_CHARS_MIN} to {most} hexadecimal digits, was "
            "expected."
        )
    return text.lower()


def _versions(call: Call, rows: Sequence[FileVersion]) -> list[Version]:
    told = meanings.told(call.tx, [row.id for row in rows])
    return [_version(row, told.get(row.id, meanings.NOTHING)) for row in rows]


def with_makings(call: Call, rows: Sequence[FileVersion]) -> list[ToldVersion]:
    """Return versions as they go over the wire, with what made them."""
    makers = makings.of_versions(call.tx, [row.id for row in rows], call.user.reader)
    made = jobs.made(call.tx, {activity_id for some in makers.values() for activity_id in some})
    return [
        _with_makings(version, [making(one, made.get(one)) for one in makers.get(row.id, ())])
        for row, version in zip(rows, _versions(call, rows), strict=True)
    ]


def _version(row: FileVersion, told: meanings.Told) -> Version:
    return Version(
        entity_id=wire.entity_id(row.entity_id),
        version_number=row.number,
        path=recorded_path(row.path) or row.name,
        project_id=wire.entity_id(row.project_id),
        project_name=row.project_name,
        is_latest=row.number == row.current_version,
        latest_version_number=row.current_version,
        created_on=wire.time(row.created_on),
        created_by=row.created_by,
        sha256=row.sha256,
        md5=row.md5,
        size_bytes=row.size_bytes,
        content_type=row.content_type,
        file_handle_id=wire.optional_id(row.file_handle_id),
        bytes_kept=row.file_kind == STORED,
        bytes_pruned=row.file_kind == PRUNED or None,
        mode=row.mode,
        role=told.role,
        meaning=told.meaning,
        activity_id=wire.optional_id(row.activity_id),
    )


def _with_makings(version: Version, told: list[Making]) -> ToldVersion:
    latest = told[-1] if told else None
    return ToldVersion(
        **{
            **msgspec.structs.asdict(version),
            "generated_by": version.activity_id,
            "activity_id": latest.activity_id if latest else None,
            "rule": latest.rule if latest else None,
            "run_id": latest.run_id if latest else None,
            "commit": latest.commit if latest else None,
            "dirty": latest.dirty if latest else None,
            "reproduced_by": [one.activity_id for one in told if one.activity_id != version.activity_id],
            "makings": told,
        }
    )


def making(activity_id: int, job: MadeBy | None) -> Making:
    """Return a making as it goes over the wire; `job` is None where the activity was not recorded from one."""
    return Making(
        activity_id=str(activity_id),
        job_id=job.job_id if job else None,
        run_id=job.run_id if job else None,
        rule=job.rule if job else None,
        status=job.status if job else None,
        ended_on=wire.optional_time(job.ended_on) if job else None,
        commit=job.git_commit if job else None,
        dirty=wire.optional_truth(job.git_dirty) if job else None,
    )
