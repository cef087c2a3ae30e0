"""Projects, folders, files and their versions, over REST."""

from __future__ import annotations

import re
from typing import Any

import pytest

from .api import MODEL, Api, used

ETAG = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def test_a_new_file_has_synapses_wire_form(api: Api) -> None:
    """A file entity has exactly the keys that Synapse's has, with ids, dates and etag in Synapse's form."""
    project = api.project()
    handle = api.handle()
    entity = api.file_in(project, "a.txt", handle=handle)

    assert ETAG.fullmatch(entity.pop("etag"))
    assert DATE.fullmatch(entity.pop("createdOn"))
    assert DATE.fullmatch(entity.pop("modifiedOn"))
    assert entity == {
        "concreteType": MODEL + "FileEntity",
        "id": "syn2",
        "name": "a.txt",
        "parentId": "syn1",
        "createdBy": "101",
        "modifiedBy": "101",
        "versionNumber": 1,
        "versionLabel": "1",
        "isLatestVersion": True,
        "dataFileHandleId": handle,
    }


def test_containers_have_no_version(api: Api) -> None:
    """A project and a folder carry neither a version number nor anything that is null."""
    folder = api.folder_in(api.project(), "results")

    assert set(folder) == {
        "concreteType",
        "id",
        "name",
        "etag",
        "parentId",
        "createdOn",
        "createdBy",
        "modifiedOn",
        "modifiedBy",
    }


def test_ids_are_taken_with_and_without_syn(api: Api) -> None:
    """An entity is found by `syn1` and by `1`, and always calls itself `syn1`."""
    api.project()

    assert api.get("/repo/v1/entity/1")["id"] == api.get("/repo/v1/entity/syn1")["id"] == "syn1"


def test_unknown_keys_and_nulls_are_ignored(api: Api) -> None:
    """What Synapse's clients send beside the schema does no harm."""
    body = {"concreteType": MODEL + "Project", "name": "P", "versionComment": None, "contentSize": 3, "synapseStore": 1}

    assert api.post("/repo/v1/entity", body)["name"] == "P"


def test_an_entity_without_name_is_called_by_its_id(api: Api) -> None:
    """A missing name becomes the id."""
    project = api.post("/repo/v1/entity", {"concreteType": MODEL + "Project"})
    folder = api.post("/repo/v1/entity", {"concreteType": MODEL + "Folder", "parentId": project["id"]})

    assert (project["name"], folder["name"]) == (project["id"], folder["id"])
    assert api.path_of(folder) == folder["id"]


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        ({"name": "x"}, 400, "concreteType is missing."),
        ({"concreteType": MODEL + "Link", "name": "x"}, 400, "is not supported"),
        ({"concreteType": MODEL + "Folder", "name": "x"}, 400, "A folder needs a parentId."),
        ({"concreteType": MODEL + "Folder", "name": "x", "parentId": "syn99"}, 404, "The given parent: syn99 does not"),
        (
            {"concreteType": MODEL + "Folder", "name": "x", "parentId": "nonsense"},
            400,
            "'nonsense' is not an entity id",
        ),
        ({"concreteType": MODEL + "Project", "name": "x", "parentId": "syn1"}, 400, "project cannot have a parent of"),
        ({"concreteType": MODEL + "Folder", "name": "x", "parentId": "syn0"}, 400, "folder cannot have a parent of"),
        (
            {"concreteType": MODEL + "Folder", "name": "x", "parentId": "syn2"},
            400,
            "cannot have a parent of type: file",
        ),
        (
            {"concreteType": MODEL + "FileEntity", "name": "x", "parentId": "syn1"},
            400,
            "dataFileHandleId cannot be null",
        ),
        (
            {"concreteType": MODEL + "FileEntity", "name": "x", "parentId": "syn1", "dataFileHandleId": "99"},
            404,
            "File handle 99 does not exist.",
        ),
        ({"concreteType": MODEL + "Folder", "name": "", "parentId": "syn1"}, 400, "1 to 256 were expected"),
        ({"concreteType": MODEL + "Folder", "name": "x" * 257, "parentId": "syn1"}, 400, "has 257 characters"),
        ({"concreteType": MODEL + "Folder", "name": "a/b", "parentId": "syn1"}, 400, "a slash or a NUL character"),
        ({"concreteType": MODEL + "Folder", "name": "a/", "parentId": "syn1"}, 400, "a slash or a NUL character"),
        ({"concreteType": MODEL + "Folder", "name": "a\0", "parentId": "syn1"}, 400, "a slash or a NUL character"),
        ({"concreteType": MODEL + "Folder", "name": 5, "parentId": "syn1"}, 400, "Expected `str"),
        (
            {"concreteType": MODEL + "Folder", "name": "f", "parentId": "syn1", "description": "x" * 1001},
            400,
            "at most",
        ),
        ([], 400, "The body is not what was expected here"),
    ],
)
def test_a_body_that_makes_no_entity_is_refused(api: Api, body: Any, status: int, reason: str) -> None:
    """Every mistake in a new entity is told in a sentence."""
    api.file_in(api.project(), "file")

    assert reason in api.reason("POST", "/repo/v1/entity", body, expect=status)


def test_broken_json_is_refused(api: Api) -> None:
    """A body that is no JSON, none at all, or too deep is told so."""
    assert "not valid JSON" in api.reason("POST", "/repo/v1/entity", b"{")
    assert "not valid JSON" in api.reason("POST", "/repo/v1/entity", b'{"name": "\xff"}')
    assert "has no body" in api.reason("POST", "/repo/v1/entity")
    deep = b'{"job": {"params": {"a":' + b"[" * 100_000
    assert "nested too deeply" in api.reason("PUT", "/snakeprov/v1/jobs/j", deep)


def test_a_name_is_unique_in_its_parent(api: Api) -> None:
    """A second child of the same name is a conflict; a name in another case is not."""
    project = api.project()
    api.folder_in(project, "results")
    body = {"concreteType": MODEL + "Folder", "name": "results", "parentId": project["id"]}

    assert api.reason("POST", "/repo/v1/entity", body, expect=409) == (
        "An entity with the name: results already exists with a parentId: syn1"
    )
    api.folder_in(project, "Results")
    assert "P already exists" in api.reason(
        "POST", "/repo/v1/entity", {"concreteType": MODEL + "Project", "name": "P"}, expect=409
    )


def test_an_update_needs_the_present_etag(api: Api) -> None:
    """A change to an older state is refused, and so is one without etag."""
    project = api.project()
    stale = api.folder_in(project, "a")
    fresh = api.update(stale, description="first")

    assert fresh["etag"] != stale["etag"]
    assert "was updated since you last fetched it" in api.update(stale, expect=412, description="second")["reason"]
    assert "needs the etag" in api.update(fresh, expect=400, etag=None)["reason"]
    assert api.get(f"/repo/v1/entity/{fresh['id']}")["description"] == "first"


def test_other_content_makes_a_new_version(api: Api) -> None:
    """A file handle with another md5 makes the next version, without being asked to; label and comment start anew."""
    file = api.file_in(api.project(), "a")
    file = api.update(file, versionComment="mine", versionLabel="final")
    second = api.update(file, dataFileHandleId=api.handle())

    assert (file["versionNumber"], second["versionNumber"]) == (1, 2)
    assert second["versionLabel"] == "2"
    assert "versionComment" not in second
    first = api.get(f"/repo/v1/entity/{file['id']}?versionNumber=1")
    assert (first["versionLabel"], first["versionComment"], first["isLatestVersion"]) == ("final", "mine", False)
    assert first["dataFileHandleId"] == file["dataFileHandleId"]


def test_the_same_content_makes_no_version(api: Api) -> None:
    """Another handle of the same bytes changes the version in place; asking for a version makes one all the same."""
    file = api.file_in(api.project(), "a", handle=api.handle(b"same"))
    same = api.update(file, dataFileHandleId=api.handle(b"same", name="b.txt"))
    forced = api.update(same, query="?newVersion=true", versionLabel="2")

    assert same["versionNumber"] == 1
    assert same["dataFileHandleId"] != file["dataFileHandleId"]
    assert (forced["versionNumber"], forced["versionLabel"]) == (2, "2")


def test_a_label_is_unique_in_its_entity(api: Api) -> None:
    """A label that another version has is refused."""
    file = api.update(api.file_in(api.project(), "a"), versionLabel="final")
    second = api.update(file, dataFileHandleId=api.handle())

    assert (
        "Version 1 of syn2 has the label 'final' already"
        in (api.update(second, versionLabel="final", expect=400)["reason"])
    )
    assert "already" in api.update(second, query="?newVersion=true", versionLabel="final", expect=400)["reason"]


def test_a_new_version_has_no_activity_and_keeps_annotations(api: Api) -> None:
    """What made the last version did not make this one; what was noted about it stays."""
    activity = api.activity(name="made")
    file = api.file_in(api.project(), "a", query=f"?generatedBy={activity['id']}")
    noted = {"etag": file["etag"], "annotations": {"k": {"type": "LONG", "value": ["1"]}}}
    file["etag"] = api.put(f"/repo/v1/entity/{file['id']}/annotations2", noted)["etag"]
    api.update(file, query="?newVersion=true")

    assert api.reason("GET", f"/repo/v1/entity/{file['id']}/generatedBy", expect=404) == "No activity"
    assert api.get(f"/repo/v1/entity/{file['id']}/version/1/generatedBy")["id"] == activity["id"]
    assert api.get(f"/repo/v1/entity/{file['id']}/annotations2")["annotations"] == noted["annotations"]


def test_versions_are_listed_newest_first(api: Api) -> None:
    """The list of versions is paged, and tells md5 and size."""
    file = api.file_in(api.project(), "a", handle=api.handle(b"0"))
    for content in (b"11", b"222"):
        file = api.update(file, dataFileHandleId=api.handle(content))
    url = f"/repo/v1/entity/{file['id']}/version"
    answer = api.get(url)

    assert [item["versionNumber"] for item in answer["results"]] == [3, 2, 1]
    assert [item["contentSize"] for item in answer["results"]] == ["3", "2", "1"]
    assert answer["totalNumberOfResults"] == 3
    assert [item["versionNumber"] for item in api.get(url + "?limit=1&offset=1")["results"]] == [2]
    assert "limit='0'" in api.reason("GET", url + "?limit=0")
    assert "whole number" in api.reason("GET", url + "?offset=x")
    assert "Cannot find a node with id syn2 and version 9" in api.reason("GET", url + "/9", expect=404)
    assert "not a version number" in api.reason("GET", url + "/x")
    assert "whole number" in api.reason("GET", f"/repo/v1/entity/{file['id']}?versionNumber=99999999999999999999")


def test_connecting_to_an_activity_is_its_creators(api: Api) -> None:
    """Only the creator of an activity links it; the etag of the entity changes; -1 and DELETE unlink."""
    file = api.file_in(api.project(), "a")
    mine, other = api.activity(), api.as_user("eve").activity()
    url = f"/repo/v1/entity/{file['id']}/generatedBy"

    assert api.put(f"{url}?generatedBy={mine['id']}") == mine
    assert api.get(f"/repo/v1/entity/{file['id']}")["etag"] != file["etag"]
    assert "Only the user who created activity" in api.reason("PUT", f"{url}?generatedBy={other['id']}", expect=403)
    assert api.reason("PUT", f"{url}?generatedBy=99", expect=404) == "Activity id 99 not found."
    assert "'generatedBy' is missing" in api.reason("PUT", url)
    assert "whole number" in api.reason("PUT", f"{url}?generatedBy=-2")
    api.send("PUT", f"{url}?generatedBy=-1", expect=204)
    assert api.reason("GET", url, expect=404) == "No activity"
    api.put(f"/repo/v1/entity/{file['id']}/version/1/generatedBy?generatedBy={mine['id']}")
    api.delete(url)
    assert api.reason("GET", url, expect=404) == "No activity"


def test_annotations_are_checked(api: Api) -> None:
    """Number, length and type of annotations are bounded, and a stale etag is refused."""
    project = api.project()
    url = f"/repo/v1/entity/{project['id']}/annotations2"

    def put(annotations: Any, *, etag: str | None = project["etag"], expect: int = 400) -> str:
        return api.reason("PUT", url, {"etag": etag, "annotations": annotations}, expect=expect)

    value = {"type": "STRING", "value": ["v"]}
    assert "at most 100 are allowed" in put({str(i): value for i in range(101)})
    assert "has 101 values" in put({"k": {"type": "STRING", "value": ["v"] * 101}})
    assert "has the value 'x', which is no LONG" in put({"k": {"type": "LONG", "value": ["x"]}})
    assert "which is no BOOLEAN" in put({"k": {"type": "BOOLEAN", "value": ["maybe"]}})
    assert "Invalid enum value" in put({"k": {"type": "LIST", "value": []}})
    assert "needs a key" in put({"": value})
    assert "needs the etag" in put({}, etag=None)
    assert "was updated since" in put({}, etag="old", expect=412)
    assert api.get(url) == {"id": "syn1", "etag": project["etag"], "annotations": {}}


def test_children_are_found_and_paged(api: Api) -> None:
    """Children are found by name, listed by type and sorted; a token leads to the next page."""
    project = api.project()
    for number in range(53):
        api.folder_in(project, f"f{number:02}")
    api.file_in(project, "file")
    ask = {"parentId": project["id"], "includeTypes": ["folder", "recordset"]}
    first = api.post("/repo/v1/entity/children", ask, expect=200)
    second = api.post("/repo/v1/entity/children", {**ask, "nextPageToken": first["nextPageToken"]}, expect=200)

    assert [len(first["page"]), len(second["page"])] == [50, 3]
    assert "nextPageToken" not in second
    descending = api.post("/repo/v1/entity/children", {**ask, "sortDirection": "DESC"}, expect=200)
    assert descending["page"][0]["name"] == "f52"
    projects = api.post("/repo/v1/entity/children", {"parentId": None, "includeTypes": ["folder"]}, expect=200)
    assert [item["name"] for item in projects["page"]] == ["P"]
    assert "includeTypes is empty" in api.reason("POST", "/repo/v1/entity/children", {"parentId": "syn1"})
    assert "was not given by this server" in api.reason(
        "POST", "/repo/v1/entity/children", {**ask, "nextPageToken": "x"}
    )
    assert api.post("/repo/v1/entity/child", {"parentId": None, "entityName": "P"}, expect=200) == {"id": "syn1"}
    assert api.reason("POST", "/repo/v1/entity/child", {"parentId": "syn1", "entityName": "no"}, expect=404) == (
        "Entity: 'no' not found in parent: 'syn1'"
    )


def test_a_file_is_found_by_its_content_and_knows_its_way(api: Api) -> None:
    """The md5 leads to the versions that have it; the path leads from the root to the entity."""
    folder = api.folder_in(api.project(), "results")
    file = api.file_in(folder, "a", handle=api.handle(b"hello"))
    found = api.get("/repo/v1/entity/md5/5d41402abc4b2a76b9719d911017c592")
    path = api.get(f"/repo/v1/entity/{file['id']}/path")["path"]

    assert [(item["id"], item["versionNumber"]) for item in found["results"]] == [(file["id"], 1)]
    assert [step["name"] for step in path] == ["root", "P", "results", "a"]
    assert "is not an md5" in api.reason("GET", "/repo/v1/entity/md5/xyz")


def test_other_users_file_handles_cannot_be_taken(api: Api) -> None:
    """A file handle belongs to the user who created it."""
    handle = api.as_user("eve").handle()
    body = {"concreteType": MODEL + "FileEntity", "name": "a", "parentId": api.project()["id"]}

    assert "Only the user who created file handle" in api.reason(
        "POST", "/repo/v1/entity", {**body, "dataFileHandleId": handle}, expect=403
    )


def test_the_root_and_the_kind_of_an_entity_are_fixed(api: Api) -> None:
    """The root folder is not to be changed, and a folder does not become a file."""
    folder = api.folder_in(api.project(), "a")
    root = api.get("/repo/v1/entity/syn0")

    assert "root folder" in api.reason("PUT", "/repo/v1/entity/syn0", {**root, "parentId": "syn0"}, expect=403)
    assert "cannot be changed" in api.update(folder, concreteType=MODEL + "FileEntity", expect=400)["reason"]


def test_an_activity_pins_what_it_used(api: Api) -> None:
    """A use without version means the current one; repetitions count once; what is not here is taken as it is."""
    file = api.file_in(api.project(), "a")
    api.update(file, dataFileHandleId=api.handle())
    activity = api.activity(used(file), used(file, 2), used(file, 2, executed=True), used({"id": "syn456"}))

    assert [item["reference"] for item in activity["used"]] == [
        {"targetId": "syn2", "targetVersionNumber": 2},
        {"targetId": "syn2", "targetVersionNumber": 2},
        {"targetId": "syn456"},
    ]
    assert [item["wasExecuted"] for item in activity["used"]] == [False, True, False]


def test_a_file_and_a_folder_can_have_one_name(api: Api) -> None:
    """A path is a file at one time and a folder at another; two files or two folders never share a name."""
    project = api.project()
    file, folder = api.file_in(project, "out"), api.folder_in(project, "out")
    inner = api.file_in(folder, "x.txt")
    again = {key: folder[key] for key in ("concreteType", "name", "parentId")}
    found = api.post("/snakeprov/v1/lookup", {"project": "P", "paths": ["out"]}, expect=200)["found"]

    api.post("/repo/v1/entity", again, expect=409)
    assert {(one["kind"], one["entityId"]) for one in found} == {("file", file["id"]), ("folder", folder["id"])}
    assert api.post("/repo/v1/entity/child", {"parentId": project["id"], "entityName": "out"}, expect=200) == {
        "id": folder["id"]
    }
    assert (api.path_of(file), api.path_of(inner)) == ("out", "out/x.txt")
    moved = api.update(folder, name="moved")
    assert (api.path_of(file), api.path_of(inner)) == ("out", "moved/x.txt")
    api.update(moved, name="out")
    api.delete(f"/repo/v1/entity/{file['id']}")
    assert api.path_of(inner) == "out/x.txt"
