"""The JSON of the commands: the keys are a promise."""

from __future__ import annotations

from typing import Any

from snakeprov.view import answers

Json = dict[str, Any]

VERSION_KEYS = [
    *("versionNumber", "createdOn", "createdBy", "sha256", "md5", "sizeBytes", "bytesKept"),
    *("generatedBy", "activityId", "rule", "runId", "commit", "dirty", "reproducedBy", "makings", "role", "meaning"),
]
JOB_KEYS = [
    *("id", "rule", "status", "wildcards", "params", "shellcmd", "script", "threads", "resources", "inputs", "outputs"),
    *(
        "logs",
        "code",
        "environmentDigest",
        "reason",
        "attempt",
        "startedOn",
        "endedOn",
        "exitCode",
        "error",
        "logExcerpt",
    ),
]
RUN_KEYS = [
    *("id", "commandLine", "snakemakeVersion", "status", "startedOn", "endedOn", "host", "user", "git"),
]


def test_log_has_its_keys_and_no_others(history: Json) -> None:
    """`log PATH --json` is the entity and its versions, newest first; a raw input's activity is null."""
    got = answers.history(history)
    assert list(got) == ["entity", "versions"]
    assert got["entity"] == {"id": "syn14", "name": "table.csv", "path": "results/table.csv"}
    assert [list(version) for version in got["versions"]] == [VERSION_KEYS] * 3
    assert [version["versionNumber"] for version in got["versions"]] == [3, 2, 1]
    assert got["versions"][2]["activityId"] is None


def test_show_has_its_keys_and_no_others(story: Json) -> None:
    """`show --json` is entity, version, activity, job and run, each with all its keys in a fixed order."""
    got = answers.story(story)
    assert list(got) == ["entity", "version", "activity", "job", "run"]
    assert list(got["version"]) == VERSION_KEYS
    assert got["activity"] is story["activity"]
    assert list(got["job"]) == JOB_KEYS
    assert list(got["run"]) == RUN_KEYS
    assert list(got["run"]["git"]) == ["commit", "branch", "describe", "remote", "dirty"]
    assert [list(one) for one in got["job"]["inputs"]] == [["path", "entityId", "versionNumber", "sha256"]] * 2
    assert [one["path"] for one in got["job"]["outputs"]] == ["results/table.csv"]


def test_show_has_its_keys_even_where_nothing_is_known(story: Json) -> None:
    """What the wire form leaves out is there with the value that leaving it out means."""
    bare = {"id": "1", "runId": "2", "rule": "r", "status": "success"}
    files = [{"role": "input", "path": "gone.txt", "outcome": "used"}]
    got = answers.story({**story, "job": {"job": bare, "files": files}, "run": {"id": "2"}})
    assert list(got["job"]) == JOB_KEYS
    assert got["job"]["attempt"] == 1
    assert got["job"]["params"] == got["job"]["wildcards"] == got["job"]["resources"] == {}
    assert got["job"]["inputs"] == [{"path": "gone.txt", "entityId": None, "versionNumber": None, "sha256": None}]
    assert got["run"] == {**dict.fromkeys(RUN_KEYS), "id": "2", "status": "running"}


def test_show_of_a_raw_input_has_nulls(story: Json) -> None:
    """A version that no job made has null for activity, job and run, whether the answer says so or leaves them out."""
    for answer in ({**story, "activity": None, "job": None, "run": None}, {k: story[k] for k in ("entity", "version")}):
        got = answers.story(answer)
        assert (got["activity"], got["job"], got["run"]) == (None, None, None)


def test_runs_is_a_list(run: Json) -> None:
    """`runs --json` is a list of runs with their jobs counted by status; a run without an end has null there."""
    other = {"id": "2", "startedOn": "2026-11-22T11:56:30.000Z"}
    got = answers.runs({"results": [run, other], "totalNumberOfResults": 2})
    assert [set(one) for one in got] == [{"id", "status", "startedOn", "endedOn", "commandLine", "jobs"}] * 2
    assert got[0]["jobs"] == {"success": 11, "failed": 1}
    assert (got[1]["status"], got[1]["endedOn"], got[1]["jobs"]) == ("running", None, {})


def test_lineage_and_status_have_their_keys() -> None:
    """`lineage --json` and `status --json` hold what is promised and nothing else."""
    lineage = {"root": "syn1.1", "nodes": [], "edges": [], "truncated": False}
    assert answers.lineage({**lineage, "more": 1}) == lineage
    counts = {"entities": 1, "versions": 2, "activities": 3, "storedBytes": 4}
    got = answers.status({**counts, "journalMode": "wal"}, store="/s", project="p", pending=5, failed=6)
    assert got == {"store": "/s", "project": "p", "pending": 5, "failedDeliveries": 6, **counts}
