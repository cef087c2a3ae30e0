"""What the tests of delivering to Synapse share: a server that refuses what Synapse refuses, behind a real socket."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from waitress import wasyncore
from waitress.server import create_server

from snakeprov import connect
from snakeprov.blobs.local import LocalBlobs
from snakeprov.client import Client
from snakeprov.db import open_database
from snakeprov.server import create_app

from .refusals import AsSynapse

TOKEN = "the-token-of-ada"  # noqa: S105  of a server that lives for one test

Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Any]


@dataclass
class Synapse:
    """A server that takes what Synapse takes and has what Synapse has.

    Attributes:
        url: What precedes `/repo/v1`.
        home: A home folder with the configuration of Synapse's client.
        requests: Method and path of every request since the list was cleared.
        before: Called with method and path before each request; what it raises breaks the connection off.
        after: Called with method and path after a request was carried out and before its answer is sent.
    """

    url: str
    home: Path
    requests: list[str]
    before: Callable[[str, str], None] = lambda method, path: None
    after: Callable[[str, str], None] = lambda method, path: None

    def connect(self) -> Client:
        return connect("synapse")


@pytest.fixture
def synapse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Synapse]:
    """A running server, to which `connect("synapse")` leads."""
    folder, home = tmp_path / "synapse", tmp_path / "home"
    home.mkdir()
    store = open_database(folder, create=True)
    blobs = LocalBlobs(folder / "blobs")
    app = AsSynapse(create_app(store, blobs, session=("ada", TOKEN)))
    made = Synapse("", home, [])

    def watched(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        made.requests.append(f"{method} {path}")
        made.before(method, path)
        answer = app(environ, start_response)
        made.after(method, path)
        return answer

    server = create_server(watched, host="127.0.0.1", port=0, threads=6)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    made.url = f"http://127.0.0.1:{server.effective_port}"
    (home / ".synapseConfig").write_text(
        f"[default]\nauthtoken = {TOKEN}\n\n[endpoints]\n"
        f"repoEndpoint = {made.url}/repo/v1\nfileHandleEndpoint = {made.url}/file/v1\n"
    )
    monkeypatch.setenv("HOME", str(home))
    for name in ("SYNAPSE_AUTH_TOKEN", "SYNAPSE_PROFILE", "SNAKEPROV_STORE"):
        monkeypatch.delenv(name, raising=False)
    yield made
    with suppress(OSError):  # a test may have ended the server itself
        server.trigger.pull_trigger(lambda: wasyncore.close_all(server._map))
    thread.join(timeout=30)
    server.task_dispatcher.shutdown()
    blobs.close()
    store.close()
