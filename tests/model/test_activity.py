"""The Activity: what it accepts, what it refuses, and the dictionary it becomes.

The tables state what Synapse's Python client 4.14.0 does, except where their last part says otherwise.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from types import MappingProxyType
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snakeprov.errors import ProvenanceError
from snakeprov.model.activity import LIST_DEPTH_MAX, VERSION_MAX, Activity, ActivityType
from snakeprov.model.entities import FILE, FOLDER, File, Folder, Project
from snakeprov.model.provenance import USED_ENTITY, USED_URL, Reference, Used, UsedEntity, UsedURL

SAVED = File(id="syn50", name="matrix.csv", version_number=3)
SAVED_MAPPING = {"concreteType": FILE, "id": "syn5", "versionNumber": 2, "name": "matrix.csv", "etag": "e"}


def entity(entity_id: str, version: int | None = None, *, executed: bool = False) -> dict[str, Any]:
    """Return a used entity in wire form."""
    reference = {"targetId": entity_id} if version is None else {"targetId": entity_id, "targetVersionNumber": version}
    return {"concreteType": USED_ENTITY, "reference": reference, "wasExecuted": executed}


def url(address: str, *name: str | None, executed: bool = False) -> dict[str, Any]:
    """Return a used URL in wire form, with a name or without."""
    named = {"name": name[0]} if name else {}
    return {"concreteType": USED_URL, "url": address, "wasExecuted": executed, **named}


def used(*args: Any, **kwargs: Any) -> list[Any]:
    """Return what a new Activity holds after `used()`."""
    activity = Activity()
    activity.used(*args, **kwargs)
    return list(activity["used"])


def executed(*args: Any, **kwargs: Any) -> list[Any]:
    """Return what a new Activity holds after `executed()`."""
    activity = Activity()
    activity.executed(*args, **kwargs)
    return list(activity["used"])


CONSTRUCTED: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({}, {"used": []}),
    ({"name": "n", "description": "d"}, {"used": [], "name": "n", "description": "d"}),
    ({"name": None, "description": ""}, {"used": [], "description": ""}),
    (
        {"used": "syn1", "executed": "http://a.b/c"},
        {"used": [entity("syn1"), url("http://a.b/c", "http://a.b/c", executed=True)]},
    ),
    (
        {"data": {"name": "x", "used": [{"a": 1}], "id": "7", "etag": "e"}},
        {"name": "x", "used": [{"a": 1}], "id": "7", "etag": "e"},
    ),
    ({"data": {"name": "x", "id": "7"}, "name": "y"}, {"name": "y", "id": "7", "used": []}),
    ({"data": {"used": [entity("syn1")]}, "used": "syn2"}, {"used": [entity("syn1"), entity("syn2")]}),
    ({"used": []}, {"used": []}),
    ({"activityType": "UNDEFINED"}, {"used": [], "activityType": "UNDEFINED"}),
    ({"activityType": "MANUAL"}, {"used": [], "activityType": "MANUAL"}),
    ({"activityType": ActivityType.CODE_EXECUTION}, {"used": [], "activityType": "CODE_EXECUTION"}),
    ({"data": {"activityType": "MANUAL"}}, {"used": [], "activityType": "MANUAL"}),
    ({"data": {"activityType": "MANUAL"}, "activityType": "UNDEFINED"}, {"used": [], "activityType": "UNDEFINED"}),
    ({"data": {"activityType": "UNDEFINED"}}, {"used": [], "activityType": "UNDEFINED"}),
]

ACCEPTED: list[tuple[Callable[..., list[Any]], tuple[Any, ...], dict[str, Any], list[Any]]] = [
    # Ids
    (used, ("syn123",), {}, [entity("syn123")]),
    (used, ("syn123.4",), {}, [entity("syn123", 4)]),
    (used, ("syn123.4",), {"targetVersion": 4}, [entity("syn123", 4)]),
    (used, ("syn123",), {"targetVersion": "5"}, [entity("syn123", 5)]),
    (used, ("syn123",), {"targetVersion": 0}, [entity("syn123")]),
    (used, ("syn123", 7, True), {}, [entity("syn123", 7, executed=True)]),
    # URLs
    (used, (), {"url": "http://a.b"}, [url("http://a.b", None)]),
    (used, (), {"url": "http://a.b", "name": "N"}, [url("http://a.b", "N")]),
    (used, (), {"url": "not a url"}, [url("not a url", None)]),
    (used, ("http://a.b/c",), {}, [url("http://a.b/c", "http://a.b/c")]),
    (used, ("http://a.b/c",), {"name": "N"}, [url("http://a.b/c", "N")]),
    (used, ("file:///data/local",), {}, [url("file:///data/local", "file:///data/local")]),
    (used, ("s3://b/k",), {}, [url("s3://b/k", "s3://b/k")]),
    # Dictionaries; the parameter wasExecuted wins over theirs
    (used, ({"url": "http://g.c", "name": "G"},), {}, [url("http://g.c", "G")]),
    (used, ({"url": "http://g.c", "wasExecuted": True},), {}, [url("http://g.c", executed=True)]),
    (used, ({"url": "http://g.c", "wasExecuted": True},), {"wasExecuted": False}, [url("http://g.c")]),
    (used, (url("http://g.c", "G", executed=True),), {}, [url("http://g.c", "G", executed=True)]),
    (used, ({"reference": {"targetId": "syn1", "targetVersionNumber": 2}},), {}, [entity("syn1", 2)]),
    (used, (entity("syn1", 2, executed=True),), {}, [entity("syn1", 2, executed=True)]),
    (used, (entity("syn1", 2, executed=True),), {"wasExecuted": False}, [entity("syn1", 2)]),
    (executed, ({"url": "http://a.b", "wasExecuted": False},), {}, [url("http://a.b", executed=True)]),
    # Entities
    (used, (SAVED,), {}, [entity("syn50", 3)]),
    (used, (SAVED,), {"targetVersion": 9}, [entity("syn50", 9)]),
    (used, (SAVED,), {"targetVersion": 0}, [entity("syn50", 3)]),
    (used, (SAVED_MAPPING,), {}, [entity("syn5", 2)]),
    (used, (MappingProxyType(SAVED_MAPPING),), {}, [entity("syn5", 2)]),
    (used, (Project(id="syn7"),), {"wasExecuted": True}, [entity("syn7", executed=True)]),
    (used, ({"concreteType": FOLDER, "id": "syn8"},), {}, [entity("syn8")]),
    # Lists
    (used, ([],), {}, []),
    (used, (["syn1", ["syn2"]],), {}, [entity("syn1"), entity("syn2")]),
    (used, (["syn1", "syn1"],), {}, [entity("syn1"), entity("syn1")]),
    (
        used,
        (["syn1", "syn2.3", SAVED, "http://a.b/c", {"url": "http://d.e", "wasExecuted": True}],),
        {},
        [
            entity("syn1"),
            entity("syn2", 3),
            entity("syn50", 3),
            url("http://a.b/c", "http://a.b/c"),
            url("http://d.e", executed=True),
        ],
    ),
    (
        used,
        (["syn1", {"url": "http://d.e", "wasExecuted": False}],),
        {"wasExecuted": True},
        [entity("syn1", executed=True), url("http://d.e", executed=True)],
    ),
    (executed, ("syn1",), {}, [entity("syn1", executed=True)]),
    (
        executed,
        (["syn1", "http://a.b"],),
        {},
        [entity("syn1", executed=True), url("http://a.b", "http://a.b", executed=True)],
    ),
    # Documented by Synapse, refused by its client, accepted here
    (used, ({"reference": {"target": "syn12345", "targetVersion": 1}},), {}, [entity("syn12345", 1)]),
    (used, ([{"targetId": "syn123456", "targetVersionNumber": 1}],), {}, [entity("syn123456", 1)]),
    (used, ({"targetId": "syn1", "wasExecuted": True},), {}, [entity("syn1", executed=True)]),
    # Values of snakeprov.model
    (used, (Reference("syn1", 2),), {}, [entity("syn1", 2)]),
    (used, (UsedEntity(reference=Reference("syn1"), was_executed=True),), {}, [entity("syn1", executed=True)]),
    (used, (UsedURL(url="http://a.b", name="N"),), {}, [url("http://a.b", "N")]),
    # What clients and data frames send for "a version, or none"
    (used, ({"reference": {"targetId": "syn1", "targetVersionNumber": None}},), {}, [entity("syn1")]),
    (used, ({"reference": {"targetId": "123"}},), {}, [entity("123")]),
    (used, ("syn1",), {"targetVersion": 2.0}, [entity("syn1", 2)]),
    (used, ("syn1",), {"targetVersion": VERSION_MAX}, [entity("syn1", VERSION_MAX)]),
]

LIST, DICTIONARY, ENTITY, URL = "a list of used items", "a dictionary that describes", "an entity", "a URL"
FOREIGN_KEY = "describes nothing that was used"
NOT_AN_ID = "is not a valid Synapse id"

REFUSED: list[tuple[Callable[..., list[Any]], tuple[Any, ...], dict[str, Any], tuple[str, ...]]] = [
    # Parameters that clash
    (used, (["syn1"],), {"targetVersion": 1}, ("parameter 'targetVersion' cannot", LIST)),
    (used, (["syn1"],), {"url": "http://a.b", "name": "n"}, ("parameters 'url' and 'name' cannot", LIST)),
    (used, ("syn123",), {"name": "x"}, ("parameter 'name' cannot", ENTITY)),
    (used, ("syn123",), {"url": "http://a.b"}, ("parameter 'target' cannot", URL)),
    (used, ("nm", 2), {"url": "http://a.b"}, ("parameters 'target' and 'targetVersion' cannot", URL)),
    (used, (), {"url": "http://a.b", "targetVersion": 2}, ("parameter 'targetVersion' cannot", URL)),
    (used, ("http://a.b/c",), {"targetVersion": 1}, ("parameter 'targetVersion' cannot", URL)),
    (used, ("http://a.b/c",), {"url": "http://d.e"}, ("parameter 'target' cannot", URL)),
    (used, ({"url": "http://g.c"},), {"url": "http://x.y"}, ("parameter 'url' cannot", DICTIONARY)),
    (used, ({"url": "http://g.c"},), {"targetVersion": 1}, ("parameter 'targetVersion' cannot", DICTIONARY)),
    (used, (entity("syn1"),), {"targetVersion": 2}, ("parameter 'targetVersion' cannot", DICTIONARY)),
    (used, ({"targetId": "syn1"},), {"name": "x"}, ("parameter 'name' cannot", DICTIONARY)),
    (used, (SAVED,), {"url": "http://a.b"}, ("parameter 'url' cannot", ENTITY)),
    (used, (SAVED_MAPPING,), {"name": "x"}, ("parameter 'name' cannot", ENTITY)),
    (executed, (["syn1"],), {"url": "http://a.b"}, ("parameter 'url' cannot", LIST)),
    (used, ("syn1.4",), {"targetVersion": 5}, ("Two versions are given for syn1: 'syn1.4' and targetVersion=5",)),
    (used, ({"targetId": "syn1", "target": "syn2"},), {}, ("'targetId' and 'target' of one reference differ",)),
    # Texts that are neither an id nor a URL
    (used, ("SYN123",), {}, ("'SYN123'", NOT_AN_ID)),
    (used, (" syn123 ",), {}, ("' syn123 '", NOT_AN_ID)),
    (used, ("syn123\n",), {}, (NOT_AN_ID,)),
    (used, ("syn\N{ARABIC-INDIC DIGIT ONE}",), {}, (NOT_AN_ID,)),
    (used, ("123",), {}, ("'123'", NOT_AN_ID)),
    (used, ("",), {}, ("''", NOT_AN_ID)),
    (used, ("git@github.com:x/y",), {}, (NOT_AN_ID,)),
    (used, ("/etc/hostname",), {}, (NOT_AN_ID, "has to be stored first")),
    (used, ("C:/x",), {}, (NOT_AN_ID,)),
    (used, ("http://[broken",), {}, (NOT_AN_ID,)),
    (used, ("x" * 10_000,), {}, (NOT_AN_ID, "...")),
    # Things that are no target
    (used, (), {}, ("cannot use None", "Give an entity, an id")),
    (used, ([None],), {}, ("cannot use None",)),
    (used, (123,), {}, ("cannot use 123, a int",)),
    (used, (("syn1",),), {}, ("a tuple", "or a list of these")),
    (used, ({"id": "syn5"},), {}, ("{'id': 'syn5'}", FOREIGN_KEY)),
    (used, ({"url": "http://g.c", "extra": 1},), {}, (FOREIGN_KEY,)),
    (used, ({"reference": {"targetId": "syn1", "extra": 1}},), {}, (FOREIGN_KEY,)),
    (used, ({"reference": "syn1"},), {}, (FOREIGN_KEY,)),
    (used, ({"reference": {}},), {}, (FOREIGN_KEY,)),
    (used, ({},), {}, (FOREIGN_KEY,)),
    (used, ({"wasExecuted": True},), {}, (FOREIGN_KEY,)),
    (used, ({"concreteType": ["x"], "id": "syn5"},), {}, (FOREIGN_KEY,)),
    # Values of the wrong kind
    (used, (File(name="excellent.csv"),), {}, ("'excellent.csv' has no id", "Store it first")),
    (used, (Folder(name="raw"),), {"targetVersion": 1}, ("'raw' has no id",)),
    (used, ({"concreteType": FILE, "name": "excellent.csv"},), {}, ("'excellent.csv' has no id",)),
    (used, ({"concreteType": FILE, "id": 5},), {}, ("5", NOT_AN_ID)),
    (used, ({"reference": {"targetId": "nonsense"}},), {}, ("'nonsense'", NOT_AN_ID)),
    (used, ({"reference": {"targetVersionNumber": 1}},), {}, ("None", NOT_AN_ID)),
    (used, ("syn1", "two"), {}, ("'two' is not a version number",)),
    (used, ("syn1", -1), {}, ("-1 is not a version number",)),
    (used, ("syn1", 2.5), {}, ("2.5 is not a version number",)),
    (used, ("syn1", float("nan")), {}, ("nan is not a version number",)),
    (used, ("syn1", True), {}, ("True is not a version number",)),
    (used, ("syn1", [1]), {}, ("[1] is not a version number",)),
    (used, ("syn1", VERSION_MAX + 1), {}, ("is not a version number",)),
    (used, ("syn1." + "9" * 5000,), {}, ("is not a version number",)),
    (used, ("syn1",), {"wasExecuted": "yes"}, ("wasExecuted must be True or False, not 'yes'",)),
    (used, ({"url": "http://g.c", "wasExecuted": "no"},), {}, ("wasExecuted must be True or False, not 'no'",)),
    (used, (), {"url": ""}, ("url must be text that is not empty, not ''",)),
    (used, (), {"url": 5}, ("url must be text that is not empty, not 5",)),
    (used, (), {"url": "http://a.b", "name": 5}, ("name must be text, not 5",)),
]

REFUSED_BY_CONSTRUCTOR: list[tuple[dict[str, Any], str]] = [
    ({"name": 5}, "name must be text, not 5"),
    ({"description": b"d"}, "description must be text, not b'd'"),
    ({"data": ["syn1"]}, "data must be a dictionary in wire form, not ['syn1']"),
    ({"data": {"used": "syn1"}}, "data['used'] must be a list, not 'syn1'"),
    ({"activityType": "ROBOT"}, "'ROBOT' is not an activityType: expected one of UNDEFINED, MANUAL, CODE_EXECUTION"),
    ({"activityType": ["MANUAL"]}, "['MANUAL'] is not an activityType"),
    ({"used": ""}, "'' is not a valid Synapse id"),
]


@pytest.mark.parametrize(("arguments", "expected"), CONSTRUCTED)
def test_constructor(arguments: dict[str, Any], expected: dict[str, Any]) -> None:
    """A new Activity is a dictionary with a `used` list and exactly what it was given."""
    activity = Activity(**arguments)

    assert activity == expected
    assert isinstance(activity, dict)


@pytest.mark.parametrize(("call", "args", "kwargs", "expected"), ACCEPTED)
def test_accepted_form(
    call: Callable[..., list[Any]], args: tuple[Any, ...], kwargs: dict[str, Any], expected: list[Any]
) -> None:
    """Every accepted form becomes the used items of the wire form, and changes nothing that it was given."""
    before = copy.deepcopy([argument for argument in args if not isinstance(argument, MappingProxyType)])
    items = call(*args, **kwargs)

    assert items == expected
    assert before == [argument for argument in args if not isinstance(argument, MappingProxyType)]
    msgspec.convert(items, list[Used])


@pytest.mark.parametrize(("call", "args", "kwargs", "texts"), REFUSED)
def test_refused_form(
    call: Callable[..., list[Any]], args: tuple[Any, ...], kwargs: dict[str, Any], texts: tuple[str, ...]
) -> None:
    """What cannot be taken is an error that names the parameters or shows the value, and is short."""
    with pytest.raises(ProvenanceError) as caught:
        call(*args, **kwargs)

    assert all(text in str(caught.value) for text in texts), str(caught.value)
    assert len(caught.value.message) < 400
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize(("arguments", "text"), REFUSED_BY_CONSTRUCTOR)
def test_constructor_refuses(arguments: dict[str, Any], text: str) -> None:
    """The constructor names the parameter that it cannot take and shows its value."""
    with pytest.raises(ProvenanceError) as caught:
        Activity(**arguments)

    assert text in str(caught.value)


def test_examples_of_the_documentation() -> None:
    """The examples of Synapse's documentation run and mean what they say."""
    wanted = [entity("syn1234"), entity("syn1235"), entity("syn4567", executed=True)]
    whole = Activity(
        name="clustering", description="whizzy clustering", used=["syn1234", "syn1235"], executed="syn4567"
    )
    stepwise = Activity(name="clustering", description="whizzy clustering")
    stepwise.used(["syn1234", "syn1235"])
    stepwise.executed("syn4567")

    assert whole == stepwise == {"name": "clustering", "description": "whizzy clustering", "used": wanted}

    data, code, address = SAVED, File(id="syn60", name="cluster.R", version_number=1), "http://example.org/data"
    activity = Activity()
    activity.used(target=data, targetVersion=2)
    activity.used(code, wasExecuted=True)
    activity.used({"reference": {"target": "syn12345", "targetVersion": 1}, "wasExecuted": False})
    activity.used(url=address, name="Awesome Data")
    activity.used(url=address, name="Gnarly hacks", wasExecuted=True)
    activity.used({"url": address, "name": "Gnarly hacks"}, wasExecuted=True)
    foreign = {"reference": {"target": "syn100009", "targetVersion": 2}, "wasExecuted": True}
    activity.used(["syn12345", "syn23456", data, foreign, address])

    assert activity["used"] == [
        entity("syn50", 2),
        entity("syn60", 1, executed=True),
        entity("syn12345", 1),
        url(address, "Awesome Data"),
        url(address, "Gnarly hacks", executed=True),
        url(address, "Gnarly hacks", executed=True),
        entity("syn12345"),
        entity("syn23456"),
        entity("syn50", 3),
        entity("syn100009", 2, executed=True),
        url(address, address),
    ]


def test_nothing_is_shared_with_the_caller() -> None:
    """Neither the data an Activity starts from nor a dictionary it uses is changed, now or later."""
    data: dict[str, Any] = {"name": "x", "used": [entity("syn1")], "annotations": {"k": ["v"]}}
    item: dict[str, Any] = {"reference": {"targetId": "syn2"}}
    before = copy.deepcopy((data, item))
    activity = Activity(data=data, name="y")
    activity.used(item, wasExecuted=True)
    activity["annotations"]["k"].append("w")
    activity["used"][0]["wasExecuted"] = True
    activity["used"][1]["reference"]["targetId"] = "syn3"

    assert (data, item) == before


def test_an_error_adds_nothing() -> None:
    """When one member of a list cannot be taken, none of them is."""
    activity = Activity(used="syn1")
    with pytest.raises(ProvenanceError):
        activity.used(["syn2", "syn3", "nonsense"])

    assert activity["used"] == [entity("syn1")]


def test_lists_are_nested_up_to_the_bound() -> None:
    """Lists may be nested to the bound and no deeper; one that contains itself is an error, not a crash."""
    nested: Any = "syn1"
    for _ in range(LIST_DEPTH_MAX):
        nested = [nested]
    endless: list[Any] = []
    endless.append(endless)

    assert used(nested) == [entity("syn1")]
    for too_deep in ([nested], endless):
        with pytest.raises(ProvenanceError, match=f"more than {LIST_DEPTH_MAX} lists deep"):
            used(too_deep)


@pytest.mark.parametrize("kind", ["Project", "Folder", "FileEntity", "Link", "table.TableEntity", "table.Dataset"])
def test_other_entity_types_are_entities(kind: str) -> None:
    """A mapping with the concrete type of a Synapse entity is used at its own version, also where we have no class."""
    concrete_type = f"org.sagebionetworks.repo.model.{kind}"

    assert used({"concreteType": concrete_type, "id": "syn1", "versionNumber": 4}) == [entity("syn1", 4)]


def test_file_handle_is_no_entity() -> None:
    """A mapping of Synapse's model that is not an entity cannot be used."""
    with pytest.raises(ProvenanceError, match=FOREIGN_KEY):
        used({"concreteType": "org.sagebionetworks.repo.model.file.S3FileHandle", "id": "7"})


def test_text_lists_executed_before_used() -> None:
    """As text an Activity is its name, then what it executed, then what it used, one item a line."""
    activity = Activity(name="nm", executed=["syn9.1", "http://e.f"])
    activity.used(["syn1", "syn2.3", {"url": "http://a.b", "name": "N"}, {"url": "http://c.d"}])
    activity["used"].append({"unknown": 1})

    assert str(activity) == (
        "nm\n  Executed:\nsyn9.1\nhttp://e.f\n  Used:\nsyn1\nsyn2.3\nN\nhttp://c.d\n{'unknown': 1}"
    )
    assert str(Activity()) == "\n  Executed:\n  Used:"


def test_properties_read_the_dictionary() -> None:
    """Name, description and type are what the dictionary holds now; an unknown type is an error only when asked for."""
    activity = Activity(name="n", data={"activityType": "FROM_THE_FUTURE"})
    activity["description"] = "d"

    assert (activity.name, activity.description) == ("n", "d")
    assert activity["activityType"] == "FROM_THE_FUTURE"
    with pytest.raises(ProvenanceError, match="'FROM_THE_FUTURE' is not an activityType"):
        _ = activity.activity_type
    assert Activity().activity_type is ActivityType.UNDEFINED
    assert Activity(activityType="MANUAL").activity_type is ActivityType.MANUAL


def test_it_can_be_copied_and_encoded() -> None:
    """An Activity is deep-copied and written as JSON like any dictionary."""
    activity = Activity("n", used=["syn1.2", "http://a.b/c"], activityType="MANUAL")

    assert copy.deepcopy(activity) == activity
    assert msgspec.json.decode(msgspec.json.encode(activity)) == activity


_anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(["syn1", "syn1.2"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["url", "name", "reference", "targetId", "targetVersionNumber", "wasExecuted", "id"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=6,
)


@given(_anything, st.none() | _anything, st.none() | st.booleans())
@settings(max_examples=200)
def test_anything_is_taken_or_refused(target: object, version: Any, was_executed: bool | None) -> None:
    """Whatever is passed either becomes used items of the wire form or is a ProvenanceError; nothing else."""
    try:
        items = used(target, version, was_executed)
    except ProvenanceError:
        return

    for item in msgspec.convert(items, list[Used]):
        assert was_executed is None or item.was_executed is was_executed
