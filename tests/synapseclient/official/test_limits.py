"""What a token that is good for less allows, and what this server has not got: access requirements."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from served import OTHER_VIEW_TOKEN, status_of
from synapseclient import Activity, File, Folder, Synapse, models
from synapseclient.core.exceptions import SynapseHTTPError

Write = Callable[..., str]

EVERYTHING = ["READ", "DOWNLOAD", "CREATE", "UPDATE", "DELETE"]


@pytest.fixture
def file(syn: Synapse, other: Synapse, folder: Folder, write: Write) -> File:
    """Give a file with provenance, in a project in which somebody else may do nearly everything too."""
    number = other.getUserProfile()["ownerId"]
    syn.setPermissions(folder.parentId, number, accessType=EVERYTHING, warn_if_inherits=False)
    return syn.store(File(write("a.txt", "limits"), parent=folder), activity=Activity(name="mine"))


@pytest.fixture
def viewer(connect: Callable[..., Synapse], file: File) -> Synapse:
    """Give a client of that somebody whose token is good for looking only."""
    return connect(OTHER_VIEW_TOKEN)


def _refused(call: Callable[[], object]) -> str:
    with pytest.raises(SynapseHTTPError) as refused:
        call()
    assert status_of(refused) == 403
    return refused.value.response.json()["reason"]


def test_a_token_for_looking_looks(viewer: Synapse, other: Synapse, file: File) -> None:
    """It is the same user: entity, annotations, children and provenance are shown."""
    assert viewer.getUserProfile()["ownerId"] == other.getUserProfile()["ownerId"]
    assert viewer.get(file.id, downloadFile=False).name == "a.txt"
    assert viewer.getProvenance(file.id)["name"] == "mine"
    assert dict(viewer.get_annotations(file.id)) == {}
    assert [child["id"] for child in viewer.getChildren(file.parentId)] == [file.id]
    assert models.Activity.get(parent_id=file.id, synapse_client=viewer).name == "mine"


def test_a_token_for_looking_downloads_nothing(viewer: Synapse, other: Synapse, file: File, tmp_path: Path) -> None:
    """The client gets no file handle and warns; a request for the bytes is refused."""
    got = viewer.get(file.id, downloadLocation=str(tmp_path / "viewer"))
    assert got.path is None and not (tmp_path / "viewer").exists()
    wanted = {"fileHandleId": file.dataFileHandleId, "associateObjectId": file.id, "associateObjectType": "FileEntity"}
    body = json.dumps({"includePreSignedURLs": True, "includeFileHandles": True, "requestedFiles": [wanted]})
    answer = viewer.restPOST("/fileHandle/batch", body=body, endpoint=viewer.fileHandleEndpoint)
    assert answer["requestedFiles"][0]["failureCode"] == "UNAUTHORIZED"

    assert Path(other.get(file.id, downloadLocation=str(tmp_path / "other")).path).read_text() == "limits"


def test_a_token_for_looking_changes_nothing(viewer: Synapse, syn: Synapse, file: File, write: Write) -> None:
    """The reason names the scope that is missing; the user would be allowed to."""
    before = syn.get(file.id, downloadFile=False)
    for call in (
        lambda: viewer.store(Folder("theirs", parent=file.parentId)),
        lambda: viewer.store(File(write("theirs.txt", "t"), parent=file.parentId)),
        lambda: viewer.set_annotations(syn.get_annotations(file.id)),
        lambda: viewer.setProvenance(file.id, Activity(name="theirs")),
        lambda: models.Activity(name="theirs").store(synapse_client=viewer),
        lambda: models.Folder(name="theirs", parent_id=file.parentId).store(synapse_client=viewer),
        lambda: viewer.deleteProvenance(file.id),
        lambda: viewer.delete(file.id),
    ):
        assert "lacks the scope 'modify'" in _refused(call)
    after = syn.get(file.id, downloadFile=False)
    assert (after.etag, after.versionNumber) == (before.etag, before.versionNumber)


def test_restricting_a_file_is_refused_aloud(syn: Synapse, folder: Folder, write: Write) -> None:
    """This server has no access requirements: rather than seem restricted, the store fails (403) and says what to do.

    The client asks after it has stored the file, which is then there like any other.
    """
    path = write("a.txt", "a")
    assert "has no access requirements" in _refused(lambda: syn.store(File(path, parent=folder), isRestricted=True))
    stored = syn.get(syn.findEntityId("a.txt", parent=folder))
    assert (stored.versionNumber, Path(stored.path).read_text()) == (1, "a")
