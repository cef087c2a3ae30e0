"""What a user may do: one question for entities, runs and bytes, asked by every handler.

Must not know: how access lists are kept, or how a user proved who it is.

A user whom the host of the application vouches for may do everything; of others the token must be good for it, and
the access list of the project must allow it.
"""

from __future__ import annotations

from snakeprov.db import access, tokens
from snakeprov.db.access import CHANGE_PERMISSIONS, CREATE, DELETE, DOWNLOAD, READ, UPDATE
from snakeprov.server import auth
from snakeprov.server.auth import User
from snakeprov.server.call import Call
from snakeprov.server.refusals import forbidden

_SCOPES = {READ: tokens.VIEW, DOWNLOAD: tokens.DOWNLOAD}


def may(call: Call, project_id: int, permission: str) -> bool:
    """Say whether the user may do something with what is in a project, which for a project is itself."""
    user = call.user
    if user.reader is None:
        return True
    if _SCOPES.get(permission, tokens.MODIFY) not in user.scopes:
        return False
    return permission in access.granted(call.tx, project_id, user.reader)


def check(call: Call, entity_id: int, *, project_id: int, permission: str) -> None:
    """Refuse to do something with an entity (403), unless its project's access list allows it."""
    if call.user.reader is None:
        return
    check_scope(call.user, _SCOPES.get(permission, tokens.MODIFY))
    if permission not in access.granted(call.tx, project_id, call.user.reader):
        raise forbidden(f"You lack the {permission} permission on syn{entity_id}.{_hint(call.user)}")


def check_scope(user: User, scope: str) -> None:
    """Refuse a request (403) that the user's token is not good for, or that nobody may send without a token."""
    if scope in user.scopes:
        return
    if user is auth.ANONYMOUS:
        raise forbidden("Only users may do this: send an access token.")
    raise forbidden(f"The access token lacks the scope {scope!r}; it has: {', '.join(sorted(user.scopes)) or 'none'}.")


def may_see_run(call: Call, *, created_by: int, project_id: int | None) -> bool:
    """Say whether a run is the user's own, or one of a project that the user may read."""
    return created_by == call.user.id or (project_id is not None and may(call, project_id, READ)) or is_trusted(call)


def may_add_to_run(call: Call, *, created_by: int, project_id: int | None) -> bool:
    """Say whether a run is one of a project to which the user may add, or belongs to none and is the user's own."""
    if project_id is None:
        return created_by == call.user.id or is_trusted(call)
    return may(call, project_id, CREATE)


def is_trusted(call: Call) -> bool:
    """Say whether the host of the application vouches for the user."""
    return call.user.reader is None


def told(call: Call, *, project_id: int, created_by: int) -> dict[str, object]:
    """Return what the user may do with an entity, in the words of Synapse's `UserEntityPermissions`."""
    granted = access.granted(call.tx, project_id, call.user.reader)
    public = access.granted(call.tx, project_id, auth.ANONYMOUS.reader)
    edits, adds, changes = UPDATE in granted, CREATE in granted, CHANGE_PERMISSIONS in granted
    return {
        "canView": READ in granted,
        "canEdit": edits,
        "canMove": edits,
        "canAddChild": adds,
        "canCertifiedUserEdit": edits,
        "canCertifiedUserAddChild": adds,
        "isCertifiedUser": call.user is not auth.ANONYMOUS,
        "canChangePermissions": changes,
        "canChangeSettings": access.CHANGE_SETTINGS in granted,
        "canDelete": DELETE in granted,
        "canDownload": DOWNLOAD in granted,
        "canUpload": call.user is not auth.ANONYMOUS,
        "canEnableInheritance": False,
        "ownerPrincipalId": created_by,
        "canPublicRead": READ in public,
        "canModerate": access.MODERATE in granted,
        "isCertificationRequired": False,
        "isEntityOpenData": False,
        "isDataContributor": edits and DELETE in granted,
    }


def _hint(user: User) -> str:
    return " Without an access token only what is public can be seen." if user is auth.ANONYMOUS else ""
