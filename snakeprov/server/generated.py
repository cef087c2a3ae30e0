"""/repo/v1/entity/{id}/generatedBy: the link from an entity version to the activity that made it.

Must not know: how rows are kept.
"""

from __future__ import annotations

from snakeprov.db import entities, revisions
from snakeprov.db.access import READ, UPDATE
from snakeprov.db.entities import EntityRow
from snakeprov.server import activities as activity_resource
from snakeprov.server.call import Answer, Call
from snakeprov.server.entities import UNLINK, existing, generated_by_parameter
from snakeprov.server.refusals import not_found


def read(call: Call) -> Answer:
    """GET /entity/{id}/generatedBy and /entity/{id}/version/{version}/generatedBy."""
    row = _named(call, need=READ)
    if row.activity_id is None:
        raise not_found("No activity")
    return 200, activity_resource.body_of(call, row.activity_id)


def connect(call: Call) -> Answer:
    """PUT /entity/{id}/generatedBy?generatedBy= and the same of a version; -1 unlinks. The entity's etag changes."""
    row = _named(call, need=UPDATE)
    activity_id = generated_by_parameter(call)
    if activity_id == UNLINK:
        return _unlinked(call, row)
    revisions.set_activity(call.tx, row.id, row.number, activity_id=activity_id, user=call.user.id)
    entities.touch(call.tx, row.id)
    return 200, activity_resource.body_of(call, activity_id)


def disconnect(call: Call) -> Answer:
    """DELETE /entity/{id}/generatedBy and the same of a version; the activity stays."""
    return _unlinked(call, _named(call, need=UPDATE))


def _named(call: Call, *, need: str) -> EntityRow:
    return existing(call, call.entity_id(), number=call.version() if "version" in call.route else None, need=need)


def _unlinked(call: Call, row: EntityRow) -> Answer:
    revisions.set_activity(call.tx, row.id, row.number, activity_id=None, user=call.user.id)
    entities.touch(call.tx, row.id)
    return 204, None
