"""Provenance as the client's functions store, give, change and delete it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from served import status_of
from synapseclient import Activity, File, Folder, Synapse
from synapseclient.core.exceptions import SynapseHTTPError, SynapseProvenanceError

Write = Callable[..., str]

USED_ENTITY = "org.sagebionetworks.repo.model.provenance.UsedEntity"
USED_URL = "org.sagebionetworks.repo.model.provenance.UsedURL"


def entity(target: str, version: int | None, *, executed: bool = False) -> dict[str, Any]:
    """Return how an entity that was used is told."""
    reference: dict[str, Any] = {"targetId": target}
    if version is not None:
        reference["targetVersionNumber"] = version
    return {"concreteType": USED_ENTITY, "reference": reference, "wasExecuted": executed}


def url(address: str, name: str | None, *, executed: bool = False) -> dict[str, Any]:
    """Return how a URL that was used is told."""
    item: dict[str, Any] = {"concreteType": USED_URL, "url": address, "wasExecuted": executed}
    return item if name is None else {**item, "name": name}


@pytest.fixture
def file(syn: Synapse, folder: Folder, write: Write) -> File:
    """Give a file without provenance."""
    return syn.store(File(write("out.txt", "out"), parent=folder))


@pytest.fixture
def inputs(syn: Synapse, folder: Folder, write: Write) -> list[File]:
    """Give three files that can be used; the third has two versions."""
    files = [syn.store(File(write(f"in{number}.txt", str(number)), parent=folder)) for number in (1, 2, 3)]
    return [*files[:2], syn.store(File(write("in3.txt", "three again"), parent=folder))]


def test_an_activity_is_stored_with_a_file(syn: Synapse, folder: Folder, write: Write, inputs: list[File]) -> None:
    """`store(activity=)` keeps name, description and everything used, in order, each entity at its version."""
    one, two, three = inputs
    activity = Activity(
        name="clustering", description="whizzy clustering", used=[one.id, "http://a.org/b"], executed=two
    )
    activity.used(target=three, targetVersion=1)
    activity.executed(url="http://a.org/code", name="Gnarly hacks")
    stored = syn.store(File(write("clustered.csv", "c"), parent=folder), activity=activity)

    got = syn.getProvenance(stored)
    assert (got["name"], got["description"]) == ("clustering", "whizzy clustering")
    assert got["used"] == [
        entity(one.id, 1),
        url("http://a.org/b", "http://a.org/b"),
        entity(two.id, 1, executed=True),
        entity(three.id, 1),
        url("http://a.org/code", "Gnarly hacks", executed=True),
    ]
    assert got["createdBy"] == got["modifiedBy"] == syn.getUserProfile()["ownerId"]
    assert got["id"].isdigit() and got["etag"]
    assert got["createdOn"].endswith("Z") and got["createdOn"] == got["modifiedOn"]


def test_used_and_executed_are_stored_with_a_file(syn: Synapse, folder: Folder, write: Write) -> None:
    """`store(used=, executed=, activityName=, activityDescription=)` makes the activity."""
    stored = syn.store(
        File(write("excellent.csv", "e"), parent=folder),
        used="http://a.org/data",
        executed="http://a.org/get",
        activityName="download",
        activityDescription="downloaded from data-r-us",
    )
    got = syn.getProvenance(stored.id)
    assert (got["name"], got["description"]) == ("download", "downloaded from data-r-us")
    assert got["used"] == [
        url("http://a.org/data", "http://a.org/data"),
        url("http://a.org/get", "http://a.org/get", executed=True),
    ]


FORMS: dict[str, tuple[Callable[[list[File]], Activity], Callable[[list[File]], list[dict[str, Any]]]]] = {
    "an id": (lambda files: Activity(used=files[0].id), lambda files: [entity(files[0].id, 1)]),
    "an id takes the current version": (
        lambda files: Activity(used=files[2].id),
        lambda files: [entity(files[2].id, 2)],
    ),
    "an id with a version": (
        lambda files: Activity(used=f"{files[2].id}.1"),
        lambda files: [entity(files[2].id, 1)],
    ),
    "an entity that is not there": (
        lambda files: Activity(used="syn999999999"),
        lambda files: [entity("syn999999999", None)],
    ),
    "an entity": (lambda files: Activity(executed=files[2]), lambda files: [entity(files[2].id, 2, executed=True)]),
    "a list": (
        lambda files: Activity(used=[files[0], files[1].id]),
        lambda files: [entity(files[0].id, 1), entity(files[1].id, 1)],
    ),
    "a reference": (
        lambda files: Activity(
            used=[{"reference": {"targetId": files[2].id, "targetVersionNumber": 1}, "wasExecuted": True}]
        ),
        lambda files: [entity(files[2].id, 1, executed=True)],
    ),
    "a URL": (
        lambda files: Activity(used="ftp://a.org/x%20y?z=1#t"),
        lambda files: [url("ftp://a.org/x%20y?z=1#t", "ftp://a.org/x%20y?z=1#t")],
    ),
    "a URL as a dictionary": (
        lambda files: Activity(executed={"url": "https://a.org/é", "name": "Ünïcode 🐧"}),
        lambda files: [url("https://a.org/é", "Ünïcode 🐧", executed=True)],
    ),
    "the same thing twice": (
        lambda files: Activity(used=[files[0].id, files[0].id], executed=files[0].id),
        lambda files: [entity(files[0].id, 1), entity(files[0].id, 1, executed=True)],
    ),
    "nothing": (lambda files: Activity(name="by hand"), lambda files: []),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_what_was_used(syn: Synapse, file: File, inputs: list[File], form: str) -> None:
    """Whatever the form in which a use is said, it comes back as what it means."""
    make, expected = FORMS[form]
    syn.setProvenance(file, make(inputs))
    assert syn.getProvenance(file.id)["used"] == expected(inputs)


@pytest.mark.lenient
@pytest.mark.parametrize("address", ["s3://bucket/key", "docker://ubuntu:24.04", "git+ssh://a.org/b.git@1a2b3c"])
def test_urls_of_pipelines_are_accepted(syn: Synapse, file: File, address: str) -> None:
    """Schemes that Synapse does not know are kept as they are."""
    syn.setProvenance(file, Activity(used={"url": address, "name": "there"}))
    assert syn.getProvenance(file.id)["used"] == [url(address, "there")]


def test_each_version_has_its_own_provenance(syn: Synapse, folder: Folder, write: Write) -> None:
    """Without a version it is the newest's; a new version starts with none (404)."""
    path = write("a.txt", "one")
    first = syn.store(File(path, parent=folder), activity=Activity(name="first"))
    second = syn.store(File(write("a.txt", "two"), parent=folder), activity=Activity(name="second"))
    assert (first.id, second.versionNumber) == (second.id, 2)
    assert syn.getProvenance(first.id)["name"] == "second"
    assert syn.getProvenance(first.id, version=1)["name"] == "first"
    assert syn.getProvenance(syn.get(first.id, version=1, downloadFile=False))["name"] == "first"

    third = syn.store(File(write("a.txt", "three"), parent=folder))
    assert third.versionNumber == 3
    for arguments in ({"entity": first.id}, {"entity": first.id, "version": 3}, {"entity": third}):
        with pytest.raises(SynapseHTTPError, match="No activity") as refused:
            syn.getProvenance(**arguments)
        assert status_of(refused) == 404
    with pytest.raises(SynapseHTTPError) as refused:
        syn.getProvenance(first.id, version=4)
    assert status_of(refused) == 404


def test_provenance_is_set_and_replaced(syn: Synapse, file: File) -> None:
    """Setting links the activity, changes the entity's etag and makes no version."""
    first = syn.setProvenance(file.id, Activity(name="first"))
    assert isinstance(first, Activity)
    assert first["name"] == "first"
    changed = syn.get(file.id, downloadFile=False)
    assert (changed.versionNumber, changed.etag != file.etag) == (1, True)
    second = syn.setProvenance(file.id, Activity(name="second"))
    assert second["id"] != first["id"]
    assert syn.getProvenance(file.id) == second


def test_an_activity_is_changed(syn: Synapse, file: File) -> None:
    """An update keeps id and creation and gives a new etag; one with the old etag is refused (412)."""
    stored = syn.setProvenance(file.id, Activity(name="first", used="http://a.org/x"))
    old = dict(stored)
    stored["name"] = "second"
    stored.used("http://a.org/y")
    updated = syn.updateActivity(stored)
    assert (updated["id"], updated["createdOn"], updated["name"]) == (old["id"], old["createdOn"], "second")
    assert updated["etag"] != old["etag"]
    assert syn.getProvenance(file.id) == updated
    assert [item["url"] for item in updated["used"]] == ["http://a.org/x", "http://a.org/y"]

    with pytest.raises(SynapseHTTPError, match="was updated since you last fetched it") as refused:
        syn.updateActivity(Activity(data={**old, "name": "third"}))
    assert status_of(refused) == 412
    assert syn.getProvenance(file.id)["name"] == "second"


def test_one_activity_makes_several_files(syn: Synapse, folder: Folder, file: File, write: Write) -> None:
    """A stored activity is linked, not copied; what it generated is listed with its true count."""
    activity = syn.setProvenance(file, Activity(name="both"))
    sibling = syn.store(File(write("sibling.txt", "s"), parent=folder), activity=activity)
    assert syn.getProvenance(sibling)["id"] == activity["id"]
    generated = syn.restGET(f"/activity/{activity['id']}/generated?limit=1&offset=0")
    assert (len(generated["results"]), generated["totalNumberOfResults"]) == (1, 2)
    both = syn.restGET(f"/activity/{activity['id']}/generated")["results"]
    assert sorted(one["targetId"] for one in both) == sorted([file.id, sibling.id])
    assert {one["targetVersionNumber"] for one in both} == {1}


def test_provenance_is_deleted(syn: Synapse, file: File) -> None:
    """Deleting unlinks and deletes the activity."""
    activity = syn.setProvenance(file, Activity(name="short-lived"))
    syn.deleteProvenance(file)
    with pytest.raises(SynapseHTTPError) as refused:
        syn.getProvenance(file.id)
    assert status_of(refused) == 404
    with pytest.raises(SynapseHTTPError, match=f"Activity with id '{activity['id']}' could not be found") as refused:
        syn.restGET(f"/activity/{activity['id']}")
    assert status_of(refused) == 404


def test_a_shared_activity_outlives_the_first_that_is_unlinked(
    syn: Synapse, folder: Folder, file: File, write: Write
) -> None:
    """While another entity is linked the activity cannot be deleted (400), in the trash too."""
    activity = syn.setProvenance(file, Activity(name="shared"))
    sibling = syn.store(File(write("sibling.txt", "s"), parent=folder), activity=activity)
    with pytest.raises(SynapseHTTPError, match="please first delete all Entities generated by this") as refused:
        syn.deleteProvenance(file)
    assert status_of(refused) == 400
    with pytest.raises(SynapseHTTPError, match="No activity"):
        syn.getProvenance(file.id)
    assert syn.getProvenance(sibling)["id"] == activity["id"]

    syn.delete(sibling)
    with pytest.raises(SynapseHTTPError) as refused:
        syn.restDELETE(f"/activity/{activity['id']}")
    assert status_of(refused) == 400
    assert syn.restGET(f"/activity/{activity['id']}")["name"] == "shared"


def test_activity_and_used_together_are_the_client_s_error(syn: Synapse, folder: Folder, write: Write) -> None:
    """The client refuses both at once, after it has stored the file; the server keeps the file without provenance."""
    with pytest.raises(SynapseProvenanceError):
        syn.store(File(write("both.txt", "b"), parent=folder), activity=Activity(name="x"), used="http://a.org/x")
    with pytest.raises(SynapseHTTPError, match="No activity"):
        syn.getProvenance(syn.findEntityId("both.txt", parent=folder))
