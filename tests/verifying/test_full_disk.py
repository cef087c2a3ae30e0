"""A disk that is really full: one clear sentence, nothing half-written, and all is well once there is room again.

The disk is a small tmpfs, which only a superuser can mount; elsewhere these tests are skipped.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from snakeprov.blobs.local import SMALL_BYTES_MAX, LocalBlobs
from snakeprov.errors import FullStoreError
from snakeprov.store import open_store, principals
from snakeprov.verifying import verify_store

SIZE_KIB = 1024


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of one MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={SIZE_KIB}k", "tmpfs", str(folder)]
    try:
        mounted = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no program 'mount'")
    if mounted.returncode != 0:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(disk: Path, *, leave_bytes: int = 0) -> Path:
    """Write a file that takes all space but some; return it."""
    path = disk / "ballast"
    with path.open("wb", buffering=0) as file, pytest.raises(OSError, match="No space left"):
        while True:
            file.write(b"x" * 4096)
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size - leave_bytes)
    return path


def damage_in(folder: Path) -> list[str]:
    report = verify_store(folder, outbox_folder=folder / "outbox", digests=folder / "digests.sqlite")
    return [f"{one.where}: {one.problem}" for one in report.findings]


@pytest.mark.parametrize("length", [SMALL_BYTES_MAX - 1, 3 * SMALL_BYTES_MAX], ids=["small", "large"])
def test_contents_on_a_full_disk(disk: Path, length: int) -> None:
    """What does not fit is refused and leaves nothing; what was kept before is whole; what comes later is kept."""
    folder = disk / ".snakeprov"
    open_store(folder, create=True, journal_mode="delete").close()
    blobs = LocalBlobs(folder / "blobs")
    before = blobs.put_stream([b"before" * 100])
    first = blobs.put_stream([b"first" * SMALL_BYTES_MAX])
    ballast = fill(disk, leave_bytes=16 * 1024)
    with pytest.raises(FullStoreError, match=r"^Nothing more can be kept in .*: no space is left on the device\. Free"):
        blobs.put_stream([b"x" * length])

    assert blobs.open(before).read() == b"before" * 100
    assert blobs.unfinished() == []
    ballast.unlink()
    later = blobs.put_stream([b"x" * length])
    assert blobs.open(later).read() == b"x" * length
    assert blobs.open(first).read(5) == b"first"
    blobs.close()
    assert [one for one in damage_in(folder) if "Nothing that is recorded refers to it" not in one] == []


@pytest.mark.parametrize("journal_mode", ["wal", "delete"])
def test_records_on_a_full_disk(disk: Path, journal_mode: str) -> None:
    """A transaction that does not fit is undone; the store is whole, can be read, and goes on when there is room."""
    folder = disk / ".snakeprov"
    store = open_store(folder, create=True, journal_mode="wal" if journal_mode == "wal" else "delete")
    ada = principals.ensure(store, "ada")
    ballast = fill(disk, leave_bytes=8 * 1024)
    with pytest.raises(FullStoreError, match="no space is left on the device"), store.write() as tx:
        for number in range(2000):
            tx.connection.exec_driver_sql(
                f"INSERT INTO setting (name, value, checksum) VALUES ('{number}', '{'x' * 400}', 0)"  # noqa: S608
            )

    assert principals.ensure(store, "ada") == ada
    ballast.unlink()
    assert principals.ensure(store, "bob").id == ada.id + 1
    store.close()
    assert damage_in(folder) == []


def test_a_store_that_does_not_fit_is_not_made(disk: Path) -> None:
    """There is no half of one; once there is room it is made."""
    ballast = fill(disk, leave_bytes=32 * 1024)
    with pytest.raises(FullStoreError, match=r"^The store .*/provenance\.sqlite cannot be written: no space is left"):
        open_store(disk / ".snakeprov", create=True)

    assert list((disk / ".snakeprov").iterdir()) == []
    ballast.unlink()
    open_store(disk / ".snakeprov", create=True).close()
