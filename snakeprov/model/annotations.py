"""Values of annotations, in the `annotations2` form of Synapse."""

from __future__ import annotations

from typing import Final, Literal

import msgspec

CHARS_MAX: Final = 500
"""A longer text is cut."""


class AnnotationsValue(msgspec.Struct, frozen=True):
    """The values under one key, all of one type, each as text."""

    type: Literal["STRING", "DOUBLE", "LONG", "TIMESTAMP_MS", "BOOLEAN"]
    value: list[str]


def annotation(value: object) -> AnnotationsValue | None:
    """Return a value as an annotation, or None where there is no such form.

    >>> annotation(2), annotation({"a": 1})
    (AnnotationsValue(type='LONG', value=['2']), None)
    """
    match value:
        case bool():
            return AnnotationsValue("BOOLEAN", [str(value).lower()])
        case int() if -(2**63) <= value < 2**63:
            return AnnotationsValue("LONG", [str(value)])
        case float():
            return AnnotationsValue("DOUBLE", [repr(value)])
        case str() if value:
            return AnnotationsValue("STRING", [value[:CHARS_MAX]])
        case _:
            return None
