"""The JSON of the commands: the keys are a promise."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec.structs import replace

from snakeprov.model.answers import Done, History, JobFile, Lineage, RecordedJob, Run, Status, Story
from snakeprov.model.records import StoredJob
from snakeprov.view import documents

from ..answers import told_run, told_story

VERSION_KEYS = {
    *("entityId", "path", "versionNumber", "createdOn", "createdBy", "sha256", "md5", "sizeBytes", "bytesKept"),
    *("generatedBy", "activityId", "rule", "runId", "commit", "dirty", "reproducedBy", "makings", "role", "meaning"),
}
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


def printed(value: Any) -> Any:
    """Return a value as a command prints it; what is printed is of the type of the document."""
    encoded = msgspec.json.encode(value)
    assert msgspec.json.encode(msgspec.json.decode(encoded, type=type(value))) == encoded
    return msgspec.json.decode(encoded)


def test_log_has_its_keys_and_no_others(history: History) -> None:
    """`log PATH --json` is the entity and its versions, newest first; a raw input's activity is null."""
    got = printed(documents.log(history))
    assert list(got) == ["entity", "versions"]
    assert got["entity"] == {"id": "syn14", "name": "table.csv", "path": "results/table.csv"}
    assert [set(version) for version in got["versions"]] == [VERSION_KEYS] * 3
    assert [version["versionNumber"] for version in got["versions"]] == [3, 2, 1]
    assert got["versions"][2]["activityId"] is None


def test_show_has_its_keys_and_no_others(story: Story) -> None:
    """`show --json` is entity, version, activity, job and run, each with all its keys in a fixed order."""
    got = printed(documents.show(story))
    assert list(got) == ["entity", "version", "activity", "job", "run"]
    assert set(got["version"]) == VERSION_KEYS
    assert got["activity"] == story.activity
    assert list(got["job"]) == JOB_KEYS
    assert list(got["run"]) == RUN_KEYS
    assert list(got["run"]["git"]) == ["commit", "branch", "describe", "remote", "dirty"]
    assert [list(one) for one in got["job"]["inputs"]] == [["path", "entityId", "versionNumber", "sha256"]] * 2
    assert [one["path"] for one in got["job"]["outputs"]] == ["results/table.csv"]


def test_show_has_its_keys_even_where_nothing_is_known(story: Story) -> None:
    """What the wire form leaves out is there with the value that leaving it out means."""
    bare = StoredJob(id="1", run_id="2", rule="r", status="success")
    files = [JobFile(role="input", path="gone.txt", outcome="used")]
    got = printed(documents.show(replace(story, job=RecordedJob(job=bare, files=files), run=told_run("2"))))
    assert list(got["job"]) == JOB_KEYS
    assert got["job"]["attempt"] == 1
    assert got["job"]["params"] == got["job"]["wildcards"] == got["job"]["resources"] == {}
    assert got["job"]["inputs"] == [{"path": "gone.txt", "entityId": None, "versionNumber": None, "sha256": None}]
    assert got["run"] == {**dict.fromkeys(RUN_KEYS), "id": "2", "status": "success"}


def test_show_of_a_raw_input_has_nulls(story: Story) -> None:
    """A version that no job made has null for activity, job and run."""
    got = printed(documents.show(told_story(story.version)))
    assert (got["activity"], got["job"], got["run"]) == (None, None, None)


def test_show_of_a_job_without_a_file_has_no_version(story: Story) -> None:
    """`show job:ID --json` has the same keys; null for the entity and its version."""
    got = printed(documents.show(Done(activity=None, job=story.job, run=story.run)))
    assert list(got) == ["entity", "version", "activity", "job", "run"]
    assert (got["entity"], got["version"], got["activity"]) == (None, None, None)


def test_runs_is_a_list(run: Run) -> None:
    """`runs --json` is a list of runs with their jobs counted by status; a run without an end has null there."""
    other = told_run("2", status="running", started_on=run.started_on)
    got = printed(documents.runs([run, other]))
    assert [set(one) for one in got] == [{"id", "status", "startedOn", "endedOn", "commandLine", "jobs"}] * 2
    assert got[0]["jobs"] == {"success": 11, "failed": 1}
    assert (got[1]["status"], got[1]["endedOn"], got[1]["jobs"]) == ("running", None, {})


def test_lineage_and_status_have_their_keys() -> None:
    """`lineage --json` and `status --json` hold what is promised and nothing else."""
    lineage = Lineage(root="syn1.1", nodes=[], edges=[], truncated=False)
    assert printed(lineage) == {"root": "syn1.1", "nodes": [], "edges": [], "truncated": False}
    held = Status(
        entities=1,
        versions=2,
        activities=3,
        jobs=9,
        runs=9,
        stored_bytes=4,
        schema_version="1",
        journal_mode="wal",
        notes=[],
    )
    counts = {"entities": 1, "versions": 2, "activities": 3, "storedBytes": 4}
    place = {"store": "/s", "project": "p", "pending": 5, "failedDeliveries": 6}
    assert printed(documents.status(held, store="/s", project="p", pending=5, failed=6)) == {**place, **counts}
    assert printed(documents.status(None, store="/s", project="p", pending=5, failed=6)) == {
        **place,
        **dict.fromkeys(counts),
    }
