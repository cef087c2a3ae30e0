"""An entity and what belongs to it in one request, in today's form and in that of 2012."""

from __future__ import annotations

from typing import Any

import pytest

from .api import MODEL, Api, used

BASIC = {"includeEntity": True, "includeAnnotations": True, "includeFileHandles": True}
RED = {"color": {"type": "STRING", "value": ["red"]}}


def body_of(project: dict[str, Any], handle: str) -> dict[str, Any]:
    return {
        "concreteType": MODEL + "FileEntity",
        "name": "a.txt",
        "parentId": project["id"],
        "dataFileHandleId": handle,
    }


def test_a_bundle_holds_what_is_asked_for(api: Api) -> None:
    """Synapse's client gets the entity, its annotations, its file handle and its restrictions, and nothing else."""
    handle = api.handle(b"x")
    file = api.file_in(api.project(), "a.txt", handle=handle)
    url = f"/repo/v1/entity/{file['id']}/bundle2"
    bundle = api.post(url, {**BASIC, "includeRestrictionInformation": True, "includeUnknown": True}, expect=200)

    assert bundle == {
        "entity": file,
        "entityType": "file",
        "annotations": {"id": file["id"], "etag": file["etag"], "annotations": {}},
        "fileHandles": [api.get(f"/file/v1/fileHandle/{handle}")],
        "restrictionInformation": {"objectId": 2, "restrictionLevel": "OPEN", "hasUnmetAccessRequirement": False},
    }
    assert api.post(url, {}, expect=200) == {"entityType": "file"}


def test_a_bundle_tells_where_an_entity_is_and_what_is_below(api: Api) -> None:
    """Path, children, file name, access list and permissions come along where they are asked for."""
    project = api.project()
    file = api.file_in(project, "a.txt", handle=api.handle(b"x", name="local.txt"))
    ask = {
        "includeEntityPath": True,
        "includeHasChildren": True,
        "includeFileName": True,
        "includeAccessControlList": True,
        "includeBenefactorACL": True,
        "includePermissions": True,
        "includeFileHandles": True,
    }
    above = api.post(f"/repo/v1/entity/{project['id']}/bundle2", ask, expect=200)
    below = api.post(f"/repo/v1/entity/{file['id']}/bundle2", ask, expect=200)

    assert (above["hasChildren"], below["hasChildren"]) == (True, False)
    assert [step["name"] for step in below["path"]["path"]] == ["root", "P", "a.txt"]
    assert below["fileName"] == "local.txt" and "fileName" not in above
    assert above["fileHandles"] == []
    assert above["accessControlList"] == above["benefactorAcl"] == below["benefactorAcl"]
    assert "accessControlList" not in below
    assert below["permissions"]["ownerPrincipalId"] == 101


def test_the_bundle_of_a_version_has_that_versions_activity(api: Api) -> None:
    """Entity, annotations, file handle and activity are those of the version; no activity is no key."""
    project = api.project()
    activity = api.activity(used(project), name="first")
    file = api.file_in(project, "a", query=f"?generatedBy={activity['id']}")
    api.update(file, query="?newVersion=true", versionLabel=None)
    ask = {**BASIC, "includeActivity": True}
    old = api.post(f"/repo/v1/entity/{file['id']}/version/1/bundle2", ask, expect=200)
    new = api.post(f"/repo/v1/entity/{file['id']}/bundle2", ask, expect=200)

    assert (old["entity"]["versionNumber"], old["activity"]) == (1, activity)
    assert new["entity"]["versionNumber"] == 2 and "activity" not in new
    assert "version 9" in api.reason("POST", f"/repo/v1/entity/{file['id']}/version/9/bundle2", ask, expect=404)


def test_a_bundle_creates_an_entity_with_annotations_and_activity(api: Api) -> None:
    """All of it is there afterwards, and the answer has the parts that were sent."""
    project, activity = api.project(), api.activity()
    sent = {"entity": body_of(project, api.handle()), "annotations": {"annotations": RED}}
    bundle = api.post(f"/repo/v1/entity/bundle2/create?generatedBy={activity['id']}", sent)
    id_ = bundle["entity"]["id"]

    assert set(bundle) == {"entity", "entityType", "annotations"}
    assert bundle["entity"] == api.get(f"/repo/v1/entity/{id_}")
    assert bundle["annotations"] == api.get(f"/repo/v1/entity/{id_}/annotations2")
    assert bundle["annotations"]["annotations"] == RED
    assert api.get(f"/repo/v1/entity/{id_}/generatedBy") == activity


def test_a_bundle_that_fails_changes_nothing(api: Api) -> None:
    """When the annotations are refused there is no entity either."""
    project = api.project()
    wrong = {"annotations": {"n": {"type": "LONG", "value": ["x"]}}}
    sent = {"entity": body_of(project, api.handle()), "annotations": wrong}

    assert "which is no LONG" in api.reason("POST", "/repo/v1/entity/bundle2/create", sent)
    api.reason("POST", "/repo/v1/entity/child", {"parentId": project["id"], "entityName": "a.txt"}, expect=404)


def test_an_update_adds_annotations_and_forces_no_version(api: Api) -> None:
    """Annotations that are not named stay; with another activity the version stays too; stale etags are 412."""
    file = api.file_in(api.project(), "a")
    first, second = api.activity()["id"], api.activity()["id"]
    url = f"/repo/v1/entity/{file['id']}/bundle2"
    bundle = api.put(f"{url}?generatedBy={first}", {"entity": file, "annotations": {"annotations": RED}})
    more = {"annotations": {"n": {"type": "LONG", "value": ["3"]}}}
    bundle = api.put(f"{url}?generatedBy={second}", {"entity": bundle["entity"], "annotations": more})

    assert set(bundle["annotations"]["annotations"]) == {"color", "n"}
    assert bundle["entity"]["versionNumber"] == 1
    assert bundle["entity"]["etag"] == bundle["annotations"]["etag"] == api.get(f"/repo/v1/entity/{file['id']}")["etag"]
    assert api.get(f"/repo/v1/entity/{file['id']}/generatedBy")["id"] == second
    assert "was updated since" in api.reason("PUT", url, {"entity": file}, expect=412)
    assert "was updated since" in api.reason("PUT", url, {"annotations": {**more, "etag": "stale"}}, expect=412)
    assert "needs the etag" in api.reason("PUT", url, {"annotations": more})
    other = {**bundle["entity"], "id": "syn1"}
    assert "the path syn2" in api.reason("PUT", url, {"entity": other})


def test_the_bundles_of_2012(api: Api) -> None:
    """They create and update with annotations of that time; the entity is named in the body or in the path."""
    project, activity = api.project(), api.activity()["id"]
    sent = {"entity": body_of(project, api.handle()), "annotations": {"stringAnnotations": {"color": ["red"]}}}
    bundle = api.post(f"/repo/v1/entity/bundle?generatedBy={activity}", sent)
    id_ = bundle["entity"]["id"]
    assert bundle["annotations"]["stringAnnotations"] == {"color": ["red"]}
    assert api.get(f"/repo/v1/entity/{id_}/generatedBy")["id"] == activity

    more = {"entity": bundle["entity"], "annotations": {"longAnnotations": {"n": [3]}}}
    bundle = api.put("/repo/v1/entity/bundle?generatedBy=-1", more)
    assert bundle["annotations"]["stringAnnotations"] == {"color": ["red"]}
    assert bundle["annotations"]["longAnnotations"] == {"n": [3]}
    api.get(f"/repo/v1/entity/{id_}/generatedBy", expect=404)
    api.put(f"/repo/v1/entity/{id_}/bundle", {"entity": {**bundle["entity"], "name": "b.txt"}})
    assert api.get(f"/repo/v1/entity/{id_}")["name"] == "b.txt"


@pytest.mark.parametrize(
    ("method", "path", "query", "status", "reason"),
    [
        ("POST", "bundle2/create", "999", 404, "not found"),
        ("POST", "bundle", "999", 404, "not found"),
        ("POST", "bundle2/create", "{foreign}", 403, "Only the user who created"),
        ("POST", "bundle", "{foreign}", 403, "Only the user who created"),
        ("PUT", "bundle", "{foreign}", 403, "Only the user who created"),
        ("PUT", "{id}/bundle2", "{foreign}", 403, "Only the user who created"),
        ("PUT", "{id}/bundle2", "999", 404, "not found"),
        ("PUT", "bundle", "x", 400, "generatedBy='x'"),
    ],
)
def test_only_an_own_activity_can_be_connected(
    api: Api, method: str, path: str, query: str, status: int, reason: str
) -> None:
    """The errors are those of POST and PUT of an entity alone."""
    project = api.project()
    file = api.file_in(project, "b.txt")
    foreign = api.as_user("eve").activity()["id"]
    entity = file if method == "PUT" else body_of(project, api.handle())
    url = f"/repo/v1/entity/{path}?generatedBy={query}".format(id=file["id"], foreign=foreign)

    assert reason in api.reason(method, url, {"entity": entity}, expect=status)


@pytest.mark.parametrize("path", ["bundle2/create", "bundle"])
def test_a_bundle_needs_an_entity(api: Api, path: str) -> None:
    """Without an entity there is nothing to make or to change."""
    assert "needs an entity" in api.reason("POST", f"/repo/v1/entity/{path}", {})
    assert "with its id" in api.reason("PUT", "/repo/v1/entity/bundle", {"entity": {"name": "x"}})


def test_a_bundle_sets_the_access_list_of_a_project(api: Api) -> None:
    """The list in the bundle is that of the new project, and of the changed one; a file has none of its own."""
    public = {"resourceAccess": [{"principalId": 101, "accessType": ["READ", "CHANGE_PERMISSIONS"]}]}
    entity = {"concreteType": MODEL + "Project", "name": "P"}
    bundle = api.post("/repo/v1/entity/bundle2/create", {"entity": entity, "accessControlList": public})

    assert bundle["accessControlList"]["resourceAccess"] == public["resourceAccess"]
    sent = {"entity": body_of(bundle["entity"], api.handle()), "accessControlList": public}
    assert "no access list of its own" in api.reason("POST", "/repo/v1/entity/bundle2/create", sent, expect=404)


def test_what_synapse_has_and_this_server_has_not(api: Api) -> None:
    """There are no access requirements and no wikis; nothing pretends to be locked."""
    url = f"/repo/v1/entity/{api.project()['id']}"

    assert api.get(f"{url}/accessRequirement?offset=0&limit=1") == {"results": [], "totalNumberOfResults": 0}
    assert "cannot be locked" in api.reason("POST", f"{url}/lockAccessRequirement", {}, expect=403)
    assert "has no wiki" in api.reason("GET", f"{url}/wikiheadertree?limit=20&offset=0", expect=404)


def test_users_are_found_by_the_beginning_of_their_names(api: Api) -> None:
    """Pages end with an empty one, which is how Synapse's client knows that it has seen all."""
    for name in ("ada", "adam", "Ad_m", "eve"):
        api.as_user(name).project(name)
    page = api.get("/repo/v1/userGroupHeaders?prefix=AD&limit=2&offset=0")

    assert [user["userName"] for user in page["children"]] == ["Ad_m", "ada"]
    assert page["totalNumberOfResults"] == 3
    assert [u["ownerId"] for u in api.get("/repo/v1/userGroupHeaders?prefix=ad&offset=2")["children"]] == ["102"]
    assert api.get("/repo/v1/userGroupHeaders?prefix=ad&offset=3")["children"] == []
    assert api.get("/repo/v1/userGroupHeaders?prefix=ad_")["totalNumberOfResults"] == 1


def test_file_handles_are_copied_under_another_name(api: Api) -> None:
    """The copy is the user's own and has the same content; each that cannot be copied says why."""
    handle = api.handle(b"x", name="a.txt", keep=True)
    file = api.file_in(api.project(), "a", handle=handle)
    part = {"fileHandleId": handle, "associateObjectId": file["id"], "associateObjectType": "FileEntity"}
    ask = [
        {"originalFile": part, "newFileName": "b.txt", "newContentType": "text/x"},
        {"originalFile": {**part, "fileHandleId": "999"}},
    ]
    results = api.as_user("eve").post("/file/v1/filehandles/copy", {"copyRequests": ask})["copyResults"]
    new = results[0]["newFileHandle"]

    assert results[0]["originalFileHandleId"] == handle
    assert (new["fileName"], new["contentType"], new["createdBy"]) == ("b.txt", "text/x", "102")
    assert new["contentMd5"] == api.get(f"/file/v1/fileHandle/{handle}")["contentMd5"]
    assert results[1] == {"originalFileHandleId": "999", "failureCode": "NOT_FOUND"}
    eve = api.as_user("eve").post(
        "/file/v1/filehandles/copy", {"copyRequests": [{"originalFile": {"fileHandleId": handle}}]}
    )
    assert eve["copyResults"][0]["failureCode"] == "UNAUTHORIZED"
    assert "at most 100" in api.reason("POST", "/file/v1/filehandles/copy", {"copyRequests": ask * 51})
