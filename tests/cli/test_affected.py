"""`affected` as people type it."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from snakeprov.view import affected as view

Run = Callable[..., Any]

DOCS = Path(__file__).parents[2] / "docs" / "commands"


def test_what_came_from_a_file_is_told_in_a_sentence_and_by_rule(study: Any, snakeprov: Run) -> None:
    """The first line counts; under it each rule has its versions, with those marked that still lie on disk."""
    (study.folder / "results/clean/adelie.csv").write_bytes(b"other")
    (study.folder / "results/figure.png").unlink()
    assert snakeprov("affected", "data/penguins.csv").out.splitlines() == [
        "5 versions of 4 files came from data/penguins.csv@1; 2 of them are on disk now.",
        "",
        "clean  2 versions, 1 on disk",
        "  results/clean/adelie.csv@1",
        "  results/clean/gentoo.csv@1  on disk",
        "",
        "summarise  2 versions, 1 on disk",
        "  results/table.csv@1",
        "  results/table.csv@2  on disk",
        "",
        "plot  1 version",
        "  results/figure.png@1",
    ]


def test_a_script_affects_what_ran_it(study: Any, snakeprov: Run) -> None:
    """Code is a start like data."""
    assert len(snakeprov("affected", "Snakefile", "--json").json["versions"]) == 5


def test_several_starts_and_every_version_of_one(study: Any, snakeprov: Run) -> None:
    """Files are taken together; without a version the latest is meant, unless every version is asked for."""
    paths = [one["path"] for one in snakeprov("affected", "results/table.csv@1", "--json").json["versions"]]
    assert paths == []
    both = snakeprov("affected", "results/table.csv", "results/clean/adelie.csv", "--json").json
    assert both["starts"] == ["results/table.csv@2", "results/clean/adelie.csv@1"]
    assert {one["path"] for one in both["versions"]} == {"results/table.csv", "results/figure.png"}
    out = snakeprov("affected", "results/table.csv", "--all-versions").out
    assert out.startswith("1 version of 1 file came from results/table.csv; 1 of them is on disk now.\n")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--rule", "summarise"], "3 versions of 2 files came from rule summarise; 2 of them are on disk now."),
        (["--run", "run:last"], "2 versions of 2 files came from run bbbb65ba; 2 of them are on disk now."),
        (["--commit", "1A2B", "--rule", "plot"], "1 version of 1 file came from commit 1A2B and rule plot; "),
        (["--rule", "broken"], "Nothing that is recorded came from rule broken."),
        (["results/figure.png"], "Nothing that is recorded came from results/figure.png@1."),
    ],
)
def test_jobs_are_a_start_too(study: Any, snakeprov: Run, arguments: list[str], sentence: str) -> None:
    """By rule, run and commit, what was made there is affected, and what came from it; of a failure came nothing."""
    study.job(study.run("eeee", ago=timedelta(days=9)), "broken", {}, status="failed")
    assert snakeprov("affected", *arguments).out.startswith(sentence)


def test_many_versions_of_a_rule_are_folded(study: Any, snakeprov: Run) -> None:
    """Above a dozen, three are shown and the others counted; `--all` shows them all."""
    raw = study.file("raw", b"raw")
    study.job(study.run("cccc"), "align", {f"bam/{number:02}": b"%d" % number for number in range(13)}, used=[raw])
    lines = snakeprov("affected", "raw").out.splitlines()
    assert [lines[2], lines[-1], len(lines)] == [
        "align  13 versions, 13 on disk",
        "  … and 10 more like these (--all)",
        7,
    ]
    assert len(snakeprov("affected", "raw", "--all").out.splitlines()) == 16


def test_the_json_has_its_keys_and_csv_the_same(study: Any, snakeprov: Run) -> None:
    """Each version has every key, in a fixed order; CSV has them as titles and the same rows."""
    answer = snakeprov("affected", "data/penguins.csv", "--json").json
    assert list(answer) == ["starts", "versions", "truncated"]
    assert [list(one) for one in answer["versions"]] == [list(view.AffectedVersion.__struct_encode_fields__)] * 5
    rows = list(csv.reader(io.StringIO(snakeprov("affected", "data/penguins.csv", "--csv").out)))
    assert (rows[0], len(rows)) == (list(view.AffectedVersion.__struct_encode_fields__), 6)
    assert rows[1][:5] == ["results/clean/adelie.csv", "1", answer["versions"][0]["entityId"], "true", "true"]


def test_every_key_is_documented() -> None:
    """docs/commands/affected.md names each key of the JSON."""
    told = set(re.findall(r"`(\w+)`", (DOCS / "affected.md").read_text(encoding="utf-8")))
    assert {*view.AffectedVersion.__struct_encode_fields__, "starts", "versions", "truncated"} <= told


def test_hostile_names_do_nothing(study: Any, snakeprov: Run) -> None:
    """Escape sequences in names and rules are shown as text, in the sentence, the list and the CSV."""
    raw = study.file("\x1b[2Jraw", b"raw")
    study.job(study.run("cccc"), "r\x1b]0;x\x07", {"<b>\n=cmd": b"1"}, used=[raw])
    for arguments in ([], ["--csv"]):
        out = snakeprov("affected", "\x1b[2Jraw", *arguments).out
        assert "\x1b" not in out and "\x07" not in out
        assert len(out.splitlines()) == 2 if arguments else 4


@pytest.mark.parametrize(
    ("arguments", "status", "message", "hint"),
    [
        ([], 2, "No starting point is given.", "Give files, or --commit, --rule or --run."),
        (["results/table.csv", "--rule", "plot"], 2, "Files and jobs cannot be combined.", "Give files, or --commit"),
        (["--all-versions", "--rule", "plot"], 2, "--all-versions goes with files only.", "Leave it out."),
        (["results/table.csv@1", "--all-versions"], 2, "results/table.csv@1 names one version;", "Leave out one"),
        (["results/table.csv@9"], 3, "results/table.csv has no version 9.", "It has versions 1 and 2."),
        (["results/tabel.csv"], 3, "results/tabel.csv is not recorded in", "Did you mean results/table.csv?"),
        (["--rule", "summarize"], 3, "No job of rule summarize is recorded.", "Did you mean summarise?"),
        (["--rule", "zzz"], 3, "No job of rule zzz is recorded.", "'snakeprov runs' lists what is."),
        (["--commit", "dddd"], 3, "No job of commit dddd is recorded.", "'snakeprov runs' lists what is."),
        (["--commit", "1a2b", "--rule", "x"], 3, "No job of commit 1a2b and rule x is recorded.", "'snakeprov runs'"),
        (["--run", "zzzz"], 3, "No run whose id begins with 'zzzz' is recorded.", "'snakeprov runs' lists them."),
        (["--commit", "12"], 2, "'12' does not name a commit.", "Give at least 4 hexadecimal digits."),
        (["Snakefile", "--csv", "--json"], 2, "--csv and --json cannot be combined.", "Choose one of them."),
    ],
)
def test_starts_that_make_no_sense(
    study: Any, snakeprov: Run, arguments: list[str], status: int, message: str, hint: str
) -> None:
    """What is missing, clashes or is unknown is said in a sentence, with what to do."""
    answer = snakeprov("affected", *arguments)
    told = answer.err.splitlines()
    assert (answer.status, answer.out, len(told)) == (status, "", 2)
    assert message in told[0] and hint in told[1]
