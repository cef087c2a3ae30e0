"""The application as a whole: its errors, its users, its place in a WSGI server, and many writers at once."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path
from typing import Any
from wsgiref.validate import validator

import pytest
from falcon import testing

from snakeprov.blobs.local import LocalBlobs
from snakeprov.db import Database, open_database
from snakeprov.errors import FullStoreError
from snakeprov.server import create_app
from snakeprov.server.app import BODY_BYTES_MAX

from .api import MODEL, Api, user_of
from .live import Socket


def test_every_address_that_a_client_tries_answers(api: Api) -> None:
    """Synapse's client looks at the four endpoints bare; the user is told with and without a slash."""
    for path in ("/", "/repo/v1", "/file/v1", "/auth/v1"):
        assert api.get(path) == {}
    assert api.get("/repo/v1/userProfile")["userName"] == "ada"
    for name in ("ada", "eve"):  # whoever only asks is not noted in the store
        api.as_user(name).project(name)
    profile = api.get("/repo/v1/userProfile")

    assert (profile["ownerId"], profile["userName"], profile["emails"]) == ("101", "ada", [])
    assert api.get("/repo/v1/userProfile/") == api.get("/repo/v1/userProfile/101") == profile
    assert api.as_user("eve").get("/repo/v1/userProfile")["ownerId"] == "102"
    assert "could not be found" in api.reason("GET", "/repo/v1/userProfile/999", expect=404)


def test_unknown_resources_and_methods_have_the_error_shape(api: Api) -> None:
    """A path that is nothing is 404, a method that is not there is 405, each with a reason."""
    assert api.reason("GET", "/nothing", expect=404) == "There is no such resource."
    assert "supported: POST" in api.reason("DELETE", "/repo/v1/entity", expect=405)


def test_reasons_do_not_make_synapses_client_retry(api: Api) -> None:
    """Words by which Synapse's client takes an error for a passing one do not get into a reason."""
    project = api.project()
    for name, told in (("Timeout", "Time-out"), ("try again", "try-again"), ("slowdown", "slow-down")):
        ask = {"parentId": project["id"], "entityName": name}
        assert f"'{told}'" in api.reason("POST", "/repo/v1/entity/child", ask, expect=404)


def test_a_body_is_bounded(store: Database, blobs: LocalBlobs) -> None:
    """A body that is announced as too long is refused unread."""
    environ = testing.create_environ("/repo/v1/entity", method="POST", headers={"Content-Length": "9"})
    environ["CONTENT_LENGTH"] = str(BODY_BYTES_MAX + 1)
    statuses: list[str] = []
    app = create_app(store, blobs, identify=user_of)
    body = b"".join(app(environ, lambda status, headers, exc=None: statuses.append(status)))

    assert statuses == ["413 Content Too Large"]
    assert f"at most {BODY_BYTES_MAX} are allowed" in body.decode()


def test_a_store_that_fails_is_told_as_such(store: Database, blobs: LocalBlobs, socket: Socket) -> None:
    """A full disk is 507, which Synapse's client does not repeat; the sentence says what to do."""

    def full(request: Any) -> str:
        raise FullStoreError("The store cannot be written: no space is left.", hint="Free some space.")

    api = Api(socket.mount(create_app(store, blobs, identify=full)), Path())

    assert api.reason("GET", "/snakeprov/v1", expect=507) == (
        "The store cannot be written: no space is left. Free some space."
    )


def test_a_mistake_of_ours_is_a_500_without_its_text(
    store: Database, blobs: LocalBlobs, socket: Socket, caplog: pytest.LogCaptureFixture
) -> None:
    """An unexpected exception is logged, and the client learns only its kind."""

    def broken(request: Any) -> str:
        raise LookupError("secret")

    api = Api(socket.mount(create_app(store, blobs, identify=broken)), Path())

    assert api.reason("GET", "/snakeprov/v1", expect=500) == (
        "The server failed on this request (LookupError); its log says why."
    )
    assert "secret" in caplog.text


def test_the_application_keeps_to_wsgi(store: Database, blobs: LocalBlobs, socket: Socket, tmp_path: Path) -> None:
    """The standard's own checker finds no fault with answers that have JSON, nothing, or bytes in them."""
    checked = validator(create_app(store, blobs, identify=user_of, local_files=True))
    api = Api(socket.mount(checked), tmp_path)
    handle = api.handle(b"hello", keep=True)
    file = api.file_in(api.project(), "a", handle=handle)

    api.delete(f"/repo/v1/entity/{file['id']}/generatedBy")
    sha256 = api.get(f"/file/v1/fileHandle/{handle}")["contentSha256"]
    assert api.ask("GET", f"/snakeprov/v1/blobs/{sha256}").content == b"hello"
    api.get("/nothing", expect=404)


WRITER = """
import sys
from pathlib import Path
from falcon import testing
from snakeprov.blobs.local import LocalBlobs
from snakeprov.server import create_app
from snakeprov.db import open_database
folder, name, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
store = open_database(folder, create=True)
client = testing.TestClient(create_app(store, LocalBlobs(folder), identify=lambda r: "ada", local_files=True))
for number in range(count):
    body = {"concreteType": "org.sagebionetworks.repo.model.Project", "name": f"{name}-{number}"}
    answer = client.simulate_post("/repo/v1/entity", json=body)
    assert answer.status_code == 201, answer.text
"""


@pytest.mark.parametrize("mode", ["wal", "delete"])
def test_many_processes_and_threads_write_at_once(socket: Socket, tmp_path: Path, mode: str) -> None:
    """Writers of several processes and threads wait for one another; nothing is lost and nobody is locked out."""
    folder, count = tmp_path / "store", 30
    script = WRITER.replace("create=True)", f"create=True, journal_mode={mode!r})")
    command = [sys.executable, "-c", script, str(folder)]
    processes = [subprocess.Popen([*command, f"process{number}", str(count)]) for number in range(2)]
    store = open_database(folder, create=True, journal_mode="wal" if mode == "wal" else "delete")
    app = create_app(store, LocalBlobs(folder), identify=user_of, local_files=True)
    api = Api(socket.mount(app), tmp_path)

    def write(name: str) -> None:
        for number in range(count):
            api.project(f"{name}-{number}")

    threads = [threading.Thread(target=write, args=(f"thread{number}",)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [process.wait(timeout=120) for process in processes] == [0, 0]
    assert store.journal_mode == mode
    assert api.get("/repo/v1/userProfile")["ownerId"] == "101"
    last = api.post("/repo/v1/entity", {"concreteType": MODEL + "Project", "name": "last"})
    assert last["id"] == f"syn{4 * count + 1}"
    store.close()
