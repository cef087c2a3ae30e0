"""Provenance as the objects of the client's newer interface store, give, change and delete it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from served import status_of
from synapseclient import Folder, Synapse
from synapseclient.core.exceptions import SynapseHTTPError
from synapseclient.models import Activity, File, UsedEntity, UsedURL

Write = Callable[..., str]


@pytest.fixture
def source(syn: Synapse, folder: Folder, write: Write) -> File:
    """Give a file that can be used."""
    return File(path=write("in.txt", "in"), parent_id=folder.id).store(synapse_client=syn)


def _make(syn: Synapse, folder: Folder, path: str, activity: Activity | None) -> File:
    return File(path=path, parent_id=folder.id, activity=activity).store(synapse_client=syn)


def test_an_activity_is_stored_with_a_file(syn: Synapse, folder: Folder, write: Write, source: File) -> None:
    """Name, description, and what was used and executed, each entity at its version, come back with the file."""
    activity = Activity(
        name="clustering",
        description="whizzy",
        used=[UsedEntity(target_id=source.id), UsedURL(name="data", url="https://a.org/data")],
        executed=[UsedEntity(target_id=source.id, target_version_number=1), UsedURL(url="https://a.org/code")],
    )
    file = _make(syn, folder, write("out.txt", "out"), activity)
    got = File(id=file.id, download_file=False).get(include_activity=True, synapse_client=syn).activity
    assert (got.name, got.description) == ("clustering", "whizzy")
    assert got.used == [UsedEntity(source.id, 1), UsedURL(name="data", url="https://a.org/data")]
    assert got.executed == [UsedEntity(source.id, 1), UsedURL(name=None, url="https://a.org/code")]
    assert got.id == file.activity.id and got.id.isdigit()
    assert got.created_by == syn.getUserProfile()["ownerId"]
    assert File(id=file.id, download_file=False).get(synapse_client=syn).activity is None


def test_an_activity_is_got_by_id_and_by_version(syn: Synapse, folder: Folder, write: Write) -> None:
    """It is found by its own id, by a file, and by a version of it; the answer is None where there is none."""
    first = _make(syn, folder, write("a.txt", "one"), Activity(name="first"))
    number = first.activity.id
    second = _make(syn, folder, write("a.txt", "two"), Activity(name="second"))
    assert (second.id, second.version_number) == (first.id, 2)
    assert Activity.get(activity_id=number, synapse_client=syn).name == "first"
    assert Activity.get(parent_id=first.id, synapse_client=syn).name == "second"
    assert Activity.get(parent_id=first.id, parent_version_number=1, synapse_client=syn).name == "first"
    assert Activity.from_parent(f"{first.id}.1", synapse_client=syn).id == number
    plain = _make(syn, folder, write("b.txt", "b"), None)
    assert Activity.from_parent(plain, synapse_client=syn) is None
    for unknown in ("999999999", "syn999999999"):
        assert Activity.get(activity_id=unknown, synapse_client=syn) is None


def test_an_activity_is_stored_for_a_parent_and_changed(syn: Synapse, folder: Folder, write: Write) -> None:
    """It can be linked to a file that is there, and changed by itself; an old etag is refused (412)."""
    file = _make(syn, folder, write("a.txt", "a"), None)
    activity = Activity(name="first").store(parent=file, synapse_client=syn)
    etag = activity.etag
    assert Activity.from_parent(file, synapse_client=syn).name == "first"
    activity.name = "second"
    activity.used = [UsedURL(url="https://a.org/x")]
    activity.store(synapse_client=syn)
    got = Activity.get(activity_id=activity.id, synapse_client=syn)
    assert (got.name, got.used) == ("second", [UsedURL(url="https://a.org/x")])
    assert got.etag == activity.etag != etag

    got.etag, got.name = etag, "third"
    with pytest.raises(SynapseHTTPError, match="was updated since you last fetched it") as refused:
        got.store(synapse_client=syn)
    assert status_of(refused) == 412
    assert Activity.from_parent(file, synapse_client=syn).name == "second"


def test_an_activity_goes_to_a_new_version_only_when_asked(syn: Synapse, folder: Folder, write: Write) -> None:
    """A new version has no activity, unless the caller wants that of the version before."""
    first = _make(syn, folder, write("a.txt", "one"), Activity(name="first"))
    kept = File(path=write("a.txt", "two"), parent_id=folder.id, associate_activity_to_new_version=True)
    kept.store(synapse_client=syn)
    assert kept.version_number == 2
    assert Activity.from_parent(first.id, synapse_client=syn).id == first.activity.id
    third = _make(syn, folder, write("a.txt", "three"), None)
    assert third.version_number == 3
    assert Activity.from_parent(first.id, synapse_client=syn) is None
    assert Activity.from_parent(first.id, parent_version_number=2, synapse_client=syn).id == first.activity.id


def test_a_shared_activity_is_unlinked_and_deleted(syn: Synapse, folder: Folder, write: Write) -> None:
    """Deleting it for the first of two files only unlinks (400); for the second it is gone."""
    one = _make(syn, folder, write("one.txt", "1"), Activity(name="shared"))
    number = one.activity.id
    two = _make(syn, folder, write("two.txt", "2"), one.activity)
    assert Activity.from_parent(two, synapse_client=syn).id == number

    with pytest.raises(SynapseHTTPError, match="please first delete all Entities generated by this") as refused:
        Activity.delete(one, synapse_client=syn)
    assert status_of(refused) == 400
    assert Activity.from_parent(one.id, synapse_client=syn) is None
    Activity.delete(two, synapse_client=syn)
    assert Activity.from_parent(two.id, synapse_client=syn) is None
    assert Activity.get(activity_id=number, synapse_client=syn) is None


def test_an_activity_stays_when_it_is_only_unlinked(syn: Synapse, folder: Folder, write: Write) -> None:
    """Disassociating removes the link and keeps the activity."""
    file = _make(syn, folder, write("a.txt", "a"), Activity(name="kept"))
    number = file.activity.id
    Activity.disassociate_from_entity(file, synapse_client=syn)
    assert file.activity is None
    assert Activity.from_parent(file.id, synapse_client=syn) is None
    assert Activity.get(activity_id=number, synapse_client=syn).name == "kept"
