"""Files: uploading, versions, downloading whole and in ranges, and finding them by their content."""

from __future__ import annotations

import hashlib
import json
import logging
import re
import subprocess
import sys
from array import array
from collections.abc import Callable
from pathlib import Path

import pytest
from served import TOKEN, URL, status_of
from synapseclient import File, Folder, Synapse, models
from synapseclient.core.exceptions import SynapseHTTPError

Write = Callable[..., str]
MIB = 1024 * 1024
S3_FILE_HANDLE = "org.sagebionetworks.repo.model.file.S3FileHandle"
EXTERNAL_FILE_HANDLE = "org.sagebionetworks.repo.model.file.ExternalFileHandle"


def _bytes(size_bytes: int, *, seed: int) -> bytes:
    """Return content in which no two ranges are alike."""
    first = seed << 32
    return array("Q", range(first, first + -(-size_bytes // 8))).tobytes()[:size_bytes]


def _md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def _versions(syn: Synapse, id_: str) -> list[int]:
    page = syn.restGET(f"/entity/{id_}/version?limit=50&offset=0")
    assert page["totalNumberOfResults"] == len(page["results"])
    return [one["versionNumber"] for one in page["results"]]


def test_a_small_file_goes_there_and_back(
    syn: Synapse, elsewhere: Synapse, folder: Folder, write: Write, tmp_path: Path
) -> None:
    """What is stored has a version, a label and a file handle that tells its content, and downloads the same."""
    file = syn.store(File(write("in.txt", "penguins\n"), parent=folder, description="measured"))
    assert (file.versionNumber, file.versionLabel, file.name) == (1, "1", "in.txt")
    assert file.isLatestVersion is True
    handle = file._file_handle
    assert handle["concreteType"] == S3_FILE_HANDLE
    assert (handle["fileName"], handle["contentType"], handle["contentSize"]) == ("in.txt", "text/plain", 9)
    assert handle["contentMd5"] == _md5(b"penguins\n")

    got = elsewhere.get(file.id, downloadLocation=str(tmp_path / "down"))
    assert Path(got.path).read_text() == "penguins\n"
    assert Path(got.path).parent == tmp_path / "down"
    assert (got.description, got.etag, got.parentId) == ("measured", file.etag, folder.id)


@pytest.mark.timeout(180)
def test_a_large_file_goes_up_in_parts_and_down_in_ranges(
    syn: Synapse,
    connect: Callable[..., Synapse],
    folder: Folder,
    write: Write,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """20 MB go up in three parts and come down in three ranges, and are the same."""
    content = _bytes(20 * MIB, seed=1)
    path = write("big.bin", content)
    with caplog.at_level(logging.INFO, "httpx"):
        file = syn.store(File(path, parent=folder))
    parts = {match[1] for match in re.finditer(r"/file/multipart/\d+/add/(\d+)\S* .*200", caplog.text)}
    assert parts == {"1", "2", "3"}
    assert file._file_handle["contentMd5"] == _md5(content)
    assert file._file_handle["contentSize"] == len(content)

    caplog.clear()
    with caplog.at_level(logging.INFO, "httpx"):
        got = connect().get(file.id, downloadLocation=str(tmp_path / "down"))
    assert Path(got.path).read_bytes() == content
    assert caplog.text.count("206 Partial Content") == 3

    newer = models.File(id=file.id, path=str(tmp_path / "newer")).get(synapse_client=connect())
    assert Path(newer.path).read_bytes() == content
    assert newer.file_handle.content_md5 == _md5(content)


_UPLOAD = """
import logging, sys
from synapseclient import File, Synapse
url, token, path, parent = sys.argv[1:]
logging.basicConfig(level=logging.INFO, stream=sys.stdout)
syn = Synapse(skip_checks=True, repoEndpoint=url + "/repo/v1", fileHandleEndpoint=url + "/file/v1")
syn.login(authToken=token, silent=True)
syn.max_threads = 1
syn.store(File(path, parent=parent))
"""


@pytest.mark.timeout(180)
def test_an_interrupted_upload_goes_on_where_it_stopped(
    syn: Synapse, folder: Folder, write: Write, caplog: pytest.LogCaptureFixture
) -> None:
    """When the client is killed in the middle, the next one sends only the parts that are missing."""
    content = _bytes(48 * MIB, seed=6)
    path = write("long.bin", content)
    command = [sys.executable, "-c", _UPLOAD, URL, TOKEN, path, folder.id]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as killed:
        added = next(line for line in killed.stdout if "/add/" in line)
        killed.kill()
    assert "200" in added
    assert syn.findEntityId("long.bin", parent=folder) is None

    with caplog.at_level(logging.INFO, "httpx"):
        file = syn.store(File(path, parent=folder))
    assert 1 <= caplog.text.count("/add/") < 6
    assert file._file_handle["contentMd5"] == _md5(content)


def test_content_that_is_there_is_not_sent_again(
    syn: Synapse, connect: Callable[..., Synapse], folder: Folder, write: Write, caplog: pytest.LogCaptureFixture
) -> None:
    """The same file from another machine is the same upload, which is complete: no part is sent."""
    first = syn.store(File(write("a.bin", _bytes(100, seed=5)), parent=folder))
    second = Folder("second", parent=folder)
    with caplog.at_level(logging.INFO, "httpx"):
        again = connect().store(File(first.path, parent=syn.store(second)))
    assert again.dataFileHandleId == first.dataFileHandleId
    assert "/file/multipart?" in caplog.text
    assert "/add/" not in caplog.text


def test_a_range_of_a_file_is_downloaded(syn: Synapse, folder: Folder, write: Write, tmp_path: Path) -> None:
    """The signed URL serves any range: the beginning, the middle, the end, and nothing after it (416)."""
    content = _bytes(1000, seed=2)
    file = syn.store(File(write("a.bin", content), parent=folder))
    wanted = {"fileHandleId": file.dataFileHandleId, "associateObjectId": file.id, "associateObjectType": "FileEntity"}
    body = {"includePreSignedURLs": True, "includeFileHandles": True, "requestedFiles": [wanted]}
    answer = syn.restPOST("/fileHandle/batch", body=json.dumps(body), endpoint=syn.fileHandleEndpoint)
    url = answer["requestedFiles"][0]["preSignedURL"]
    assert "X-Amz-Date=" in url and "X-Amz-Expires=" in url
    for asked, expected in (("0-9", content[:10]), ("500-", content[500:]), ("-3", content[-3:])):
        response = syn._requests_session.get(url, headers={"Range": f"bytes={asked}"}, timeout=20)
        assert (response.status_code, response.content) == (206, expected)
    response = syn._requests_session.get(url, headers={"Range": "bytes=1000-1001"}, timeout=20)
    assert response.status_code == 416


@pytest.mark.lenient
def test_an_empty_file_is_accepted(
    syn: Synapse, elsewhere: Synapse, folder: Folder, write: Write, tmp_path: Path
) -> None:
    """A flag that a pipeline touches is a file like another; Synapse itself would refuse it."""
    file = syn.store(File(write("done.flag"), parent=folder))
    assert file._file_handle["contentSize"] == 0
    got = elsewhere.get(file.id, downloadLocation=str(tmp_path / "down"))
    assert Path(got.path).read_bytes() == b""


def test_storing_again_makes_a_version(syn: Synapse, folder: Folder, write: Write) -> None:
    """Each store is a version unless the caller says otherwise, even of the same content."""
    path = write("a.txt", "one")
    first = syn.store(File(path, parent=folder))
    second = syn.store(File(path, parent=folder))
    assert (second.id, second.versionNumber, second.versionLabel) == (first.id, 2, "2")
    assert second.dataFileHandleId == first.dataFileHandleId
    third = syn.store(File(write("a.txt", "three"), parent=folder), versionLabel="final")
    assert (third.id, third.versionNumber, third.versionLabel) == (first.id, 3, "final")
    assert third.dataFileHandleId != first.dataFileHandleId
    assert _versions(syn, first.id) == [3, 2, 1]


def test_without_forcing_only_other_content_makes_a_version(syn: Synapse, folder: Folder, write: Write) -> None:
    """forceVersion=False keeps the version while the content is the same, and makes one when it is not."""
    first = syn.store(File(write("a.txt", "one"), parent=folder))
    same = syn.store(File(write("a.txt", "one"), parent=folder, description="said later"), forceVersion=False)
    assert (same.id, same.versionNumber, same.description) == (first.id, 1, "said later")
    assert same.etag != first.etag
    other = syn.store(File(write("a.txt", "two"), parent=folder), forceVersion=False)
    assert (other.id, other.versionNumber, other.versionLabel) == (first.id, 2, "2")
    assert _versions(syn, first.id) == [2, 1]


def test_each_version_keeps_its_content(
    syn: Synapse, elsewhere: Synapse, folder: Folder, write: Write, tmp_path: Path
) -> None:
    """A version is got as it was, by number; without one it is the newest."""
    for content in ("one", "two", "three"):
        file = syn.store(File(write("a.txt", content), parent=folder))
    for number, content in enumerate(("one", "two", "three"), start=1):
        got = elsewhere.get(file.id, version=number, downloadLocation=str(tmp_path / str(number)))
        assert (got.versionNumber, Path(got.path).read_text()) == (number, content)
        assert got.isLatestVersion is (number == 3)
    newer = models.File(id=file.id, version_number=1, path=str(tmp_path / "newer")).get(synapse_client=elsewhere)
    assert (newer.version_number, Path(newer.path).read_text()) == (1, "one")
    assert syn.get(f"{file.id}.2", downloadFile=False).versionNumber == 2
    assert Path(elsewhere.get(file.id, downloadLocation=str(tmp_path / "last")).path).read_text() == "three"


def test_a_version_is_deleted(syn: Synapse, folder: Folder, write: Write) -> None:
    """A deleted version is gone, its number is not given again, and the last one stays."""
    for content in ("one", "two", "three"):
        file = syn.store(File(write("a.txt", content), parent=folder))
    syn.delete(file.id, version=3)
    assert syn.get(file.id, downloadFile=False).versionNumber == 2
    with pytest.raises(SynapseHTTPError) as refused:
        syn.get(file.id, version=3)
    assert status_of(refused) == 404
    assert f"Cannot find a node with id {file.id} and version 3" in str(refused.value)
    models.File(id=file.id, version_number=1).delete(version_only=True, synapse_client=syn)
    assert _versions(syn, file.id) == [2]
    with pytest.raises(SynapseHTTPError, match="Cannot delete the last version") as refused:
        syn.delete(file.id, version=2)
    assert status_of(refused) == 400
    assert syn.store(File(write("a.txt", "four"), parent=folder), versionLabel="four").versionNumber == 4


def test_file_objects(syn: Synapse, elsewhere: Synapse, folder: Folder, write: Write, tmp_path: Path) -> None:
    """The newer interface stores, does nothing when nothing changed, makes versions, and downloads."""
    path = write("a.txt", "one")
    file = models.File(path=path, parent_id=folder.id, description="first").store(synapse_client=syn)
    assert (file.version_number, file.version_label, file.is_latest_version) == (1, "1", True)
    assert (file.file_handle.content_md5, file.file_handle.content_size) == (_md5(b"one"), 3)
    assert file.data_file_handle_id == file.file_handle.id

    etag = file.etag
    file.store(synapse_client=syn)
    assert (file.etag, file.version_number) == (etag, 1)
    file.description = "second"
    file.store(synapse_client=syn)
    assert (file.version_number, file.version_label) == (2, "2")

    again = models.File(path=write("a.txt", "three"), parent_id=folder.id, force_version=False)
    again.store(synapse_client=syn)
    assert (again.id, again.version_number) == (file.id, 3)
    assert _versions(syn, file.id) == [3, 2, 1]
    got = models.File(id=file.id, path=str(tmp_path / "down")).get(synapse_client=elsewhere)
    assert Path(got.path).read_text() == "three"


def test_a_file_elsewhere_is_recorded_by_its_url(syn: Synapse, folder: Folder) -> None:
    """What is not uploaded has an external file handle, in both interfaces."""
    url = "https://example.org/reads.fastq.gz"
    file = syn.store(File(url, name="reads", parent=folder, synapseStore=False))
    assert file._file_handle["concreteType"] == EXTERNAL_FILE_HANDLE
    assert file._file_handle["externalURL"] == url
    assert syn.get(file.id, downloadFile=False).externalURL == url
    newer = models.File(name="other", external_url=url, synapse_store=False, parent_id=folder.id)
    newer.store(synapse_client=syn)
    assert newer.file_handle.external_url == url
    assert newer.id != file.id


def test_a_local_file_is_found_by_its_content(syn: Synapse, folder: Folder, write: Write) -> None:
    """A path stands for the entity with the same content, whatever its name."""
    content = _bytes(64, seed=3)
    file = syn.store(File(write("a.bin", content), parent=folder))
    path = write("copied/elsewhere.bin", content)
    assert syn.get(path).id == file.id
    assert syn.get(path, limitSearch=folder.parentId).id == file.id
    assert models.File.from_path(path, synapse_client=syn).id == file.id
    assert [one["id"] for one in syn.md5Query(_md5(content))] == [file.id]
    with pytest.raises(Exception, match="not found in Synapse"):
        syn.get(write("unknown.bin", _bytes(64, seed=4)))


def test_odd_names_and_contents(syn: Synapse, elsewhere: Synapse, folder: Folder, write: Write, tmp_path: Path) -> None:
    """A name with spaces, dots and brackets stays the same in the entity and on disk."""
    name = "A (final) v1.2 + it's_-.tar.gz"
    file = syn.store(File(write(name, b"\x00\xff"), parent=folder))
    got = elsewhere.get(file.id, downloadLocation=str(tmp_path / "down"))
    assert (got.name, Path(got.path).name) == (name, name)
    assert Path(got.path).read_bytes() == b"\x00\xff"


def test_metadata_of_the_download_are_changed(
    syn: Synapse, elsewhere: Synapse, folder: Folder, write: Write, tmp_path: Path
) -> None:
    """The name under which a file is downloaded is changed without uploading it again."""
    file = models.File(path=write("a.txt", "a"), parent_id=folder.id).store(synapse_client=syn)
    changed = models.File(id=file.id, download_file=False).change_metadata(
        name="b.txt", download_as="c.csv", content_type="text/csv", synapse_client=syn
    )
    assert (changed.id, changed.name) == (file.id, "b.txt")
    assert (changed.file_handle.file_name, changed.file_handle.content_type) == ("c.csv", "text/csv")
    assert changed.data_file_handle_id != file.data_file_handle_id
    got = models.File(id=file.id, path=str(tmp_path / "down")).get(synapse_client=elsewhere)
    assert (Path(got.path).name, Path(got.path).read_text()) == ("c.csv", "a")


def test_a_file_is_copied_with_what_made_it(syn: Synapse, folder: Folder, write: Write) -> None:
    """A copy in another folder has the bytes, the annotations and, as its provenance, the original."""
    file = models.File(path=write("a.txt", "a"), parent_id=folder.id, annotations={"x": [1]}).store(synapse_client=syn)
    target = syn.store(Folder("copies", parent=folder))
    copy = file.copy(parent_id=target.id, synapse_client=syn)
    assert copy.id != file.id
    assert (copy.parent_id, copy.name) == (target.id, "a.txt")
    assert copy.file_handle.content_md5 == file.file_handle.content_md5
    assert copy.annotations == {"x": [1]}
    [used] = syn.getProvenance(copy.id)["used"]
    assert used["reference"] == {"targetId": file.id, "targetVersionNumber": 1}
