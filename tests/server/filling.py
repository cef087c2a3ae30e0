"""A store with a little of everything, for the tests that send what nobody should."""

from __future__ import annotations

from .api import Api, used, used_url

JOB = "1" * 32


def fill(api: Api) -> None:
    project = api.project("P")
    folder = api.folder_in(project, "results")
    file = api.file_in(folder, "a.txt", handle=api.handle(b"x", keep=True))
    activity = api.activity(used(file, 1), used_url("https://example.org/x", executed=True), name="plot")
    out = api.file_in(project, "b.txt", handle=api.handle(b"y"), query=f"?generatedBy={activity['id']}")
    api.update(out, query="?newVersion=true", versionLabel=None)
    api.activity()
    api.run(status="success")
    made = {"role": "output", "path": "b.txt", "outcome": "generated", "entityId": out["id"], "versionNumber": 1}
    api.job(JOB, files=[made], activity=activity["id"])
    upload = {"fileName": "a", "fileSizeBytes": 9, "partSizeBytes": 5 * 1024 * 1024, "contentMD5Hex": "0" * 32}
    api.post("/file/v1/file/multipart", upload, expect=200)
    api.delete(f"/repo/v1/entity/{api.file_in(project, 'c.txt')['id']}")
