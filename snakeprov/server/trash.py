"""DELETE /repo/v1/entity/{id}: into the trash, or away for good.

Must not know: how rows are kept.
"""

from __future__ import annotations

from snakeprov.db import entities, trash
from snakeprov.db.access import DELETE
from snakeprov.db.tables import ROOT_ID, TRASH_ID
from snakeprov.server import permissions
from snakeprov.server.call import Call
from snakeprov.server.entities import existing
from snakeprov.server.queries import Query
from snakeprov.server.refusals import forbidden
from snakeprov.server.services import Services

service = Services("Entities")


class Removal(Query, frozen=True):
    """Whether an entity is deleted for good."""

    skip_trash_can: bool = False


@service(
    "DELETE",
    "/repo/v1/entity/{id}",
    status=204,
    note="Synapse can list the trash and restore from it; this server cannot. Whoever created something in the trash "
    "can delete it for good with `skipTrashCan=true`.",
)
def remove(call: Call, query: Removal) -> None:
    """Puts an entity and everything below it into the trash, or deletes it for good.

    What is in the trash answers 404, and its name is free. Its creator can delete it from there for good.
    """
    id_ = call.entity_id()
    for_good = query.skip_trash_can
    if for_good and _is_own_trash(call, id_):
        trash.purge(call.tx, id_)
        return
    row = existing(call, id_, need=DELETE)
    if row.id == ROOT_ID:
        raise forbidden("The root folder cannot be deleted.")
    if for_good:
        trash.purge(call.tx, row.id)
    else:
        trash.put(call.tx, row)
        entities.touch(call.tx, row.id)


def _is_own_trash(call: Call, id_: int) -> bool:
    row = entities.get(call.tx, id_)
    if row is None or row.project_id != TRASH_ID:
        return False
    return row.created_by == call.user.id or permissions.is_trusted(call)
