"""Stored bytes that are no longer what they were: never served as if they were."""

from __future__ import annotations

from pathlib import Path

import pytest
import requests

from snakeprov.blobs.local import SMALL_BYTES_MAX, LocalBlobs
from tests.server.test_bytes import Remote, remote

__all__ = ["remote"]

LARGE = bytes(range(256)) * (4 * SMALL_BYTES_MAX // 256 * 2)
MIDDLING = LARGE[: SMALL_BYTES_MAX + 1]


def damage(folder: Path, content: bytes, *, at: int) -> str:
    """Keep a content and flip a bit of what is kept; return the path under which it is served."""
    blobs = LocalBlobs(folder)
    sha256 = blobs.put_stream([content])
    blobs.close()
    path = folder / sha256[:2] / sha256
    path.chmod(0o644)
    flipped = bytearray(content)
    flipped[at] ^= 1
    path.write_bytes(flipped)
    return f"/snakeprov/v1/blobs/{sha256}"


@pytest.mark.parametrize(("content", "at"), [(LARGE, 0), (LARGE, -1), (MIDDLING, 5)], ids=["first", "last", "short"])
def test_a_damaged_file_never_arrives_whole(remote: Remote, tmp_path: Path, content: bytes, at: int) -> None:
    """The connection breaks before the end, or the answer is an error: no client takes it for the content."""
    path = damage(tmp_path / "store" / "blobs", content, at=at)

    with pytest.raises(requests.RequestException):
        requests.get(remote.url + path, timeout=30).raise_for_status()


def test_a_truncated_file_never_arrives_whole(remote: Remote, tmp_path: Path) -> None:
    """Neither does one that has lost its end, though its length fits what is sent."""
    path = damage(tmp_path / "store" / "blobs", LARGE, at=0)
    sha256 = path.rpartition("/")[2]
    (tmp_path / "store" / "blobs" / sha256[:2] / sha256).write_bytes(LARGE[:-1])

    with pytest.raises(requests.RequestException):
        requests.get(remote.url + path, timeout=30).raise_for_status()
