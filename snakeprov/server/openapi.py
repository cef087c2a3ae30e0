"""/snakeprov/v1/openapi.json: the description of the API, made from the table of routes and the types of bodies.

Must not know: what any resource does.
Source: OpenAPI Specification 3.1.0.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from snakeprov import __version__
from snakeprov.server.call import Answer, Call
from snakeprov.server.routes import Access, Route

if TYPE_CHECKING:
    from snakeprov.server.operations import Operation

PATH = "/snakeprov/v1/openapi.json"

_REF = "#/components/schemas/{name}"
_STEP = re.compile(r"\{(\w+)\}")
_TEXT: dict[str, Any] = {"type": "string"}
_COUNT: dict[str, Any] = {"type": "integer", "minimum": 0}
_POSITIVE: dict[str, Any] = {"type": "integer", "minimum": 1}
_FLAG: dict[str, Any] = {"type": "boolean"}

_PATH_PARAMETERS: dict[str, Any] = {
    "version": _POSITIVE,
    "part": _POSITIVE,
    "md5": {"type": "string", "pattern": "^[0-9a-fA-F]{32}$"},
    "sha256": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
}
_NUMBER = {"type": "string", "pattern": "^[0-9]{1,18}$"}
_RUN_OR_JOB_ID = {"type": "string", "pattern": "^[0-9A-Za-z_-]{1,64}$"}
_ENTITY_ID = {"type": "string", "pattern": "^([sS][yY][nN])?[0-9]{1,18}$"}
_QUERY_PARAMETERS: dict[str, Any] = {
    "after": _TEXT,
    "depth": _POSITIVE,
    "direction": {"type": "string", "enum": ["upstream", "downstream"]},
    "entityId": _ENTITY_ID,
    "forceRestart": _FLAG,
    "generatedBy": {"type": "integer", "minimum": -1},
    "limit": _POSITIVE,
    "meaning": {"type": "string", "enum": ["again", "edited", "sameContent"]},
    "meaningOf": _ENTITY_ID,
    "meaningOfVersion": _POSITIVE,
    "mode": {"type": "integer", "minimum": 0, "maximum": 0o777},
    "md5": {"type": "string", "pattern": "^[0-9a-fA-F]{8,32}$"},
    "newVersion": _FLAG,
    "offset": _COUNT,
    "partMD5Hex": _TEXT,
    "path": _TEXT,
    "prefix": _TEXT,
    "project": _TEXT,
    "sha256": {"type": "string", "pattern": "^[0-9a-fA-F]{8,64}$"},
    "skipTrashCan": _FLAG,
    "under": _TEXT,
    "versionNumber": _POSITIVE,
    "whileJob": _RUN_OR_JOB_ID,
}
_ERRORS = {
    "400": "The request makes no sense as it is.",
    "401": "The access token is not valid.",
    "403": "The user may not.",
    "404": "There is no such thing, or it is in the trash.",
    "405": "The method is not supported here.",
    "409": "A name or an id is taken.",
    "412": "The thing was changed since it was read.",
    "413": "The body is too long.",
}
_BYTES: dict[str, Any] = {"application/octet-stream": {"schema": {}}}


def describing(routes: Sequence[Route]) -> Route:
    """Return the route that serves the description of some routes and of itself."""
    made: list[bytes] = []

    def serve(call: Call) -> Answer:
        """GET /openapi.json."""
        if not made:
            made.append(msgspec.json.encode(document([*routes, own])))
        return 200, msgspec.Raw(made[0])

    own = Route("GET", PATH, serve, Access.READS)
    return own


def document(routes: Sequence[Route]) -> dict[str, Any]:
    """Return the description of some routes, and of the resources whose bodies are bytes."""
    from snakeprov.server.synapseanswers import ErrorResponse

    described = [(route, operation_of(route)) for route in routes]
    types = {type_ for _, operation in described for type_ in (operation.body, operation.answer) if type_ is not None}
    ordered = sorted(types | {ErrorResponse}, key=str)
    schemas, components = msgspec.json.schema_components(ordered, ref_template=_REF)
    by_type = dict(zip(ordered, schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for route, operation in described:
        paths.setdefault(route.template, {})[route.method.lower()] = _operation(route, operation, by_type)
    for template, method, body in _byte_resources():
        paths.setdefault(template, {})[method] = body
    return {
        "openapi": "3.1.0",
        "info": {"title": "snakeprov", "version": __version__},
        "paths": paths,
        "components": {
            "schemas": components,
            "responses": {
                status: {
                    "description": text,
                    "content": {"application/json": {"schema": by_type[ErrorResponse]}},
                }
                for status, text in _ERRORS.items()
            },
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"token": []}, {}],
    }


def operation_of(route: Route) -> Operation:
    """Return what is said of a route."""
    # What only this description needs is not loaded in every process that records a job.
    from snakeprov.server.operations import OPERATIONS, Operation

    if route.template == PATH:
        return Operation("This description.", dict[str, Any])
    return OPERATIONS[route.handler]


def _operation(route: Route, operation: Operation, by_type: dict[Any, Any]) -> dict[str, Any]:
    body: dict[str, Any] = {
        "operationId": _operation_id(route),
        "summary": operation.summary,
        "tags": [route.template.split("/")[1] or "root"],
        "parameters": _parameters(route.template, operation.query),
        "responses": {
            **_successes(route, operation, by_type),
            **{status: {"$ref": f"#/components/responses/{status}"} for status in _ERRORS},
        },
    }
    if operation.note:
        body["description"] = operation.note
    if operation.body is not None:
        content = {"application/json": {"schema": by_type[operation.body]}}
        body["requestBody"] = {"required": True, "content": content}
    return body


def _successes(route: Route, operation: Operation, by_type: dict[Any, Any]) -> dict[str, Any]:
    answer: dict[str, Any] = {"description": "Done."}
    if operation.answer is not None:
        answer["content"] = {"application/json": {"schema": by_type[operation.answer]}}
    found = {str(operation.status): answer}
    if route.method == "PUT" and route.template.endswith("/generatedBy"):
        found["204"] = {"description": "The link is removed."}
    if route.method == "PUT" and route.template == "/snakeprov/v1/runs/{id}":
        found["200"] = answer
    return found


def _parameters(template: str, query: str) -> list[dict[str, Any]]:
    found = [
        {"name": name, "in": "path", "required": True, "schema": _path_parameter(template, name)}
        for name in _STEP.findall(template)
    ]
    for name in query.split():
        plain = name.rstrip("!")
        found.append({"name": plain, "in": "query", "required": name != plain, "schema": _QUERY_PARAMETERS[plain]})
    return found


def _path_parameter(template: str, name: str) -> dict[str, Any]:
    if name == "id":
        if "/entity/{id}" in template:
            return _ENTITY_ID
        return _RUN_OR_JOB_ID if re.search("/(runs|jobs)/", template) else _NUMBER
    parameter: dict[str, Any] = _PATH_PARAMETERS[name]
    return parameter


def _operation_id(route: Route) -> str:
    steps = [step.strip("{}").replace(".", "_") for step in route.template.split("/") if step]
    return "_".join([route.method.lower(), *steps])


def _byte_resources() -> list[tuple[str, str, dict[str, Any]]]:
    """Return what the table of routes does not hold: the resources whose bodies are bytes."""
    blob = "/snakeprov/v1/blobs/{sha256}"
    signed = [
        {"name": name, "in": "query", "required": True, "schema": _TEXT}
        for name in ("X-Amz-Date", "X-Amz-Expires", "X-Amz-Signature")
    ]
    ranged = {"name": "Range", "in": "header", "required": False, "schema": _TEXT}
    sent = {
        "200": {"description": "The bytes.", "content": _BYTES},
        "206": {"description": "The range of them that was asked for.", "content": _BYTES},
        "416": {"description": "The range begins after the end."},
    }
    errors = {status: {"$ref": f"#/components/responses/{status}"} for status in _ERRORS}
    inside = "A content, by digest. Of what is inside a recorded directory, the query names the directory."
    patch, document = "/snakeprov/v1/runs/{id}/patch", "/snakeprov/v1/jobs/{id}/environment"
    of_run = "How the code of a run differed from its commit, as a diff."
    of_job = "The document that describes what a job ran in."
    url = "/file/v1/fileHandle/{id}/url"
    download = "/snakeprov/v1/download/{id}"
    part = "/snakeprov/v1/upload/{id}/{part}"
    redirect = {"name": "redirect", "in": "query", "required": False, "schema": _FLAG}
    located = {
        "200": {"description": "The URL, with `redirect=false`.", "content": {"text/plain": {"schema": _TEXT}}},
        "307": {"description": "See there."},
    }

    def described(name: str, summary: str, parameters: list[Any], responses: dict[str, Any]) -> dict[str, Any]:
        return {
            "operationId": name,
            "summary": summary,
            "tags": ["bytes"],
            "parameters": parameters,
            "responses": {**responses, **errors},
        }

    taken = described(
        "put_part", "Takes the bytes of a part, under a signed URL.", [*_parameters(part, ""), *signed], {}
    )
    taken["responses"]["200"] = {"description": "Done."}
    taken["requestBody"] = {"required": True, "content": _BYTES}
    return [
        (blob, "get", described("get_blob", inside, [*_parameters(blob, "entityId versionNumber"), ranged], sent)),
        (url, "get", described("get_url", "Where the bytes are.", [*_parameters(url, ""), redirect], located)),
        (patch, "get", described("get_patch", of_run, [*_parameters(patch, ""), ranged], sent)),
        (document, "get", described("get_environment", of_job, [*_parameters(document, ""), ranged], sent)),
        (
            download,
            "get",
            described(
                "get_download",
                "The bytes of a file handle, under a signed URL.",
                [*_parameters(download, ""), *signed, ranged],
                sent,
            ),
        ),
        (part, "put", taken),
    ]
