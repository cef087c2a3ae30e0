"""Runs, jobs, and what can be asked about them."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from .api import MODEL, RUN, Api, Json, digests, used, used_url


def output(file: Json, *, version: int = 1, outcome: str = "generated", path: str = "a") -> Json:
    return {
        "role": "output",
        "path": path,
        "outcome": outcome,
        "entityId": file["id"],
        "versionNumber": version,
        "sha256": digests(b"x")["sha256"],
    }


def test_a_run_is_replaced_under_its_id(api: Api) -> None:
    """The first PUT makes a run, the next replaces it; its id stands in the path and in the body."""
    api.run(startedOn="2026-01-01T00:00:00Z")
    record = {"id": RUN, "project": "P", "workingDirectory": "/w", "status": "success"}
    api.put(f"/snakeprov/v1/runs/{RUN}", record)

    assert api.get(f"/snakeprov/v1/runs/{RUN}") == {**record, "jobs": {}}
    assert "the path 'other'" in api.reason("PUT", "/snakeprov/v1/runs/other", record)
    assert "is not a run id" in api.reason("PUT", "/snakeprov/v1/runs/a%20b", {**record, "id": "a b"})
    assert "Invalid enum value 'lost'" in api.reason("PUT", f"/snakeprov/v1/runs/{RUN}", {**record, "status": "lost"})


def test_a_run_is_found_by_the_beginning_of_its_id(api: Api) -> None:
    """Four characters do when they fit one run only."""
    api.run("abcd1" + "0" * 27)
    api.run("abcd2" + "0" * 27)

    assert api.get("/snakeprov/v1/runs/abcd1")["id"].startswith("abcd1")
    assert "Several runs begin with 'abcd'" in api.reason("GET", "/snakeprov/v1/runs/abcd")
    assert "too short" in api.reason("GET", "/snakeprov/v1/runs/abc")
    assert "There is no run with id 'ffff'." in api.reason("GET", "/snakeprov/v1/runs/ffff", expect=404)


def test_runs_are_listed_newest_first_with_their_jobs(api: Api) -> None:
    """A listing counts the jobs of each run by status."""
    api.run("a" * 32, startedOn="2026-01-01T00:00:00Z")
    api.run("b" * 32, startedOn="2026-01-02T00:00:00Z")
    for number, status in enumerate(["success", "failed", "success"]):
        api.job(f"job{number}", run="b" * 32, status=status)
    answer = api.get("/snakeprov/v1/runs")

    assert [run["id"][0] for run in answer["results"]] == ["b", "a"]
    assert [run["jobs"] for run in answer["results"]] == [{"success": 2, "failed": 1}, {}]
    assert [run["status"] for run in answer["results"]] == ["running", "running"]
    assert answer["totalNumberOfResults"] == 2
    first = api.get("/snakeprov/v1/runs?limit=1")
    api.run("c" * 32, startedOn="2026-01-03T00:00:00Z")
    second = api.get(f"/snakeprov/v1/runs?limit=1&after={quote(first['next'])}")
    assert [run["id"][0] for run in (*first["results"], *second["results"])] == ["b", "a"]
    assert "next" not in second
    assert "totalNumberOfResults" not in second


@pytest.mark.parametrize("after", ["x", "[1]", '["a",1]', "[1,2,3,4]", "[1e99,2]", "\0", "[99999999999999999999,1]"])
def test_a_page_begins_only_where_another_ended(api: Api, after: str) -> None:
    """Of every list anything else than the `next` of a page before is refused in a sentence."""
    api.run()
    file = api.file_in(api.project(), "a")
    reasons = [
        api.reason("GET", f"/snakeprov/v1/{path}?after={quote(after)}")
        for path in ("runs", f"runs/{RUN}/jobs", f"runs/{RUN}/outputs")
    ]
    reasons.append(api.reason("POST", "/snakeprov/v1/jobs", {"runId": RUN, "after": after}))
    chosen: list[Json] = [{"path": "a"}, {"sha256": "0" * 64}]
    chosen += [{"entityId": file["id"]}] if after != "[1]" else []
    chosen += [{"prefix": ""}] if after != '["a",1]' else []
    reasons += [api.reason("POST", "/snakeprov/v1/versions", {**one, "after": after}) for one in chosen]
    for reason in reasons:
        assert "the 'next' of the page before was expected" in reason


def test_a_job_is_kept_as_it_was_sent(api: Api) -> None:
    """A job comes back with its record, its activity and its files in order; recording it twice is a conflict."""
    api.run()
    file = api.file_in(api.project(), "a")
    activity = api.activity()
    files = [
        {"role": "input", "path": "in", "outcome": "missing"},
        output(file),
        {"role": "output", "path": "b", "outcome": "reproduced", "activityId": activity["id"]},
    ]
    record = {"wildcards": {"s": "1"}, "shellcmd": "x" * 100_000, "endedOn": "2026-01-01T00:00:00Z"}
    api.job("j1", activity=activity["id"], files=files, **record)
    answer = api.get("/snakeprov/v1/jobs/j1")

    assert answer["files"] == files
    assert answer["activityId"] == activity["id"]
    assert answer["job"] == {"id": "j1", "runId": RUN, "rule": "plot", "status": "success", **record}
    assert api.jobs(activityId=activity["id"]) == {"results": [{**answer, "urls": []}]}
    assert api.job("j1", expect=409)["reason"] == "A job with id j1 is already recorded."
    assert "There is no job with id 'no'" in api.reason("GET", "/snakeprov/v1/jobs/no", expect=404)
    assert api.jobs(activityId=api.activity()["id"]) == {"results": []}


def test_the_jobs_of_a_run_come_in_pages(api: Api) -> None:
    """In the order they ended, each once, also where one is recorded between two pages; `next` leads on."""
    api.run()
    api.run("e" * 32)
    for id_, ended in (("b", 2), ("a", 1), ("c", 2), ("d", 3)):
        api.job(id_, endedOn=f"2026-01-01T00:00:0{ended}Z")
    api.job("other", run="e" * 32)
    first = api.jobs(runId=RUN[:8], limit=2)
    api.job("late", endedOn="2026-01-01T00:00:00Z")
    second = api.jobs(runId=RUN[:8], limit=2, after=first["next"])

    assert [[one["job"]["id"] for one in page["results"]] for page in (first, second)] == [["a", "b"], ["c", "d"]]
    assert "next" not in second
    for body in ({}, {"runId": RUN, "activityId": "1"}, {"ids": [], "runId": RUN}):
        reason = api.reason("POST", "/snakeprov/v1/jobs", body)
        assert reason == "One of 'ids', 'runId' and 'activityId' was expected."
    assert "'x' is not an activity id" in api.reason("POST", "/snakeprov/v1/jobs", {"activityId": "x"})


def test_jobs_are_told_by_their_ids_with_their_files_and_urls(api: Api) -> None:
    """Of each job the record, the versions it touched, and the URLs that its activity used; at most 1000 at once."""
    api.run()
    raw = api.file_in(api.project(), "raw")
    made = api.activity(used(raw, 1), used_url("s3://b/k", name="key"), used_url("https://x/code", executed=True))
    api.job("j1", activity=made["id"], files=[{"role": "input", "path": "raw", "outcome": "used"}])
    api.job("j2")
    first, second = api.jobs(ids=["j1", "no such job", "j2", "j1"])["results"]

    assert (first["job"]["id"], first["activityId"], second["job"]["id"]) == ("j1", made["id"], "j2")
    assert first["files"] == [{"role": "input", "path": "raw", "outcome": "used"}]
    assert first["urls"] == [
        {"url": "s3://b/k", "wasExecuted": False, "name": "key"},
        {"url": "https://x/code", "wasExecuted": True},
    ]
    assert (second["files"], second["urls"]) == ([], []) and "activityId" not in second
    reason = api.reason("POST", "/snakeprov/v1/jobs", {"ids": ["j"] * 1001})
    assert reason == "1001 jobs are asked for; at most 1000 are allowed."


def test_a_job_is_recorded_under_its_own_id(api: Api) -> None:
    """The path names the job that the body holds."""
    api.run()
    job = {"job": {"id": "j1", "runId": RUN, "rule": "plot", "status": "success"}}
    assert "The body has the id 'j1', the path 'j2'." in api.reason("PUT", "/snakeprov/v1/jobs/j2", job)


@pytest.mark.parametrize(
    ("fields", "status", "reason"),
    [
        ({"run": "none"}, 404, "There is no run with id none."),
        ({"activity": "99"}, 404, "Activity with id '99' could not be found."),
        ({"activity": "x"}, 400, "'x' is not an activity id"),
        (
            {"files": [{"role": "input", "path": "a", "outcome": "used", "entityId": "syn9"}]},
            400,
            "needs both entityId",
        ),
        (
            {"files": [{"role": "input", "path": "a", "outcome": "used", "entityId": "syn9", "versionNumber": 1}]},
            404,
            "Cannot find a node with id syn9 and version 1",
        ),
        ({"files": [{"role": "other", "path": "a", "outcome": "used"}]}, 400, "Invalid enum value 'other'"),
        (
            {"files": [{"role": "input", "path": "a", "outcome": "used", "activityId": "9"}]},
            404,
            "Activity with id '9'",
        ),
        ({"attempt": 10**30}, 400, "larger than the store can hold"),
        ({"startedOn": "yesterday"}, 400, "Invalid RFC3339"),
    ],
)
def test_a_job_that_names_what_is_not_there_is_refused(api: Api, fields: Json, status: int, reason: str) -> None:
    """An unknown run, activity or version, and a malformed record, are told in a sentence."""
    api.run()

    assert reason in api.job("j", expect=status, **fields)["reason"]
    api.get("/snakeprov/v1/jobs/j", expect=404)


def test_the_jobs_and_outputs_of_a_run_are_listed(api: Api) -> None:
    """In pages: jobs in the order they ended, outputs the latest first with size and rule."""
    api.run()
    project = api.project()
    one, two = api.file_in(project, "one"), api.file_in(project, "two")
    api.job("late", endedOn="2026-01-01T00:00:02Z", files=[output(two, path="two")], error="odd", attempt=2)
    api.job("early", endedOn="2026-01-01T00:00:01Z", files=[output(one, path="one")], wildcards={"s": "1"})
    jobs = api.get(f"/snakeprov/v1/runs/{RUN}/jobs")
    url = f"/snakeprov/v1/runs/{RUN}/{{}}?limit=1"
    first_job, outputs = api.get(url.format("jobs")), api.get(url.format("outputs"))
    second_job = api.get(f"{url.format('jobs')}&after={quote(first_job['next'])}")
    earlier = api.get(f"{url.format('outputs')}&after={quote(outputs['next'])}")

    assert [(job["id"], job["wildcards"], job["attempt"]) for job in jobs["results"]] == [
        ("early", {"s": "1"}, 1),
        ("late", {}, 2),
    ]
    assert jobs["results"][1]["error"] == "odd"
    assert jobs["results"][0]["endedOn"] == "2026-01-01T00:00:01.000Z"
    assert jobs["results"][0]["outputs"][0]["entityId"] == one["id"]
    assert outputs["totalNumberOfResults"] == 2
    assert [(item["path"], item["rule"], item["jobId"], item["outcome"]) for item in outputs["results"]] == [
        ("two", "plot", "late", "generated")
    ]
    assert outputs["results"][0]["sizeBytes"] > 0
    assert [item["path"] for item in earlier["results"]] == ["one"]
    assert [*first_job["results"], *second_job["results"]] == jobs["results"]
    assert not {"next", "totalNumberOfResults"} & (set(earlier) | set(second_job))


def test_paths_are_looked_up_in_the_order_asked(api: Api) -> None:
    """A look-up tells project, folders and files apart, and leaves out what is not there."""
    project = api.project()
    folder = api.folder_in(project, "results")
    file = api.file_in(folder, "a", handle=api.handle(b"hello"))
    outside = api.folder_in(project, "(root)")
    asked = {"project": "P", "paths": ["results/a", "nowhere", "", "results", "/"]}
    answer = api.post("/snakeprov/v1/lookup", asked, expect=200)

    assert answer["projectId"] == project["id"]
    assert [(item["path"], item["kind"], item["entityId"]) for item in answer["found"]] == [
        ("results/a", "file", file["id"]),
        ("", "project", project["id"]),
        ("results", "folder", folder["id"]),
        ("/", "folder", outside["id"]),
    ]
    assert answer["found"][0] == {
        "path": "results/a",
        "kind": "file",
        "entityId": file["id"],
        "etag": file["etag"],
        "parentId": folder["id"],
        "name": "a",
        "versionNumber": 1,
        "createdOn": file["createdOn"],
        "dataFileHandleId": file["dataFileHandleId"],
        **digests(b"hello"),
    }
    assert api.post("/snakeprov/v1/lookup", {**asked, "project": "Q"}, expect=200) == {"found": []}


def test_a_path_finds_its_file_or_near_ones(api: Api) -> None:
    """A path is found in every project, also as a directory; a mistyped one gets near matches."""
    for name in ("P", "Q"):
        results = api.folder_in(api.project(name), "results")
        api.file_in(results, "table.csv")
        api.file_in(results, "parts/")

    def ask(path: str, **more: Any) -> Json:
        return api.versions(path=path, **more)

    assert [match["projectName"] for match in ask("results/table.csv")["results"]] == ["Q", "P"]
    assert len(ask("results/table.csv", project="Q")["results"]) == 1
    assert ask("results/parts")["results"][0]["path"] == "results/parts/"
    assert ask("results/tabel.csv") == {"results": [], "near": ["results/table.csv"]}
    assert ask("result/table.csv")["near"][0] == "results/table.csv"
    assert ask("table.csv")["near"][0] == "results/table.csv"
    assert ask("zzz")["near"] == []
    assert ask("%_/100%")["near"] == []
    first = ask("results/table.csv", limit=1)
    second = ask("results/table.csv", limit=1, after=first["next"])
    assert [one["projectName"] for one in (*first["results"], *second["results"])] == ["Q", "P"]
    assert not {"near", "next"} & set(second)


def test_the_history_of_a_file_tells_what_made_each_version(api: Api) -> None:
    """Each version knows its rule, run and commit, and who reproduced it; every key is there."""
    api.run(git={"root": "/w", "commit": "c0ffee", "dirty": True})
    made, again, later = api.activity(), api.activity(), api.activity()
    file = api.file_in(api.project(), "a", query=f"?generatedBy={made['id']}")
    api.update(file, dataFileHandleId=api.handle(b"kept", keep=True))
    api.job("j1", activity=made["id"], files=[output(file)])
    api.job("j2", activity=again["id"], files=[output(file, outcome="reproduced")])
    api.job("j3", files=[{**output(file, outcome="reproduced"), "activityId": later["id"]}])
    answer = api.history(file)
    second, first = answer["results"]

    assert answer["entity"] == {"id": file["id"], "name": "a", "path": "a"}
    assert answer["totalNumberOfResults"] == 2
    assert (first["rule"], first["runId"], first["commit"], first["dirty"]) == ("plot", RUN, "c0ffee", True)
    assert (first["generatedBy"], first["reproducedBy"]) == (made["id"], [again["id"], later["id"]])
    assert [one["activityId"] for one in first["makings"]] == [made["id"], again["id"], later["id"]]
    assert first["activityId"] == later["id"]
    assert first["bytesKept"] is False
    createdon = second.pop("createdOn")
    assert createdon.endswith("Z")
    assert second == {
        "entityId": file["id"],
        "versionNumber": 2,
        "path": "a",
        "projectId": file["parentId"],
        "projectName": "P",
        "isLatest": True,
        "latestVersionNumber": 2,
        "fileHandleId": second["fileHandleId"],
        "createdBy": "ada",
        **digests(b"kept"),
        "bytesKept": True,
        "activityId": None,
        "rule": None,
        "runId": None,
        "commit": None,
        "dirty": None,
        "reproducedBy": [],
        "generatedBy": None,
        "makings": [],
        "role": None,
        "meaning": None,
    }
    page = api.history(file, limit=1, after=api.history(file, limit=1)["next"])
    assert [version["versionNumber"] for version in page["results"]] == [1]
    assert "next" not in page


def test_the_story_of_a_version_is_whole(api: Api) -> None:
    """A version's story holds its activity, job and run; what is unknown is null."""
    api.run()
    made = api.activity(name="plot")
    file = api.file_in(api.project(), "a", query=f"?generatedBy={made['id']}")
    api.update(file, query="?newVersion=true")
    api.job("j1", activity=made["id"], files=[output(file)])
    first, second = api.story(file, 1), api.story(file, 2)

    assert first["activity"] == made
    assert first["job"]["job"]["id"] == "j1"
    assert first["job"]["files"] == [output(file)]
    assert (first["run"]["id"], first["run"]["status"]) == (RUN, "running")
    assert (second["activity"], second["job"], second["run"]) == (None, None, None)


def test_several_stories_are_told_at_once(api: Api) -> None:
    """In the order asked; of the latest making unless another is asked for; null for what there is not."""
    api.run()
    made, again = api.activity(name="plot"), api.activity(name="plot")
    file = api.file_in(api.project(), "a", query=f"?generatedBy={made['id']}")
    api.update(file, query="?newVersion=true")
    api.job("j1", activity=made["id"], files=[output(file)])
    api.job("j2", activity=again["id"], files=[output(file, outcome="reproduced")])
    asked = [(2, None), (1, None), (1, made["id"]), (1, "99"), (3, None)]
    versions = [{"entityId": file["id"], "versionNumber": number, "activityId": id_} for number, id_ in asked]
    versions.append({"entityId": "syn99", "versionNumber": 1})
    told = api.post("/snakeprov/v1/stories", {"versions": versions}, expect=200)["results"]

    assert [one and (one["previousVersionNumber"], one["job"] and one["job"]["job"]["id"]) for one in told] == [
        (1, None),
        (None, "j2"),
        (None, "j1"),
        None,
        None,
        None,
    ]
    assert told[1] == api.story(file, 1)


def test_stories_are_asked_for_within_bounds(api: Api) -> None:
    """More than a hundred stories, version 0 and what is no id are refused with the reason."""
    file = {"entityId": "syn1", "versionNumber": 1}

    def reason(*versions: Json) -> str:
        return api.reason("POST", "/snakeprov/v1/stories", {"versions": versions})

    assert reason(*[file] * 101) == "101 stories are asked for; at most 100 are allowed."
    assert "`int` >= 1" in reason({**file, "versionNumber": 0})
    assert "is not an entity id" in reason({**file, "entityId": "x"})
    assert "is not an activity id" in reason({**file, "activityId": "x"})


def test_an_activity_is_its_creators(api: Api) -> None:
    """Only who made an activity changes or deletes it, and only while it generated nothing."""
    activity = api.activity(name="a", activityType="MANUAL")
    url = f"/repo/v1/activity/{activity['id']}"
    changed = api.put(url, {**activity, "name": "b", "activityType": "UNDEFINED", "used": [used_url("https://x.org")]})

    assert activity["activityType"] == "MANUAL"
    assert changed["activityType"] == "UNDEFINED"
    assert changed["name"] == "b"
    assert changed["etag"] != activity["etag"]
    assert api.get(url) == changed
    assert "was updated since" in api.reason("PUT", url, activity, expect=412)
    eve = api.as_user("eve")
    assert "lacks change access" in eve.reason("PUT", url, changed, expect=403)
    assert "lacks change access" in eve.reason("DELETE", url, expect=403)
    file = api.file_in(api.project(), "f", query=f"?generatedBy={activity['id']}")
    assert "please first delete all Entities" in api.reason("DELETE", url)
    assert api.get(url + "/generated") == {
        "results": [{"targetId": file["id"], "targetVersionNumber": 1}],
        "totalNumberOfResults": 1,
    }
    api.delete(f"/repo/v1/entity/{file['id']}/generatedBy")
    api.delete(url)
    assert api.reason("GET", url, expect=404) == f"Activity with id '{activity['id']}' could not be found."
    api.delete(url, expect=404)
    assert api.activity()["id"] != activity["id"]


@pytest.mark.parametrize(
    ("item", "reason"),
    [
        ({"url": "https://x.org"}, "missing required field `concreteType`"),
        ({"concreteType": "Used", "url": "https://x.org"}, "Invalid value 'Used'"),
        (used_url("/usr/bin/bash"), "UsedURL url field is malformed: '/usr/bin/bash'"),
        (used_url("no scheme"), "malformed"),
        (used({"id": "file"}), "'file' is not an entity id"),
        (used({"id": "syn1"}, -1), "is not a version number"),
        (used({"id": "syn1"}, 2**70), "is not a version number"),
    ],
)
def test_what_cannot_have_been_used_is_refused(api: Api, item: Json, reason: str) -> None:
    """A used item needs a known type, and a URL or an entity id that can be one."""
    assert reason in api.reason("POST", "/repo/v1/activity", {"used": [item]})


@pytest.mark.parametrize("url", ["s3://bucket/key", "docker://image:1", "git+ssh://host/x", "file:///data/a b"])
def test_pipelines_urls_are_taken(api: Api, url: str) -> None:
    """Any URL with a scheme is fine, which is more than Synapse takes."""
    assert api.activity(used_url(url, name="n"))["used"] == [
        {"concreteType": MODEL + "provenance.UsedURL", "wasExecuted": False, "url": url, "name": "n"}
    ]


def test_odd_activity_ids_are_not_found(api: Api) -> None:
    """An id that no activity can have is not found, rather than malformed."""
    for id_ in ("syn999", "x", "9" * 30):
        assert "could not be found" in api.reason("GET", f"/repo/v1/activity/{id_}", expect=404)
