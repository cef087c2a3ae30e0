"""/repo/v1/entity/{id}/generatedBy: the link from an entity version to the activity that made it.

Must not know: how rows are kept.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from snakeprov.db import entities, revisions
from snakeprov.db.access import READ, UPDATE
from snakeprov.db.entities import EntityRow
from snakeprov.model.entities import Body
from snakeprov.server import activities as activity_resource
from snakeprov.server import synapseanswers as synapse
from snakeprov.server.call import Call
from snakeprov.server.entities import CREATOR, UNLINK, existing, own_activity
from snakeprov.server.queries import Query
from snakeprov.server.refusals import not_found
from snakeprov.server.services import Services

service = Services("Provenance")


class Link(Query, frozen=True):
    """The activity; -1 for none."""

    generated_by: Annotated[int, Meta(ge=UNLINK)]


@service(
    "GET",
    ("/repo/v1/entity/{id}/generatedBy", "/repo/v1/entity/{id}/version/{version}/generatedBy"),
    answer=synapse.ActivityAnswer,
    note="today's Synapse asks only whether the activity may be read; here the entity must be readable as well.",
)
def read(call: Call) -> Body:
    """The activity that generated a version; 404 without one."""
    row = _named(call, need=READ)
    if row.activity_id is None:
        raise not_found("No activity")
    return activity_resource.body_of(call, row.activity_id)


@service(
    "PUT",
    ("/repo/v1/entity/{id}/generatedBy", "/repo/v1/entity/{id}/version/{version}/generatedBy"),
    answer=synapse.ActivityAnswer,
    others={204: "The link is removed."},
    note=f"{CREATOR} `generatedBy=-1` removes the link and answers 204; in today's Synapse it ends in 404.",
)
def connect(call: Call, query: Link) -> Body | None:
    """Says which activity generated a version; the etag of the entity changes."""
    row = _named(call, need=UPDATE)
    if query.generated_by == UNLINK:
        _unlink(call, row)
        return None
    activity_id = own_activity(call, query.generated_by)
    revisions.set_activity(call.tx, row.id, row.number, activity_id=activity_id, user=call.user.id)
    entities.touch(call.tx, row.id)
    return activity_resource.body_of(call, activity_id)


@service(
    "DELETE", ("/repo/v1/entity/{id}/generatedBy", "/repo/v1/entity/{id}/version/{version}/generatedBy"), status=204
)
def disconnect(call: Call) -> None:
    """Removes the link to the activity, which stays."""
    _unlink(call, _named(call, need=UPDATE))


def _named(call: Call, *, need: str) -> EntityRow:
    return existing(call, call.entity_id(), number=call.version() if "version" in call.route else None, need=need)


def _unlink(call: Call, row: EntityRow) -> None:
    revisions.set_activity(call.tx, row.id, row.number, activity_id=None, user=call.user.id)
    entities.touch(call.tx, row.id)
    call.status = 204
