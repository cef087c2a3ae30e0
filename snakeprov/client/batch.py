"""Lists of requests that belong together, where a later one may refer to the answer to an earlier one.

A list is sent as one batch to a store that takes batches (one transaction: all or nothing), and request by
request to one that does not (Synapse).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from snakeprov.client.session import Session, quoted
from snakeprov.model.answers import BatchResults


@dataclass(frozen=True, slots=True)
class Ref:
    """Stands for the value `key` of the body that request number `result` of the same list answers."""

    result: int
    key: str


@dataclass(frozen=True, slots=True)
class Request:
    """One request of a list.

    Attributes:
        method: HTTP method.
        path: Path; where `path_ref` is given it holds one `{}` for it.
        body: JSON value, in which any value may be a `Ref`; structs and raw JSON are taken as they are.
        query: Parameters, whose values may be `Ref`s.
        path_ref: What to put in place of `{}`.
    """

    method: str
    path: str
    body: Any = None
    query: dict[str, Any] = field(default_factory=dict)
    path_ref: Ref | None = None


Results = Sequence[Any]
"""The bodies of the answers, in order of the requests."""


def send_together(
    session: Session, requests: Sequence[Request], *, repeatable: bool, batch_requests_max: int
) -> Results:
    """Send `requests` as one batch, or as several if they are too many; return the bodies of the answers, in order.

    Args:
        session: Where to.
        requests: In order; a `Ref` names an earlier one.
        repeatable: Whether sending the whole list twice does no harm.
        batch_requests_max: How many the store takes in one batch.

    Raises:
        ApiError: A request failed: `failed_request` is its position, and nothing was changed.
        UnreachableError: It is not known whether anything was changed.
    """
    results: list[Any] = []
    for start in range(0, len(requests), batch_requests_max):
        batch = [to_wire(_settle(one, results)) for one in requests[start : start + batch_requests_max]]
        body = {"requests": batch}
        answer = session.ask_with("/snakeprov/v1/batch", BatchResults, body, repeatable=repeatable)
        results += [result.body for result in answer.results]
    return results


def _settle(request: Request, results: Results) -> Request:
    """Return `request` with references to `results` resolved, and the others counted from the end of those."""
    if not results:
        return request
    path, path_ref = request.path, request.path_ref
    if path_ref is not None and path_ref.result < len(results):
        path, path_ref = path.replace("{}", quoted(str(resolve(path_ref, results)))), None
    elif path_ref is not None:
        path_ref = _shift(path_ref, results)
    return Request(request.method, path, _shift(request.body, results), _shift(request.query, results), path_ref)


def _shift(value: Any, results: Results) -> Any:
    match value:
        case Ref():
            done = value.result < len(results)
            return resolve(value, results) if done else Ref(value.result - len(results), value.key)
        case dict():
            return {key: _shift(one, results) for key, one in value.items()}
        case list():
            return [_shift(one, results) for one in value]
        case _:
            return value


def send_one_by_one(session: Session, requests: Sequence[Request]) -> Results:
    """Send `requests` one after the other; return the bodies of the answers, in order.

    Raises:
        ApiError, UnreachableError: A request failed; those before it remain done.
    """
    results: list[Any] = []
    for one in requests:
        path = one.path.replace("{}", quoted(str(resolve(one.path_ref, results)))) if one.path_ref else one.path
        query = resolve(one.query, results)
        body = resolve(one.body, results)
        match one.method:
            case "GET":
                results.append(session.get(path, query))
            case "POST":
                results.append(session.post(path, body, query=query))
            case "PUT":
                results.append(session.put(path, body, query=query))
            case _:
                session.delete(path, query)
                results.append(None)
    return results


def to_wire(request: Request) -> dict[str, Any]:
    """Return `request` as the batch resource takes it: the references taken out and listed under `bind`.

    >>> to_wire(Request("POST", "/repo/v1/entity", {"name": "a", "parentId": Ref(0, "id")}))["bind"]
    [{'at': '/body/parentId', 'result': 0, 'key': 'id'}]
    """
    binds: list[dict[str, Any]] = []
    wire: dict[str, Any] = {"method": request.method, "path": request.path}
    if request.path_ref:
        binds.append({"at": "/path", "result": request.path_ref.result, "key": request.path_ref.key})
    if request.query:
        query = _extract(request.query, "/query", binds)
        wire["query"] = {name: value for name, value in query.items() if value is not None}
    if request.body is not None:
        wire["body"] = _extract(request.body, "/body", binds)
    if binds:
        wire["bind"] = binds
    return wire


def resolve(value: Any, results: Results) -> Any:
    """Return `value` with every `Ref` in it replaced by what it stands for.

    >>> resolve({"a": [Ref(0, "id")]}, [{"id": "syn1"}])
    {'a': ['syn1']}
    """
    match value:
        case Ref():
            return results[value.result][value.key]
        case dict():
            return {key: resolve(one, results) for key, one in value.items()}
        case list():
            return [resolve(one, results) for one in value]
        case _:
            return value


def _extract(value: Any, at: str, binds: list[dict[str, Any]]) -> Any:
    """Return a copy of `value` with null in place of each `Ref`, which is noted in `binds` with its JSON pointer."""
    match value:
        case Ref():
            binds.append({"at": at, "result": value.result, "key": value.key})
            return None
        case dict():
            return {
                key: _extract(one, f"{at}/{_pointer_token(key)}", binds) if isinstance(one, (Ref, dict, list)) else one
                for key, one in value.items()
            }
        case list():
            return [
                _extract(one, f"{at}/{position}", binds) if isinstance(one, (Ref, dict, list)) else one
                for position, one in enumerate(value)
            ]
        case _:
            return value


def _pointer_token(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1") if "~" in key or "/" in key else key
