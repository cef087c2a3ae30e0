"""What the tests of the server share: a real store in a folder, and the application on it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from snakeprov.blobs.local import LocalBlobs
from snakeprov.db import Database, open_database
from snakeprov.server import create_app

from .api import Api, user_of
from .live import Served, Socket
from .world import World


@pytest.fixture(scope="session")
def socket() -> Socket:
    return Socket()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Database]:
    opened = open_database(tmp_path / "store", create=True)
    yield opened
    opened.close()


@pytest.fixture
def blobs(tmp_path: Path) -> LocalBlobs:
    return LocalBlobs(tmp_path / "store" / "blobs")


@pytest.fixture
def api(store: Database, blobs: LocalBlobs, socket: Socket, tmp_path: Path) -> Api:
    return Api(socket.mount(create_app(store, blobs, identify=user_of, local_files=True)), tmp_path)


@pytest.fixture
def served(store: Database, blobs: LocalBlobs, socket: Socket) -> Served:
    return socket.serve(store, blobs)


@pytest.fixture
def world(served: Served) -> World:
    return World(served)
