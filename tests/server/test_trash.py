"""Deleting entities and versions, over REST."""

from __future__ import annotations

import pytest

from .api import Api, used


def test_a_deleted_entity_is_in_the_trash(api: Api) -> None:
    """It is answered with 404 and a sentence that says so, under every address."""
    file = api.file_in(api.project(), "a.txt")
    api.delete(f"/repo/v1/entity/{file['id']}")

    gone = f"Entity {file['id']} is in trash can."
    for path in ("", "/version/1", "/path", "/annotations2", "/annotations", "/generatedBy", "/version"):
        assert api.reason("GET", f"/repo/v1/entity/{file['id']}{path}", expect=404) == gone
    assert api.reason("PUT", f"/repo/v1/entity/{file['id']}", file, expect=404) == gone
    assert api.reason("DELETE", f"/repo/v1/entity/{file['id']}", expect=404) == gone
    assert api.reason("POST", "/snakeprov/v1/versions", {"entityId": file["id"]}, expect=404) == gone


def test_what_is_below_goes_along(api: Api) -> None:
    """With a folder its files and folders are in the trash; what was in the trash before and the rest are as before."""
    project = api.project()
    folder = api.folder_in(project, "results")
    inner = api.folder_in(folder, "deep")
    file, early, other = api.file_in(inner, "a"), api.file_in(folder, "b"), api.file_in(project, "results2")
    api.delete(f"/repo/v1/entity/{early['id']}")
    api.delete(f"/repo/v1/entity/{folder['id']}")

    for entity in (folder, inner, file, early):
        api.get(f"/repo/v1/entity/{entity['id']}", expect=404)
    assert api.path_of(other) == "results2"
    found = api.post("/snakeprov/v1/lookup", {"project": "P", "paths": ["results/deep/a", "results2"]}, expect=200)
    assert [entry["path"] for entry in found["found"]] == ["results2"]


def test_the_name_is_free_again(api: Api) -> None:
    """Another file can have the name and the path, and can be deleted too."""
    project = api.project()
    for _ in range(3):
        file = api.file_in(project, "a.txt")
        assert api.path_of(file) == "a.txt"
        api.delete(f"/repo/v1/entity/{file['id']}")

    api.reason("POST", "/repo/v1/entity/child", {"parentId": project["id"], "entityName": "a.txt"}, expect=404)


def test_a_deleted_project_takes_everything_along(api: Api) -> None:
    """Its files are in the trash, also those whose path is that of a file of another deleted project."""
    for _ in range(2):
        project = api.project()
        file = api.file_in(api.folder_in(project, "(root)"), "x")
        api.delete(f"/repo/v1/entity/{project['id']}")
        assert "is in trash can" in api.reason("GET", f"/repo/v1/entity/{file['id']}", expect=404)
    children = api.post("/repo/v1/entity/children", {"includeTypes": ["project"]}, expect=200)

    assert children["page"] == []


def test_nothing_can_be_put_into_the_trash_from_outside(api: Api) -> None:
    """A parent in the trash takes no child, neither a new one nor one that moves."""
    project = api.project()
    folder, file = api.folder_in(project, "f"), api.file_in(project, "a")
    api.delete(f"/repo/v1/entity/{folder['id']}")
    body = {"concreteType": folder["concreteType"], "name": "x", "parentId": folder["id"]}

    assert "is in trash can" in api.reason("POST", "/repo/v1/entity", body, expect=403)
    assert "is in trash can" in api.reason(
        "PUT", f"/repo/v1/entity/{file['id']}", {**file, "parentId": folder["id"]}, expect=403
    )


def test_a_search_finds_nothing_in_the_trash(api: Api) -> None:
    """Neither the md5, nor the path, nor what resembles it leads to a file in the trash."""
    project = api.project()
    handle = api.handle(b"same")
    file = api.file_in(project, "plot.png", handle=handle)
    md5 = api.get(f"/file/v1/fileHandle/{handle}")["contentMd5"]
    assert api.get(f"/repo/v1/entity/md5/{md5}")["totalNumberOfResults"] == 1
    api.delete(f"/repo/v1/entity/{file['id']}")

    assert api.get(f"/repo/v1/entity/md5/{md5}")["results"] == []
    assert api.versions(path="plot.png") == {"results": [], "near": []}
    assert api.versions(path="plot.pnk") == {"results": [], "near": []}


def test_an_activity_stays_while_the_trash_refers_to_it(api: Api) -> None:
    """Deleting the activity is refused until the file that it generated is away for good."""
    activity = api.activity()["id"]
    file = api.file_in(api.project(), "a", query=f"?generatedBy={activity}")
    api.delete(f"/repo/v1/entity/{file['id']}")

    assert "first delete all Entities" in api.reason("DELETE", f"/repo/v1/activity/{activity}", expect=400)
    assert api.get(f"/repo/v1/activity/{activity}/generated")["totalNumberOfResults"] == 1
    api.delete(f"/repo/v1/entity/{file['id']}?skipTrashCan=true")
    api.delete(f"/repo/v1/activity/{activity}")
    api.get(f"/repo/v1/activity/{activity}", expect=404)


def test_skipping_the_trash_deletes_for_good(api: Api) -> None:
    """The folder and its files no longer exist, and their ids are not assigned again."""
    project = api.project()
    folder = api.folder_in(project, "f")
    file = api.file_in(folder, "a")
    api.delete(f"/repo/v1/entity/{folder['id']}?skipTrashCan=true")

    for entity in (folder, file):
        assert "does not exist" in api.reason("GET", f"/repo/v1/entity/{entity['id']}", expect=404)
    assert api.folder_in(project, "f")["id"] == "syn4"


def test_a_job_tells_of_a_file_that_is_gone(api: Api) -> None:
    """The path and the digest that a job recorded stay; the version that no longer exists is not named."""
    file = api.file_in(api.project(), "a.txt")
    api.run()
    told = {"role": "output", "path": "a.txt", "outcome": "generated", "sha256": "0" * 64}
    api.job("1" * 32, files=[{**told, "entityId": file["id"], "versionNumber": 1}])
    api.delete(f"/repo/v1/entity/{file['id']}?skipTrashCan=true")

    assert api.get(f"/snakeprov/v1/jobs/{'1' * 32}")["files"] == [told]


def test_lineage_goes_through_the_trash(api: Api) -> None:
    """What a file was made from is still told when that is in the trash, under the path that it had."""
    project = api.project()
    source = api.file_in(api.folder_in(project, "data"), "in.txt")
    activity = api.activity(used(source, 1))["id"]
    made = api.file_in(project, "out.txt", query=f"?generatedBy={activity}")
    api.delete(f"/repo/v1/entity/{source['id']}")
    nodes = api.get(f"/snakeprov/v1/lineage?entityId={made['id']}")["nodes"]

    assert [node["path"] for node in nodes if node["kind"] == "entity"] == ["out.txt", "data/in.txt"]


def test_the_root_stays(api: Api) -> None:
    """The parent of all projects cannot be deleted, and the trash cannot be named."""
    assert "cannot be deleted" in api.reason("DELETE", "/repo/v1/entity/syn0", expect=403)
    assert "not an entity id" in api.reason("DELETE", "/repo/v1/entity/-1", expect=400)
    assert "true or false" in api.reason("DELETE", "/repo/v1/entity/syn1?skipTrashCan=perhaps", expect=400)
    assert "does not exist" in api.reason("DELETE", "/repo/v1/entity/syn1", expect=404)


@pytest.mark.parametrize(("deleted", "current"), [(1, 3), (2, 3), (3, 2)])
def test_a_deleted_version_is_gone(api: Api, deleted: int, current: int) -> None:
    """The newest that is left is current; the deleted one is 404, and its number is never given again."""
    file = api.file_in(api.project(), "a")
    for _ in range(2):
        file = api.update(file, versionLabel=None, query="?newVersion=true")
    api.delete(f"/repo/v1/entity/{file['id']}/version/{deleted}")
    now = api.get(f"/repo/v1/entity/{file['id']}")

    assert (now["versionNumber"], now["isLatestVersion"]) == (current, True)
    assert (now["etag"] == file["etag"]) == (deleted != 3)
    assert api.reason("GET", f"/repo/v1/entity/{file['id']}/version/{deleted}", expect=404) == (
        f"Cannot find a node with id {file['id']} and version {deleted}"
    )
    assert api.get(f"/repo/v1/entity/{file['id']}/version")["totalNumberOfResults"] == 2
    assert api.update(now, versionLabel=None, query="?newVersion=true")["versionNumber"] == 4


def test_the_last_version_stays(api: Api) -> None:
    """The only version cannot be deleted; one that does not exist is no error; a stale etag is."""
    file = api.file_in(api.project(), "a")

    assert "last version" in api.reason("DELETE", f"/repo/v1/entity/{file['id']}/version/1", expect=400)
    api.delete(f"/repo/v1/entity/{file['id']}/version/7")
    assert "not a version number" in api.reason("DELETE", f"/repo/v1/entity/{file['id']}/version/x", expect=400)
