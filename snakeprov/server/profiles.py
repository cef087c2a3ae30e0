"""/repo/v1/userProfile, /user: who the user is.

Must not know: how a user proved it.
"""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta

from snakeprov.db import principals
from snakeprov.db.principals import Principal
from snakeprov.server import synapseanswers as synapse
from snakeprov.server.auth import User
from snakeprov.server.call import Call
from snakeprov.server.queries import Paging
from snakeprov.server.refusals import not_found
from snakeprov.server.services import Services
from snakeprov.server.wire import Body

service = Services("Users")


class HeaderPage(Paging, frozen=True):
    """Which users."""

    prefix: str = ""
    limit: Annotated[int, Meta(ge=1, le=1000)] = 10


@service("GET", "/repo/v1/userProfile", answer=synapse.UserProfile)
def own(call: Call) -> Body:
    """The user who asks."""
    return _profile(call.user)


@service("GET", "/repo/v1/userProfile/{id}", answer=synapse.UserProfile)
def read(call: Call) -> Body:
    """A user."""
    id_ = call.numeric_id("A user")
    found = principals.get(call.tx, id_)
    if found is None:
        raise not_found(f"A user with id {id_} could not be found.")
    return _profile(found)


@service("GET", "/repo/v1/user/{id}/team", answer=synapse.PaginatedResults[synapse.Nothing])
def teams(call: Call) -> Body:
    """The teams of a user: always empty. Synapse's client asks before it tells a user's permissions."""
    call.numeric_id("A user")
    return {"results": [], "totalNumberOfResults": 0}


@service("GET", "/repo/v1/userGroupHeaders", answer=synapse.UserGroupHeaders)
def headers(call: Call, query: HeaderPage) -> Body:
    """Users whose names begin with a text, in any case. Synapse's client asks until a page is empty."""
    prefix = query.prefix
    found, total = principals.beginning_with(call.tx, prefix, limit=query.limit, offset=query.offset)
    return {
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
