"""/repo/v1/entity/{id}/annotations2: what is noted about a version.

Must not know: how rows are kept.
Source: Synapse's JSON schemas `annotation/v2/*`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import msgspec

from snakeprov.server.call import Answer, Call, shown
from snakeprov.server.entities import check_etag, existing
from snakeprov.server.refusals import bad_request
from snakeprov.store import entities, revisions
from snakeprov.store.entities import EntityRow

KEYS_MAX = 100
VALUES_MAX = 100
KEY_CHARS_MAX = 256
VALUE_CHARS_MAX = 10_000


class AnnotationsValue(msgspec.Struct):
    """The values under one key, all of one type, each as text."""

    type: Literal["STRING", "DOUBLE", "LONG", "TIMESTAMP_MS", "BOOLEAN"]
    value: list[str]


class AnnotationsBody(msgspec.Struct):
    """The annotations of an entity."""

    etag: str | None = None
    annotations: dict[str, AnnotationsValue] = {}


def read(call: Call) -> Answer:
    """GET /entity/{id}/annotations2."""
    return 200, _body(call, existing(call, call.entity_id()))


def read_version(call: Call) -> Answer:
    """GET /entity/{id}/version/{version}/annotations2."""
    return 200, _body(call, existing(call, call.entity_id(), number=call.version()))


def replace(call: Call) -> Answer:
    """PUT /entity/{id}/annotations2: those of the current version; the etag of the entity changes."""
    body = call.read(AnnotationsBody)
    row = existing(call, call.entity_id())
    if body.etag is None:
        raise bad_request("An update needs the etag of the entity as it was read.")
    check_etag(row, body.etag)
    _check(body.annotations)
    json = msgspec.json.encode(body.annotations)
    revisions.set_annotations(call.tx, row.id, row.number, json=json.decode(), user=call.user.id)
    etag = entities.touch(call.tx, row.id)
    return 200, {"id": f"syn{row.id}", "etag": etag, "annotations": body.annotations}


def _body(call: Call, row: EntityRow) -> dict[str, Any]:
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


def _parses(parse: Callable[[str], Any]) -> Callable[[str], bool]:
    def is_valid(text: str) -> bool:
        try:
            parse(text)
        except ValueError:
            return False
        return True

    return is_valid


_VALID: dict[str, Callable[[str], bool]] = {
    "STRING": lambda text: True,
    "DOUBLE": _parses(float),
    "LONG": _parses(int),
    "TIMESTAMP_MS": _parses(int),
    "BOOLEAN": lambda text: text.lower() in ("true", "false"),
}
