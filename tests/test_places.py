"""Places: where a command that is called in some folder finds the records, and how their folder is made."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from snakeprov.disk.layout import OUTBOX_NAME, POINTER_NAME
from snakeprov.disk.privacy import prepare_folder
from snakeprov.errors import NoStoreError, StoreError
from snakeprov.places import locate, store_of
from snakeprov.settings import STORE_NAME, load


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory, and no settings of the person who runs the tests."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "user"))
    monkeypatch.delenv("SNAKEPROV_STORE", raising=False)
    (tmp_path / "work").mkdir()
    return tmp_path / "work"


def test_a_repository_is_found_from_a_folder_below(work: Path) -> None:
    """As git does."""
    (work / STORE_NAME / OUTBOX_NAME).mkdir(parents=True)
    (work / "results" / "deep").mkdir(parents=True)

    place = locate(work / "results" / "deep")

    assert (place.store, place.root) == (str(work / STORE_NAME), work)


def test_a_working_directory_knows_where_its_records_go(work: Path) -> None:
    """Where a setting of the call sent them elsewhere, the commands follow."""
    (work / STORE_NAME / OUTBOX_NAME).mkdir(parents=True)
    (work / STORE_NAME / POINTER_NAME).write_text("https://prov.example.org\n")

    assert locate(work).store == "https://prov.example.org"


def test_a_named_repository_may_be_the_folder_or_the_one_above_it(work: Path, tmp_path: Path) -> None:
    """`--store project` and `--store project/.snakeprov` are the same."""
    (work / STORE_NAME / OUTBOX_NAME).mkdir(parents=True)

    by_folder, by_project = locate(tmp_path, store="work/.snakeprov"), locate(tmp_path, store="work")

    assert by_folder.store == by_project.store == str(work / STORE_NAME)
    assert by_folder.root == by_project.root == work


def test_no_repository_is_told_with_how_to_make_one(work: Path) -> None:
    """Nothing upwards."""
    with pytest.raises(NoStoreError) as caught:
        locate(work)

    assert str(work) in caught.value.message
    assert "import snakeprov; snakeprov.track(workflow)" in caught.value.hint


def test_a_named_repository_that_does_not_exist_is_not_made(work: Path) -> None:
    """Looking does not change anything."""
    with pytest.raises(NoStoreError, match="There is no snakeprov store in"):
        locate(work, store="elsewhere")
    assert list(work.iterdir()) == []


def test_synapse_is_a_store_that_is_no_folder(work: Path) -> None:
    """A folder of that name is still a folder when it is written as one."""
    (work / "snakeprov.toml").write_text('store = "synapse"\nupload = false\n')

    settings = load(work)

    assert store_of(settings, work) == "synapse" and settings.upload is False
    assert locate(work).store == "synapse"
    assert store_of(load(work, {"store": "./synapse"}), work) == str(work / "synapse")


def test_the_folder_keeps_itself_out_of_version_control(tmp_path: Path) -> None:
    """It holds a `.gitignore` that ignores everything, which a user may change."""
    prepare_folder(tmp_path / STORE_NAME)
    ignore = tmp_path / STORE_NAME / ".gitignore"
    assert ignore.read_text().splitlines()[-1] == "*"

    ignore.write_text("mine")
    prepare_folder(tmp_path / STORE_NAME)
    assert ignore.read_text() == "mine"


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    """A file stands in the way."""
    (tmp_path / STORE_NAME).write_text("")

    with pytest.raises(StoreError, match="is a file"):
        prepare_folder(tmp_path / STORE_NAME)


def test_a_folder_is_made_with_the_permissions_that_are_meant(tmp_path: Path) -> None:
    """Private, as its parent with the set-group-ID bit shares, or for the group; one that exists is left alone."""
    tmp_path.chmod(0o755)
    for mode, is_shared, expected in [
        (0o777, False, 0o700),
        (0o2770, False, 0o2770),
        (0o2775, False, 0o2770),
        (0o2750, False, 0o2750),
        (0o2700, False, 0o2700),
        (0o700, True, 0o2770),
    ]:
        parent = tmp_path / f"{mode:o}{is_shared}"
        parent.mkdir()
        parent.chmod(mode)
        prepare_folder(parent / "store", shared=is_shared)
        made = stat.S_IMODE((parent / "store").stat().st_mode)
        ignored = stat.S_IMODE((parent / "store" / ".gitignore").stat().st_mode)
        assert (oct(made), oct(ignored)) == (oct(expected), oct(expected & 0o660))
        (parent / "store").chmod(0o711)
        prepare_folder(parent / "store", shared=is_shared)
        assert stat.S_IMODE((parent / "store").stat().st_mode) == 0o711
