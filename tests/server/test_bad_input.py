"""What is sent by mistake or to do harm is refused with a reason that a person understands, and changes nothing."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from snakeprov.apps.listener import HEADER_BYTES_MAX, REQUEST_BYTES_MAX
from snakeprov.server.routes import all_services

from .api import MODEL, Api, digests
from .filling import fill

BODIES = [
    b"",
    b"{",
    b"[" * 100_000,
    b'{"a":' * 50_000,
    b"null",
    b"[]",
    b'"text"',
    b"1e999",
    b"-0",
    b"9" * 5000,
    b"\xff\xfe\x00",
    b'{"name": "\xed\xa0\x80"}',
    b'{"name": "\\ud800"}',
    b'{"id": "1", "id": "2"}',
    b'{"name": 1, "used": {}, "annotations": [], "requests": {}, "entity": 5}',
    b'{"limit": NaN}',
    b"\x1f\x8b\x08\x00",
    b"<?xml version='1.0'?><!DOCTYPE x [<!ENTITY a SYSTEM 'file:///etc/passwd'>]><x>&a;</x>",
]
"""Bodies that are not JSON, or not the JSON that anything expects."""

ODD_STEPS = [
    "..%2f..%2fetc%2fpasswd",
    "%00",
    "syn",
    "syn-1",
    "-1",
    "9" * 30,
    "1e3",
    "%D9%A3",
    "%ff%fe",
    "syn1%0d%0aX-Injected:%20yes",
    "x" * 5000,
    "{id}",
    "null",
    "%2e%2e",
    "1;drop%20table%20entity",
]
ODD_QUERIES = [
    "limit=-1&offset=-5&depth=-1",
    "limit=0",
    "limit=99999999999999999999999&offset=99999999999999999999999&after=[99999999999999999999999]",
    "offset=9223372036854775807",
    "versionNumber=0&generatedBy=-2",
    "versionNumber=1.5&generatedBy=NaN",
    "newVersion=maybe&skipTrashCan=1&forceRestart=yes",
    "limit=1&limit=2",
    "path=%00&project=%ff&prefix=%00",
    "path=" + "a/" * 4000,
    "entityId=syn2&versionNumber=99999999999999999&direction=sideways",
    "=&&=;",
    "partMD5Hex=%0d%0a",
]


class Line:
    """One connection to the server, on which anything can be sent: no library tidies it up before."""

    def __init__(self, api: Api) -> None:
        self._mount = urlsplit(api.url).path
        self._connection = http.client.HTTPConnection(urlsplit(api.url).netloc, timeout=30)

    def refused(self, method: str, path: str, query: str = "", body: bytes = b"") -> tuple[int, Any]:
        """Send something that nobody should: the server does not fail, and a refusal has a reason and nothing else."""
        self._connection.request(method, f"{self._mount}{path}?{query}", body)
        answer = self._connection.getresponse()
        content = answer.read()
        assert answer.status < 500, (method, path, query, body[:80], content)
        assert "x-injected" not in answer.headers
        if answer.status < 400:
            return answer.status, content
        told = json.loads(content)
        assert set(told) <= {"concreteType", "reason", "failedRequest"}
        assert told["reason"]
        assert "Traceback" not in told["reason"] and 'File "' not in told["reason"]
        return answer.status, told


@pytest.fixture
def line(api: Api) -> Line:
    """A connection to a server that holds a little of everything."""
    fill(api)
    return Line(api)


def paths(step: str = "1") -> Iterator[tuple[str, str]]:
    for service in all_services():
        template = service.template
        for name in ("id", "version", "part", "md5"):
            template = template.replace(f"{{{name}}}", step)
        yield service.method, template


def test_bodies_that_make_no_sense_are_refused(line: Line) -> None:
    """Whatever is sent as a body, to whatever takes one: the server answers with a reason."""
    for method, path in paths():
        if method in ("POST", "PUT"):
            for body in BODIES:
                line.refused(method, path, body=body)


def test_paths_that_make_no_sense_are_refused(line: Line) -> None:
    """Ids with slashes, zeros, line ends, other alphabets or far too many digits name nothing."""
    for step in ODD_STEPS:
        for method, path in paths(step):
            line.refused(method, path)
        for prefix in ("/snakeprov/v1/blobs/", "/snakeprov/v1/download/", "/snakeprov/v1/upload/1/", "/nowhere/"):
            assert line.refused("GET", prefix + step)[0] >= 400
            assert line.refused("PUT", prefix + step)[0] >= 400


def test_queries_that_make_no_sense_are_refused(line: Line) -> None:
    """Negative, huge, repeated and ill-formed parameters do no harm to any reading service."""
    for method, path in paths():
        if method == "GET":
            for query in ODD_QUERIES:
                line.refused(method, path, query)


ODD_NAMES = [
    "../../etc/passwd",
    "..",
    ".",
    "/etc/passwd",
    "a\r\nX-Injected: yes",
    'a"; filename="b',
    "\u202etxt.exe",
    "con",
    "a" * 257,
    "\ud800",
    "\\x2e\\x2e",
    "'; drop table entity; --",
    "\x1b[31m",
    " ",
    "\x00",
]


def test_odd_names_stay_names(api: Api, line: Line) -> None:
    """A name is refused with a 4xx, or is kept as it is and leads nowhere."""
    for name in ODD_NAMES:
        body = {"concreteType": MODEL + "Folder", "name": name, "parentId": "syn1"}
        answer = api.ask("POST", "/repo/v1/entity", json.dumps(body).encode())
        assert answer.status_code in (201, 400), name
        if answer.status_code == 201:
            assert answer.json()["name"] == name
        upload = {"fileName": name, "fileSizeBytes": 1, "partSizeBytes": 5 * 1024 * 1024, "contentMD5Hex": "0" * 32}
        line.refused("POST", "/file/v1/file/multipart", body=json.dumps(upload).encode())
        external = {"externalURL": "https://example.org/" + name, "fileName": name, "contentType": name}
        line.refused("POST", "/file/v1/externalFileHandle", body=json.dumps(external).encode())


def test_a_content_type_cannot_smuggle_headers(api: Api, line: Line) -> None:
    """The content type of a file comes back with its bytes; one with a line end in it adds no header."""
    external = {"externalURL": "https://example.org/\r\nX-Injected: yes", "contentType": "a/b\r\nX-Injected: yes"}
    answer = api.ask("POST", "/file/v1/externalFileHandle", external)
    if answer.status_code == 201:
        line.refused("GET", f"/file/v1/fileHandle/{answer.json()['id']}/url")
        line.refused("GET", f"/file/v1/fileHandle/{answer.json()['id']}/url", "redirect=false")
    content = (api.folder / "content").read_bytes()
    sent = {"path": str(api.folder / "content"), "fileName": "x", "keep": True, "contentType": "a\r\nX-Injected: 1"}
    kept = api.post("/snakeprov/v1/localFiles", {"files": [{**sent, **digests(content)}]}, expect=200)["results"][0]
    got = api.ask("GET", api.ask("GET", f"/file/v1/fileHandle/{kept['fileHandleId']}/url?redirect=false").text)

    assert (got.status_code, got.headers["content-type"]) == (200, "application/octet-stream")
    assert (got.content, "x-injected" in got.headers) == (content, False)


def test_a_body_that_is_cut_off_changes_nothing(api: Api) -> None:
    """Whoever announces more than is sent gets no entity, and the next one is answered."""
    before = api.get("/snakeprov/v1/status")
    body = json.dumps({"concreteType": MODEL + "Project", "name": "half"}).encode()
    place = urlsplit(api.url)
    head = f"POST {place.path}/repo/v1/entity HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body) + 50}\r\n\r\n"
    with socket.create_connection((place.hostname, place.port), timeout=10) as connection:
        connection.sendall(head.encode() + body)
    assert api.get("/snakeprov/v1/status") == before
    api.post("/repo/v1/entity/child", {"entityName": "half"}, expect=404)


NO_HTTP = {
    "two lengths": ("Content-Length: 5\r\nContent-Length: 78", 400, "Content-Length is invalid"),
    "negative length": ("Content-Length: -1", 400, "Content-Length is invalid"),
    "no number": ("Content-Length: 1e2", 400, "Content-Length is invalid"),
    "unknown coding": ("Transfer-Encoding: chunked, identity", 501, "Transfer-Encoding requested is not supported"),
    "folded": ("X-User: ada\r\n X-Folded: b\r\n\0: c", 400, "not HTTP as it should be: "),
    "too long": (f"Content-Length: {REQUEST_BYTES_MAX + 1}", 413, f"at most {REQUEST_BYTES_MAX} bytes are allowed"),
    "absurdly long": ("Content-Length: " + "9" * 5000, 400, "not HTTP as it should be: Content-Length is invalid"),
    "long headers": ("X-Long: " + "x" * HEADER_BYTES_MAX, 431, f"at most {HEADER_BYTES_MAX} bytes are allowed"),
}
"""Headers that smuggle a second request or a second length, or that are too much; how they are answered."""


@pytest.mark.parametrize("name", NO_HTTP)
def test_a_request_that_is_no_http_is_refused(api: Api, name: str) -> None:
    """It is answered once, in the shape of every error, with a reason; nothing is done."""
    lines, status, reason = NO_HTTP[name]
    place = urlsplit(api.url)
    made = b'{"concreteType": "org.sagebionetworks.repo.model.Project", "name": "smuggled"}'
    head = f"POST {place.path}/repo/v1/entity HTTP/1.1\r\nHost: x\r\n{lines}\r\n\r\n".encode()
    with socket.create_connection((place.hostname, place.port), timeout=10) as connection:
        connection.sendall(head + made)
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        body = json.loads(answer.read())

    assert (answer.status, answer.getheader("Content-Type")) == (status, "application/json")
    assert body["concreteType"] == "org.sagebionetworks.repo.model.ErrorResponse"
    assert reason in body["reason"]
    api.post("/repo/v1/entity/child", {"entityName": "smuggled"}, expect=404)


def test_the_longest_request_is_taken(api: Api) -> None:
    """One byte less than too long is asked for."""
    place = urlsplit(api.url)
    head = f"POST {place.path}/repo/v1/entity HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
    with socket.create_connection((place.hostname, place.port), timeout=10) as connection:
        connection.sendall(f"{head}Content-Length: {REQUEST_BYTES_MAX}\r\n\r\n".encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 100 Continue")


@pytest.mark.parametrize("name", ["..", ".", "../", "a/b", "/etc", "a\0b", "", "/"])
@pytest.mark.parametrize("kind", ["FileEntity", "Folder"])
def test_names_that_lead_elsewhere_are_refused(api: Api, name: str, kind: str) -> None:
    """Neither a new entity nor a renamed one can be called so."""
    project = api.project()
    body = {"concreteType": MODEL + kind, "name": name, "parentId": project["id"], "dataFileHandleId": api.handle()}
    assert "name" in api.post("/repo/v1/entity", body, expect=400)["reason"]
    entity = api.file_in(project, "a.txt") if kind == "FileEntity" else api.folder_in(project, "a")
    assert "name" in api.put(f"/repo/v1/entity/{entity['id']}", {**entity, "name": name}, expect=400)["reason"]


def test_the_folder_of_what_is_outside_is_no_file(api: Api) -> None:
    """`(root)` at the top of a project is the folder of absolute paths; further down it is a name like any other."""
    project = api.project()
    folder = api.folder_in(project, "(root)")["id"]
    body = {"concreteType": MODEL + "FileEntity", "name": "(root)", "dataFileHandleId": api.handle()}

    api.post("/repo/v1/entity", {**body, "parentId": api.project("another")["id"]}, expect=400)
    api.post("/repo/v1/entity", {**body, "parentId": folder})
