"""In a store that others use, the project of a working directory is found again, and is nobody else's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from snakeprov import connect
from snakeprov.blobs.local import LocalBlobs
from snakeprov.client import Client
from snakeprov.db import open_database
from snakeprov.disk.projects import identity_of, names_of
from snakeprov.errors import ConfigError
from snakeprov.model.entities import Project
from snakeprov.model.records import RunRecord
from snakeprov.recorder.projects import Projects
from snakeprov.settings import Settings

from ..server.live import Served, Socket


@pytest.fixture(scope="module")
def socket() -> Socket:
    """A socket on which servers answer."""
    return Socket()


@pytest.fixture
def team(socket: Socket, tmp_path: Path) -> Iterator[Served]:
    """A team's server."""
    store, blobs = open_database(tmp_path / "team", create=True), LocalBlobs(tmp_path / "team" / "blobs")
    yield socket.serve(store, blobs)
    blobs.close()
    store.close()


def client_of(team: Served, name: str) -> Client:
    return connect(team.url, token=team.login(name)["SNAKEPROV_TOKEN"])


def folder_of(tmp_path: Path, owner: str) -> Path:
    folder = tmp_path / owner / "analysis"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def named(client: Client, folder: Path, store: str) -> str:
    """The name of a folder's project in a store, as a new process finds it."""
    identity = identity_of(Settings(), folder)
    run = RunRecord(id="a" * 32, project="analysis", project_identity=identity, working_directory=str(folder))
    return Projects(client, folder, store).name_of(run, as_taken=str)


def test_a_user_is_not_refused_because_another_has_the_name(team: Served, tmp_path: Path) -> None:
    """On a server that shows neither project to the other; each finds its own again, also without its note."""
    for _ in range(2):
        with client_of(team, "ada") as ada, client_of(team, "bob") as bob:
            first = named(ada, folder_of(tmp_path, "ada"), team.url)
            second = named(bob, folder_of(tmp_path, "bob"), team.url)
        identity = identity_of(Settings(), folder_of(tmp_path, "bob"))
        assert (first, second) == ("analysis", f"analysis ({str(identity)[:6]})")


def test_a_copy_that_another_user_has_is_that_users_project(team: Served, tmp_path: Path) -> None:
    """The same identity does not give a right to the project that has it; with the right it is one project."""
    folder = folder_of(tmp_path, "ada")
    with client_of(team, "ada") as ada, client_of(team, "bob") as bob:
        assert named(ada, folder, team.url) == "analysis"
        copied = named(bob, folder, team.url)
        assert copied != "analysis"
        project = ada.entities.find_child(None, "analysis")
        acl = ada.session.get(f"/repo/v1/entity/{project}/acl")
        everything = ["READ", "DOWNLOAD", "CREATE", "UPDATE", "DELETE"]
        acl["resourceAccess"].append({"principalId": int(bob.user_id), "accessType": everything})
        ada.session.put(f"/repo/v1/entity/{project}/acl", acl)
        assert named(ada, folder, team.url) == "analysis"
        assert named(bob, folder, team.url) == "analysis"


def test_a_project_that_is_renamed_in_the_store_is_followed(tmp_path: Path) -> None:
    """The folder notes which entity it is, and goes on under the new name."""
    folder, store = folder_of(tmp_path, "ada"), tmp_path / "shared"
    with connect(store, create=True) as client:
        assert named(client, folder, str(store)) == "analysis"
        entity = client.entities.get(str(client.entities.find_child(None, "analysis")))
        entity.name = "renamed"
        client.entities.update(entity)

        assert named(client, folder, str(store)) == "renamed"
        assert named(client, folder_of(tmp_path, "bob"), str(store)) == "analysis"


def test_a_store_that_was_made_anew_gets_the_project_anew(tmp_path: Path) -> None:
    """What the folder noted of another store's entities means nothing."""
    folder, store = folder_of(tmp_path, "ada"), str(tmp_path / "shared")
    with connect(tmp_path / "one", create=True) as client:
        named(client, folder, store)
    with connect(tmp_path / "two", create=True) as client:
        client.entities.create(Project(name="somebody's"))
        assert named(client, folder, store) == "analysis"


def test_a_name_that_was_set_is_not_taken_over(tmp_path: Path) -> None:
    """A project that somebody named is not that of a folder which happens to be called so, except in its own store."""
    folder = folder_of(tmp_path, "ada")
    own = folder / ".snakeprov"
    with connect(tmp_path / "shared", create=True) as client:
        client.entities.create(Project(name="analysis"))
        assert named(client, folder, str(tmp_path / "shared")) != "analysis"
    with connect(own, create=True) as client:
        client.entities.create(Project(name="analysis"))
        assert named(client, folder, str(own)) == "analysis"


def test_without_a_free_name_it_is_said_what_to_do(tmp_path: Path) -> None:
    """Nothing is recorded in a project that is somebody else's."""
    folder, store = folder_of(tmp_path, "ada"), tmp_path / "shared"
    with connect(store, create=True) as client:
        for name in names_of("analysis", str(identity_of(Settings(), folder))):
            client.entities.create(Project(name=name))
        with pytest.raises(ConfigError, match="could have is taken"):
            named(client, folder, str(store))
