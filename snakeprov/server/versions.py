"""/repo/v1/entity/{id}/version: the versions of an entity.

Must not know: how rows are kept.
"""

from __future__ import annotations

from snakeprov.server import wire
from snakeprov.server.call import Answer, Call
from snakeprov.server.entities import existing
from snakeprov.store import revisions

PAGE_DEFAULT = 10
PAGE_MAX = 1000


def listing(call: Call) -> Answer:
    """GET /entity/{id}/version: newest first."""
    row = existing(call, call.entity_id())
    limit = call.number("limit", default=PAGE_DEFAULT, least=1, most=PAGE_MAX)
    offset = call.number("offset", default=0)
    page = revisions.page(call.tx, row.id, limit=limit, offset=offset)
    results = [wire.version_info(version, entity_id=row.id, current=row.current_version) for version in page]
    return 200, {"results": results, "totalNumberOfResults": revisions.count(call.tx, row.id)}
