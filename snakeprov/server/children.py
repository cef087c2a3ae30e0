"""/repo/v1/entity/child, /children, /{id}/type, /{id}/path, /md5: finding entities by place and by content.

Must not know: how rows are kept.
"""

from __future__ import annotations

import re
from typing import Literal

import msgspec

from snakeprov.db import entities
from snakeprov.db.tables import ROOT_ID
from snakeprov.server import wire
from snakeprov.server.call import Answer, Call, entity_number, shown
from snakeprov.server.entities import existing
from snakeprov.server.refusals import bad_request, not_found

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


def child(call: Call) -> Answer:
    """POST /entity/child."""
    body = call.read(ChildBody)
    parent = ROOT_ID if body.parent_id is None else entity_number(body.parent_id)
    if parent != ROOT_ID and entities.place(call.tx, parent) is not None:
        existing(call, parent)
    found = entities.child_id(call.tx, parent, body.entity_name)
    if found is None:
        raise not_found(f"Entity: '{body.entity_name}' not found in parent: 'syn{parent}'")
    existing(call, found)
    return 200, {"id": f"syn{found}"}


def children(call: Call) -> Answer:
    """POST /entity/children: a page of them; types that are not known here are ignored."""
    body = call.read(ChildrenBody)
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
    answer = {"page": [wire.header(row) for row in rows[:PAGE_SIZE]]}
    if len(rows) > PAGE_SIZE:
        return 200, {**answer, "nextPageToken": str(offset + PAGE_SIZE)}
    return 200, answer


def header(call: Call) -> Answer:
    """GET /entity/{id}/type: the entity as a listing shows it."""
    return 200, wire.header(existing(call, call.entity_id()))


def path(call: Call) -> Answer:
    """GET /entity/{id}/path: from the root to the entity."""
    row = existing(call, call.entity_id())
    return 200, {"path": [wire.header(step) for step in entities.ancestry(call.tx, row.id)]}


def with_md5(call: Call) -> Answer:
    """GET /entity/md5/{md5}."""
    md5 = call.route["md5"]
    if not _MD5.fullmatch(md5):
        raise bad_request(f"{shown(md5)} is not an md5: 32 hex digits were expected.")
    rows = entities.with_md5(call.tx, md5.lower(), reader=call.user.reader, limit=SAME_CONTENT_MAX)
    return 200, {"results": [wire.header(row) for row in rows], "totalNumberOfResults": len(rows)}
