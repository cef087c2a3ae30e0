"""Exports as documents of W3C PROV."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prov.model import (
    ProvActivity,
    ProvAgent,
    ProvAlternate,
    ProvAssociation,
    ProvDerivation,
    ProvDocument,
    ProvEntity,
    ProvGeneration,
    ProvMembership,
    ProvUsage,
)
from rdflib import Graph
from rdflib.compare import isomorphic

from snakeprov.client import Client
from snakeprov.export import gather, w3c
from snakeprov.export.material import Activity, Made, Material, Use
from snakeprov.export.w3c import Notation
from snakeprov.model.answers import Meaning, Version

from ..answers import job_record, told_run
from .conftest import Recorded, of

READ: dict[Notation, dict[str, str]] = {
    "prov-json": {"format": "json"},
    "prov-n": {"format": "provn"},
    "prov-xml": {"format": "xml"},
    "turtle": {"format": "rdf", "rdf_format": "turtle"},
}


def value(record: ProvEntity | ProvActivity | ProvUsage, name: str) -> set[str]:
    """Return the values of an attribute, as text."""
    return {str(one) for key, one in record.attributes if str(key) == name}


@pytest.mark.parametrize("notation", READ)
def test_what_is_written_reads_back_as_the_same_document(
    client: Client, recorded: Recorded, notation: Notation
) -> None:
    """In each notation the library reads the very document that was written, of a result and of a run."""
    for material in (of(client, "results/parts/"), gather.run(client, recorded.first_run)):
        document = w3c.document(material)
        read = ProvDocument.deserialize(content=w3c.written(document, notation), **READ[notation])

        assert read == document


def test_a_run_is_gathered_in_pages(client: Client, recorded: Recorded, asked: list[str]) -> None:
    """Its jobs and its versions take a request for each thousand, whatever it holds; only bytes come one by one."""
    gathered = gather.run(client, recorded.first_run)

    assert len(gathered.activities) > 3
    assert asked[:4] == [
        "POST /snakeprov/v1/jobs",
        "POST /snakeprov/v1/versions",
        "GET /repo/v1/entity/syn1",
        f"GET /snakeprov/v1/runs/{recorded.first_run}",
    ]
    assert all("/fileHandle/" in one or "/download/" in one or one.endswith("/environment") for one in asked[4:])


def test_turtle_says_what_the_library_would_say(client: Client, recorded: Recorded) -> None:
    """The graph is that which the library makes of the document."""
    for document in (w3c.document(gather.run(client, recorded.first_run)), w3c.document(material(HOSTILE[2]))):
        ours, theirs = w3c.written(document, "turtle"), document.serialize(format="rdf", rdf_format="turtle")

        assert isomorphic(*(Graph().parse(data=text, format="turtle") for text in (ours, theirs)))


def test_a_document_tells_what_was_done_by_whom_and_to_what(client: Client, recorded: Recorded) -> None:
    """Jobs with times, roles by the names in the rule, agents, and plans at the commit; each is there once."""
    document = w3c.document(of(client, "results/table.csv", 1))
    labels = {label for one in document.get_records(ProvEntity) for label in value(one, "prov:label")}
    jobs = [one for one in document.get_records(ProvActivity) if value(one, "snakeprov:rule") == {"clean"}]
    roles = {role for one in document.get_records(ProvUsage) for role in value(one, "prov:role")}
    plans = [one for one in document.get_records(ProvEntity) if value(one, "prov:type") == {"prov:Plan"}]

    assert {"data/one.csv@1", "results/clean/two.csv@1", "results/table.csv@1", "Snakefile@1"} <= labels
    assert len(jobs) == 2 and all(one.get_startTime() and one.get_endTime() for one in jobs)
    assert value(jobs[0], "snakeprov:param") == {"minimum=3"}
    assert {"raw", "code"} <= roles
    assert {label for one in plans for label in value(one, "prov:label")} == {
        "rule clean",
        "rule table",
        "workflow Snakefile@1",
    }
    assert {commit for one in plans for commit in value(one, "snakeprov:commit")} == {recorded.commit}
    assert {role for one in document.get_records(ProvAssociation) for role in value(one, "prov:role")} == {
        "engine",
        "operator",
        "recorder",
    }
    identifiers = [one.identifier for one in document.get_records((ProvEntity, ProvActivity, ProvAgent))]
    assert len(identifiers) == len(set(identifiers))


def test_failed_jobs_and_directories_are_what_they_are(client: Client, recorded: Recorded) -> None:
    """A failed job has its status and error and generates nothing; a directory is a collection of its files."""
    document = w3c.document(gather.run(client, recorded.first_run))
    (broken,) = [one for one in document.get_records(ProvActivity) if value(one, "snakeprov:rule") == {"broken"}]
    made_by = {str(one.args[1]) for one in document.get_records(ProvGeneration)}
    members = {str(one.args[1]) for one in document.get_records(ProvMembership)}
    named = {
        label for one in document.get_records(ProvEntity) if str(one.identifier) in members
        for label in value(one, "prov:label")
    }  # fmt: skip

    assert value(broken, "snakeprov:status") == {"failed"}
    assert value(broken, "snakeprov:error")
    assert str(broken.identifier) not in made_by
    assert named == {"results/parts/a.csv", "results/parts/deep/b c.txt"}


def test_the_same_thing_has_the_same_name_in_every_export(client: Client, recorded: Recorded) -> None:
    """Documents of a run and of its result can be put together: what they share has one identifier."""
    of_run = w3c.document(gather.run(client, recorded.first_run))
    of_result = w3c.document(of(client, "results/table.csv", 1))
    shared = {one.identifier.uri for one in of_run.get_records(ProvActivity)}

    assert {one.identifier.uri for one in of_result.get_records(ProvActivity)} < shared


def material(label: str) -> Material:
    """Return an export in which everything that can be any text is `label`; the bytes were made twice."""
    version = Version(entity_id="syn1", version_number=1, path=label, sha256="0" * 64, size_bytes=2**40)
    job = job_record(label, shellcmd=label, params={label: label})
    run = told_run("r" * 32, user=label, snakemake_version=label, command_line=label, config={"a": label})
    activities = [
        Activity(
            id=f"job_{number}",
            name=label,
            run_id="r" * 32,
            job=job,
            used=(Use(role="input", url=label or "x", name=label),),
            made=(Made(version_id="syn1.1", name=label, is_first=number == 1),),
        )
        for number in (1, 2)
    ]
    return Material(
        store="urn:uuid:0#", versions={version.id: version}, activities=tuple(activities), runs={"r" * 32: run}
    )


HOSTILE = [
    "",
    "\x1b[2J\x00",
    '"quoted" \\ """ \'',
    "a\nb\tc",
    "<b>&amp;]]>",
    "%% xsd:int , [prov:x='y']",
    "\ufffe \U0001f40d é",
]


@pytest.mark.parametrize("notation", READ)
@pytest.mark.parametrize("label", HOSTILE)
def test_no_text_breaks_a_notation(label: str, notation: Notation) -> None:
    """Control characters, quotes, markup and the syntax of the notations themselves are read back as they were."""
    document = w3c.document(material(label))

    assert ProvDocument.deserialize(content=w3c.written(document, notation), **READ[notation]) == document


@settings(max_examples=25, deadline=None)
@given(st.text(max_size=20))
def test_any_text_is_read_back_from_json(label: str) -> None:
    """Whatever a path, a param or a command is, the document is the same after a round trip."""
    document = w3c.document(material(label))

    assert ProvDocument.deserialize(content=w3c.written(document, "prov-json"), format="json") == document


def test_bytes_made_once_more_are_not_generated_twice() -> None:
    """PROV lets nothing be generated twice: the second time makes an alternate of the version."""
    document = w3c.document(material("a"))
    generated = [str(one.args[0]) for one in document.get_records(ProvGeneration)]

    assert len(generated) == len(set(generated)) == 2
    assert len(list(document.get_records(ProvAlternate))) == 1


DAYS = st.integers(1, 9)
VERSIONS = st.sampled_from([f"syn{entity}.{number}" for entity in (1, 2, 3) for number in (1, 2, 3)])


@st.composite
def histories(draw: st.DrawFn) -> Material:
    """Any versions, what their bytes mean, and jobs on any days that used and made any of them: also what cannot be."""
    versions = {}
    for entity in (1, 2, 3):
        for number in (1, 2, 3):
            kind = draw(st.sampled_from([None, "again", "edited", "sameContent"]))
            other = draw(VERSIONS).partition(".")
            meaning = Meaning(kind=kind, entity_id=other[0], path="f", version_number=int(other[2])) if kind else None
            id_ = f"syn{entity}.{number}"
            versions[id_] = Version(entity_id=f"syn{entity}", version_number=number, path="f", meaning=meaning)
    activities = []
    for number in range(draw(st.integers(1, 6))):
        first, last = sorted((draw(DAYS), draw(DAYS)))
        started = datetime(2026, 1, first, tzinfo=UTC)
        ended = datetime(2026, 1, last, microsecond=500_000, tzinfo=UTC)
        job = job_record("a", started_on=started, ended_on=ended)
        used = tuple(Use(role="input", version_id=one) for one in draw(st.lists(VERSIONS, max_size=3, unique=True)))
        made = draw(st.lists(VERSIONS, max_size=3, unique=True))
        firsts = tuple(Made(version_id=one, is_first=draw(st.booleans())) for one in made)
        activities.append(Activity(id=f"job_{number}", name="a", job=job, used=used, made=firsts))
    return Material(store="urn:uuid:0#", versions=versions, activities=tuple(activities))


@settings(max_examples=150, deadline=None)
@given(histories())
def test_the_events_of_a_document_are_in_an_order_that_can_be(history: Material) -> None:
    """Whatever was recorded: nothing is generated twice, or used before it was generated, or revised before.

    PROV-CONSTRAINTS: unique-generation, usage-within-activity, generation-within-activity, generation-precedes-usage
    and derivation-generation-generation-ordering.
    """
    document = w3c.document(history)
    times = {
        str(one.identifier): (one.get_startTime(), one.get_endTime()) for one in document.get_records(ProvActivity)
    }
    generated = [(str(one.args[0]), str(one.args[1])) for one in document.get_records(ProvGeneration)]
    assert len({entity for entity, _ in generated}) == len(generated)
    maker = dict(generated)
    uses = [(str(one.args[1]), str(one.args[0])) for one in document.get_records(ProvUsage)]
    for entity, user in uses:
        assert entity not in maker or times[maker[entity]][0] <= times[user][1]
    for derivation in document.get_records(ProvDerivation):
        later, earlier = (str(one) for one in derivation.args[:2])
        if earlier in maker:
            touched = [user for entity, user in uses if entity == later]
            touched += [maker[later]] if later in maker else []
            assert all(times[maker[earlier]][0] <= times[one][1] for one in touched)


def test_a_megabyte_of_text_is_exported() -> None:
    """A command of a megabyte does not stop an export."""
    assert len(w3c.written(w3c.document(material("x" * 1_000_000)), "prov-json")) > 1_000_000
