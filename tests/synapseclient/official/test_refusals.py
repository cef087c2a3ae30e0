"""What is refused: stale etags, what belongs to somebody else, what is not there; and that it changes nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from served import endpoints, status_of
from synapseclient import Activity, File, Folder, Synapse, models
from synapseclient.core.exceptions import SynapseAuthenticationError, SynapseHTTPError

Write = Callable[..., str]


@pytest.fixture
def file(syn: Synapse, folder: Folder, write: Write) -> File:
    """Give a file with provenance, in a project that only one user may see."""
    return syn.store(File(write("a.txt", "a"), parent=folder), activity=Activity(name="mine"))


def _refused(status: int, call: Callable[[], object]) -> str:
    """Assert that `call` is refused with `status`, in the shape of Synapse's errors, and return the reason."""
    with pytest.raises(SynapseHTTPError) as refused:
        call()
    assert status_of(refused) == status
    body = refused.value.response.json()
    assert body["concreteType"] == "org.sagebionetworks.repo.model.ErrorResponse"
    return body["reason"]


def test_an_entity_that_is_out_of_date_is_not_stored(syn: Synapse, folder: Folder, write: Write) -> None:
    """Of two who read and then store, the second is refused (412), and nothing of the first is lost."""
    stored = models.File(path=write("a.txt", "a"), parent_id=folder.id).store(synapse_client=syn)
    first = models.File(id=stored.id, download_file=False).get(synapse_client=syn)
    second = models.File(id=stored.id, download_file=False).get(synapse_client=syn)
    first.description = "first"
    first.store(synapse_client=syn)
    second.description = "second"
    with pytest.raises(SynapseHTTPError, match="was updated since you last fetched it") as refused:
        second.store(synapse_client=syn)
    assert status_of(refused) == 412
    assert models.File(id=stored.id, download_file=False).get(synapse_client=syn).description == "first"


def test_linking_an_activity_makes_the_entity_out_of_date(syn: Synapse, folder: Folder, write: Write) -> None:
    """As on Synapse, provenance is part of the entity: who read it before has to read it again (412)."""
    file = models.File(path=write("a.txt", "a"), parent_id=folder.id)
    file.activity = models.Activity(name="made it")
    file.store(synapse_client=syn)
    file.description = "x"
    with pytest.raises(SynapseHTTPError) as refused:
        file.store(synapse_client=syn)
    assert status_of(refused) == 412


def test_somebody_else_sees_nothing(syn: Synapse, other: Synapse, folder: Folder, file: File) -> None:
    """Without READ an entity, its annotations, its children and its provenance are refused (403)."""
    activity = syn.getProvenance(file.id)["id"]
    for call in (
        lambda: other.get(file.id, downloadFile=False),
        lambda: other.get(file.id, version=1, downloadFile=False),
        lambda: other.get_annotations(file.id),
        lambda: list(other.getChildren(folder.id)),
        lambda: other.restGET(f"/entity/{file.id}/version"),
        lambda: other.restGET(f"/activity/{activity}"),
        lambda: other.getProvenance(file.id),
        lambda: other.getProvenance(file.id, version=1),
    ):
        assert _refused(403, call)
    assert other.md5Query(file._file_handle["contentMd5"]) == []


def test_somebody_else_changes_nothing(syn: Synapse, other: Synapse, folder: Folder, file: File, write: Write) -> None:
    """Without rights nothing is stored, changed, linked or deleted (403)."""
    activity = syn.getProvenance(file.id)
    before = syn.get(file.id, downloadFile=False)
    for call in (
        lambda: other.store(Folder("theirs", parent=folder.id)),
        lambda: other.store(File(write("theirs.txt", "t"), parent=folder.id)),
        lambda: other.set_annotations(syn.get_annotations(file.id)),
        lambda: other.setProvenance(file.id, Activity(name="theirs")),
        lambda: other.updateActivity(Activity(data=dict(activity))),
        lambda: other.deleteProvenance(file.id),
        lambda: other.restDELETE(f"/activity/{activity['id']}"),
        lambda: other.delete(file.id),
        lambda: other.delete(file.id, version=1),
        lambda: other.delete(folder.id),
    ):
        assert _refused(403, call)
    after = syn.get(file.id, downloadFile=False)
    assert (after.etag, after.versionNumber) == (before.etag, before.versionNumber)
    assert syn.getProvenance(file.id) == activity
    assert [child["id"] for child in syn.getChildren(folder)] == [file.id]


def test_somebody_else_s_file_handle_cannot_be_used(syn: Synapse, other: Synapse, folder: Folder, file: File) -> None:
    """A file handle belongs to its creator: other users neither read it nor put it into an entity (403)."""
    number = file.dataFileHandleId
    _refused(403, lambda: other.restGET(f"/fileHandle/{number}", endpoint=other.fileHandleEndpoint))
    project = models.Project(name="of somebody else").store(synapse_client=other)
    _refused(403, lambda: other.store(File(name="stolen", parent=project.id, dataFileHandleId=number)))
    wanted = {"fileHandleId": number, "associateObjectId": file.id, "associateObjectType": "FileEntity"}
    body = json.dumps({"includePreSignedURLs": True, "includeFileHandles": True, "requestedFiles": [wanted]})
    answer = other.restPOST("/fileHandle/batch", body=body, endpoint=other.fileHandleEndpoint)
    [result] = answer["requestedFiles"]
    assert result["failureCode"] == "UNAUTHORIZED"
    assert "preSignedURL" not in result and "fileHandle" not in result


def test_an_activity_is_linked_by_its_creator_only(syn: Synapse, other: Synapse, file: File, write: Write) -> None:
    """An activity of somebody else cannot be given as what made one's own file (403)."""
    activity = syn.getProvenance(file.id)
    project = models.Project(name="with an activity of somebody else").store(synapse_client=other)
    mine = other.store(File(write("mine.txt", "m"), parent=project.id))
    _refused(403, lambda: other.restPUT(f"/entity/{mine.id}/generatedBy?generatedBy={activity['id']}"))
    assert _refused(404, lambda: other.getProvenance(mine.id)) == "No activity"


def test_sharing_gives_what_is_said(syn: Synapse, other: Synapse, folder: Folder, file: File, write: Write) -> None:
    """Who is given READ and DOWNLOAD on the project reads and downloads, and still changes nothing."""
    number = other.getUserProfile()["ownerId"]
    assert syn.getPermissions(folder.parentId, number) == []
    syn.setPermissions(folder.parentId, number, accessType=["READ", "DOWNLOAD"], warn_if_inherits=False)
    assert sorted(syn.getPermissions(folder.parentId, number)) == ["DOWNLOAD", "READ"]

    assert Path(other.get(file.id).path).read_text() == "a"
    assert other.getProvenance(file.id)["name"] == "mine"
    permissions = other.get_permissions(file.id)
    assert (permissions.can_view, permissions.can_download, permissions.can_edit) == (True, True, False)
    assert syn.get_permissions(file.id).can_change_permissions
    _refused(403, lambda: other.setProvenance(file.id, Activity(name="theirs")))
    _refused(403, lambda: other.delete(file.id))

    syn.setPermissions(folder.parentId, number, accessType=[], warn_if_inherits=False)
    _refused(403, lambda: other.get(file.id, downloadFile=False))


def test_nobody_sees_what_is_not_public(syn: Synapse, folder: Folder, file: File, write: Write) -> None:
    """Without a token what is not public is refused (403), and what is made public can be read."""
    nobody = Synapse(skip_checks=True, **endpoints())

    def refused(call: Callable[[], object]) -> None:
        with pytest.raises(SynapseAuthenticationError, match="You are not logged in") as said:
            call()
        assert said.value.__cause__.response.status_code == 403

    refused(lambda: nobody.restGET(f"/entity/{file.id}"))
    refused(lambda: nobody.restPOST("/activity", body=json.dumps({"name": "x", "used": []})))
    syn.setPermissions(folder.parentId, "PUBLIC", accessType=["READ"], warn_if_inherits=False)
    assert nobody.restGET(f"/entity/{file.id}")["name"] == "a.txt"
    refused(lambda: nobody.restDELETE(f"/entity/{file.id}"))


def test_messages_to_others_are_refused(syn: Synapse, other: Synapse) -> None:
    """A note to oneself is taken, which ends every synchronisation; one to somebody else would never arrive (403)."""
    mine, theirs = (client.getUserProfile()["ownerId"] for client in (syn, other))
    assert syn.sendMessage([mine], "done", "all files are there")["recipients"] == [mine]
    assert "delivers no messages" in _refused(403, lambda: syn.sendMessage([theirs], "hello", "are you there?"))


def test_what_is_not_there(syn: Synapse, project: object) -> None:
    """Unknown entities, versions and activities are 404; malformed ids and invalid bodies are 400."""
    for path in ("/entity/syn999999999", "/entity/syn999999999/version", "/activity/999999999", "/activity/syn1"):
        assert _refused(404, lambda path=path: syn.restGET(path))
    assert _refused(404, lambda: syn.getProvenance("syn999999999"))
    assert _refused(404, lambda: syn.store(Folder("lost", parent="syn999999999")))
    assert _refused(400, lambda: syn.restGET("/entity/penguin"))
    assert _refused(400, lambda: syn.restPOST("/activity", body="{"))
    assert _refused(400, lambda: syn.restPOST("/activity", body=json.dumps({"used": [{"url": "x"}]})))
    assert _refused(404, lambda: syn.restGET("/no/such/service"))
