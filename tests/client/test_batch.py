"""Requests that belong together keep their references, whether they are sent as one batch or one by one."""

from __future__ import annotations

from typing import Any

import pytest

from snakeprov.client import Ref, Request
from snakeprov.client.batch import send_one_by_one, send_together
from snakeprov.model.answers import BatchResult, BatchResults


class Wire:
    """Stands where the session stands and answers every request with what it was sent."""

    def __init__(self) -> None:
        self.batches: list[list[dict[str, Any]]] = []
        self.answered = 0

    def post(self, path: str, body: Any, *, query: Any = None, repeatable: bool = False) -> Any:
        return self._answer(body)

    def ask_with(self, path: str, type_: type[BatchResults], body: Any, *, repeatable: bool = True) -> BatchResults:
        assert path == "/snakeprov/v1/batch"
        self.batches.append(body["requests"])
        sent = [self._answer(one.get("body")) for one in body["requests"]]
        return BatchResults(results=[BatchResult(status=201, body=one) for one in sent])

    def put(self, path: str, body: Any = None, *, query: Any = None) -> Any:
        return self._answer({"path": path, "query": query, "body": body})

    def _answer(self, sent: Any) -> Any:
        self.answered += 1
        return {"id": f"syn{self.answered}", "sent": sent}


REQUESTS = [
    Request("POST", "/repo/v1/entity", {"name": "project"}),
    Request("POST", "/repo/v1/entity", {"name": "a/b~c", "deep": [{"parentId": Ref(0, "id")}]}),
    Request("PUT", "/repo/v1/entity/{}/generatedBy", None, {"generatedBy": Ref(0, "id")}, path_ref=Ref(1, "id")),
]


def test_references_are_listed_beside_a_batch() -> None:
    """A JSON pointer says where the store puts each answer."""
    wire = Wire()
    send_together(wire, REQUESTS, repeatable=False, batch_requests_max=10)  # type: ignore[arg-type]

    (batch,) = wire.batches
    assert batch[2]["query"] == {}
    assert [one.get("bind") for one in batch] == [
        None,
        [{"at": "/body/deep/0/parentId", "result": 0, "key": "id"}],
        [{"at": "/path", "result": 1, "key": "id"}, {"at": "/query/generatedBy", "result": 0, "key": "id"}],
    ]


def test_references_are_filled_in_when_requests_go_one_by_one() -> None:
    """A store without batches gets the same requests, each with the answers that came before it."""
    results = send_one_by_one(Wire(), REQUESTS)  # type: ignore[arg-type]

    assert results[1]["sent"]["deep"] == [{"parentId": "syn1"}]
    assert results[2]["sent"] == {
        "path": "/repo/v1/entity/syn2/generatedBy",
        "query": {"generatedBy": "syn1"},
        "body": None,
    }


@pytest.mark.parametrize("batch_requests_max", [1, 2])
def test_a_list_too_long_for_one_batch_goes_as_several(batch_requests_max: int) -> None:
    """References across batches are filled in, and those within one counted from its beginning."""
    wire = Wire()
    results = send_together(wire, REQUESTS, repeatable=False, batch_requests_max=batch_requests_max)  # type: ignore[arg-type]

    last = wire.batches[-1][-1]
    assert len(results) == 3
    assert last["path"] == "/repo/v1/entity/syn2/generatedBy"
    assert last["query"] == {"generatedBy": "syn1"}
    assert "bind" not in last
