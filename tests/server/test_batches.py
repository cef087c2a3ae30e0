"""Many requests in one transaction."""

from __future__ import annotations

from typing import Any

import pytest

from .api import MODEL, Api, Json, used_url

PATH = "/snakeprov/v1/batch"


def batch(*requests: Json) -> Json:
    return {"requests": list(requests)}


def request(method: str, path: str, body: Any = None, *, bind: list[Json] | None = None, **query: str) -> Json:
    made: Json = {"method": method, "path": path, "query": query, "bind": bind or []}
    return made if body is None else {**made, "body": body}


def bound(at: str, result: int, key: str = "id") -> Json:
    return {"at": at, "result": result, "key": key}


PROJECT = request("POST", "/repo/v1/entity", {"concreteType": MODEL + "Project", "name": "P"})


def test_a_request_can_use_the_answers_before_it(api: Api) -> None:
    """Values of earlier answers reach the path, the query and the body of a later request."""
    handle = api.handle()
    file = {"concreteType": MODEL + "FileEntity", "name": "a", "dataFileHandleId": handle}
    annotations = {"etag": "", "annotations": {"k": {"type": "STRING", "value": [""]}}}
    results = api.post(
        PATH,
        batch(
            PROJECT,
            request("POST", "/repo/v1/activity", {"name": "made", "used": [used_url("s3://bucket/key")]}),
            request("POST", "/repo/v1/entity", file, bind=[bound("/body/parentId", 0), bound("/query/generatedBy", 1)]),
            request(
                "PUT",
                "/repo/v1/entity/{}/annotations2",
                annotations,
                bind=[
                    bound("/path", 2),
                    bound("/body/etag", 2, "etag"),
                    bound("/body/annotations/k/value/0", 2, "versionNumber"),
                ],
            ),
        ),
        expect=400,
    )
    assert results["failedRequest"] == 3
    assert "Expected `str`, got `int`" in results["reason"]

    annotations["annotations"]["k"]["value"] = []
    bodies = api.post(
        PATH,
        batch(
            PROJECT,
            request("POST", "/repo/v1/activity", {"name": "made"}),
            request("POST", "/repo/v1/entity", file, bind=[bound("/body/parentId", 0), bound("/query/generatedBy", 1)]),
            request(
                "PUT",
                "/repo/v1/entity/{}/annotations2",
                annotations,
                bind=[bound("/path", 2), bound("/body/etag", 2, "etag")],
            ),
            request("DELETE", "/repo/v1/entity/{}/generatedBy", bind=[bound("/path", 2)]),
        ),
        expect=200,
    )["results"]
    assert [item["status"] for item in bodies] == [201, 201, 201, 200, 204]
    assert "body" not in bodies[4]
    assert bodies[2]["body"]["parentId"] == bodies[0]["body"]["id"]


def test_a_batch_happens_as_a_whole_or_not_at_all(api: Api) -> None:
    """When a request fails nothing is kept, and the answer says which it was and why."""
    answer = api.post(PATH, batch(PROJECT, PROJECT), expect=409)

    assert answer["failedRequest"] == 1
    assert answer["reason"] == "An entity with the name: P already exists with a parentId: syn0"
    assert api.get("/snakeprov/v1/status")["notes"] == []
    assert api.post("/repo/v1/entity/children", {"includeTypes": ["project"]}, expect=200) == {"page": []}


@pytest.mark.parametrize(
    ("second", "status", "reason"),
    [
        (request("POST", "/snakeprov/v1/batch", batch()), 400, "cannot be part of a batch"),
        (request("POST", "/snakeprov/v1/localFiles", {"files": []}), 400, "cannot be part of a batch"),
        (request("PUT", "/file/v1/file/multipart/1/complete"), 400, "cannot be part of a batch"),
        (request("GET", "/snakeprov/v1/blobs/" + "0" * 64), 400, "moves bytes"),
        (request("GET", "/nowhere"), 404, "There is no such resource."),
        (request("PATCH", "/repo/v1/entity"), 405, "supported: POST."),
        (request("GET", "/repo/v1/entity/{}", bind=[bound("/path", 1)]), 400, "asks for answer 1; there are 1 before"),
        (request("GET", "/repo/v1/entity/{}", bind=[bound("/path", 0, "no")]), 400, "Answer 0 has no 'no'."),
        (request("GET", "/repo/v1/entity/1", bind=[bound("/path", 0)]), 400, "needs exactly one '{}'"),
        (request("GET", "/repo/v1/entity/1", bind=[bound("/header/x", 0)]), 400, "a binding goes to /path"),
        (request("POST", "/repo/v1/activity", {}, bind=[bound("/body/used/0", 0)]), 400, "has no place '/body/used/0'"),
        (request("POST", "/repo/v1/activity", [1], bind=[bound("/body/7", 0)]), 400, "has no place '/body/7'"),
        (request("POST", "/repo/v1/activity", bind=[bound("/body/name", 0)]), 400, "has no place '/body/name'"),
    ],
)
def test_what_cannot_be_batched_is_told(api: Api, second: Json, status: int, reason: str) -> None:
    """A request that cannot be part of a batch, or a binding that leads nowhere, fails the batch with a sentence."""
    answer = api.post(PATH, batch(PROJECT, second), expect=status)

    assert answer["failedRequest"] == 1
    assert reason in answer["reason"]


def test_json_pointers_are_unescaped(api: Api) -> None:
    """`~1` and `~0` in a binding stand for a slash and a tilde (RFC 6901)."""
    annotations = {"annotations": {"a/b~c": {"type": "STRING", "value": ["x"]}}}
    note = request(
        "PUT",
        "/repo/v1/entity/{}/annotations2",
        annotations,
        bind=[bound("/path", 0), bound("/body/etag", 0, "etag"), bound("/body/annotations/a~1b~0c/value/0", 0)],
    )
    noted = api.post(PATH, batch(PROJECT, note), expect=200)["results"][1]["body"]

    assert noted["annotations"]["a/b~c"]["value"] == [noted["id"]]


def test_a_batch_is_bounded(api: Api) -> None:
    """More requests than the server says it takes are refused."""
    most = api.get("/snakeprov/v1")["maxBatchRequests"]
    one = b'{"method":"GET","path":"/"}'
    body = b'{"requests":[' + b",".join([one] * (most + 1)) + b"]}"

    assert f"at most {most} are allowed" in api.reason("POST", PATH, body)
