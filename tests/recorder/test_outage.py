"""A repository that fails between any two requests, in any way: what waits is delivered later, exactly once."""

from __future__ import annotations

import io
import shutil
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any
from wsgiref.handlers import SimpleHandler
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

import pytest

from snakeprov.blobs.local import LocalBlobs
from snakeprov.client import Client, session
from snakeprov.embedded import connect
from snakeprov.recorder import backlog
from snakeprov.server import create_app
from snakeprov.store import open_store

from . import faults
from .test_crash import EVERYTHING

WAYS = ["cut before", "cut after", "cut in the middle", "500", "503", "429", "503 after"]
"""What becomes of a request: `after` means that the repository has done what it was asked."""


class Repository(WSGIServer):
    """A server on a socket that fails from its request number `fails_from` on, in the way `way`."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.fails_from: float = float("inf")
        self.way = ""
        self.requests = 0
        self.url = f"http://127.0.0.1:{self.server_port}"
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of connections that were cut."""


class Handler(WSGIRequestHandler):
    """Answers one request, or fails to."""

    server: Repository

    def handle(self) -> None:
        self.raw_requestline = self.rfile.readline()
        if not self.raw_requestline or not self.parse_request():
            return
        length = int(self.headers.get("Content-Length", 0))
        body = io.BytesIO(self.rfile.read(length))
        self.server.requests += 1
        way = self.server.way if self.server.requests >= self.server.fails_from else "answer"
        answer = io.BytesIO()
        if way in ("answer", "cut after", "cut in the middle", "503 after"):
            handler = SimpleHandler(body, answer, io.StringIO(), self.get_environ(), multithread=False)
            handler.run(self.server.get_app())
        whole = answer.getvalue()
        if way == "answer":
            self.wfile.write(whole)
        elif way.startswith("cut"):
            self.wfile.write(whole[: len(whole) // 2] if way == "cut in the middle" else b"")
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()  # at once, and with what is called a reset
        else:
            reason = b'{"reason": "not now"}'
            head = f"HTTP/1.0 {way[:3]} No\r\nContent-Length: {len(reason)}\r\n\r\n"
            self.wfile.write(head.encode() + reason)


@pytest.fixture(scope="module")
def server() -> Iterator[Repository]:
    with Repository() as made:
        yield made
        made.shutdown()


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository in which there is nothing yet."""
    folder = tmp_path_factory.mktemp("team") / "empty"
    with connect(folder, create=True):
        pass
    return folder


@pytest.mark.parametrize("way", WAYS)
def test_an_outage_at_any_request_loses_and_doubles_nothing(
    way: str, server: Repository, empty: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From some request on it fails until the run has ended; then it is back, and push delivers the rest.

    To take seconds rather than minutes, every request is met by one of the ways, and each way by every seventh.
    """
    monkeypatch.setattr(session.time, "sleep", lambda seconds: None)
    monkeypatch.setattr(session, "RETRIES_MAX", 1)
    faults.make_files(tmp_path / "work")
    client: Callable[[], Client] = partial(connect, server.url)
    server.way = way
    for request in range(1 + WAYS.index(way), faults.STEPS_MAX, len(WAYS)):
        team = tmp_path / "team"
        shutil.rmtree(team, ignore_errors=True)
        shutil.copytree(empty, team)
        store, blobs = open_store(team), LocalBlobs(team / "blobs", journal_mode="wal")
        server.set_app(create_app(store, blobs, identify=lambda request: "ada"))
        work = tmp_path / "work"
        shutil.rmtree(work / ".snakeprov", ignore_errors=True)
        faults.fill_outbox(work)

        server.requests, server.fails_from = 0, request
        problems = faults.deliver(work, client)
        failed, server.fails_from = server.requests >= request, float("inf")
        left = backlog.count(backlog.outbox_folder(work))
        assert bool(problems) == failed
        assert left.failed == 0
        assert faults.push_all(work, client) == left.pending

        with client() as asked:
            assert faults.holdings(asked) == EVERYTHING
        assert backlog.files(backlog.outbox_folder(work)) == []
        blobs.close()
        store.close()
        if not failed:
            break
    assert request > 5
