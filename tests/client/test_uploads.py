"""Uploads through the client, to a server on a socket."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from snakeprov import connect
from snakeprov.blobs.local import LocalBlobs
from snakeprov.client import Client, Content
from snakeprov.db import open_database
from snakeprov.disk.files import digest_bytes
from snakeprov.model.digest import Digest

from ..server.live import Socket

CONTENT = b"what several processes send at once"


@pytest.fixture(scope="module")
def socket() -> Socket:
    return Socket()


@pytest.fixture
def clients(tmp_path: Path, socket: Socket) -> Iterator[tuple[Client, Client]]:
    """Two processes of one user."""
    store, blobs = open_database(tmp_path, create=True), LocalBlobs(tmp_path / "blobs")
    ada = socket.serve(store, blobs).user("ada")
    token = str(ada.session.headers["Authorization"]).removeprefix("Bearer ")
    with connect(ada.url, token=token) as one, connect(ada.url, token=token) as other:
        yield one, other
    blobs.close()
    store.close()


@pytest.mark.parametrize("step", ["/presigned/url/batch", "/add/1", "/complete"])
def test_senders_of_the_same_content_share_the_upload(
    clients: tuple[Client, Client], monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """Whichever step of the one the other overtakes, both have the file handle that it ended with."""
    slow, quick = clients
    ended: list[str] = []
    send = slow.session.send

    def overtaken(method: str, path: str, *arguments: object, **options: object) -> object:
        if path.endswith(step) and not ended:
            ended.append(quick.files.upload(CONTENT, file_name="a.txt"))
        return send(method, path, *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(slow.session, "send", overtaken)
    assert [slow.files.upload(CONTENT, file_name="a.txt")] == ended
    assert quick.files.download(ended[0]) == CONTENT


def test_a_content_without_its_md5_is_uploaded_with_it(clients: tuple[Client, Client], tmp_path: Path) -> None:
    """An upload announces the md5, which is computed where it was not before; other bytes are not sent for it."""
    client, _ = clients
    place = tmp_path / "a.txt"
    place.write_bytes(CONTENT)
    digest = Digest(digest_bytes(CONTENT).sha256, None, len(CONTENT))
    content = Content(path=str(place), file_name="a.txt", digest=digest, keep=True)

    (stored,) = client.files.store([content])
    assert client.files.handle(stored.file_handle_id).content_md5 == digest_bytes(CONTENT).md5
    place.write_bytes(CONTENT[::-1])
    (stored,) = client.files.store([content])
    assert (stored.bytes_kept, stored.reason) == (False, "changed")


@pytest.mark.parametrize("now", ["more than was there before", "others!", None], ids=["longer", "other bytes", "gone"])
@pytest.mark.parametrize("is_known", [True, False])
def test_a_file_that_changed_since_it_was_digested_is_no_error(
    clients: tuple[Client, Client], tmp_path: Path, now: str | None, is_known: bool
) -> None:
    """It is recorded without bytes, unless the bytes of before are at hand; other bytes are never stored for them."""
    client, _ = clients
    place = tmp_path / "a.txt"
    if now is not None:
        place.write_text(now)
    before = b"before!"
    content = Content(
        path=str(place), file_name="a.txt", digest=digest_bytes(before), keep=True, data=before if is_known else None
    )

    (stored,) = client.files.store([content])

    assert stored.bytes_kept == is_known
    if is_known:
        assert client.files.download(stored.file_handle_id) == before
    else:
        assert stored.reason == ("missing" if now is None else "changed")
        assert client.files.handle(stored.file_handle_id).content_sha256 == content.digest.sha256
