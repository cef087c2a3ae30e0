"""/repo/v1/entity/{id}/annotations: annotations in the form that Synapse had in 2012, one map for each type.

Must not know: how rows are kept.
Source: Synapse's JSON schema `Annotations` (version 1).

They are the same annotations as those of `annotations2`, seen in another form: a boolean is text here, and blobs are
not kept.
"""

from __future__ import annotations

from math import isfinite

from snakeprov.db.entities import EntityRow
from snakeprov.model.annotations import AnnotationsValue
from snakeprov.model.entities import Body
from snakeprov.server import annotations as current
from snakeprov.server import wire
from snakeprov.server.call import Call
from snakeprov.server.entities import existing
from snakeprov.server.refusals import bad_request, shown
from snakeprov.server.services import Services
from snakeprov.server.synapseanswers import LegacyAnnotations

service = Services("Annotations")


@service(
    "GET",
    "/repo/v1/entity/{id}/annotations",
    answer=LegacyAnnotations,
    note="the same annotations as `annotations2`. Today's Synapse still has this form, deprecated. Both are here.",
)
def read(call: Call) -> Body:
    """Annotations in the form of 2012."""
    return body_of(call, existing(call, call.entity_id()))


@service(
    "GET",
    "/repo/v1/entity/{id}/version/{version}/annotations",
    answer=LegacyAnnotations,
    note="PUT of the annotations of a version is 405, in the design and here.",
)
def read_version(call: Call) -> Body:
    """Annotations of a version in the form of 2012."""
    return body_of(call, existing(call, call.entity_id(), number=call.version()))


@service("PUT", "/repo/v1/entity/{id}/annotations", answer=LegacyAnnotations)
def replace(call: Call, body: LegacyAnnotations) -> Body:
    """Replaces the annotations of the current version, with the etag of the entity, which changes."""
    row = current.with_etag(call, body.etag)
    current.put(call, row, to_current(body))
    return body_of(call, existing(call, row.id))


def body_of(call: Call, row: EntityRow) -> Body:
    """Return the annotations of a version as they go over the wire."""
    texts: dict[str, list[str]] = {}
    doubles: dict[str, list[float | None]] = {}
    longs: dict[str, list[int]] = {}
    dates: dict[str, list[int]] = {}
    for key, item in current.of(call, row).items():
        if item.type == "DOUBLE":
            # JSON has no number for what is not finite.
            numbers = [float(text) for text in item.value]
            doubles[key] = [number if isfinite(number) else None for number in numbers]
        elif item.type in ("LONG", "TIMESTAMP_MS"):
            (longs if item.type == "LONG" else dates)[key] = [int(text) for text in item.value]
        else:
            texts[key] = item.value
    return {
        "id": f"syn{row.id}",
        "etag": row.etag,
        "creationDate": wire.time(row.created_on),
        "stringAnnotations": texts,
        "doubleAnnotations": doubles,
        "longAnnotations": longs,
        "dateAnnotations": dates,
        "blobAnnotations": {},
    }


def to_current(body: LegacyAnnotations) -> dict[str, AnnotationsValue]:
    """Return the same annotations in the form of today.

    Raises:
        Refusal: 400, a key has values of two types, or there are blobs.
    """
    if body.blob_annotations:
        raise bad_request("blobAnnotations are not kept here.")
    found: dict[str, AnnotationsValue] = {}
    for type_, by_key in (
        ("STRING", body.string_annotations),
        ("DOUBLE", body.double_annotations),
        ("LONG", body.long_annotations),
        ("TIMESTAMP_MS", body.date_annotations),
    ):
        for key, values in by_key.items():
            if key in found:
                raise bad_request(f"The annotation {shown(key)} has values of two types.")
            if None in values:
                raise bad_request(f"The annotation {shown(key)} has a value that is null.")
            found[key] = AnnotationsValue(type=type_, value=[str(value) for value in values])  # type: ignore[arg-type]
    return found
