"""Who may do what: two users and nobody, for every resource, over a real socket."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from snakeprov.model.entities import DIRECTORY_CONTENT_TYPE
from snakeprov.server.routes import BATCH, ROUTES
from snakeprov.store.access import PERMISSIONS

from .api import MODEL, RUN, Json, digests, used
from .live import AUTHENTICATED, PUBLIC, Served, User, sha256

OTHER_RUN = "f" * 32
CONTENT = b"the secret bytes"
NAMES = ("SecretProject", "SecretFolder", "SecretFile", "SecretRule", "SecretKey", "secret bytes")
"""What ada has; none of it is to be read in an answer to somebody else."""


class World:
    """Ada's private project with one of everything; eve is another user, and nobody has no token."""

    def __init__(self, served: Served) -> None:
        self.served = served
        self.ada, self.eve, self.nobody = served.user("ada"), served.user("eve"), served.nobody()
        ada = self.ada
        self.project = ada.project("SecretProject")
        self.folder = ada.folder_in(self.project, "SecretFolder")
        self.handle = ada.handle(CONTENT, name="SecretFile", keep=True)
        self.file = ada.file_in(self.folder, "SecretFile", handle=self.handle)
        self.activity = ada.activity(used(self.folder), name="SecretRule")
        ada.put(f"/repo/v1/entity/{self.file['id']}/generatedBy?generatedBy={self.activity['id']}")
        self.loose = ada.activity(name="SecretRule")
        self.file = ada.get(f"/repo/v1/entity/{self.file['id']}")
        self.spare = ada.folder_in(self.project, "SecretFolder2")
        self.upload = ada.start_upload(b"other")
        self.document = ada.upload(b"SecretFile", name="SecretFile")
        ada.run(project="SecretProject", git={"root": "/w", "dirty": True, "patchFileHandleId": self.document})
        output = {
            "role": "output",
            "path": "SecretFile",
            "outcome": "generated",
            "entityId": self.file["id"],
            "versionNumber": 1,
        }
        facts: Json = {"params": {"SecretKey": 1}, "environmentFileHandleId": self.document}
        ada.job("j1", rule="SecretRule", files=[output], activity=self.activity["id"], **facts)

    def share(self, *permissions: str, who: str | None = None) -> None:
        self.ada.share(self.project, **{who or f"u{self.eve.id}": permissions} if permissions else {})


class Request(NamedTuple):
    """A request about ada's things.

    Attributes:
        need: The permission that it needs; None: it is the creator's alone.
        refused: The status with which even those are refused who have the permission.
    """

    method: str
    template: str
    path: str
    body: Any
    need: str | None
    refused: int | None = None


@pytest.fixture
def world(served: Served) -> World:
    return World(served)


E = "/repo/v1/entity"
V = "/repo/v1/entity/{id}/version/{version}"
F = "/file/v1/file/multipart/{id}"
OWN = "/snakeprov/v1"


def requests_of(world: World) -> list[Request]:
    """Every request that is about one of ada's things, with a body that would do if it were ada's own."""
    file, folder, project, activity = world.file["id"], world.folder["id"], world.project["id"], world.activity["id"]
    fresh = world.ada.get(f"{E}/{file}")
    acl = world.ada.get(f"{E}/{project}/acl")
    etag = {"etag": fresh["etag"]}
    values = {"annotations": {"k": {"type": "STRING", "value": ["v"]}}, **etag}
    child = {"concreteType": MODEL + "Folder", "name": "child", "parentId": folder}
    job = {"job": {"id": "j2", "runId": RUN, "rule": "r", "status": "success"}, "files": []}
    run = {"id": RUN, "project": "SecretProject", "workingDirectory": "/w"}
    spare = world.spare["id"]
    whole = {"includeEntity": True, "includeFileHandles": True, "includeActivity": True, "includeAnnotations": True}
    legacy = {"stringAnnotations": {"k": ["v"]}, **etag}
    rows: list[tuple[Any, ...]] = [
        ("POST", E + "/{id}/bundle2", f"{E}/{file}/bundle2", whole, "READ"),
        ("POST", V + "/bundle2", f"{E}/{file}/version/1/bundle2", whole, "READ"),
        ("GET", E + "/{id}/type", f"{E}/{file}/type", None, "READ"),
        ("GET", E + "/{id}/accessRequirement", f"{E}/{file}/accessRequirement", None, "READ"),
        ("GET", E + "/{id}/wikiheadertree", f"{E}/{file}/wikiheadertree", None, "READ", 404),
        ("GET", E + "/{id}/annotations", f"{E}/{file}/annotations", None, "READ"),
        ("GET", V + "/annotations", f"{E}/{file}/version/1/annotations", None, "READ"),
        ("GET", E + "/{id}", f"{E}/{file}", None, "READ"),
        ("GET", E + "/{id}/path", f"{E}/{file}/path", None, "READ"),
        ("GET", E + "/{id}/acl", f"{E}/{project}/acl", None, "READ"),
        ("GET", E + "/{id}/benefactor", f"{E}/{file}/benefactor", None, "READ"),
        ("GET", E + "/{id}/annotations2", f"{E}/{file}/annotations2", None, "READ"),
        ("GET", E + "/{id}/generatedBy", f"{E}/{file}/generatedBy", None, "READ"),
        ("GET", E + "/{id}/version", f"{E}/{file}/version", None, "READ"),
        ("GET", V, f"{E}/{file}/version/1", None, "READ"),
        ("GET", V + "/annotations2", f"{E}/{file}/version/1/annotations2", None, "READ"),
        ("GET", V + "/generatedBy", f"{E}/{file}/version/1/generatedBy", None, "READ"),
        ("POST", E + "/child", f"{E}/child", {"entityName": "SecretProject"}, "READ"),
        ("POST", E + "/child", f"{E}/child", {"entityName": "SecretFolder", "parentId": project}, "READ"),
        ("POST", E + "/children", f"{E}/children", {"parentId": project, "includeTypes": ["folder"]}, "READ"),
        ("GET", "/file/v1/entity/{id}/uploadDestination", f"/file/v1/entity/{folder}/uploadDestination", None, "READ"),
        ("GET", "/repo/v1/activity/{id}", f"/repo/v1/activity/{activity}", None, "READ"),
        ("GET", "/repo/v1/activity/{id}/generated", f"/repo/v1/activity/{activity}/generated", None, "READ"),
        ("GET", OWN + "/activity/{id}/job", f"{OWN}/activity/{activity}/job", None, "READ"),
        ("GET", OWN + "/entity/{id}/history", f"{OWN}/entity/{file}/history", None, "READ"),
        ("GET", OWN + "/entity/{id}/version/{version}/story", f"{OWN}/entity/{file}/version/1/story", None, "READ"),
        ("GET", OWN + "/lineage", f"{OWN}/lineage?entityId={file}", None, "READ"),
        ("POST", OWN + "/lookup", f"{OWN}/lookup", {"project": "SecretProject", "paths": [""]}, "READ"),
        ("GET", OWN + "/current", f"{OWN}/current?project=SecretProject", None, "READ"),
        ("POST", OWN + "/affected", f"{OWN}/affected", {"versions": [{"entityId": file}]}, "READ"),
        ("POST", OWN + "/affected", f"{OWN}/affected", {"runId": RUN}, "READ"),
        ("GET", OWN + "/runs/{id}", f"{OWN}/runs/{RUN}", None, "READ"),
        ("GET", OWN + "/runs/{id}", f"{OWN}/runs/{RUN[:8]}", None, "READ"),
        ("GET", OWN + "/runs/{id}/jobs", f"{OWN}/runs/{RUN}/jobs", None, "READ"),
        ("GET", OWN + "/runs/{id}/outputs", f"{OWN}/runs/{RUN}/outputs", None, "READ"),
        ("GET", OWN + "/runs/{id}/plan", f"{OWN}/runs/{RUN}/plan", None, "READ"),
        ("GET", OWN + "/jobs/{id}", f"{OWN}/jobs/j1", None, "READ"),
        ("GET", OWN + "/runs/{id}/patch", f"{OWN}/runs/{RUN}/patch", None, "DOWNLOAD"),
        ("GET", OWN + "/jobs/{id}/environment", f"{OWN}/jobs/j1/environment", None, "DOWNLOAD"),
        ("GET", OWN + "/blobs/{sha256}", f"{OWN}/blobs/{sha256(CONTENT)}", None, "DOWNLOAD"),
        ("POST", E, E, child, "CREATE"),
        ("POST", E + "/bundle", f"{E}/bundle", {"entity": {**child, "name": "one"}}, "CREATE"),
        ("POST", E + "/bundle2/create", f"{E}/bundle2/create", {"entity": {**child, "name": "two"}}, "CREATE"),
        ("PUT", OWN + "/runs/{id}", f"{OWN}/runs/{RUN}", run, "CREATE"),
        ("PUT", OWN + "/runs/{id}/plan", f"{OWN}/runs/{RUN}/plan", {"runId": RUN, "jobs": []}, "CREATE"),
        ("POST", OWN + "/jobs", f"{OWN}/jobs", job, "CREATE"),
        ("PUT", E + "/{id}/annotations2", f"{E}/{file}/annotations2", values, "UPDATE"),
        ("PUT", E + "/{id}/generatedBy", f"{E}/{file}/generatedBy?generatedBy=-1", None, "UPDATE"),
        ("DELETE", E + "/{id}/generatedBy", f"{E}/{file}/generatedBy", None, "UPDATE"),
        ("PUT", V + "/generatedBy", f"{E}/{file}/version/1/generatedBy?generatedBy=-1", None, "UPDATE"),
        ("DELETE", V + "/generatedBy", f"{E}/{file}/version/1/generatedBy", None, "UPDATE"),
        ("PUT", E + "/{id}", f"{E}/{file}", fresh, "UPDATE"),
        ("PUT", E + "/{id}/annotations", f"{E}/{file}/annotations", legacy, "UPDATE"),
        ("PUT", E + "/bundle", f"{E}/bundle", {"entity": fresh}, "UPDATE"),
        ("PUT", E + "/{id}/bundle", f"{E}/{file}/bundle", {"entity": fresh}, "UPDATE"),
        ("PUT", E + "/{id}/bundle2", f"{E}/{file}/bundle2", {"entity": fresh}, "UPDATE"),
        ("PUT", E + "/{id}/version", f"{E}/{file}/version", {**fresh, "versionLabel": None}, "UPDATE"),
        ("DELETE", V, f"{E}/{file}/version/99", None, "DELETE"),
        ("DELETE", E + "/{id}", f"{E}/{spare}", None, "DELETE"),
        ("POST", OWN + "/prune", f"{OWN}/prune", {"project": "SecretProject", "keepLast": 1}, "DELETE"),
        ("POST", E + "/{id}/lockAccessRequirement", f"{E}/{file}/lockAccessRequirement", None, "READ", 403),
        ("PUT", E + "/{id}/acl", f"{E}/{project}/acl", acl, "CHANGE_PERMISSIONS"),
        ("POST", E + "/{id}/acl", f"{E}/{folder}/acl", {"resourceAccess": []}, "CHANGE_PERMISSIONS", 400),
        ("DELETE", E + "/{id}/acl", f"{E}/{folder}/acl", None, "CHANGE_PERMISSIONS", 404),
        ("GET", "/repo/v1/activity/{id}", f"/repo/v1/activity/{world.loose['id']}", None, None),
        ("PUT", "/repo/v1/activity/{id}", f"/repo/v1/activity/{activity}", world.activity, None),
        ("DELETE", "/repo/v1/activity/{id}", f"/repo/v1/activity/{activity}", None, None),
        ("PUT", E + "/{id}/generatedBy", f"{E}/{file}/generatedBy?generatedBy={activity}", None, None),
        ("POST", E, f"{E}?generatedBy={activity}", {**child, "name": "x"}, None),
        ("GET", "/file/v1/fileHandle/{id}", f"/file/v1/fileHandle/{world.handle}", None, None),
        ("GET", "/file/v1/fileHandle/{id}/url", f"/file/v1/fileHandle/{world.handle}/url", None, "DOWNLOAD"),
        ("POST", F + "/presigned/url/batch", f"{F}/presigned/url/batch", {"partNumbers": [1]}, None),
        ("PUT", F + "/add/{part}", f"{F}/add/1?partMD5Hex={digests(b'other')['md5']}", None, None),
        ("PUT", F + "/complete", f"{F}/complete", None, None),
    ]
    return [Request(*row)._replace(path=row[2].replace("{id}", world.upload)) for row in rows]


LISTS: list[tuple[str, str, Callable[[World], tuple[str, Any]]]] = [
    ("POST", E + "/children", lambda w: (f"{E}/children", {"includeTypes": ["project"]})),
    ("GET", E + "/md5/{md5}", lambda w: (f"{E}/md5/{digests(CONTENT)['md5']}", None)),
    ("GET", E + "/{id}/permissions", lambda w: (f"{E}/{w.file['id']}/permissions", None)),
    ("GET", OWN + "/files", lambda w: (f"{OWN}/files?path=SecretFolder/SecretFile", None)),
    ("GET", OWN + "/files", lambda w: (f"{OWN}/files?path=SecretFolder/SecretFil&project=SecretProject", None)),
    ("GET", OWN + "/paths", lambda w: (f"{OWN}/paths?prefix=Secret", None)),
    ("GET", OWN + "/versions", lambda w: (f"{OWN}/versions?sha256={sha256(CONTENT)}", None)),
    ("POST", OWN + "/affected", lambda w: (f"{OWN}/affected", {"rule": "SecretRule"})),
    ("POST", OWN + "/search", lambda w: (f"{OWN}/search", {"terms": [{"key": "rule", "value": "SecretRule"}]})),
    ("POST", OWN + "/search", lambda w: (f"{OWN}/search", {"terms": [{"key": "path", "value": "Secret*"}]})),
    ("POST", OWN + "/search", lambda w: (f"{OWN}/search", {"terms": [{"key": "SecretKe", "value": "1"}]})),
    ("GET", OWN + "/runs", lambda w: (f"{OWN}/runs", None)),
    ("POST", OWN + "/details", lambda w: (f"{OWN}/details", {"versions": [_version(w)], "jobs": ["j1"]})),
    ("GET", OWN + "/status", lambda w: (f"{OWN}/status", None)),
    (
        "POST",
        OWN + "/stories",
        lambda w: (f"{OWN}/stories", {"versions": [{"entityId": w.file["id"], "versionNumber": 1}]}),
    ),
    ("POST", "/file/v1/fileHandle/batch", lambda w: ("/file/v1/fileHandle/batch", _wanted(w))),
]
"""Requests that are answered to everybody, with what the asker may see."""

OPEN = {
    *(("GET", path) for path in ("/", "/repo/v1", "/file/v1", "/auth/v1", OWN)),
    ("GET", "/repo/v1/userProfile"),
    ("GET", "/repo/v1/userProfile/{id}"),
    ("GET", "/repo/v1/userGroupHeaders"),
    ("GET", "/repo/v1/user/{id}/team"),
}
"""What is told to everybody."""

USERS_ONLY = {
    ("POST", "/repo/v1/message"),
    ("POST", "/repo/v1/activity"),
    ("POST", "/file/v1/file/multipart"),
    ("POST", "/file/v1/externalFileHandle"),
    ("POST", "/file/v1/filehandles/copy"),
    ("POST", OWN + "/batch"),
    ("POST", OWN + "/localFiles"),
}
"""What any user may do, but nobody without a token."""


def _version(world: World) -> Json:
    return {"targetId": world.file["id"], "targetVersionNumber": 1}


def _wanted(world: World) -> Json:
    asked = {
        "fileHandleId": world.handle,
        "associateObjectId": world.file["id"],
        "associateObjectType": "FileEntity",
    }
    return {"requestedFiles": [asked], "includeFileHandles": True, "includePreSignedURLs": True}


def test_every_route_is_accounted_for(world: World) -> None:
    """No resource is without a rule: each is about somebody's things, or a list, or open, or for any user."""
    known = {(row.method, row.template) for row in requests_of(world)} | {(row[0], row[1]) for row in LISTS}
    assert {(route.method, route.template) for route in (*ROUTES, BATCH)} - known == OPEN | USERS_ONLY


def test_strangers_are_refused_everything_and_change_nothing(world: World) -> None:
    """Whoever has no permission gets 403, or 404 for what only snakeprov has, and never a word of what there is."""
    before = _state(world)
    for row in requests_of(world):
        for who in (world.eve, world.nobody):
            answer = who.ask(row.method, row.path, row.body)
            hidden = row.template.startswith(OWN)
            assert answer.status_code in ((403, 404, 409) if hidden else (403,)), (row, answer.text)
            told = answer.json()["reason"]
            assert told and not any(name in answer.text for name in NAMES), (row, told)
    assert _state(world) == before


def test_a_hidden_run_job_or_content_is_as_if_it_were_not(world: World) -> None:
    """What is refused as 404 is refused in the words for what does not exist."""
    for path, other in (
        (f"{OWN}/runs/{RUN}", f"{OWN}/runs/{OTHER_RUN}"),
        (f"{OWN}/jobs/j1", f"{OWN}/jobs/jx"),
        (f"{OWN}/blobs/{sha256(CONTENT)}", f"{OWN}/blobs/{sha256(b'never')}"),
    ):
        ours, theirs = path.rpartition("/")[2], other.rpartition("/")[2]
        told = world.eve.reason("GET", path, expect=404)
        assert told.replace(ours, theirs) == world.eve.reason("GET", other, expect=404)


def test_a_record_of_ones_own_gives_nobody_the_bytes_of_others(world: World) -> None:
    """A run or a job cannot name bytes that who records it may not have; who sees it could have them then."""
    eve, git = world.eve, {"root": "/w", "dirty": True, "patchFileHandleId": world.document}
    eve.project("Own")
    run = {"id": OTHER_RUN, "project": "Own", "workingDirectory": "/w"}
    eve.put(f"{OWN}/runs/{OTHER_RUN}", run, expect=201)
    assert "may not have" in eve.reason("PUT", f"{OWN}/runs/{OTHER_RUN}", {**run, "git": git}, expect=403)
    job = {"id": "j9", "runId": OTHER_RUN, "rule": "r", "status": "success", "environmentFileHandleId": world.document}
    assert "may not have" in eve.reason("POST", f"{OWN}/jobs", {"job": job, "files": []}, expect=403)
    world.share("READ", "CREATE")
    shared = {"id": RUN, "project": "SecretProject", "workingDirectory": "/w", "git": git}
    eve.put(f"{OWN}/runs/{RUN}", shared, expect=200)
    other = {**git, "patchFileHandleId": world.handle}
    assert "may not have" in eve.reason("PUT", f"{OWN}/runs/{RUN}", {**shared, "git": other}, expect=403)
    assert "DOWNLOAD" in eve.reason("GET", f"{OWN}/runs/{RUN}/patch", expect=403)
    assert world.ada.ask("GET", f"{OWN}/runs/{RUN}/patch", None).content == b"SecretFile"


def test_what_is_in_the_trash_is_so_for_everybody(world: World) -> None:
    """As in Synapse anybody is told that a thing is in the trash, and nobody else gets it out or purges it."""
    path = f"{E}/{world.file['id']}"
    world.ada.delete(path)
    for who in (world.ada, world.eve, world.nobody):
        assert "in trash can" in who.reason("GET", path, expect=404)
    world.share(*PERMISSIONS)
    world.eve.reason("DELETE", f"{path}?skipTrashCan=true", expect=404)
    assert "lacks permission" in world.eve.reason("GET", f"/repo/v1/activity/{world.activity['id']}", expect=403)
    assert world.ada.get(f"/repo/v1/activity/{world.activity['id']}")["id"] == world.activity["id"]


@pytest.mark.parametrize(("method", "template", "request_of"), LISTS)
def test_lists_hold_only_what_one_may_read(
    world: World, method: str, template: str, request_of: Callable[[World], tuple[str, Any]]
) -> None:
    """A list or a count holds ada's things for ada, and for others not a trace of them."""
    path, body = request_of(world)
    seen = world.ada.send(method, path, body, expect=200)
    for who in (world.eve, world.nobody):
        answer = who.send(method, path, body, expect=200)
        assert answer != seen
        assert not any(name in str(answer) for name in NAMES)
        assert not _truths(answer) & {world.file["id"], RUN}
    world.share("READ", "DOWNLOAD")
    if template != E + "/{id}/permissions":
        shared = world.eve.send(method, path, body, expect=200)
        assert _without_signature(shared) == _without_signature(world.ada.send(method, path, body, expect=200)) or (
            template == OWN + "/status"
        )


@pytest.mark.parametrize("permission", ["READ", "DOWNLOAD", "CREATE", "UPDATE", "DELETE", "CHANGE_PERMISSIONS"])
def test_each_permission_allows_its_requests_and_no_other(world: World, permission: str) -> None:
    """With READ and one more a user does what needs that one; with all but that one the same is refused."""
    world.share(*(each for each in PERMISSIONS if each != permission))
    for row in requests_of(world):
        if row.need == permission:
            answer = world.eve.ask(row.method, row.path, row.body)
            assert answer.status_code in (403, 404, 409), (row, answer.text)
    world.share("READ", permission)
    for index, row in enumerate(requests_of(world)):
        # Each request as it is now: the one before may have changed an etag.
        now = requests_of(world)[index]
        answer = world.eve.ask(row.method, now.path, now.body)
        if row.need in ("READ", permission):
            assert answer.status_code < 400 or answer.status_code == row.refused, (now, answer.text)
        else:
            assert answer.status_code in (403, 404, 409), (now, answer.text)


def test_what_is_public_is_for_nobody_too(world: World) -> None:
    """READ for the public group shows a project to whoever asks, and lets nobody change or download anything."""
    world.share("READ", who=f"u{PUBLIC}")
    for row in requests_of(world):
        answer = world.nobody.ask(row.method, row.path, row.body)
        assert (answer.status_code < 400) == (row.need == "READ" and row.refused is None), (row, answer.text)
    world.share("READ", "DOWNLOAD", who=f"u{PUBLIC}")
    assert world.nobody.ask("GET", f"{OWN}/blobs/{sha256(CONTENT)}").content == CONTENT
    wanted = world.nobody.post("/file/v1/fileHandle/batch", _wanted(world), expect=200)["requestedFiles"][0]
    assert world.nobody.ask("GET", wanted["preSignedURL"]).content == CONTENT


def test_all_users_can_be_given_something(world: World) -> None:
    """The group of users is everybody with a token."""
    world.share("READ", who=f"u{AUTHENTICATED}")
    assert world.eve.get(f"{E}/{world.file['id']}")["name"] == "SecretFile"
    world.nobody.reason("GET", f"{E}/{world.file['id']}", expect=403)


def test_only_users_make_things(world: World) -> None:
    """What any user may do is refused without a token."""
    for method, path in sorted(USERS_ONLY):
        assert "access token" in world.nobody.reason(method, path, {}, expect=403)
    assert "access token" in world.nobody.reason("POST", E, {"concreteType": MODEL + "Project"}, expect=403)
    assert world.eve.project("mine")["createdBy"] == str(world.eve.id)


def test_a_read_right_is_not_a_right_to_the_bytes(world: World) -> None:
    """Without DOWNLOAD a file is seen, and its bytes are not to be had."""
    world.share("READ")
    result = world.eve.post("/file/v1/fileHandle/batch", _wanted(world), expect=200)["requestedFiles"][0]
    assert result == {"fileHandleId": world.handle, "failureCode": "UNAUTHORIZED"}
    world.share("READ", "DOWNLOAD")
    result = world.eve.post("/file/v1/fileHandle/batch", _wanted(world), expect=200)["requestedFiles"][0]
    assert world.nobody.ask("GET", result["preSignedURL"]).content == CONTENT
    copies = {"copyRequests": [{"originalFile": _wanted(world)["requestedFiles"][0], "newFileName": "mine"}]}
    copied = world.eve.post("/file/v1/filehandles/copy", copies)["copyResults"][0]["newFileHandle"]
    assert (copied["createdBy"], copied["fileName"]) == (str(world.eve.id), "mine")
    world.share("READ")
    copied = world.eve.post("/file/v1/filehandles/copy", copies)["copyResults"][0]
    assert copied == {"originalFileHandleId": world.handle, "failureCode": "UNAUTHORIZED"}
    other = world.eve.file_in(world.eve.project("mine"), "a")
    asked = {**_wanted(world)["requestedFiles"][0], "associateObjectId": other["id"]}
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
    story = world.eve.get(f"{OWN}/entity/{file['id']}/version/1/story")
    assert (story["job"], story["run"]) == (None, None)
    assert "was not recorded" in world.eve.reason("GET", f"{OWN}/activity/{world.activity['id']}/job", expect=404)
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
    told = eve.reason("POST", f"{OWN}/jobs", {**body, "activityId": world.activity["id"]}, expect=403)
    assert told == f"Only the user who created activity {world.activity['id']} can record a job of it."
    assert "UPDATE" in eve.reason("POST", f"{OWN}/jobs", {**body, "files": [file]}, expect=403)
    assert "READ" in eve.reason("POST", f"{OWN}/jobs", {**body, "files": [{**file, "role": "input"}]}, expect=403)
    eve.post(f"{OWN}/jobs", body)
    assert world.ada.get(f"{OWN}/entity/{world.file['id']}/history")["versions"][0]["reproducedBy"] == []


def test_who_may_no_longer_add_to_a_project_adds_no_jobs(world: World) -> None:
    """A run of one's own can still be read when the project is closed, and no more."""
    world.share("READ", "CREATE")
    world.eve.run(OTHER_RUN, project="SecretProject")
    job = {"job": {"id": "e1", "runId": OTHER_RUN, "rule": "r", "status": "success"}}
    world.share()

    assert world.eve.get(f"{OWN}/runs/{OTHER_RUN}")["id"] == OTHER_RUN
    assert "CREATE permission" in world.eve.reason("POST", f"{OWN}/jobs", job, expect=403)
    assert "CREATE permission" in world.eve.reason("PUT", f"{OWN}/runs/{OTHER_RUN}", _run("SecretProject"), expect=403)
    world.ada.post(f"{OWN}/jobs", job)


def test_a_run_belongs_to_its_project_also_when_that_is_renamed(world: World) -> None:
    """A run is seen by those who may see its project, whatever that is called, and not by who takes its old name."""
    world.share("READ")
    project = world.ada.get(f"{E}/{world.project['id']}")
    world.ada.update(project, name="Renamed")
    assert world.eve.get(f"{OWN}/runs/{RUN}")["id"] == RUN
    world.share()
    world.eve.project("SecretProject")
    assert "no run" in world.eve.reason("GET", f"{OWN}/runs/{RUN}", expect=404)


def test_a_run_that_was_there_first_joins_its_project(world: World) -> None:
    """A run is recorded before its project exists; the project gets the runs of who makes it, and no others."""
    world.ada.run(OTHER_RUN, project="later")
    eves = world.eve.project("later")
    world.ada.share(world.project, **{f"u{world.eve.id}": ["READ"]})
    assert OTHER_RUN not in [run["id"] for run in world.eve.get(f"{OWN}/runs")["results"]]
    assert eves["createdBy"] == str(world.eve.id)

    world.ada.run("a" * 32, project="mine")
    project = world.ada.project("mine")
    world.ada.share(project, **{f"u{world.eve.id}": ["READ"]})
    assert world.eve.get(f"{OWN}/runs/{'a' * 32}")["project"] == "mine"


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
    """All keys of Synapse are there, and each says what holds for who asks."""
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


def test_a_name_is_taken_also_for_those_who_cannot_see_it(world: World) -> None:
    """Names of projects are unique for all, as in Synapse; that is all a stranger learns."""
    body = {"concreteType": MODEL + "Project", "name": "SecretProject"}
    assert "already exists" in world.eve.reason("POST", E, body, expect=409)
    assert "lack" in world.eve.reason("PUT", f"{OWN}/runs/{OTHER_RUN}", _run("SecretProject"), expect=403)


def test_another_users_file_handle_is_of_no_use(world: World) -> None:
    """A file handle can be given to an entity only by who created it."""
    body = {
        "concreteType": MODEL + "FileEntity",
        "name": "stolen",
        "parentId": world.eve.project("mine")["id"],
        "dataFileHandleId": world.handle,
    }
    assert "Only the user who created file handle" in world.eve.reason("POST", E, body, expect=403)


def _run(project: str) -> Json:
    return {"id": OTHER_RUN, "project": project, "workingDirectory": "/w"}


def _state(world: World) -> list[Any]:
    """What ada sees of everything that strangers tried to change."""
    ada, file = world.ada, world.file["id"]
    paths = [
        f"{E}/{file}",
        f"{E}/{file}/annotations2",
        f"{E}/{file}/generatedBy",
        f"{E}/{world.project['id']}/acl",
        f"/repo/v1/activity/{world.activity['id']}",
        f"{OWN}/runs/{RUN}",
        f"{OWN}/runs/{RUN}/jobs",
        f"{OWN}/status",
    ]
    return [ada.get(path) for path in paths]


def _truths(value: Any) -> set[Any]:
    if isinstance(value, dict):
        return set().union(*(_truths(item) for item in value.values()))
    if isinstance(value, list):
        return set().union(*(_truths(item) for item in value))
    return {value}


def _without_signature(value: Any) -> Any:
    """A signed URL differs from second to second."""
    if isinstance(value, dict):
        return {key: _without_signature(item) for key, item in value.items() if key != "preSignedURL"}
    return [_without_signature(item) for item in value] if isinstance(value, list) else value
