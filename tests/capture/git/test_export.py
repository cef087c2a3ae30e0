"""The files of a commit, put into a folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from snakeprov.capture.git.export import export_commit
from snakeprov.errors import CaptureError

from .worktrees import make_repository, run

ATTRIBUTES = "notes.md export-ignore\nversion.txt export-subst\n"


@pytest.fixture
def repository(tmp_path: Path, own_git_configuration: Path) -> Path:
    """A repository whose archives leave out a file and change another, with a submodule and work under way."""
    inner = make_repository(tmp_path / "inner")
    files = {".gitattributes": ATTRIBUTES, "notes.md": "n\n", "version.txt": "$Format:%H$\n", "run.sh": "#!/bin/sh\n"}
    repository = make_repository(tmp_path / "repository", **files)
    (repository / "run.sh").chmod(0o755)
    (repository / "data").symlink_to("/data")
    run("submodule", "--quiet", "add", str(inner), "inner", cwd=repository)
    run("add", "-A", cwd=repository)
    run("commit", "-qm", "second", cwd=repository)
    (repository / "Snakefile").write_text("staged\n")
    run("add", "Snakefile", cwd=repository)
    (repository / "Snakefile").write_text("edited\n")
    return repository


def test_all_of_a_commit_is_there_as_it_was_committed(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also what an archive would leave out or change; from any folder, links and modes kept, submodules empty."""
    (tmp_path / "out").mkdir()
    monkeypatch.chdir(tmp_path)
    export_commit(repository, run("rev-parse", "HEAD", cwd=repository), Path("out"))
    out = tmp_path / "out"
    names = {".gitattributes", ".gitmodules", "Snakefile", "data", "inner", "notes.md", "run.sh", "version.txt"}
    assert {path.name for path in out.iterdir()} == names
    assert (out / "version.txt").read_text() == "$Format:%H$\n"
    assert (out / "Snakefile").read_text() == "rule all:\n"
    assert (out / "run.sh").stat().st_mode & 0o111
    assert (out / "data").readlink() == Path("/data")
    assert not any((out / "inner").iterdir())


def test_the_work_tree_is_left_as_it_is(repository: Path, tmp_path: Path) -> None:
    """What is staged stays staged, what is edited stays edited."""
    before = run("status", "--porcelain", cwd=repository)
    index = (repository / ".git" / "index").read_bytes()
    (tmp_path / "out").mkdir()
    export_commit(repository, "HEAD", tmp_path / "out")
    assert (repository / ".git" / "index").read_bytes() == index
    assert run("status", "--porcelain", cwd=repository) == before == "MM Snakefile"


def test_a_sparse_work_tree_gives_whole_commits(repository: Path, tmp_path: Path) -> None:
    """Files that are not checked out in the work tree are put into the folder."""
    run("stash", "--quiet", cwd=repository)
    run("sparse-checkout", "set", "--no-cone", "/Snakefile", cwd=repository)
    assert not (repository / "notes.md").exists()
    (tmp_path / "out").mkdir()
    export_commit(repository, "HEAD", tmp_path / "out")
    assert (tmp_path / "out" / "notes.md").exists()


def test_a_commit_that_is_not_there_is_an_error(repository: Path, tmp_path: Path) -> None:
    """The error says what git was asked and what it said."""
    (tmp_path / "out").mkdir()
    with pytest.raises(CaptureError, match=rf"^git read-tree in '{repository}' failed: fatal: .*nothing"):
        export_commit(repository, "nothing", tmp_path / "out")
    assert not any((tmp_path / "out").iterdir())
