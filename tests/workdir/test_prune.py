"""`snakeprov prune`: space is freed, and what that costs is said before and after."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ..commands import Run
from .conftest import run

Golden = Callable[[str, str], None]


def test_it_tells_first_and_does_it_when_told(
    work: Path, snakeprov: Run, age: Callable[[], None], golden: Golden
) -> None:
    """Without --yes nothing is changed; with it the bytes go, `restore` says so, and every record stays."""
    age()
    log = snakeprov("log", "results/table.csv", "--json").json["versions"]
    told = snakeprov("prune", "--keep-last", "1")
    assert snakeprov("restore", "data/a.csv@1", "-o", "old.csv").status == 0
    done = snakeprov("prune", "--keep-last", "1", "--yes")

    assert (told.status, told.err, done.status) == (0, "", 0)
    golden("prune.txt", told.out)
    assert done.out.startswith("3 contents (") and "were dropped; 3 versions cannot be restored" in done.out
    assert snakeprov("restore", "results/table.csv@1").status == 5
    assert snakeprov("restore", "results/parts@1").status == 5
    assert snakeprov("verify").status == 0
    assert snakeprov("fsck").status == 0
    kept = {one["versionNumber"]: one["bytesKept"] for one in snakeprov("log", "data/a.csv", "--json").json["versions"]}
    assert kept == {1: False, 2: True}
    known = snakeprov("log", "results/table.csv", "--json").json["versions"]
    assert [one.pop("bytesPruned", False) for one in known] == [False, True]
    assert [{**one, "bytesKept": True} for one in known] == log
    assert snakeprov("prune", "--keep-last", "1").out == "Nothing to prune.\n"


def test_as_json_every_version_is_listed(work: Path, snakeprov: Run, age: Callable[[], None]) -> None:
    """The keys are always the same."""
    age()
    told = snakeprov("prune", "--rule", "table", "--older-than", "1d", "--larger-than", "1B", "--json").json

    assert set(told) == {
        "dryRun",
        "versions",
        "versionsShared",
        "versionsWithoutActivity",
        "contents",
        "freedBytes",
        "results",
        "truncated",
    }
    assert (told["dryRun"], told["versions"], told["versionsShared"]) == (True, 0, 2)
    parts = snakeprov("prune", "--rule", "parts", "--json").json
    assert [(one["path"], one["versionNumber"], one["rule"]) for one in parts["results"]] == [
        ("results/parts/", 1, "parts"),
        ("results/parts/", 2, "parts"),
    ]


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        ((), 2, "Nothing selected: say which versions to prune."),
        (("--older-than", "soon"), 2, "'soon' is not an age: give 12h, 30d"),
        (("--older-than", "999999y"), 2, "'999999y' is not an age"),
        (("--larger-than", "-4"), 2, "'-4' is not a size: give 500kB"),
        (("--keep-last", "0"), 2, "0 is not in the range"),
        (("--keep-last", "1", "--project", "none"), 3, "Nothing is recorded in a project called 'none'."),
    ],
)
def test_what_makes_no_sense_is_refused(
    work: Path, snakeprov: Run, arguments: tuple[str, ...], status: int, said: str
) -> None:
    """Nothing is dropped by mistake."""
    answer = snakeprov("prune", "--yes", *arguments)

    assert (answer.status, answer.out) == (status, "")
    assert said in answer.err


def test_bytes_that_were_dropped_are_kept_again_when_a_job_makes_them_again(
    work: Path, snakeprov: Run, age: Callable[[], None]
) -> None:
    """The version is the same, and can be restored again: a file, and a directory with what is in it."""
    age()
    assert snakeprov("prune", "--rule", "table", "--rule", "parts", "--yes").status == 0
    assert snakeprov("restore", "results/table.csv", "-o", "table.csv").status == 5
    history = snakeprov("log", "results/parts", "--json").json["versions"]

    run(work, "--forcerun", "table")

    assert snakeprov("restore", "results/table.csv", "-o", "table.csv").status == 0
    assert snakeprov("restore", "results/parts", "-o", "parts").status == 0
    assert (work / "parts/deep/all.csv").read_bytes() == (work / "table.csv").read_bytes()
    again = snakeprov("log", "results/parts", "--json").json["versions"]
    assert [one["versionNumber"] for one in again] == [one["versionNumber"] for one in history]
    assert [one["bytesKept"] for one in again] == [True, False]
    assert snakeprov("fsck").status == 0
    assert snakeprov("prune", "--unreferenced").out == "Nothing to prune.\n"
