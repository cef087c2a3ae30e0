"""`export` and `methods` as people and programs call them."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ..commands import Run
from .conftest import Recorded

DOCS = Path(__file__).parents[2] / "docs" / "commands"


def settled(text: str, recorded: Recorded) -> str:
    """Return text without what differs from one run of the tests to the next."""
    for old, new in (
        (recorded.commit, "COMMIT"),
        (recorded.first_run[:8], "RUN1"),
        (recorded.second_run[:8], "RUN2"),
        (str(recorded.folder), "FOLDER"),
    ):
        text = text.replace(old, new)
    text = re.sub(r"Python \d+\.\d+\.\d+", "Python X.Y.Z", text)
    return re.sub(r"Snakemake \d[\w.]*", "Snakemake X.Y.Z", text)


def test_methods_are_words_for_a_paper(recorded: Recorded, snakeprov: Run, golden: Callable[[str, str], None]) -> None:
    """A paragraph and a table; a version that was not recorded is said to be so."""
    golden("methods.txt", settled(snakeprov("methods", "results/parts/").out, recorded))
    golden("methods.md", settled(snakeprov("methods", "results/parts/", "--format", "markdown").out, recorded))


def test_methods_of_what_nobody_made(snakeprov: Run) -> None:
    """Of a raw input it is said that it is not known."""
    out = snakeprov("methods", "data/one.csv").out

    assert out == "How data/one.csv came to be is not recorded: no job made it.\n"


def test_an_export_is_told_in_a_sentence(
    recorded: Recorded, snakeprov: Run, golden: Callable[[str, str], None], tmp_path: Path, monkeypatch: Any
) -> None:
    """The first line can be pasted into a mail; then how it is checked, and what it lacks."""
    out = str(tmp_path / "crate")
    told = snakeprov("export", f"run:{recorded.first_run[:6]}", "--include-data", "all", "-o", out).out
    told = re.sub(r"\([\d.]+ k?B\)", "(SIZE)", told.replace(out, "crate"))

    golden("export.txt", settled(told, recorded))


def test_every_key_is_documented(snakeprov: Run, tmp_path: Path) -> None:
    """Each key that `--json` prints has its line in the documentation of the command."""
    answers = {
        "methods": snakeprov("methods", "results/table.csv", "--json").json,
        "export": snakeprov("export", "results/table.csv", "-o", str(tmp_path / "c"), "--json").json,
    }
    for name, answer in answers.items():
        section = (DOCS / f"{name}.md").read_text().partition("## JSON")[2]
        documented = set(re.findall(r"^\| `([\w\[\].]+)` \|", section, re.MULTILINE))
        assert keys(answer) == documented, name


def keys(value: Any, prefix: str = "") -> set[str]:
    """Return the keys of an answer, those of the objects in a list as `list[].key`; params have names of their own."""
    found = set()
    for name, one in value.items():
        found.add(prefix + name)
        if isinstance(one, list) and one and isinstance(one[0], dict):
            found |= {key for item in one for key in keys(item, f"{prefix}{name}[].")}
    return found


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["export", "results/tabel.csv", "-o", "x"], 3, "results/tabel.csv is not recorded in"),
        (["export", "results/table.csv@9", "-o", "x"], 3, "results/table.csv has no version 9."),
        (["export", "run:ffffffff", "-o", "x"], 3, "No run whose id begins with 'ffffffff' is recorded."),
        (["export", "run:1", "-o", "x"], 2, "'1' is too short to name a run."),
        (["export", "run:ffff", "data/one.csv", "-o", "x"], 2, "run:ffff is a run, and something else is named"),
        (["export", "results/table.csv"], 2, "Say where to write the export."),
        (
            ["export", "results/table.csv", "--format", "turtle", "--json"],
            2,
            "--json describes the exported file, and needs -o.",
        ),
        (["export", "results/table.csv", "--format", "bibtex"], 2, "'bibtex' is not one of"),
        (["export", "results/table.csv", "--format", "prov-n", "--profile", "process"], 2, "--profile and --license"),
        (["export", "results/table.csv", "-o", "results"], 2, "results exists already."),
        (["export", "results/table.csv", "-o", "results", "--force"], 2, "results is a folder, and not an RO-Crate."),
        (["export", "results/table.csv", "-o", "no/where"], 2, "There is no folder no to write where into."),
        (["export", "data/one.csv", "-o", "x", "--profile", "workflow"], 2, "A workflow crate holds the workflow, but"),
        (["methods", ""], 2, "The path is empty."),
        (["methods", "results/nothing.csv"], 3, "results/nothing.csv is not recorded in"),
    ],
)
def test_bad_input_is_refused_with_a_sentence(
    recorded: Recorded, snakeprov: Run, arguments: list[str], status: int, message: str
) -> None:
    """Each says what is wrong with what, and nothing is left behind."""
    answer = snakeprov(*arguments)

    assert (answer.status, answer.out) == (status, "")
    assert answer.err.startswith("snakeprov: error: ") and message in answer.err
    assert not (recorded.folder / "x").exists()
    assert not list(recorded.folder.glob(".x*"))


def test_an_export_replaces_one_only_when_told(snakeprov: Run, tmp_path: Path) -> None:
    """--force replaces a crate by another, whole."""
    out = tmp_path / "crate"
    assert snakeprov("export", "results/table.csv", "-o", str(out)).status == 0
    (out / "note.txt").write_text("mine")

    assert snakeprov("export", "results/table.csv", "-o", str(out)).status == 2
    assert (out / "note.txt").exists()
    assert snakeprov("export", "results/table.csv", "-o", str(out), "--force").status == 0
    assert not (out / "note.txt").exists() and (out / "results" / "table.csv").exists()
    assert list(tmp_path.iterdir()) == [out]


def test_a_missing_library_is_named(snakeprov: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the libraries of exports are not installed, it is said how they are."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    answer = snakeprov("export", "results/table.csv", "--format", "prov-xml", "-o", str(tmp_path / "x"))

    assert answer.status == 2
    assert "the library prov is needed, which is not installed" in answer.err
    assert "pip install 'snakeprov[export]'" in answer.err


def test_a_document_goes_to_standard_output(recorded: Recorded, snakeprov: Run, tmp_path: Path) -> None:
    """Without -o a document is printed, and nothing else; with -o the same is in the file."""
    printed = snakeprov("export", "results/table.csv", "--format", "prov-n").out
    snakeprov("export", "results/table.csv", "--format", "prov-n", "-o", str(tmp_path / "x"))

    assert printed.startswith("document\n") and printed.rstrip().endswith("endDocument")
    assert (tmp_path / "x").read_text() == printed
