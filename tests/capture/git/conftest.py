"""What the tests of git share: a configuration of their own, and a repository."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from .worktrees import make_repository


@pytest.fixture
def own_git_configuration(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Git reads a configuration of the test's own, and no variable of the developer's shell."""
    home = tmp_path_factory.mktemp("home")
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    (home / ".gitconfig").write_text(
        '[user]\nname = Ada\nemail = ada@example.org\n[init]\ndefaultBranch = main\n[protocol "file"]\nallow = always\n'
    )
    return home / ".gitconfig"


@pytest.fixture
def repository(tmp_path: Path, own_git_configuration: Path) -> Path:
    return make_repository(tmp_path / "repository", **{"scripts/plot.py": "print(1)\n"})
