"""Working directories in which Snakemake really runs with the real recorder, and the real commands are asked."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from snakeprov import connect
from snakeprov.client import Client
from tests.commands import Answer, call

Variables = dict[str, str]

RUN_TIMEOUT_S = 180


class Work:
    """A working directory with a workflow.

    Attributes:
        folder: The directory.
        store: Environment variables that name the store; nothing: the folder's own.
    """

    def __init__(self, folder: Path, store: Variables | None = None) -> None:
        self.folder = folder
        self.store = store or {}

    def write(self, path: str, text: str) -> Path:
        """Write a file."""
        place = self.folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")
        return place

    def git(self, *arguments: str) -> str:
        """Run git; return what it prints."""
        identity = {
            f"GIT_{who}_{what}": "ada@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
        }
        environment = {**os.environ, **identity, "GIT_CONFIG_GLOBAL": os.devnull}
        command = ["git", "-c", "init.defaultBranch=main", *arguments]
        done = subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def commit(self) -> str:
        """Commit everything that is not ignored, if only again; return the commit."""
        self.git("init", "--quiet")
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", "a commit")
        return self.git("rev-parse", "HEAD")

    def environment(self, **variables: str) -> dict[str, str]:
        """The environment without anything that would configure Snakemake or snakeprov."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("SNAKEMAKE_", "SNAKEPROV_"))}
        return {**kept, "XDG_CONFIG_HOME": str(self.folder / "no-config"), **self.store, **variables}

    def command(self, *arguments: str) -> list[str]:
        """The command line that runs Snakemake."""
        return [sys.executable, "-m", "snakemake", "--cores", "2", "--scheduler", "greedy", *arguments]

    def snakemake(self, *arguments: str, status: int = 0, **variables: str) -> str:
        """Run Snakemake and expect an exit status; return what it said on stderr."""
        done = subprocess.run(
            self.command(*arguments),
            cwd=self.folder,
            env=self.environment(**variables),
            capture_output=True,
            text=True,
            timeout=RUN_TIMEOUT_S,
            check=False,
        )
        assert done.returncode == status, done.stdout + done.stderr
        return done.stderr

    def on_cluster(self, *arguments: str, status: int = 0, **variables: str) -> str:
        """Run Snakemake with jobs that a cluster runs: each at once, while it is submitted."""
        submit = self.write("submit.sh", '#!/bin/sh\necho 1\nsh "$1" > jobs.log 2>&1 || true\n')
        submit.chmod(0o755)
        options = ("--executor", "cluster-generic", "--cluster-generic-submit-cmd", "./submit.sh", "--jobs", "1")
        return self.snakemake(*options, "--seconds-between-status-checks", "0", *arguments, status=status, **variables)

    def connect(self) -> Client:
        """Return a client for the store, to be closed."""
        store = self.store.get("SNAKEPROV_STORE", self.folder / ".snakeprov")
        return connect(store, token=self.store.get("SNAKEPROV_TOKEN"))

    def ask(self, *arguments: str, status: int = 0) -> Any:
        """Run a `snakeprov` command with `--json` in the folder; return its answer."""
        command, *rest = arguments
        return json.loads(self.say(command, "--json", *rest, status=status))

    def call(self, *arguments: str) -> Answer:
        """Run a `snakeprov` command in the folder; return what it printed, and its exit status."""
        variables = {"XDG_CONFIG_HOME": str(self.folder / "no-config"), **self.store}
        return call(*arguments, folder=self.folder, variables=variables)

    def say(self, *arguments: str, status: int = 0) -> str:
        """Run a `snakeprov` command in the folder and expect an exit status; return what it printed."""
        answer = self.call(*arguments)
        assert answer.status == status, answer.err + answer.out
        return answer.out if status == 0 else answer.err


@pytest.fixture
def make_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Work]:
    """Give `make_work(snakefile, **files)`: a working directory with these; `data__x` is the file data/x."""
    monkeypatch.delenv("SNAKEPROV_STORE", raising=False)

    def make(snakefile: str, **files: str) -> Work:
        (tmp_path / "work").mkdir()
        work = Work(tmp_path / "work")
        work.write("Snakefile", snakefile)
        for name, text in files.items():
            work.write(name.replace("__", "/"), text)
        return work

    return make


@pytest.fixture(scope="module", params=["folder", "server"])
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Variables]:
    """Where a run is recorded, as `Work.store`: beside the workflow, or on a team's server that the module has."""
    if request.param == "folder":
        yield {}
        return
    with serving(tmp_path_factory.mktemp("team") / "store") as variables:
        yield variables


@contextmanager
def serving(folder: Path) -> Iterator[Variables]:
    """Run `snakeprov serve` on a store; yield the variables with which its owner uses it."""
    command = [sys.executable, "-c", "import sys; from snakeprov.cli import main; sys.exit(main())"]
    arguments = ["serve", "--store", str(folder), "--port", "0", "--json"]
    with subprocess.Popen([*command, *arguments], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            said = json.loads(process.stdout.readline())
            yield {"SNAKEPROV_STORE": said["url"], "SNAKEPROV_TOKEN": said["token"]}
        finally:
            process.terminate()
