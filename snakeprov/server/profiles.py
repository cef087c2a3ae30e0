"""/repo/v1/userProfile: who the user is.

Must not know: how a user proved it.
"""

from __future__ import annotations

from typing import Any

from snakeprov.server.call import Answer, Call
from snakeprov.server.refusals import not_found
from snakeprov.store import principals
from snakeprov.store.principals import Principal


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


def _profile(user: Principal) -> dict[str, Any]:
    return {
        "ownerId": str(user.id),
        "userName": user.name,
        "displayName": user.name,
        "emails": [],
        "etag": user.etag,
    }
