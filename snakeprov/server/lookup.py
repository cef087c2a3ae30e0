"""/snakeprov/v1/lookup and /files: entities by the paths of the files that they are.

Must not know: how rows are kept.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from snakeprov.db import evidence, lookup
from snakeprov.db import meanings as meaning_store
from snakeprov.db.access import READ
from snakeprov.db.lookup import Match
from snakeprov.db.meanings import MeaningRow
from snakeprov.db.tables import FILE, FOLDER, PROJECT, PRUNED
from snakeprov.model.answers import Found, Lookup, Matches, Paths, Version
from snakeprov.server import meanings, permissions, wire
from snakeprov.server.call import Call
from snakeprov.server.queries import Query
from snakeprov.server.refusals import bad_request
from snakeprov.server.services import Access, Services

service = Services("Questions")

_KINDS: dict[str, Literal["file", "folder", "project"]] = {FILE: "file", FOLDER: "folder", PROJECT: "project"}

PATHS_MAX = 100_000
"""How many paths one look-up can ask for."""

MATCHES_MAX = 100
"""How many files at one path, each in its own project, are listed."""


class LookupBody(msgspec.Struct):
    """Which paths of which project."""

    project: str
    paths: list[str]


class FilesQuery(Query, frozen=True):
    """A path, in any project or in one."""

    path: str
    project: str | None = None


class PathsQuery(Query, frozen=True):
    """What paths begin with, in any project or in one."""

    prefix: str
    project: str | None = None
    limit: Annotated[int, Meta(ge=1, le=10_000)] = 100


@service("POST", "/snakeprov/v1/lookup", access=Access.READS)
def at_paths(call: Call, body: LookupBody) -> Lookup:
    """What is recorded at some paths of a project, in the order asked; at one path there can be a file and a folder."""
    if len(body.paths) > PATHS_MAX:
        raise bad_request(f"{len(body.paths)} paths are asked for; at most {PATHS_MAX} are allowed.")
    project = lookup.project_id(call.tx, body.project)
    if project is None:
        return Lookup(found=[])
    permissions.check(call, project, project_id=project, permission=READ)
    paths = dict.fromkeys(body.paths)
    found = lookup.at_paths(call.tx, project, paths)
    rows = [one for path in paths for one in found.get(path, ())]
    meant = meaning_store.of(call.tx, [(row.id, row.number) for row in rows if row.meaning])
    bodies = [_found(call, row, meant.get((row.id, row.number))) for row in rows]
    return Lookup(project_id=wire.entity_id(project), found=bodies)


@service("GET", "/snakeprov/v1/files")
def files(call: Call, query: FilesQuery) -> Matches:
    """The files at a path, or the paths that resemble it.

    A path without a slash at the end may also mean a directory; of a project's files the one that had its last version
    most recently comes first.
    """
    path, project = query.path, query.project
    paths = [path] if path.endswith("/") or not path else [path, path + "/"]
    reader = call.user.reader
    matches = lookup.files_at(call.tx, paths, project=project, reader=reader, limit=MATCHES_MAX)
    near = None if matches else lookup.near(call.tx, path, project=project, reader=reader)
    return Matches(matches=[_match(one) for one in matches], near=near)


@service("GET", "/snakeprov/v1/paths")
def paths(call: Call, query: PathsQuery) -> Paths:
    """Paths of files that begin in a way, in order."""
    found = lookup.paths_after(call.tx, query.prefix, project=query.project, reader=call.user.reader, limit=query.limit)
    return Paths(paths=found)


def _match(row: Match) -> Version:
    return Version(
        path=row.path,
        project_id=wire.entity_id(row.project_id),
        project_name=row.project_name,
        entity_id=wire.entity_id(row.id),
        version_number=row.number,
    )


def _found(call: Call, row: lookup.Found, meaning: MeaningRow | None) -> Found:
    if row.file_handle_id is None:
        return Found(
            path=row.path,
            kind=_KINDS[row.kind],
            entity_id=wire.entity_id(row.id),
            etag=row.etag,
            parent_id=wire.optional_entity_id(row.parent_id),
        )
    # Bytes that cannot be read are nothing that could be asked about later.
    is_asked_later = meaning is not None and row.activity_id is None
    past = evidence.past(call.tx, row.id, row.number) if is_asked_later else None
    return Found(
        path=row.path,
        kind=_KINDS[row.kind],
        entity_id=wire.entity_id(row.id),
        etag=row.etag,
        parent_id=wire.optional_entity_id(row.parent_id),
        name=row.name,
        version_number=row.number,
        created_on=wire.optional_time(row.created_on),
        data_file_handle_id=wire.optional_id(row.file_handle_id),
        sha256=row.sha256,
        md5=row.md5,
        size_bytes=row.size_bytes,
        content_type=row.content_type,
        activity_id=wire.optional_id(row.activity_id),
        meaning=None if meaning is None else meanings.body(meaning, with_activity=True),
        is_work=None if past is None else bool(past.is_work),
        bytes_pruned=row.handle_kind == PRUNED or None,
    )
