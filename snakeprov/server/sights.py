"""/snakeprov/v1/sights: what is recorded that may explain bytes seen at paths of a project.

Must not know: how rows are kept, or what the bytes mean.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from snakeprov.server import permissions, wire
from snakeprov.server.call import Answer, Call, shown
from snakeprov.server.refusals import bad_request
from snakeprov.store import lookup, sights
from snakeprov.store.access import READ
from snakeprov.store.lookup import Found
from snakeprov.store.sights import Past
from snakeprov.store.tables import FILE

SIGHTS_MAX = 10_000
"""How many sights one request can ask about."""

_SHA256 = re.compile(r"[0-9a-f]{64}")


class SightAsked(msgspec.Struct):
    """Bytes that were seen at a path; `elsewhere`: whether other files with the same bytes are asked for too."""

    path: str
    sha256: str
    elsewhere: bool = False


class SightsBody(msgspec.Struct):
    """Which bytes were seen where, in one project."""

    project: str
    sights: list[SightAsked]


def read(call: Call) -> Answer:
    """POST /sights: in the order asked."""
    body = call.read(SightsBody)
    if len(body.sights) > SIGHTS_MAX:
        raise bad_request(f"{len(body.sights)} sights are asked about; at most {SIGHTS_MAX} are allowed.")
    for one in body.sights:
        if not _SHA256.fullmatch(one.sha256):
            raise bad_request(f"{shown(one.sha256)} is not a sha256: 64 lower-case hex digits were expected.")
    project = lookup.project_id(call.tx, body.project)
    if project is None:
        return 200, {"results": [{} for _ in body.sights]}
    permissions.check(call, project, project_id=project, permission=READ)
    found = lookup.at_paths(call.tx, project, dict.fromkeys(one.path for one in body.sights))
    current = {path: one for path, rows in found.items() for one in rows if one.kind == FILE}
    return 200, {"results": [_explained(call, project, one, current.get(one.path)) for one in body.sights]}


def _explained(call: Call, project: int, asked: SightAsked, current: Found | None) -> dict[str, Any]:
    body: dict[str, Any] = {}
    if current is not None and current.file_handle_id is not None:
        if current.sha256 == asked.sha256:
            first = sights.first_read(call.tx, current.id, current.number)
            if first is not None:
                body["firstReadOn"] = wire.time(first)
        elif (earlier := sights.earlier(call.tx, current, asked.sha256)) is not None:
            body["earlier"] = _past(earlier)
        if (now := sights.past(call.tx, current.id, current.number)) is not None:
            body["current"] = _past(now)
    if asked.elsewhere and (other := sights.elsewhere(call.tx, project, asked.path, asked.sha256)) is not None:
        body["elsewhere"] = _past(other)
    return body


def _past(row: Past) -> dict[str, Any]:
    body: dict[str, Any] = {"entityId": f"syn{row.entity_id}", "versionNumber": row.number}
    if row.activity_id is not None:
        body["activityId"] = str(row.activity_id)
    return body | {"isWork": bool(row.is_work)}
