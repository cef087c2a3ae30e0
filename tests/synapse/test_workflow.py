"""A workflow whose `store` is Synapse: run by Snakemake, delivered over a socket, read back."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from snakeprov.model.entities import File
from tests.endtoend.conftest import Work
from tests.endtoend.conftest import make_work as make_work

from .conftest import TOKEN, Synapse

SNAKEFILE = """
import snakeprov; snakeprov.track(workflow)

rule all:
    input: "results/all #1.txt", "results/done.flag"

rule upper:
    input: "data/{name}.txt"
    output: temp("work/{name}.txt")
    shell: "tr a-z A-Z < {input} > {output}"

rule join:
    input: expand("work/{name}.txt", name=["a", "b"])
    output: "results/all #1.txt"
    params: scale=config.get("scale", 1)
    shell: "cat {input} > {output:q}; echo {params.scale} >> {output:q}"

rule flag:
    output: touch("results/done.flag")
"""

SETTINGS = 'store = "synapse"\nproject = "A study"\n'


def child(synapse: Synapse, *names: str) -> File:
    with synapse.connect() as client:
        found = None
        for name in names:
            found = client.entities.find_child(found, name)
            assert found is not None, name
        entity = client.entities.get(found or "")
        assert isinstance(entity, File)
        return entity


def test_a_workflow_is_delivered_to_synapse(synapse: Synapse, make_work: Callable[..., Work]) -> None:
    """By one setting; a second run with another parameter makes version 2; the token is nowhere."""
    work = make_work(SNAKEFILE)
    for name in "ab":
        work.write(f"data/{name}.txt", name)
    work.write("snakeprov.toml", SETTINGS)

    first = work.snakemake()
    second = work.snakemake("--config", "scale=2", "--rerun-triggers", "params", "mtime")

    assert "new version" in first and "new version" in second and "Problem" not in first + second, first + second
    output = child(synapse, "A study", "results", "all (23)1.txt")
    assert output.version_number == 2
    with synapse.connect() as client:
        activity = client.entities.generated_by(output.id or "")
        assert activity is not None and activity.name == "join"
        used = [one["reference"]["targetId"] for one in activity["used"] if not one["wasExecuted"]]
        assert used == [child(synapse, "A study", "work", f"{name}.txt").id for name in "ab"]
        upper = client.entities.generated_by(used[0])
        assert upper is not None and upper.name == "upper"
        assert client.files.download(output.data_file_handle_id or "").split() == [b"AB2"]
    for path in (work.folder / ".snakeprov").rglob("*"):
        assert not path.is_file() or TOKEN.encode() not in path.read_bytes()
    assert TOKEN not in first + second


def test_what_could_not_be_delivered_is_pushed_later(synapse: Synapse, make_work: Callable[..., Work]) -> None:
    """Synapse is out of reach while the workflow runs."""
    work = make_work(SNAKEFILE)
    for name in "ab":
        work.write(f"data/{name}.txt", name)
    work.write("snakeprov.toml", SETTINGS)
    config = synapse.home / ".synapseConfig"
    right = config.read_text()
    config.write_text(right.replace(TOKEN, "wrong"))

    said = work.snakemake()
    assert "could not be delivered" in said and "401" in said and "wrong" not in said, said
    assert "Invalid access token" in work.say("status", status=43)

    config.write_text(right)
    pushed = work.ask("push")
    assert (pushed["delivered"], pushed["failed"]) == (5, 0)
    assert child(synapse, "A study", "results", "all (23)1.txt").version_number == 1
    assert work.ask("status")["pending"] == 0


def test_the_commands_ask_synapse(synapse: Synapse, make_work: Callable[..., Work]) -> None:
    """What Synapse knows of a file is told; what it cannot be asked is said in a sentence."""
    work = make_work(SNAKEFILE)
    for name in "ab":
        work.write(f"data/{name}.txt", name)
    work.write("snakeprov.toml", SETTINGS)
    work.git("init", "--quiet")
    work.write(".gitignore", ".snakemake\nresults\nwork\n")
    commit = work.commit()
    work.snakemake()
    work.snakemake("--config", "scale=2", "--rerun-triggers", "params", "mtime")

    versions = work.ask("log", "results/all #1.txt")["versions"]
    assert [(one["versionNumber"], one["rule"], one["commit"]) for one in versions] == [
        (2, "join", commit),
        (1, "join", commit),
    ]
    assert len(versions[0]["sha256"]) == 64 and versions[0]["runId"] != versions[1]["runId"]
    told = work.ask("show", "results/all #1.txt@1")
    assert told["job"]["params"] == {"scale": "1"}
    assert [one["path"] for one in told["job"]["inputs"]] == ["work/a.txt", "work/b.txt"]
    why = work.ask("why", "results/all #1.txt")
    assert why["sentence"] == "results/all #1.txt@2 differs from @1 because params.scale changed 1 -> 2."
    assert work.ask("diff", "results/all #1.txt", "results/all #1.txt@2")["causes"] == []
    lineage = work.ask("lineage", "results/all #1.txt")
    paths = {node.get("path") for node in lineage["nodes"]}
    assert {"results/all #1.txt", "work/a.txt", "data/a.txt", "data/b.txt", "Snakefile"} <= paths
    for command in ("log", "show", "lineage"):
        assert "all #1.txt" in work.say(command, "results/all #1.txt")
    for form in ("dot", "mermaid", "svg", "html"):
        drawn = work.say("lineage", "results/all #1.txt", "--format", form)
        assert "@2 came from 5 files through 3 activities" in drawn
    assert "is not recorded" in work.say("log", "results/none", status=3)
    assert "Did you mean results/all #1.txt?" in work.say("log", "results/al #1.txt", status=3)
    for command in (["log"], ["runs"], ["run"]):
        assert "Synapse keeps no runs" in work.say(*command, status=2)
    assert "cannot tell what came from" in work.say("lineage", "--downstream", "data/a.txt", status=2)
    told = work.say("methods", "results/all #1.txt")
    assert told.startswith(
        "results/all #1.txt was made with a Snakemake workflow in 2 steps. Which Snakemake ran it was"
    )
    assert work.ask("export", "results/all #1.txt", "-o", "crate")["missing"] == []
    assert (work.folder / "crate" / "results" / "all #1.txt").read_bytes() == (
        work.folder / "results" / "all #1.txt"
    ).read_bytes()
    assert "Synapse keeps no runs" in work.say("export", "run:1234", "-o", "run", status=2)
    assert work.ask("status")["pending"] == 0


def test_the_example_workflow_is_delivered_to_synapse(synapse: Synapse, make_work: Callable[..., Work]) -> None:
    """Every file of it: temporary ones, logs that are empty, a figure; the lineage goes down to the raw data."""
    pytest.importorskip("pandas", reason="the example needs the extra [example]")
    pytest.importorskip("matplotlib", reason="the example needs the extra [example]")
    work = make_work("")
    shutil.rmtree(work.folder)
    ignored = shutil.ignore_patterns(".snakemake", ".snakeprov", "results", "__pycache__")
    shutil.copytree(Path(__file__).parents[2] / "example_workflow", work.folder, ignore=ignored)
    work.write("snakeprov.toml", SETTINGS)

    said = work.snakemake("--config", "resamples=100")

    assert "Problem" not in said and "could not" not in said, said
    assert work.ask("status") | {"pending": 0, "failedDeliveries": 0} == work.ask("status")
    recorded = {
        path.relative_to(work.folder).as_posix()
        for path in (work.folder / "results").rglob("*")
        if path.is_file() and "logs" not in path.parts
    }
    for path in recorded:
        told = work.ask("show", path)
        content = (work.folder / path).read_bytes()
        assert told["version"]["sha256"] == hashlib.sha256(content).hexdigest()
        assert told["activity"]["name"] == told["job"]["rule"]
    paths = {node.get("path") for node in work.ask("lineage", "results/dimorphism.png")["nodes"]}
    raw = {path.relative_to(work.folder).as_posix() for path in (work.folder / "data/raw").iterdir()}
    assert raw <= paths and "workflow/scripts/plot_dimorphism.py" in paths
