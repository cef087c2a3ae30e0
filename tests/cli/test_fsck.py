"""`snakeprov fsck` checks the store, names what is damaged, and says by its exit status whether anything is."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from ..commands import Run
from .conftest import Study


def test_a_repository_that_is_whole_exits_with_0(study: Study, snakeprov: Run) -> None:
    """As text it says what was checked; `--store` names the store, as everywhere."""
    answer = snakeprov("fsck")
    named = snakeprov("fsck", "--store", str(study.store), "--json")

    assert (answer.status, answer.err) == (0, "")
    assert answer.out.splitlines()[0] == str(study.store)
    assert answer.out.endswith("\nNothing is damaged.\n")
    assert named.status == 0
    assert (named.json["ok"], named.json["damaged"], named.json["findings"]) == (True, 0, [])
    assert set(named.json["checked"]) == {"rows", "contents", "contentBytes", "outboxes"}
    assert named.json["checked"]["rows"] > 50


def test_damage_exits_with_33_and_is_named_with_its_remedy(
    study: Study, snakeprov: Run, golden: Callable[[str, str], None]
) -> None:
    """The file and the row, what is wrong, what to do; the rest is a note."""
    with closing(sqlite3.connect(study.store / "provenance.sqlite")) as connection:
        connection.execute("UPDATE job SET record = '{}' WHERE number = 2")
        connection.commit()
    (study.store / "blobs" / "incoming").mkdir()
    (study.store / "blobs" / "incoming" / "0123").write_text("half")
    answer = snakeprov("fsck")
    told = snakeprov("fsck", "--json")

    assert (answer.status, told.status) == (33, 33)
    golden("fsck_damaged.txt", answer.out.replace(str(study.store), "/home/ada/penguins/.snakeprov"))
    assert [one["isDamage"] for one in told.json["findings"]] == [True, False]
    assert set(told.json["findings"][0]) == {"where", "problem", "remedy", "isDamage"}


def test_what_cannot_be_verified_is_refused(
    study_folder: Path, snakeprov: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing to check, no store, a server."""
    for arguments, status, said in (
        (("verify",), 31, "There is no snakeprov store in"),
        (("fsck",), 31, "There is no snakeprov store in"),
        (("fsck", "--store", "elsewhere"), 31, "There is no snakeprov store in"),
        (("fsck", "--store", "https://prov.example.org"), 2, "is a server; run this command on the machine"),
    ):
        answer = snakeprov(*arguments)
        assert (answer.status, answer.out) == (status, ""), answer
        assert said in answer.err


def test_what_once_checked_the_store_still_does_and_names_the_command(study: Study, snakeprov: Run) -> None:
    answer = snakeprov("verify", "--store")

    assert (answer.status, answer.out) == (0, snakeprov("fsck").out)
    assert answer.err == "snakeprov: 'verify --store' is now 'snakeprov fsck'.\n"
