"""What snakeprov delivered, as the official client sees it; run by test_delivered.py, which says what that was."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from served import status_of
from synapseclient import File, Synapse, models
from synapseclient.core.exceptions import SynapseHTTPError

DELIVERED: dict[str, Any] = json.loads(Path(os.environ["SNAKEPROV_TEST_DELIVERED"]).read_text())

Find = Callable[..., str | None]

EMPTY_MD5 = "d41d8cd98f00b204e9800998ecf8427e"
SPECIES = ("adelie", "chinstrap", "gentoo")


@pytest.fixture(scope="session")
def find(syn: Synapse) -> Find:
    """Give `find(path)`: the id of what lies there, found one name after another."""

    def find(path: str, project: str = "Penguins") -> str | None:
        found = syn.findEntityId(project)
        for name in path.split("/"):
            found = found and syn.findEntityId(name, parent=found)
        return found

    return find


def _md5(path: str) -> str:
    return hashlib.md5(Path(path).read_bytes(), usedforsecurity=False).hexdigest()


def _links(syn: Synapse, activity: dict[str, Any], *, executed: bool) -> list[str]:
    """Return what an activity used or executed: the true path of an entity, the URL of anything else."""
    things = []
    for item in activity["used"]:
        if item["wasExecuted"] == executed:
            if "url" in item:
                things.append(item["url"])
            else:
                reference = item["reference"]
                file = syn.get(reference["targetId"], version=reference["targetVersionNumber"], downloadFile=False)
                things.append(f"{file.annotations['snakeprov.path'][0]}@{reference['targetVersionNumber']}")
    return things


def test_every_file_is_found_by_its_path_and_downloads_as_it_was(syn: Synapse, find: Find, tmp_path: Path) -> None:
    """The newest version has the bytes that are on disk, says where they were, and their digests."""
    assert len(DELIVERED["second"]) >= 12
    for path, expected in DELIVERED["second"].items():
        file = syn.get(find(path), downloadLocation=str(tmp_path), ifcollision="overwrite.local")
        assert _md5(file.path) == expected["md5"], path
        assert file._file_handle["contentMd5"] == expected["md5"]
        assert file.annotations["snakeprov.path"] == [path]
        assert file.annotations["snakeprov.sha256"] == [expected["sha256"]]
        assert file.id in {hit["id"] for hit in syn.md5Query(expected["md5"])}


def test_each_output_was_generated_by_its_job(syn: Synapse, find: Find) -> None:
    """`getProvenance` gives the rule, the versions that were read and the code that ran."""
    table = syn.getProvenance(find("results/dimorphism.csv"))
    assert table["name"] == "tabulate_dimorphism"
    assert _links(syn, table, executed=False) == [f"results/dimorphism/{one}.csv@2" for one in SPECIES]
    [snakefile, script, *_] = _links(syn, table, executed=True)
    assert snakefile.startswith(f"{DELIVERED['permalinks']}workflow/Snakefile#L")
    assert script == f"{DELIVERED['permalinks']}workflow/scripts/tabulate_dimorphism.py"

    figure = syn.getProvenance(find("results/dimorphism.png"))
    pooled = [f"results/species/{one}.csv@1" for one in SPECIES]
    assert _links(syn, figure, executed=False) == [*pooled, "results/dimorphism.csv@1"]
    # This script is not what its commit holds: it is kept itself.
    assert "workflow/scripts/plot_dimorphism.py@1" in _links(syn, figure, executed=True)


def test_the_raw_data_are_at_the_end_of_the_lineage(syn: Synapse, find: Find) -> None:
    """Going from used to used one arrives at the files that no job made."""
    seen: dict[str, bool] = {}
    queue = [(find("results/dimorphism.png"), None)]
    while queue:
        entity_id, number = queue.pop()
        file = syn.get(entity_id, version=number, downloadFile=False)
        path = file.annotations["snakeprov.path"][0]
        if path in seen:
            continue
        try:
            activity = syn.getProvenance(entity_id, version=file.versionNumber)
        except SynapseHTTPError as error:
            assert error.response.status_code == 404
            seen[path] = False
            continue
        seen[path] = True
        queue += [
            (item["reference"]["targetId"], item["reference"]["targetVersionNumber"])
            for item in activity["used"]
            if "reference" in item and not item["wasExecuted"]
        ]
    raw = {path for path in DELIVERED["first"] if path.startswith("data/raw/")}
    assert len(raw) == 5
    assert {path for path, is_made in seen.items() if not is_made} == raw
    assert {f"results/clean/{Path(path).name}" for path in raw} <= set(seen)


def test_a_past_version_keeps_its_bytes_and_what_made_it(
    syn: Synapse, elsewhere: Synapse, find: Find, tmp_path: Path
) -> None:
    """In both interfaces; the two versions came from other versions of the same files."""
    path = "results/dimorphism.csv"
    entity_id = find(path)
    old = elsewhere.get(entity_id, version=1, downloadLocation=str(tmp_path))
    assert _md5(old.path) == DELIVERED["first"][path]["md5"]
    assert DELIVERED["first"][path] != DELIVERED["second"][path]
    then, now = (syn.getProvenance(entity_id, version=number) for number in (1, 2))
    assert then["id"] != now["id"]
    assert _links(syn, then, executed=False) == [f"results/dimorphism/{one}.csv@1" for one in SPECIES]
    assert old.annotations["snakeprov.run"] != syn.get(entity_id, downloadFile=False).annotations["snakeprov.run"]

    file = models.File(id=entity_id, version_number=1, download_file=False).get(
        include_activity=True, synapse_client=syn
    )
    assert (file.activity.id, file.activity.name) == (then["id"], "tabulate_dimorphism")
    assert [one.target_version_number for one in file.activity.used] == [1, 1, 1]
    assert all(one.url.startswith("https://github.com/") for one in file.activity.executed)


def test_annotations_tell_the_job(syn: Synapse, find: Find) -> None:
    """Rule, wildcards, parameters and commit can be searched by, each with its own type."""
    noted = syn.get_annotations(find("results/dimorphism/gentoo.csv"))
    assert noted["snakeprov.rule"] == ["estimate_dimorphism"]
    assert noted["snakeprov.wildcard.species"] == ["gentoo"]
    assert noted["snakeprov.param.resamples"] == [120]
    assert noted["snakeprov.param.confidence"] == [0.95]
    assert noted["snakeprov.commit"] == [f"{DELIVERED['commit']}+dirty"]


def test_what_was_not_to_be_uploaded_is_described(syn: Synapse, find: Find) -> None:
    """An external file handle tells where the bytes are, and their md5; names that Synapse refuses are encoded."""
    file = syn.get(find("results/a(23)1 (C3BC).txt", "Odd things"), downloadFile=False)
    handle = file._file_handle
    assert handle["concreteType"] == "org.sagebionetworks.repo.model.file.ExternalFileHandle"
    assert handle["externalURL"] == (Path(DELIVERED["oddFolder"]) / "results/a#1 ü.txt").as_uri()
    assert handle["contentMd5"] == DELIVERED["odd"]["results/a#1 ü.txt"]["md5"]
    assert file.annotations["snakeprov.path"] == ["results/a#1 ü.txt"]
    assert file.annotations["snakeprov.param.url"] == ["s3://bucket/key with space"]

    flag = syn.get(find("results/done.flag", "Odd things"), downloadFile=False)
    assert flag._file_handle["contentMd5"] == EMPTY_MD5
    parts = syn.get(find("results/parts(2F)", "Odd things"), downloadFile=False)
    assert isinstance(parts, File) and parts.annotations["snakeprov.path"] == ["results/parts/"]
    made_by = {syn.getProvenance(one.id)["id"] for one in (file, flag, parts)}
    assert len(made_by) == 1


def test_what_was_delivered_is_somebody_s(other: Synapse, find: Find) -> None:
    """It belongs to the user who delivered it: another user sees nothing of it (403)."""
    with pytest.raises(SynapseHTTPError) as refused:
        other.get(find("results/dimorphism.csv"), downloadFile=False)
    assert status_of(refused) == 403
