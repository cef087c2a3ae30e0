"""Under which path a file of a git repository is recorded: real repositories, wherever they lie."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from snakeprov.capture.git.remotes import repository_name
from snakeprov.capture.git.repositories import Repositories
from snakeprov.capture.places import Places
from tests.capture.git.worktrees import make_repository, run

pytestmark = pytest.mark.usefixtures("own_git_configuration")

SAME = [
    "git@github.com:lab/pipeline.git",
    "https://github.com/lab/pipeline",
    "https://github.com/lab/pipeline.git/",
    "https://ada:ghp_123@GitHub.com:443/lab/pipeline.git",
    "ssh://git@github.com/lab/pipeline.git",
    "ssh://git@ssh.github.com:443/lab/pipeline.git",
    "git://github.com/lab/pipeline.git",
]
OTHERS = [
    "git@gitlab.com:lab/pipeline.git",
    "git@github.com:ada/pipeline.git",
    "git@github.com:lab/pipeline/more.git",
    "https://github.com:8443/lab/pipeline.git",
    "ada@host.example.org:pipeline.git",
    "bob@host.example.org:pipeline.git",
    "ada@host.example.org:/pipeline.git",
]
NAMELESS = [
    "/srv/git/pipeline.git",
    "../pipeline.git",
    "file:///srv/pipeline.git",
    "https://host/a.git/b.git",
    "host:..",
]


def path(file: Path) -> str | None:
    return Repositories().path(os.path.realpath(file))


def test_all_spellings_of_a_remote_are_one_name() -> None:
    """However the URL is written, without credentials; what is another repository has another name."""
    assert {repository_name(url) for url in SAME} == {"github.com/lab/pipeline.git"}
    others = [repository_name(url) for url in OTHERS]
    assert len({*others, "github.com/lab/pipeline.git"} - {None}) == len(OTHERS) + 1
    assert [repository_name(url) for url in NAMELESS] == [None] * len(NAMELESS)


@pytest.mark.parametrize("remote", [None, "/srv/git/pipeline.git", SAME[0]])
def test_a_clone_is_named_alike_wherever_it_lies(tmp_path: Path, remote: str | None) -> None:
    """Moved and renamed, cloned once more, and at a later commit or on another branch."""
    first = make_repository(tmp_path / "pipeline", remote=remote, **{"rules/a b.smk": "rule a:\n"})
    before = path(first / "rules" / "a b.smk")
    assert before is not None and before.startswith("git:/") and before.endswith(".git/rules/a b.smk")
    run("clone", "-q", first, tmp_path / "clone", cwd=tmp_path)
    if remote is SAME[0]:
        run("remote", "set-url", "origin", SAME[1], cwd=tmp_path / "clone")
    assert path(tmp_path / "clone" / "rules" / "a b.smk") == before

    moved = first.rename(tmp_path / "renamed")
    run("checkout", "-q", "-b", "other", cwd=moved)
    run("commit", "-q", "--allow-empty", "-m", "later", cwd=moved)
    assert path(moved / "rules" / "a b.smk") == before
    clone = Repositories().clone(str(moved / "Snakefile"))
    assert clone is not None and clone.place(before) == os.path.realpath(moved / "rules" / "a b.smk")
    assert clone.place(before.replace("rules", "../rules")) is None
    assert clone.place("git:/github.com/lab/other.git/Snakefile") is None
    assert clone.place("Snakefile") is None


def test_two_repositories_of_one_name_are_two(tmp_path: Path) -> None:
    """Without a remote the first commit tells them apart, with one the remote does."""
    one = make_repository(tmp_path / "one" / "pipeline", remote=None, who="one")
    two = make_repository(tmp_path / "two" / "pipeline", remote=None, who="two")
    three = make_repository(tmp_path / "three" / "pipeline", remote=SAME[0], who="one")
    four = make_repository(tmp_path / "four" / "pipeline", remote=OTHERS[0], who="one")
    assert len({path(folder / "Snakefile") for folder in (one, two, three, four)}) == 4


def test_a_file_of_no_repository_has_no_such_path(tmp_path: Path) -> None:
    """Nor one of a repository without a commit and a remote, or of one that cannot be read."""
    (tmp_path / "plain").mkdir()
    (tmp_path / "unborn").mkdir()
    run("init", "-q", cwd=tmp_path / "unborn")
    broken = make_repository(tmp_path / "broken", remote=None)
    shutil.rmtree(broken / ".git" / "objects")
    assert [path(tmp_path / name / "Snakefile") for name in ("plain", "unborn", "broken")] == [None] * 3
    assert Repositories().clone(str(tmp_path / "plain" / "Snakefile")) is None
    run("remote", "add", "origin", SAME[0], cwd=tmp_path / "unborn")
    assert path(tmp_path / "unborn" / "Snakefile") == "git:/github.com/lab/pipeline.git/Snakefile"


def test_a_file_belongs_to_the_innermost_repository(tmp_path: Path) -> None:
    """A file in a submodule is named by that, and one in a linked work tree like those in the clone."""
    outer = make_repository(tmp_path / "outer", remote=SAME[0])
    inner = make_repository(tmp_path / "inner", remote=None)
    run("-c", "protocol.file.allow=always", "submodule", "add", "-q", inner, "sub", cwd=outer)
    run("worktree", "add", "-q", tmp_path / "linked", cwd=outer)
    assert path(outer / "sub" / "Snakefile") == path(inner / "Snakefile")
    assert path(tmp_path / "linked" / "Snakefile") == path(outer / "Snakefile")


def test_no_file_of_a_project_has_the_path_of_code_in_a_repository(tmp_path: Path) -> None:
    """What lies in a folder `git:` of the working directory is recorded by its absolute path."""
    file = tmp_path / "git:" / "github.com" / "lab" / "pipeline.git" / "Snakefile"
    file.parent.mkdir(parents=True)
    file.touch()
    places = Places(str(tmp_path))
    for typed in (str(file), str(file.relative_to(tmp_path)), "x/../git:/github.com/a"):
        assert places.path(typed).startswith(f"{os.path.realpath(tmp_path)}/git:/")
    assert places.path("git:") == "git:" and places.path("data/git:/a") == "data/git:/a"
