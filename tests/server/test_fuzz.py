"""No request that its own description allows, or nearly allows, makes the server fail or answer what is not in it.

The requests go over a socket to a server that asks for tokens. They are the same in every run, and a store with a
little of everything is behind the server, so that they do not all end at something that does not exist.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error, response_schema_conformance, status_code_conformance

from snakeprov.blobs.local import LocalBlobs
from snakeprov.db import Database, open_database
from snakeprov.server import create_app, openapi
from snakeprov.server.routes import all_services

from ..synapse.refusals import OWN_PREFIX, AsSynapse
from .api import RUN, Api, user_of
from .filling import JOB, fill
from .live import Socket

EXAMPLES = 6
"""How many requests are made for each operation in each mode: as described, and against the description."""

EXAMPLES_AS_SYNAPSE = 2

TOKEN = "spt_of_the_fuzz"  # noqa: S105 - it opens nothing but the server of these tests

SCHEMA = schemathesis.openapi.from_dict(openapi.document(all_services()))
OPERATIONS = [result.ok() for result in SCHEMA.get_all_operations()]
KNOWN_IDS = {
    "/entity/{id}": ("syn1", "2", "syn3", "syn0", "syn4"),
    "/activity/{id}": ("1", "2"),
    "/runs/{id}": (RUN, RUN[:6]),
    "/jobs/{id}": (JOB,),
    "/file/multipart/{id}": ("1",),
    "/fileHandle/{id}": ("1", "2"),
    "/userProfile/{id}": ("101",),
}


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory, socket: Socket) -> Path:
    """The folder of a store with entities of each kind, activities, a run, a job, an upload and some trash."""
    folder = tmp_path_factory.mktemp("filled")
    store = open_database(folder / "store", create=True)
    app = create_app(store, LocalBlobs(folder / "store" / "blobs"), identify=user_of, local_files=True)
    fill(Api(socket.mount(app), folder))
    store.close()
    return folder / "store"


@pytest.fixture
def copy(filled: Path, tmp_path: Path) -> Iterator[tuple[Database, LocalBlobs]]:
    """A copy of that store of the test's own."""
    folder = tmp_path / "store"
    shutil.copytree(filled, folder)
    store = open_database(folder)
    yield store, LocalBlobs(folder / "blobs")
    store.close()


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.label)
def test_no_request_makes_the_server_fail(copy: tuple[Database, LocalBlobs], socket: Socket, operation: Any) -> None:
    """No answer is 5xx, and every answer is one that the description has, with a body of the shape that it says."""
    url = socket.mount(create_app(*copy, session=("ada", TOKEN), local_files=True))
    for mode in modes(operation):
        send_some(operation, mode, url=url, examples=EXAMPLES)


def test_no_request_fails_behind_the_refusals_of_synapse(copy: tuple[Database, LocalBlobs], socket: Socket) -> None:
    """Neither does a server fail that is wrapped in what Synapse refuses, whatever body it is sent."""
    url = socket.mount(AsSynapse(create_app(*copy, session=("ada", TOKEN))))
    for operation in OPERATIONS:
        if operation.body and not operation.path.startswith(OWN_PREFIX):
            for mode in modes(operation):
                send_some(operation, mode, url=url, examples=EXAMPLES_AS_SYNAPSE)


def modes(operation: Any) -> list[GenerationMode]:
    """Return how requests can be made; where nothing is asked for, nothing can be against the description."""
    against = operation.body or operation.query or operation.path_parameters
    return [mode for mode in GenerationMode if mode.is_positive or against]


def send_some(operation: Any, mode: GenerationMode, *, url: str, examples: int) -> None:
    dice = random.Random(operation.label)  # noqa: S311 - it is to be the same in every run
    known = next((ids for part, ids in KNOWN_IDS.items() if part in operation.path), None)
    checks = [not_a_server_error, status_code_conformance, response_schema_conformance]
    session = requests.Session()
    session.trust_env = False
    session.headers["Authorization"] = f"Bearer {TOKEN}"

    @settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def send(case: Any) -> None:
        # A random id is that of nothing: most of the requests go to what is there.
        if known is not None and dice.random() < 0.75:
            case.path_parameters["id"] = dice.choice(known)
        case.validate_response(case.call(base_url=url, session=session), checks=checks)

    send()
