"""The Activity that generated an entity version, in Synapse's wire form.

Source: Synapse's JSON schema `provenance/Activity`; the forms that `used()` takes are those of Synapse's Python client.

The parameters are spelled as on the wire and in Synapse's client, `targetVersion` for instance: an Activity is a
dictionary in wire form, and code written for that client runs unchanged.
"""

from __future__ import annotations

import copy
import operator
import re
import reprlib
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, SupportsIndex
from urllib.parse import urlsplit

import msgspec

from snakeprov.errors import ProvenanceError
from snakeprov.model.entities import FILE, FOLDER, PROJECT, File, Folder, Project
from snakeprov.model.provenance import USED_ENTITY, USED_URL, Reference, UsedEntity, UsedURL

LIST_DEPTH_MAX = 16
"""How deep lists of used items may be nested."""

VERSION_MAX = 2**63 - 1
"""The largest version number that Synapse can hold."""

_MODEL = "org.sagebionetworks.repo.model."
_TABLE = f"{_MODEL}table."
ENTITY_TYPES = frozenset(
    {
        PROJECT,
        FOLDER,
        FILE,
        f"{_MODEL}Link",
        f"{_MODEL}RecordSet",
        f"{_MODEL}docker.DockerRepository",
        f"{_TABLE}Dataset",
        f"{_TABLE}DatasetCollection",
        f"{_TABLE}EntityView",
        f"{_TABLE}MaterializedView",
        f"{_TABLE}SubmissionView",
        f"{_TABLE}TableEntity",
        f"{_TABLE}VirtualTable",
    }
)
"""The values of `concreteType` that identify a mapping as an entity."""

_STRUCTS = (Project, Folder, File, UsedEntity, UsedURL, Reference)
_ID_AND_VERSION = re.compile(r"(syn[0-9]+)(?:\.([0-9]+))?")
_REFERENCE_ID = re.compile(r"(?:syn)?[0-9]+")
_REFERENCE_KEYS = frozenset({"targetId", "target", "targetVersionNumber", "targetVersion"})
_USED_KEYS = frozenset({"wasExecuted", "concreteType"})
_SHOWN_LENGTH_MAX = 80

_FORMS = (
    "Give an entity, an id ('syn123' or 'syn123.4'), a URL, {'reference': {'targetId': ..., 'targetVersionNumber': "
    "...}}, {'url': ..., 'name': ...}, or a list of these."
)


class ActivityType(StrEnum):
    """What an Activity was made from. Synapse has no such field."""

    UNDEFINED = "UNDEFINED"
    MANUAL = "MANUAL"
    CODE_EXECUTION = "CODE_EXECUTION"


class Activity(dict[str, Any]):
    """One thing that was done: what it used, and which of that it executed. A dictionary in Synapse's wire form.

    What the caller passes is copied, never changed and never shared.

    Args:
        name: Short name of what was done.
        description: More about it.
        used: What was read: anything that `used()` takes as its target.
        executed: What was run as code: the same.
        data: A dictionary in wire form to start from, as a store returns it. The other arguments win.
        activityType: An `ActivityType`. Without it, it counts as UNDEFINED.

    Raises:
        ProvenanceError: An argument cannot be taken; it is a ValueError too.

    >>> activity = Activity(name="clustering", used=["syn1234", "syn1235.2"], executed="https://example.org/cluster.py")
    >>> print(activity)
    clustering
      Executed:
    https://example.org/cluster.py
      Used:
    syn1234
    syn1235.2
    """

    def __init__(
        self,
        name: str | None = None,
        description: str | None = None,
        used: object = None,
        executed: object = None,
        data: Mapping[str, Any] | None = None,
        *,
        activityType: str | None = None,
    ) -> None:
        super().__init__(_copy_of(data))
        if name is not None:
            self["name"] = _text(name, parameter="name")
        if description is not None:
            self["description"] = _text(description, parameter="description")
        if activityType is not None:
            self["activityType"] = _activity_type(activityType).value
        if used is not None:
            self.used(used)
        if executed is not None:
            self.executed(executed)

    @property
    def name(self) -> str | None:
        """The short name, if it has one."""
        return self.get("name")

    @property
    def description(self) -> str | None:
        """The description, if it has one."""
        return self.get("description")

    @property
    def activity_type(self) -> ActivityType:
        """What the Activity was made from.

        Raises:
            ProvenanceError: The key `activityType` was set to something else.
        """
        return _activity_type(self.get("activityType", ActivityType.UNDEFINED))

    def used(
        self,
        target: object = None,
        targetVersion: int | str | None = None,
        wasExecuted: bool | None = None,
        url: str | None = None,
        name: str | None = None,
    ) -> None:
        """Add what was used. On an error nothing is added.

        Args:
            target: An entity (`Project`, `Folder`, `File`, or a mapping with an entity's `concreteType`), an entity id
                with or without a version ("syn123", "syn123.4"), a URL, a dictionary that describes one used item, or
                a list of these. An entity that has a version number is used at that version.
            targetVersion: Version of the entity; wins over the entity's own number. None and 0: not given.
            wasExecuted: Whether it was run as code. Wins over what a dictionary says; without either it is False.
            url: Something outside the store, instead of a target.
            name: What to call the URL.

        Raises:
            ProvenanceError: The target has no known form, the entity is not stored yet, or parameters clash.

        >>> activity = Activity()
        >>> activity.used("syn12345", targetVersion=2)
        >>> activity.used(url="https://example.org/data.csv", name="Awesome data")
        >>> [item["wasExecuted"] for item in activity["used"]]
        [False, False]
        """
        parameters = {"target": target, "targetVersion": targetVersion, "url": url, "name": name}
        given = {parameter: value for parameter, value in parameters.items() if value is not None}
        items = _items(given, was_executed=None if wasExecuted is None else _flag(wasExecuted), depth=1)
        self.setdefault("used", []).extend(items)

    def executed(
        self,
        target: object = None,
        targetVersion: int | str | None = None,
        url: str | None = None,
        name: str | None = None,
    ) -> None:
        """Add what was run as code: `used()` with `wasExecuted=True`.

        Raises:
            ProvenanceError: As for `used()`.
        """
        self.used(target, targetVersion, True, url, name)

    def __str__(self) -> str:
        items = self.get("used", [])
        executed = [_label(item) for item in items if _was_executed(item)]
        used = [_label(item) for item in items if not _was_executed(item)]
        return "\n".join([self.name or "", "  Executed:", *executed, "  Used:", *used])


_Given = Mapping[str, Any]
"""Those of `used()`'s parameters target, targetVersion, url and name that are not None."""


def _copy_of(data: Mapping[str, Any] | None) -> dict[str, Any]:
    if data is not None and not isinstance(data, Mapping):
        raise ProvenanceError(f"data must be a dictionary in wire form, not {_shown(data)}.")
    copied = copy.deepcopy(dict(data or {}))
    if not isinstance(copied.setdefault("used", []), list):
        raise ProvenanceError(f"data['used'] must be a list, not {_shown(copied['used'])}.")
    return copied


def _items(given: _Given, *, was_executed: bool | None, depth: int) -> list[dict[str, Any]]:
    """Return the used items that the parameters stand for; the order of the branches is that of Synapse's client."""
    target = given.get("target")
    if isinstance(target, list):
        _refuse(given, "targetVersion", "url", "name", beside="a list of used items")
        if depth > LIST_DEPTH_MAX:
            raise ProvenanceError(f"Used items are nested more than {LIST_DEPTH_MAX} lists deep.")
        inner = [_items({"target": member}, was_executed=was_executed, depth=depth + 1) for member in target]
        return [item for items in inner for item in items]
    if isinstance(target, _STRUCTS):
        target = msgspec.to_builtins(target)
    if isinstance(target, Mapping):
        if _is_entity(target):
            return [_from_entity(target, given, was_executed=was_executed or False)]
        return [_from_description(target, given, was_executed=was_executed)]
    if "url" in given:
        _refuse(given, "target", "targetVersion", beside="a URL")
        return [_used_url(given["url"], name=given.get("name"), was_executed=was_executed or False)]
    if isinstance(target, str):
        return [_from_text(target, given, was_executed=was_executed or False)]
    if target is None:
        raise ProvenanceError("An Activity cannot use None.", hint=_FORMS)
    raise ProvenanceError(f"An Activity cannot use {_shown(target)}, a {type(target).__name__}.", hint=_FORMS)


def _is_entity(target: Mapping[str, Any]) -> bool:
    concrete_type = target.get("concreteType")
    return isinstance(concrete_type, str) and concrete_type in ENTITY_TYPES


def _from_entity(entity: Mapping[str, Any], given: _Given, *, was_executed: bool) -> dict[str, Any]:
    _refuse(given, "url", "name", beside="an entity")
    entity_id = entity.get("id")
    if entity_id is None:
        raise ProvenanceError(
            f"The entity {_shown(entity.get('name'))} has no id: it is not stored yet.",
            hint="Store it first and use what the store returns.",
        )
    version = given.get("targetVersion") or entity.get("versionNumber")
    return _used_entity(_entity_id(entity_id), version=_version(version), was_executed=was_executed)


def _from_description(target: Mapping[str, Any], given: _Given, *, was_executed: bool | None) -> dict[str, Any]:
    """Return the item that a dictionary with a `url`, with a `reference`, or in a Reference's own form describes."""
    executed = target.get("wasExecuted") if was_executed is None else was_executed
    executed = False if executed is None else _flag(executed)
    keys = target.keys() - _USED_KEYS
    if "url" in keys and keys <= {"url", "name"}:
        _refuse(given, "targetVersion", "url", "name", beside="a dictionary that describes a URL")
        item = _used_url(target["url"], name=target.get("name"), was_executed=executed)
        return item if "name" in keys else {key: value for key, value in item.items() if key != "name"}
    reference = target["reference"] if keys == {"reference"} else {key: target[key] for key in keys}
    if not isinstance(reference, Mapping) or not reference or not reference.keys() <= _REFERENCE_KEYS:
        raise ProvenanceError(f"The dictionary {_shown(dict(target))} describes nothing that was used.", hint=_FORMS)
    _refuse(given, "targetVersion", "url", "name", beside="a dictionary that describes an entity version")
    entity_id = _entity_id(_either(reference, "targetId", "target"))
    version = _version(_either(reference, "targetVersionNumber", "targetVersion"))
    return _used_entity(entity_id, version=version, was_executed=executed)


def _from_text(target: str, given: _Given, *, was_executed: bool) -> dict[str, Any]:
    if _is_url(target):
        _refuse(given, "targetVersion", beside="a URL")
        return _used_url(target, name=given.get("name", target), was_executed=was_executed)
    _refuse(given, "name", beside="an entity")
    match = _ID_AND_VERSION.fullmatch(target)
    if match is None:
        raise ProvenanceError(
            f"{_shown(target)} is not a valid Synapse id: expected 'syn' and a number, such as syn123 or syn123.4.",
            hint="A file on this computer has to be stored first; then use its id." if "/" in target else _FORMS,
        )
    in_id, asked = _version(match[2]), _version(given.get("targetVersion"))
    if in_id and asked and in_id != asked:
        raise ProvenanceError(f"Two versions are given for {match[1]}: {target!r} and targetVersion={asked}.")
    return _used_entity(match[1], version=in_id or asked, was_executed=was_executed)


def _used_entity(entity_id: str, *, version: int | None, was_executed: bool) -> dict[str, Any]:
    reference: dict[str, Any] = {"targetId": entity_id}
    if version is not None:
        reference["targetVersionNumber"] = version
    return {"concreteType": USED_ENTITY, "reference": reference, "wasExecuted": was_executed}


def _used_url(url: object, *, name: object, was_executed: bool) -> dict[str, Any]:
    if not isinstance(url, str) or not url:
        raise ProvenanceError(f"url must be text that is not empty, not {_shown(url)}.")
    label = None if name is None else _text(name, parameter="name")
    return {"concreteType": USED_URL, "url": url, "name": label, "wasExecuted": was_executed}


def _refuse(given: _Given, *parameters: str, beside: str) -> None:
    clashing = [f"'{parameter}'" for parameter in parameters if parameter in given]
    if clashing:
        noun = "parameter" if len(clashing) == 1 else "parameters"
        raise ProvenanceError(f"The {noun} {' and '.join(clashing)} cannot be combined with {beside}.")


def _either(reference: Mapping[str, Any], key: str, other: str) -> Any:
    first, second = reference.get(key), reference.get(other)
    if first is not None and second is not None and first != second:
        raise ProvenanceError(
            f"The keys '{key}' and '{other}' of one reference differ: {_shown(first)}, {_shown(second)}."
        )
    return second if first is None else first


def _entity_id(value: object) -> str:
    if not isinstance(value, str) or not _REFERENCE_ID.fullmatch(value):
        raise ProvenanceError(
            f"{_shown(value)} is not a valid Synapse id: expected 'syn' and a number, such as syn123."
        )
    return value


def _version(value: object) -> int | None:
    """Return a version number; None for None and for 0, which Synapse's client takes for "not given"."""
    if value is None:
        return None
    number = -1
    if isinstance(value, str):
        number = int(value) if re.fullmatch("[0-9]{1,19}", value) else number
    elif isinstance(value, float):
        number = int(value) if value.is_integer() else number
    elif isinstance(value, SupportsIndex) and not isinstance(value, bool):
        number = operator.index(value)
    if not 0 <= number <= VERSION_MAX:
        raise ProvenanceError(f"{_shown(value)} is not a version number: expected a positive whole number.")
    return number or None


def _flag(value: object) -> bool:
    if isinstance(value, bool):
        return value
    raise ProvenanceError(f"wasExecuted must be True or False, not {_shown(value)}.")


def _text(value: object, *, parameter: str) -> str:
    if isinstance(value, str):
        return value
    raise ProvenanceError(f"{parameter} must be text, not {_shown(value)}.")


def _activity_type(value: object) -> ActivityType:
    if isinstance(value, str) and value in list(ActivityType):
        return ActivityType(value)
    raise ProvenanceError(f"{_shown(value)} is not an activityType: expected one of {', '.join(ActivityType)}.")


def _is_url(text: str) -> bool:
    """Tell whether `text` is a URL for Synapse's client: a scheme and a host, or `file:` and a path."""
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return bool(parts.scheme and parts.netloc) or (parts.scheme == "file" and bool(parts.path))


def _was_executed(item: object) -> bool:
    return isinstance(item, Mapping) and bool(item.get("wasExecuted"))


def _label(item: object) -> str:
    match item:
        case {"reference": {"targetId": entity_id, "targetVersionNumber": int(version)}}:
            return f"{entity_id}.{version}"
        case {"reference": {"targetId": entity_id}}:
            return str(entity_id)
        case {"url": _, "name": str(name)} if name:
            return name
        case {"url": url}:
            return str(url)
    return _shown(item)


def _shown(value: object) -> str:
    """Return `value` for a message: bounded, and total even where its own `repr` fails."""
    shortener = reprlib.Repr()
    shortener.maxstring = shortener.maxother = _SHOWN_LENGTH_MAX
    return shortener.repr(value)
