"""/repo/v1/userProfile, /user: who the user is.

Must not know: how a user proved it.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from snakeprov.db import principals
from snakeprov.db.principals import Principal
from snakeprov.server import synapseanswers as synapse
from snakeprov.server.auth import User
from snakeprov.server.call import Call
from snakeprov.server.queries import Paging
from snakeprov.server.refusals import not_found
from snakeprov.server.services import Services

service = Services("Users")


class HeaderPage(Paging, frozen=True):
    """Which users."""

    prefix: str = ""
    limit: Annotated[int, Meta(ge=1, le=1000)] = 10


@service("GET", "/repo/v1/userProfile")
def own(call: Call) -> synapse.UserProfile:
    """The user who asks."""
    return _profile(call.user)


@service("GET", "/repo/v1/userProfile/{id}")
def read(call: Call) -> synapse.UserProfile:
    """A user."""
    id_ = call.numeric_id("A user")
    found = principals.get(call.tx, id_)
    if found is None:
        raise not_found(f"A user with id {id_} could not be found.")
    return _profile(found)


@service("GET", "/repo/v1/user/{id}/team")
def teams(call: Call) -> synapse.PaginatedResults[synapse.Nothing]:
    """The teams of a user: always empty. Synapse's client asks before it tells a user's permissions."""
    call.numeric_id("A user")
    return synapse.PaginatedResults([], 0)


@service("GET", "/repo/v1/userGroupHeaders")
def headers(call: Call, query: HeaderPage) -> synapse.UserGroupHeaders:
    """Users whose names begin with a text, in any case. Synapse's client asks until a page is empty."""
    prefix = query.prefix
    found, total = principals.beginning_with(call.tx, prefix, limit=query.limit, offset=query.offset)
    users = [synapse.UserGroupHeader(owner_id=str(user.id), user_name=user.name, is_individual=True) for user in found]
    return synapse.UserGroupHeaders(prefix_filter=prefix, children=users, total_number_of_results=total)


def _profile(user: Principal | User) -> synapse.UserProfile:
    return synapse.UserProfile(
        owner_id=str(user.id), user_name=user.name, display_name=user.name, emails=[], etag=user.etag
    )
