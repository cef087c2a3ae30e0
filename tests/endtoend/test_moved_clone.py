"""A workflow whose code lies in a git repository outside of the working directory: the repository names it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.endtoend.conftest import Work

SNAKEFILE = """
import snakeprov; snakeprov.track(workflow)
include: "rules/more.smk"

rule last:
    input: "b.txt"
    output: "c.txt"
    params: folder=workflow.basedir
    shell: "bash {workflow.basedir}/scripts/copy.sh {input} {output}"
"""

MORE = """
rule first:
    input: "a.txt"
    output: "b.txt"
    script: "../scripts/copy.py"
"""

COPY = "import helping\nhelping.copy(snakemake.input[0], snakemake.output[0])\n"
HELPING = "def copy(old, new):\n    open(new, 'w').write(open(old).read())\n"
CODE = ("Snakefile", "rules/more.smk", "scripts/copy.py", "scripts/helping.py", "scripts/copy.sh")


@pytest.fixture
def pipeline(make_work: Callable[..., Work], tmp_path: Path) -> Work:
    """The repository of a workflow, committed; `work` beside it is the working directory."""
    work = make_work("")
    (work.folder / "Snakefile").unlink()
    work.folder = tmp_path / "pipeline"
    work.write("workflow/Snakefile", SNAKEFILE)
    work.write("workflow/rules/more.smk", MORE)
    work.write("workflow/scripts/copy.py", COPY)
    work.write("workflow/scripts/helping.py", HELPING)
    work.write("workflow/scripts/copy.sh", "cp $1 $2\n")
    work.commit()
    work.folder = tmp_path / "work"
    work.write("a.txt", "some bytes\n")
    return work


def in_clone(work: Work, clone: Path, *arguments: str) -> str:
    """Run git in a clone; return what it prints."""
    folder, work.folder = work.folder, clone
    try:
        return work.git(*arguments)
    finally:
        work.folder = folder


@pytest.mark.parametrize("remote", [None, "git@github.com:lab/pipeline.git"], ids=["no remote", "a remote"])
def test_a_moved_clone_goes_on_with_its_history(pipeline: Work, tmp_path: Path, remote: str | None) -> None:
    """Its code has one path wherever it lies, by which, and by its place on disk, every command finds it."""
    work, clone = pipeline, tmp_path / "pipeline"
    if remote is None:
        name = in_clone(work, clone, "rev-parse", "HEAD")[:12] + ".git"
    else:
        in_clone(work, clone, "remote", "add", "origin", remote)
        name = "github.com/lab/pipeline.git"
    code = {f"git:/{name}/workflow/{path}" for path in CODE}
    work.snakemake("c.txt", "-s", "../pipeline/workflow/Snakefile")
    first = work.ask("runs")[0]["id"]

    assert {one["path"] for one in work.ask("verify")["files"]} == {"a.txt", "b.txt", "c.txt", *code}
    assert {one["state"] for one in work.ask("verify")["files"]} == {"ok"}
    shown = work.ask("show", "b.txt")
    assert {one["path"] for one in shown["job"]["code"]} == {
        f"git:/{name}/workflow/{path}" for path in ("rules/more.smk", "scripts/copy.py", "scripts/helping.py")
    }
    assert "line 2" in work.say("show", "b.txt")

    (tmp_path / "new").mkdir()
    clone = clone.rename(tmp_path / "new" / "renamed")
    if remote is not None:
        in_clone(work, clone, "remote", "set-url", "origin", "https://ada:secret@github.com/lab/pipeline")
    work.write("a.txt", "other bytes\n")
    work.snakemake("c.txt", "-s", str(clone / "workflow" / "Snakefile"), "--forceall")

    for path in CODE:
        for typed in (f"../new/renamed/workflow/{path}", f"git:/{name}/workflow/{path}"):
            assert [one["versionNumber"] for one in work.ask("log", typed)["versions"]] == [1], typed
    for path, cause in (("b.txt", "a.txt"), ("c.txt", "b.txt")):
        why = work.ask("why", path)
        assert [(one["kind"], one["name"]) for one in why["causes"]] == [("input", cause)]
        assert [one["name"] for one in why["circumstances"]] == []
    affected = {one["path"] for one in work.ask("affected", "../new/renamed/workflow/scripts/helping.py")["versions"]}
    assert affected == {"b.txt", "c.txt"}

    work.say("checkout", first, "--to", "before")
    work.say("checkout", work.ask("runs")[0]["id"], "--to", "after")
    for path in CODE:
        text = (clone / "workflow" / path).read_text()
        assert (work.folder / "after" / "workflow" / path).read_text() == text
        assert (work.folder / "before" / f"outside/{tmp_path}/pipeline/workflow" / path).read_text() == text

    for name_of_crate, more in (("crate", ()), ("public", ("--public",))):
        work.say("export", "c.txt", "-o", name_of_crate, *more)
        metadata = json.loads((work.folder / name_of_crate / "ro-crate-metadata.json").read_text())
        (root,) = (one for one in metadata["@graph"] if one["@id"] == "./")
        assert root["mainEntity"]["@id"] == f"external/{name}/workflow/Snakefile"
    assert str(tmp_path) not in (work.folder / "public" / "ro-crate-metadata.json").read_text()

    helping = clone / "workflow" / "scripts" / "helping.py"
    helping.write_text("changed = True\n")
    work.say("verify", status=4)
    work.say("verify", str(helping), status=4)
    work.say("restore", str(helping), "--force")
    assert helping.read_text() == HELPING
    work.say("restore", f"git:/{name}/workflow/scripts/helping.py", status=2)
    assert not (work.folder / "git:").exists()


def test_code_outside_of_any_repository_has_its_absolute_path(pipeline: Work, tmp_path: Path) -> None:
    """Nothing but its place names it; and a repository that the working directory lies in names what is beside that."""
    work, clone = pipeline, tmp_path / "pipeline"
    shutil.rmtree(clone / ".git")
    work.snakemake("b.txt", "-s", "../pipeline/workflow/Snakefile")
    assert [one["versionNumber"] for one in work.ask("log", "../pipeline/workflow/scripts/copy.py")["versions"]] == [1]
    assert str(clone / "workflow/scripts/copy.py") in {one["path"] for one in work.ask("verify")["files"]}

    work.folder = clone
    work.commit()
    name = work.git("rev-parse", "HEAD")[:12]
    work.folder = clone / "analysis"
    work.write("a.txt", "some bytes\n")
    work.snakemake("b.txt", "-s", "../workflow/Snakefile")
    executed = {one["path"] for one in work.ask("show", "b.txt")["job"]["code"]}
    assert f"git:/{name}.git/workflow/scripts/copy.py" in executed
