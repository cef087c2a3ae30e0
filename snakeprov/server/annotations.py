"""/repo/v1/entity/{id}/annotations2: what is noted about a version.

Must not know: how rows are kept.
Source: Synapse's JSON schemas `annotation/v2/*`.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import msgspec

from snakeprov.db import entities, revisions
from snakeprov.db.access import UPDATE
from snakeprov.db.entities import EntityRow
from snakeprov.model.annotations import AnnotationsValue
from snakeprov.model.entities import Body
from snakeprov.server import synapseanswers as synapse
from snakeprov.server.call import Call
from snakeprov.server.entities import check_etag, existing
from snakeprov.server.refusals import bad_request, shown
from snakeprov.server.services import Services

service = Services("Annotations")

KEYS_MAX = 100
VALUES_MAX = 100
KEY_CHARS_MAX = 256
VALUE_CHARS_MAX = 10_000

_INTEGER = re.compile(r"[+-]?[0-9]{1,19}")


class AnnotationsBody(msgspec.Struct):
    """The annotations of an entity."""

    etag: str | None = None
    annotations: dict[str, AnnotationsValue] = {}


@service("GET", "/repo/v1/entity/{id}/annotations2", answer=synapse.AnnotationsAnswer)
def read(call: Call) -> Body:
    """Annotations."""
    return body_of(call, existing(call, call.entity_id()))


@service("GET", "/repo/v1/entity/{id}/version/{version}/annotations2", answer=synapse.AnnotationsAnswer)
def read_version(call: Call) -> Body:
    """Annotations of a version."""
    return body_of(call, existing(call, call.entity_id(), number=call.version()))


@service(
    "PUT",
    "/repo/v1/entity/{id}/annotations2",
    answer=synapse.AnnotationsAnswer,
    note="Synapse allows letters, digits, underscores and dots in their names; here a name can be any text.",
)
def replace(call: Call, body: AnnotationsBody) -> Body:
    """Replaces the annotations of the current version, with the etag of the entity, which changes."""
    row = with_etag(call, body.etag)
    return {"id": f"syn{row.id}", "etag": put(call, row, body.annotations), "annotations": body.annotations}


def with_etag(call: Call, etag: str | None) -> EntityRow:
    """Return the entity that the path names, whose annotations are to be changed and whose etag must be `etag`."""
    row = existing(call, call.entity_id(), need=UPDATE)
    if etag is None:
        raise bad_request("An update needs the etag of the entity as it was read.")
    check_etag(row, etag)
    return row


def put(call: Call, row: EntityRow, annotations: dict[str, AnnotationsValue]) -> str:
    """Replace the annotations of the version that is `row`; return the new etag of the entity."""
    _check(annotations)
    json = msgspec.json.encode(annotations)
    revisions.set_annotations(call.tx, row.id, row.number, json=json.decode(), user=call.user.id)
    return entities.touch(call.tx, row.id)


def of(call: Call, row: EntityRow) -> dict[str, AnnotationsValue]:
    """Return the annotations of a version."""
    json = revisions.annotations_of(call.tx, row.id, row.number)
    return {} if json is None else msgspec.json.decode(json, type=dict[str, AnnotationsValue])


def body_of(call: Call, row: EntityRow) -> Body:
    """Return the annotations of a version as they go over the wire."""
    json = revisions.annotations_of(call.tx, row.id, row.number)
    return {"id": f"syn{row.id}", "etag": row.etag, "annotations": msgspec.Raw((json or "{}").encode())}


def _check(annotations: dict[str, AnnotationsValue]) -> None:
    if len(annotations) > KEYS_MAX:
        raise bad_request(f"There are {len(annotations)} annotations; at most {KEYS_MAX} are allowed.")
    for key, item in annotations.items():
        if not 1 <= len(key) <= KEY_CHARS_MAX:
            raise bad_request(f"The annotation {shown(key)} needs a key of 1 to {KEY_CHARS_MAX} characters.")
        if len(item.value) > VALUES_MAX:
            raise bad_request(
                f"The annotation {shown(key)} has {len(item.value)} values; at most {VALUES_MAX} are allowed."
            )
        is_valid = _VALID[item.type]
        for value in item.value:
            if len(value) > VALUE_CHARS_MAX:
                raise bad_request(
                    f"A value of the annotation {shown(key)} has {len(value)} characters; "
                    f"at most {VALUE_CHARS_MAX} are allowed."
                )
            if not is_valid(value):
                raise bad_request(f"The annotation {shown(key)} has the value {shown(value)}, which is no {item.type}.")


def _is_double(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return "_" not in text


def _is_long(text: str) -> bool:
    return _INTEGER.fullmatch(text) is not None and -(2**63) <= int(text) < 2**63


_VALID: dict[str, Callable[[str], bool]] = {
    "STRING": lambda text: True,
    "DOUBLE": _is_double,
    "LONG": _is_long,
    "TIMESTAMP_MS": _is_long,
    "BOOLEAN": lambda text: text.lower() in ("true", "false"),
}
