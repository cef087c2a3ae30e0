"""DELETE /repo/v1/entity/{id} and /version/{version}: into the trash, or away for good.

Must not know: how rows are kept.
"""

from __future__ import annotations

from snakeprov.db import entities, revisions, trash
from snakeprov.db.access import DELETE
from snakeprov.db.tables import ROOT_ID, TRASH_ID
from snakeprov.server import permissions
from snakeprov.server.call import Answer, Call
from snakeprov.server.entities import existing
from snakeprov.server.refusals import bad_request, forbidden


def remove(call: Call) -> Answer:
    """DELETE /entity/{id}[?skipTrashCan=]: with everything below it; with `skipTrashCan` for good.

    What is in the trash already can be deleted for good by its creator.
    """
    id_ = call.entity_id()
    for_good = call.flag("skipTrashCan")
    if for_good and _is_own_trash(call, id_):
        trash.purge(call.tx, id_)
        return 204, None
    row = existing(call, id_, need=DELETE)
    if row.id == ROOT_ID:
        raise forbidden("The root folder cannot be deleted.")
    if for_good:
        trash.purge(call.tx, row.id)
    else:
        trash.put(call.tx, row)
        entities.touch(call.tx, row.id)
    return 204, None


def remove_version(call: Call) -> Answer:
    """DELETE /entity/{id}/version/{version}: for good; one that is not there is no error."""
    number = call.version()
    row = existing(call, call.entity_id(), need=DELETE)
    if entities.get(call.tx, row.id, number=number) is None:
        return 204, None
    if revisions.count(call.tx, row.id) == 1:
        raise bad_request("Cannot delete the last version of a node")
    if trash.delete_version(call.tx, row, number):
        # Who has read the version that was current must not change this one by mistake.
        entities.touch(call.tx, row.id)
    return 204, None


def _is_own_trash(call: Call, id_: int) -> bool:
    row = entities.get(call.tx, id_)
    if row is None or row.project_id != TRASH_ID:
        return False
    return row.created_by == call.user.id or permissions.is_trusted(call)
