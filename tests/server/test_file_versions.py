"""The versions of files that one question selects, whatever it selects them by."""

from __future__ import annotations

from typing import Any

import pytest

from .api import Api, Json, digests

VERSIONS = "/snakeprov/v1/versions"


def wanted(entity: Json, version: int) -> Json:
    return {"entityId": entity["id"], "versionNumber": version}


def test_versions_are_told_in_the_order_asked(api: Api) -> None:
    """Each with its path, its content and who recorded it; what there is not is left out."""
    project = api.project()
    kept = api.file_in(api.folder_in(project, "results"), "a.txt", handle=api.handle(b"kept", keep=True))
    other = api.file_in(project, "b.txt", handle=api.handle(b"other"))
    asked = [wanted(other, 1), wanted(kept, 1), wanted(kept, 2), wanted(kept, 1), wanted({"id": "syn999"}, 1)]
    second, first = api.versions(ids=asked)["results"]

    assert (first["path"], first["bytesKept"], first["createdBy"]) == ("results/a.txt", True, "ada")
    assert {**first, **digests(b"kept")} == first
    assert (second["entityId"], second["bytesKept"], second["projectId"]) == (other["id"], False, project["id"])
    assert "activityId" not in first


def test_a_version_is_told_alike_whatever_it_is_selected_by(api: Api) -> None:
    """Its id, its file, its path, the beginning of its path, and its content; and so are its makings."""
    api.run()
    made = api.activity()
    file = api.file_in(api.project(), "a", handle=api.handle(b"x", keep=True), query=f"?generatedBy={made['id']}")
    role: Json = {"role": "output", "path": "a", "outcome": "generated", "entityId": file["id"], "versionNumber": 1}
    api.job("j1", activity=made["id"], files=[role])
    known = digests(b"x")
    by: list[Json] = [{"ids": [wanted(file, 1)]}, {"entityId": file["id"]}, {"path": "a"}, {"prefix": ""}]
    by += [{"sha256": known["sha256"][:8]}, {"md5": known["md5"]}]
    for include in ([], ["makings"]):
        (first, *others) = [api.versions(**one, include=include)["results"] for one in by]
        assert [one["role"] for one in first] == ["output"]
        assert [one.get("rule") for one in first] == (["plot"] if include else [None])
        assert all(other == first for other in others)


def test_versions_with_a_content_come_newest_first_in_pages(api: Api) -> None:
    """Each once, in one project or in all; one recorded between two pages is not on the second."""
    for name in ("P", "Q"):
        project = api.project(name)
        for file in ("a", "b"):
            api.file_in(project, file, handle=api.handle(b"same", keep=True))
    sha256 = digests(b"same")["sha256"]

    def ask(**more: Any) -> tuple[list[str], str]:
        answer = api.versions(sha256=sha256, **more)
        return [f"{one['projectName']}/{one['path']}" for one in answer["results"]], answer.get("next", "")

    whole, end = ask()
    first, following = ask(limit=3)
    api.file_in(project, "c", handle=api.handle(b"same", keep=True))
    second, last = ask(limit=3, after=following)
    assert (whole, end) == (["Q/b", "Q/a", "P/b", "P/a"], "")
    assert (first + second, last) == (whole, "")
    assert ask(project="P")[0] == ["P/b", "P/a"]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({}, "One of 'ids', 'entityId', 'path', 'prefix', 'sha256' and 'md5' was expected."),
        ({"path": "a", "prefix": "a"}, "One of 'ids', 'entityId', 'path', 'prefix', 'sha256' and 'md5' was expected."),
        ({"project": "P"}, "One of 'ids', 'entityId', 'path', 'prefix', 'sha256' and 'md5' was expected."),
        ({"ids": [{"entityId": "syn1", "versionNumber": 1}] * 1001}, "1001 versions are asked for; at most 1000"),
        ({"ids": [{"entityId": "x", "versionNumber": 1}]}, "'x' is not an entity id"),
        ({"ids": [{"entityId": "syn1", "versionNumber": 2**63}]}, "$.ids[0].versionNumber"),
        ({"sha256": "abcdef"}, "sha256='abcdef': a digest, or its first 8 to 64 hexadecimal digits, was expected."),
        ({"md5": "g" * 32}, "a digest, or its first 8 to 32"),
        ({"path": "a", "limit": 0}, "$.limit"),
        ({"path": "a", "include": ["stories"]}, "$.include[0]"),
    ],
)
def test_what_is_wrong_with_a_question_is_said(api: Api, body: Json, reason: str) -> None:
    """In a sentence that names it."""
    assert reason in api.reason("POST", VERSIONS, body)
