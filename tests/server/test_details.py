"""What is known of many versions and jobs, in one answer."""

from __future__ import annotations

from .api import Api, Json, digests, used, used_url


def wanted(entity: Json, version: int) -> Json:
    return {"targetId": entity["id"], "targetVersionNumber": version}


def details(api: Api, *, versions: list[Json] | None = None, jobs: list[str] | None = None) -> Json:
    return dict(api.post("/snakeprov/v1/details", {"versions": versions or [], "jobs": jobs or []}, expect=200))


def test_versions_are_told_in_the_order_asked(api: Api) -> None:
    """Each with its path, its content and who recorded it; what there is not is left out."""
    project = api.project()
    kept = api.file_in(api.folder_in(project, "results"), "a.txt", handle=api.handle(b"kept", keep=True))
    other = api.file_in(project, "b.txt", handle=api.handle(b"other"))
    asked = [wanted(other, 1), wanted(kept, 1), wanted(kept, 2), wanted(kept, 1), {"targetId": "syn999"}]
    second, first = details(api, versions=asked)["versions"]

    assert (first["path"], first["bytesKept"], first["createdBy"]) == ("results/a.txt", True, "ada")
    assert {**first, **digests(b"kept")} == first
    assert (second["entityId"], second["bytesKept"], second["projectId"]) == (other["id"], False, project["id"])
    assert "activityId" not in first


def test_jobs_are_told_with_their_files_and_urls(api: Api) -> None:
    """Of each job the record, the versions it touched, and the URLs that its activity used."""
    api.run()
    project = api.project()
    raw = api.file_in(project, "raw")
    made = api.activity(used(raw, 1), used_url("s3://b/k", name="key"), used_url("https://x/code", executed=True))
    api.job("j1", activity=made["id"], files=[{"role": "input", "path": "raw", "outcome": "used"}])
    api.job("j2")
    first, second = details(api, jobs=["j1", "no such job", "j2", "j1"])["jobs"]

    assert (first["job"]["id"], first["activityId"], second["job"]["id"]) == ("j1", made["id"], "j2")
    assert first["files"] == [{"role": "input", "path": "raw", "outcome": "used"}]
    assert first["urls"] == [
        {"url": "s3://b/k", "wasExecuted": False, "name": "key"},
        {"url": "https://x/code", "wasExecuted": True},
    ]
    assert (second["files"], second["urls"]) == ([], []) and "activityId" not in second


def test_too_many_are_refused(api: Api) -> None:
    """An answer has a bound, which the reason names."""
    reason = api.reason("POST", "/snakeprov/v1/details", {"jobs": ["j"] * 1001})
    assert reason == "1001 jobs are asked for; at most 1000 are allowed."
    reason = api.reason("POST", "/snakeprov/v1/details", {"versions": [{"targetId": "x"}]})
    assert "'x' is not an entity id" in reason
