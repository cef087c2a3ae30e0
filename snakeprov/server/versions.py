"""/repo/v1/entity/{id}/version: the versions of an entity.

Must not know: how rows are kept.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from snakeprov.db import entities, revisions, trash
from snakeprov.db.access import DELETE, UPDATE
from snakeprov.db.tables import FILE
from snakeprov.model.entities import Body, Entity
from snakeprov.server import synapseanswers as synapse
from snakeprov.server import wire
from snakeprov.server.call import Call
from snakeprov.server.entities import CREATOR, NewVersion, change, existing
from snakeprov.server.queries import Paging
from snakeprov.server.refusals import bad_request
from snakeprov.server.services import Services
from snakeprov.server.wire import EntityBody

service = Services("Versions")


class VersionPage(Paging, frozen=True):
    """Which versions."""

    limit: Annotated[int, Meta(ge=1, le=1000)] = 10


@service(
    "GET",
    "/repo/v1/entity/{id}/version",
    note="today's Synapse estimates `totalNumberOfResults`; here it is the true number.",
)
def listing(call: Call, query: VersionPage) -> synapse.PaginatedResults[synapse.VersionInfo]:
    """The versions of an entity, newest first."""
    row = existing(call, call.entity_id())
    page = revisions.page(call.tx, row.id, limit=query.limit, offset=query.offset)
    results = [wire.version_info(version, entity=row.id, current=row.current_version) for version in page]
    return synapse.PaginatedResults(results, revisions.count(call.tx, row.id))


@service("GET", "/repo/v1/entity/{id}/version/{version}", answer=Entity)
def read(call: Call) -> Body:
    """An entity at a version."""
    return wire.entity(existing(call, call.entity_id(), number=call.version()))


@service(
    "PUT",
    "/repo/v1/entity/{id}/version",
    answer=Entity,
    note="in the design; deprecated in today's Synapse in favour of `newVersion=true`. Here as designed. For "
    f"`generatedBy`: {CREATOR}",
)
def create(call: Call, query: NewVersion, body: EntityBody) -> Body:
    """Makes the next version of a file, even if nothing changes.

    A new version never inherits the activity of the one before it.
    """
    row = existing(call, call.entity_id(), need=UPDATE)
    if row.kind != FILE:
        raise bad_request(f"syn{row.id} is a {row.kind}; only files have versions.")
    return wire.entity(change(call, row.id, body, query, new_version=True))


@service("DELETE", "/repo/v1/entity/{id}/version/{version}", status=204)
def remove(call: Call) -> None:
    """Deletes a version for good; one that is not there is no error, and the last one cannot be deleted."""
    number = call.version()
    row = existing(call, call.entity_id(), need=DELETE)
    if entities.get(call.tx, row.id, number=number) is None:
        return
    if revisions.count(call.tx, row.id) == 1:
        raise bad_request("Cannot delete the last version of a node")
    if trash.delete_version(call.tx, row, number):
        # Who has read the version that was current must not change this one by mistake.
        entities.touch(call.tx, row.id)
