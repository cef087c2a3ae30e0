"""Files that get their name when they are complete."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from snakeprov.disk.projects import identity_of
from snakeprov.disk.replacing import publish
from snakeprov.settings import STORE_NAME, Settings


@pytest.fixture(params=["links", "no links"])
def folder(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder on a file system with hard links, and on one without them, such as exFAT."""

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    if request.param == "no links":
        monkeypatch.setattr(os, "link", refuse)
    return tmp_path


def test_the_first_file_gets_the_name(folder: Path) -> None:
    """A second one does not replace it."""
    for number in (1, 2):
        (folder / f"new{number}").write_text(f"{number}")
    assert publish(folder / "new1", folder / "name")
    assert not publish(folder / "new2", folder / "name")
    assert (folder / "name").read_text() == "1"


def test_a_directory_gets_its_identity_there(folder: Path) -> None:
    """A project needs no hard links, and leaves nothing half-written behind."""
    identity = identity_of(Settings(), folder)
    assert identity is not None
    assert identity_of(Settings(), folder) == identity
    assert sorted(path.name for path in (folder / STORE_NAME).iterdir()) == [".gitignore", "project"]
