"""Uploads through the client, to a server on a socket."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from snakeprov import connect
from snakeprov.blobs.local import LocalBlobs
from snakeprov.client import Client
from snakeprov.store import open_store

from ..server.live import Socket

CONTENT = b"what several processes send at once"


@pytest.fixture(scope="module")
def socket() -> Socket:
    return Socket()


@pytest.fixture
def clients(tmp_path: Path, socket: Socket) -> Iterator[tuple[Client, Client]]:
    """Two processes of one user."""
    store, blobs = open_store(tmp_path, create=True), LocalBlobs(tmp_path / "blobs")
    ada = socket.serve(store, blobs).user("ada")
    token = str(ada.session.headers["Authorization"]).removeprefix("Bearer ")
    with connect(ada.url, token=token) as one, connect(ada.url, token=token) as other:
        yield one, other
    blobs.close()
    store.close()


@pytest.mark.parametrize("step", ["/presigned/url/batch", "/add/1", "/complete"])
def test_whoever_sends_the_same_content_shares_the_upload(
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
