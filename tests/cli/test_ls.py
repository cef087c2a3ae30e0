"""`snakeprov ls`: what is recorded in a folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]

ALL = {
    "Snakefile",
    "data/penguins.csv",
    "results/clean/adelie.csv",
    "results/clean/gentoo.csv",
    "results/figure.png",
    "results/table.csv",
}


def listed(answer: Any) -> set[str]:
    return {one["path"] for one in answer.json["files"]}


def test_ls_lists_every_recorded_file_at_its_latest_version(study: Any, snakeprov: Run) -> None:
    """A sentence counts them; each is named with its version, so that it can be asked about."""
    lines = snakeprov("ls").out.splitlines()
    assert lines[0] == "6 files recorded in this project, 63 B."
    assert [line.split()[0] for line in lines[3:]] == sorted(
        f"{path}@{2 if path == 'results/table.csv' else 1}" for path in ALL
    )
    assert listed(snakeprov("ls", "--json")) == ALL


@pytest.mark.parametrize("typed", ["results", "results/", "./results", "../penguins/results"])
def test_ls_lists_what_is_in_a_folder(study: Any, snakeprov: Run, typed: str) -> None:
    """The folder is named as for any command, and files below it count."""
    answer = snakeprov("ls", typed, "--json")
    assert answer.json["under"] == "results"
    assert listed(answer) == {path for path in ALL if path.startswith("results/")}


def test_ls_of_the_current_folder(study: Any, snakeprov: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """`.` is the folder that the command was called in."""
    monkeypatch.chdir(Path("results/clean"))
    assert listed(snakeprov("ls", ".", "--json")) == {"results/clean/adelie.csv", "results/clean/gentoo.csv"}


def test_a_limit_is_told(study: Any, snakeprov: Run) -> None:
    """A list that was cut does not count what it does not show."""
    assert snakeprov("ls", "-n", "2").out.startswith("The first 2 files recorded in this project")
    assert snakeprov("ls", "-n", "2", "--json").json["truncated"] is True
    assert snakeprov("ls", "-n", "6", "--json").json["truncated"] is False


def test_a_folder_without_recorded_files(study: Any, snakeprov: Run) -> None:
    """Nothing recorded there is an error that says so."""
    answer = snakeprov("ls", "notebooks")
    assert answer.status == 3
    assert answer.err.startswith("snakeprov: error: No recorded file is in a folder notebooks.\n")


def test_log_of_a_folder_lists_what_is_in_it(study: Any, snakeprov: Run) -> None:
    """Who asks for the versions of a folder is shown its files."""
    assert snakeprov("log", "results/clean").out == snakeprov("ls", "results/clean").out
    assert snakeprov("log", "results/clean", "--json").out == snakeprov("ls", "results/clean", "--json").out
    assert snakeprov("log", "notebooks").status == 3


def test_nothing_is_recorded_yet(make_study: Any, study_folder: Path, snakeprov: Run) -> None:
    """An empty store is no error."""
    make_study(study_folder).client.close()
    assert snakeprov("ls").out == "Nothing has been recorded in this project yet.\n"
    assert snakeprov("ls", "--json").json == {"under": "", "files": [], "truncated": False}
