"""/snakeprov/v1/batch: many requests in one transaction, each able to use the answers to those before it.

Must not know: any resource. Each request is run by the very handler that would run it alone.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote, unquote

import falcon
import msgspec

from snakeprov.model.answers import BatchResult, BatchResults
from snakeprov.server.call import Answer, Call
from snakeprov.server.refusals import Refusal, bad_request, body_of, shown
from snakeprov.server.services import Access, Services

service = Services("The server")

REQUESTS_MAX = 50_000
"""How many requests one batch can hold."""

BINDINGS_MAX = 100_000
"""How many values one request can take from the answers before it."""

_INDEX = re.compile(r"0|[1-9][0-9]{0,8}")


class Binding(msgspec.Struct):
    """Put the value `key` of the body of answer `result` at `at`."""

    at: str
    result: int
    key: str


class BatchedRequest(msgspec.Struct):
    """One request of a batch."""

    method: str
    path: str
    query: dict[str, str] = {}
    body: msgspec.Raw = msgspec.field(default_factory=msgspec.Raw)
    bind: list[Binding] = []


class BatchBody(msgspec.Struct):
    """The requests."""

    requests: list[BatchedRequest]


@service("POST", "/snakeprov/v1/batch", access=Access.OWN)
def run(call: Call, body: BatchBody) -> BatchResults:
    """Many requests in one transaction, each able to use the answers to those before it."""
    requests = body.requests
    if len(requests) > REQUESTS_MAX:
        raise bad_request(f"The batch has {len(requests)} requests; at most {REQUESTS_MAX} are allowed.")
    results: list[BatchResult] = []
    with call.writing():
        for index, request in enumerate(requests):
            try:
                status, answer = _run_one(call, request, results)
            except falcon.HTTPError as error:
                reason: str = body_of(error)["reason"]
                raise Refusal(error.status_code, reason, failed_request=index) from error
            results.append(BatchResult(status=status, body=answer))
    return BatchResults(results=results)


def _run_one(call: Call, request: BatchedRequest, results: list[BatchResult]) -> Answer:
    path, query = request.path, request.query
    raw = bytes(request.body)
    decoded: Any = msgspec.UNSET
    if request.bind:
        if len(request.bind) > BINDINGS_MAX:
            raise bad_request(f"The request has {len(request.bind)} bindings; at most {BINDINGS_MAX} are allowed.")
        if raw:
            decoded = _decoded(raw)
        for binding in request.bind:
            value = _value(binding, results)
            if binding.at == "/path":
                path = _with_value(path, value)
            elif binding.at.startswith("/query/"):
                query[_token(binding.at[len("/query/") :])] = str(value)
            elif binding.at.startswith("/body/"):
                _put(decoded, binding.at, value)
            else:
                raise bad_request(f"{shown(binding.at)}: a binding goes to /path, /query/NAME or /body/….")
    nested = Call(
        call.server,
        call.user,
        base_url=call.base_url,
        route={},
        query=query,
        body=raw,
        decoded=decoded,
    )
    nested.tx = call.tx
    return call.server.run(nested, request.method, unquote(path))


def _decoded(raw: bytes) -> Any:
    try:
        return msgspec.json.decode(raw)
    except (msgspec.DecodeError, RecursionError) as error:
        raise bad_request(f"The body is not valid JSON, or is nested too deeply: {error}.") from error


def _value(binding: Binding, results: list[BatchResult]) -> Any:
    if not 0 <= binding.result < len(results):
        raise bad_request(f"A binding asks for answer {binding.result}; there are {len(results)} before this request.")
    body = msgspec.to_builtins(results[binding.result].body)
    if not isinstance(body, dict) or binding.key not in body:
        raise bad_request(f"Answer {binding.result} has no {binding.key!r}.")
    value = body[binding.key]
    if not isinstance(value, str | int):
        raise bad_request(f"The {binding.key!r} of answer {binding.result} is neither text nor a number.")
    return value


def _with_value(path: str, value: Any) -> str:
    if path.count("{}") != 1:
        raise bad_request(f"The path {shown(path)} needs exactly one '{{}}' for the value that is bound to it.")
    return path.replace("{}", quote(str(value), safe=""))


def _put(body: Any, pointer: str, value: Any) -> None:
    """Set what a JSON pointer (RFC 6901) names below /body; everything but its last step must exist."""
    target = body
    steps = [_token(step) for step in pointer.split("/")[2:]]
    for step in steps[:-1]:
        target = _step(target, step, pointer)
    last = steps[-1]
    if isinstance(target, dict):
        target[last] = value
    elif isinstance(target, list) and _INDEX.fullmatch(last) and int(last) < len(target):
        target[int(last)] = value
    else:
        raise bad_request(f"The body has no place {shown(pointer)} for the value that is bound to it.")


def _step(target: Any, step: str, pointer: str) -> Any:
    if isinstance(target, dict) and step in target:
        return target[step]
    if isinstance(target, list) and _INDEX.fullmatch(step) and int(step) < len(target):
        return target[int(step)]
    raise bad_request(f"The body has no place {shown(pointer)} for the value that is bound to it.")


def _token(step: str) -> str:
    return step.replace("~1", "/").replace("~0", "~")
