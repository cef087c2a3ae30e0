"""What contributors are told is true: the habits exist, and the forms and workflows call what is there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
RECIPES = dict(
    re.findall(r"^(\w+)(?: \*\w+)?:\n    (.+)$", (ROOT / "justfile").read_text(encoding="utf-8"), re.MULTILINE)
)


def read(path: str) -> Any:
    return yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))


def test_the_habits_are_those_of_the_justfile() -> None:
    """Each row of the table of habits names a recipe of the justfile."""
    named = re.findall(r"\| `just (\w+)", CONTRIBUTING)

    assert named
    assert set(named) <= set(RECIPES)


@pytest.mark.parametrize("text", [CONTRIBUTING, *RECIPES.values()])
def test_the_scripts_that_are_named_exist(text: str) -> None:
    """Each script of tests/ and .ci/ that the page or a recipe calls is a file that can be run."""
    scripts = set(re.findall(r"(?<![\w/])((?:tests/[\w-]*run|\.ci/run))\b", text))

    assert [name for name in scripts if not (ROOT / name).stat().st_mode & 0o100] == []


def test_the_workflow_calls_the_same_scripts() -> None:
    """The checks of a pull request are scripts that everybody can run, on each Python that pyproject.toml names."""
    jobs = read(".github/workflows/checks.yml")["jobs"]
    called = {step["run"] for job in jobs.values() for step in job["steps"] if "run" in step}
    classifiers = (ROOT / "pyproject.toml").read_text(encoding="utf-8")

    assert called == {".ci/run", "tests/install-run"}
    versions = re.findall(r"Python :: (3\.\d+)", classifiers)
    assert jobs["install"]["strategy"]["matrix"]["python-version"] == versions


def test_the_form_for_bugs_asks_for_the_state_of_the_store() -> None:
    """Whoever reports a bug is asked for `snakeprov doctor`."""
    form = read(".github/ISSUE_TEMPLATE/bug.yml")
    asked = {one["id"]: one for one in form["body"]}

    assert "snakeprov doctor" in asked["doctor"]["attributes"]["label"]
    assert asked["doctor"]["validations"]["required"]


def test_contributing_names_every_test_folder_that_is_not_a_package() -> None:
    """Each folder of tests/ is that of a package, or in the table of what is tested where."""
    packages = {path.name for path in (ROOT / "snakeprov").iterdir() if path.is_dir()}
    folders = {path.name for path in (ROOT / "tests").iterdir() if path.is_dir() and not path.name.startswith("_")}

    assert {name for name in folders - packages - {"workflows"} if f"`tests/{name}" not in CONTRIBUTING} == set()
