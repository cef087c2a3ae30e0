"""A small workflow that Snakemake really ran twice, with the real recorder, and the commands run on copies of it."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from snakeprov import connect

from ..commands import Run, call
from ..workflows import snakemake_runs

DAY_S = 24 * 3600

SNAKEFILE = """
import snakeprov
snakeprov.track(workflow)

rule all:
    input:
        "results/table.csv",
        "results/parts",

rule clean:
    input:
        "data/{name}.csv",
    output:
        temp("results/clean/{name}.csv"),
    shell:
        "sort {input} > {output}"

rule table:
    input:
        expand("results/clean/{name}.csv", name=["a", "b"]),
    output:
        "results/table.csv",
    script:
        "scripts/table.py"

rule parts:
    input:
        "results/table.csv",
    output:
        directory("results/parts"),
    shell:
        "mkdir -p {output}/deep {output}/empty && head -n 1 {input} > {output}/first.csv"
        " && cp {input} {output}/deep/all.csv && chmod +x {output}/deep/all.csv && ln -s deep/all.csv {output}/link"
"""

SCRIPT = """
with open(snakemake.output[0], "w") as out:
    for path in snakemake.input:
        out.write(open(path).read())
"""


class Recorded(NamedTuple):
    """A working directory in which a workflow ran twice; the second time with other data and a changed script."""

    folder: Path
    commit: str
    runs: list[str]


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "init.defaultBranch=main"]
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull}
    done = subprocess.run(
        ["git", *identity, *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


@pytest.fixture(scope="session")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    """Run the workflow, change the data and the script, run it again."""
    folder = tmp_path_factory.mktemp("recorded")
    for path, text in {
        "Snakefile": SNAKEFILE,
        "scripts/table.py": SCRIPT,
        "data/a.csv": "z,1\na,2\n",
        "data/b.csv": "k,3\n",
        ".gitignore": ".snakemake\n.snakeprov\nresults\n",
    }.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "a commit")
    run(folder)
    (folder / "data/a.csv").write_text("z,1\na,2\nm,9\n")
    (folder / "scripts/table.py").write_text(SCRIPT + "# changed\n")
    run(folder)
    with connect(folder / ".snakeprov") as client:
        runs = [found.id for found in client.runs.list().results]
    return Recorded(folder, git(folder, "rev-parse", "HEAD"), runs)


def run(folder: Path, *arguments: str) -> None:
    done = snakemake_runs.run(folder, "--scheduler", "greedy", *arguments, recorder="real")
    assert done.status == 0, done.stderr


@pytest.fixture
def work(recorded: Recorded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the working directory and its store, which is the current folder."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("SNAKEPROV_STORE", raising=False)
    # By its name the project is known.
    folder = tmp_path / recorded.folder.name
    shutil.copytree(recorded.folder, folder, symlinks=True)
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def snakeprov() -> Run:
    """Give `snakeprov(*arguments)`: run the command in this process."""
    return call


@pytest.fixture
def written() -> Callable[[Path, str], None]:
    """Give `written(path, text)`: write a file as if that had been three days ago."""

    def write(path: Path, text: str) -> None:
        path.write_text(text)
        moment_s = time.time() - 3 * DAY_S - 60
        os.utime(path, (moment_s, moment_s))

    return write


@pytest.fixture
def age(work: Path) -> Callable[[], None]:
    """Give `age()`: make everything that the store holds two days older."""

    def shift() -> None:
        from snakeprov.db import open_database
        from snakeprov.db.statements import change
        from snakeprov.db.tables import file_handle, revision

        store = open_database(work / ".snakeprov")
        with store.write() as tx:
            for table in (file_handle, revision):
                tx.connection.execute(change(table, created_on=table.c.created_on - 2 * DAY_S * 1000))
        store.close()

    return shift
