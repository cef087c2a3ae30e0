"""Access lists: read, changed, refused, and what they make of the permissions of an asker."""

from __future__ import annotations

from typing import Any

from snakeprov.db.access import PERMISSIONS

from .api import Json
from .live import AUTHENTICATED, PUBLIC
from .world import E, World


def test_all_users_can_be_given_something(world: World) -> None:
    """The group of users is everybody with a token."""
    world.share("READ", who=f"u{AUTHENTICATED}")
    assert world.eve.get(f"{E}/{world.file['id']}")["name"] == "SecretFile"
    world.nobody.reason("GET", f"{E}/{world.file['id']}", expect=403)


def test_an_access_list_is_read_and_changed(world: World) -> None:
    """The list names users and groups with what they may do; changing it needs its etag."""
    path = f"{E}/{world.project['id']}/acl"
    acl = world.ada.get(path)
    assert acl["id"] == world.project["id"]
    assert acl["resourceAccess"] == [{"principalId": world.ada.id, "accessType": list(PERMISSIONS)}]

    wanted = [*acl["resourceAccess"], {"principalId": world.eve.id, "accessType": ["DOWNLOAD", "READ", "READ"]}]
    changed = world.ada.put(path, {**acl, "resourceAccess": wanted})
    assert changed["resourceAccess"][1] == {"principalId": world.eve.id, "accessType": ["READ", "DOWNLOAD"]}
    assert changed["etag"] != acl["etag"]
    assert "was updated since" in world.ada.reason("PUT", path, acl, expect=412)
    assert world.eve.get(path) == world.ada.get(path) == changed
    world.ada.put(path, {**changed, "resourceAccess": [acl["resourceAccess"][0], {"principalId": world.eve.id}]})
    world.eve.reason("GET", path, expect=403)


def test_an_access_list_that_cannot_be_is_refused(world: World) -> None:
    """Unknown users, unknown permissions, public writing, and locking oneself out are told and change nothing."""
    path = f"{E}/{world.project['id']}/acl"
    acl = world.ada.get(path)
    own = acl["resourceAccess"][0]

    def told(*entries: Json, **changes: Any) -> str:
        return world.ada.reason("PUT", path, {**acl, "resourceAccess": [own, *entries], **changes}, expect=400)

    assert told({"principalId": 999}) == "There is no user or group with the id 999."
    assert told({"principalId": world.eve.id, "accessType": ["FLY"]}).startswith("accessType 'FLY': one of READ,")
    assert "only READ and DOWNLOAD" in told({"principalId": PUBLIC, "accessType": ["READ", "UPDATE"]})
    assert "your own CHANGE_PERMISSIONS" in told(resourceAccess=[])
    assert "needs the etag" in told(etag=None)
    assert "not what was expected" in told({"principalId": "x"})
    assert "at most 1000" in told(*({"principalId": number} for number in range(1000)))
    assert world.ada.get(path) == acl


def test_only_projects_have_access_lists(world: World) -> None:
    """What is inside a project inherits, and says from what."""
    project, file = world.project["id"], world.file["id"]
    assert f"inherits that of {project}" in world.ada.reason("GET", f"{E}/{file}/acl", expect=404)
    assert world.ada.get(f"{E}/{file}/benefactor")["id"] == world.ada.get(f"{E}/{project}/benefactor")["id"] == project
    body = {"resourceAccess": []}
    assert "cannot have an access list" in world.ada.reason("POST", f"{E}/{file}/acl", body, expect=400)
    assert "with PUT" in world.ada.reason("POST", f"{E}/{project}/acl", body, expect=400)
    assert "inherits" in world.ada.reason("DELETE", f"{E}/{file}/acl", expect=404)
    assert "cannot be deleted" in world.ada.reason("DELETE", f"{E}/{project}/acl", expect=403)


def test_permissions_tell_what_the_asker_may_do(world: World) -> None:
    """All keys of Synapse are there, and each holds for the user who asks."""
    path = f"{E}/{world.file['id']}/permissions"
    keys = (
        "canView canEdit canMove canAddChild canCertifiedUserEdit canCertifiedUserAddChild isCertifiedUser "
        "canChangePermissions canChangeSettings canDelete canDownload canUpload canEnableInheritance ownerPrincipalId "
        "canPublicRead canModerate isCertificationRequired isEntityOpenData isDataContributor"
    )
    ada = world.ada.get(path)
    assert set(ada) == set(keys.split())
    assert ada["ownerPrincipalId"] == world.ada.id
    assert {key for key, value in ada.items() if value is False} == {
        "canEnableInheritance",
        "canPublicRead",
        "isCertificationRequired",
        "isEntityOpenData",
    }
    world.share("READ", "CREATE")
    eve = world.eve.get(path)
    assert [eve[key] for key in ("canView", "canAddChild", "canEdit", "canDelete", "canDownload")] == [
        True,
        True,
        False,
        False,
        False,
    ]
    world.share("READ", who=f"u{PUBLIC}")
    nobody = world.nobody.get(path)
    assert (nobody["canView"], nobody["canPublicRead"], nobody["isCertifiedUser"]) == (True, True, False)
