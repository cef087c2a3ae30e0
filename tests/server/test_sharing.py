"""What comes with a right to something, and what does not: bytes, folders that move, lineages, runs and jobs."""

from __future__ import annotations

import json

from snakeprov.db.access import PERMISSIONS
from snakeprov.model.entities import DIRECTORY_CONTENT_TYPE

from .api import MODEL, RUN, Json, used
from .live import User, sha256
from .world import CONTENT, OTHER_RUN, OWN, E, World


def test_a_read_right_is_not_a_right_to_the_bytes(world: World) -> None:
    """Without DOWNLOAD a user sees a file and cannot get its bytes."""
    world.share("READ")
    result = world.eve.post("/file/v1/fileHandle/batch", world.wanted(), expect=200)["requestedFiles"][0]
    assert result == {"fileHandleId": world.handle, "failureCode": "UNAUTHORIZED"}
    world.share("READ", "DOWNLOAD")
    result = world.eve.post("/file/v1/fileHandle/batch", world.wanted(), expect=200)["requestedFiles"][0]
    assert world.nobody.ask("GET", result["preSignedURL"]).content == CONTENT
    copies = {"copyRequests": [{"originalFile": world.wanted()["requestedFiles"][0], "newFileName": "mine"}]}
    copied = world.eve.post("/file/v1/filehandles/copy", copies)["copyResults"][0]["newFileHandle"]
    assert (copied["createdBy"], copied["fileName"]) == (str(world.eve.id), "mine")
    world.share("READ")
    copied = world.eve.post("/file/v1/filehandles/copy", copies)["copyResults"][0]
    assert copied == {"originalFileHandleId": world.handle, "failureCode": "UNAUTHORIZED"}
    other = world.eve.file_in(world.eve.project("mine"), "a")
    asked = {**world.wanted()["requestedFiles"][0], "associateObjectId": other["id"]}
    answer = world.eve.post("/file/v1/fileHandle/batch", {"requestedFiles": [asked]}, expect=200)
    assert answer["requestedFiles"][0]["failureCode"] == "UNAUTHORIZED"


def test_what_is_inside_a_directory_is_for_whoever_may_download_it(world: World) -> None:
    """The query names the directory; a manifest that somebody makes up opens nothing that is not already theirs."""
    inner = b"inside of the tree"
    path = f"{OWN}/blobs/{sha256(inner)}"
    world.ada.upload(inner, name="inner.txt")
    manifest = directory(world.ada, inner)
    tree = world.ada.file_in(world.folder, "tree/", handle=manifest)
    named = f"{path}?entityId={tree['id']}"

    world.eve.get(named, expect=403)
    world.share("READ")
    world.eve.get(named, expect=403)
    world.share("READ", "DOWNLOAD")
    world.eve.get(path, expect=404)
    assert world.eve.ask("GET", named).content == inner
    assert world.eve.ask("GET", f"{named}&versionNumber=1").content == inner
    world.eve.get(f"{named}&versionNumber=2", expect=404)
    world.eve.get(f"{OWN}/blobs/{'0' * 64}?entityId={tree['id']}", expect=404)
    world.eve.get(f"{path}?entityId={world.file['id']}", expect=404)
    world.nobody.get(named, expect=403)

    world.share()
    own = world.eve.project("Eve's")
    forged = world.eve.file_in(own, "tree/", handle=directory(world.eve, inner, CONTENT))
    for content in (inner, CONTENT):
        world.eve.get(f"{OWN}/blobs/{sha256(content)}?entityId={forged['id']}", expect=404)


def directory(user: User, *contents: bytes) -> str:
    """Return the file handle of the manifest of a directory with some contents."""
    entries = [
        {"path": str(number), "type": "file", "sizeBytes": len(content), "sha256": sha256(content), "md5": "0" * 32}
        for number, content in enumerate(contents)
    ]
    manifest = json.dumps({"manifestVersion": 1, "entries": entries}, separators=(",", ":")).encode()
    return user.upload(manifest, name="tree", content_type=DIRECTORY_CONTENT_TYPE)


def test_nobody_takes_a_file_out_of_a_project(world: World) -> None:
    """Moving to another project changes who may see a thing: it needs the right to change permissions."""
    world.share(*(permission for permission in PERMISSIONS if permission != "CHANGE_PERMISSIONS"))
    mine = world.eve.project("mine")
    file = world.eve.get(f"{E}/{world.file['id']}")

    assert "CHANGE_PERMISSIONS" in world.eve.update(file, parentId=mine["id"], expect=403)["reason"]
    world.share(*PERMISSIONS)
    assert world.eve.update(file, parentId=mine["id"])["parentId"] == mine["id"]
    assert "READ" in world.ada.reason("GET", f"{E}/{file['id']}", expect=403)


def test_the_rights_follow_the_project(world: World) -> None:
    """What is moved into a project is seen by those who may see that project, with its own activity."""
    shared = world.ada.project("shared")
    world.ada.share(shared, **{f"u{world.eve.id}": ["READ"]})
    file = world.ada.get(f"{E}/{world.file['id']}")
    world.ada.update(file, parentId=shared["id"])

    assert world.eve.get(f"{E}/{file['id']}/generatedBy")["id"] == world.activity["id"]
    story = world.eve.story(file, 1)
    assert (story["job"], story["run"]) == (None, None)
    assert world.eve.jobs(activityId=world.activity["id"])["results"] == []
    assert world.eve.get(f"{E}/{file['id']}/benefactor")["id"] == shared["id"]


def test_lineage_ends_where_one_may_not_read(world: World) -> None:
    """What one may not read is a node with its number and 'no access', and nothing beyond it is shown."""
    ada, eve = world.ada, world.eve
    shared = ada.project("shared")
    ada.share(shared, **{f"u{eve.id}": ["READ"]})
    middle = ada.activity(used(world.file), name="open")
    result = ada.file_in(shared, "result", query=f"?generatedBy={middle['id']}")
    later = ada.activity(used(result), name="closed")
    ada.file_in(world.folder, "hidden", query=f"?generatedBy={later['id']}")

    up = eve.get(f"{OWN}/lineage?entityId={result['id']}")
    closed = f"{world.file['id']}.1"
    assert [node["label"] for node in up["nodes"]] == ["result", "open", "no access"]
    assert up["nodes"][2] == {"id": closed, "kind": "entity", "label": "no access"}
    assert {"source": f"activity:{middle['id']}", "target": closed, "kind": "used"} in up["edges"]
    down = eve.get(f"{OWN}/lineage?entityId={result['id']}&direction=downstream")
    assert [node["label"] for node in down["nodes"]] == ["result", "no access"]
    assert down["nodes"][1] == {"id": f"activity:{later['id']}", "kind": "activity", "label": "no access"}
    assert (up["truncated"], down["truncated"]) == (False, False)
    assert len(ada.get(f"{OWN}/lineage?entityId={result['id']}")["nodes"]) > 3


def test_jobs_are_recorded_only_of_ones_own(world: World) -> None:
    """Neither somebody's activity nor somebody's version gets into a job of one's own."""
    eve = world.eve
    eve.run(OTHER_RUN, project="mine")
    file = {"role": "output", "path": "a", "outcome": "reproduced", "entityId": world.file["id"], "versionNumber": 1}

    body = {"job": {"id": "e1", "runId": OTHER_RUN, "rule": "r", "status": "success"}}
    told = eve.reason("PUT", f"{OWN}/jobs/e1", {**body, "activityId": world.activity["id"]}, expect=403)
    assert told == f"Only the user who created activity {world.activity['id']} can record a job of it."
    assert "UPDATE" in eve.reason("PUT", f"{OWN}/jobs/e1", {**body, "files": [file]}, expect=403)
    assert "READ" in eve.reason("PUT", f"{OWN}/jobs/e1", {**body, "files": [{**file, "role": "input"}]}, expect=403)
    eve.put(f"{OWN}/jobs/e1", body, expect=201)
    assert world.ada.history(world.file)["results"][0]["reproducedBy"] == []


def test_who_may_no_longer_add_to_a_project_adds_no_jobs(world: World) -> None:
    """A run of one's own can still be read when the project is closed, and no more."""
    world.share("READ", "CREATE")
    world.eve.run(OTHER_RUN, project="SecretProject")
    job = {"job": {"id": "e1", "runId": OTHER_RUN, "rule": "r", "status": "success"}}
    world.share()

    assert world.eve.get(f"{OWN}/runs/{OTHER_RUN}")["id"] == OTHER_RUN
    assert "CREATE permission" in world.eve.reason("PUT", f"{OWN}/jobs/e1", job, expect=403)
    assert "CREATE permission" in world.eve.reason("PUT", f"{OWN}/runs/{OTHER_RUN}", _run("SecretProject"), expect=403)
    world.ada.put(f"{OWN}/jobs/e1", job, expect=201)


def test_a_run_belongs_to_its_project_also_when_that_is_renamed(world: World) -> None:
    """Users who may see a project see its runs, whatever its name; a new project of the old name gets none."""
    world.share("READ")
    project = world.ada.get(f"{E}/{world.project['id']}")
    world.ada.update(project, name="Renamed")
    assert world.eve.get(f"{OWN}/runs/{RUN}")["id"] == RUN
    world.share()
    world.eve.project("SecretProject")
    assert "no run" in world.eve.reason("GET", f"{OWN}/runs/{RUN}", expect=404)


def test_a_run_that_was_there_first_joins_its_project(world: World) -> None:
    """A run is recorded before its project exists; the project gets its creator's runs, and no others."""
    world.ada.run(OTHER_RUN, project="later")
    eves = world.eve.project("later")
    world.ada.share(world.project, **{f"u{world.eve.id}": ["READ"]})
    assert OTHER_RUN not in [run["id"] for run in world.eve.get(f"{OWN}/runs")["results"]]
    assert eves["createdBy"] == str(world.eve.id)

    world.ada.run("a" * 32, project="mine")
    project = world.ada.project("mine")
    world.ada.share(project, **{f"u{world.eve.id}": ["READ"]})
    assert world.eve.get(f"{OWN}/runs/{'a' * 32}")["project"] == "mine"


def test_a_name_is_taken_also_for_those_who_cannot_see_it(world: World) -> None:
    """Names of projects are unique for all, as in Synapse; that is all a stranger learns."""
    body = {"concreteType": MODEL + "Project", "name": "SecretProject"}
    assert "already exists" in world.eve.reason("POST", E, body, expect=409)
    assert "lack" in world.eve.reason("PUT", f"{OWN}/runs/{OTHER_RUN}", _run("SecretProject"), expect=403)


def test_another_users_file_handle_is_of_no_use(world: World) -> None:
    """Only its creator can give a file handle to an entity."""
    body = {
        "concreteType": MODEL + "FileEntity",
        "name": "stolen",
        "parentId": world.eve.project("mine")["id"],
        "dataFileHandleId": world.handle,
    }
    assert "Only the user who created file handle" in world.eve.reason("POST", E, body, expect=403)


def _run(project: str) -> Json:
    return {"id": OTHER_RUN, "project": project, "workingDirectory": "/w"}
