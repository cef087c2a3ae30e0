"""Git that is missing, hangs, says too much or refuses, and repositories that are broken or somebody else's."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from snakeprov.capture.git import program
from snakeprov.capture.git import reader as module
from snakeprov.capture.git.program import run_git
from snakeprov.capture.git.reader import GitReader, git_blob_sha1
from snakeprov.errors import CaptureError

from .worktrees import GITHUB, is_clean, make_repository, run

pytestmark = pytest.mark.usefixtures("own_git_configuration")


@pytest.mark.parametrize("content", ["gitdir: /nowhere/at/all\n", "nonsense"])
def test_broken_git_file_says_what_is_wrong(tmp_path: Path, content: str) -> None:
    """A work tree whose repository is gone has a root and nothing else, and the problem is reported."""
    (tmp_path / ".git").write_text(content)
    (tmp_path / "Snakefile").touch()
    reader = GitReader()
    state = reader.state_of(str(tmp_path / "Snakefile"))
    assert state is not None
    assert (state.root, state.commit, state.dirty) == (str(tmp_path), None, None)
    assert not is_clean(reader, tmp_path / "Snakefile")
    assert reader.permalink(str(tmp_path / "Snakefile")) is None
    assert reader.patch(state.root) is None
    assert reader.problem is not None
    assert f"in '{tmp_path}' failed: fatal: " in reader.problem


def test_missing_git_program(repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the git program commit, branch, remote and clean files are read all the same; dirty is not known."""
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    reader = GitReader()
    state = reader.state_of(str(repository))
    assert state is not None
    assert (state.branch, state.remote, state.dirty) == ("main", GITHUB, None)
    assert state.commit == (repository / ".git/refs/heads/main").read_text().strip()
    assert is_clean(reader, repository / "Snakefile")
    assert reader.patch(state.root) is None
    assert reader.problem is not None
    assert "the git program cannot be started (No such file or directory). Install git" in reader.problem


def test_gitpython_is_imported_without_the_git_program(repository: Path, tmp_path: Path) -> None:
    """A process that has never had git on its PATH can read a commit, and its environment is left as it was."""
    program = (
        "import os, sys; from snakeprov.capture.git.reader import GitReader\n"
        "print(GitReader().state_of(sys.argv[1]).commit, os.environ.get('GIT_PYTHON_REFRESH'))"
    )
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", program, str(repository)],
        env={**os.environ, "PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert (result.stdout, result.stderr) == (f"{run('rev-parse', 'HEAD', cwd=repository)} None\n", "")


def test_repository_of_another_user(repository: Path) -> None:
    """Where git refuses another user's repository, the commit is known, dirty is not, and the hint says what to do."""
    if os.geteuid() != 0:
        pytest.skip("only root can give a repository to another user")
    for folder, _, names in os.walk(repository):
        for name in (".", *names):
            os.chown(Path(folder) / name, 12345, 12345)
    reader = GitReader()
    state = reader.state_of(str(repository))
    assert state is not None
    assert (state.branch, state.dirty) == ("main", None)
    assert reader.problem is not None
    assert "was refused: the repository belongs to another user. If you trust it: git config" in reader.problem


def test_variables_of_another_repository_do_not_confuse(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Snakemake started from a git hook, where variables name another repository, still records the right one."""
    other = make_repository(tmp_path / "other", remote="https://example.org/other.git")
    for name, value in {
        "GIT_DIR": other / ".git",
        "GIT_WORK_TREE": other,
        "GIT_INDEX_FILE": other / ".git/index",
        "GIT_OBJECT_DIRECTORY": other / ".git/objects",
        "GIT_EXTERNAL_DIFF": "false",
    }.items():
        monkeypatch.setenv(name, str(value))
    (repository / "scripts/plot.py").write_text("changed\n")
    reader = GitReader()
    state = reader.state_of(str(repository / "Snakefile"))
    assert state is not None
    assert (state.root, state.remote, state.dirty) == (str(repository), GITHUB, True)
    assert is_clean(reader, repository / "Snakefile")
    assert b"+changed" in (reader.patch(state.root) or b"")
    assert reader.problem is None
    monkeypatch.setenv("GIT_COMMON_DIR", str(other / ".git"))
    reader = GitReader()
    state = reader.state_of(str(repository / "Snakefile"))
    assert state is not None
    assert (state.root, state.dirty) == (str(repository), True)
    assert is_clean(reader, repository / "Snakefile")
    # GitPython of late follows this variable: then the remote is left out, rather than taken from the other one.
    assert (state.remote, reader.problem) in [
        (GITHUB, None),
        (
            None,
            f"The git repository of '{repository}' cannot be read: "
            "an environment variable (GIT_COMMON_DIR) names another one.",
        ),
    ]


def test_repository_in_a_form_gitpython_cannot_read(tmp_path: Path) -> None:
    """A repository with SHA-256 object ids is read with the git program."""
    tmp_path.joinpath("r").mkdir()
    made = subprocess.run(["git", "init", "-q", "--object-format=sha256"], cwd=tmp_path / "r", capture_output=True)
    if made.returncode:
        pytest.skip("this git cannot make SHA-256 repositories")
    for name in ("a.py", "b.py"):
        (tmp_path / "r" / name).write_text("1\n")
    run("add", "-A", cwd=tmp_path / "r")
    run("commit", "-qm", "first", cwd=tmp_path / "r")
    (tmp_path / "r/b.py").write_text("2\n")
    time.sleep(0.02)
    reader = GitReader()
    state = reader.state_of(str(tmp_path / "r"))
    assert state is not None
    assert (len(state.commit or ""), state.dirty) == (64, True)
    assert is_clean(reader, tmp_path / "r/a.py")
    assert not is_clean(reader, tmp_path / "r/b.py")


def test_git_that_hangs_is_ended(repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A git program that does not answer is ended at the time limit, and the commit is known all the same."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/git").write_text("#!/bin/sh\nexec sleep 60\n")
    (tmp_path / "bin/git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    reader = GitReader(timeout_s=0.2)
    began = time.monotonic()
    state = reader.state_of(str(repository))
    assert time.monotonic() - began < 20
    assert state is not None
    assert (state.branch, state.dirty) == ("main", None)
    assert reader.problem == f"git status in '{repository}' took longer than 0.2 s and was ended."


def test_patch_is_bounded(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A patch at the bound is kept; a larger one is left out, and the problem says so."""
    (repository / "Snakefile").write_text("x" * 1000)
    patch = GitReader().patch(str(repository))
    assert patch is not None
    monkeypatch.setattr(module, "MAX_PATCH_BYTES", len(patch))
    assert GitReader().patch(str(repository)) == patch
    monkeypatch.setattr(module, "MAX_PATCH_BYTES", len(patch) - 1)
    reader = GitReader()
    assert reader.patch(str(repository)) is None
    assert reader.problem is not None
    assert f"is larger than {len(patch) - 1} bytes and was not kept" in reader.problem


def test_status_that_is_cut_is_dirty_and_vouches_for_nothing(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With more changes than are read the work tree is dirty, and files are compared by their bytes alone."""
    monkeypatch.setattr(program, "MAX_STATUS_BYTES", 150)
    for number in range(50):
        (repository / f"new{number}").touch()
    run("add", "-A", cwd=repository)
    reader = GitReader()
    state = reader.state_of(str(repository))
    assert state is not None
    assert (state.branch, state.dirty) == ("main", True)
    assert is_clean(reader, repository / "Snakefile")
    assert not reader.is_clean(str(repository / "Snakefile"), git_blob_sha1(b"other"))


def test_code_file_is_bounded(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file larger than code ever is has no permalink."""
    monkeypatch.setattr(module, "MAX_CODE_BYTES", 3)
    assert GitReader().permalink(str(repository / "Snakefile")) is None


def test_git_neither_asks_nor_writes(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """git runs without prompts and locks, and the repository's files stay as they are, byte for byte."""
    os.utime(repository / "Snakefile", (1, 1))

    def contents() -> dict[Path, bytes]:
        return {path: path.read_bytes() for path in (repository / ".git").rglob("*") if path.is_file()}

    before = contents()
    reader = GitReader()
    reader.permalink(str(repository / "Snakefile"))
    assert contents() == before
    monkeypatch.setenv("GIT_TRACE", "1")
    assert run_git(repository, ["rev-parse", "HEAD"], timeout_s=9, limit_bytes=99).content
    answer = (
        run_git(repository, ["-c", "alias.env=!env", "env"], timeout_s=9, limit_bytes=1 << 20)
        .content.decode()
        .splitlines()
    )
    assert {"GIT_TERMINAL_PROMPT=0", "GIT_OPTIONAL_LOCKS=0", "LC_ALL=C"} <= set(answer)
    assert "GIT_TRACE=1" not in answer


def test_failing_git_command_is_a_capture_error(repository: Path) -> None:
    """A command that git rejects gives our sentence with git's reason."""
    with pytest.raises(CaptureError, match=rf"^git show in '{repository}' failed: fatal: .*nothing.*\.$"):
        run_git(repository, ["show", "nothing"], timeout_s=9, limit_bytes=99)


def test_gitpython_is_imported_only_when_asked() -> None:
    """Importing the module loads no GitPython; it costs a tenth of a second and starts git."""
    program = "import sys, snakeprov.capture.git.reader; print([m for m in ('git', 'gitdb') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout == "[]\n"
