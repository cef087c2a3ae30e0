"""Which tracked files differ between two states of a real repository."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from snakeprov.capture.git.difference import CodeState, changed_files
from snakeprov.errors import CaptureError


class Repository:
    """A repository whose states are taken one after another."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.git("init", "--quiet")

    def git(self, *arguments: str) -> bytes:
        identity = {f"GIT_{who}_{what}": "a@b.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        environment = {**os.environ, **identity, "GIT_CONFIG_GLOBAL": os.devnull}
        return subprocess.run(
            ["git", "-C", str(self.folder), *arguments], env=environment, capture_output=True, check=True
        ).stdout

    def write(self, **files: str) -> None:
        for name, text in files.items():
            (self.folder / name).write_text(text)

    def commit(self) -> CodeState:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "one")
        return CodeState(self.git("rev-parse", "HEAD").decode().strip())

    def dirty(self) -> CodeState:
        patch = self.git("diff", "--binary", "--full-index", "--no-renames", "HEAD", "--")
        return CodeState(self.git("rev-parse", "HEAD").decode().strip(), patch)


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """An empty repository."""
    return Repository(tmp_path)


def test_states_are_compared_by_what_the_files_held(repository: Repository) -> None:
    """Commits, uncommitted changes, and both; a change that was committed unchanged does not count."""
    repository.write(a="1\n", b="1\n", **{"c ü.txt": "1\n"})
    first = repository.commit()
    repository.write(a="2\n")
    dirty = repository.dirty()
    repository.write(a="3\n")
    dirtier = repository.dirty()
    repository.write(a="2\n")
    committed = repository.commit()
    repository.write(b="2\n", **{"c ü.txt": "2\n"})
    last = repository.commit()
    repository.write(b="1\n")
    undone = repository.dirty()

    def changed(old: CodeState, new: CodeState) -> list[str]:
        return changed_files(repository.folder, old, new)

    assert changed(first, dirty) == ["a"]
    assert changed(dirty, dirtier) == ["a"]
    assert changed(dirty, dirty) == []
    assert changed(dirty, committed) == changed(committed, dirty) == []
    assert changed(dirtier, committed) == ["a"]
    assert changed(committed, last) == ["b", "c ü.txt"]
    assert changed(committed, undone) == ["c ü.txt"]
    assert changed(last, undone) == ["b"]


def test_what_was_changed_on_both_sides_differs_unless_it_is_the_same(repository: Repository) -> None:
    """A file that is dirty in one state, in both, or dirty and in the commits between."""
    repository.write(a="1\n", b="1\n")
    first = repository.commit()
    repository.write(b="2\n")
    dirty = repository.dirty()
    repository.write(a="2\n", b="1\n")
    second = repository.commit()
    repository.write(b="2\n")
    same = repository.dirty()
    third = repository.commit()
    repository.write(b="3\n")
    dirtier = repository.dirty()

    def changed(old: CodeState, new: CodeState) -> list[str]:
        return changed_files(repository.folder, old, new)

    assert changed(dirty, second) == changed(second, dirty) == ["a", "b"]
    assert changed(dirty, same) == ["a"]
    assert changed(dirty, third) == ["a"]
    assert changed(dirty, dirtier) == changed(dirtier, dirty) == ["a", "b"]
    assert changed(first, dirtier) == changed(dirtier, first) == ["a", "b"]


def test_a_commit_that_is_not_there_is_an_error(repository: Repository, tmp_path: Path) -> None:
    """A shallow or another clone cannot tell; nor can a folder without git."""
    repository.write(a="1\n")
    here = repository.commit()
    with pytest.raises(CaptureError, match="git diff"):
        changed_files(repository.folder, here, CodeState("0" * 39 + "1"))
    with pytest.raises(CaptureError, match="not the id of a commit"):
        changed_files(repository.folder, here, CodeState(f"--output={tmp_path / 'written'}"))
    assert not (tmp_path / "written").exists()
