"""Real repositories, made by the real git program."""

from __future__ import annotations

import subprocess
from pathlib import Path

from snakeprov.capture.git.reader import GitReader, git_blob_sha1

GITHUB = "https://github.com/ada/flights.git"


def run(*arguments: str | Path, cwd: Path) -> str:
    return subprocess.run(["git", *arguments], cwd=cwd, check=True, capture_output=True, text=True).stdout.strip()


def make_repository(path: Path, *, remote: str | None = GITHUB, **files: str) -> Path:
    """Make a repository with one commit of `files` (and a Snakefile) at `path`."""
    path.mkdir(parents=True)
    run("init", "-q", cwd=path)
    if remote:
        run("remote", "add", "origin", remote, cwd=path)
    for name, content in {"Snakefile": "rule all:\n", **files}.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(content.encode())
    run("add", "-A", cwd=path)
    run("commit", "-qm", "first", cwd=path)
    return path


def is_clean(reader: GitReader, path: Path) -> bool:
    return reader.is_clean(str(path), git_blob_sha1(path.read_bytes()))
