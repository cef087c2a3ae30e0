"""Every job that a run had before it, and what became of each."""

from __future__ import annotations

import zlib

import msgspec
import pytest

from snakeprov.db import Database, open_database
from snakeprov.db.verify import check
from snakeprov.model import planned
from snakeprov.server import plans

from .api import RUN, Api, Json
from .test_recording import output

PLAN = f"/snakeprov/v1/runs/{RUN}/plan"


def planned_job(rule: str, *outputs: str, needed: bool = True, **wildcards: str) -> Json:
    return {"rule": rule, "wildcards": wildcards, "outputs": list(outputs), "isNeeded": needed}


def put(api: Api, *jobs: Json, **fields: int) -> None:
    api.put(PLAN, {"runId": RUN, "jobs": list(jobs), **fields})


def states(api: Api) -> list[tuple[str, str]]:
    return [(one["rule"], one["state"]) for one in api.get(PLAN)["results"]]


def test_a_job_is_what_the_last_attempt_at_it_was(api: Api) -> None:
    """An attempt that was to be repeated and was not counts as interrupted; what has no record was not reached."""
    api.run()
    rules = ("good", "bad", "again", "stopped", "touched", "late")
    put(api, *(planned_job(rule, f"{rule}.txt", n="1") for rule in rules))
    api.job("1", rule="good", wildcards={"n": "1"})
    api.job("2", rule="good", wildcards={"n": "2"}, status="failed")
    api.job("3", rule="bad", wildcards={"n": "1"}, status="failed")
    api.job("4", rule="again", wildcards={"n": "1"}, status="retried")
    api.job("5", rule="again", wildcards={"n": "1"}, attempt=2)
    api.job("6", rule="stopped", wildcards={"n": "1"}, status="retried")
    api.job("7", rule="touched", wildcards={"n": "1"}, status="touched")

    assert states(api) == [
        ("good", "executed"),
        ("bad", "failed"),
        ("again", "executed"),
        ("stopped", "interrupted"),
        ("touched", "executed"),
        ("late", "notReached"),
    ]
    assert [one.get("jobId") for one in api.get(PLAN)["results"]] == ["1", "3", "5", "6", "7", None]


def test_wildcards_in_any_order_name_the_same_job(api: Api) -> None:
    """Rule and wildcards tell the jobs of a run apart."""
    api.run()
    put(api, planned_job("plot", a="1", b="2"))
    api.job("1", wildcards={"b": "2", "a": "1"})
    assert states(api) == [("plot", "executed")]


def test_a_reused_job_names_its_maker_as_it_was_when_the_run_ended(api: Api) -> None:
    """A version made later by another run does not change what the earlier run had reused."""
    project = api.project()
    maker, later = api.activity(), api.activity()
    file = api.file_in(project, "a", query=f"?generatedBy={maker['id']}")
    api.run("e" * 32)
    api.job("maker", run="e" * 32, activity=maker["id"], files=[output(file)])
    api.run()
    put(api, planned_job("plot", "a", needed=False), planned_job("plot", "unknown", needed=False, n="2"))
    api.update(file, query=f"?newVersion=true&generatedBy={later['id']}", dataFileHandleId=api.handle())

    known, unknown = api.get(PLAN)["results"]
    assert known["madeBy"] == {"activityId": maker["id"], "jobId": "maker", "runId": "e" * 32}
    assert (unknown["state"], "madeBy" in unknown) == ("reused", False)
    (folded,) = api.get(PLAN + "?rules=true")["rules"]
    assert folded == {"rule": "plot", "state": "reused", "jobs": 2, "output": "a", "runs": ["e" * 32]}


def test_nothing_is_called_reused_that_was_edited_or_missing(api: Api) -> None:
    """An output that somebody edited since its job wrote it, one that was not there, and a job without outputs."""
    project = api.project()
    maker = api.activity()
    files = [api.file_in(project, name, query=f"?generatedBy={maker['id']}") for name in "abc"]
    for file, kind in zip(files[1:], ("edited", "again"), strict=True):
        query = f"?newVersion=true&meaning={kind}&meaningOf={file['id']}&meaningOfVersion=1"
        made = f"&generatedBy={maker['id']}" if kind == "again" else ""
        api.update(file, query=query + made, versionLabel=None, dataFileHandleId=api.handle())
    api.run()
    api.job("maker", activity=maker["id"])
    missing = {**planned_job("missing", "gone", needed=False), "isMissing": True}
    jobs = [planned_job(rule, *outputs, needed=False) for rule, *outputs in (("kept", "a"), ("changed", "a", "b"))]
    put(api, *jobs, planned_job("restored", "c", needed=False), missing, planned_job("all", needed=False))

    assert states(api) == [
        ("kept", "reused"),
        ("changed", "edited"),
        ("restored", "reused"),
        ("missing", "notNeeded"),
        ("all", "notNeeded"),
    ]
    assert [one["rule"] for one in api.get(PLAN)["results"] if "madeBy" in one] == ["kept", "restored"]


def test_what_a_job_of_the_run_found_edited_is_not_called_reused(api: Api) -> None:
    """The edit is known only once the job that read the file is recorded: after the plan."""
    maker = api.activity()
    file = api.file_in(api.project(), "a", query=f"?generatedBy={maker['id']}")
    api.run(startedOn="2026-01-01T00:00:00Z")
    put(api, planned_job("make", "a", needed=False), planned_job("read", "b"))
    assert states(api)[0] == ("make", "reused")
    query = f"?newVersion=true&meaning=edited&meaningOf={file['id']}&meaningOfVersion=1"
    file = api.update(file, query=query, versionLabel=None, dataFileHandleId=api.handle())
    read = {"role": "input", "path": "a", "outcome": "used", "entityId": file["id"], "versionNumber": 2}
    api.job("read", rule="read", files=[read])
    assert states(api) == [("make", "edited"), ("read", "executed")]


def test_a_directory_in_which_a_file_was_found_edited_is_not_called_reused(api: Api) -> None:
    """The job that read the file names it alone; a directory beside it stays reused."""
    maker = api.activity()
    project = api.project()
    split = api.file_in(project, "d/", query=f"?generatedBy={maker['id']}")
    api.file_in(project, "dd/", query=f"?generatedBy={maker['id']}")
    api.run(startedOn="2026-01-01T00:00:00Z")
    put(api, planned_job("split", "d/", needed=False), planned_job("other", "dd/", needed=False))
    folder = api.folder_in(project, "d")
    query = f"?meaning=edited&meaningOf={split['id']}&meaningOfVersion=1"
    member = api.file_in(folder, "m", query=query)
    read = {"role": "input", "path": "d/m", "outcome": "used", "entityId": member["id"], "versionNumber": 1}
    api.job("read", rule="read", files=[read])
    assert states(api) == [("split", "edited"), ("other", "reused")]


def test_an_edit_that_an_earlier_run_found_is_said_until_a_job_makes_the_output_again(api: Api) -> None:
    """Of a file inside a directory too, whether anybody reads it in this run or not; also with the same bytes again."""
    maker, project = api.activity(), api.project()
    made = [api.file_in(project, path, query=f"?generatedBy={maker['id']}") for path in ("d/", "dd/")]
    api.run("e" * 32)
    query = f"?meaning=edited&meaningOf={made[0]['id']}&meaningOfVersion=1"
    member = api.file_in(api.folder_in(project, "d"), "m", query=query)
    read = {"role": "input", "path": "d/m", "outcome": "used", "entityId": member["id"], "versionNumber": 1}
    api.job("read", run="e" * 32, rule="read", files=[read])
    jobs = [planned_job("split", "d/", needed=False), planned_job("other", "dd/", needed=False)]
    api.run()
    put(api, *jobs)
    assert states(api) == [("split", "edited"), ("other", "reused")]

    api.job("again", run="e" * 32, rule="split", files=[{**output(made[0]), "outcome": "reproduced"}])
    put(api, *jobs)
    assert states(api) == [("split", "reused"), ("other", "reused")]


def test_a_plan_is_replaced_and_paged(api: Api) -> None:
    """The last one holds; the summary by rule is always that of all jobs."""
    api.run()
    put(api, planned_job("old"))
    put(api, *(planned_job("new", n=str(number)) for number in range(5)), jobsLeftOut=7)

    page = api.get(PLAN + "?limit=2&after=[3]&rules=true")
    assert [one["wildcards"]["n"] for one in page["results"]] == ["3", "4"]
    assert (page["rules"][0]["jobs"], page["jobsLeftOut"]) == (5, 7)
    first = api.get(PLAN + "?limit=3")
    assert (len(first["results"]), first["next"], first["totalNumberOfResults"]) == (3, "[3]", 5)
    assert not {"next", "totalNumberOfResults"} & set(page)
    assert "the 'next' of the page before was expected" in api.reason("GET", PLAN + "?after=[-1]")


def test_a_page_of_a_plan_costs_what_it_holds(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the part of the plan is read that the page lies in; all of it where a summary is asked for."""
    monkeypatch.setattr(plans, "CHUNK_JOBS", 2)
    read: list[int] = []
    decompress = zlib.decompress
    monkeypatch.setattr(zlib, "decompress", lambda data: read.append(len(data)) or decompress(data))
    api.run()
    put(api, *(planned_job("new", n=str(number)) for number in range(9)))

    for query, found, chunks in (
        ("?limit=2&after=[3]", ["3", "4"], 2),
        ("?limit=5&after=[8]", ["8"], 1),
        ("?after=[9]", [], 0),
        ("?limit=1&rules=true", ["0"], 5),
    ):
        read.clear()
        page = api.get(PLAN + query)
        assert [one["wildcards"]["n"] for one in page["results"]] == found
        assert (len(read), "rules" in page) == (chunks, "rules=true" in query)


def test_a_run_without_a_plan_has_an_empty_one(api: Api) -> None:
    """It was recorded by hand, or its process died before the first job."""
    api.run()
    assert api.get(PLAN) == {"results": [], "totalNumberOfResults": 0, "jobsLeftOut": 0}


def test_what_is_wrong_with_a_plan_is_said(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another run's id, a run that is not there, too many jobs."""
    monkeypatch.setattr(plans, "PLANNED_JOBS_MAX", 1)
    assert planned.PLANNED_JOBS_MAX == 100_000
    body = {"runId": RUN, "jobs": []}
    assert f"There is no run with id '{RUN}'" in api.reason("PUT", PLAN, body, expect=404)
    api.run()
    assert "The body has the runId 'other'" in api.reason("PUT", PLAN, {**body, "runId": "other"})
    assert "The plan has 2 jobs; at most 1" in api.reason("PUT", PLAN, {**body, "jobs": [planned_job("a")] * 2})


@pytest.mark.parametrize("count", [0, 1, plans.CHUNK_JOBS + 1])
def test_a_plan_of_the_first_revision_is_packed_anew(api: Api, store: Database, count: int) -> None:
    """A store whose plans are not in chunks yet is migrated when it is opened; its plans say what they said."""
    api.run()
    jobs = [planned_job("plot", f"{number}.png", n=str(number)) for number in range(count)]
    put(api, *jobs, jobsLeftOut=3)
    told = api.get(PLAN + "?rules=true")
    old = {"jobs": [{"job": job} for job in jobs], "jobs_left_out": 3}
    as_in_the_first_revision(store, zlib.compress(msgspec.json.encode(old)))

    open_database(store.path.parent).close()

    assert api.get(PLAN + "?rules=true") == told
    assert list(check(store.path)) == []


def test_a_damaged_plan_of_the_first_revision_stays_damaged(api: Api, store: Database) -> None:
    """It neither stops the migration nor becomes sound by it."""
    api.run()
    put(api, planned_job("plot"))
    as_in_the_first_revision(store, b"not a plan", damaged=True)

    open_database(store.path.parent).close()

    (finding,) = check(store.path)
    assert ("run_plan" in finding.where, finding.is_damage) == (True, True)


def as_in_the_first_revision(store: Database, jobs: bytes, *, damaged: bool = False) -> None:
    """Put a plan of the first revision where the plan of the run is, with its checksum or with another one."""
    with store.write() as tx:
        tx.connection.exec_driver_sql("UPDATE run_plan SET jobs = :jobs", {"jobs": jobs})
        if not damaged:
            tx.connection.exec_driver_sql("UPDATE run_plan SET checksum = row_checksum(run_id, jobs)")
        tx.connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0001'")
