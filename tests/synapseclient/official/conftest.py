"""What the tests with Synapse's official client share: the server they are given, and clients logged in to it.

These tests run in an environment of their own, which holds the official client and nothing of this project.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from served import OTHER_TOKEN, TOKEN, endpoints
from synapseclient import Folder, Project, Synapse

LONG_AGO_S = 1_500_000_000

_counter = itertools.count(1)


@pytest.fixture(scope="session")
def connect(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Synapse]:
    """Give `connect(token)`: a client that has logged in, with a cache of its own."""
    # The client would else take the one that was made last wherever it is not told which.
    Synapse.allow_client_caching(False)

    def connect(token: str = TOKEN) -> Synapse:
        client = Synapse(skip_checks=True, cache_root_dir=str(tmp_path_factory.mktemp("cache")), **endpoints())
        client.login(authToken=token, silent=True)
        return client

    return connect


@pytest.fixture(scope="session")
def syn(connect: Callable[..., Synapse]) -> Synapse:
    """Give the client of the user to whom everything belongs."""
    return connect()


@pytest.fixture(scope="session")
def other(connect: Callable[..., Synapse]) -> Synapse:
    """Give the client of somebody to whom nothing belongs."""
    return connect(OTHER_TOKEN)


@pytest.fixture
def elsewhere(connect: Callable[..., Synapse]) -> Synapse:
    """Give a client of the first user whose cache is empty: what it downloads comes from the server."""
    return connect()


@pytest.fixture
def project(syn: Synapse) -> Project:
    """Give a new project."""
    return syn.store(Project(f"project {os.getpid()} {next(_counter)}"))


@pytest.fixture
def folder(syn: Synapse, project: Project) -> Folder:
    """Give a new folder in a new project."""
    return syn.store(Folder("results", parent=project))


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., str]:
    """Give `write(name, content)`: the path of a file.

    Each file is older than the one before by a minute: the client's cache tells two contents apart by whole seconds.
    """

    def write(name: str, content: str | bytes = "") -> str:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        seconds = LONG_AGO_S - 60 * next(_counter)
        os.utime(path, (seconds, seconds))
        return str(path)

    return write
