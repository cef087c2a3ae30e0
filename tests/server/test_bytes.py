"""Bytes in and out: local files, uploads in parts, signed URLs, ranges."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from snakeprov.blobs.local import LocalBlobs
from snakeprov.db import Database
from snakeprov.model import times
from snakeprov.model.entities import DIRECTORY_CONTENT_TYPE
from snakeprov.server import create_app
from snakeprov.server.uploads import IDLE_DAYS, PART_BYTES_MIN

from .api import MODEL, Api, Json, digests, user_of
from .live import Served, Socket

PART_BYTES = 8 * 1024 * 1024
"""As Synapse's client has it."""


class Remote:
    """A server on a socket of this machine."""

    def __init__(self, url: str) -> None:
        self.url = url

    def send(self, method: str, path: str, *, expect: int = 200, **options: Any) -> Any:
        answer = requests.request(method, self.url + path, timeout=30, **options)
        assert answer.status_code == expect, answer.text
        return answer.json()

    def upload(self, content: bytes, *, name: str = "a.bin", user: str = "ada", restart: bool = False) -> Json:
        """Start an upload, or go on with one."""
        body = {
            "concreteType": MODEL + "file.MultipartUploadRequest",
            "fileName": name,
            "contentType": "text/plain",
            "fileSizeBytes": len(content),
            "partSizeBytes": PART_BYTES,
            "contentMD5Hex": digests(content)["md5"],
            "generatePreview": True,
            "storageLocationId": 1,
        }
        path = f"/file/v1/file/multipart?forceRestart={str(restart).lower()}"
        return dict(self.send("POST", path, json=body, headers={"X-User": user}))

    def part_url(self, upload: Json, number: int) -> str:
        path = f"/file/v1/file/multipart/{upload['uploadId']}/presigned/url/batch"
        urls = self.send("POST", path, json={"uploadId": upload["uploadId"], "partNumbers": [number]})
        return str(urls["partPresignedUrls"][0]["uploadPresignedUrl"])

    def send_part(self, upload: Json, number: int, content: bytes) -> str:
        answer = requests.put(self.part_url(upload, number), data=content, timeout=30)
        assert answer.status_code == 200, answer.text
        path = f"/file/v1/file/multipart/{upload['uploadId']}/add/{number}?partMD5Hex={digests(content)['md5']}"
        return str(self.send("PUT", path)["addPartState"])

    def complete(self, upload: Json, *, expect: int = 200) -> Json:
        return dict(self.send("PUT", f"/file/v1/file/multipart/{upload['uploadId']}/complete", expect=expect))

    def download_url(self, handle: str) -> str:
        answer = requests.get(f"{self.url}/file/v1/fileHandle/{handle}/url?redirect=false", timeout=30)
        assert answer.headers["content-type"].startswith("text/plain")
        return answer.text


@pytest.fixture
def remote(store: Database, blobs: LocalBlobs, socket: Socket) -> Remote:
    return Remote(socket.mount(create_app(store, blobs, identify=user_of, local_files=False)))


def test_a_large_file_goes_up_in_parts_and_comes_down_in_ranges(remote: Remote) -> None:
    """Parts may arrive in any order and be resumed; what comes back, whole or in ranges, are the bytes sent."""
    content = bytes(range(256)) * (20 * 1024 * 1024 // 256) + b"the end"
    parts = [content[start : start + PART_BYTES] for start in range(0, len(content), PART_BYTES)]
    upload = remote.upload(content)
    assert (upload["state"], upload["partsState"]) == ("UPLOADING", "000")
    assert remote.send_part(upload, 3, parts[2]) == "ADD_SUCCESS"
    assert "Part 1 of 3 has not been added" in remote.complete(upload, expect=400)["reason"]
    resumed = remote.upload(content)
    assert (resumed["uploadId"], resumed["partsState"]) == (upload["uploadId"], "001")
    remote.send_part(upload, 1, parts[0])
    remote.send_part(upload, 2, parts[1])
    done = remote.complete(upload)
    handle = remote.send("GET", f"/file/v1/fileHandle/{done['resultFileHandleId']}")

    assert (done["state"], done["partsState"]) == ("COMPLETED", "111")
    assert (handle["concreteType"], handle["contentType"]) == (MODEL + "file.S3FileHandle", "text/plain")
    assert (handle["contentMd5"], handle["contentSize"]) == (digests(content)["md5"], len(content))
    assert remote.upload(content)["resultFileHandleId"] == done["resultFileHandleId"]
    assert remote.complete(upload)["resultFileHandleId"] == done["resultFileHandleId"]
    assert remote.upload(content, restart=True)["state"] == "UPLOADING"

    url = remote.download_url(done["resultFileHandleId"])
    assert "X-Amz-Date=" in url
    assert "X-Amz-Expires=900" in url
    assert requests.get(url, timeout=30).content == content
    for asked, first, last in (("0-9", 0, 10), ("10485760-", 10485760, None), ("-4", len(content) - 4, None)):
        answer = requests.get(url, headers={"Range": f"bytes={asked}"}, timeout=30)
        assert answer.status_code == 206
        assert answer.content == content[first:last]
        assert answer.headers["Content-Range"].endswith(f"/{len(content)}")
    assert requests.get(url, headers={"Range": f"bytes={len(content)}-"}, timeout=30).status_code == 416
    blob = requests.get(f"{remote.url}/snakeprov/v1/blobs/{digests(content)['sha256']}", timeout=30)
    assert blob.content == content


@pytest.mark.parametrize("content", [b"", b"fifteen bytes.."], ids=["empty", "15 bytes"])
def test_a_small_file_has_one_part(remote: Remote, content: bytes) -> None:
    """A file of a few bytes, or of none, which real Synapse refuses, goes up and comes down like any other."""
    upload = remote.upload(content)
    assert upload["partsState"] == "0"
    remote.send_part(upload, 1, content)
    url = remote.download_url(remote.complete(upload)["resultFileHandleId"])

    answer = requests.get(url, timeout=30)
    assert (answer.status_code, answer.content) == (200, content)


def test_a_damaged_part_is_refused(remote: Remote) -> None:
    """A part with another md5 or length is not added, and a file with another md5 is not made."""
    upload = remote.upload(b"hello")
    path = f"/file/v1/file/multipart/{upload['uploadId']}"
    absent = remote.send("PUT", f"{path}/add/1?partMD5Hex=0")
    assert (absent["addPartState"], absent["errorMessage"]) == ("ADD_FAILED", "Part 1 has not arrived.")
    for content, what in ((b"hello!", "more"), (b"hell", "less")):
        answer = requests.put(remote.part_url(upload, 1), data=content, timeout=30)
        assert answer.status_code == 400
        assert answer.json()["reason"] == f"Part 1 has {what} than the 5 bytes that were announced."
    requests.put(remote.part_url(upload, 1), data=b"jello", timeout=30)
    wrong = remote.send("PUT", f"{path}/add/1?partMD5Hex={digests(b'hello')['md5']}")
    assert wrong["addPartState"] == "ADD_FAILED"
    assert remote.send_part(upload, 1, b"jello") == "ADD_SUCCESS"
    assert "was expected" in remote.complete(upload, expect=400)["reason"]
    assert "parts 1 to 1" in remote.send("PUT", f"{path}/add/2?partMD5Hex=0", expect=400)["reason"]
    assert "not a part number" in remote.send("PUT", f"{path}/add/x?partMD5Hex=0", expect=400)["reason"]


def test_a_signed_url_is_good_for_what_was_signed_and_for_a_time(
    remote: Remote, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A URL for other bytes, with another signature, or too late is forbidden."""
    upload = remote.upload(b"hello")
    remote.send_part(upload, 1, b"hello")
    handle = remote.complete(upload)["resultFileHandleId"]
    url = remote.download_url(handle)

    assert requests.get(url, timeout=30).content == b"hello"
    for bad in (url.replace(f"/{handle}?", "/77?"), url[:-4] + "0000", url.split("?")[0], url.replace("=900", "=9000")):
        answer = requests.get(bad, timeout=30)
        assert (answer.status_code, answer.json()["reason"]) == (403, "The signature of this URL is not valid.")
    now = times.now()
    monkeypatch.setattr(times, "now", lambda: now.replace(year=now.year + 1))
    assert "has expired" in requests.get(url, timeout=30).json()["reason"]


def test_an_upload_is_its_users(remote: Remote) -> None:
    """Nobody else goes on with an upload, and the same file of another user is another upload."""
    upload = remote.upload(b"hello")
    path = f"/file/v1/file/multipart/{upload['uploadId']}/complete"

    assert remote.upload(b"hello", user="eve")["uploadId"] != upload["uploadId"]
    assert "Only the user who started" in remote.send("PUT", path, headers={"X-User": "eve"}, expect=403)["reason"]
    assert "does not exist" in remote.complete({"uploadId": "99"}, expect=404)["reason"]


def test_an_idle_upload_is_given_up(remote: Remote, blobs: LocalBlobs, monkeypatch: pytest.MonkeyPatch) -> None:
    """When another upload begins, one of which no part came for a week is gone, with its parts; others stay."""
    started = times.now()
    idle, finished = remote.upload(b"idle!"), remote.upload(b"done")
    remote.send_part(idle, 1, b"idle!")
    remote.send_part(finished, 1, b"done")
    remote.complete(finished)
    monkeypatch.setattr(times, "now", lambda: started + timedelta(days=IDLE_DAYS - 1))
    fresh = remote.upload(b"fresh")
    assert remote.upload(b"idle!")["partsState"] == "1"
    assert blobs.parts.md5(int(idle["uploadId"]), 1) is not None

    monkeypatch.setattr(times, "now", lambda: started + timedelta(days=IDLE_DAYS + 1))
    remote.upload(b"another")
    assert "does not exist" in remote.complete(idle, expect=404)["reason"]
    assert blobs.parts.md5(int(idle["uploadId"]), 1) is None
    assert "has not been added" in remote.complete(fresh, expect=400)["reason"]
    assert remote.upload(b"done")["state"] == "COMPLETED"
    assert remote.upload(b"idle!")["partsState"] == "0"


def test_a_complete_upload_takes_no_more_parts(remote: Remote, blobs: LocalBlobs) -> None:
    """A URL for a part that is still good when the upload is complete leaves nothing behind on the disk."""
    upload = remote.upload(b"hello")
    url = remote.part_url(upload, 1)
    remote.send_part(upload, 1, b"hello")
    remote.complete(upload)
    answer = requests.put(url, data=b"hello", timeout=30)

    assert (answer.status_code, answer.json()["reason"]) == (400, "Upload 1 is complete; it takes no more parts.")
    assert blobs.parts.md5(1, 1) is None


def test_a_stored_page_cannot_act_for_who_looks_at_it(remote: Remote) -> None:
    """A browser is told to show what is downloaded as nobody's, and as nothing but what it says it is."""
    upload = remote.upload(b"<script>alert(1)</script>")
    remote.send_part(upload, 1, b"<script>alert(1)</script>")
    answer = requests.get(remote.download_url(remote.complete(upload)["resultFileHandleId"]), timeout=30)

    assert answer.headers["content-security-policy"] == "sandbox"
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"fileName": ""}, "must have 1 to 256 characters"),
        ({"fileSizeBytes": -1}, "is not a number of bytes"),
        ({"fileSizeBytes": 10**18}, "more than 10000 parts"),
        ({"partSizeBytes": 1}, "partSizeBytes 1: 5242880 to 1073741824 bytes"),
        ({"partSizeBytes": 2**30 + 1}, "partSizeBytes 1073741825: 5242880 to 1073741824 bytes"),
        ({"contentMD5Hex": "x"}, "is not an md5"),
        ({"fileSizeBytes": "5"}, "Expected `int`"),
    ],
)
def test_an_impossible_upload_is_refused(api: Api, changes: Json, reason: str) -> None:
    """Name, sizes and md5 of an upload are checked at its start."""
    body = {
        "fileName": "a",
        "fileSizeBytes": 5,
        "partSizeBytes": PART_BYTES_MIN,
        "contentMD5Hex": "0" * 32,
        **changes,
    }

    assert reason in api.reason("POST", "/file/v1/file/multipart", body)


def test_local_files_are_kept_or_not_and_handles_reused(api: Api, tmp_path: Path, blobs: LocalBlobs) -> None:
    """Each file is kept if it can be, the answer says why not, and the same file again is the same handle."""
    content = b"hello"
    path = tmp_path / "ä b.txt"
    path.write_bytes(content)
    good: Json = {"path": str(path), "fileName": "a", "contentType": "text/plain", "keep": True, **digests(content)}
    (tmp_path / "folder").mkdir()
    files = [
        good,
        {**good, "keep": False},
        {**good, **digests(b"other")},
        {**good, "path": str(tmp_path / "none")},
        {**good, "path": str(tmp_path / "folder")},
    ]

    def register() -> list[Json]:
        return list(api.post("/snakeprov/v1/localFiles", {"files": files}, expect=200)["results"])

    first = register()
    assert [(item["bytesKept"], item.get("reason")) for item in first] == [
        (True, None),
        (False, None),
        (False, "changed"),
        (False, "missing"),
        (False, "unreadable"),
    ]
    assert register() == first
    assert len({item["fileHandleId"] for item in first}) == 5
    kept = api.get(f"/file/v1/fileHandle/{first[0]['fileHandleId']}")
    assert (kept["contentSha256"], kept["contentSize"]) == (digests(content)["sha256"], 5)
    external = api.get(f"/file/v1/fileHandle/{first[1]['fileHandleId']}")
    assert external["concreteType"] == MODEL + "file.ExternalFileHandle"
    assert external["externalURL"].endswith("/%C3%A4%20b.txt")
    assert blobs.has(digests(content)["sha256"])
    assert api.get("/snakeprov/v1/status")["storedBytes"] == 5


def test_the_md5_of_kept_bytes_is_computed_when_it_is_first_asked_for(
    api: Api, tmp_path: Path, blobs: LocalBlobs
) -> None:
    """Synapse's clients need it. It is noted in the store, for every file handle of the content."""
    content = os.urandom(100_000)
    (tmp_path / "large").write_bytes(content)
    said = digests(content)
    md5 = said.pop("md5")
    sent: Json = {"path": str(tmp_path / "large"), "fileName": "large", **said}
    files = [{**sent, "keep": True}, {**sent, "keep": False}]
    kept, elsewhere = api.post("/snakeprov/v1/localFiles", {"files": files}, expect=200)["results"]
    file = api.file_in(api.project(), "large", handle=kept["fileHandleId"])
    assert api.get(f"/repo/v1/entity/md5/{md5}")["results"] == []

    assert api.get(f"/file/v1/fileHandle/{kept['fileHandleId']}")["contentMd5"] == md5
    blobs.remove(said["sha256"])
    assert api.get(f"/file/v1/fileHandle/{kept['fileHandleId']}")["contentMd5"] == md5
    api.project("another")

    assert [one["id"] for one in api.get(f"/repo/v1/entity/md5/{md5}")["results"]] == [file["id"]]
    assert api.get(f"/file/v1/fileHandle/{elsewhere['fileHandleId']}")["contentMd5"] == md5


def test_the_md5_of_bytes_that_are_elsewhere_is_left_out_where_it_is_not_known(api: Api, tmp_path: Path) -> None:
    """The server cannot compute it."""
    said = digests(b"x")
    del said["md5"]
    files = [{"path": str(tmp_path / "x"), "fileName": "x", "keep": False, **said}]
    (elsewhere,) = api.post("/snakeprov/v1/localFiles", {"files": files}, expect=200)["results"]

    assert "contentMd5" not in api.get(f"/file/v1/fileHandle/{elsewhere['fileHandleId']}")


def test_local_files_are_for_those_who_share_the_disk(
    api: Api, store: Database, blobs: LocalBlobs, socket: Socket
) -> None:
    """A server that does not share its clients' files refuses paths; malformed ones are always refused."""
    good = {"path": "/a", "fileName": "a", "keep": False, **digests(b"")}
    strict = Api(socket.mount(create_app(store, blobs, identify=user_of, local_files=False)), api.folder)

    assert "takes no files by their path" in strict.reason(
        "POST", "/snakeprov/v1/localFiles", {"files": [good]}, expect=403
    )
    for changes, reason in (
        ({"path": "a"}, "not an absolute path"),
        ({"sha256": "../../etc"}, "lower-case hex"),
        ({"md5": ""}, "lower-case hex"),
        ({"sizeBytes": -1}, "is not the size"),
    ):
        assert reason in api.reason("POST", "/snakeprov/v1/localFiles", {"files": [{**good, **changes}]})


def test_file_handles_are_told_to_those_who_may(api: Api) -> None:
    """A handle is its creator's; through an entity that has it others get it too; each has its own failure."""
    content = api.handle(b"hello", keep=True)
    file = api.file_in(api.project(), "a", handle=content)
    eve = api.as_user("eve")
    ask = [
        {"fileHandleId": content, "associateObjectId": file["id"], "associateObjectType": "FileEntity"},
        {"fileHandleId": content},
        {"fileHandleId": "99"},
        {"fileHandleId": "x"},
    ]
    body = {"requestedFiles": ask, "includeFileHandles": True, "includePreSignedURLs": True}
    answer = eve.post("/file/v1/fileHandle/batch", body, expect=200)["requestedFiles"]

    assert answer[0]["fileHandle"]["id"] == content
    assert requests.get(answer[0]["preSignedURL"], timeout=30).content == b"hello"
    assert [item.get("failureCode") for item in answer] == [None, "UNAUTHORIZED", "NOT_FOUND", "NOT_FOUND"]
    assert "Only the user who created" in eve.reason("GET", f"/file/v1/fileHandle/{content}", expect=403)
    assert "could not be found" in api.reason("GET", "/file/v1/fileHandle/99", expect=404)


def test_a_file_elsewhere_is_known_by_its_url(api: Api) -> None:
    """An external handle has the URL and what is known of the content; its download leads there."""
    body = {
        "concreteType": MODEL + "file.ExternalFileHandle",
        "fileName": "x.bin",
        "externalURL": "https://example.org/x.bin",
        "contentMd5": None,
        "contentSize": None,
        "contentType": "application/octet-stream",
    }
    handle = api.post("/file/v1/externalFileHandle", body)
    answer = api.ask("GET", f"/file/v1/fileHandle/{handle['id']}/url")

    assert (answer.status_code, answer.headers["location"]) == (307, "https://example.org/x.bin")
    assert "contentMd5" not in handle
    assert "is not a URL" in api.reason("POST", "/file/v1/externalFileHandle", {**body, "externalURL": "x"})
    assert "is not an md5" in api.reason("POST", "/file/v1/externalFileHandle", {**body, "contentMd5": "x"})
    assert "is not a sha256" in api.reason("POST", "/file/v1/externalFileHandle", {**body, "contentSha256": "x"})
    assert "missing required field" in api.reason("POST", "/file/v1/externalFileHandle", {})


def test_a_claimed_digest_identifies_a_file_and_opens_nothing(served: Served) -> None:
    """Who claims the digest of somebody else's bytes, or directory, finds the own file by it, and gets no bytes."""
    ada, eve = served.user("ada"), served.user("eve")
    secret = b"ada's bytes"
    sha256 = digests(secret)["sha256"]
    manifest = f'{{"files":[{{"path":"a","sizeBytes":11,"sha256":"{sha256}"}}]}}'.encode()
    adas, eves = ada.project("A"), eve.project("E")
    ada.file_in(adas, "a", handle=ada.upload(secret))
    ada.file_in(adas, "d", handle=ada.upload(manifest, content_type=DIRECTORY_CONTENT_TYPE))

    def claimed(name: str, content: bytes, content_type: str | None = None) -> Json:
        known = digests(content)
        body = {"externalURL": f"file:///{name}", "fileName": name, "contentType": content_type}
        body |= {"contentSha256": known["sha256"].upper(), "contentMd5": known["md5"]}
        handle = eve.post("/file/v1/externalFileHandle", body)
        assert handle["contentSha256"] == known["sha256"]
        return eve.file_in(eves, name, handle=handle["id"])

    file, folder = claimed("a", secret), claimed("d", manifest, DIRECTORY_CONTENT_TYPE)

    found = eve.versions(sha256=sha256)["results"]
    assert [one["entityId"] for one in found] == [file["id"]]
    for query in ("", f"?entityId={file['id']}", f"?entityId={folder['id']}"):
        assert eve.ask("GET", f"/snakeprov/v1/blobs/{sha256}{query}").status_code == 404
    assert eve.ask("GET", f"/snakeprov/v1/blobs/{digests(manifest)['sha256']}").status_code == 404
    assert ada.ask("GET", f"/snakeprov/v1/blobs/{sha256}").content == secret


def test_blobs_are_named_by_their_digest_only(api: Api) -> None:
    """What is not a sha256 is refused before the disk is asked; what is not kept is not found."""
    assert "is not a sha256" in api.reason("GET", "/snakeprov/v1/blobs/provenance.sqlite")
    assert "no such resource" in api.reason("GET", "/snakeprov/v1/blobs/..%2Fprovenance.sqlite", expect=404)
    assert "are not kept here" in api.reason("GET", "/snakeprov/v1/blobs/" + "0" * 64, expect=404)
    assert api.get(f"/file/v1/entity/{api.project()['id']}/uploadDestination")["uploadType"] == "S3"
