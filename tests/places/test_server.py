"""Every command that asks, on a team's server: with access it answers as on a folder with the same records."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from .conftest import Ask, Pipeline

REPORT = "results/report.txt"

QUESTIONS = (
    ["log"],
    ["log", REPORT],
    ["log", "data/a.txt"],
    ["ls"],
    ["ls", "results"],
    ["show", REPORT],
    ["show", f"{REPORT}@1"],
    ["show", "results/parts"],
    ["show", REPORT, "--patch"],
    ["show", REPORT, "--environment"],
    ["why", REPORT],
    ["diff", f"{REPORT}@1", REPORT, "--content"],
    ["diff", REPORT],
    ["lineage", REPORT],
    ["lineage", "data/a.txt", "--downstream"],
    ["methods", REPORT],
    ["methods", "run:last"],
    ["affected", "data/a.txt"],
    ["affected", "--rule", "upper"],
    ["affected", "--run", "last"],
    ["find", "rule=report"],
    ["find", "param.scale=2"],
    ["find", "--file", "data/a.txt"],
    ["runs"],
    ["run", "last"],
    ["verify", REPORT, "results/parts"],
    ["verify", "results"],
    ["verify"],
    ["prune", "--rule", "report"],
)

WRITES = (["restore", f"{REPORT}@1", "-o"], ["restore", "results/parts", "-o"], ["checkout", "run:last", "--to"])

FAILURES = (
    ["log", "results/reprot.txt"],
    ["show", f"{REPORT}@7"],
    ["show", "syn9999"],
    ["run", "zzzz"],
    ["find", "colour=blue"],
    ["prune", "--rule", "report", "--project", "none"],
)

VOLATILE = {
    "etag",
    "modifiedOn",
    "modifiedBy",
    "createdOn",
    "recordedOn",
    "createdBy",
    "store",
    "to",
    "folder",
    "fileHandleId",
}
"""What differs between two places that hold the same: who delivered it where and when."""

MOMENT = re.compile(r"20\d\d-\d\d-\d\dT?[^\"<,}]{8,16}(?:Z|\+00:00)")


def named(arguments: list[str]) -> str:
    return " ".join(arguments)


def lasting(value: Any) -> Any:
    """Return an answer without what differs between two places that hold the same."""
    if isinstance(value, dict):
        return {key: lasting(one) for key, one in value.items() if key not in VOLATILE}
    return [lasting(one) for one in value] if isinstance(value, list) else value


@pytest.mark.parametrize("arguments", QUESTIONS, ids=named)
def test_a_question_has_the_same_answer_as_in_a_folder(ask: Ask, arguments: list[str]) -> None:
    """As JSON, for the user who delivered the records and for a reader who may download; a reader may not prune."""
    command, *rest = arguments
    own, served, other = (ask(place, command, "--json", *rest) for place in ("embedded", "ada", "member"))

    assert (served.status, served.err) == (own.status, own.err) == (0, "")
    assert lasting(served.json) == lasting(own.json)
    if command == "prune":
        assert (other.status, other.out) == (44, "")
    else:
        assert (other.status, other.err) == (0, "")
        assert lasting(other.json) == lasting(own.json)


@pytest.mark.parametrize("arguments", QUESTIONS, ids=named)
def test_a_reader_is_told_the_same(ask: Ask, arguments: list[str]) -> None:
    """Who may see the project, and not have its bytes, has the same answers where no bytes are needed for them."""
    command, *rest = arguments
    told = ask("reader", command, "--json", *rest)

    if command == "prune" or "--patch" in rest or "--environment" in rest:
        assert (told.status, told.out) == (44, "")
        assert "You lack the DELETE permission" in told.err or "You do not have permission to see" in told.err
        return
    assert (told.status, told.err) == (0, "")
    if command not in ("why", "diff"):
        assert lasting(told.json) == lasting(ask("ada", command, "--json", *rest).json)


@pytest.mark.parametrize("form", ["text", "dot", "mermaid", "svg", "html"])
@pytest.mark.parametrize("place", ["ada", "reader", "viewer"])
def test_a_lineage_is_drawn_alike(ask: Ask, place: str, form: str) -> None:
    """In every form."""
    own, served = (ask(one, "lineage", REPORT, "--format", form) for one in ("embedded", place))

    assert (served.status, served.err) == (0, "")
    assert MOMENT.sub("", served.out) == MOMENT.sub("", own.out)


@pytest.mark.parametrize("arguments", WRITES, ids=named)
def test_what_is_written_is_the_same_as_from_a_folder(ask: Ask, copy: Path, arguments: list[str]) -> None:
    """Bytes and names."""
    written = []
    for place in ("embedded", "ada", "member"):
        answer = ask(place, *arguments, place, folder=copy)
        assert (answer.status, answer.err) == (0, "")
        root = copy / place
        files = [root] if root.is_file() else [path for path in root.rglob("*") if path.is_file()]
        notes = ("checkout.json", "CHECKOUT.md")
        written.append({str(one.relative_to(root)): one.read_bytes() for one in files if one.name not in notes})
    assert written[0] == written[1] == written[2] != {}


@pytest.mark.parametrize("form", ["ro-crate", "prov-json", "prov-n", "turtle"])
def test_an_export_has_the_same_files(ask: Ask, copy: Path, form: str) -> None:
    """From the server and from a folder; what is said of it has the same length, line by line."""
    if form != "ro-crate":
        pytest.importorskip("prov")
    told = [ask(place, "export", REPORT, "--format", form, "-o", place, folder=copy) for place in ("embedded", "ada")]

    assert [(one.status, one.err) for one in told] == [(0, ""), (0, "")]
    if form == "ro-crate":
        listed = [
            sorted(str(one.relative_to(copy / place)) for one in (copy / place).rglob("*"))
            for place in ("embedded", "ada")
        ]
    else:
        listed = [[str(len((copy / place).read_text().splitlines()))] for place in ("embedded", "ada")]
    assert listed[0] == listed[1]


@pytest.mark.parametrize("arguments", FAILURES, ids=named)
def test_what_is_not_there_is_said_alike(ask: Ask, pipeline: Pipeline, arguments: list[str]) -> None:
    """With the same status, and near matches."""
    own, served = (ask(place, *arguments) for place in ("embedded", "ada"))

    assert served.status == own.status != 0
    store = str(pipeline.folder / ".snakeprov")
    assert served.err.replace(pipeline.team.url, "STORE") == own.err.replace(store, "STORE")


def test_the_server_tells_its_counts(ask: Ask) -> None:
    """`status` on a server counts what is in the folder too."""
    own, served = (ask(place, "status", "--json").json for place in ("embedded", "ada"))

    counted = ("entities", "versions", "activities", "pending", "failedDeliveries")
    assert {key: served[key] for key in counted} == {key: own[key] for key in counted}


def secrets(ask: Ask, pipeline: Pipeline) -> list[str]:
    """Return what somebody without access could not know."""
    version = ask("ada", "log", REPORT, "--json").json["versions"][-1]
    runs = [one["id"][:8] for one in ask("ada", "runs", "--json").json]
    return [*runs, version["sha256"][:8], version["md5"][:8], pipeline.commit[:7], "upper", "split"]


@pytest.mark.parametrize("arguments", QUESTIONS, ids=named)
def test_a_stranger_learns_nothing(ask: Ask, pipeline: Pipeline, copy: Path, arguments: list[str]) -> None:
    """Without access the answer is that nothing is there, or that it is not shared; never what it is."""
    (copy / REPORT).write_text("something else\n")
    answer = ask("stranger", *arguments, folder=copy)

    told = answer.out + answer.err
    asked = {one for one in secrets(ask, pipeline) if one in named(arguments)}
    assert not [one for one in secrets(ask, pipeline) if one in told and one not in asked], told
    assert answer.status in (0, 2, 3, 4, 44)
    if answer.status == 0:
        assert "No " in told or "Nothing" in told
    if answer.status == 44:
        assert "You lack the" in answer.err


@pytest.mark.parametrize("arguments", [[*one, "out"] for one in WRITES] + [["export", REPORT, "-o", "out"]], ids=named)
def test_a_stranger_is_given_nothing(ask: Ask, copy: Path, arguments: list[str]) -> None:
    """No file is written."""
    assert ask("stranger", *arguments, folder=copy).status == 3
    assert not (copy / "out").exists()


@pytest.mark.parametrize(
    ("place", "why"),
    [("reader", "You lack the DOWNLOAD permission on syn"), ("viewer", "The access token lacks the scope 'download'")],
)
@pytest.mark.parametrize("path", [f"{REPORT}@1", "results/parts"])
def test_restore_says_that_one_may_not_have_the_bytes(ask: Ask, copy: Path, place: str, why: str, path: str) -> None:
    """In a sentence that names the version and what is lacking; nothing is written."""
    answer = ask(place, "restore", path, "-o", "out", folder=copy)

    assert (answer.status, answer.out) == (44, "")
    assert "cannot be restored: you do not have permission to download it." in answer.err and why in answer.err
    assert not (copy / "out").exists()


def test_checkout_lists_what_one_may_not_have(ask: Ask, copy: Path) -> None:
    """The code is taken from git; each file of the run is told to be missing, and why."""
    told = ask("reader", "checkout", "run:last", "--to", "out", "--json", folder=copy)

    assert (told.status, told.err) == (0, "")
    assert told.json["files"] == [] and len(told.json["missing"]) == 11
    assert {one["reason"].partition(" syn")[0] for one in told.json["missing"]} == {
        "You do not have permission to download it. You lack the DOWNLOAD permission on"
    }
    assert (copy / "out" / "Snakefile").is_file() and not (copy / "out" / "results").exists()


def test_an_export_without_the_bytes_says_so(ask: Ask, copy: Path) -> None:
    """Files and directories that are neither on disk nor downloadable are named; the rest is exported."""
    (copy / REPORT).unlink()
    told = ask("reader", "export", "run:last", "-o", "crate", "--json", folder=copy)

    assert (told.status, told.err) == (0, "")
    assert f"{REPORT}@2" in told.json["missing"]
    assert json.loads((copy / "crate" / "ro-crate-metadata.json").read_text())["@graph"]


def test_who_may_not_delete_may_not_prune(ask: Ask) -> None:
    """Neither as a rehearsal nor for good; and afterwards everything is there."""
    for place in ("reader", "viewer", "stranger"):
        for more in ([], ["--yes"]):
            refused = ask(place, "prune", "--rule", "report", "--unreferenced", *more)
            assert (refused.status, refused.out) == (44, "")
    assert all(one["bytesKept"] for one in ask("ada", "log", REPORT, "--json").json["versions"])


def test_completion_offers_what_one_may_see(
    ask: Ask, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Completion offers the recorded paths that the user may see; the script for the shell needs no store."""
    import click

    from snakeprov.cli import completion

    offered = {}
    for place in ("ada", "reader", "stranger"):
        with monkeypatch.context() as patch:
            for name, value in pipeline.places[place].items():
                patch.setenv(name, value)
            patch.chdir(pipeline.folder)
            context = click.Context(click.Command("log"))
            offered[place] = [one.value for one in completion.paths(context, click.Argument(["path"]), "results/r")]
    assert offered == {"ada": [REPORT], "reader": [REPORT], "stranger": []}
    assert "_SNAKEPROV_COMPLETE" in ask("stranger", "completion", "bash", folder=tmp_path).out
