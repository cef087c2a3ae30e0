"""The documentation is true: what its pages show as commands and outputs is run for real.

The first line of a page with a transcript says where it begins: in an empty folder, or in the example after two runs.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests import transcripts

DOCS = Path(__file__).parents[2] / "docs"
EXAMPLE = Path(__file__).parents[2] / "example_workflow"
STARTS = {"<!-- transcript: empty -->": "empty", "<!-- transcript: penguins -->": "penguins"}


def lines_of(page: Path) -> list[str]:
    return page.read_text(encoding="utf-8").splitlines()


PAGES = {
    str(page.relative_to(DOCS)): STARTS[lines_of(page)[0]]
    for page in sorted(DOCS.rglob("*.md"))
    if lines_of(page)[0] in STARTS
}


@pytest.fixture(scope="module")
def penguins(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example in a git repository of its own, after a run and one with another parameter."""
    home = tmp_path_factory.mktemp("penguins")
    work = home / "example_workflow"
    ignored = shutil.ignore_patterns(".snakemake", ".snakeprov", "results", "__pycache__")
    shutil.copytree(EXAMPLE, work, ignore=ignored)
    environment = transcripts.environment(home)
    for command in (
        "git init --quiet && git add . && git commit --quiet --message 'The example'",
        "snakemake --cores 2",
        "snakemake --cores 2 --config confidence=0.9",
    ):
        transcripts.run(command, work=work, environment=environment)
    return work


@pytest.mark.parametrize("name", PAGES)
def test_transcript(name: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """Each command of the page prints what the page says."""
    work = tmp_path / "example_workflow"
    if PAGES[name] == "penguins":
        shutil.copytree(request.getfixturevalue("penguins"), work, symlinks=True)
    else:
        work.mkdir()
    environment = transcripts.environment(tmp_path)

    performed = transcripts.perform(lines_of(DOCS / name), work=work, environment=environment)

    assert performed
    transcripts.compare(DOCS / name, performed, update=request.config.getoption("--update-golden"))


def test_every_transcript_says_where_it_begins() -> None:
    """No page has a block `console` that is not run."""
    pages = [page for page in DOCS.rglob("*.md") if any(transcripts.blocks(lines_of(page), "console"))]

    assert {str(page.relative_to(DOCS)) for page in pages} == set(PAGES)


def test_the_tutorial_tells_the_whole_story() -> None:
    """The tutorial records, asks, changes, restores and exports."""
    commands = [step.command.split()[:2] for step in transcripts.steps(lines_of(DOCS / "tutorial.md"))]
    asked = [command[1] for command in commands if command[0] == "snakeprov"]

    assert commands.count(["snakemake", "--cores"]) == 3
    assert {"log", "show", "lineage", "why", "affected", "verify", "restore", "find", "methods", "export"} <= set(asked)
