"""/repo/v1/entity/{id}/version: the versions of an entity.

Must not know: how rows are kept.
"""

from __future__ import annotations

from snakeprov.db import revisions
from snakeprov.db.access import UPDATE
from snakeprov.db.tables import FILE
from snakeprov.server import wire
from snakeprov.server.call import Answer, Call
from snakeprov.server.entities import change, existing
from snakeprov.server.refusals import bad_request
from snakeprov.server.wire import EntityBody

PAGE_DEFAULT = 10
PAGE_MAX = 1000


def create(call: Call) -> Answer:
    """PUT /entity/{id}/version[?generatedBy=][&meaning=…]: the next version of a file, even if nothing changes."""
    body = call.read(EntityBody)
    row = existing(call, call.entity_id(), need=UPDATE)
    if row.kind != FILE:
        raise bad_request(f"syn{row.id} is a {row.kind}; only files have versions.")
    return 200, wire.entity(change(call, row.id, body, new_version=True))


def listing(call: Call) -> Answer:
    """GET /entity/{id}/version: newest first."""
    row = existing(call, call.entity_id())
    limit = call.number("limit", default=PAGE_DEFAULT, least=1, most=PAGE_MAX)
    offset = call.number("offset", default=0)
    page = revisions.page(call.tx, row.id, limit=limit, offset=offset)
    results = [wire.version_info(version, entity_id=row.id, current=row.current_version) for version in page]
    return 200, {"results": results, "totalNumberOfResults": revisions.count(call.tx, row.id)}
