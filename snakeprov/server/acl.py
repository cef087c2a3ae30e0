"""/repo/v1/entity/{id}/acl, /permissions, /benefactor: who may do what with an entity.

Must not know: how access lists are kept.
Source: Synapse's JSON schemas `AccessControlList`, `auth/UserEntityPermissions`.

A project has an access list; what is inside a project inherits it, and cannot have one of its own.
"""

from __future__ import annotations

import msgspec

from snakeprov.db import access, entities
from snakeprov.db.access import (
    ANONYMOUS_ID,
    AUTHENTICATED_ID,
    CHANGE_PERMISSIONS,
    DOWNLOAD,
    PERMISSIONS,
    PUBLIC_ID,
    READ,
    AclRow,
)
from snakeprov.db.entities import EntityRow
from snakeprov.db.tables import PROJECT
from snakeprov.model.entities import Body
from snakeprov.server import permissions, wire
from snakeprov.server import synapseanswers as synapse
from snakeprov.server.call import Call
from snakeprov.server.entities import existing
from snakeprov.server.refusals import bad_request, forbidden, not_found, shown, stale
from snakeprov.server.services import Services
from snakeprov.server.synapseanswers import ResourceAccess

service = Services("Access")

PRINCIPALS_MAX = 1000
"""How many users and groups one access list can name."""


class AclBody(msgspec.Struct, rename="camel"):
    """An access list as a client sends it."""

    resource_access: list[ResourceAccess]
    etag: str | None = None


@service(
    "GET",
    "/repo/v1/entity/{id}/acl",
    note="in Synapse every entity can have a list of its own; here projects have, and what is inside inherits.",
)
def read(call: Call) -> synapse.AccessControlList:
    """The access list of a project."""
    row = existing(call, call.entity_id())
    return body_of(call, _own_acl(call, row))


@service("PUT", "/repo/v1/entity/{id}/acl")
def replace(call: Call, body: AclBody) -> synapse.AccessControlList:
    """Replaces the access list of a project."""
    row = existing(call, call.entity_id())
    if body.etag is None:
        raise bad_request("An update needs the etag of the access list as it was read.")
    put(call, row, body)
    return body_of(call, _own_acl(call, row))


def put(call: Call, row: EntityRow, body: AclBody) -> None:
    """Replace the access list of a project by the one in a body, whose etag, if it has one, must be the present one."""
    existing(call, row.id, need=CHANGE_PERMISSIONS)
    acl = _own_acl(call, row)
    if body.etag is not None and body.etag != acl.etag:
        raise stale(f"The access list of syn{row.id} was updated since you last fetched it; retrieve it once more.")
    access.replace(call.tx, row.id, _checked(call, body.resource_access))


@service(
    "POST",
    "/repo/v1/entity/{id}/acl",
    note="in Synapse this gives an entity a list of its own.",
)
def create(call: Call) -> synapse.AccessControlList:
    """Refused: a project has a list, and nothing else can."""
    row = existing(call, call.entity_id(), need=CHANGE_PERMISSIONS)
    if row.kind == PROJECT:
        raise bad_request(f"syn{row.id} has an access list; change that one with PUT.")
    raise bad_request(
        f"syn{row.id} cannot have an access list of its own: here everything in a project shares that of the project, "
        f"syn{row.project_id}."
    )


@service("DELETE", "/repo/v1/entity/{id}/acl", status=204, note="in Synapse this ends an entity's own list.")
def remove(call: Call) -> None:
    """Refused: the list of a project stays."""
    row = existing(call, call.entity_id(), need=CHANGE_PERMISSIONS)
    _own_acl(call, row)
    raise forbidden(f"The access list of syn{row.id} cannot be deleted: a project inherits from nothing.")


@service("GET", "/repo/v1/entity/{id}/permissions", answer=Body)
def told(call: Call) -> Body:
    """What the user may do with an entity; without READ, only that."""
    row = existing(call, call.entity_id(), need=None)
    return permissions.told(call, project_id=row.project_id, created_by=row.created_by)


@service("GET", "/repo/v1/entity/{id}/benefactor")
def benefactor(call: Call) -> synapse.EntityHeader:
    """The project whose access list holds for an entity."""
    row = existing(call, call.entity_id())
    return wire.header(entities.ancestry(call.tx, row.project_id)[-1])


def body_of(call: Call, acl: AclRow) -> synapse.AccessControlList:
    """Return an access list as it goes over the wire."""
    return synapse.AccessControlList(
        id=wire.entity_id(acl.project_id),
        etag=acl.etag,
        creation_date=wire.time(acl.created_on),
        resource_access=[ResourceAccess(*entry) for entry in access.entries(call.tx, acl.project_id).items()],
    )


def own_of(call: Call, row: EntityRow) -> synapse.AccessControlList | None:
    """Return the access list that an entity has for itself, or None."""
    return body_of(call, _own_acl(call, row)) if row.kind == PROJECT else None


def benefactor_of(call: Call, row: EntityRow) -> synapse.AccessControlList | None:
    """Return the access list that holds for an entity, or None."""
    acl = access.get(call.tx, row.project_id)
    return None if acl is None else body_of(call, acl)


def _own_acl(call: Call, row: EntityRow) -> AclRow:
    acl = access.get(call.tx, row.id) if row.kind == PROJECT else None
    if acl is None:
        raise not_found(f"syn{row.id} has no access list of its own: it inherits that of syn{row.project_id}.")
    return acl


def _checked(call: Call, items: list[ResourceAccess]) -> dict[int, set[str]]:
    """Return what is wanted for each user and group.

    Raises:
        Refusal: 400, somebody or a permission is unknown, all are given something that needs a user, or the user
            would no longer be able to change the list.
    """
    if len(items) > PRINCIPALS_MAX:
        raise bad_request(f"{len(items)} users and groups are named; at most {PRINCIPALS_MAX} are allowed.")
    wanted: dict[int, set[str]] = {}
    for item in items:
        for permission in item.access_type:
            if permission not in PERMISSIONS:
                raise bad_request(f"accessType {shown(permission)}: one of {', '.join(PERMISSIONS)} was expected.")
        wanted.setdefault(item.principal_id, set()).update(item.access_type)
    unknown = access.unknown(call.tx, wanted)
    if unknown:
        raise bad_request(f"There is no user or group with the id {min(unknown)}.")
    for id_ in (PUBLIC_ID, ANONYMOUS_ID):
        if wanted.get(id_, set()) - {READ, DOWNLOAD}:
            raise bad_request(f"Everybody ({id_}) can be given only READ and DOWNLOAD.")
    keepers = {call.user.id, AUTHENTICATED_ID}
    if not permissions.is_trusted(call) and not any(CHANGE_PERMISSIONS in wanted.get(id_, ()) for id_ in keepers):
        raise bad_request("You would take your own CHANGE_PERMISSIONS away; leave it to yourself.")
    return wanted
