"""Every command tells the same story of files that were edited, restored, copied, made twice, or never looked at."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from prov.model import ProvAlternate, ProvDerivation, ProvDocument, ProvEntity, ProvGeneration

from .conftest import Ask, lasting

Golden = Callable[[str, str], None]

QUESTIONS = {
    "log": [["log", name] for name in ("a.txt", "b.txt", "c.txt", "parts/m.txt", "big.bin")],
    "show": [
        ["show", name]
        for name in ("a.txt@1", "a.txt@2", "a.txt@3", "b.txt@3", "c.txt", "parts/m.txt", "big.bin", "up.txt")
    ],
    "lineage": [
        *(["lineage", name] for name in ("b.txt@1", "b.txt@2", "b.txt@3", "d.txt", "up.txt@1", "up.txt")),
        ["lineage", "--downstream", "in.txt"],
        ["lineage", "--depth", "1", "b.txt@2"],
    ],
    "affected": [["affected", name] for name in ("in.txt", "a.txt@1", "big.bin")],
    "why": [*(["why", name] for name in ("a.txt@2", "a.txt@3", "b.txt@2", "b.txt@3", "c.txt", "up.txt")),
            ["diff", "a.txt@1", "a.txt@2"], ["diff", "b.txt@1", "b.txt@2"]],
    "methods": [["methods", name] for name in ("b.txt@1", "b.txt@2", "d.txt", "up.txt")],
    "run": [["run", "03030303"]],
    "verify": [["verify"]],
    "drawings": [["lineage", "--format", form, "b.txt@2"] for form in ("dot", "mermaid")],
}  # fmt: skip


@pytest.mark.parametrize("place", ["folder", "server"])
@pytest.mark.parametrize("name", QUESTIONS)
def test_what_people_read(ask: Ask, golden: Golden, name: str, place: str) -> None:
    """The answers of each command are those of the golden file, whether a folder or a server is asked."""
    told = []
    for arguments in QUESTIONS[name]:
        answer = ask(place, *arguments)
        assert answer.err == "" or name == "verify"
        told.append(f"$ snakeprov {' '.join(arguments)}\n{answer.out}")
    golden(f"{name}.txt", lasting("\n".join(told)))


@pytest.mark.parametrize("place", ["folder", "server"])
def test_log_as_json_has_every_making(ask: Ask, place: str) -> None:
    """The clean making is shown; the dirty one, which was the first, is listed before it."""
    first = ask(place, "log", "a.txt", "--json").json["versions"][-1]
    assert [(one["commit"][:7], one["dirty"]) for one in first["makings"]] == [("2b3c4d5", True), ("1a2b3c4", False)]
    assert (first["commit"][:7], first["dirty"], first["meaning"]) == ("1a2b3c4", False, None)
    assert first["generatedBy"] == first["makings"][0]["activityId"]


@pytest.mark.parametrize("place", ["folder", "server"])
def test_an_export_has_the_same_links(ask: Ask, place: str) -> None:
    """In PROV an edited version is a revision, one with the same content an alternate, and each is generated once."""
    for name, revisions, alternates in (
        ("b.txt@2", {("a.txt@2", "a.txt@1")}, set()),
        ("d.txt", set(), {("c.txt@1", "a.txt@1")}),
        ("up.txt", {("parts/m.txt@2", "parts/@1")}, set()),
        ("b.txt@3", set(), set()),
    ):
        document = ProvDocument.deserialize(content=ask(place, "export", name, "--format", "prov-json").out)
        labels = {
            str(one.identifier): str(next(iter(one.get_attribute("prov:label"))))
            for one in document.get_records(ProvEntity)
        }

        def links(
            kind: type, document: ProvDocument = document, labels: dict[str, str] = labels
        ) -> set[tuple[str, str]]:
            return {tuple(labels[str(arg)] for arg in one.args[:2]) for one in document.get_records(kind)}  # type: ignore[misc]

        assert (links(ProvDerivation), links(ProvAlternate)) == (revisions, alternates), name
        generated = [str(one.args[0]) for one in document.get_records(ProvGeneration)]
        assert len(generated) == len(set(generated))


@pytest.mark.parametrize("place", ["folder", "server"])
def test_nothing_that_a_job_made_is_called_raw(ask: Ask, place: str) -> None:
    """Only the file that no job ever made is a raw input, wherever it is mentioned."""
    for arguments in (["show", "a.txt@2"], ["show", "a.txt@3"], ["show", "parts/m.txt"], ["log", "a.txt"]):
        assert "raw" not in ask(place, *arguments).out
    tree = ask(place, "lineage", "b.txt@2").out
    assert [line.split()[1] for line in tree.splitlines() if "raw input" in line] == ["in.txt@1"]


@pytest.mark.parametrize("place", ["folder", "server"])
def test_the_three_directions_agree(ask: Ask, place: str) -> None:
    """What a file came from is affected by it, and lies downstream of it; with the same links."""

    def edges(*arguments: str) -> set[tuple[str, str, str]]:
        graph: dict[str, Any] = json.loads(ask(place, *arguments, "--json").out)
        return {(one["source"], one["kind"], one["target"]) for one in graph["edges"]}

    found = ask(place, "affected", "in.txt", "--json").json["versions"]
    down = edges("lineage", "--downstream", "in.txt")
    assert found
    for version in found:
        name = f"{version['path']}@{version['versionNumber']}"
        up = edges("lineage", name)
        assert any(target == "in.txt" or kind for _, kind, target in up)
        links = {edge for edge in up if edge[1] in ("revisionOf", "sameContent", "again")}
        assert links <= down, name
