"""A working directory that is renamed, moved or copied, with the store in it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.endtoend.conftest import Work

SNAKEFILE = """
import snakeprov; snakeprov.track(workflow)

rule one:
    input: "in.txt"
    output: "out/one.txt"
    shell: "cp {input} {output}"
"""


@pytest.fixture
def work(make_work: Callable[..., Work]) -> Work:
    """A workflow of one rule, tracked."""
    made = make_work(SNAKEFILE)
    made.write("in.txt", "before\n")
    return made


def projects(work: Work) -> set[str]:
    """The projects of all runs."""
    return {work.ask("run", run["id"])["run"]["project"] for run in work.ask("runs")}


def test_a_renamed_folder_goes_on_with_its_history(work: Work) -> None:
    """Its files stay in the project that they were in: the next run makes the next version."""
    work.snakemake("out/one.txt")
    (project,) = projects(work)
    work.folder = work.folder.rename(work.folder.with_name("renamed"))

    assert [one["state"] for one in work.ask("verify")["files"]] == ["ok", "ok", "ok"]
    work.write("in.txt", "after\n")
    work.snakemake("out/one.txt")

    assert projects(work) == {project} != {"renamed"}
    assert [one["versionNumber"] for one in work.ask("log", "out/one.txt")["versions"]] == [2, 1]
    assert "in.txt" in work.say("why", "out/one.txt")


def test_a_folder_without_its_repository_is_another_project(work: Work, tmp_path: Path) -> None:
    """A copy of the workflow alone begins with nothing, and under its own name."""
    work.snakemake("out/one.txt")
    work.folder = Path(shutil.copytree(work.folder, tmp_path / "copied", ignore=shutil.ignore_patterns(".snakeprov")))
    work.snakemake("--forceall", "out/one.txt")

    assert projects(work) == {"copied"}


def test_a_copy_is_the_same_project(work: Work, tmp_path: Path) -> None:
    """With its `.snakeprov/`, and in a store that both use, both go on with one history."""
    store = {"SNAKEPROV_STORE": str(tmp_path / "shared")}
    work.snakemake("out/one.txt", **store)
    original = work.folder
    work.folder = Path(shutil.copytree(work.folder, tmp_path / "copied"))
    work.write("in.txt", "after\n")
    work.snakemake("--forceall", "out/one.txt", **store)

    assert [one["versionNumber"] for one in work.ask("log", "out/one.txt")["versions"]] == [2, 1]
    assert work.ask("status")["project"] == original.name


def test_folders_of_one_name_are_two_projects(work: Work, tmp_path: Path) -> None:
    """In a store that both use each has its own history, unless both set the same project."""
    store = {"SNAKEPROV_STORE": str(tmp_path / "shared")}
    work.snakemake("out/one.txt", **store)
    other = tmp_path / "elsewhere" / work.folder.name
    shutil.copytree(work.folder, other, ignore=shutil.ignore_patterns(".snakeprov"))
    mine, work.folder = work.folder, other
    work.write("in.txt", "after\n")
    work.snakemake("--forceall", "out/one.txt", **store)

    name = work.ask("status")["project"]
    assert name.startswith(f"{mine.name} (") and name != mine.name
    assert len(work.ask("log", "out/one.txt")["versions"]) == 1
    assert projects(work) == {mine.name, name}
    work.folder = mine
    assert work.ask("status")["project"] == mine.name
    assert [one["state"] for one in work.ask("verify")["files"]] == ["ok", "ok", "ok"]
    for folder in (mine, other):
        work.folder = folder
        work.write("snakeprov.toml", "project = 'both'\n")
        work.snakemake("--forceall", "out/one.txt", **store)
    assert len(work.ask("log", "out/one.txt")["versions"]) == 2


def test_a_project_that_is_set_holds(work: Work) -> None:
    """Whatever is noted."""
    work.snakemake("out/one.txt")
    work.write("snakeprov.toml", "project = 'set'\n")
    work.snakemake("--forceall", "out/one.txt")

    assert projects(work) == {work.folder.name, "set"}
