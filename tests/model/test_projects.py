"""The project under which a working directory is recorded."""

from __future__ import annotations

from pathlib import Path

from snakeprov.config import STORE_NAME, Settings
from snakeprov.model.projects import note_project, project_of


def test_a_note_holds_for_the_directorys_own_repository_only(tmp_path: Path) -> None:
    """On a server the directory has the name that it has now, whatever was noted while it kept its own records."""
    own = tmp_path / STORE_NAME
    own.mkdir()
    (own / "project").write_text("noted\n")

    assert project_of(Settings(), tmp_path, str(own)) == "noted"
    assert project_of(Settings(), tmp_path, "https://prov.example.org") == tmp_path.name
    assert project_of(Settings(project="set"), tmp_path, str(own)) == "set"


def test_a_note_is_written_once(tmp_path: Path) -> None:
    """Who asks again, from a renamed directory, does not change it."""
    before, after = tmp_path / "before", tmp_path / "after"
    (before / STORE_NAME).mkdir(parents=True)
    note_project(Settings(), before)
    before.rename(after)
    note_project(Settings(), after)

    assert project_of(Settings(), after, str(after / STORE_NAME)) == "before"
