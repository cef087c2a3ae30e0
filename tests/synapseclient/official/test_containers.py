"""Projects and folders: making, finding, listing, walking, moving, annotating and deleting them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import synapseutils
from served import status_of
from synapseclient import Annotations, File, Folder, Project, Synapse, models
from synapseclient.core.exceptions import SynapseHTTPError

Write = Callable[..., str]


def test_storing_a_project_makes_it_or_finds_it(syn: Synapse, project: Project) -> None:
    """Storing by the same name again is the same project, with what is said now."""
    assert project.id.startswith("syn")
    assert project.createdBy == project.modifiedBy == syn.getUserProfile()["ownerId"]
    again = syn.store(Project(project.name, description="penguins"))
    assert again.id == project.id
    assert again.description == "penguins"
    assert syn.get(project.id).description == "penguins"
    with pytest.raises(SynapseHTTPError) as refused:
        syn.store(Project(project.name), createOrUpdate=False)
    assert status_of(refused) == 409
    assert f"An entity with the name: {project.name} already exists" in str(refused.value)


def test_storing_project_and_folder_objects(syn: Synapse) -> None:
    """The objects of the newer interface make, find and change projects and folders."""
    project = models.Project(name="objects of the newer interface", description="first").store(synapse_client=syn)
    folder = models.Folder(name="results", parent_id=project.id).store(synapse_client=syn)
    assert folder.parent_id == project.id
    assert folder.created_by == project.created_by == syn.getUserProfile()["ownerId"]

    again = models.Project(name=project.name, description="second").store(synapse_client=syn)
    assert (again.id, again.description) == (project.id, "second")
    assert again.etag != project.etag
    read = models.Project(id=project.id).get(synapse_client=syn)
    assert (read.name, read.description, read.etag) == (project.name, "second", again.etag)
    assert models.Folder(name="results", parent_id=project.id).get(synapse_client=syn).id == folder.id
    read.delete(synapse_client=syn)
    assert syn.findEntityId(project.name) is None


def test_children_are_found_and_listed(syn: Synapse, project: Project, write: Write) -> None:
    """Children are listed by type, in pages that the client does not show, and found by name."""
    folders = [syn.store(Folder(f"folder {number:03}", parent=project)) for number in range(60)]
    file = syn.store(File(write("a.txt", "a"), parent=project))

    children = list(syn.getChildren(project))
    assert [child["id"] for child in children if child["type"].endswith("Folder")] == [one.id for one in folders]
    [header] = syn.getChildren(project, includeTypes=["file"])
    assert (header["id"], header["name"], header["versionNumber"]) == (file.id, "a.txt", 1)
    assert header["type"] == "org.sagebionetworks.repo.model.FileEntity"
    assert project.id in {one["id"] for one in syn.getChildren(None, includeTypes=["project"])}

    assert syn.findEntityId("a.txt", parent=project) == file.id
    assert syn.findEntityId("folder 007", parent=project.id) == folders[7].id
    assert syn.findEntityId(project.name) == project.id
    assert syn.findEntityId("A.TXT", parent=project) is None


def test_walking_meets_everything_once(syn: Synapse, project: Project, write: Write) -> None:
    """A walk gives every folder and file with its path and id."""
    outer = syn.store(Folder("outer", parent=project))
    inner = syn.store(Folder("inner", parent=outer))
    one = syn.store(File(write("one.txt", "1"), parent=project))
    two = syn.store(File(write("two.txt", "2"), parent=inner))

    walked = list(synapseutils.walk(syn, project.id))
    assert walked == [
        ((project.name, project.id), [("outer", outer.id)], [("one.txt", one.id)]),
        ((f"{project.name}/outer", outer.id), [("inner", inner.id)], []),
        ((f"{project.name}/outer/inner", inner.id), [], [("two.txt", two.id)]),
    ]
    newer = [
        (here[1], [folder.id for folder in folders], [file.id for file in files])
        for here, folders, files in models.Project(id=project.id).walk(synapse_client=syn)
    ]
    assert newer == [(project.id, [outer.id], [one.id]), (outer.id, [inner.id], []), (inner.id, [], [two.id])]


def test_moving_and_renaming(syn: Synapse, project: Project, write: Write) -> None:
    """An entity keeps its id wherever it goes."""
    folder = syn.store(Folder("folder", parent=project))
    file = syn.store(File(write("a.txt", "a"), parent=project))
    moved = syn.move(file, folder)
    assert (moved.id, moved.parentId) == (file.id, folder.id)
    assert syn.findEntityId("a.txt", parent=project) is None
    moved.name = "b.txt"
    renamed = syn.store(moved, forceVersion=False)
    assert (renamed.id, renamed.name, renamed.versionNumber) == (file.id, "b.txt", 1)
    assert syn.findEntityId("b.txt", parent=folder) == file.id


def test_annotations_of_every_type(syn: Synapse, folder: Folder, write: Write) -> None:
    """Annotations come back as they went, each value of its own type, in both interfaces."""
    values = {"tissue": ["brain", "liver"], "count": [3, 4], "ratio": [0.5], "good": [True, False]}
    file = syn.store(File(write("a.txt", "a"), parent=folder, annotations=values))
    read = syn.get_annotations(file)
    assert dict(read) == values
    assert read.id == file.id

    read["tissue"] = ["heart"]
    del read["count"]
    syn.set_annotations(read)
    expected = {"tissue": ["heart"], "ratio": [0.5], "good": [True, False]}
    assert dict(syn.get_annotations(file.id)) == expected
    assert syn.get(file.id, downloadFile=False).annotations == expected

    newer = models.File(id=file.id, download_file=False).get(synapse_client=syn)
    assert newer.annotations == expected
    newer.annotations = {"depth": [7]}
    newer.store(synapse_client=syn)
    assert dict(syn.get_annotations(file.id)) == {"depth": [7]}
    folder_object = models.Folder(name="annotated", parent_id=folder.id, annotations={"x": ["y"]})
    stored = folder_object.store(synapse_client=syn)
    assert dict(syn.get_annotations(stored.id)) == {"x": ["y"]}


def test_annotations_that_are_out_of_date_change_nothing(syn: Synapse, folder: Folder) -> None:
    """Of two who read and then write, the second is refused (412)."""
    first = syn.get_annotations(folder)
    second = syn.get_annotations(folder)
    first["by"] = ["first"]
    syn.set_annotations(first)
    with pytest.raises(SynapseHTTPError) as refused:
        syn.set_annotations(Annotations(second.id, second.etag, {"by": ["second"]}))
    assert status_of(refused) == 412
    assert syn.get_annotations(folder)["by"] == ["first"]


def test_what_is_deleted_is_in_the_trash(syn: Synapse, project: Project, folder: Folder, write: Write) -> None:
    """A deleted folder takes what is in it along, says where it is, and leaves its name to others."""
    file = syn.store(File(write("a.txt", "a"), parent=folder))
    syn.delete(folder)
    for gone in (folder.id, file.id):
        with pytest.raises(SynapseHTTPError) as refused:
            syn.get(gone)
        assert status_of(refused) == 404
        assert f"Entity {gone} is in trash can." in str(refused.value)
    assert list(syn.getChildren(project)) == []
    assert syn.findEntityId("results", parent=project) is None
    assert syn.store(Folder("results", parent=project)).id != folder.id


def test_an_object_deletes_itself(syn: Synapse, folder: Folder, write: Write) -> None:
    """The objects of the newer interface delete files and folders."""
    file = models.File(path=write("a.txt", "a"), parent_id=folder.id).store(synapse_client=syn)
    file.delete(synapse_client=syn)
    with pytest.raises(SynapseHTTPError, match=f"Entity {file.id} is in trash can"):
        models.File(id=file.id).get(synapse_client=syn)
    models.Folder(id=folder.id).delete(synapse_client=syn)
    with pytest.raises(SynapseHTTPError, match=f"Entity {folder.id} is in trash can"):
        models.Folder(id=folder.id).get(synapse_client=syn)
