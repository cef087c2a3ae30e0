"""Under which project a working directory is recorded."""

from __future__ import annotations

from pathlib import Path

import pytest

from snakeprov.disk.projects import StoredProject, identity_of, note_project, project_of
from snakeprov.settings import STORE_NAME, Settings

SERVER = "https://prov.example.org"


def test_what_is_set_holds_then_what_is_noted_then_the_name(tmp_path: Path) -> None:
    """A note holds for one store, and is not confused by credentials in its URL."""
    own = str(tmp_path / STORE_NAME)
    identity = identity_of(Settings(), tmp_path)
    assert identity is not None
    note_project(tmp_path, SERVER, identity, StoredProject("syn2", "on the server"))

    assert project_of(Settings(), tmp_path, own) == tmp_path.name
    assert project_of(Settings(), tmp_path, SERVER) == "on the server"
    assert project_of(Settings(), tmp_path, "https://ada:secret@prov.example.org") == "on the server"
    assert project_of(Settings(project="set"), tmp_path, SERVER) == "set"
    note_project(tmp_path, "https://ada:secret@other.org", identity, StoredProject("syn3", "x"))
    assert "secret" not in (tmp_path / STORE_NAME / "project").read_text()


def test_an_identity_is_minted_once(tmp_path: Path) -> None:
    """It moves with the folder; two folders have two; with a project in the settings it has none."""
    before, other = tmp_path / "before", tmp_path / "other"
    before.mkdir()
    other.mkdir()
    identity = identity_of(Settings(), before)
    assert identity is not None
    note_project(before, str(before / STORE_NAME), identity, StoredProject("syn1", "before"))
    after = before.rename(tmp_path / "after")

    assert identity_of(Settings(), after) == identity != identity_of(Settings(), other)
    assert project_of(Settings(), after, str(after / STORE_NAME)) == "before"
    assert identity_of(Settings(project="set"), tmp_path) is None
    assert not (tmp_path / STORE_NAME).exists()


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b'{"identity": 1}', b"a name"])
def test_a_damaged_note_is_replaced(tmp_path: Path, content: bytes) -> None:
    """The name of the folder holds, and a new identity is minted."""
    note = tmp_path / STORE_NAME / "project"
    note.parent.mkdir()
    note.write_bytes(content)

    assert project_of(Settings(), tmp_path, str(note.parent)) == tmp_path.name
    assert identity_of(Settings(), tmp_path) == identity_of(Settings(), tmp_path) is not None


def test_asking_writes_nothing(tmp_path: Path) -> None:
    """A directory in which nothing was recorded stays as it is."""
    project_of(Settings(), tmp_path, SERVER)
    note_project(tmp_path, SERVER, "0" * 32, StoredProject("syn1", "x"))

    assert not list(tmp_path.iterdir())
