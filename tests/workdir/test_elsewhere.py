"""The same commands on a team server; and what they say where the store is Synapse."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from snakeprov.apps.connect import user_name
from snakeprov.blobs.local import LocalBlobs
from snakeprov.db import open_database
from snakeprov.db.tokens import SCOPES

from ..commands import Run
from ..server.live import Served, Socket
from .conftest import Recorded


@pytest.fixture
def served(work: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    """A server of the store, which the commands ask as the user who recorded it."""
    store = open_database(work / ".snakeprov")
    blobs = LocalBlobs(work / ".snakeprov" / "blobs", journal_mode=store.journal_mode)
    server = Socket().serve(store, blobs)
    as_user(server, user_name(), monkeypatch)
    yield server
    blobs.close()
    store.close()


def as_user(server: Served, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable, value in server.login(name, scopes=SCOPES).items():
        monkeypatch.setenv(variable, value)


def test_a_server_answers_as_a_folder_does(
    served: Served, work: Path, snakeprov: Run, recorded: Recorded, tmp_path: Path
) -> None:
    """Files and directories are compared and restored, runs checked out, bytes told to be pruned."""
    assert snakeprov("verify").out == "All 8 files are what was recorded (2 temporary).\n"
    assert snakeprov("restore", "data/a.csv@1").status == 0
    assert (work / "data/a.csv").read_text() == "z,1\na,2\n"
    assert snakeprov("restore", "results/parts@1", "-o", "old").status == 0
    assert (work / "old/deep/all.csv").read_text() == "a,2\nz,1\nk,3\n"
    assert snakeprov("restore", "results/clean/a.csv").status == 5
    told = snakeprov("checkout", recorded.runs[0], "--to", str(tmp_path / "out"), "--json").json
    assert told["code"] == "commit and patch"
    assert "data/a.csv@1" in snakeprov("prune", "--keep-last", "1").out


def test_who_may_only_look_is_refused(
    served: Served, work: Path, snakeprov: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a sentence, and nothing on disk or in the store changes."""
    as_user(served, "eve", monkeypatch)
    present = (work / "data/a.csv").read_bytes()
    for arguments in (["verify"], ["restore", "data/a.csv@1"], ["prune", "--keep-last", "1", "--yes"]):
        answer = snakeprov(*arguments)
        assert answer.status in (3, 44), answer
        assert answer.err.startswith("snakeprov: error: ")
    assert (work / "data/a.csv").read_bytes() == present


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["verify"], "Synapse cannot be asked for everything that a project has recorded."),
        (["prune", "--keep-last", "1"], "Synapse keeps the bytes of all versions; they cannot be pruned from here."),
        (["checkout", "run:12345678", "--to", "out"], "runs"),
    ],
)
def test_what_synapse_cannot_answer_is_said(
    work: Path, snakeprov: Run, monkeypatch: pytest.MonkeyPatch, arguments: list[str], said: str
) -> None:
    """Before anything is asked of it."""
    monkeypatch.setenv("HOME", str(work))
    monkeypatch.setenv("SYNAPSE_AUTH_TOKEN", "a-token")
    monkeypatch.setenv("SNAKEPROV_STORE", "synapse")
    answer = snakeprov(*arguments)

    assert (answer.status, answer.out) == (2, "")
    assert said in answer.err
