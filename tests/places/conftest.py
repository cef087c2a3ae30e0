"""One pipeline, really run by Snakemake and delivered to a folder, to a team's server and to Synapse.

What each job was waits in the outbox, as after a failed delivery, and is delivered to each of the three from a copy
of it: so all three hold the same records, and every command can query each.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from snakeprov import connect
from snakeprov.blobs.local import LocalBlobs
from snakeprov.db import open_database
from snakeprov.server import create_app

from ..commands import Answer, call
from ..server.live import Served, Socket
from ..synapse.refusals import AsSynapse
from ..workflows import snakemake_runs

PROJECT = "study"

SNAKEFILE = """
import snakeprov; snakeprov.track(workflow)

rule all:
    input: "results/report.txt", "results/parts", "results/sum.txt"

rule upper:
    input: "data/{name}.txt"
    output: "work/{name}.txt"
    log: "logs/{name}.log"
    shell: "tr a-z A-Z < {input} > {output}; echo raised {wildcards.name} > {log}"

rule report:
    input: expand("work/{name}.txt", name=["a", "b"])
    output: "results/report.txt"
    params: scale=config.get("scale", 1)
    script: "scripts/report.py"

rule split:
    input: "work/a.txt"
    output: directory("results/parts")
    shell: "mkdir {output}; cp {input} {output}/one.txt; echo two > {output}/two.txt"

rule large:
    input: "data/large.csv"
    output: "work/large.bin"
    params: scale=config.get("scale", 1)
    shell: "for n in $(seq {params.scale}); do cat {input} {input}; done > {output}"

rule scratch:
    input: "work/large.bin"
    output: temp("work/scratch.txt"), temp(directory("work/tmp"))
    shell: "wc -c < {input} > {output[0]}; mkdir {output[1]}; cp {output[0]} {output[1]}/one.txt"

rule sum:
    input: "work/scratch.txt", "work/tmp", "results/parts"
    output: "results/sum.txt"
    shell: "cat {input[0]} {input[1]}/one.txt {input[2]}/two.txt > {output}"

rule broken:
    input: "work/b.txt"
    output: "results/broken.txt"
    log: "logs/broken.log"
    shell: "echo before it broke > {log}; exit 3"
"""

SCRIPT = """
from pathlib import Path
text = "".join(Path(one).read_text() for one in snakemake.input)
Path(snakemake.output[0]).write_text(text * int(snakemake.params.scale))
"""


KEPT_BYTES_MAX = 30_000
LARGE = b"1,2\n" * 10_000
"""More bytes than are kept."""

WITHOUT_BYTES = " without bytes"
"""Behind the name of a place: another store of its kind, to which no bytes are sent."""


@dataclass
class Pipeline:
    """The working directory of a pipeline that ran twice, and where its records are.

    Attributes:
        folder: The working directory.
        team: The team's server.
        places: Environment variables with which a command asks one of the places, as somebody.
        commit: The commit of the workflow.
    """

    folder: Path
    team: Served
    places: dict[str, dict[str, str]] = field(default_factory=dict)
    commit: str = ""


Ask = Callable[..., Answer]


@pytest.fixture(scope="session")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    """Run it; then with another parameter and a changed script, while one job fails."""
    base = tmp_path_factory.mktemp("places")
    folder = base / PROJECT
    socket = Socket()
    team = socket.open(base / "team")
    made = Pipeline(folder, team)
    connect(base / "unkept", create=True).close()
    unkept = {
        "embedded": {"SNAKEPROV_STORE": str(base / "unkept")},
        "ada": socket.open(base / "unkept team").login("ada"),
        "synapse": _synapse(socket, base / "unkept synapse"),
    }
    made.places = {
        "embedded": {"SNAKEPROV_STORE": str(folder / ".snakeprov")},
        "synapse": _synapse(socket, base / "synapse"),
        **{f"{name}{WITHOUT_BYTES}": {**one, "SNAKEPROV_UPLOAD": "false"} for name, one in unkept.items()},
        **{name: team.login(name) for name in ("ada", "member", "reader", "stranger")},
        "viewer": team.login("reader", scopes=["view"]),
    }
    _write(folder)
    made.commit = _git(folder, "rev-parse", "HEAD")
    _record(made)
    script = folder / "scripts" / "report.py"
    script.write_text(SCRIPT + "# changed\n")
    _record(
        made, "--config", "scale=2", "--rerun-triggers", "params", "--keep-going", "--", "all", "results/broken.txt"
    )
    _share(made)
    return made


@pytest.fixture
def ask(pipeline: Pipeline, tmp_path: Path) -> Ask:
    """Give `ask(place, *arguments, folder=…)`: run a command that asks one of the places, in this process."""

    def ask_place(place: str, *arguments: str, folder: Path | None = None) -> Answer:
        variables = {"XDG_CONFIG_HOME": str(tmp_path / "no-config"), **pipeline.places[place]}
        answer = call(*arguments, folder=folder or pipeline.folder, variables=variables)
        assert "Traceback" not in answer.err and "unexpected" not in answer.err, answer.err
        return answer

    return ask_place


@pytest.fixture
def copy(pipeline: Pipeline, tmp_path: Path) -> Path:
    """A copy of the working directory without any records, to write into."""
    folder = tmp_path / PROJECT
    ignored = shutil.ignore_patterns(".snakeprov", ".snakemake")
    shutil.copytree(pipeline.folder, folder, ignore=ignored, symlinks=True)
    return folder


def _synapse(socket: Socket, folder: Path) -> dict[str, str]:
    """Return the variables with which Ada asks a server that does as Synapse does."""
    token = "the-token-of-ada"  # noqa: S105  of a server that lives for these tests
    store, blobs = open_database(folder, create=True), LocalBlobs(folder / "blobs")
    synapse = socket.mount(AsSynapse(create_app(store, blobs, session=("ada", token))))
    (folder / "home").mkdir()
    (folder / "home" / ".synapseConfig").write_text(
        f"[default]\nauthtoken = {token}\n[endpoints]\n"
        f"repoEndpoint = {synapse}/repo/v1\nfileHandleEndpoint = {synapse}/file/v1\n"
    )
    return {"SNAKEPROV_STORE": "synapse", "HOME": str(folder / "home")}


def _write(folder: Path) -> None:
    files = {
        "Snakefile": SNAKEFILE,
        "scripts/report.py": SCRIPT,
        "data/a.txt": "alpha\n",
        "data/b.txt": "beta\n",
        "data/large.csv": LARGE.decode(),
        "snakeprov.toml": f'project = "{PROJECT}"\nkeep_bytes_max = {KEPT_BYTES_MAX}\n',
        ".gitignore": ".snakemake\n.snakeprov\nresults\nwork\n",
    }
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    _git(folder, "init", "--quiet")
    _git(folder, "add", "--all")
    _git(folder, "commit", "--quiet", "--message", "the study")


def _git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "init.defaultBranch=main"]
    variables = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull}
    done = subprocess.run(
        ["git", *identity, *arguments], cwd=folder, env=variables, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def _record(made: Pipeline, *arguments: str) -> None:
    """Run the pipeline while nobody takes its records, and deliver them to each place."""
    nobody = {"SNAKEPROV_STORE": made.team.url, "SNAKEPROV_TOKEN": "not-valid"}
    done = snakemake_runs.run(made.folder, "--scheduler", "greedy", *arguments, recorder="real", variables=nobody)
    assert "could not be delivered" in done.stderr, done.stderr
    outbox, waiting = made.folder / ".snakeprov" / "outbox", made.folder.parent / "outbox"
    shutil.rmtree(waiting, ignore_errors=True)
    outbox.rename(waiting)
    for place in (one for name in ("embedded", "ada", "synapse") for one in (name, f"{name}{WITHOUT_BYTES}")):
        shutil.copytree(waiting, outbox, dirs_exist_ok=True)
        variables = made.places[place]
        # They were captured for the team's server; whoever names a store has them delivered there.
        arguments = ("push", "--store", variables["SNAKEPROV_STORE"])
        assert call(*arguments, folder=made.folder, variables=variables).status == 0


def _share(made: Pipeline) -> None:
    """Let the member have everything of the project, and the reader see it and not have its bytes."""
    with connect(made.team.url, token=made.places["ada"]["SNAKEPROV_TOKEN"]) as owner:
        path = f"/repo/v1/entity/{owner.entities.find_child(None, PROJECT)}/acl"
        acl = owner.session.get(path)
        for name, granted in {"member": ["READ", "DOWNLOAD"], "reader": ["READ"]}.items():
            with connect(made.team.url, token=made.places[name]["SNAKEPROV_TOKEN"]) as other:
                acl["resourceAccess"].append({"principalId": int(other.user_id), "accessType": granted})
        owner.session.put(path, acl)
