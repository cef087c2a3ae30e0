"""What the bytes of a version mean: what a client says of a new version, and every answer that tells it again."""

from __future__ import annotations

import pytest

from .api import Api, Json
from .live import Served
from .world import World

OWN = "/snakeprov/v1"
JOB = "5f" * 16


def told(api: Api, file: Json, number: int) -> list[Json | None]:
    """Return what each answer says that the bytes of a version mean; the look-up and the graph know the newest."""
    id_ = file["id"]
    history = api.history(file)["results"]
    story = api.story(file, number)["version"]
    details = api.versions(ids=[{"entityId": id_, "versionNumber": number}])["results"][0]
    graph = api.get(f"{OWN}/lineage?entityId={id_}&versionNumber={number}")["nodes"][0]
    found = api.post(f"{OWN}/lookup", {"project": "P", "paths": [file["name"]]}, expect=200)["found"][0]
    answers = [next(one for one in history if one["versionNumber"] == number), story, details, graph]
    return [one.get("meaning") for one in (*answers, *([found] if found["versionNumber"] == number else []))]


def test_what_is_said_of_a_new_version_is_told_wherever_it_is_described(api: Api) -> None:
    """Each kind points at its version; a version without such a statement has no meaning."""
    project = api.project()
    file = api.file_in(project, "a.txt")
    for query in (
        f"edited&meaningOf={file['id']}&meaningOfVersion=1&whileJob={JOB}",
        f"again&meaningOf={file['id']}&meaningOfVersion=1",
    ):
        file = api.update(file, query=f"?newVersion=true&meaning={query}", dataFileHandleId=api.handle())
    other = api.file_in(project, "b.txt", query=f"?meaning=sameContent&meaningOf={file['id']}&meaningOfVersion=2")

    target = {"entityId": file["id"], "path": "a.txt"}
    assert told(api, file, 1) == [None] * 4
    assert told(api, file, 2) == [{"kind": "edited", **target, "versionNumber": 1, "whileJobId": JOB}] * 4
    assert told(api, file, 3) == [{"kind": "again", **target, "versionNumber": 1}] * 5
    assert told(api, other, 1) == [{"kind": "sameContent", **target, "versionNumber": 2}] * 5


@pytest.mark.parametrize(
    ("query", "expect", "reason"),
    [
        ("meaning=new&meaningOf={a}&meaningOfVersion=1", 400, "again, edited or sameContent was expected"),
        ("meaning=again", 400, "'meaningOf' is missing"),
        ("meaningOf={a}&meaningOfVersion=1", 400, "needs 'meaning'"),
        ("meaning=again&meaningOf={a}", 400, "'meaningOfVersion' is missing"),
        ("meaning=again&meaningOf={b}&meaningOfVersion=1", 400, "points at a version of the same file"),
        ("meaning=sameContent&meaningOf={a}&meaningOfVersion=1", 400, "points at a version of another file"),
        ("meaning=again&meaningOf={a}&meaningOfVersion=1&whileJob=x", 400, "goes with meaning=edited only"),
        ("meaning=edited&meaningOf={a}&meaningOfVersion=1&whileJob=no such id", 400, "is the id of a job"),
        ("meaning=again&meaningOf={a}&meaningOfVersion=7", 404, "There is no version 7"),
        ("meaning=edited&meaningOf={p}&meaningOfVersion=1", 404, "There is no version 1 of a file"),
    ],
)
def test_what_makes_no_sense_is_refused(api: Api, query: str, expect: int, reason: str) -> None:
    """The answer names what is wrong, and there is no new version."""
    project = api.project()
    file, other = api.file_in(project, "a"), api.file_in(project, "b")
    query = query.format(a=file["id"], b=other["id"], p=project["id"])
    body = {**file, "dataFileHandleId": api.handle()}

    said = api.reason("PUT", f"/repo/v1/entity/{file['id']}?newVersion=true&{query}", body, expect=expect)
    assert reason in said
    assert api.get(f"/repo/v1/entity/{file['id']}")["versionNumber"] == 1


def test_only_a_new_version_of_a_file_can_mean_something(api: Api) -> None:
    """A change that makes no version is refused, and so is a folder."""
    project = api.project()
    file = api.file_in(project, "a")
    query = f"?meaning=edited&meaningOf={file['id']}&meaningOfVersion=1"
    folder = {"concreteType": "org.sagebionetworks.repo.model.Folder", "name": "d", "parentId": project["id"]}

    assert "makes none" in api.reason("PUT", f"/repo/v1/entity/{file['id']}{query}", file)
    assert "no bytes" in api.reason("POST", f"/repo/v1/entity{query}", folder)


def test_a_version_that_is_gone_is_not_pointed_at(api: Api) -> None:
    """What was edited by hand stays told as that when the version before it is deleted."""
    file = api.file_in(api.project(), "a")
    file = api.update(
        file,
        query=f"?newVersion=true&meaning=edited&meaningOf={file['id']}&meaningOfVersion=1",
        dataFileHandleId=api.handle(),
    )
    api.delete(f"/repo/v1/entity/{file['id']}/version/1", expect=204)

    assert told(api, {**file, "name": "a"}, 2) == [{"kind": "edited"}] * 5


def test_nobody_learns_of_another_project_by_pointing_at_it(served: Served) -> None:
    """A version that one may not read cannot be pointed at; one that went to another project is not named any more."""
    world = World(served)
    eves = world.eve.project("E")
    query = f"?meaning=sameContent&meaningOf={world.file['id']}&meaningOfVersion=1"
    body = {
        "concreteType": "org.sagebionetworks.repo.model.FileEntity",
        "name": "a",
        "parentId": eves["id"],
        "dataFileHandleId": world.eve.handle(),
    }
    world.eve.reason("POST", f"/repo/v1/entity{query}", body, expect=403)

    copy = world.ada.file_in(world.folder, "copy", query=query)
    world.ada.update(world.file, parentId=world.ada.project("Elsewhere")["id"])
    story = world.ada.story(copy, 1)
    assert story["version"]["meaning"] == {"kind": "sameContent"}
