"""What a file is said to be."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from snakeprov.apps.connect import connect
from snakeprov.client.files import Content
from snakeprov.model.digest import Digest


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("report.html", "text/html"),
        ("plot.png", "image/png"),
        ("counts.csv", "text/csv"),
        ("no-ending", "application/octet-stream"),
        ("odd.ending-of-nothing", "application/octet-stream"),
    ],
)
@pytest.mark.parametrize("keep", [True, False])
def test_a_file_is_what_its_name_says(tmp_path: Path, name: str, expected: str, *, keep: bool) -> None:
    """Whether its bytes are kept or not; an explicit content type takes precedence over the name."""
    path = tmp_path / "file"
    path.write_bytes(b"x")
    digest = Digest(hashlib.sha256(b"x").hexdigest(), hashlib.md5(b"x", usedforsecurity=False).hexdigest(), 1)
    with connect(tmp_path / "repository", create=True) as client:
        guessed, given = client.files.store(
            [
                Content(str(path), name, digest, keep=keep),
                Content(str(path), name, digest, keep=keep, content_type="text/x-own"),
            ]
        )
        uploaded = client.files.upload(b"y", file_name=name)

        def type_of(handle: str) -> str:
            return str(client.session.get(f"/file/v1/fileHandle/{handle}")["contentType"])

        assert type_of(guessed.file_handle_id) == type_of(uploaded) == expected
        assert type_of(given.file_handle_id) == "text/x-own"
