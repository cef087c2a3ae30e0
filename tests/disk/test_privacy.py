"""Which permissions the folders and files of a store get: its owner's alone, unless its folder is shared."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from snakeprov.disk import privacy
from snakeprov.errors import StoreError

GROUP = 54321

takes_root = pytest.mark.skipif(os.geteuid() != 0, reason="another group takes root")


@pytest.fixture(params=[0o022, 0o000, 0o077], ids=oct, autouse=True)
def umask(request: pytest.FixtureRequest) -> Iterator[None]:
    """Whatever the user's umask is."""
    before = os.umask(request.param)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def folder(place: Path, mode: int) -> Path:
    place.mkdir()
    place.chmod(mode)
    return place


@pytest.mark.parametrize(
    ("parent", "made", "file"),
    [
        (0o755, 0o700, 0o600),
        (0o777, 0o700, 0o600),
        (0o2755, 0o2750, 0o640),
        (0o2775, 0o2770, 0o660),
        (0o2770, 0o2770, 0o660),
        (0o2700, 0o2700, 0o600),
    ],
    ids=oct,
)
def test_a_folder_is_shared_where_its_parent_passes_the_group_on(
    tmp_path: Path, parent: int, made: int, file: int
) -> None:
    """Its set-group-ID bit, which the system passes on, says so, and its permissions say how; others get nothing."""
    place = folder(tmp_path / "parent", parent) / "made"
    privacy.make_folder(place)
    with open(place / "file", "w", opener=privacy.opener):
        pass

    assert (mode(place), mode(place / "file")) == (made, file)
    assert [one.name for one in place.parent.iterdir()] == ["made"]


@takes_root
def test_a_folder_that_is_to_be_shared_belongs_to_the_group_of_its_parent(tmp_path: Path) -> None:
    """Which may read and write it."""
    parent = folder(tmp_path / "parent", 0o755)
    os.chown(parent, -1, GROUP)
    for name, shared in (("shared", True), ("private", False)):
        privacy.make_folder(parent / name, shared=shared)

    assert (mode(parent / "shared"), (parent / "shared").stat().st_gid) == (0o2770, GROUP)
    assert mode(parent / "private") == 0o700


def test_a_folder_like_another_has_its_permissions(tmp_path: Path) -> None:
    """Whatever those of its parent are; files in it can be read by the same."""
    parent = folder(tmp_path / "parent", 0o2775)
    for name, like in (("private", 0o700), ("open", 0o755), ("group", 0o2750)):
        privacy.make_folder(parent / name, like=folder(tmp_path / name, like))

    assert [mode(parent / name) for name in ("private", "open", "group")] == [0o2700, 0o755, 0o2750]
    expected = [0o600, 0o644, 0o640]
    assert [privacy.file_mode_like(parent / name) for name in ("private", "open", "group")] == expected


def test_what_exists_keeps_its_permissions(tmp_path: Path) -> None:
    """Its owner may open or close it by hand."""
    place = folder(tmp_path / "place", 0o755)
    (place / "file").write_text("before")
    (place / "file").chmod(0o644)
    privacy.make_folder(place, shared=True)
    with open(place / "file", "w", opener=privacy.opener) as file:
        file.write("after")

    assert (mode(place), mode(place / "file")) == (0o755, 0o644)
    assert (place / "file").read_text() == "after"
    with pytest.raises(FileExistsError):
        privacy.create(place / "file", os.O_WRONLY | os.O_EXCL, 0o600)


def test_a_store_is_kept_out_of_git(tmp_path: Path) -> None:
    """With the folders on the way to it; what its owner writes there stays."""
    place = tmp_path / "new" / "store"
    privacy.prepare_folder(place)
    ignored = (place / ".gitignore").read_text().splitlines()
    (place / ".gitignore").write_text("mine\n")
    privacy.prepare_folder(place)

    assert ignored[-1] == "*"
    assert (place / ".gitignore").read_text() == "mine\n"


def test_a_store_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    """That says why, and nothing is left of it."""
    (tmp_path / "file").touch()

    for place in (tmp_path / "file", tmp_path / "file" / "store"):
        with pytest.raises(StoreError, match=f"{place} cannot be made: {tmp_path}/file is a file"):
            privacy.prepare_folder(place)
    with pytest.raises(StoreError, match="cannot be made or written"):
        privacy.prepare_folder(Path("/proc/store"))
    shared = folder(tmp_path / "shared", 0o2775)
    (shared / "store").touch()
    with pytest.raises(StoreError, match="cannot be made"):
        privacy.prepare_folder(shared / "store")
    assert [one.name for one in shared.iterdir()] == ["store"]


@takes_root
@pytest.mark.parametrize(
    ("source", "is_same_group", "place", "copied"),
    [
        (0o644, True, 0o2770, 0o440),
        (0o644, False, 0o2770, 0o440),
        (0o640, True, 0o2770, 0o440),
        (0o640, False, 0o2770, 0o400),
        (0o600, True, 0o2770, 0o400),
        (0o200, True, 0o2770, 0o400),
        (0o644, True, 0o700, 0o400),
        (0o644, True, 0o755, 0o444),
        (0o640, True, 0o755, 0o440),
        (0o755, True, 0o755, 0o444),
    ],
)
def test_a_copy_is_never_more_open_than_the_file(
    tmp_path: Path, source: int, is_same_group: bool, place: int, copied: int
) -> None:
    """Nor than its folder; that the group may read it counts for the same group only."""
    of, target = folder(tmp_path / "of", 0o755) / "file", folder(tmp_path / "target", place)
    of.touch()
    of.chmod(source)
    if not is_same_group:
        os.chown(of, -1, GROUP)

    assert privacy.copied_mode(of.stat(), target.stat()) == copied
