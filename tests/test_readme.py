"""The README is true: its transcript is run for real, its links lead somewhere, and it stays one page.

Output above the first `$` is that of the run command. `tests/transcripts.py` says how outputs are compared.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from snakeprov import __version__
from tests import transcripts
from tests.transcripts import Step, blocks, steps

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"

RUN_COMMAND = (
    "python3 -m venv .venv && . .venv/bin/activate && pip install '.[example]' "
    "&& cd example_workflow && snakemake --cores 2"
)
TEST_COMMAND = "python3 -m venv .venv && . .venv/bin/activate && pip install -e '.[example,test]' && bash tests/run"


def lines() -> list[str]:
    return README.read_text(encoding="utf-8").splitlines()


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example, in a git repository of its own."""
    clone = tmp_path_factory.mktemp("readme") / "snakeprov"
    ignored = shutil.ignore_patterns(".snakemake", ".snakeprov", "results", "__pycache__")
    shutil.copytree(ROOT / "example_workflow", clone / "example_workflow", ignore=ignored)
    command = "git init --quiet && git add . && git commit --quiet --message 'The example'"
    transcripts.run(command, work=clone, environment=transcripts.environment(clone.parent))
    return clone / "example_workflow"


@pytest.fixture(scope="module")
def transcript(work: Path) -> list[Step]:
    """The commands of the README, each run for real, one after the other."""
    environment = transcripts.environment(work.parents[1])
    return transcripts.perform(lines(), work=work, environment=environment, first=RUN_COMMAND)


def test_transcript(transcript: list[Step], request: pytest.FixtureRequest) -> None:
    """Each command of the README's transcript prints what the README says."""
    transcripts.compare(README, transcript, update=request.config.getoption("--update-golden"))


def test_transcript_has_every_step_of_the_story() -> None:
    """The transcript is not empty: run, change, list the versions, say why, restore; it ends with the lineage."""
    commands = [step.command for step in steps(lines(), first=RUN_COMMAND)]

    assert commands[0] == RUN_COMMAND
    assert commands[1].startswith("snakemake --cores 2 --config ")
    assert [command.split()[1] for command in commands[2:]] == ["log", "why", "restore", "lineage"]


def test_first_page_is_one() -> None:
    """The README has at most 150 lines; what is longer belongs into the documentation."""
    assert len(lines()) <= 150


def test_run_and_test_commands() -> None:
    """The README's commands to run and to test stand alone in a block; the checks on a fresh machine do the latter."""
    readme = lines()
    commands = [[readme[number] for number in block] for block in blocks(readme, "sh")]
    fresh_machine = (ROOT / ".ci" / "run").read_text(encoding="utf-8")

    assert [RUN_COMMAND] in commands
    assert [TEST_COMMAND] in commands
    assert fresh_machine.splitlines()[-1] == TEST_COMMAND


def test_links_lead_somewhere() -> None:
    """Each file that the README links to exists."""
    targets = re.findall(r"\]\(([^)#:]+)\)", README.read_text(encoding="utf-8"))

    assert targets
    assert [target for target in targets if not (ROOT / target).exists()] == []


def test_changelog_has_this_version() -> None:
    """The changelog has a section for what is not released yet and one for the version of the package."""
    headings = re.findall(r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)

    assert headings[:2] == ["Unreleased", __version__]
