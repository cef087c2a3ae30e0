"""/snakeprov/v1/lookup and /files: entities by the paths of the files that they are.

Must not know: how rows are kept.
"""

from __future__ import annotations

from typing import Any

import msgspec

from snakeprov.server import meanings, permissions, wire
from snakeprov.server.call import Answer, Call
from snakeprov.server.refusals import bad_request
from snakeprov.store import lookup, sights
from snakeprov.store import meanings as meaning_store
from snakeprov.store.access import READ
from snakeprov.store.lookup import Found
from snakeprov.store.meanings import MeaningRow
from snakeprov.store.tables import PRUNED

PATHS_MAX = 100_000
"""How many paths one look-up can ask for."""

MATCHES_MAX = 100
"""How many files at one path, each in its own project, are listed."""


NAMES_DEFAULT = 100
NAMES_MAX = 10_000


class LookupBody(msgspec.Struct):
    """Which paths of which project."""

    project: str
    paths: list[str]


def at_paths(call: Call) -> Answer:
    """POST /lookup: in the order asked, missing ones left out; at one path there can be a file and a folder."""
    body = call.read(LookupBody)
    if len(body.paths) > PATHS_MAX:
        raise bad_request(f"{len(body.paths)} paths are asked for; at most {PATHS_MAX} are allowed.")
    project = lookup.project_id(call.tx, body.project)
    if project is None:
        return 200, {"found": []}
    permissions.check(call, project, project_id=project, permission=READ)
    paths = dict.fromkeys(body.paths)
    found = lookup.at_paths(call.tx, project, paths)
    rows = [one for path in paths for one in found.get(path, ())]
    meant = meaning_store.of(call.tx, [(row.id, row.number) for row in rows if row.meaning])
    bodies = [_found(call, row, meant.get((row.id, row.number))) for row in rows]
    return 200, {"projectId": f"syn{project}", "found": bodies}


def files(call: Call) -> Answer:
    """GET /files?path=[&project=]: the files at a path, or else paths that resemble it, in projects one may read.

    A path without a slash at the end may also mean a directory; of a project's files the one that had its last version
    most recently comes first.
    """
    path = call.text("path")
    project = call.query.get("project")
    paths = [path] if path.endswith("/") or not path else [path, path + "/"]
    reader = call.user.reader
    matches = lookup.files_at(call.tx, paths, project=project, reader=reader, limit=MATCHES_MAX)
    answer: dict[str, Any] = {
        "matches": [
            {
                "path": match.path,
                "projectId": f"syn{match.project_id}",
                "projectName": match.project_name,
                "entityId": f"syn{match.id}",
                "name": match.name,
                "versionNumber": match.number,
            }
            for match in matches
        ]
    }
    if not matches:
        answer["near"] = lookup.near(call.tx, path, project=project, reader=reader)
    return 200, answer


def paths(call: Call) -> Answer:
    """GET /paths?prefix=[&project=]: paths of files that begin so, in projects one may read, in order."""
    limit = call.number("limit", default=NAMES_DEFAULT, least=1, most=NAMES_MAX)
    found = lookup.paths_after(
        call.tx, call.text("prefix"), project=call.query.get("project"), reader=call.user.reader, limit=limit
    )
    return 200, {"paths": found}


def _found(call: Call, row: Found, meaning: MeaningRow | None) -> dict[str, Any]:
    body: dict[str, Any] = {"path": row.path, "kind": row.kind, "entityId": f"syn{row.id}", "etag": row.etag}
    if row.parent_id is not None:
        body["parentId"] = f"syn{row.parent_id}"
    if row.file_handle_id is not None:
        body["name"] = row.name
        body["versionNumber"] = row.number
        body["createdOn"] = wire.time(row.created_on)
        body["dataFileHandleId"] = str(row.file_handle_id)
        content = {
            "sha256": row.sha256,
            "md5": row.md5,
            "sizeBytes": row.size_bytes,
            "contentType": row.content_type,
            "activityId": None if row.activity_id is None else str(row.activity_id),
        }
        body.update((key, value) for key, value in content.items() if value is not None)
        if meaning is not None:
            body["meaning"] = meanings.body(meaning)
            if meaning.of_activity_id is not None:
                body["meaning"]["activityId"] = str(meaning.of_activity_id)
            # Bytes that cannot be read are nothing that could be asked about later.
            past = sights.past(call.tx, row.id, row.number) if row.activity_id is None else None
            if past is not None:
                body["isWork"] = bool(past.is_work)
        if row.handle_kind == PRUNED:
            body["bytesPruned"] = True
    return body
