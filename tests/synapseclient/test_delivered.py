"""The example workflow, delivered to a server as strict as Synapse, is read back with Synapse's own client."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import Served, environment
from .test_official_client import OFFICIAL, run

EXAMPLE = Path(__file__).parents[2] / "example_workflow"
REMOTE = "https://github.com/lab/penguins.git"
SNAKEMAKE_TIMEOUT_S = 240

ODD = """
import snakeprov; snakeprov.track(workflow)

rule odd:
    output: "results/a#1 ü.txt", touch("results/done.flag"), directory("results/parts")
    params: url="s3://bucket/key with space"
    shell: "echo odd > {output[0]:q}; mkdir {output[2]}; echo part > {output[2]}/1.txt"
"""


def test_the_example_workflow_is_read_back_with_the_official_client(
    official_python: Path, served_strictly: Served, tmp_path: Path
) -> None:
    """Files by their path, bytes, annotations, and what made each version, past ones too."""
    pytest.importorskip("pandas", reason="the example needs the extra [example]")
    pytest.importorskip("matplotlib", reason="the example needs the extra [example]")
    work = tmp_path / "penguins"
    ignored = shutil.ignore_patterns(".snakemake", ".snakeprov", "results", "__pycache__")
    shutil.copytree(EXAMPLE, work, ignore=ignored)
    _log_in(served_strictly, tmp_path)
    _settings(work, project="Penguins")
    commit = _commit(work)
    with (work / "workflow/scripts/plot_dimorphism.py").open("a") as script:
        script.write("# changed since the commit\n")

    _snakemake(work, "--config", "resamples=100")
    first = _contents(work)
    _snakemake(work, "--config", "resamples=120", "--", "results/dimorphism.csv")

    without = tmp_path / "odd"
    without.mkdir()
    (without / "Snakefile").write_text(ODD)
    _settings(without, project="Odd things", upload=False)
    _snakemake(without)

    delivered = {
        "commit": commit,
        "permalinks": f"{REMOTE.removesuffix('.git')}/blob/{commit}/",
        "first": first,
        "second": _contents(work),
        "odd": _contents(without),
        "oddFolder": str(without),
    }
    (tmp_path / "delivered.json").write_text(json.dumps(delivered))
    variables = {"SNAKEPROV_TEST_DELIVERED": str(tmp_path / "delivered.json")}
    run(official_python, served_strictly, tmp_path, str(OFFICIAL / "read_back.py"), **variables)


def _log_in(served: Served, home: Path) -> None:
    lines = ["[profile lab]", f"authtoken = {served.token}", "[endpoints]"]
    lines += [f"repoEndpoint = {served.url}/repo/v1", f"fileHandleEndpoint = {served.url}/file/v1"]
    (home / ".synapseConfig").write_text("\n".join(lines) + "\n")


def _settings(folder: Path, *, project: str, upload: bool = True) -> None:
    settings = ['store = "synapse"', f"project = {json.dumps(project)}", f"upload = {json.dumps(upload)}"]
    (folder / "snakeprov.toml").write_text("\n".join(settings) + "\n")


def _commit(folder: Path) -> str:
    def git(*arguments: str) -> str:
        identity = ["-c", "user.name=ada", "-c", "user.email=ada@example.org", "-c", "init.defaultBranch=main"]
        done = subprocess.run(["git", *identity, *arguments], cwd=folder, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    git("init", "--quiet")
    git("remote", "add", "origin", REMOTE)
    git("add", "--all")
    git("commit", "--quiet", "--message", "the example")
    return git("rev-parse", "HEAD")


def _snakemake(folder: Path, *arguments: str) -> None:
    command = [sys.executable, "-m", "snakemake", "--cores", "2", "--scheduler", "greedy", *arguments]
    variables = environment(folder.parent, SYNAPSE_PROFILE="lab")
    done = subprocess.run(
        command, cwd=folder, env=variables, capture_output=True, text=True, timeout=SNAKEMAKE_TIMEOUT_S
    )
    assert done.returncode == 0, done.stderr
    assert "recorded" in done.stderr and "Problem" not in done.stderr and "could not" not in done.stderr, done.stderr


def _contents(folder: Path) -> dict[str, dict[str, str]]:
    """Return what lies in the folder, but for logs, as path, md5 and sha256."""
    contents = {}
    for path in [*folder.glob("results/**/*"), *folder.glob("data/raw/*")]:
        if path.is_file() and "logs" not in path.parts:
            data = path.read_bytes()
            md5 = hashlib.md5(data, usedforsecurity=False).hexdigest()
            contents[path.relative_to(folder).as_posix()] = {"md5": md5, "sha256": hashlib.sha256(data).hexdigest()}
    return contents
