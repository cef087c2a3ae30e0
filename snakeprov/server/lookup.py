"""/snakeprov/v1/lookup: the entities of a project by their paths, as whoever records needs them.

Must not know: how rows are kept.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from snakeprov.db import evidence, lookup
from snakeprov.db import meanings as meaning_store
from snakeprov.db.access import READ
from snakeprov.db.meanings import MeaningRow
from snakeprov.db.tables import FILE, FOLDER, PROJECT, PRUNED
from snakeprov.model.answers import Found, Lookup
from snakeprov.server import meanings, permissions, wire
from snakeprov.server.call import Call
from snakeprov.server.refusals import bad_request
from snakeprov.server.services import Access, Services

service = Services("Questions")

_KINDS: dict[str, Literal["file", "folder", "project"]] = {FILE: "file", FOLDER: "folder", PROJECT: "project"}

PATHS_MAX = 100_000
"""How many paths one look-up can ask for."""


class LookupBody(msgspec.Struct):
    """Which paths of which project."""

    project: str
    paths: list[str]


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
