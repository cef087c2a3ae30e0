"""/repo/v1/entity/child, /children, /{id}/type, /{id}/path, /md5: finding entities by place and by content.

Must not know: how rows are kept.
"""

from __future__ import annotations

import re
from typing import Literal

import msgspec
from msgspec import UNSET

from snakeprov.db import entities
from snakeprov.db.entities import EntityRow
from snakeprov.db.tables import ROOT_ID
from snakeprov.server import synapseanswers as synapse
from snakeprov.server import wire
from snakeprov.server.call import Call, entity_number
from snakeprov.server.entities import existing
from snakeprov.server.refusals import bad_request, not_found, shown
from snakeprov.server.services import Access, Services

service = Services("Entities")

PAGE_SIZE = 50
"""As in Synapse; a page token tells where the next page begins."""

SAME_CONTENT_MAX = 200
"""How many file versions with one content are listed."""

_MD5 = re.compile(r"[0-9a-fA-F]{32}")
_TOKEN = re.compile(r"[0-9]{1,12}")


class ChildBody(msgspec.Struct, rename="camel"):
    """Which child of which parent; without a parent: which project."""

    entity_name: str
    parent_id: str | None = None


class ChildrenBody(msgspec.Struct, rename="camel"):
    """Which children of which parent; without a parent: which projects."""

    parent_id: str | None = None
    include_types: list[str] = []
    sort_by: Literal["NAME", "CREATED_ON", "MODIFIED_ON"] | None = None
    sort_direction: Literal["ASC", "DESC"] | None = None
    next_page_token: str | None = None


@service("POST", "/repo/v1/entity/child", access=Access.READS)
def child(call: Call, body: ChildBody) -> synapse.EntityId:
    """The child of a name."""
    parent = ROOT_ID if body.parent_id is None else entity_number(body.parent_id)
    if parent != ROOT_ID and entities.place(call.tx, parent) is not None:
        existing(call, parent)
    found = entities.child_id(call.tx, parent, body.entity_name)
    if found is None:
        raise not_found(f"Entity: '{body.entity_name}' not found in parent: 'syn{parent}'")
    existing(call, found)
    return synapse.EntityId(wire.entity_id(found))


@service("POST", "/repo/v1/entity/children", access=Access.READS)
def children(call: Call, body: ChildrenBody) -> synapse.ChildrenPage:
    """A page of children, fifty at a time; types that are unknown here are ignored."""
    if not body.include_types:
        raise bad_request("includeTypes is empty: at least one type was expected.")
    token = body.next_page_token or "0"
    if not _TOKEN.fullmatch(token):
        raise bad_request(f"nextPageToken {shown(token)} was not given by this server.")
    if body.parent_id is None:
        parent, kinds = ROOT_ID, ["project"]
    else:
        parent, kinds = existing(call, entity_number(body.parent_id)).id, body.include_types
    offset = int(token)
    rows = entities.children(
        call.tx,
        parent,
        kinds=kinds,
        reader=call.user.reader,
        sort_by=body.sort_by or "NAME",
        descending=body.sort_direction == "DESC",
        limit=PAGE_SIZE + 1,
        offset=offset,
    )
    following = str(offset + PAGE_SIZE) if len(rows) > PAGE_SIZE else UNSET
    return synapse.ChildrenPage([wire.header(row) for row in rows[:PAGE_SIZE]], following)


@service("GET", "/repo/v1/entity/{id}/type")
def header(call: Call) -> synapse.EntityHeader:
    """An entity as listings show it."""
    return wire.header(existing(call, call.entity_id()))


@service("GET", "/repo/v1/entity/{id}/path")
def path(call: Call) -> synapse.EntityPath:
    """From the root to an entity."""
    return path_of(call, existing(call, call.entity_id()))


def path_of(call: Call, row: EntityRow) -> synapse.EntityPath:
    """Return the entities from the root to one."""
    return synapse.EntityPath([wire.header(step) for step in entities.ancestry(call.tx, row.id)])


@service(
    "GET",
    "/repo/v1/entity/md5/{md5}",
    note="here only contents whose md5 is known are found: those up to 64 KiB, those uploaded or recorded over a "
    "network, and those whose file handle somebody has asked for.",
)
def with_md5(call: Call) -> synapse.PaginatedResults[synapse.EntityHeader]:
    """The file versions whose content has an md5."""
    md5 = call.route["md5"]
    if not _MD5.fullmatch(md5):
        raise bad_request(f"{shown(md5)} is not an md5: 32 hex digits were expected.")
    rows = entities.with_md5(call.tx, md5.lower(), reader=call.user.reader, limit=SAME_CONTENT_MAX)
    return synapse.PaginatedResults([wire.header(row) for row in rows], len(rows))
