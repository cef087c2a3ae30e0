"""A path that is a file in one run and a folder in another: both histories stay, and the newest wins."""

from __future__ import annotations

import shutil
from collections.abc import Callable

import pytest

from tests.endtoend.conftest import Work

SNAKEFILE = """
import snakeprov; snakeprov.track(workflow)

rule as_file:
    output: "out"
    shell: "echo 1 >> {output}"
"""

AS_FOLDER = SNAKEFILE.replace("as_file", "as_folder").replace('"out"', '"out/x.txt"')

AS_DIRECTORY = (
    SNAKEFILE.replace("as_file", "as_directory").replace('"out"', 'directory("out")').replace("echo 1 >>", "mkdir")
)


@pytest.fixture
def work(make_work: Callable[..., Work]) -> Work:
    """A workflow whose rule writes the file `out`, which ran."""
    made = make_work(SNAKEFILE)
    made.snakemake("out")
    return made


def changed(work: Work, snakefile: str, target: str) -> None:
    """Remove what is there and run another workflow."""
    place = work.folder / "out"
    shutil.rmtree(place) if place.is_dir() else place.unlink()
    work.write("Snakefile", snakefile)
    said = work.snakemake(target)
    assert "rejected" not in said and "could not" not in said


def states(work: Work, *, status: int = 0) -> dict[str, str]:
    return {one["path"]: one["state"] for one in work.ask("verify", status=status)["files"]}


def test_a_file_becomes_a_folder_and_a_file_again(work: Work) -> None:
    """Everything can still be asked for, and `verify` looks for what came last."""
    changed(work, AS_FOLDER, "out/x.txt")

    assert states(work) == {"Snakefile": "ok", "out/x.txt": "ok"}
    assert [one["rule"] for one in work.ask("log", "out")["versions"]] == ["as_file"]
    assert [one["rule"] for one in work.ask("log", "out/x.txt")["versions"]] == ["as_folder"]
    assert work.ask("restore", "out@1", "-o", "old")["restored"]
    assert work.ask("checkout", "run:last", "--to", "co")["files"]
    work.say("export", "out", "out/x.txt", "-o", "both.zip")

    changed(work, SNAKEFILE + "# again\n", "out")
    assert [one["versionNumber"] for one in work.ask("log", "out")["versions"]][-1] == 1
    changed(work, SNAKEFILE.replace("echo 1", "echo 2"), "out")
    assert states(work) == {"Snakefile": "ok", "out": "ok"}
    assert (work.folder / "old").read_text() == "1\n"


def test_a_file_becomes_a_recorded_directory(work: Work) -> None:
    """The bare name means the newest; a slash at the end always means the directory."""
    changed(work, AS_DIRECTORY, "out")
    newest = work.ask("log", "out")
    changed(work, SNAKEFILE.replace("echo 1", "echo 2"), "out")

    assert [one["rule"] for one in newest["versions"]] == ["as_directory"]
    assert [one["rule"] for one in work.ask("log", "out")["versions"]] == ["as_file", "as_file"]
    assert [one["rule"] for one in work.ask("log", "out/")["versions"]] == ["as_directory"]
