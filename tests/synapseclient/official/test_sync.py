"""Whole folders: from disk to the server by a manifest with provenance, and back to disk with a manifest."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import pytest
import synapseutils
from synapseclient import File, Folder, Synapse, models

Write = Callable[..., str]


def _manifest(path: Path, rows: list[dict[str, str]], *, delimiter: str) -> str:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]), delimiter=delimiter)
        writer.writeheader()
        writer.writerows(rows)
    return str(path)


def _rows(path: Path, *, delimiter: str) -> dict[str, dict[str, str]]:
    with path.open(newline="") as file:
        return {row["name"]: row for row in csv.DictReader(file, delimiter=delimiter)}


def _columns(rows: list[dict[str, str]], *names: str) -> list[dict[str, str]]:
    return [{name: row.get(name, "") for name in names} for row in rows]


@pytest.mark.timeout(120)
def test_a_folder_by_manifest_there_and_back(
    syn: Synapse, elsewhere: Synapse, folder: Folder, write: Write, tmp_path: Path
) -> None:
    """Files, annotations and provenance of a manifest are stored, and a sync back gives the same files and rows."""
    source = syn.store(File(write("known.txt", "known before"), parent=folder.parentId))
    raw, script, plot = write("raw.csv", "1,2"), write("plot.py", "print()"), write("plot.png", b"\x89PNG")
    target = syn.store(Folder("deeper", parent=folder))
    rows = [
        {
            "path": plot,
            "parent": target.id,
            "used": f"{raw};https://a.org/data;{source.id}",
            "executed": script,
            "activityName": "plot",
            "activityDescription": "draws",
            "tissue": "brain",
        },
        {"path": raw, "parent": folder.id},
        {"path": script, "parent": folder.id},
    ]
    names = ("path", "parent", "used", "executed", "activityName", "activityDescription", "tissue")
    manifest = _manifest(tmp_path / "up.tsv", _columns(rows, *names), delimiter="\t")
    synapseutils.syncToSynapse(syn, manifest)

    ids = {name: syn.findEntityId(name, parent=folder) for name in ("raw.csv", "plot.py")}
    made = syn.findEntityId("plot.png", parent=target)
    activity = syn.getProvenance(made)
    assert (activity["name"], activity["description"]) == ("plot", "draws")
    used = {
        item.get("url") or (item["reference"]["targetId"], item["reference"]["targetVersionNumber"]): item[
            "wasExecuted"
        ]
        for item in activity["used"]
    }
    assert used == {
        (ids["raw.csv"], 1): False,
        "https://a.org/data": False,
        (source.id, 1): False,
        (ids["plot.py"], 1): True,
    }
    assert dict(syn.get_annotations(made)) == {"tissue": ["brain"]}

    down = tmp_path / "down"
    files = synapseutils.syncFromSynapse(elsewhere, folder.id, path=str(down))
    assert sorted(file.name for file in files) == ["plot.png", "plot.py", "raw.csv"]
    assert (down / "deeper" / "plot.png").read_bytes() == b"\x89PNG"
    assert (down / "raw.csv").read_text() == "1,2"
    row = _rows(down / "SYNAPSE_METADATA_MANIFEST.tsv", delimiter="\t")["plot.png"]
    assert set(row["used"].split(";")) == {f"{ids['raw.csv']}.1", "https://a.org/data", f"{source.id}.1"}
    assert (row["executed"], row["activityName"], row["tissue"]) == (f"{ids['plot.py']}.1", "plot", "brain")
    assert (row["parent"], row["id"]) == (target.id, made)


@pytest.mark.timeout(120)
def test_the_manifest_of_a_sync_can_be_sent_back(
    syn: Synapse, elsewhere: Synapse, folder: Folder, write: Write, tmp_path: Path
) -> None:
    """The manifest that the newer interface writes is one that it reads: what is unchanged makes no version."""
    one = models.File(path=write("one.txt", "1"), parent_id=folder.id, annotations={"x": ["y"]})
    one.activity = models.Activity(name="made", used=[models.UsedURL(url="https://a.org/x")])
    one.store(synapse_client=syn)
    inner = models.Folder(name="inner", parent_id=folder.id).store(synapse_client=syn)
    two = models.File(path=write("two.txt", "2"), parent_id=inner.id).store(synapse_client=syn)

    down = tmp_path / "down"
    container = models.Folder(id=folder.id)
    container.sync_from_synapse(path=str(down), synapse_client=elsewhere)
    assert [file.id for file in container.files] == [one.id]
    assert [file.id for file in container.folders[0].files] == [two.id]
    assert (down / "inner" / "two.txt").read_text() == "2"
    manifest = down / "manifest.csv"
    row = _rows(manifest, delimiter=",")["one.txt"]
    assert (row["ID"], row["parentId"], row["used"], row["activityName"]) == (
        one.id,
        folder.id,
        "https://a.org/x",
        "made",
    )

    write("down/one.txt", "one again")
    uploaded = container.sync_to_synapse(manifest_path=str(manifest), synapse_client=elsewhere)
    assert {file.id for file in uploaded} == {one.id, two.id}
    assert syn.get(one.id, downloadFile=False).versionNumber == 2
    assert syn.get(two.id, downloadFile=False).versionNumber == 1
    assert models.Activity.from_parent(one.id, synapse_client=syn).name == "made"


@pytest.mark.timeout(120)
def test_a_directory_becomes_folders(syn: Synapse, folder: Folder, write: Write, tmp_path: Path) -> None:
    """A manifest that the client makes of a directory makes the same directories on the server."""
    write("study/a.txt", "a")
    write("study/sub/b.txt", "b")
    container = models.Folder(id=folder.id)
    manifest = tmp_path / "manifest.csv"
    container.generate_sync_manifest(
        directory_path=str(tmp_path / "study"), manifest_path=str(manifest), synapse_client=syn
    )
    container.sync_to_synapse(manifest_path=str(manifest), synapse_client=syn)
    walked = [
        (here[0].removeprefix(folder.name).lstrip("/"), [one[0] for one in files])
        for here, _, files in synapseutils.walk(syn, folder.id)
    ]
    assert walked == [("", ["a.txt"]), ("sub", ["b.txt"])]
