"""Who may do what: two users and nobody, for every resource, over a real socket."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from snakeprov.db.access import PERMISSIONS
from snakeprov.server.routes import all_services
from snakeprov.server.services import Access

from .api import MODEL, RUN, Json, digests
from .live import PUBLIC, sha256
from .world import CONTENT, NAMES, OTHER_RUN, OWN, E, F, V, World


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
        ("POST", OWN + "/jobs", f"{OWN}/jobs", {"activityId": activity}, "READ"),
        ("POST", OWN + "/jobs", f"{OWN}/jobs", {"runId": RUN}, "READ"),
        ("POST", OWN + "/versions", f"{OWN}/versions", {"entityId": file}, "READ"),
        ("POST", OWN + "/versions", f"{OWN}/versions", {"prefix": "", "project": "SecretProject"}, "READ"),
        ("POST", OWN + "/versions", f"{OWN}/versions", {"entityId": file, "include": ["makings"]}, "READ"),
        ("GET", OWN + "/lineage", f"{OWN}/lineage?entityId={file}", None, "READ"),
        ("POST", OWN + "/lookup", f"{OWN}/lookup", {"project": "SecretProject", "paths": [""]}, "READ"),
        (
            "POST",
            OWN + "/evidence",
            f"{OWN}/evidence",
            {"project": "SecretProject", "seen": [{"path": "a.txt", "sha256": "0" * 64, "elsewhere": True}]},
            "READ",
        ),
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
        ("PUT", OWN + "/jobs/{id}", f"{OWN}/jobs/{job['job']['id']}", job, "CREATE"),
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
    ("POST", OWN + "/versions", lambda w: (f"{OWN}/versions", {"path": "SecretFolder/SecretFile"})),
    (
        "POST",
        OWN + "/versions",
        lambda w: (f"{OWN}/versions", {"path": "SecretFolder/SecretFil", "project": "SecretProject"}),
    ),
    ("POST", OWN + "/versions", lambda w: (f"{OWN}/versions", {"prefix": "Secret"})),
    ("POST", OWN + "/versions", lambda w: (f"{OWN}/versions", {"sha256": sha256(CONTENT)})),
    ("POST", OWN + "/versions", lambda w: (f"{OWN}/versions", {"md5": digests(CONTENT)["md5"]})),
    ("POST", OWN + "/versions", lambda w: (f"{OWN}/versions", {"ids": [_version(w)], "include": ["makings"]})),
    ("POST", OWN + "/affected", lambda w: (f"{OWN}/affected", {"rule": "SecretRule"})),
    ("POST", OWN + "/search", lambda w: (f"{OWN}/search", {"terms": [{"key": "rule", "value": "SecretRule"}]})),
    ("POST", OWN + "/search", lambda w: (f"{OWN}/search", {"terms": [{"key": "path", "value": "Secret*"}]})),
    ("POST", OWN + "/search", lambda w: (f"{OWN}/search", {"terms": [{"key": "SecretKe", "value": "1"}]})),
    ("GET", OWN + "/runs", lambda w: (f"{OWN}/runs", None)),
    ("POST", OWN + "/jobs", lambda w: (f"{OWN}/jobs", {"ids": ["j1"]})),
    ("GET", OWN + "/status", lambda w: (f"{OWN}/status", None)),
    ("POST", OWN + "/stories", lambda w: (f"{OWN}/stories", {"versions": [_version(w)]})),
    ("POST", "/file/v1/fileHandle/batch", lambda w: ("/file/v1/fileHandle/batch", w.wanted())),
]
"""Requests that are answered to everybody, with what the asker may see."""

OPEN = {
    *(("GET", path) for path in ("/", "/repo/v1", "/file/v1", "/auth/v1", OWN)),
    ("GET", "/repo/v1/userProfile"),
    ("GET", "/repo/v1/userProfile/{id}"),
    ("GET", "/repo/v1/userGroupHeaders"),
    ("GET", "/repo/v1/user/{id}/team"),
    ("GET", OWN + "/openapi.json"),
}
"""Services that answer everybody."""

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
    return {"entityId": world.file["id"], "versionNumber": 1}


def test_every_route_is_accounted_for(world: World) -> None:
    """No resource is without a rule: each is about somebody's things, or a list, or open, for any user, or signed."""
    known = {(row.method, row.template) for row in requests_of(world)} | {(row[0], row[1]) for row in LISTS}
    services = all_services()
    signed = {one for one in services if one.access is Access.SIGNED}
    assert {(one.method, one.template) for one in services if one not in signed} - known == OPEN | USERS_ONLY
    assert {one.template for one in signed} == {OWN + "/download/{id}", OWN + "/upload/{id}/{part}"}


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
    assert "may not have" in eve.reason("PUT", f"{OWN}/jobs/j9", {"job": job, "files": []}, expect=403)
    world.share("READ", "CREATE")
    shared = {"id": RUN, "project": "SecretProject", "workingDirectory": "/w", "git": git}
    eve.put(f"{OWN}/runs/{RUN}", shared, expect=200)
    other = {**git, "patchFileHandleId": world.handle}
    assert "may not have" in eve.reason("PUT", f"{OWN}/runs/{RUN}", {**shared, "git": other}, expect=403)
    assert "DOWNLOAD" in eve.reason("GET", f"{OWN}/runs/{RUN}/patch", expect=403)
    assert world.ada.ask("GET", f"{OWN}/runs/{RUN}/patch", None).content == b"SecretFile"


def test_what_is_in_the_trash_is_so_for_everybody(world: World) -> None:
    """As in Synapse, everybody learns that an entity is in the trash; only its owner restores or purges it."""
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
    wanted = world.nobody.post("/file/v1/fileHandle/batch", world.wanted(), expect=200)["requestedFiles"][0]
    assert world.nobody.ask("GET", wanted["preSignedURL"]).content == CONTENT


def test_only_users_make_things(world: World) -> None:
    """What any user may do is refused without a token."""
    for method, path in sorted(USERS_ONLY):
        assert "access token" in world.nobody.reason(method, path, {}, expect=403)
    assert "access token" in world.nobody.reason("POST", E, {"concreteType": MODEL + "Project"}, expect=403)
    assert world.eve.project("mine")["createdBy"] == str(world.eve.id)


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
