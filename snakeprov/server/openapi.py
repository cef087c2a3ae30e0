"""/snakeprov/v1/openapi.json: the description of the API, made from what services declare.

Must not know: what any resource does.
Source: OpenAPI Specification 3.1.0.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import msgspec

from snakeprov import __version__
from snakeprov.server.call import Call
from snakeprov.server.routes import all_services
from snakeprov.server.services import Access, Service, Services
from snakeprov.server.synapseanswers import ErrorResponse

service = Services("The server")

PATH = "/snakeprov/v1/openapi.json"

DIFFERS = "Differs:"
"""What a paragraph begins with that says how the design, Synapse and this server differ."""

Schema = dict[str, Any]
"""A JSON Schema, or another part of the description: which keys it has depends on what it describes."""

_REF = "#/components/schemas/{name}"
_STEP = re.compile(r"\{(\w+)\}")
_TEXT: Schema = {"type": "string"}
_POSITIVE: Schema = {"type": "integer", "minimum": 1}

_PATH_PARAMETERS: dict[str, Schema] = {
    "version": _POSITIVE,
    "part": _POSITIVE,
    "md5": {"type": "string", "pattern": "^[0-9a-fA-F]{32}$"},
    "sha256": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
}
_NUMBER = {"type": "string", "pattern": "^[0-9]{1,18}$"}
_RUN_OR_JOB_ID = {"type": "string", "pattern": "^[0-9A-Za-z_-]{1,64}$"}
_ENTITY_ID = {"type": "string", "pattern": "^([sS][yY][nN])?[0-9]{1,18}$"}
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
_BYTES: Schema = {"application/octet-stream": {"schema": {}}}


_SIGNATURE = [
    {"name": name, "in": "query", "required": True, "schema": _TEXT}
    for name in ("X-Amz-Date", "X-Amz-Expires", "X-Amz-Signature")
]
_RANGE = {"name": "Range", "in": "header", "required": False, "schema": _TEXT}


@service("GET", PATH, answer=Schema)
def served(call: Call) -> msgspec.Raw:
    """This description."""
    return msgspec.Raw(encoded(all_services()))


@lru_cache
def encoded(services: tuple[Service, ...]) -> bytes:
    """Return the description of some services, as JSON."""
    return msgspec.json.encode(document(services))


def document(services: Sequence[Service]) -> Schema:
    """Return the description of some services."""
    types = {type_ for one in services for type_ in (one.body, one.answer)} - {None, bytes, str}
    ordered = sorted(types | {ErrorResponse}, key=str)
    schemas, components = msgspec.json.schema_components(ordered, ref_template=_REF)
    by_type = dict(zip(ordered, schemas, strict=True))
    paths: dict[str, Schema] = {}
    for one in services:
        paths.setdefault(one.template, {})[one.method.lower()] = _operation(one, by_type)
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


def _operation(service: Service, by_type: dict[Any, Any]) -> Schema:
    summary, *more = service.told
    operation: Schema = {
        "operationId": _operation_id(service),
        "summary": summary,
        "tags": [service.section],
        "parameters": _parameters(service),
        "responses": {
            **_successes(service, by_type),
            **{status: {"$ref": f"#/components/responses/{status}"} for status in _ERRORS},
        },
    }
    if service.note:
        more.append(f"{DIFFERS} {service.note}")
    if more:
        operation["description"] = "\n\n".join(more)
    content = _BYTES if service.access.moves_bytes else {"application/json": {"schema": by_type.get(service.body)}}
    if service.body is not None or (service.access.moves_bytes and service.method == "PUT"):
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _successes(service: Service, by_type: dict[Any, Any]) -> Schema:
    done: Schema = {"description": "Done."}
    if service.answer is bytes:
        return {
            "200": {"description": "The bytes.", "content": _BYTES},
            "206": {"description": "The range of them that was asked for.", "content": _BYTES},
            "416": {"description": "The range begins after the end."},
        }
    if service.answer is str:
        done["content"] = {"text/plain": {"schema": _TEXT}}
    elif service.answer is not None:
        done["content"] = {"application/json": {"schema": by_type[service.answer]}}
    # Neither "no content" nor a redirection has a body.
    bodies = {status: done if status < 204 else {} for status in service.others}
    others = {str(status): bodies[status] | {"description": text} for status, text in service.others.items()}
    return {str(service.status): done, **others}


def _parameters(service: Service) -> list[Schema]:
    found = [
        {"name": name, "in": "path", "required": True, "schema": _path_parameter(service.template, name)}
        for name in _STEP.findall(service.template)
    ]
    for one in () if service.query is None else msgspec.structs.fields(service.query):
        found.append(
            {"name": one.encode_name, "in": "query", "required": one.required, "schema": _query_parameter(one)}
        )
    if service.access is Access.SIGNED:
        found += _SIGNATURE
    return [*found, _RANGE] if service.answer is bytes else found


def _query_parameter(field: msgspec.structs.FieldInfo) -> Schema:
    schema = msgspec.json.schema(field.type)
    # What is left out is None; nobody sends a null.
    (plain,) = [one for one in schema.get("anyOf", [schema]) if one != {"type": "null"}]
    return plain if field.default in (None, "", msgspec.NODEFAULT) else {**plain, "default": field.default}


def _path_parameter(template: str, name: str) -> Schema:
    if name == "id":
        if "/entity/{id}" in template:
            return _ENTITY_ID
        return _RUN_OR_JOB_ID if re.search("/(runs|jobs)/", template) else _NUMBER
    return _PATH_PARAMETERS[name]


def _operation_id(service: Service) -> str:
    steps = [step.strip("{}").replace(".", "_") for step in service.template.split("/") if step]
    return "_".join([service.method.lower(), *steps])
