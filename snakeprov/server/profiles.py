"""/repo/v1/userProfile, /user: who the user is.

Must not know: how a user proved it.
"""

from __future__ import annotations

from typing import Any

from snakeprov.db import principals
from snakeprov.db.principals import Principal
from snakeprov.server.auth import User
from snakeprov.server.call import Answer, Call
from snakeprov.server.refusals import not_found

HEADERS_PAGE_DEFAULT = 10
HEADERS_PAGE_MAX = 1000


def own(call: Call) -> Answer:
    """GET /userProfile."""
    return 200, _profile(call.user)


def read(call: Call) -> Answer:
    """GET /userProfile/{id}."""
    id_ = call.numeric_id("A user")
    found = principals.get(call.tx, id_)
    if found is None:
        raise not_found(f"A user with id {id_} could not be found.")
    return 200, _profile(found)


def teams(call: Call) -> Answer:
    """GET /user/{id}/team: there are no teams here, and Synapse's client asks before it tells a user's permissions."""
    call.numeric_id("A user")
    return 200, {"results": [], "totalNumberOfResults": 0}


def headers(call: Call) -> Answer:
    """GET /userGroupHeaders?prefix=[&limit=][&offset=]: users whose names begin with a text, by name."""
    prefix = call.query.get("prefix", "")
    limit = call.number("limit", default=HEADERS_PAGE_DEFAULT, least=1, most=HEADERS_PAGE_MAX)
    offset = call.number("offset", default=0)
    found, total = principals.beginning_with(call.tx, prefix, limit=limit, offset=offset)
    return 200, {
        "prefixFilter": prefix,
        "children": [{"ownerId": str(user.id), "userName": user.name, "isIndividual": True} for user in found],
        "totalNumberOfResults": total,
    }


def _profile(user: Principal | User) -> dict[str, Any]:
    return {
        "ownerId": str(user.id),
        "userName": user.name,
        "displayName": user.name,
        "emails": [],
        "etag": user.etag,
    }
