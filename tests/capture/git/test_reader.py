"""Git work trees, read with real repositories made by the real git program."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snakeprov.capture.git import reader as module
from snakeprov.capture.git.program import parse_status
from snakeprov.capture.git.reader import GitReader, git_blob_sha1
from snakeprov.model.paths import to_os, to_text

from .worktrees import GITHUB, is_clean, make_repository, run

pytestmark = pytest.mark.usefixtures("own_git_configuration")


@settings(max_examples=10, deadline=None)
@given(content=st.binary(max_size=50))
def test_blob_id_is_gits(content: bytes) -> None:
    """The id of a file's bytes is the one that git computes."""
    of_git = subprocess.run(["git", "hash-object", "--stdin"], input=content, capture_output=True, check=True).stdout
    assert git_blob_sha1(content) == of_git.decode().strip()


def test_clean_repository(repository: Path) -> None:
    """A clean work tree has commit, branch and remote, is not dirty, and its files have permalinks."""
    reader = GitReader()
    state = reader.state_of(str(repository / "Snakefile"))
    assert state is not None
    sha = run("rev-parse", "HEAD", cwd=repository)
    assert (state.root, state.commit, state.branch) == (str(repository), sha, "main")
    assert (state.remote, state.dirty) == (GITHUB, False)
    assert reader.patch(state.root) is None
    assert is_clean(reader, repository / "scripts/plot.py")
    url = f"https://github.com/ada/flights/blob/{sha}/scripts/plot.py"
    assert reader.permalink(str(repository / "scripts/plot.py")) == url
    assert reader.permalink(str(repository / "scripts/plot.py"), line=7) == f"{url}#L7"
    assert reader.problem is None


def test_no_version_control(tmp_path: Path) -> None:
    """A file that lies in no work tree has no state, is not clean, has no permalink, and that is no problem."""
    (tmp_path / "Snakefile").touch()
    reader = GitReader()
    for path in (tmp_path / "Snakefile", tmp_path / "missing", Path("nul\0byte")):
        assert reader.state_of(str(path)) is None
        assert not reader.is_clean(str(path), git_blob_sha1(b""))
        assert reader.permalink(str(path)) is None
    assert reader.patch(str(tmp_path)) is None
    assert reader.problem is None


def test_changed_file_is_dirty_and_the_others_are_clean(repository: Path) -> None:
    """A change makes the work tree dirty and its file unclean; the patch restores it, and other files stay clean."""
    (repository / "Snakefile").write_text("rule all: # changed\n")
    reader = GitReader()
    state = reader.state_of(str(repository))
    assert state is not None
    assert state.dirty is True
    assert not is_clean(reader, repository / "Snakefile")
    assert reader.permalink(str(repository / "Snakefile")) is None
    assert reader.permalink(str(repository / "scripts/plot.py")) is not None
    assert reader.is_clean(str(repository / "Snakefile"), git_blob_sha1(b"rule all:\n"))


def test_patch_restores_every_tracked_difference(repository: Path, own_git_configuration: Path) -> None:
    """The patch applied to the commit gives the files back byte for byte: binary, staged, removed, oddly named."""
    with own_git_configuration.open("a") as file:
        file.write("[diff]\nnoprefix = true\nrenames = true\nexternal = false\n[color]\nui = always\n")
    binary = bytes(range(256)) * 10
    (repository / "scripts/plot.py").unlink()
    (repository / "added name é.py").write_text("no newline at the end")
    run("add", "-A", cwd=repository)
    (repository / "Snakefile").write_bytes(binary)
    (repository / "added name é.py").write_text("changed after it was staged")
    (repository / "untracked").touch()
    reader = GitReader()
    patch = reader.patch(str(repository))
    assert patch is not None
    assert reader.problem is None
    run("clone", "-q", repository, repository.parent / "clone", cwd=repository.parent)
    subprocess.run(["git", "apply", "-"], cwd=repository.parent / "clone", input=patch, check=True)
    assert (repository.parent / "clone/Snakefile").read_bytes() == binary
    assert (repository.parent / "clone/added name é.py").read_text() == "changed after it was staged"
    assert not (repository.parent / "clone/scripts/plot.py").exists()
    assert not (repository.parent / "clone/untracked").exists()


def test_an_untracked_file_does_not_make_a_work_tree_dirty(tmp_path: Path, own_git_configuration: Path) -> None:
    """Results that are neither committed nor ignored are no difference, whatever the user's configuration shows."""
    repository = make_repository(tmp_path / "repository")
    with own_git_configuration.open("a") as file:
        file.write("[status]\nshowUntrackedFiles = all\n")
    (repository / "new.py").touch()
    state = GitReader().state_of(str(repository))
    assert state is not None
    assert state.dirty is False
    assert not GitReader().is_clean(str(repository / "new.py"), git_blob_sha1(b""))


def test_results_of_workflows_are_no_dirt(repository: Path) -> None:
    """Neither a file that a workflow wrote nor one in a directory that it wrote; they are not in the patch either."""
    for name in ("results/a.txt", "results/parts/b.txt", "data.txt"):
        (repository / name).parent.mkdir(parents=True, exist_ok=True)
        (repository / name).write_text("before\n")
    run("add", "-A", cwd=repository)
    run("commit", "-qm", "with results", cwd=repository)
    for name in ("results/a.txt", "results/parts/b.txt"):
        (repository / name).write_text("after\n")
    results = [str(repository / "results/a.txt"), str(repository / "scripts/../results/parts")]
    reader = GitReader(results=lambda: results)
    state = reader.state_of(str(repository))
    assert state is not None
    assert (state.dirty, reader.patch(state.root)) == (False, None)
    (repository / "data.txt").write_text("after\n")
    reader = GitReader(results=lambda: results)
    state = reader.state_of(str(repository))
    assert state is not None
    assert state.dirty is True
    patch = reader.patch(state.root)
    assert patch is not None
    assert b"data.txt" in patch
    assert b"results" not in patch


def test_results_are_listed_again_only_for_a_file_that_was_not_among_them(tmp_path: Path) -> None:
    """A large workflow has many results, and asks about many files of code."""
    results = [str(tmp_path / "gen.py"), str(tmp_path / "lib")]
    listed: list[int] = []

    def current_results() -> list[str]:
        listed.append(len(results))
        return results

    reader = GitReader(results=current_results)
    assert all(reader.is_result(str(tmp_path / name)) for name in ("gen.py", "lib/a.py", "lib/b.py", "gen.py"))
    assert listed == [2]
    results.append(str(tmp_path / "later.py"))
    assert reader.is_result(str(tmp_path / "later.py"))
    assert not reader.is_result(str(tmp_path / "own.py"))
    assert listed == [2, 3, 3]


def test_a_patch_is_bounded_and_says_what_it_leaves_out(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files too large for code, and more files than are kept; what is named like a pattern is itself."""
    for name in ("[ab].txt", "a.txt", "large.bin", "z.txt"):
        (repository / name).write_text("before\n")
    run("add", "-A", cwd=repository)
    run("commit", "-qm", "more", cwd=repository)
    for name in ("[ab].txt", "large.bin", "z.txt"):
        (repository / name).write_text("after\n" * (1 if name != "large.bin" else 99))
    monkeypatch.setattr(module, "MAX_PATCHED_FILE_BYTES", 100)
    monkeypatch.setattr(module, "MAX_PATCHED_FILES", 1)
    reader = GitReader()
    state = reader.state_of(str(repository))
    assert state is not None
    patch = reader.patch(state.root)
    assert patch is not None
    assert [line for line in patch.splitlines() if line.startswith(b"+++")] == [b"+++ b/[ab].txt"]
    state = reader.state_of(str(repository))
    assert state is not None and state.patch_left_out == ["large.bin", "z.txt"]


def test_links_into_git_annex_stand_for_the_file(repository: Path) -> None:
    """A script whose content is in the annex is clean as long as the commit has that link."""
    objects = repository / ".git/annex/objects/aa/bb"
    for key in ("SHA256-one", "SHA256-two"):
        (objects / key).mkdir(parents=True)
        (objects / key / key).write_text(key)
    script = repository / "scripts/annexed.py"
    script.symlink_to("../.git/annex/objects/aa/bb/SHA256-one/SHA256-one")
    (repository / "link.py").symlink_to("scripts/annexed.py")
    run("add", "-A", cwd=repository)
    run("commit", "-qm", "annexed", cwd=repository)
    reader = GitReader()
    assert is_clean(reader, script)
    assert is_clean(reader, repository / "link.py")
    state = reader.state_of(str(script))
    assert state is not None
    assert (state.root, state.dirty) == (str(repository), False)
    script.unlink()
    script.symlink_to("../.git/annex/objects/aa/bb/SHA256-two/SHA256-two")
    reader = GitReader()
    assert not is_clean(reader, script)
    (repository / "new.py").symlink_to(".git/annex/objects/aa/bb/SHA256-two/SHA256-two")
    assert not is_clean(reader, repository / "new.py")


def test_answers_stay_those_of_the_beginning_of_the_run(repository: Path) -> None:
    """A commit made during the run does not change what the reader says."""
    reader = GitReader()
    before = reader.state_of(str(repository))
    (repository / "Snakefile").write_text("rule other:\n")
    run("commit", "-qam", "second", cwd=repository)
    assert reader.state_of(str(repository / "scripts")) == before
    assert not is_clean(reader, repository / "Snakefile")
    assert is_clean(reader, repository / "scripts/plot.py")


def test_one_status_and_nothing_else_is_started(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run asks the git program once per work tree, however many files it asks about; the rest is read from files."""
    run("gc", "-q", cwd=repository)
    started: list[list[str]] = []

    class Recorded(subprocess.Popen[bytes]):
        def __init__(self, command: list[str], **options: Any) -> None:
            started.append(command)
            super().__init__(command, **options)

    monkeypatch.setattr(subprocess, "Popen", Recorded)
    reader = GitReader()
    for name in ("Snakefile", "scripts/plot.py", "missing.py"):
        reader.state_of(str(repository / name))
        reader.permalink(str(repository / name), line=1)
    reader.patch(str(repository))
    assert [command[5] for command in started] == ["status"]


def test_subdirectory_and_link_lead_to_the_file_that_runs(repository: Path, tmp_path: Path) -> None:
    """A file is found from anywhere, and through a link it is the file that the link leads to."""
    (tmp_path / "link.py").symlink_to(repository / "scripts/plot.py")
    reader = GitReader()
    assert reader.state_of(str(repository / "scripts")) == reader.state_of(str(repository))
    assert is_clean(reader, tmp_path / "link.py")
    url = reader.permalink(str(tmp_path / "link.py"))
    assert url is not None
    assert url.endswith("/scripts/plot.py")


def test_detached_head(repository: Path) -> None:
    """A detached HEAD has a commit and no branch."""
    run("checkout", "-q", "--detach", cwd=repository)
    state = GitReader().state_of(str(repository))
    assert state is not None
    assert (state.commit, state.branch) == (run("rev-parse", "HEAD", cwd=repository), None)


def test_no_commit_yet(tmp_path: Path) -> None:
    """Before the first commit there is a branch and no commit; staged files are in the patch."""
    run("init", "-q", tmp_path, cwd=tmp_path)
    (tmp_path / "Snakefile").write_text("rule all:\n")
    run("add", "Snakefile", cwd=tmp_path)
    reader = GitReader()
    state = reader.state_of(str(tmp_path))
    assert state is not None
    assert (state.commit, state.branch, state.dirty, state.remote) == (None, "main", True, None)
    assert b"+rule all:" in (reader.patch(state.root) or b"")
    assert not is_clean(reader, tmp_path / "Snakefile")
    assert reader.permalink(str(tmp_path / "Snakefile")) is None
    assert reader.problem is None


def test_linked_worktree(repository: Path, tmp_path: Path) -> None:
    """A linked work tree has its own root, branch and commit, and the repository's remote and objects."""
    run("worktree", "add", "-q", "-b", "topic", tmp_path / "linked", cwd=repository)
    (tmp_path / "linked/Snakefile").write_text("rule topic:\n")
    run("commit", "-qam", "topic", cwd=tmp_path / "linked")
    reader = GitReader()
    state = reader.state_of(str(tmp_path / "linked"))
    assert state is not None
    assert (state.root, state.branch, state.remote) == (str(tmp_path / "linked"), "topic", GITHUB)
    assert state.commit == run("rev-parse", "topic", cwd=repository)
    assert is_clean(reader, tmp_path / "linked/Snakefile")
    assert reader.problem is None


def test_submodule_has_its_own_state(repository: Path, tmp_path: Path) -> None:
    """A file in a submodule belongs to the submodule's commit and remote."""
    rules = make_repository(tmp_path / "rules", remote=None, **{"rules.smk": "rule shared:\n"})
    run("submodule", "--quiet", "add", rules, "rules", cwd=repository)
    run("remote", "set-url", "origin", "git@gitlab.com:lab/rules.git", cwd=repository / "rules")
    run("commit", "-qm", "with rules", cwd=repository)
    reader = GitReader()
    state = reader.state_of(str(repository / "rules/rules.smk"))
    assert state is not None
    sha = run("rev-parse", "HEAD", cwd=rules)
    assert (state.root, state.commit) == (str(repository / "rules"), sha)
    assert (
        reader.permalink(str(repository / "rules/rules.smk")) == f"https://gitlab.com/lab/rules/-/blob/{sha}/rules.smk"
    )
    outer = reader.state_of(str(repository))
    assert outer is not None
    assert (outer.root, outer.dirty) == (str(repository), False)


def test_shallow_clone(repository: Path, tmp_path: Path) -> None:
    """A shallow clone is read like any other."""
    (repository / "Snakefile").write_text("rule second:\n")
    run("commit", "-qam", "second", cwd=repository)
    run("clone", "-q", "--depth", "1", f"file://{repository}", tmp_path / "shallow", cwd=tmp_path)
    reader = GitReader()
    assert is_clean(reader, tmp_path / "shallow/Snakefile")
    assert reader.permalink(str(tmp_path / "shallow/Snakefile")) is None
    assert reader.problem is None


def test_tags_describe_a_commit(repository: Path, tmp_path: Path) -> None:
    """The nearest tag, loose or packed, and the distance from it; None where no tag is an ancestor."""
    run("tag", "v1.2", cwd=repository)
    (repository / "Snakefile").write_text("rule second:\n")
    run("commit", "-qam", "second", cwd=repository)
    described = run("describe", "--tags", cwd=repository)
    assert described.startswith("v1.2-1-g")
    for _ in range(2):
        state = GitReader().state_of(str(repository))
        assert state is not None
        assert state.describe == described
        run("pack-refs", "--all", "--prune", cwd=repository)
    run("checkout", "-q", "--orphan", "new", cwd=repository)
    run("commit", "-qm", "unrelated", cwd=repository)
    reader = GitReader()
    state = reader.state_of(str(repository))
    assert state is not None
    assert (state.describe, reader.problem) == (None, None)


def test_bare_repository_is_no_work_tree(repository: Path, tmp_path: Path) -> None:
    """A file that lies in a bare repository is not under its version control."""
    run("clone", "-q", "--bare", repository, tmp_path / "bare.git", cwd=tmp_path)
    assert GitReader().state_of(str(tmp_path / "bare.git/config")) is None


@pytest.mark.parametrize(
    ("remotes", "upstream", "expected"),
    [
        ({"origin": "https://a/o.git", "fork": "https://a/f.git"}, "fork", "https://a/f.git"),
        ({"origin": "https://a/o.git", "fork": "https://a/f.git"}, None, "https://a/o.git"),
        ({"mine": "https://u:p@a/m.git?token=x"}, None, "https://a/m.git"),
        ({"one": "https://a/1.git", "two": "https://a/2.git"}, None, None),
        ({"with/slash": "git@a:s.git"}, "with/slash", "git@a:s.git"),
    ],
)
def test_choice_of_remote(tmp_path: Path, remotes: dict[str, str], upstream: str | None, expected: str | None) -> None:
    """The remote is that of the branch's upstream, else origin, else the only one; without credentials."""
    repository = make_repository(tmp_path / "repository", remote=None)
    for name, url in remotes.items():
        run("remote", "add", name, url, cwd=repository)
    if upstream:
        run("config", "branch.main.remote", upstream, cwd=repository)
        run("config", "branch.main.merge", "refs/heads/main", cwd=repository)
    state = GitReader().state_of(str(repository))
    assert state is not None
    assert state.remote == expected


def test_line_ends_that_git_converts(tmp_path: Path) -> None:
    """A file that git stores with other line ends is clean until it is edited."""
    repository = make_repository(tmp_path / "repository", **{"a.py": "1\n", ".gitattributes": "*.py text eol=crlf\n"})
    (repository / "a.py").unlink()
    run("checkout", "-q", "a.py", cwd=repository)
    assert (repository / "a.py").read_bytes() == b"1\r\n"
    time.sleep(0.02)
    reader = GitReader()
    assert is_clean(reader, repository / "a.py")
    (repository / "a.py").write_bytes(b"2\r\n")
    assert not is_clean(reader, repository / "a.py")
    assert not is_clean(GitReader(), repository / "a.py")


def test_names_that_are_odd_or_not_utf8(tmp_path: Path) -> None:
    """Files, and the work tree itself, may have any name that the file system allows."""
    root = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9 $HOME \n x"))
    names = ["-dash.py", 'quo"te.py', "tab\t.py", os.fsdecode(b"latin\xe9.py"), "ünï.py", "new\nline.py"]
    make_repository(root, **dict.fromkeys(names, "1\n"))
    (root / names[3]).write_text("2\n")
    reader = GitReader()
    state = reader.state_of(str(root))
    assert state is not None
    assert state.root == to_text(str(root))
    assert to_os(state.root) == str(root)
    assert {name: is_clean(reader, root / name) for name in names} == {name: name != names[3] for name in names}
    assert b"latin\\351.py" in (reader.patch(state.root) or b"")
    url = reader.permalink(str(root / "new\nline.py"))
    assert url is not None
    assert url.endswith("/new%0Aline.py")
    assert reader.problem is None


def test_status_of_an_unmerged_file() -> None:
    """Changed, unmerged and untracked entries of git's status are read, spaces in names included."""
    zeros = "0" * 40
    content = (
        f"# branch.oid {zeros}\0# branch.head a b\0# branch.upstream o/a\0# branch.ab +1 -2\0"
        f"1 .M N... 100644 100644 100644 {zeros} {zeros} one file.py\0"
        f"u UU N... 100644 100644 100644 100644 {zeros} {zeros} {zeros} both sides.py\0"
        "? new.py\0"
    )
    status = parse_status(content.encode())
    assert status.changed == {"one file.py", "both sides.py"}
    assert (status.commit, status.branch, status.dirty, status.complete) == (zeros, "a b", True, True)


@settings(max_examples=100)
@given(
    content=st.binary(max_size=60)
    | st.lists(st.sampled_from([b"#", b"1", b"u", b"?", b" ", b"\0", b"x"])).map(b"".join)
)
def test_any_status_can_be_read(content: bytes) -> None:
    """Whatever git prints, reading it does not raise."""
    parse_status(content)
