"""A team's server: a workflow delivers to it over a socket with a token, and others see what they may."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from snakeprov.apps.connect import connect
from snakeprov.errors import ForbiddenError
from tests.endtoend.conftest import Work, serving

SNAKEFILE = """
import snakeprov; snakeprov.track(workflow)

rule final:
    input: "results/sorted.txt"
    output: "results/final.txt"
    shell: "head -n 1 {input} > {output}"

rule sort:
    input: "data/raw.txt"
    output: "results/sorted.txt"
    shell: "sort {input} > {output}"
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """The URL of a server whose store is in `team/`."""
    with serving(tmp_path / "team") as variables:
        yield variables["SNAKEPROV_STORE"]


@pytest.fixture
def work(make_work: Callable[..., Work]) -> Work:
    made = make_work(SNAKEFILE)
    made.write("data/raw.txt", "b\na\n")
    return made


def token_of(work: Work, name: str) -> str:
    """Add a user to the server's store and return a token."""
    team = str(work.folder.parent / "team")
    work.say("user", "add", name, "--store", team)
    return work.say("token", "create", name, "--store", team).strip()


def test_a_workflow_delivers_to_a_server(work: Work, server: str) -> None:
    """What ran is told by the server, bytes included; a colleague sees it once the project is shared."""
    ada, eve = token_of(work, "ada"), token_of(work, "eve")
    said = work.snakemake(SNAKEPROV_STORE=server, SNAKEPROV_TOKEN=ada)
    assert "recorded 2 jobs: 2 new versions" in said
    assert ada not in said

    work.store = {"SNAKEPROV_STORE": server, "SNAKEPROV_TOKEN": ada}
    (version,) = work.ask("log", "results/final.txt")["versions"]
    assert (version["createdBy"], version["rule"], version["bytesKept"]) == ("ada", "final", True)
    assert "data/raw.txt" in work.say("lineage", "results/final.txt")
    work.store["SNAKEPROV_TOKEN"] = eve
    assert work.ask("runs") == []

    with connect(server, token=ada) as owner, connect(server, token=eve) as other:
        project = str(owner.entities.find_child(None, work.folder.name))
        with pytest.raises(ForbiddenError, match="READ permission"):
            other.entities.get(project)
        acl = owner.session.get(f"/repo/v1/entity/{project}/acl")
        own_id = int(other.session.get("/repo/v1/userProfile")["ownerId"])
        shared = [*acl["resourceAccess"], {"principalId": own_id, "accessType": ["READ"]}]
        owner.session.put(f"/repo/v1/entity/{project}/acl", {**acl, "resourceAccess": shared})
    assert len(work.ask("runs")) == 1
    assert "data/raw.txt" in work.say("lineage", "results/final.txt")


def test_a_wrong_token_loses_nothing(work: Work, server: str) -> None:
    """With a token that is not valid the workflow runs and its records wait; with a valid one they are delivered."""
    ada = token_of(work, "ada")
    said = work.snakemake(SNAKEPROV_STORE=server, SNAKEPROV_TOKEN="spt_wrong")  # noqa: S106
    assert (work.folder / "results" / "final.txt").read_text() == "a\n"
    assert "snakeprov push" in said

    work.store = {"SNAKEPROV_STORE": server, "SNAKEPROV_TOKEN": ada}
    assert work.ask("push")["delivered"] == 2
    assert len(work.ask("log", "results/final.txt")["versions"]) == 1


def test_code_in_another_repository_is_found_by_its_place(work: Work, server: str, tmp_path: Path) -> None:
    """On a server as in a folder: by where the clone lies now; after it was moved it has one history."""
    work.store = {"SNAKEPROV_STORE": server, "SNAKEPROV_TOKEN": token_of(work, "ada")}
    folder, work.folder = work.folder, tmp_path / "pipeline"
    work.write("Snakefile", SNAKEFILE)
    commit = work.commit()
    work.folder = folder
    snakefile = f"git:/{commit[:12]}.git/Snakefile"
    work.snakemake("results/final.txt", "-s", "../pipeline/Snakefile")
    (tmp_path / "pipeline").rename(tmp_path / "elsewhere")
    work.snakemake("results/final.txt", "-s", "../elsewhere/Snakefile", "--forceall")

    log = work.ask("log", "../elsewhere/Snakefile")
    assert (log["entity"]["path"], [one["versionNumber"] for one in log["versions"]]) == (snakefile, [1])
    affected = work.ask("affected", "../elsewhere/Snakefile")["versions"]
    assert {one["path"] for one in affected} == {"results/sorted.txt", "results/final.txt"}
    assert {one["path"]: one["state"] for one in work.ask("verify")["files"]}[snakefile] == "ok"
