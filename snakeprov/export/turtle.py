"""Write a W3C PROV document as RDF in Turtle.

Source: RDF 1.1 Turtle (W3C Recommendation of 25 February 2014); PROV-O. A relation with more than its two ends is
written in qualified form.

The document is written as it is read, one subject after the other: the libraries that make a graph of it first take ten
times as long.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from prov.model import (
    PROV,
    PROV_ALTERNATE,
    PROV_ASSOCIATION,
    PROV_DELEGATION,
    PROV_DERIVATION,
    PROV_GENERATION,
    PROV_LOCATION,
    PROV_MEMBERSHIP,
    PROV_ROLE,
    PROV_START,
    PROV_TYPE,
    PROV_USAGE,
    ProvDocument,
    ProvRecord,
    QualifiedName,
)
from prov.model import Literal as Typed

_VOCABULARIES: Final = {
    "prov": PROV.uri,
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}

_DIRECT: Final = {
    PROV_ALTERNATE: "prov:alternateOf",
    PROV_ASSOCIATION: "prov:wasAssociatedWith",
    PROV_DELEGATION: "prov:actedOnBehalfOf",
    PROV_DERIVATION: "prov:wasDerivedFrom",
    PROV_GENERATION: "prov:wasGeneratedBy",
    PROV_MEMBERSHIP: "prov:hadMember",
    PROV_START: "prov:wasStartedBy",
    PROV_USAGE: "prov:used",
}
"""What leads from one end of a relation to the other."""

_ATTRIBUTES: Final = {
    "prov:label": "rdfs:label",
    "prov:type": "a",
    str(PROV_LOCATION): "prov:atLocation",
    str(PROV_ROLE): "prov:hadRole",
    "prov:startTime": "prov:startedAtTime",
    "prov:endTime": "prov:endedAtTime",
    "prov:time": "prov:atTime",
    "prov:plan": "prov:hadPlan",
    "prov:starter": "prov:hadActivity",
    "prov:trigger": "prov:entity",
    "prov:responsible": "prov:agent",
    "prov:usedEntity": "prov:entity",
}
"""What PROV-O calls otherwise than PROV-DM; where a relation has an activity besides its ends, see `_qualified`."""

_SUBTYPES: Final = {PROV["Quotation"], PROV["Revision"], PROV["PrimarySource"]}
"""Types of derivations for which PROV-O has a qualified relation of their own."""

_LOCAL_NAME = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_-])?")
_NOT_AN_IRI = re.compile(r'[\x00-\x20<>"{}|^`\\]')
_ESCAPED: Final = str.maketrans({'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"})

Statements = dict[str, list[str]]
"""The statements about a subject: values by predicate."""


def turtle(document: ProvDocument) -> str:
    """Return the document as Turtle."""
    return "".join(_parts(document))


def _parts(document: ProvDocument) -> Iterator[str]:
    prefixes = {**_VOCABULARIES, **{one.prefix: one.uri for one in document.get_registered_namespaces()}}
    for prefix, uri in prefixes.items():
        yield f"@prefix {prefix}: {_iri(uri)} .\n"
    subjects: dict[str, Statements] = defaultdict(lambda: defaultdict(list))
    for record in document.get_records():
        if record.is_element():
            _describe(subjects[_name(record.identifier)], record)
        else:
            _relate(subjects, record)
    for subject, statements in subjects.items():
        yield f"\n{subject} {_said(statements, indent=4)} .\n"


def _describe(statements: Statements, record: ProvRecord) -> None:
    statements["a"].append(_name(record.get_type()))
    for attribute, value in (*record.formal_attributes, *record.extra_attributes):
        if value is not None:
            statements[_predicate(attribute)].append(_term(value))


def _relate(subjects: dict[str, Statements], record: ProvRecord) -> None:
    kind = record.get_type()
    (_, subject), (_, other), *more = record.formal_attributes
    statements = subjects[_name(subject)]
    has_more = bool(record.extra_attributes) or any(value is not None for _, value in more)
    if other is not None and (not has_more or kind == PROV_DELEGATION):
        statements[_DIRECT[kind]].append(_name(other))
    if has_more:
        name, said = _qualified(record)
        statements[name].append(f"[ {_said(said, indent=8)} ]")


def _qualified(record: ProvRecord) -> tuple[str, Statements]:
    """Return a relation in qualified form, with its own attributes, and the property that leads to it."""
    kind = next((value for name, value in record.extra_attributes if name == PROV_TYPE and value in _SUBTYPES), None)
    kind = kind or record.get_type()
    said: Statements = defaultdict(list)
    said["a"].append(_name(kind))
    _, *attributes = record.formal_attributes
    for number, (name, value) in enumerate(attributes):
        if value is not None:
            is_besides = number > 0 and str(name) == "prov:activity"
            said["prov:hadActivity" if is_besides else _predicate(name)].append(_term(value))
    for name, value in record.extra_attributes:
        if value != kind:
            said[_predicate(name)].append(_term(value))
    return f"prov:qualified{kind.localpart}", said


def _said(statements: Statements, *, indent: int) -> str:
    separator = " ;\n" + " " * indent
    return separator.join(f"{name} {', '.join(values)}" for name, values in statements.items())


def _predicate(attribute: QualifiedName) -> str:
    return _ATTRIBUTES.get(str(attribute)) or _name(attribute)


def _term(value: Any) -> str:
    if isinstance(value, QualifiedName):
        return _name(value)
    if isinstance(value, datetime):
        return f'"{value.isoformat()}"^^xsd:dateTime'
    if isinstance(value, int):
        # The library makes one of what was given to it as a long that is longer than an int.
        return f'"{value}"^^xsd:long'
    if isinstance(value, Typed):
        return f"{_quoted(str(value.value))}^^{_name(value.datatype)}"
    return _quoted(str(value))


def _quoted(text: str) -> str:
    return f'"{text.translate(_ESCAPED)}"'


def _name(name: QualifiedName | None) -> str:
    assert name is not None  # noqa: S101 - the library takes no element and no typed value without
    if _LOCAL_NAME.fullmatch(name.localpart):
        return f"{name.namespace.prefix}:{name.localpart}"
    return _iri(name.uri)


def _iri(uri: str) -> str:
    return f"<{_NOT_AN_IRI.sub(lambda found: f'%{ord(found[0]):02X}', uri)}>"
