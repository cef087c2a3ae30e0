"""Exports as RO-Crates: of a run and of results, in the three profiles."""

from __future__ import annotations

import hashlib
import subprocess
import zipfile
from pathlib import Path

import pytest
from rocrate.rocrate import ROCrate

from ..commands import Run
from . import validation
from .conftest import Recorded
from .validation import findings, graph

ACCEPTED = {
    "The SoftwareApplication id SHOULD be an absolute URI",
    "The Application SHOULD have a url",
    "The README.md SHOULD be about the crate",
    "The README.md SHOULD have text/markdown as its encodingFormat",
    "The Main Workflow SHOULD comply with Bioschemas ComputationalWorkflow profile version 1.0 or later",
    "The `publisher` property of a `Root Data Entity` SHOULD be an `Organization`",
    "The author SHOULD have an organizational affiliation.",
    "The author SHOULD have a Contextual Entity which specifies the organizational `affiliation`.",
    "The Action SHOULD have a result",
}
"""What is recommended and left out, because it is not recorded; docs/commands/export.md says of each why."""


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The cache of the validator, with the contexts of RO-Crate in it."""
    path = tmp_path_factory.mktemp("validator") / "cache"
    validation.warm(path)
    return path


@pytest.mark.parametrize(
    ("what", "profile", "data"),
    [("run:FIRST", "provenance", "all"), ("results/parts/", "workflow", "results"), ("run:SECOND", "process", "none")],
)
def test_a_crate_follows_its_profile(
    recorded: Recorded, snakeprov: Run, tmp_path: Path, cache: Path, what: str, profile: str, data: str
) -> None:
    """The validator finds nothing that is required, and of what is recommended only what is known to be left out."""
    what = what.replace("FIRST", recorded.first_run).replace("SECOND", recorded.second_run)
    out = tmp_path / "crate"
    answer = snakeprov("export", what, "--profile", profile, "--include-data", data, "-o", str(out))

    assert answer.status == 0, answer.err
    found = findings(out, profile, cache=cache)
    assert found["required"] == set()
    assert found["recommended"] - ACCEPTED == set()


@pytest.fixture(scope="session")
def whole(recorded: Recorded, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A crate of the first run, with all its data."""
    out = tmp_path_factory.mktemp("whole") / "crate"
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(recorded.folder)
        from snakeprov.cli import main

        assert main(["export", f"run:{recorded.first_run}", "--include-data", "all", "-o", str(out)]) == 0
    return out


def test_digests_and_sizes_are_those_of_the_files(whole: Path) -> None:
    """Of each file that the crate holds the sha256 and the size in the metadata are true."""
    files = {id_: one for id_, one in graph(whole).items() if "File" in one["@type"] and not id_.startswith("#")}
    checked = []
    for id_, entity in files.items():
        content = (whole / id_.replace("%20", " ")).read_bytes()
        if "sha256" in entity:
            assert entity["sha256"] == hashlib.sha256(content).hexdigest()
            assert entity["contentSize"] == str(len(content))
            checked.append(id_)
    assert {"data/one.csv", "results/table.csv", "results/parts/deep/b%20c.txt", "Snakefile"} < set(files)
    assert set(files) - set(checked) == {"LICENSE"}


def test_the_checksums_are_read_by_sha256sum(whole: Path) -> None:
    """SHA256SUMS lists every file but itself."""
    done = subprocess.run(["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=whole, capture_output=True, text=True)
    listed = {line.rsplit(": ", 1)[0] for line in done.stdout.splitlines()}

    assert done.returncode == 0, done.stderr
    assert listed == {str(path.relative_to(whole)) for path in whole.rglob("*") if path.is_file()} - {"SHA256SUMS"}


def test_failed_jobs_are_failed_actions(whole: Path, recorded: Recorded) -> None:
    """A failed job has a failed action with its error and no result, and so has its run."""
    entities = graph(whole)
    (broken,) = [one for one in entities.values() if one.get("name") == "broken" and one["@type"] == "CreateAction"]
    run = entities[f"#run_{recorded.first_run}"]

    assert broken["actionStatus"] == run["actionStatus"] == "http://schema.org/FailedActionStatus"
    assert broken["error"] and run["error"]
    assert "result" not in broken
    assert "containerImage" not in broken


def test_a_crate_has_workflow_steps_params_and_license(whole: Path, recorded: Recorded) -> None:
    """The main workflow is the Snakefile at its commit; tools have params, and the license is the one of the folder."""
    entities = graph(whole)
    root, workflow = entities["./"], entities["Snakefile"]
    (sorting,) = [one for one in entities.values() if one.get("name") == "clean sample=one"
                  and one["@type"] == "CreateAction"]  # fmt: skip
    objects = [entities[one["@id"]] for one in sorting["object"]]

    assert root["mainEntity"] == {"@id": "Snakefile"}
    assert root["license"] == {"@id": "LICENSE"}
    assert workflow["version"] == recorded.commit
    assert workflow["url"] == "https://example.org/ada/study.git"
    assert {entities[one["@id"]]["name"] for one in workflow["step"]} == {"clean", "table", "parts", "broken"}
    assert ("minimum", "3") in {(one["name"], one.get("value")) for one in objects}
    assert sorting["description"].startswith("LC_ALL=C sort data/one.csv")


def test_the_library_reads_a_crate_back(whole: Path, recorded: Recorded) -> None:
    """What rocrate reads has the same actions, files and main workflow."""
    crate = ROCrate(whole)
    actions = [one for one in crate.get_entities() if one.type == "CreateAction"]

    assert crate.mainEntity.id == "Snakefile"
    assert len(actions) == 6  # five jobs and the run
    assert crate.dereference("results/parts/").type == "Dataset"


def test_what_a_crate_does_not_hold_it_refers_to(recorded: Recorded, snakeprov: Run, tmp_path: Path) -> None:
    """What was not wanted, or is not kept, has an id that begins with `#` and its digest; what is missing is told."""
    without = snakeprov("export", "results/table.csv@1", "--include-data", "none", "-o", str(tmp_path / "a"), "--json")
    all_ = snakeprov("export", "results/table.csv@1", "--include-data", "all", "-o", str(tmp_path / "b"), "--json")

    assert without.json["missing"] == []
    assert sorted(all_.json["missing"]) == ["results/clean/one.csv@1", "results/clean/two.csv@1"]
    assert len(graph(tmp_path / "a")["#results/table.csv@1"]["sha256"]) == 64
    assert len(graph(tmp_path / "b")["#results/clean/one.csv@1"]["sha256"]) == 64
    assert not (tmp_path / "a" / "results").exists()


def test_public_crates_and_documents_do_not_tell_who_and_where(
    recorded: Recorded, snakeprov: Run, tmp_path: Path
) -> None:
    """With --public neither the user nor the host nor any absolute path of the records is in an export."""
    run = snakeprov("run", recorded.first_run, "--json").json["run"]
    out = tmp_path / "crate"
    assert snakeprov("export", f"run:{recorded.first_run}", "--public", "-o", str(out)).status == 0
    texts = [(out / "ro-crate-metadata.json").read_text()]
    for form in ("prov-json", "prov-n"):
        texts.append(snakeprov("export", f"run:{recorded.first_run}", "--public", "--format", form).out)

    for text in texts:
        assert str(recorded.folder) not in text
        assert f'"{run["user"]}"' not in text and f'"{run["host"]}"' not in text
        assert "user_" not in text
        assert "example.org/ada/study" in text


def test_a_zip_file_holds_the_same_crate(recorded: Recorded, snakeprov: Run, tmp_path: Path) -> None:
    """OUT.zip is the folder, packed; the answer has its digest."""
    out = tmp_path / "crate.zip"
    told = snakeprov("export", "results/table.csv", "-o", str(out), "--json").json
    with zipfile.ZipFile(out) as archive:
        names = archive.namelist()

    assert told["sha256"] == hashlib.sha256(out.read_bytes()).hexdigest()
    assert {"ro-crate-metadata.json", "SHA256SUMS", "results/table.csv", "Snakefile", "scripts/table.py"} <= set(names)
    assert [path.name for path in tmp_path.iterdir()] == ["crate.zip"]
