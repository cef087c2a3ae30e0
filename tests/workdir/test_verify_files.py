"""`snakeprov verify`: files on disk against what is recorded of them."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from snakeprov.disk.digestcache import SETTLED_FINE_NS

from ..commands import Run

Golden = Callable[[str, str], None]
Write = Callable[[Path, str], None]


def test_everything_is_what_was_recorded(work: Path, snakeprov: Run) -> None:
    """Without a path everything is compared; a temporary file that is gone is nothing wrong."""
    answer = snakeprov("verify")
    told = snakeprov("verify", "--json").json

    assert (answer.status, answer.err) == (0, "")
    assert answer.out == "All 8 files are what was recorded (2 temporary).\n"
    assert (told["ok"], told["counts"]["ok"], told["counts"]["temporary"]) == (True, 6, 2)
    assert {one["state"] for one in told["files"]} == {"ok", "temporary"}


def test_what_differs_is_told_with_what_it_is_now(work: Path, snakeprov: Run, written: Write, golden: Golden) -> None:
    """Changed, missing, an old version, a copy, members of a directory: each with what is known of it."""
    written(work / "data/a.csv", "z,1\na,2\n")
    written(work / "results/table.csv", "by hand\n")
    written(work / "results/parts/first.csv", "x\n")
    written(work / "results/parts/added", "")
    (work / "results/parts/link").unlink()
    (work / "data/b.csv").unlink()
    (work / "results/copy.csv").write_bytes((work / "results/parts/deep/all.csv").read_bytes())
    answer = snakeprov("verify", ".")
    told = snakeprov("verify", "--json")

    assert (answer.status, told.status) == (4, 4)
    golden("verify_files.txt", answer.out)
    files = {one["path"]: one for one in told.json["files"]}
    assert files["data/a.csv"]["sameAs"] == ["data/a.csv@1"]
    assert files["results/table.csv"]["sameAs"] == []
    assert files["results/parts/"]["members"] == [
        {"path": "added", "difference": "added"},
        {"path": "first.csv", "difference": "changed"},
        {"path": "link", "difference": "removed"},
    ]
    assert files["data/b.csv"]["state"] == "missing"
    assert told.json["counts"]["neverRecorded"] == 0


def test_a_version_can_be_named(work: Path, snakeprov: Run) -> None:
    """`PATH@N` is compared with that version."""
    answer = snakeprov("verify", "data/a.csv@1", "data/b.csv@1", "--json")

    assert answer.status == 4
    assert [(one["path"], one["state"], one["sameAs"]) for one in answer.json["files"]] == [
        ("data/a.csv", "changed", ["data/a.csv@2"]),
        ("data/b.csv", "ok", []),
    ]


def test_a_file_that_never_was_recorded_is_recognised_by_its_content(work: Path, snakeprov: Run) -> None:
    """Given by name, verify fails; inside a folder it only lists the file."""
    (work / "new.csv").write_bytes((work / "data/b.csv").read_bytes())
    (work / "other").write_text("unheard of")
    named = snakeprov("verify", "new.csv")

    assert named.status == 4
    assert "new.csv  the content of data/b.csv@1" in named.out
    assert snakeprov("verify", "other", "--json").json["files"][0]["sameAs"] == []
    assert snakeprov("verify", ".").status == 0


def test_what_is_neither_recorded_nor_there_is_an_error(work: Path, snakeprov: Run) -> None:
    """A mistyped path gets near matches."""
    answer = snakeprov("verify", "data/aa.csv")

    assert (answer.status, answer.out) == (3, "")
    assert "data/aa.csv is not recorded in" in answer.err
    assert "Did you mean data/a.csv" in answer.err


def test_things_of_another_kind_and_unreadable_things_are_told(work: Path, snakeprov: Run) -> None:
    """A FIFO is never opened; a folder in place of a file, a file in place of a directory, a link to nothing."""
    for name in ("a", "b"):
        (work / f"data/{name}.csv").unlink()
    os.mkfifo(work / "data/a.csv")
    (work / "data/b.csv").symlink_to("nothing")
    (work / "results/table.csv").unlink()
    (work / "results/table.csv").mkdir()
    (work / "scripts/table.py").chmod(0)
    files = {one["path"]: one for one in snakeprov("verify", "--json").json["files"]}

    assert files["data/a.csv"]["state"] == "unreadable"
    assert "FIFO" in files["data/a.csv"]["problem"]
    assert (files["data/b.csv"]["state"], files["data/b.csv"]["problem"]) == ("missing", "It is a link to nothing.")
    assert files["results/table.csv"]["problem"] == "It is a directory now, and was a file."


def test_an_unchanged_file_is_read_once(work: Path, snakeprov: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the digest cache knows is not read again, unless --deep says so."""
    from snakeprov.disk import files

    read: list[str] = []
    digest = files.digest_stable
    monkeypatch.setattr(files, "digest_stable", lambda path, *a, **k: read.append(path) or digest(path, *a, **k))
    os.utime(work / "data/b.csv", (1_700_000_000.5, 1_700_000_000.5))
    time.sleep(2 * SETTLED_FINE_NS / 1e9)
    for arguments, expected in ((), 1), ((), 0), (("--deep",), 1):
        read.clear()
        assert snakeprov("verify", "data/b.csv", *arguments).status == 0
        assert len(read) == expected


def test_options_that_make_no_sense_together_are_refused(work: Path, snakeprov: Run) -> None:
    """--deep is about files."""
    answer = snakeprov("verify", "--store", "--deep")

    assert (answer.status, answer.out) == (2, "")
    assert "--store needs a value" in answer.err
