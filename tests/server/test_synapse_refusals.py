"""A server behind `AsSynapse` refuses what Synapse refuses, where snakeprov itself takes it."""

from __future__ import annotations

from pathlib import Path

import pytest

from snakeprov.blobs.local import LocalBlobs
from snakeprov.db import Database
from snakeprov.server import create_app

from ..synapse import refusals
from ..synapse.refusals import AsSynapse
from .api import MODEL, Api, used_url, user_of
from .live import Socket

UPLOAD = {"fileName": "a.txt", "fileSizeBytes": 1, "partSizeBytes": 5 * 1024 * 1024, "contentMD5Hex": "0" * 32}


@pytest.fixture
def synapse(store: Database, blobs: LocalBlobs, socket: Socket, tmp_path: Path) -> Api:
    app = create_app(store, blobs, identify=user_of, local_files=True)
    return Api(socket.mount(AsSynapse(app)), tmp_path)


def external(api: Api) -> str:
    return str(api.post("/file/v1/externalFileHandle", {"externalURL": "https://example.org/a"})["id"])


@pytest.mark.parametrize("name", ["a:b", "a#b", "a@b", "naïve", "a\nb", "100%", "(x)[1]", "a=1", "   "])
def test_names_keep_to_synapses_alphabet(synapse: Api, api: Api, name: str) -> None:
    """A name with any other character is refused for projects, folders and files, made or renamed; else it is fine."""
    body = {"concreteType": MODEL + "Project", "name": name}
    project = synapse.project("Fine, (1+1)' - x_y.z")
    folder = {"concreteType": MODEL + "Folder", "name": name, "parentId": project["id"]}

    assert "Invalid name" in synapse.reason("POST", "/repo/v1/entity", body)
    assert "Invalid name" in synapse.reason("POST", "/repo/v1/entity", folder)
    assert "Invalid name" in synapse.reason("PUT", f"/repo/v1/entity/{project['id']}", {**project, "name": name})
    assert "Invalid name" in synapse.reason("POST", "/file/v1/file/multipart", {**UPLOAD, "fileName": name})
    assert api.post("/repo/v1/entity", body)["name"] == name


def test_names_lose_the_spaces_around_them(synapse: Api) -> None:
    """Synapse trims names; so the two are one name."""
    assert synapse.project("  P ")["name"] == "P"
    assert "already exists" in synapse.reason(
        "POST", "/repo/v1/entity", {"concreteType": MODEL + "Project", "name": "P "}, expect=409
    )


def test_empty_files_cannot_be_uploaded(synapse: Api, api: Api) -> None:
    """Synapse wants one byte at least; snakeprov itself takes an empty file."""
    empty = {**UPLOAD, "fileSizeBytes": 0}

    assert "at least one byte" in synapse.reason("POST", "/file/v1/file/multipart", empty)
    synapse.post("/file/v1/file/multipart", UPLOAD, expect=200)
    api.post("/file/v1/file/multipart", empty, expect=200)


@pytest.mark.parametrize(
    "url",
    ["s3://b/k", "gs://b/k", "docker://x", "git+ssh://h/x", "drs://x/y", "jar:file:/x", "http://a:b/", "http://[::1"],
)
def test_used_urls_are_such_as_synapse_knows(synapse: Api, api: Api, url: str) -> None:
    """Others are refused in new and in changed activities; spaces are fine."""
    known = [
        "http://a.b",
        "HTTPS://a.b/c?d=e f",
        "ftp://a/b",
        "file:///data/x y",
        "jar:file:/a.jar!/b",
        "http://[::1]:80/",
    ]
    activity = synapse.activity(*(used_url(item) for item in known))
    body = {**activity, "used": [used_url(url)]}

    assert len(activity["used"]) == len(known)
    assert "is malformed" in synapse.reason("POST", "/repo/v1/activity", {"used": [used_url(url)]})
    assert "is malformed" in synapse.reason("PUT", f"/repo/v1/activity/{activity['id']}", body)
    assert api.activity(used_url(url))["used"][0]["url"] == url


def test_annotation_names_keep_to_synapses_alphabet(synapse: Api, api: Api) -> None:
    """Letters, digits, underscores and dots."""
    for server, name in ((synapse, "S"), (api, "L")):
        project = server.project(name)
        url = f"/repo/v1/entity/{project['id']}/annotations2"
        value = {"type": "STRING", "value": ["x"]}
        body = {"etag": project["etag"], "annotations": {"rule name": value}}
        if server is synapse:
            assert "Invalid annotation name" in server.reason("PUT", url, body)
            server.put(url, {**body, "annotations": {"rule_name.1": value}})
        else:
            server.put(url, body)


def test_children_and_depth_are_bounded(synapse: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that is full or too deep takes no other child."""
    monkeypatch.setattr(refusals, "CHILDREN_MAX", 2)
    monkeypatch.setattr(refusals, "DEPTH_MAX", 3)
    project = synapse.project()
    folder = synapse.folder_in(project, "a")
    other = synapse.folder_in(project, "b")
    body = {"concreteType": MODEL + "Folder", "name": "c", "parentId": project["id"]}
    assert "has 2 children" in synapse.reason("POST", "/repo/v1/entity", body)
    assert "3 levels deep" in synapse.reason("POST", "/repo/v1/entity", {**body, "parentId": folder["id"]})
    monkeypatch.setattr(refusals, "DEPTH_MAX", 50)
    inner = synapse.folder_in(folder, "c")
    assert "has 2 children" in synapse.reason(
        "PUT", f"/repo/v1/entity/{inner['id']}", {**inner, "parentId": project["id"]}
    )
    assert synapse.update(other, name="renamed")["name"] == "renamed"


def test_the_limits_of_descriptions_and_overrides_hold(synapse: Api) -> None:
    """A description has 1000 characters at most; the name of a file cannot be overridden."""
    project = synapse.project()
    body = {"concreteType": MODEL + "FileEntity", "parentId": project["id"], "dataFileHandleId": external(synapse)}

    assert "at most 1000" in synapse.reason("POST", "/repo/v1/entity", {**body, "description": "x" * 1001})
    assert "cannot be set" in synapse.reason("POST", "/repo/v1/entity", {**body, "fileNameOverride": "x"})


def test_there_is_nothing_of_our_own(synapse: Api) -> None:
    """Everything under /snakeprov/v1 is absent, as on Synapse; only signed URLs lead there."""
    for method, path in (
        ("GET", ""),
        ("GET", "/status"),
        ("GET", "/openapi.json"),
        ("POST", "/batch"),
        ("POST", "/localFiles"),
        ("POST", "/lookup"),
        ("GET", "/runs"),
        ("GET", f"/blobs/{'0' * 64}"),
        ("GET", "/lineage"),
    ):
        assert synapse.reason(method, f"/snakeprov/v1{path}", expect=404) == "There is no such resource."
    assert "signature" in synapse.reason("GET", "/snakeprov/v1/download/1", expect=403)
