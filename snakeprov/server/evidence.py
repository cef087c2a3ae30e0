"""/snakeprov/v1/evidence: what is recorded that may explain bytes seen at paths of a project.

Must not know: how rows are kept, or what the bytes mean.
"""

from __future__ import annotations

import re

import msgspec

from snakeprov.db import evidence, lookup
from snakeprov.db.access import READ
from snakeprov.db.evidence import Past
from snakeprov.db.lookup import Found
from snakeprov.db.tables import FILE
from snakeprov.model.answers import EvidenceResults, PastVersion, RecordedEvidence
from snakeprov.server import permissions, wire
from snakeprov.server.call import Call
from snakeprov.server.refusals import bad_request, shown
from snakeprov.server.services import Access, Services

service = Services("Questions")

SEEN_MAX = 10_000
"""Maximum number of paths per request."""

_SHA256 = re.compile(r"[0-9a-f]{64}")


class SeenBytes(msgspec.Struct):
    """Bytes that were seen at a path; `elsewhere`: whether other files with the same bytes are asked for too."""

    path: str
    sha256: str
    elsewhere: bool = False


class EvidenceBody(msgspec.Struct):
    """Which bytes were seen where, in one project."""

    project: str
    seen: list[SeenBytes]


@service("POST", "/snakeprov/v1/evidence", access=Access.READS)
def read(call: Call, body: EvidenceBody) -> EvidenceResults:
    """What is recorded that may explain bytes seen at some paths of a project, in the order asked.

    An earlier version of the file, the current one, a version of another file, when the current one was read first.
    """
    if len(body.seen) > SEEN_MAX:
        raise bad_request(f"The request asks about {len(body.seen)} paths; at most {SEEN_MAX} are allowed.")
    for one in body.seen:
        if not _SHA256.fullmatch(one.sha256):
            raise bad_request(f"{shown(one.sha256)} is not a sha256: 64 lower-case hex digits were expected.")
    project = lookup.project_id(call.tx, body.project)
    if project is None:
        return EvidenceResults(results=[RecordedEvidence() for _ in body.seen])
    permissions.check(call, project, project_id=project, permission=READ)
    found = lookup.at_paths(call.tx, project, dict.fromkeys(one.path for one in body.seen))
    current = {path: one for path, rows in found.items() for one in rows if one.kind == FILE}
    return EvidenceResults(results=[_explained(call, project, one, current.get(one.path)) for one in body.seen])


def _explained(call: Call, project: int, asked: SeenBytes, current: Found | None) -> RecordedEvidence:
    first = earlier = now = None
    if current is not None and current.file_handle_id is not None:
        if current.sha256 == asked.sha256:
            first = evidence.first_read(call.tx, current.id, current.number)
        else:
            earlier = evidence.earlier(call.tx, current, asked.sha256)
        now = evidence.past(call.tx, current.id, current.number)
    other = evidence.elsewhere(call.tx, project, asked.path, asked.sha256) if asked.elsewhere else None
    return RecordedEvidence(
        earlier=_past(earlier), current=_past(now), elsewhere=_past(other), first_read_on=wire.optional_time(first)
    )


def _past(row: Past | None) -> PastVersion | None:
    if row is None:
        return None
    return PastVersion(
        entity_id=wire.entity_id(row.entity_id),
        version_number=row.number,
        activity_id=wire.optional_id(row.activity_id),
        is_work=bool(row.is_work),
    )
