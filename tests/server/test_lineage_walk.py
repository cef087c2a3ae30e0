"""Walking up and down the provenance graph."""

from __future__ import annotations

from typing import Any

import pytest

from snakeprov.server import lineage as resource

from .api import Api, Json, used, used_url


def walk(api: Api, entity: Json, *, version: int = 1, **query: Any) -> Json:
    parameters = "&".join(f"{key}={value}" for key, value in query.items())
    return dict(api.get(f"/snakeprov/v1/lineage?entityId={entity['id']}&versionNumber={version}&{parameters}"))


def edges(answer: Json) -> set[tuple[str, str, str]]:
    return {(edge["source"], edge["kind"], edge["target"]) for edge in answer["edges"]}


def chain(api: Api, length: int) -> list[Json]:
    """Make files of which each was made from the one before."""
    project = api.project()
    files = [api.file_in(project, "f0")]
    for number in range(1, length):
        activity = api.activity(used(files[-1], 1), name=f"step{number}")
        files.append(api.file_in(project, f"f{number}", query=f"?generatedBy={activity['id']}"))
    return files


def test_upstream_leads_to_what_it_came_from(api: Api) -> None:
    """Versions, activities and URLs are nodes; edges point to what a thing came from and say how."""
    api.run(git={"root": "/w", "commit": "c0ffee"})
    project = api.project()
    raw, script = api.file_in(project, "raw"), api.file_in(project, "plot.py")
    made = api.activity(used(raw, 1), used(script, 1, executed=True), used_url("s3://b/k", name="key"))
    figure = api.file_in(project, "figure", query=f"?generatedBy={made['id']}")
    api.job("j1", activity=made["id"], wildcards={"s": "1"}, endedOn="2026-01-01T00:00:00Z")
    answer = walk(api, figure)
    activity = f"activity:{made['id']}"

    assert answer["root"] == "syn4.1"
    assert answer["truncated"] is False
    assert edges(answer) == {
        ("syn4.1", "generatedBy", activity),
        (activity, "used", "syn2.1"),
        (activity, "executed", "syn3.1"),
        (activity, "used", "url:s3://b/k"),
    }
    nodes = {node["id"]: node for node in answer["nodes"]}
    assert nodes["syn2.1"].pop("sha256")
    assert nodes["syn2.1"] == {
        "id": "syn2.1",
        "kind": "entity",
        "label": "raw",
        "entityId": "syn2",
        "versionNumber": 1,
        "path": "raw",
        "isLatest": True,
    }
    assert nodes[activity] == {
        "id": activity,
        "kind": "activity",
        "label": "plot",
        "activityId": made["id"],
        "rule": "plot",
        "status": "success",
        "endedOn": "2026-01-01T00:00:00.000Z",
        "commit": "c0ffee",
        "dirty": False,
        "jobId": "j1",
        "wildcards": {"s": "1"},
    }
    assert nodes["url:s3://b/k"] == {"id": "url:s3://b/k", "kind": "url", "label": "key", "url": "s3://b/k"}


def test_downstream_leads_to_what_came_of_it(api: Api) -> None:
    """Downstream holds every activity that used the version and what it made; old versions lead elsewhere."""
    files = chain(api, 3)
    failed = api.activity(used(files[0], 1), name="failed")
    api.update(files[1], dataFileHandleId=api.handle())
    answer = walk(api, files[0], direction="downstream")

    assert {node["label"] for node in answer["nodes"]} == {"f0", "f1", "f2", "step1", "step2", "failed"}
    assert (f"activity:{failed['id']}", "used", "syn2.1") in edges(answer)
    assert {node["label"]: node.get("isLatest") for node in answer["nodes"]}["f1"] is False
    assert walk(api, files[1], version=2, direction="downstream")["edges"] == []


@pytest.mark.parametrize("direction", ["upstream", "downstream"])
def test_depth_counts_the_activities_passed(api: Api, direction: str) -> None:
    """A walk stops after so many activities, and says whether there was more."""
    files = chain(api, 5)
    start = files[-1] if direction == "upstream" else files[0]
    answers = [walk(api, start, direction=direction, depth=depth) for depth in (1, 3, 4, 5)]

    assert [len(answer["nodes"]) for answer in answers] == [3, 7, 9, 9]
    assert [answer["truncated"] for answer in answers] == [True, True, False, False]


@pytest.mark.parametrize("direction", ["upstream", "downstream"])
def test_the_number_of_nodes_is_bounded(api: Api, direction: str) -> None:
    """A walk stops at the limit, without a node twice and without an edge to a node that is not there."""
    project = api.project()
    raw = [api.file_in(project, f"raw{number}") for number in range(5)]
    made = api.activity(*(used(file, 1) for file in raw))
    figure = api.file_in(project, "figure", query=f"?generatedBy={made['id']}")
    answer = walk(api, figure if direction == "upstream" else raw[0], direction=direction, limit=2)
    ids = [node["id"] for node in answer["nodes"]]

    assert (len(ids), len(set(ids)), answer["truncated"]) == (2, 2, True)
    assert all(edge["source"] in ids and edge["target"] in ids for edge in answer["edges"])


def test_what_is_reached_twice_counts_once(api: Api) -> None:
    """A diamond of files is whole within a limit of exactly its nodes."""
    project = api.project()
    raw = api.file_in(project, "raw")
    sides = [api.file_in(project, name, query=f"?generatedBy={api.activity(used(raw, 1))['id']}") for name in "ab"]
    made = api.activity(used(sides[0], 1), used(sides[1], 1), used(raw, 1))
    figure = api.file_in(project, "figure", query=f"?generatedBy={made['id']}")

    for start, direction in ((figure, "upstream"), (raw, "downstream")):
        answer = walk(api, start, direction=direction, limit=7)
        assert (len(answer["nodes"]), len(answer["edges"]), answer["truncated"]) == (7, 8, False)
        assert walk(api, start, direction=direction, limit=6)["truncated"] is True


@pytest.mark.parametrize("direction", ["upstream", "downstream"])
def test_many_uses_of_one_version_are_bounded(api: Api, direction: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """No more edges are read than the answer could want, and the answer says so."""
    monkeypatch.setattr(resource, "EDGES_PER_NODE_MAX", 1)
    project = api.project()
    raw = api.file_in(project, "raw")
    made = api.activity(*(used(raw, 1, executed=executed) for executed in (True, False)), used_url("https://x.org"))
    figure = api.file_in(project, "figure", query=f"?generatedBy={made['id']}")
    answer = walk(api, figure if direction == "upstream" else raw, direction=direction, limit=2)

    assert answer["truncated"] is True


@pytest.mark.parametrize("direction", ["upstream", "downstream"])
def test_a_cycle_ends(api: Api, direction: str) -> None:
    """A file that was made from itself is walked once."""
    file = api.file_in(api.project(), "a")
    activity = api.activity(used(file, 1))
    api.put(f"/repo/v1/entity/{file['id']}/generatedBy?generatedBy={activity['id']}")
    answer = walk(api, file, direction=direction, depth=1000)

    assert len(answer["nodes"]) == 2
    assert len(answer["edges"]) == 2
    assert answer["truncated"] is False


def test_many_inputs_are_asked_for_in_chunks(api: Api) -> None:
    """An activity with more inputs than one query takes is shown whole, also when they are not here."""
    items = [used({"id": f"syn{number}"}, 1) for number in range(1000, 2200)]
    made = api.activity(*items, used({"id": "syn999"}))
    figure = api.file_in(api.project(), "figure", query=f"?generatedBy={made['id']}")
    answer = walk(api, figure, limit=100_000)

    assert len(answer["nodes"]) == 1203
    assert {"id": "syn999", "kind": "entity", "label": "syn999", "entityId": "syn999", "path": "syn999"}.items() <= (
        answer["nodes"][-1].items()
    )


def test_bad_questions_are_told(api: Api) -> None:
    """Direction, depth and limit are bounded, and what is asked about must exist."""
    file = api.file_in(api.project(), "a")
    url = f"/snakeprov/v1/lineage?entityId={file['id']}"

    assert api.get(url)["root"] == "syn2.1"
    assert "upstream or downstream" in api.reason("GET", url + "&direction=up")
    assert "from 1 to 1000" in api.reason("GET", url + "&depth=0")
    assert "from 1 to 100000" in api.reason("GET", url + "&limit=100001")
    assert "version 7" in api.reason("GET", url + "&versionNumber=7", expect=404)
    assert "more than once" in api.reason("GET", url + "&depth=1&depth=2")
    assert "'entityId' is missing" in api.reason("GET", "/snakeprov/v1/lineage")
