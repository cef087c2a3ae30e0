"""Everything that came from something: across versions, rewrites in place, reproductions and bounds."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snakeprov.blobs.local import LocalBlobs
from snakeprov.db import open_database
from snakeprov.server import affected as resource
from snakeprov.server import create_app

from .api import RUN, Api, Json, used, user_of
from .live import Socket

OWN = "/snakeprov/v1"


def affected(api: Api, **body: Any) -> list[str]:
    """Return the versions that came from something, as `path@number`."""
    answer = api.post(f"{OWN}/affected", body, expect=200)
    assert answer["truncated"] is False
    return sorted(f"{one['path']}@{one['versionNumber']}" for one in answer["versions"])


def start(entity: Json, version: int | None = 1) -> list[Json]:
    return [{"entityId": entity["id"], **({"versionNumber": version} if version else {})}]


def test_data_and_code_lead_to_everything_that_came_from_them(api: Api) -> None:
    """What used a version, and what ran it, and what came from these, is found; the version itself is not."""
    project = api.project()
    data, script = api.file_in(project, "data"), api.file_in(project, "plot.py")
    clean = api.activity(used(data, 1), name="clean")
    table = api.file_in(project, "table", query=f"?generatedBy={clean['id']}")
    plot = api.activity(used(table, 1), used(script, 1, executed=True), name="plot")
    api.file_in(project, "figure", query=f"?generatedBy={plot['id']}")

    assert affected(api, versions=start(data)) == ["figure@1", "table@1"]
    assert affected(api, versions=start(script)) == ["figure@1"]
    assert affected(api, versions=start(data) + start(script)) == ["figure@1", "table@1"]
    (found,) = api.post(f"{OWN}/affected", {"versions": start(script)}, expect=200)["versions"]
    assert (found["rule"], found["outcome"], found["isLatest"]) == ("plot", "generated", True)


def test_only_what_came_from_that_version(api: Api) -> None:
    """What used another version of the same file is not affected; with no version named, every one counts."""
    project = api.project()
    data = api.file_in(project, "data")
    first = api.activity(used(data, 1))
    old = api.file_in(project, "old", query=f"?generatedBy={first['id']}")
    data = api.update(data, query="?newVersion=true", versionLabel=None)
    second = api.activity(used(data, 2))
    api.file_in(project, "new", query=f"?generatedBy={second['id']}")

    assert affected(api, versions=start(data, 1)) == ["old@1"]
    assert affected(api, versions=start(data, 2)) == ["new@1"]
    assert affected(api, versions=start(data, None)) == ["new@1", "old@1"]
    assert affected(api, versions=start(old)) == []


def test_a_file_that_is_rewritten_in_place(api: Api) -> None:
    """A file made from its own earlier version, and even an activity that used what it made, end the search."""
    project = api.project()
    log = api.file_in(project, "log")
    for version in (1, 2, 3):
        activity = api.activity(used(log, version))
        query = f"?newVersion=true&generatedBy={activity['id']}"
        log = api.update(log, query=query, versionLabel=None, dataFileHandleId=api.handle())
    assert affected(api, versions=start(log, 1)) == ["log@2", "log@3", "log@4"]
    loop = api.activity(used(log, 4), used(log, 4, executed=True))
    api.put(f"/repo/v1/entity/{log['id']}/version/4/generatedBy?generatedBy={loop['id']}")
    assert affected(api, versions=start(log, 4)) == ["log@4"]


def test_jobs_by_rule_run_and_commit(api: Api) -> None:
    """Of jobs, what they made is affected as well as what came from it; all conditions that are given must hold."""
    other = "f" * 32
    api.run(git={"root": "/w", "commit": "c0ffee00"})
    api.run(other, git={"root": "/w", "commit": "beef0000"})
    project = api.project()
    names = []
    for number, (run, rule) in enumerate([(RUN, "a"), (other, "a"), (other, "b")]):
        activity = api.activity(name=rule)
        api.file_in(project, f"f{number}", query=f"?generatedBy={activity['id']}")
        api.job(f"j{number}", run=run, rule=rule, activity=activity["id"])
        names.append(f"f{number}@1")

    assert affected(api, rule="a") == names[:2]
    assert affected(api, runId="ffff") == affected(api, commit="BEEF") == names[1:]
    assert affected(api, rule="a", runId="ffff", commit="beef") == names[1:2]
    assert api.post(f"{OWN}/affected", {"rule": "aa"}, expect=200)["near"] == ["a"]
    assert affected(api, commit="dead") == []
    assert api.post(f"{OWN}/affected", {"commit": "dead"}, expect=200)["near"] == []
    assert "near" not in api.post(f"{OWN}/affected", {"commit": "beef"}, expect=200)


def test_what_was_made_again_with_the_same_bytes(api: Api) -> None:
    """A version that a job only made again is affected by what that job used, and so is what read it afterwards."""
    api.run()
    project = api.project()
    old, new = api.file_in(project, "old"), api.file_in(project, "new")
    first = api.activity(used(old, 1))
    table = api.file_in(project, "table", query=f"?generatedBy={first['id']}")
    for name, second in (("before", 1), ("after", 3)):
        if name == "after":
            again = api.activity(used(new, 1), name="again")
            made = {"role": "output", "path": "table", "outcome": "reproduced"}
            made |= {"entityId": table["id"], "versionNumber": 1}
            ended = "2026-01-01T00:00:02Z"
            api.job("again", activity=again["id"], rule="again", files=[made], endedOn=ended)
        figure = api.activity(used(table, 1), name=name)
        api.file_in(project, name, query=f"?generatedBy={figure['id']}")
        api.job(name, activity=figure["id"], rule=name, startedOn=f"2026-01-01T00:00:0{second}Z")

    assert affected(api, versions=start(old)) == ["before@1", "table@1"]
    assert affected(api, versions=start(new)) == ["after@1", "table@1"]
    assert affected(api, versions=start(table)) == ["after@1", "before@1"]
    answer = api.post(f"{OWN}/affected", {"versions": start(new)}, expect=200)["versions"]
    assert {(one["path"], one["outcome"]) for one in answer} == {("table", "reproduced"), ("after", "generated")}


def test_what_came_through_bytes_that_nobody_read_is_not_proved(api: Api) -> None:
    """Nor is what came from that, unless another way is proved; an edit of it is by evidence and not proved."""
    project = api.project()
    api.run()
    start_, middle = api.file_in(project, "start"), api.file_in(project, "middle")

    def job(name: str, *read: tuple[Json, str | None], makes: str) -> Json:
        activity = api.activity(*(used(one, 1) for one, _ in read))
        made = api.file_in(project, makes, query=f"?generatedBy={activity['id']}")
        files = [
            {"role": "input", "path": one["name"], "outcome": "used", "entityId": one["id"], "versionNumber": 1}
            | ({} if sha256 is None else {"sha256": sha256})
            for one, sha256 in read
        ]
        api.job(name, activity=activity["id"], files=files)
        return made

    unread = job("1", (start_, None), makes="unread")
    after = job("2", (unread, "0" * 64), makes="after")
    proved = job("3", (start_, "0" * 64), makes="proved")
    job("4", (after, "0" * 64), (proved, "0" * 64), makes="both")
    job("5", (start_, None), (middle, "0" * 64), makes="elsewhere")
    query = f"?newVersion=true&meaning=edited&meaningOf={after['id']}&meaningOfVersion=1"
    api.update(after, query=query, versionLabel=None, dataFileHandleId=api.handle())

    found = api.post(f"{OWN}/affected", {"versions": start(start_)}, expect=200)["versions"]
    assert {
        one["path"] + f"@{one['versionNumber']}": (one.get("wayProved"), one.get("byEvidence")) for one in found
    } == {
        "proved@1": (None, None),
        "both@1": (None, None),
        "unread@1": (False, None),
        "elsewhere@1": (False, None),
        "after@1": (False, None),
        "after@2": (False, True),
    }


def test_an_answer_is_cut_where_it_was_asked_to_be(api: Api) -> None:
    """With a limit the nearest come first, and that there are more is told; at the very bound it is not."""
    project = api.project()
    last = first = api.file_in(project, "f0")
    for number in range(1, 6):
        activity = api.activity(used(last, 1))
        last = api.file_in(project, f"f{number}", query=f"?generatedBy={activity['id']}")
    for limit in (1, 4, 5, 6):
        answer = api.post(f"{OWN}/affected", {"versions": start(first), "limit": limit}, expect=200)
        assert [one["path"] for one in answer["versions"]] == [f"f{number}" for number in range(1, 6)][:limit]
        assert answer["truncated"] is (limit < 5)


def test_the_trash_is_passed_through_and_not_told(api: Api) -> None:
    """What was deleted is not listed; what came from it is."""
    project = api.project()
    data = api.file_in(project, "data")
    first = api.activity(used(data, 1))
    middle = api.file_in(project, "middle", query=f"?generatedBy={first['id']}")
    second = api.activity(used(middle, 1))
    api.file_in(project, "last", query=f"?generatedBy={second['id']}")
    api.delete(f"/repo/v1/entity/{middle['id']}")
    assert affected(api, versions=start(data)) == ["last@1"]


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        ({}, 400, "Either versions, or one or more of rule, runId and commit, were expected."),
        ({"versions": [{"entityId": "syn1"}], "rule": "a"}, 400, "Either versions, or"),
        ({"versions": [{"entityId": "syn99"}]}, 404, "Entity syn99 does not exist."),
        ({"versions": [{"entityId": "x"}]}, 400, "'x' is not an entity id"),
        ({"versions": [{"entityId": "syn1", "versionNumber": 0}]}, 400, "versionNumber=0: a whole number from 1"),
        ({"versions": [{"entityId": "syn1"}] * (resource.STARTS_MAX + 1)}, 400, "1001 versions to start from"),
        ({"commit": "xyz"}, 400, "'xyz' is not a commit: at least 4 hexadecimal digits were expected."),
        ({"runId": "ffffffff"}, 404, "There is no run with id 'ffffffff'."),
        ({"rule": "a", "limit": 0}, 400, "limit=0: a whole number from 1 to 100000 was expected."),
    ],
)
def test_questions_that_make_no_sense(api: Api, body: Json, status: int, reason: str) -> None:
    """A start that is malformed, unknown or too large is refused with what was expected."""
    api.project()
    assert reason in api.reason("POST", f"{OWN}/affected", body, expect=status)


@given(st.lists(st.sets(st.integers(0, 9), max_size=4), min_size=2, max_size=10))
@settings(max_examples=8, deadline=None)
def test_it_is_what_can_be_reached(tmp_path_factory: Any, socket: Socket, sources: list[set[int]]) -> None:
    """Of any graph, the answer is the versions that can be reached from the start, and no others."""
    folder = tmp_path_factory.mktemp("graph")
    store = open_database(folder / "store", create=True)
    app = create_app(store, LocalBlobs(folder / "store" / "blobs"), identify=user_of, local_files=True)
    api = Api(socket.mount(app), folder)
    project = api.project()
    files: list[Json] = []
    reached = {0}
    for number, wanted in enumerate(sources):
        used_here = [one for one in wanted if one < number]
        activity = api.activity(*(used(files[one], 1) for one in used_here))
        files.append(api.file_in(project, f"f{number}", query=f"?generatedBy={activity['id']}"))
        if reached & set(used_here):
            reached.add(number)
    try:
        assert affected(api, versions=start(files[0])) == sorted(f"f{one}@1" for one in reached - {0})
    finally:
        store.close()
