"""A workflow that really ran, with a failed job, a directory and two versions, for the tests of exports."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from snakeprov.apps.connect import connect
from snakeprov.client import Client
from snakeprov.export import gather
from snakeprov.export.material import Material

from ..commands import Run, call

RUN_TIMEOUT_S = 180

SNAKEFILE = """\
import snakeprov; snakeprov.track(workflow)

configfile: "config.yaml"

rule all:
    input: "results/table.csv", "results/parts"

rule clean:
    input: raw="data/{sample}.csv"
    output: kept=temp("results/clean/{sample}.csv")
    params: minimum=config["minimum"]
    shell: "LC_ALL=C sort {input.raw} | awk '$1 > {params.minimum}' > {output.kept}"

rule table:
    input: expand("results/clean/{sample}.csv", sample=["one", "two"])
    output: "results/table.csv"
    script: "scripts/table.py"

rule parts:
    input: "results/table.csv"
    output: directory("results/parts")
    shell: "mkdir -p {output}/deep && cp {input} {output}/a.csv && echo b > '{output}/deep/b c.txt'"

rule broken:
    input: "data/one.csv"
    output: "results/broken.txt"
    shell: "echo no luck >&2; exit 3"
"""

SCRIPT = """\
from pathlib import Path
text = "".join(Path(one).read_text() for one in snakemake.input)
Path(snakemake.output[0]).write_text(text)
"""


class Recorded(NamedTuple):
    """A working directory with two runs: the first succeeded but for one job, the second with another config."""

    folder: Path
    first_run: str
    second_run: str
    commit: str


def environment(folder: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SNAKEMAKE_", "SNAKEPROV_"))}
    identity = {f"GIT_{who}_{what}": "ada@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    return {**kept, **identity, "XDG_CONFIG_HOME": str(folder / "no-config"), "GIT_CONFIG_GLOBAL": os.devnull}


def run(folder: Path, *command: str, status: int = 0) -> str:
    done = subprocess.run(
        command, cwd=folder, env=environment(folder), capture_output=True, text=True, timeout=RUN_TIMEOUT_S
    )
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout.strip()


@pytest.fixture(scope="session")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    """Run the workflow twice, once for all tests of exports."""
    folder = tmp_path_factory.mktemp("exports") / "study"
    for path, text in {
        "Snakefile": SNAKEFILE,
        "scripts/table.py": SCRIPT,
        "config.yaml": "minimum: 3\n",
        "data/one.csv": "5 a\n2 b\n",
        "data/two.csv": "9 c\n",
        "LICENSE": "Do what you like.\n",
        ".gitignore": "results\n.snakemake\n",
    }.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    run(folder, "git", "-c", "init.defaultBranch=main", "init", "--quiet")
    run(folder, "git", "remote", "add", "origin", "https://example.org/ada/study.git")
    run(folder, "git", "add", "--all")
    run(folder, "git", "commit", "--quiet", "--message", "a commit")
    snakemake = [sys.executable, "-m", "snakemake", "--cores", "2", "--scheduler", "greedy"]
    run(folder, *snakemake, "--keep-going", "all", "results/broken.txt", status=1)
    run(folder, *snakemake, "--config", "minimum=1")
    with connect(folder / ".snakeprov") as client:
        second, first = (one.id for one in client.runs.list().results)
    return Recorded(folder, first, second, run(folder, "git", "rev-parse", "HEAD"))


@pytest.fixture
def client(recorded: Recorded) -> Iterator[Client]:
    """A client for the store of the workflow."""
    with connect(recorded.folder / ".snakeprov") as opened:
        yield opened


def of(client: Client, path: str, number: int | None = None) -> Material:
    """Gather a result of the workflow."""
    (found,) = client.provenance.find(path).results
    return gather.results(client, [(found.entity_id, number or found.version_number)])


@pytest.fixture
def snakeprov(recorded: Recorded, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Give `snakeprov(*arguments)`: run the command in the working directory of the workflow."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(recorded.folder / "no-config"))
    monkeypatch.delenv("SNAKEPROV_STORE", raising=False)
    monkeypatch.chdir(recorded.folder)
    return call
