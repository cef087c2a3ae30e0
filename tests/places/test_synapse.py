"""Every command that asks, with Synapse as the store: what its services can answer, and a sentence for the rest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from snakeprov import connect
from snakeprov.client import Client
from snakeprov.client.files import Files
from snakeprov.model.entities import File

from .conftest import PROJECT, Ask, Pipeline

REPORT = "results/report.txt"

NO_RUNS = "Synapse keeps no runs: it can be asked about one file at a time."
UPSTREAM_ONLY = "Synapse cannot tell what came from a file: it only knows what a file came from."

REFUSED = [
    (["log"], NO_RUNS),
    (["runs"], NO_RUNS),
    (["run", "last"], NO_RUNS),
    (["diff", "run:aaaa", "run:bbbb"], NO_RUNS),
    (["methods", "run:last"], NO_RUNS),
    (["export", "run:last", "-o", "out"], NO_RUNS),
    (["checkout", "run:last", "--to", "out"], NO_RUNS),
    (["affected", "--run", "last"], NO_RUNS),
    (["affected", "data/a.txt"], UPSTREAM_ONLY),
    (["affected", "--rule", "upper"], UPSTREAM_ONLY),
    (["lineage", "data/a.txt", "--downstream"], UPSTREAM_ONLY),
    (["find", "rule=report"], "Synapse cannot be searched for how files were made."),
    (["find", "param.scale=2"], "Synapse cannot be searched for how files were made."),
    (["show", "sha256:12345678"], "Synapse finds contents by their whole md5 only, not by sha256:12345678."),
    (["verify"], "Synapse cannot be asked for everything that a project has recorded."),
    (["verify", "results"], "Synapse cannot be asked for everything that a project has recorded."),
    (["prune", "--rule", "report"], "Synapse keeps the bytes of all versions; they cannot be pruned from here."),
]


@pytest.mark.parametrize(("arguments", "sentence"), REFUSED, ids=lambda one: " ".join(one)[:40])
@pytest.mark.parametrize("as_json", [False, True])
def test_what_synapse_cannot_be_asked_is_said(
    ask: Ask, copy: Path, arguments: list[str], sentence: str, as_json: bool
) -> None:
    """In one sentence on stderr, with the status of a command that makes no sense, and nothing is written."""
    answer = ask("synapse", *arguments, *(["--json"] if as_json else []), folder=copy)

    assert (answer.status, answer.out) == (2, "")
    assert answer.err.startswith(f"snakeprov: error: {sentence}\n")
    assert len(answer.err.splitlines()) <= 2
    assert not (copy / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "keys"),
    [
        (["log", REPORT], ("versionNumber", "rule", "runId", "commit", "dirty", "sha256", "md5", "sizeBytes")),
        (["log", "data/a.txt"], ("versionNumber", "rule", "runId", "sha256", "md5", "sizeBytes")),
        (
            ["find", "--file", REPORT],
            ("path", "versionNumber", "isLatest", "rule", "runId", "jobId", "commit", "sha256"),
        ),
        (
            ["find", "--file", "data/a.txt"],
            ("path", "versionNumber", "isLatest", "rule", "runId", "sha256", "sizeBytes"),
        ),
        (["verify", REPORT, "work/a.txt"], ("path", "state", "versionNumber", "sha256", "md5", "bytesKept")),
    ],
    ids=lambda one: " ".join(one)[:30],
)
def test_what_is_told_of_versions_is_what_a_folder_tells(ask: Ask, arguments: list[str], keys: tuple[str, ...]) -> None:
    """By walking through what was noted when they were delivered."""
    command, *rest = arguments
    own, told = (ask(place, command, "--json", *rest).json for place in ("embedded", "synapse"))

    (listed,) = {"versions", "results", "files"} & set(told) - ({"files"} if "results" in told else set())
    picked = [[{key: one[key] for key in keys} for one in answer[listed]] for answer in (told, own)]
    assert picked[0] == picked[1] != []


def test_what_is_told_of_a_job_is_what_a_folder_tells(ask: Ask) -> None:
    """Rule, params, and the versions that were used and executed; the screen names run and commit too."""
    own, told = (ask(place, "show", REPORT, "--json").json for place in ("embedded", "synapse"))

    assert (told["job"]["rule"], told["job"]["id"]) == (own["job"]["rule"], own["job"]["id"])
    assert told["job"]["params"] == {"scale": "2"}
    assert told["version"]["bytesKept"] is True

    def used(answer: Any) -> list[str]:
        return sorted(f"{one['path']}@{one['versionNumber']}" for one in answer["job"]["inputs"])

    assert used(told) == used(own)
    screen = ask("synapse", "show", REPORT).out
    assert f"run        {told['version']['runId'][:8]}\n" in screen
    assert f"commit     {told['version']['commit'][:7]}+dirty\n" in screen


def test_causes_are_found_by_walking(ask: Ask) -> None:
    """`why` and `diff` say which param and which script changed, and how; texts and contents are fetched."""
    for arguments in (["why", REPORT], ["diff", f"{REPORT}@1", REPORT, "--content"]):
        own, told = (ask(place, *arguments) for place in ("embedded", "synapse"))
        assert "params.scale changed 1 -> 2 and code scripts/report.py changed (@1 -> @2)." in told.out
        assert "+# changed" in told.out and "+# changed" in own.out
    assert "+ALPHA" in told.out


@pytest.mark.parametrize("form", ["text", "dot", "mermaid"])
def test_a_lineage_is_walked_to_its_beginning(ask: Ask, form: str) -> None:
    """The same files and activities as from a folder."""
    own, told = (ask(place, "lineage", REPORT, "--format", form) for place in ("embedded", "synapse"))

    assert (told.status, told.err) == (0, "")
    assert sorted(told.out.split()) == sorted(own.out.split())


@pytest.mark.parametrize("form", ["svg", "html"])
def test_a_lineage_is_drawn(ask: Ask, form: str) -> None:
    """With every file of it."""
    told = ask("synapse", "lineage", REPORT, "--format", form)

    assert (told.status, told.err) == (0, "")
    assert all(name in told.out for name in ("report.txt", "work/a.txt", "data/b.txt", "Snakefile"))


def test_methods_and_exports_have_what_is_known(ask: Ask, copy: Path) -> None:
    """A paragraph of the steps; a crate with the bytes, whose digests are true."""
    assert "in 2 steps" in ask("synapse", "methods", REPORT).out

    told = ask("synapse", "export", REPORT, "-o", "crate", "--json", folder=copy)
    assert (told.status, told.json["missing"]) == (0, [])
    assert (copy / "crate" / REPORT).read_bytes() == (copy / REPORT).read_bytes()


def test_what_is_not_recorded_is_said_with_the_project(ask: Ask) -> None:
    """The hint does not name a command that Synapse cannot answer."""
    answer = ask("synapse", "show", "other/file.bed")

    assert (answer.status, answer.out) == (3, "")
    assert answer.err == (
        "snakeprov: error: other/file.bed is not recorded in Synapse.\n"
        f"It was looked for in the project {PROJECT} (--project), as far as that is shared with you.\n"
    )
    for wanted in ("--patch", "--environment"):
        assert "of results/report.txt@2 is not recorded." in ask("synapse", "show", REPORT, wanted).err
    assert "It has versions 1 and 2." in ask("synapse", "show", f"{REPORT}@7").err


def test_status_says_whether_synapse_answers(ask: Ask, pipeline: Pipeline, tmp_path: Path) -> None:
    """And to whom; with a token that is not valid the status is that of the refusal."""
    answer = ask("synapse", "status")
    assert answer.status == 0 and "answers    to ada; what it holds is not counted\n" in answer.out

    config = (Path(pipeline.places["synapse"]["HOME"]) / ".synapseConfig").read_text()
    (tmp_path / ".synapseConfig").write_text(config.replace("the-token-of-ada", "wrong"))
    pipeline.places["nobody"] = {"SNAKEPROV_STORE": "synapse", "HOME": str(tmp_path)}
    refused = ask("nobody", "status")
    assert refused.status == 43 and "401" in refused.err and "waiting    nothing" in refused.out


def test_a_version_is_restored_by_its_services(ask: Ask, copy: Path) -> None:
    """The bytes come by REST; what is there is replaced because it can be restored too, and then given back."""
    second = (copy / REPORT).read_bytes()
    told = ask("synapse", "restore", f"{REPORT}@1", "--json", folder=copy)

    assert (told.status, told.err) == (0, "")
    assert told.json["replaced"] == [f"{REPORT}@2"] and not told.json["lost"]
    first = (copy / REPORT).read_bytes()
    assert second == first * 2
    assert ask("synapse", "verify", f"{REPORT}@1", folder=copy).status == 0
    changed = ask("synapse", "verify", REPORT, folder=copy)
    assert changed.status == 4 and f"the content of {REPORT}@1; can be restored" in changed.out
    assert ask("synapse", "restore", REPORT, folder=copy).status == 0
    assert (copy / REPORT).read_bytes() == second


def test_what_is_recorded_nowhere_is_not_replaced(ask: Ask, copy: Path) -> None:
    """Neither is anything written where bytes are not those of the digest."""
    (copy / REPORT).write_text("mine\n")
    refused = ask("synapse", "restore", REPORT, folder=copy)

    assert refused.status == 2 and "has a content that is not recorded; it would be lost." in refused.err
    assert (copy / REPORT).read_text() == "mine\n"
    changed = ask("synapse", "verify", REPORT, folder=copy)
    assert changed.status == 4 and "changed since report wrote it; can be restored" in changed.out


def test_a_directory_says_how_it_is_made_again(ask: Ask, pipeline: Pipeline, copy: Path) -> None:
    """Synapse keeps its list and not its files: nothing is asked in vain, and the recipe names the commit."""
    told = ask("synapse", "restore", "results/parts", "-o", "out", "--json", folder=copy)

    assert told.status == 5 and not (copy / "out").exists()
    assert told.json["remake"]["commit"] == pipeline.commit
    assert [one["bytesKept"] for one in told.json["remake"]["files"]] == [True, True]
    assert ask("synapse", "verify", "results/parts", folder=copy).status == 0
    (copy / "results" / "parts" / "two.txt").write_text("2\n")
    changed = ask("synapse", "verify", "results/parts", folder=copy)
    assert changed.status == 4 and "two.txt" in changed.out


@contextmanager
def opened(pipeline: Pipeline) -> Iterator[Client]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", pipeline.places["synapse"]["HOME"])
        with connect("synapse") as client:
            yield client


@pytest.fixture
def foreign(pipeline: Pipeline, tmp_path: Path) -> Callable[[str, bytes], None]:
    """Give `foreign(name, content)`: a file that another client stored, without a word of its sha256."""

    def store(name: str, content: bytes) -> None:
        with opened(pipeline) as client:
            project = client.entities.find_child(None, PROJECT)
            handle_id = client.files.upload(content, file_name=name)
            client.entities.create(File(name=name, parent_id=project, data_file_handle_id=handle_id))

    return store


def test_a_file_of_another_client_is_checked_by_its_md5(
    ask: Ask, copy: Path, foreign: Callable[[str, bytes], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is restored and verified though no sha256 of it is known; bytes that are others are refused."""
    content = b"from somewhere else\n"
    foreign("foreign.txt", content)
    told = ask("synapse", "restore", "foreign.txt", "--json", folder=copy)

    assert (told.status, told.json["sha256"]) == (0, None)
    assert told.json["md5"] == hashlib.md5(content, usedforsecurity=False).hexdigest()
    assert (copy / "foreign.txt").read_bytes() == content
    assert ask("synapse", "verify", "foreign.txt", folder=copy).status == 0
    assert "raw input" in ask("synapse", "find", "--file", "foreign.txt", folder=copy).out
    (copy / "foreign.txt").write_bytes(b"changed\n")
    assert ask("synapse", "verify", "foreign.txt", folder=copy).status == 4

    monkeypatch.setattr(Files, "chunks", lambda self, url: iter([b"damaged"]))
    refused = ask("synapse", "restore", "foreign.txt", "-o", "out.txt", folder=copy)
    assert refused.status == 40 and "What the store gave is not what was recorded" in refused.err
    assert not (copy / "out.txt").exists()


def test_json_is_whole(ask: Ask) -> None:
    """The keys of an answer are those of any store."""
    for arguments in (["log", REPORT], ["show", REPORT], ["why", REPORT], ["lineage", REPORT], ["status"]):
        command, *rest = arguments
        own, told = (json.loads(ask(place, command, "--json", *rest).out) for place in ("embedded", "synapse"))
        assert set(told) == set(own)
