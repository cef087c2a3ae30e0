"""Making versions by PUT /entity/{id}/version, and annotations in both forms, over REST."""

from __future__ import annotations

from typing import Any

import pytest

from .api import Api


def test_the_service_of_2012_makes_the_next_version(api: Api) -> None:
    """It does so with the same content too, does not inherit the activity, and connects the one that is named."""
    first, second = api.activity()["id"], api.activity()["id"]
    file = api.file_in(api.project(), "a", query=f"?generatedBy={first}")
    url = f"/repo/v1/entity/{file['id']}/version"
    file = api.put(url, {**file, "versionLabel": None})
    assert file["versionNumber"] == 2
    api.get(f"/repo/v1/entity/{file['id']}/generatedBy", expect=404)
    file = api.put(f"{url}?generatedBy={second}", {**file, "versionLabel": "three"})

    assert (file["versionNumber"], file["versionLabel"]) == (3, "three")
    assert api.get(f"/repo/v1/entity/{file['id']}/generatedBy")["id"] == second
    assert api.get(f"/repo/v1/entity/{file['id']}/version/1/generatedBy")["id"] == first


def test_a_version_needs_a_file_and_its_etag(api: Api) -> None:
    """A folder has no versions; a stale etag is 412; somebody else's activity 403 and an unknown one 404."""
    folder = api.folder_in(api.project(), "f")
    file = api.file_in(folder, "a")
    foreign = api.as_user("eve").activity()["id"]
    url = f"/repo/v1/entity/{file['id']}/version"

    assert "only files have versions" in api.reason("PUT", f"/repo/v1/entity/{folder['id']}/version", folder)
    assert "was updated since" in api.reason("PUT", url, {**file, "etag": "stale"}, expect=412)
    assert "Only the user who created" in api.reason("PUT", f"{url}?generatedBy={foreign}", file, expect=403)
    assert "not found" in api.reason("PUT", f"{url}?generatedBy=999", file, expect=404)
    assert api.get(url)["totalNumberOfResults"] == 1


def test_the_two_forms_of_annotations_are_the_same_annotations(api: Api) -> None:
    """What is written in one form is read in the other, per version."""
    file = api.file_in(api.project(), "a")
    url = f"/repo/v1/entity/{file['id']}"
    old = {
        "etag": file["etag"],
        "stringAnnotations": {"color": ["red", "blue"]},
        "doubleAnnotations": {"x": [0.5]},
        "longAnnotations": {"n": [3]},
        "dateAnnotations": {"on": [1000]},
    }
    answer = api.put(f"{url}/annotations", old)
    assert answer["etag"] != file["etag"]
    new = api.get(f"{url}/annotations2")
    assert new["annotations"] == {
        "color": {"type": "STRING", "value": ["red", "blue"]},
        "x": {"type": "DOUBLE", "value": ["0.5"]},
        "n": {"type": "LONG", "value": ["3"]},
        "on": {"type": "TIMESTAMP_MS", "value": ["1000"]},
    }
    api.update(api.get(url), query="?newVersion=true", versionLabel=None)
    etag = api.get(url)["etag"]
    api.put(f"{url}/annotations2", {"etag": etag, "annotations": {"ok": {"type": "BOOLEAN", "value": ["true"]}}})

    assert api.get(f"{url}/version/1/annotations")["longAnnotations"] == {"n": [3]}
    assert api.get(f"{url}/annotations")["stringAnnotations"] == {"ok": ["true"]}
    assert api.get(f"{url}/annotations")["longAnnotations"] == {}


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        ({"stringAnnotations": {}}, 400, "needs the etag"),
        ({"etag": "stale"}, 412, "was updated since"),
        ({"etag": None, "stringAnnotations": {"a": ["1"]}, "longAnnotations": {"a": [1]}}, 400, "values of two types"),
        ({"etag": None, "blobAnnotations": {"a": ["eA=="]}}, 400, "are not kept"),
        ({"etag": None, "doubleAnnotations": {"a": [None]}}, 400, "is null"),
        ({"etag": None, "longAnnotations": {"a": [2**63]}}, 400, "which is no LONG"),
        ({"etag": None, "longAnnotations": {"a": ["x"]}}, 400, "not what was expected"),
    ],
)
def test_annotations_of_2012_are_checked(api: Api, body: dict[str, Any], status: int, reason: str) -> None:
    """What cannot be kept is refused; nothing changes."""
    file = api.file_in(api.project(), "a")
    if body.get("etag", "") is None:
        body = {**body, "etag": file["etag"]}

    assert reason in api.reason("PUT", f"/repo/v1/entity/{file['id']}/annotations", body, expect=status)
    assert api.get(f"/repo/v1/entity/{file['id']}")["etag"] == file["etag"]


def test_annotations_of_an_old_version_are_read_only(api: Api) -> None:
    """The design has no service that changes them: the method is not there (405)."""
    file = api.file_in(api.project(), "a")
    for form in ("annotations", "annotations2"):
        url = f"/repo/v1/entity/{file['id']}/version/1/{form}"
        assert "not supported" in api.reason("PUT", url, {}, expect=405)
        assert "not supported" in api.reason("DELETE", url, expect=405)
    assert "not supported" in api.reason("PUT", f"/repo/v1/entity/{file['id']}/version/1", file, expect=405)


def test_head_answers_as_get_does_without_a_body(api: Api) -> None:
    """HEAD has the status of GET, also where that is an error, and no body."""
    project = api.project()

    assert api.ask("HEAD", f"/repo/v1/entity/{project['id']}").status_code == 200
    assert api.ask("HEAD", "/repo/v1/entity/syn99").status_code == 404
    assert api.ask("HEAD", f"/repo/v1/entity/{project['id']}").content == b""
