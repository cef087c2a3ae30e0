"""What the tests with the official client are given: its environment, and a server on a socket with two users."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from snakeprov.apps.accounts import SCOPES, Accounts
from snakeprov.blobs.local import LocalBlobs
from snakeprov.db import open_database
from snakeprov.server import create_app

from ..server import live
from ..synapse.refusals import AsSynapse
from .environment import NotInstallableError, make

PYTHON_VARIABLE = "SNAKEPROV_TEST_SYNAPSE_PYTHON"
"""Names the Python of an environment with the official client; without it the tests make one, once."""

REQUIRED_VARIABLE = "SNAKEPROV_TEST_SYNAPSE_REQUIRED"
"""Set where it is a failure that the official client cannot be installed."""

START_TIMEOUT_S = 30
END_TIMEOUT_S = 20

# Those tests run in the official client's environment; see test_official_client.py.
collect_ignore = ["official"]

_SNAKEPROV = [sys.executable, "-c", "import sys; from snakeprov.cli import main; sys.exit(main())"]


class Served(NamedTuple):
    """A server that listens, and the tokens of its two users; the second also has one that is only good for looking."""

    url: str
    token: str
    other_token: str
    other_view_token: str


@pytest.fixture(scope="session")
def official_python(request: pytest.FixtureRequest) -> Path:
    """Give the Python of an environment that has the official client and nothing of the project."""
    named = os.environ.get(PYTHON_VARIABLE)
    if named:
        return Path(named)
    assert request.config.cache is not None
    try:
        return make(Path(request.config.cache.mkdir("synapseclient")))
    except NotInstallableError as error:
        message = f"Synapse's official client cannot be installed here, so nothing is tested with it. {error}"
        if os.environ.get(REQUIRED_VARIABLE):
            pytest.fail(message, pytrace=False)
        pytest.skip(message)


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Give a server with a store of its own, as `snakeprov serve` starts it."""
    with _serving(tmp_path_factory.mktemp("served")) as server:
        yield server


@pytest.fixture(scope="session")
def served_strictly(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Give a server that refuses whatever Synapse refuses."""
    folder = tmp_path_factory.mktemp("served-strictly")
    store = open_database(folder, create=True)
    url = live.Socket().mount(AsSynapse(create_app(store, LocalBlobs(folder / "blobs"))))
    accounts = Accounts(store)
    for name in ("owner", "colleague"):
        accounts.add(name)
    scopes = (("owner", SCOPES), ("colleague", SCOPES), ("colleague", ("view",)))
    yield Served(url, *(accounts.create_token(name, scopes=given).token for name, given in scopes))
    store.close()


@contextmanager
def _serving(folder: Path) -> Iterator[Served]:
    store = str(folder / "store")
    command = [*_SNAKEPROV, "serve", "--store", store, "--port", "0", "--json"]
    with (
        (folder / "log").open("w") as log,
        subprocess.Popen(
            command, cwd=folder, env=environment(folder), stdout=subprocess.PIPE, stderr=log, text=True
        ) as server,
    ):
        try:
            line = _first_line(server)
            assert line, (folder / "log").read_text()
            said = json.loads(line)
            _command(folder, "user", "add", "colleague", "--store", store)
            create = ("token", "create", "colleague", "--json", "--store", store)
            other, view = (json.loads(_command(folder, *create, *scope)) for scope in ((), ("--scope", "view")))
            yield Served(said["url"], said["token"], other["token"], view["token"])
        finally:
            server.terminate()
            try:
                server.wait(END_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                server.kill()


def environment(home: Path, **variables: str) -> dict[str, str]:
    """Return the environment variables of a process that knows nothing of the user's own settings."""
    private = ("SNAKEPROV_", "SYNAPSE_", "PYTHON", "PYTEST_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(private)}
    return {**kept, "HOME": str(home), "XDG_CONFIG_HOME": str(home), **variables}


def _first_line(server: subprocess.Popen[str]) -> str:
    assert server.stdout is not None
    alarm = threading.Timer(START_TIMEOUT_S, server.kill)
    alarm.start()
    try:
        return server.stdout.readline()
    finally:
        alarm.cancel()


def _command(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        [*_SNAKEPROV, *arguments],
        cwd=folder,
        env=environment(folder),
        capture_output=True,
        text=True,
        timeout=START_TIMEOUT_S,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
