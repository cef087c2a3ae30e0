"""A store that fails between any two requests, in any way: what waits is delivered later, exactly once."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from snakeprov.apps.connect import connect
from snakeprov.blobs.local import LocalBlobs
from snakeprov.client import Client, session
from snakeprov.db import open_database
from snakeprov.recorder import backlog
from snakeprov.server import create_app

from . import faults
from .outages import WAYS, Repository
from .test_crash import EVERYTHING


@pytest.fixture(scope="module")
def server() -> Iterator[Repository]:
    with Repository() as made:
        yield made
        made.shutdown()


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store in which there is nothing yet."""
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
        store, blobs = open_database(team), LocalBlobs(team / "blobs", journal_mode="wal")
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
