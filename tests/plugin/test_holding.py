"""Files of a job are held as they are at one moment: read if small, opened if not, digested if nobody takes them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from snakeprov.disk import mounts
from snakeprov.disk.files import digest_bytes, fingerprint
from snakeprov.model.held import HeldFile, Hold, Listing
from snakeprov.plugin import holding
from snakeprov.plugin.holding import MESSAGE_DESCRIPTORS, SMALL_BYTES, Holding

LARGE = b"x" * (SMALL_BYTES + 1)


class Taker:
    """Takes messages as the delivering process does, or does not."""

    def __init__(self) -> None:
        self.is_deaf = False
        self.files: dict[tuple[str, str], HeldFile] = {}
        self.opened: dict[tuple[str, str], int] = {}
        self.listings: list[Listing] = []
        self.most_at_once = 0

    def __call__(self, message: Hold | Listing, descriptors: Sequence[int] = ()) -> bool:
        if self.is_deaf:
            return False
        if isinstance(message, Listing):
            self.listings.append(message)
            return True
        self.most_at_once = max(self.most_at_once, len(descriptors))
        left = iter(descriptors)
        for file in message.files:
            self.files[file.key, file.member] = file
            if file.content is None and file.digest is None:
                self.opened[file.key, file.member] = os.dup(next(left))
        return True

    def read(self, key: str, member: str = "") -> bytes | None:
        """What the file held that is open."""
        descriptor = self.opened.get((key, member))
        return None if descriptor is None else os.pread(descriptor, 10 * len(LARGE), 0)


@pytest.fixture
def taker() -> Iterator[Taker]:
    """Closes what it has taken."""
    made = Taker()
    yield made
    for descriptor in made.opened.values():
        os.close(descriptor)


def hold(one: Holding, place: Path, content: bytes, *, vanishes: bool = False, changes: bool = False) -> None:
    """Write a file and hold it under its name."""
    place.write_bytes(content)
    seen = fingerprint(str(place))
    assert seen is not None
    one.file(place.name, str(place), seen, vanishes=vanishes, changes=changes)


def test_small_files_are_read_and_large_ones_are_opened(tmp_path: Path, taker: Taker) -> None:
    """Whatever is done to the names afterwards; nothing stays open in this process."""
    open_before = os.listdir("/proc/self/fd")  # noqa: PTH208
    one = Holding("job", taker)
    for name, content in (("small", b"s"), ("empty", b""), ("large", LARGE)):
        hold(one, tmp_path / name, content)
    one.send()
    for place in tmp_path.iterdir():
        place.unlink()

    assert (taker.files["small", ""].content, taker.files["empty", ""].content) == (b"s", b"")
    assert taker.files["large", ""].content is None
    assert taker.read("large") == LARGE
    assert len(os.listdir("/proc/self/fd")) == len(open_before) + len(taker.opened)  # noqa: PTH208
    assert not one.digests and not one.lost


def test_many_files_of_one_job_are_never_open_together(tmp_path: Path, taker: Taker) -> None:
    """Snakemake's process, whose jobs inherit its limits, needs room for few."""
    one = Holding("job", taker)
    for number in range(3 * MESSAGE_DESCRIPTORS):
        hold(one, tmp_path / str(number), LARGE)
    one.send()

    assert len(taker.opened) == 3 * MESSAGE_DESCRIPTORS
    assert taker.most_at_once == MESSAGE_DESCRIPTORS


def test_what_is_no_file_is_never_opened(tmp_path: Path, taker: Taker) -> None:
    """A FIFO that stands where a file was seen, and a file that is gone."""
    one = Holding("job", taker)
    (tmp_path / "file").write_bytes(LARGE)
    seen = fingerprint(str(tmp_path / "file"))
    assert seen is not None
    (tmp_path / "file").unlink()
    one.file("gone", str(tmp_path / "file"), seen)
    os.mkfifo(tmp_path / "fifo")
    one.file("fifo", str(tmp_path / "fifo"), seen)
    one.send()

    assert taker.files == {}


def test_what_nobody_takes_is_digested_if_it_is_the_last_chance(
    tmp_path: Path, taker: Taker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Small files, and those about to vanish up to a bound; others are read later, by their paths."""
    monkeypatch.setattr(holding, "URGENT_BYTES_MAX", len(LARGE))
    taker.is_deaf = True
    one = Holding("job", taker)
    hold(one, tmp_path / "small", b"s")
    hold(one, tmp_path / "stays", LARGE)
    hold(one, tmp_path / "vanishes", LARGE, vanishes=True)
    hold(one, tmp_path / "too", LARGE, vanishes=True)
    one.send()

    assert one.digests == {"small": digest_bytes(b"s"), "vanishes": digest_bytes(LARGE)}
    assert one.lost == 1


def test_where_an_open_file_would_stay_behind_none_is_kept_open(
    tmp_path: Path, taker: Taker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On NFS, say, the directory of a deleted file that is open cannot be removed: a job that does would fail."""
    monkeypatch.setattr(holding, "can_be_kept_open", lambda device: False)
    one = Holding("job", taker)
    hold(one, tmp_path / "small", b"s")
    hold(one, tmp_path / "stays", LARGE)
    hold(one, tmp_path / "vanishes", LARGE, vanishes=True)
    one.send()

    assert taker.opened == {}
    assert taker.files["small", ""].content == b"s"
    assert taker.files["vanishes", ""].digest == digest_bytes(LARGE)
    assert ("stays", "") not in taker.files


@pytest.mark.parametrize(
    ("kind", "can_be"), [("ext4", True), ("nfs4", False), ("fuse.sshfs", False), ("cifs", False), ("lustre", True)]
)
def test_file_systems_are_told_apart_by_their_mount(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, can_be: bool
) -> None:
    """As the system lists them; what is not listed is taken for a local one."""
    listed = tmp_path / "mountinfo"
    listed.write_text(f"22 1 0:51 / /data rw,relatime shared:1 - {kind} host:/data rw\n")
    monkeypatch.setattr(mounts, "MOUNTS", listed)
    mounts.can_be_kept_open.cache_clear()
    try:
        assert mounts.can_be_kept_open(os.makedev(0, 51)) is can_be
        assert mounts.can_be_kept_open(os.makedev(0, 52))
    finally:
        mounts.can_be_kept_open.cache_clear()


def test_a_file_about_to_be_changed_is_urgent_if_it_cannot_be_read_at_once(tmp_path: Path, taker: Taker) -> None:
    """Before `update()`: what the job leaves of a small file cannot matter any more."""
    one = Holding("job", taker)
    hold(one, tmp_path / "small", b"s", changes=True)
    hold(one, tmp_path / "large", LARGE, changes=True)
    one.send()

    assert taker.files["small", ""].content == b"s"
    assert taker.files["large", ""].is_urgent


def test_a_directory_is_listed_and_its_files_are_held(tmp_path: Path, taker: Taker) -> None:
    """Links and empty directories are in the listing; its digest changes with any member."""
    tree = tmp_path / "tree"
    (tree / "deep").mkdir(parents=True)
    (tree / "deep" / "large").write_bytes(LARGE)
    (tree / "small").write_bytes(b"s")
    (tree / "link").symlink_to("small")
    one = Holding("job", taker)
    listing = one.directory("o0", str(tree))
    one.send()

    (told,) = taker.listings
    assert told.members is not None and told.is_last
    assert [member.path for member in told.members] == ["deep/large", "link", "small"]
    assert taker.files["o0", "small"].content == b"s"
    assert taker.read("o0", "deep/large") == LARGE
    assert Holding("job", taker).directory("o0", str(tree)) == listing
    (tree / "deep" / "large").write_bytes(LARGE + b"x")
    assert Holding("job", taker).directory("o0", str(tree)) != listing


def test_a_directory_with_too_many_members_is_left_to_who_digests_it(
    tmp_path: Path, taker: Taker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Snakemake does not wait for its listing, unless it is about to be deleted."""
    monkeypatch.setattr(holding, "MEMBERS_MAX", 3)
    for number in range(10):
        (tmp_path / str(number)).write_text("x")
    one = Holding("job", taker)

    assert one.directory("o0", str(tmp_path)) is None
    assert one.directory("o1", str(tmp_path), vanishes=True) is not None
    one.send()

    assert [told.members is None for told in taker.listings] == [True, False]
    assert {key for key, _ in taker.files} == {"o1"}
    assert len(taker.files) == 10


def test_only_so_much_is_read_of_one_job(tmp_path: Path, taker: Taker, monkeypatch: pytest.MonkeyPatch) -> None:
    """Small files beyond are opened, as those are that are just too large."""
    monkeypatch.setattr(holding, "CONTENT_BYTES_MAX", SMALL_BYTES + 2)
    one = Holding("job", taker)
    hold(one, tmp_path / "largest", b"x" * SMALL_BYTES)
    hold(one, tmp_path / "three", b"xxx")
    hold(one, tmp_path / "two", b"xx")
    one.send()

    assert [key for (key, _), file in taker.files.items() if file.content is not None] == ["largest", "two"]
    assert taker.read("three") == b"xxx"


def test_only_so_much_of_one_job_is_urgent(tmp_path: Path, taker: Taker, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever takes the files reads that much while the next job waits."""
    monkeypatch.setattr(holding, "URGENT_BYTES_MAX", 2 * len(LARGE))
    one = Holding("job", taker)
    for name in ("first", "second", "third"):
        hold(one, tmp_path / name, LARGE, changes=True)
    one.send()

    assert [taker.files[name, ""].is_urgent for name in ("first", "second", "third")] == [True, True, False]


def test_many_contents_of_one_job_are_sent_in_parts(
    tmp_path: Path, taker: Taker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A message has room for few."""
    monkeypatch.setattr(holding, "MESSAGE_BYTES", 1000)
    one = Holding("job", taker)
    for number in range(6):
        hold(one, tmp_path / str(number), b"x" * 300)

    assert len(taker.files) == 6 - 6 % 3
    one.send()
    assert len(taker.files) == 6


def test_nothing_is_said_of_a_job_without_files(taker: Taker) -> None:
    """An empty message would only cost time."""
    said: list[Hold | Listing] = []

    def tell(message: Hold | Listing, descriptors: Sequence[int] = ()) -> bool:
        said.append(message)
        return True

    Holding("job", tell).send()

    assert said == []


def test_what_is_not_held_is_not_left_open(tmp_path: Path, taker: Taker) -> None:
    """A FIFO that stands where a large file was seen."""
    (tmp_path / "file").write_bytes(LARGE)
    seen = fingerprint(str(tmp_path / "file"))
    assert seen is not None
    os.mkfifo(tmp_path / "fifo")
    open_before = os.listdir("/proc/self/fd")  # noqa: PTH208
    Holding("job", taker).file("fifo", str(tmp_path / "fifo"), seen)

    assert len(os.listdir("/proc/self/fd")) == len(open_before)  # noqa: PTH208


def test_a_file_that_stays_is_not_digested_because_one_before_it_vanished(tmp_path: Path, taker: Taker) -> None:
    """Descriptors are numbers that come again."""
    taker.is_deaf = True
    one = Holding("job", taker)
    for name in ("vanishes", "stays"):
        hold(one, tmp_path / name, LARGE, vanishes=name == "vanishes")
        one.send()

    assert one.digests == {"vanishes": digest_bytes(LARGE)}


def tree_of(place: Path, *names: str) -> Path:
    place.mkdir()
    for name in names:
        (place / name).write_bytes(LARGE)
    return place


def test_of_a_directory_only_regular_files_are_held(tmp_path: Path, taker: Taker) -> None:
    """What a link shows is not the directory's, and is in no manifest."""
    tree = tree_of(tmp_path / "tree", "file")
    (tree / "link").symlink_to("file")
    (tree / "empty").mkdir()
    one = Holding("job", taker)
    one.directory("o0", str(tree))
    one.send()

    assert list(taker.files) == [("o0", "file")]


@pytest.mark.parametrize("vanishes", [True, False])
def test_of_a_directory_that_stays_only_some_files_are_held(
    tmp_path: Path, taker: Taker, monkeypatch: pytest.MonkeyPatch, vanishes: bool
) -> None:
    """Of one that is about to be deleted, all."""
    monkeypatch.setattr(holding, "MEMBERS_HELD_MAX", 2)
    one = Holding("job", taker)
    one.directory("o0", str(tree_of(tmp_path / "tree", "a", "b", "c", "d")), vanishes=vanishes)
    one.send()

    assert [member for _, member in taker.files] == (["a", "b", "c", "d"] if vanishes else ["a", "b"])
    (told,) = taker.listings
    assert told.members is not None and len(told.members) == 4


def test_of_a_directory_that_was_held_before_only_the_listing_is_digested(
    tmp_path: Path, taker: Taker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is said of it; with too many members it has no digest either."""
    tree = tree_of(tmp_path / "tree", "a", "b")
    made = Holding("job", taker).directory("o0", str(tree))
    taker.listings.clear()

    again = Holding("next", taker)
    assert again.directory("i0", str(tree), is_held=True) == made
    monkeypatch.setattr(holding, "MEMBERS_MAX", 1)
    assert again.directory("i0", str(tree), is_held=True) is None
    again.send()

    assert (taker.listings, taker.files) == ([], {})


def test_a_long_listing_is_told_in_parts(tmp_path: Path, taker: Taker, monkeypatch: pytest.MonkeyPatch) -> None:
    """Until nobody takes them; the last one is marked."""
    monkeypatch.setattr(holding, "LISTED_AT_ONCE", 2)
    tree = tree_of(tmp_path / "tree", "a", "b", "c")
    asked = 0

    def tell(message: Hold | Listing, descriptors: Sequence[int] = ()) -> bool:
        nonlocal asked
        asked += isinstance(message, Listing)
        return taker(message, descriptors)

    Holding("job", tell).directory("o0", str(tree))
    assert [told.is_last for told in taker.listings] == [False, True]
    assert [member.path for told in taker.listings for member in told.members or ()] == ["a", "b", "c"]

    taker.is_deaf = True
    Holding("job", tell).directory("o0", str(tree))
    assert asked == 3


@pytest.mark.parametrize(("vanishes", "lost"), [(True, 2), (False, 0)])
def test_members_that_nobody_takes_are_lost_where_they_vanish_and_never_digested_here(
    tmp_path: Path, taker: Taker, vanishes: bool, lost: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A record has no place for their digests; those that stay are read later."""
    taker.is_deaf = True
    digested: list[bytes] = []
    monkeypatch.setattr(holding, "digest_bytes", digested.append)
    monkeypatch.setattr(holding, "digest_held", lambda *_: digested.append(LARGE))
    place = tree_of(tmp_path / "d", "small")
    (place / "large").write_bytes(LARGE)
    one = Holding("job", taker)

    one.directory("o0", str(place), vanishes=vanishes)
    one.send()

    assert (one.lost, one.digests, digested) == (lost, {}, [])
