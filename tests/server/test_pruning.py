"""POST /snakeprov/v1/prune: bytes go, records stay, and nothing goes that something else needs."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from snakeprov.apps.verify import verify_store
from snakeprov.blobs.local import SMALL_BYTES_MAX, LocalBlobs
from snakeprov.db import Database
from snakeprov.disk.tree import digest_directory
from snakeprov.model import times
from snakeprov.model.entities import DIRECTORY_CONTENT_TYPE

from .api import MODEL, Api, Json, digests
from .live import Served

LARGE = b"x" * (SMALL_BYTES_MAX + 1)
PRUNE = "/snakeprov/v1/prune"

Later = Callable[[timedelta], None]


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Later:
    """Give `later(span)`: from now on it is so much later."""
    started = times.now()
    return lambda span: monkeypatch.setattr(times, "now", lambda: started + span)


@pytest.fixture
def project(api: Api) -> Json:
    return api.project()


def prune(api: Api, *, yes: bool = True, **criteria: Any) -> Json:
    return dict(api.post(PRUNE, {"dryRun": not yes, **criteria}, expect=200))


def versions(api: Api, parent: Json, name: str, *contents: bytes) -> Json:
    """Store a file with a version for each of these contents."""
    entity = api.file_in(parent, name, handle=api.handle(contents[0], keep=True))
    for content in contents[1:]:
        entity = api.update(entity, dataFileHandleId=api.handle(content, keep=True))
    return entity


def kept(api: Api, entity: Json) -> list[bool]:
    """Return whether the bytes of each version are kept, oldest first."""
    return [version["bytesKept"] for version in reversed(api.versions(entityId=entity["id"])["results"])]


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_old_versions_lose_their_bytes_and_keep_their_records(
    api: Api, project: Json, blobs: LocalBlobs, later: Later
) -> None:
    """A dry run tells the same and changes nothing; then the file handle and every download say that they are gone."""
    entity = versions(api, project, "a.txt", b"one", LARGE, b"three")
    later(timedelta(days=2))
    told = prune(api, yes=False, keepLast=1)
    assert kept(api, entity) == [True, True, True]
    done = prune(api, keepLast=1)

    assert told == {**done, "dryRun": True}
    assert [(one["path"], one["versionNumber"], one["isLatest"], one["sizeBytes"]) for one in done["results"]] == [
        ("a.txt", 1, False, 3),
        ("a.txt", 2, False, len(LARGE)),
    ]
    assert (done["versions"], done["contents"], done["freedBytes"]) == (2, 2, 3 + len(LARGE))
    assert (done["versionsWithoutActivity"], done["versionsShared"], done["truncated"]) == (2, 0, False)
    assert kept(api, entity) == [False, False, True]
    assert [blobs.has(sha256(content)) for content in (b"one", LARGE, b"three")] == [False, False, True]
    assert api.get(f"/repo/v1/entity/{entity['id']}/version/1")["versionNumber"] == 1
    handle = api.get(f"/repo/v1/entity/{entity['id']}/version/1")["dataFileHandleId"]
    record = api.get(f"/file/v1/fileHandle/{handle}")
    assert (record["contentSha256"], record["contentSize"]) == (sha256(b"one"), 3)
    url = api.ask("GET", f"/file/v1/fileHandle/{handle}/url?redirect=false").text
    assert "not kept here" in api.reason("GET", url, expect=404)
    assert "not kept here" in api.reason("GET", f"/snakeprov/v1/blobs/{sha256(b'one')}", expect=404)
    assert prune(api, keepLast=1)["contents"] == 0


def test_a_content_goes_only_with_the_last_version_that_has_it(
    api: Api, project: Json, blobs: LocalBlobs, later: Later
) -> None:
    """Of this file or of any other, in this project or in any other."""
    versions(api, project, "a.txt", b"same", b"other")
    other = versions(api, api.project("Q"), "b.txt", b"same")
    later(timedelta(days=2))
    first = prune(api, keepLast=1)
    assert (first["versions"], first["versionsShared"], first["contents"]) == (0, 1, 0)
    api.delete(f"/repo/v1/entity/{other['id']}?skipTrashCan=true")
    second = prune(api, keepLast=1)

    assert (second["versions"], second["versionsShared"]) == (1, 0)
    assert not blobs.has(sha256(b"same"))


def test_all_criteria_have_to_hold(api: Api, project: Json, later: Later) -> None:
    """Age, size, number, rule and project."""
    api.run()
    activity = api.activity(name="plot")
    made = api.file_in(
        project, "made", handle=api.handle(b"by a rule", keep=True), query=f"?generatedBy={activity['id']}"
    )
    api.job("j1", activity=activity["id"])
    versions(api, project, "small", b"1", b"2")
    large = versions(api, project, "large", LARGE, b"3")
    later(timedelta(days=2))
    before = times.to_wire(times.now() - timedelta(days=1))

    def found(**criteria: Any) -> list[str]:
        return [f"{one['path']}@{one['versionNumber']}" for one in prune(api, yes=False, **criteria)["results"]]

    assert found(rules=["plot"]) == ["made@1"]
    assert found(rules=["plot"], keepLast=1) == found(rules=["other"]) == []
    assert found(largerThanBytes=1000) == [f"{large['name']}@1"]
    assert found(before=before, keepLast=1) == ["large@1", "small@1"]
    assert found(before=times.to_wire(times.now() - timedelta(days=3))) == []
    assert found(project="P", keepLast=1, largerThanBytes=0) == ["large@1", "small@1"]
    assert prune(api, yes=False, before=before, limit=2)["truncated"] is True
    assert prune(api, yes=False, before=before, limit=2)["versions"] == 5
    assert kept(api, made) == [True]


def test_code_stays(api: Api, project: Json, later: Later) -> None:
    """A version that an activity executed is never meant; one that it only used is."""
    used, code = versions(api, project, "used", b"1", b"2"), versions(api, project, "code", b"3", b"4")
    for entity, executed in ((used, False), (code, True)):
        reference = {"targetId": entity["id"], "targetVersionNumber": 1}
        api.activity({"reference": reference, "wasExecuted": executed, "concreteType": MODEL + "provenance.UsedEntity"})
    later(timedelta(days=2))

    assert [one["path"] for one in prune(api, keepLast=1)["results"]] == ["used"]


def directory(api: Api, parent: Json, name: str, folder: Path, *, handles: bool = True) -> Json:
    """Record a directory, with the files in it, as the recorder does."""
    from snakeprov.disk.files import digest_file

    manifest = digest_directory(str(folder), digest_file)
    if handles:
        files = [
            {
                "path": str(folder / path),
                "fileName": path,
                "keep": True,
                "sha256": digest.sha256,
                "md5": digest.md5,
                "sizeBytes": digest.size_bytes,
            }
            for path, digest in manifest.files
        ]
        api.post("/snakeprov/v1/localFiles", {"files": files}, expect=200)
    path = api.folder / "manifest"
    path.write_bytes(manifest.content)
    sent = {"path": str(path), "fileName": name, "keep": True, "contentType": DIRECTORY_CONTENT_TYPE}
    sent |= digests(manifest.content)
    handle = api.post("/snakeprov/v1/localFiles", {"files": [sent]}, expect=200)["results"][0]["fileHandleId"]
    return api.file_in(parent, name, handle=handle)


def test_a_directory_goes_with_what_nothing_else_has(
    api: Api, project: Json, blobs: LocalBlobs, later: Later, tmp_path: Path
) -> None:
    """Its files go with it, but not those that another directory, or a file, has as well. Its size is theirs."""
    for name, contents in {"d1": {"own": LARGE, "both": b"both", "file": b"file"}, "d2": {"both": b"both"}}.items():
        (tmp_path / name).mkdir()
        for member, content in contents.items():
            (tmp_path / name / member).write_bytes(content)
    api.run()
    activity = api.activity(name="plot")
    first = directory(api, project, "d1/", tmp_path / "d1")
    api.put(f"/repo/v1/entity/{first['id']}/generatedBy?generatedBy={activity['id']}")
    api.job("j1", activity=activity["id"])
    directory(api, project, "d2/", tmp_path / "d2")
    versions(api, project, "file", b"file")
    later(timedelta(hours=1))
    assert prune(api, yes=False, largerThanBytes=1000)["versions"] == 1
    done = prune(api, rules=["plot"])

    assert (done["versions"], done["contents"]) == (1, 2)
    assert done["results"][0]["sizeBytes"] > len(LARGE)
    assert [blobs.has(sha256(content)) for content in (LARGE, b"both", b"file")] == [False, True, True]


def test_what_nothing_refers_to_goes_when_it_is_old(
    api: Api, project: Json, blobs: LocalBlobs, later: Later, tmp_path: Path
) -> None:
    """Not what a record names or what is in a directory, and nothing that may still be on its way."""
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "member").write_bytes(b"member")
    directory(api, project, "d/", tmp_path / "d")
    patch = api.handle(b"patch", keep=True)
    api.run(git={"root": "/w", "patchFileHandleId": patch})
    api.job("j1", environmentFileHandleId=api.handle(b"packages", keep=True))
    versions(api, project, "a.txt", b"used")
    api.handle(b"left behind", keep=True)
    blobs.put_stream([b"without a record"])
    assert prune(api, unreferenced=True)["contents"] == 1
    assert blobs.has(sha256(b"left behind"))
    later(timedelta(days=2))
    done = prune(api, unreferenced=True)

    assert (done["contents"], done["versions"]) == (1, 0)
    assert [blobs.has(sha256(content)) for content in (b"patch", b"packages", b"used", b"member")] == [True] * 4
    assert not blobs.has(sha256(b"left behind")) and not blobs.has(sha256(b"without a record"))


def test_what_is_stored_again_is_kept_again(api: Api, project: Json, blobs: LocalBlobs, later: Later) -> None:
    """By its path or by an upload, it gets a new file handle, and its bytes are there."""
    versions(api, project, "a.txt", b"again", b"b")
    later(timedelta(days=2))
    prune(api, keepLast=1)
    entity = api.file_in(project, "b.txt", handle=api.handle(b"again", keep=True))

    assert kept(api, entity) == [True]
    assert blobs.has(sha256(b"again"))


def test_an_upload_of_pruned_bytes_begins_anew(served: Served, blobs: LocalBlobs, later: Later) -> None:
    """It is not told that they are there already."""
    ada = served.user("ada")
    project = ada.project("A")
    entity = ada.file_in(project, "a.txt", handle=ada.upload(b"sent"))
    ada.update(entity, dataFileHandleId=ada.upload(b"other"))
    later(timedelta(days=2))
    assert prune(ada, keepLast=1)["contents"] == 1
    again = ada.upload(b"sent")

    assert blobs.has(sha256(b"sent"))
    assert ada.get(f"/file/v1/fileHandle/{again}")["concreteType"].endswith("S3FileHandle")


def test_a_content_that_is_pruned_while_it_is_stored_is_stored_once_more(
    api: Api, project: Json, blobs: LocalBlobs, later: Later, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the copying of the bytes and their record, somebody prunes the only version that had them."""
    versions(api, project, "a.txt", b"contested", b"b")
    later(timedelta(days=2))
    put = LocalBlobs.put_files
    pruned: list[Json] = []

    def put_then_prune(self: LocalBlobs, files: Any) -> Any:
        outcomes = put(self, files)
        if not pruned:
            pruned.append(prune(api.as_user("eve"), keepLast=1))
        return outcomes

    monkeypatch.setattr(LocalBlobs, "put_files", put_then_prune)
    entity = api.file_in(project, "b.txt", handle=api.handle(b"contested", keep=True))

    assert pruned[0]["contents"] == 1
    assert kept(api, entity) == [True]
    assert blobs.has(sha256(b"contested"))


def test_the_file_of_small_contents_gets_smaller(
    api: Api, project: Json, blobs: LocalBlobs, store: Database, later: Later, tmp_path: Path
) -> None:
    """The space is the file system's again, and the store is whole."""
    contents = [f"{number:06}".encode() * 10_000 for number in range(20)]
    versions(api, project, "a.txt", *contents)
    later(timedelta(days=2))
    blobs.close()
    before = (store.path.parent / "blobs" / "small.sqlite").stat().st_size
    prune(api, keepLast=1)
    after = (store.path.parent / "blobs" / "small.sqlite").stat().st_size
    report = verify_store(store.path.parent, outbox_folder=tmp_path / "none", digests=tmp_path / "none.sqlite")

    assert before > 1_200_000 and after < 150_000
    assert (report.damaged, report.findings) == (0, [])


def test_only_who_may_delete_prunes(served: Served, later: Later) -> None:
    """Others are refused, and their own prunings stop at what they may not delete."""
    ada, eve = served.user("ada"), served.user("eve")
    project = ada.project("A")
    entity = ada.file_in(project, "a.txt", handle=ada.upload(b"one"))
    entity = ada.update(entity, dataFileHandleId=ada.upload(b"two"))
    ada.share(project, **{f"u{eve.id}": ["READ", "DOWNLOAD", "CREATE", "UPDATE"]})
    later(timedelta(days=2))

    assert "You lack the DELETE permission" in eve.reason("POST", PRUNE, {"keepLast": 1, "project": "A"}, expect=403)
    assert prune(eve, keepLast=1)["versions"] == 0
    assert "where the store is" in ada.reason("POST", PRUNE, {"unreferenced": True}, expect=403)
    assert served.nobody().send("POST", PRUNE, {"keepLast": 1}, expect=403)
    assert prune(ada, keepLast=1, project="A")["versions"] == 1
    assert kept(ada, entity) == [False, True]


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ({}, 400, "Nothing is selected"),
        ({"dryRun": False}, 400, "Nothing is selected"),
        ({"project": "P"}, 400, "Nothing is selected"),
        ({"keepLast": 0}, 400, "keepLast"),
        ({"largerThanBytes": -1}, 400, "largerThanBytes"),
        ({"before": "soon"}, 400, "before"),
        ({"before": "2026-01-01T00:00:00"}, 400, "has no offset from UTC"),
        ({"keepLast": 1, "project": "none"}, 404, "There is no project called 'none'"),
        ({"keepLast": 1, "limit": 0}, 400, "limit"),
    ],
)
def test_bad_input_is_refused(api: Api, body: Json, status: int, said: str) -> None:
    """Above all a request without any criterion."""
    assert said in api.reason("POST", PRUNE, body, expect=status)


def test_the_current_files_of_a_project_are_listed(api: Api, project: Json) -> None:
    """By path, page by page, of one folder if that is wanted."""
    folder = api.folder_in(project, "sub")
    for name in ("a", "c"):
        versions(api, folder, name, b"1", name.encode())
    versions(api, project, "b", b"b")
    api.file_in(api.project("other"), "sub-")

    def current(prefix: str = "", **body: Any) -> Json:
        return api.versions(project="P", prefix=prefix, **body)

    whole, page = current(), current(limit=2)

    assert [(one["path"], one["versionNumber"]) for one in whole["results"]] == [("b", 1), ("sub/a", 2), ("sub/c", 2)]
    assert whole["results"][0]["sha256"] == sha256(b"b")
    assert [one["path"] for one in page["results"]] == ["b", "sub/a"]
    second = current(after=page["next"])
    assert [one["path"] for one in second["results"]] == ["sub/c"]
    assert "next" not in whole and "next" not in second
    assert [one["path"] for one in current("sub/")["results"]] == ["sub/a", "sub/c"]
    assert api.versions(prefix="", project="Q") == {"results": []}
    assert [one["path"] for one in api.versions(prefix="sub")["results"]] == ["sub-", "sub/a", "sub/c"]
