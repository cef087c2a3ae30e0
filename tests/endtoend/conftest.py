"""Working directories in which Snakemake really runs with the real recorder, and the real commands are asked."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from snakeprov.cli import main

RUN_TIMEOUT_S = 180


class Work:
    """A working directory with a workflow."""

    def __init__(self, folder: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self._capfd = capfd
        self._monkeypatch = monkeypatch

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
        """Commit everything that is not ignored; return the commit."""
        self.git("init", "--quiet")
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "a commit")
        return self.git("rev-parse", "HEAD")

    def environment(self, **variables: str) -> dict[str, str]:
        """The environment without anything that would configure Snakemake or snakeprov."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("SNAKEMAKE_", "SNAKEPROV_"))}
        return {**kept, "XDG_CONFIG_HOME": str(self.folder / "no-config"), **variables}

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

    def ask(self, *arguments: str, status: int = 0) -> Any:
        """Run a `snakeprov` command with `--json` in the folder; return its answer."""
        command, *rest = arguments
        return json.loads(self.say(command, "--json", *rest, status=status))

    def say(self, *arguments: str, status: int = 0) -> str:
        """Run a `snakeprov` command in the folder and expect an exit status; return what it printed."""
        self._monkeypatch.chdir(self.folder)
        self._capfd.readouterr()
        found = main(arguments)
        out, err = self._capfd.readouterr()
        assert found == status, err + out
        return out if status == 0 else err


@pytest.fixture
def make_work(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Work]:
    """Give `make_work(snakefile, **files)`: a working directory with these; `data__x` is the file data/x."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "no-config"))
    monkeypatch.delenv("SNAKEPROV_STORE", raising=False)

    def make(snakefile: str, **files: str) -> Work:
        folder = tmp_path / "work"
        folder.mkdir()
        work = Work(folder, capfd, monkeypatch)
        work.write("Snakefile", snakefile)
        for name, text in files.items():
            work.write(name.replace("__", "/"), text)
        return work

    return make
