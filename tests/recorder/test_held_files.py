"""The files of a job as the delivering process has them: as digests where it has to, else open."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from snakeprov.disk.files import digest_bytes, fingerprint
from snakeprov.disk.tree import list_directory
from snakeprov.errors import ChangedFileError
from snakeprov.model.held import HeldFile, Listing, output_key
from snakeprov.model.records import Fingerprint
from snakeprov.recorder.heldfiles import HeldFiles, Moves, OpenFile

KEY = output_key(0)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A file."""
    made = tmp_path / "out"
    made.write_bytes(b"first")
    return made


def seen(place: Path) -> Fingerprint:
    found = fingerprint(str(place))
    assert found is not None
    return found


def is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


@pytest.mark.parametrize("may_keep", [True, False])
def test_the_content_of_a_small_file_is_kept_while_there_is_room(place: Path, may_keep: bool) -> None:
    """Its digest is known either way."""
    held = HeldFiles()

    held.add(HeldFile(KEY, "", seen(place), content=b"first"), None, may_keep=may_keep)

    digest = digest_bytes(b"first")
    assert held.file(KEY) == digest
    assert held.contents == ({digest.sha256: b"first"} if may_keep else {})
    assert held.content_bytes == (5 if may_keep else 0)


def test_a_digest_that_was_made_before_is_taken_as_it_is(place: Path) -> None:
    """Nothing is read again."""
    held = HeldFiles()

    held.add(HeldFile(KEY, "", seen(place), digest=digest_bytes(b"earlier")), None)

    assert held.file(KEY) == digest_bytes(b"earlier")


@pytest.mark.parametrize(("may_stay_open", "is_urgent"), [(True, True), (False, False)])
def test_a_file_that_cannot_stay_open_is_digested_at_once(place: Path, may_stay_open: bool, is_urgent: bool) -> None:
    """One that is about to be changed, and any one where too many are open."""
    held = HeldFiles()
    descriptor = os.open(place, os.O_RDONLY)

    held.add(HeldFile(KEY, "", seen(place), is_urgent=is_urgent), descriptor, may_stay_open=may_stay_open)

    assert held.file(KEY) == digest_bytes(b"first")
    assert held.open_count == 0
    assert not is_open(descriptor)


def test_a_file_that_changed_before_it_was_digested_is_not_held(place: Path) -> None:
    """Its descriptor is closed all the same."""
    held = HeldFiles()
    before = seen(place)
    place.write_bytes(b"second, and longer")
    descriptor = os.open(place, os.O_RDONLY)

    held.add(HeldFile(KEY, "", before, is_urgent=True), descriptor)

    assert held.file(KEY) is None
    assert not is_open(descriptor)


def test_open_files_are_closed_with_the_rest(place: Path) -> None:
    """Digests need no closing; closing twice closes nothing else."""
    held = HeldFiles()
    descriptor = os.open(place, os.O_RDONLY)
    held.add(HeldFile(KEY, "", seen(place)), descriptor)
    held.add(HeldFile(output_key(1), "", seen(place), digest=digest_bytes(b"")), None)
    assert held.open_count == 1

    held.close()
    assert not is_open(descriptor)
    other = os.open(place, os.O_RDONLY)
    held.close()

    assert other == descriptor
    assert is_open(other)
    os.close(other)


def append(place: Path) -> None:
    with place.open("ab") as file:
        file.write(b" and more")


@pytest.mark.parametrize("meanwhile", [append, os.utime])
def test_a_file_that_was_renamed_and_changed_afterwards_has_no_digest(
    place: Path, meanwhile: Callable[[Path], object]
) -> None:
    """Nothing says that whoever changed its time did not change its bytes too."""
    moves: Moves = {}
    made = HeldFiles(moves)
    before = seen(place)
    made.add(HeldFile(KEY, "", before), os.open(place, os.O_RDONLY))
    moved = HeldFile(KEY, "", before, digest=digest_bytes(b"first"), moved_from_ns=before.mtime_ns)
    HeldFiles(moves).add(moved, None)
    meanwhile(place)

    opened = made.file(KEY)

    assert isinstance(opened, OpenFile)
    with pytest.raises(ChangedFileError):
        opened.digest(before)
    made.close()


def test_what_is_in_a_directory_is_known_with_the_last_part_of_its_listing(tmp_path: Path, place: Path) -> None:
    """A part of it would say that the rest was not there."""
    held = HeldFiles()
    (tmp_path / "second").touch()
    one, two = list_directory(str(tmp_path))

    held.take_listing(Listing("job", KEY, str(tmp_path), [one], is_last=False))
    assert held.members(KEY) is None
    held.take_listing(Listing("job", KEY, str(tmp_path), [two]))

    assert held.members(KEY) == [one, two]


def test_a_directory_that_the_sender_could_not_list_is_listed_when_it_is_heard_of(tmp_path: Path, place: Path) -> None:
    """What comes later is not in it."""
    held = HeldFiles()
    held.take_listing(Listing("job", KEY, str(tmp_path), None))
    (tmp_path / "later").touch()

    members = held.members(KEY)

    assert members is not None
    assert [member.path for member in members] == ["out"]


def test_a_directory_that_is_gone_when_it_is_heard_of_is_not_known(tmp_path: Path) -> None:
    """Which is not the same as empty."""
    held = HeldFiles()

    held.take_listing(Listing("job", KEY, str(tmp_path / "gone"), None))

    assert held.members(KEY) is None
