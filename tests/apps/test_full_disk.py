"""A disk that is really full: one clear sentence, nothing half-written, and all is well once there is room again.

The disk is a small tmpfs, or a larger one (btrfs) of which little may be used. Only a superuser can mount them;
elsewhere these tests are skipped.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from snakeprov.apps.verify import verify_store
from snakeprov.blobs.local import SMALL_BYTES_MAX, LocalBlobs
from snakeprov.db import open_database, principals
from snakeprov.errors import FullStoreError

SIZE_KIB = 1024


class Disk:
    """A disk of one MiB, or as much of one.

    Attributes:
        folder: Where it is mounted.
        shortage: What is said when it is full.
    """

    def __init__(self, folder: Path, shortage: str) -> None:
        self.folder = folder
        self.shortage = shortage

    def fill(self, *, leave_bytes: int = 0) -> None:
        """Write a file that takes all space but some."""
        size_bytes = 0
        with self._ballast.open("wb", buffering=0) as file, pytest.raises(OSError, match=r"No space|quota exceeded"):
            while True:
                size_bytes += file.write(os.urandom(4096))
        # Written anew, because where there is a quota a file cannot be made shorter once it is used up.
        self.empty()
        with self._ballast.open("wb", buffering=0) as file:
            file.write(os.urandom(size_bytes - leave_bytes))
        os.sync()

    def empty(self) -> None:
        """Delete that file."""
        self._ballast.unlink()
        os.sync()

    @property
    def _ballast(self) -> Path:
        return self.folder / "ballast"


@pytest.fixture(params=["full", "quota"])
def disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Disk]:
    """A disk that is small, and one of which little may be used."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if request.param == "full":
        do("mount", "-t", "tmpfs", "-o", f"size={SIZE_KIB}k", "tmpfs", folder)
        yield Disk(folder, "no space is left on the device")
    else:
        image = tmp_path / "image"
        with image.open("wb") as file:
            file.truncate(256 * 1024 * 1024)
        do("mkfs.btrfs", "--quiet", image)
        do("mount", "-o", "loop", image, folder)
        do("btrfs", "quota", "enable", folder)
        do("btrfs", "subvolume", "create", folder / "own")
        do("btrfs", "qgroup", "limit", f"{SIZE_KIB}K", folder / "own")
        yield Disk(folder / "own", "your quota on the device is used up")
    subprocess.run(["umount", "--lazy", folder], check=True)


def do(*command: str | Path) -> None:
    """Run a command, or skip the test where it cannot be run."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip(f"there is no program {command[0]!r}")
    if done.returncode != 0:
        pytest.skip(f"{command[0]} is not possible here: {done.stderr.strip()}")


def damage_in(folder: Path) -> list[str]:
    report = verify_store(folder, outbox_folder=folder / "outbox", digests=folder / "digests.sqlite")
    return [f"{one.where}: {one.problem}" for one in report.findings]


@pytest.mark.parametrize("length", [SMALL_BYTES_MAX - 1, 3 * SMALL_BYTES_MAX], ids=["small", "large"])
def test_contents_on_a_full_disk(disk: Disk, length: int) -> None:
    """What does not fit is refused and leaves nothing; what was kept before is whole; what comes later is kept."""
    folder = disk.folder / ".snakeprov"
    open_database(folder, create=True, journal_mode="delete").close()
    blobs = LocalBlobs(folder / "blobs")
    before = blobs.put_stream([b"before" * 100])
    first = blobs.put_stream([b"first" * SMALL_BYTES_MAX])
    disk.fill(leave_bytes=16 * 1024)
    with pytest.raises(FullStoreError, match=rf"^Nothing more can be kept in .*: {disk.shortage}\. Free"):
        blobs.put_stream([b"x" * length])

    assert blobs.open(before).read() == b"before" * 100
    assert blobs.unfinished() == []
    disk.empty()
    later = blobs.put_stream([b"x" * length])
    assert blobs.open(later).read() == b"x" * length
    assert blobs.open(first).read(5) == b"first"
    blobs.close()
    assert [one for one in damage_in(folder) if "No record refers to it" not in one] == []


# Not a write-ahead log with a quota: SQLite maps memory beside it, and to write there where none of the quota is left
# btrfs answers with a signal that ends the process.
@pytest.mark.parametrize(
    ("disk", "journal_mode"), [("full", "wal"), ("full", "delete"), ("quota", "delete")], indirect=["disk"]
)
def test_records_on_a_full_disk(disk: Disk, journal_mode: str) -> None:
    """A transaction that does not fit is undone; the store is whole, can be read, and goes on when there is room."""
    folder = disk.folder / ".snakeprov"
    store = open_database(folder, create=True, journal_mode="wal" if journal_mode == "wal" else "delete")
    ada = principals.ensure(store, "ada")
    disk.fill(leave_bytes=8 * 1024)
    with pytest.raises(FullStoreError, match=disk.shortage), store.write() as tx:
        for number in range(2000):
            tx.connection.exec_driver_sql(
                f"INSERT INTO setting (name, value, checksum) VALUES ('{number}', '{'x' * 400}', 0)"  # noqa: S608
            )

    assert principals.ensure(store, "ada") == ada
    disk.empty()
    assert principals.ensure(store, "bob").id == ada.id + 1
    store.close()
    assert damage_in(folder) == []


def test_a_store_that_does_not_fit_is_not_made(disk: Disk) -> None:
    """There is no half of one; once there is room it is made."""
    disk.fill(leave_bytes=32 * 1024)
    with pytest.raises(FullStoreError, match=rf"^The store .*/provenance\.sqlite cannot be written: {disk.shortage}"):
        open_database(disk.folder / ".snakeprov", create=True)

    assert list((disk.folder / ".snakeprov").glob("*")) == []
    disk.empty()
    open_database(disk.folder / ".snakeprov", create=True).close()
