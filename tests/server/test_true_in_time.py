"""Lineage that is true in time: which making a reader had before it, and what the bytes of versions mean."""

from __future__ import annotations

from typing import Any

import pytest

from snakeprov.model.entities import DIRECTORY_CONTENT_TYPE
from snakeprov.model.manifest import Entry, manifest_of

from .api import RUN, Api, Json, digests, used

OWN = "/snakeprov/v1"


class Days:
    """Jobs on one day after another, each of which reads files and writes one."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.project = api.project()
        self.activities: dict[str, str] = {}
        api.run()

    def job(self, name: str, day: int, reads: Json, version: int, **made: Any) -> str:
        """Record a job of one day: `made` is the file that it wrote, its version and the outcome, or a new file."""
        activity = str(self.api.activity(used(reads, version), name=name)["id"])
        output = {"role": "output", "path": name, "outcome": "reproduced", **made}
        files = [{"role": "input", "path": reads["name"], "outcome": "used", "entityId": reads["id"]}]
        files[0] |= {"versionNumber": version, "sha256": "0" * 64}
        times = {"startedOn": f"2026-01-{day:02}T10:00:00Z", "endedOn": f"2026-01-{day:02}T11:00:00Z"}
        self.api.job(name, activity=activity, files=[*files, output] if made else files, rule=name, **times)
        self.activities[f"activity:{activity}"] = name
        return activity

    def makes(self, name: str, day: int, reads: Json, version: int) -> Json:
        """Record a job that makes a new file of its name."""
        activity = self.job(name, day, reads, version)
        return self.api.file_in(self.project, f"of-{name}", query=f"?generatedBy={activity}")

    def again(self, file: Json, name: str, day: int, reads: Json, version: int) -> None:
        """Record a job that makes version 1 of a file again."""
        self.job(name, day, reads, version, entityId=file["id"], versionNumber=1)

    def next(self, file: Json, meaning: str, of: str) -> Json:
        """Add a version that nobody made, whose bytes mean something."""
        id_, number = of.split(".")
        query = f"?newVersion=true&meaning={meaning}&meaningOf={id_}&meaningOfVersion={number}"
        return self.api.update(file, query=query, versionLabel=None, dataFileHandleId=self.api.handle())

    def directory(self, files: dict[str, bytes]) -> str:
        """Return the id of a file handle for a directory of some files."""
        found = {name: digests(content) for name, content in files.items()}
        entries = [
            Entry(path=name, type="file", size_bytes=one["sizeBytes"], sha256=one["sha256"])
            for name, one in found.items()
        ]
        content = manifest_of(entries).content
        place = self.api.folder / "manifest"
        place.write_bytes(content)
        sent = {"path": str(place), "fileName": "d", "keep": True, "contentType": DIRECTORY_CONTENT_TYPE}
        answer = self.api.post("/snakeprov/v1/localFiles", {"files": [{**sent, **digests(content)}]}, expect=200)
        return str(answer["results"][0]["fileHandleId"])

    def lineage(self, file: Json, version: int = 1, direction: str = "upstream", **query: Any) -> list[str]:
        """Return the edges of a lineage in words."""
        more = "".join(f"&{name}={value}" for name, value in query.items())
        path = f"{OWN}/lineage?entityId={file['id']}&versionNumber={version}&direction={direction}{more}"
        answer = self.api.get(path)
        names = {node["id"]: node.get("path", node["label"]) for node in answer["nodes"]}
        for node in answer["nodes"]:
            if "versionNumber" in node:
                names[node["id"]] += f"@{node['versionNumber']}"
        found = []
        for edge in answer["edges"]:
            making = f" [{names.get(edge['making'])}]" if "making" in edge else ""
            found.append(f"{names[edge['source']]} {edge['kind']} {names[edge['target']]}{making}")
        return sorted(found) + ["…"] * answer["truncated"]

    def affected(self, file: Json, version: int = 1) -> list[str]:
        """Return what came from a version, with a ? behind what only evidence links."""
        body = {"versions": [{"entityId": file["id"], "versionNumber": version}]}
        answer = self.api.post(f"{OWN}/affected", body, expect=200)
        return [
            f"{one['path']}@{one['versionNumber']}{'?' if one.get('byEvidence') else ''}" for one in answer["versions"]
        ]


@pytest.fixture
def days(api: Api) -> Days:
    return Days(api)


def test_a_reader_is_told_the_making_that_it_had_before_it(days: Days) -> None:
    """What read a file between two makings of it leads to the first, what read it later to the second, in both ways."""
    old, new = (days.api.file_in(days.project, name) for name in ("old", "new"))
    table = days.makes("make", 1, old, 1)
    early = days.makes("early", 2, table, 1)
    days.again(table, "remake", 3, new, 1)
    late = days.makes("late", 4, table, 1)

    first = ["early used of-make@1 [make]", "make used old@1", "of-early@1 generatedBy early"]
    assert days.lineage(early) == sorted([*first, "of-make@1 generatedBy make"])
    second = ["late used of-make@1 [remake]", "remake used new@1", "of-late@1 generatedBy late"]
    assert days.lineage(late) == sorted([*second, "of-make@1 generatedBy remake"])
    assert days.lineage(table) == ["of-make@1 generatedBy remake", "remake used new@1"]
    assert days.lineage(old, direction="downstream") == sorted([*first, "of-make@1 generatedBy make"])
    assert days.lineage(new, direction="downstream") == sorted([*second, "of-make@1 generatedBy remake"])
    assert (days.affected(old), days.affected(new)) == (["of-make@1", "of-early@1"], ["of-make@1", "of-late@1"])


def test_what_a_job_made_again_after_it_was_read_was_a_raw_input_then(days: Days) -> None:
    """Its reader leads nowhere; asked for by itself the file leads to the job; the job does not lead to the reader."""
    raw, source = (days.api.file_in(days.project, name) for name in ("raw", "source"))
    reader = days.makes("read", 1, raw, 1)
    days.again(raw, "make", 2, source, 1)
    assert days.lineage(reader) == ["of-read@1 generatedBy read", "read used raw@1 [None]"]
    assert days.lineage(raw) == ["make used source@1", "raw@1 generatedBy make"]
    assert days.affected(source) == ["raw@1"]


def test_where_the_clocks_are_wrong_the_first_making_is_told(days: Days) -> None:
    """A reader that began before every making that is known had the first one."""
    source = days.api.file_in(days.project, "source")
    table = days.makes("make", 5, source, 1)
    days.again(table, "remake", 6, source, 1)
    reader = days.makes("read", 1, table, 1)
    assert "read used of-make@1 [make]" in days.lineage(reader)


def test_an_edited_file_leads_on_to_what_was_edited(days: Days) -> None:
    """Its version is linked as a revision, twice edited twice; what read it is affected by evidence, in both ways."""
    source = days.api.file_in(days.project, "source")
    table = days.makes("make", 1, source, 1)
    proved = days.makes("before", 2, table, 1)
    table = days.next(table, "edited", f"{table['id']}.1")
    table = days.next(table, "edited", f"{table['id']}.2")
    guessed = days.makes("after", 3, table, 3)
    upstream = ["after used of-make@3", "make used source@1", "of-after@1 generatedBy after"]
    upstream += ["of-make@1 generatedBy make", "of-make@2 revisionOf of-make@1", "of-make@3 revisionOf of-make@2"]
    assert days.lineage(guessed) == upstream
    assert days.lineage(proved)[-1] == "of-make@1 generatedBy make"
    assert days.affected(source) == ["of-make@1", "of-before@1", "of-make@2?", "of-make@3?", "of-after@1?"]
    assert days.affected(table, 2) == ["of-make@3?", "of-after@1?"]
    downstream = days.lineage(source, direction="downstream")
    assert [line for line in downstream if "after" in line or "revision" in line] == [
        "after used of-make@3",
        "of-after@1 generatedBy after",
        "of-make@2 revisionOf of-make@1",
        "of-make@3 revisionOf of-make@2",
    ]


def test_the_same_content_leads_on_to_the_other_file_and_back(days: Days) -> None:
    """A copy leads to its original and is affected by what that came from, as far as proof does not say it already."""
    source = days.api.file_in(days.project, "source")
    table = days.makes("make", 1, source, 1)
    copy = days.api.file_in(
        days.project, "copy", query=f"?meaning=sameContent&meaningOf={table['id']}&meaningOfVersion=1"
    )
    both = days.api.activity(used(copy, 1), used(source, 1))
    result = days.api.file_in(days.project, "result", query=f"?generatedBy={both['id']}")
    days.makes("next", 3, copy, 1)
    assert "copy@1 sameContent of-make@1" in days.lineage(result)
    assert days.affected(source) == ["of-make@1", "result@1", "copy@1?", "of-next@1?"]


def test_earlier_bytes_again_are_proof(days: Days) -> None:
    """A version with the bytes of an earlier one leads there where no activity made it, and is affected with it."""
    table = days.api.file_in(days.project, "table")
    table = days.next(table, "edited", f"{table['id']}.1")
    table = days.next(table, "again", f"{table['id']}.1")
    result = days.makes("read", 1, table, 3)
    assert days.lineage(result) == [
        "of-read@1 generatedBy read",
        "read used table@3",
        "table@3 again table@1",
    ]
    assert days.affected(table, 1) == ["table@3", "of-read@1", "table@2?"]


def test_a_version_that_a_job_made_later_leads_to_its_making_and_not_to_what_its_bytes_meant(days: Days) -> None:
    """Once an activity is told for a reader, the evidence is not needed any more; before, it is all there is."""
    source = days.api.file_in(days.project, "source")
    table = days.makes("make", 1, source, 1)
    copy = days.api.file_in(
        days.project, "copy", query=f"?meaning=sameContent&meaningOf={table['id']}&meaningOfVersion=1"
    )
    before = days.makes("before", 2, copy, 1)
    days.again(copy, "copy", 3, source, 1)
    after = days.makes("after", 4, copy, 1)
    assert "copy@1 sameContent of-make@1" in days.lineage(before)
    assert days.lineage(after) == [
        "after used copy@1 [copy]",
        "copy used source@1",
        "copy@1 generatedBy copy",
        "of-after@1 generatedBy after",
    ]
    assert days.affected(source) == ["of-make@1", "copy@1", "of-after@1", "of-before@1?"]


@pytest.mark.parametrize("direction", ["upstream", "downstream"])
def test_a_walk_that_ends_before_a_link_says_so(days: Days, direction: str) -> None:
    """A link between two versions is a step of its own."""
    table = days.api.file_in(days.project, "table")
    table = days.next(table, "edited", f"{table['id']}.1")
    table = days.next(table, "edited", f"{table['id']}.2")
    start = 3 if direction == "upstream" else 1
    links = ["table@2 revisionOf table@1", "table@3 revisionOf table@2"]
    first = links[1:] if direction == "upstream" else links[:1]
    assert days.lineage(table, start, direction, depth=1) == [*first, "…"]
    assert days.lineage(table, start, direction, depth=2) == links


def test_what_was_not_looked_at_is_said_to_be_not_proved(days: Days) -> None:
    """A version without a digest, and a use of which the bytes were not read, are marked in every answer."""
    url = {"externalURL": "https://example.org/big.bin", "fileName": "big.bin"}
    handle = days.api.post("/file/v1/externalFileHandle", url)["id"]
    big = days.api.file_in(days.project, "big", handle=handle)
    activity = days.api.activity(used(big, 1), name="read")
    file = {"role": "input", "path": "big", "outcome": "used", "entityId": big["id"], "versionNumber": 1}
    days.api.job("read", activity=activity["id"], files=[file])
    result = days.api.file_in(days.project, "result", query=f"?generatedBy={activity['id']}", handle=handle)
    answer = days.api.get(f"{OWN}/lineage?entityId={result['id']}&versionNumber=1")
    assert {node["label"]: node.get("identityProved") for node in answer["nodes"]} == {
        "result": False,
        "plot": None,
        "big": False,
    }
    assert [edge.get("identityProved") for edge in answer["edges"]] == [None, False]
    (found,) = days.api.post(f"{OWN}/affected", {"versions": [{"entityId": big["id"]}]}, expect=200)["versions"]
    assert found["identityProved"] is False


def test_a_story_is_told_of_the_making_that_is_asked_for(days: Days) -> None:
    """The latest by itself, that of an activity, or that which a reader had; what bytes mean is told with its maker."""
    source = days.api.file_in(days.project, "source")
    table = days.makes("make", 1, source, 1)
    days.makes("read", 2, table, 1)
    days.again(table, "remake", 3, source, 1)
    table = days.next(table, "edited", f"{table['id']}.1")
    reader = next(id_.partition(":")[2] for id_, name in days.activities.items() if name == "read")
    wanted = {"entityId": table["id"], "versionNumber": 1}
    asked = [wanted, {**wanted, "readerActivityId": reader}, {**wanted, "activityId": "999"}]
    told = days.api.post(f"{OWN}/stories", {"versions": [*asked, {**wanted, "versionNumber": 2}]}, expect=200)
    latest, read, unknown, edited = told["results"]
    assert (latest["job"]["job"]["rule"], read["job"]["job"]["rule"], unknown) == ("remake", "make", None)
    assert [(one["rule"], one["runId"]) for one in latest["version"]["makings"]] == [("make", RUN), ("remake", RUN)]
    assert edited["activity"] is None
    assert edited["version"]["meaning"]["making"]["rule"] == "remake"


def test_a_directory_and_the_files_in_it_lead_to_who_read_either(days: Days) -> None:
    """Who read the directory read each file, and the reverse; not the other files, nor a file of another maker."""
    source = days.api.file_in(days.project, "source")
    split = days.job("split", 1, source, 1)
    query = f"?generatedBy={split}"
    parts = days.api.file_in(days.project, "parts/", query=query)
    folder = days.api.folder_in(days.project, "parts")
    first, second = (days.api.file_in(folder, name, query=query) for name in ("m1", "m2"))
    alien = days.api.file_in(folder, "alien")
    for reader, read in (("whole", parts), ("one", first), ("two", second), ("three", alien)):
        days.makes(reader, 2, read, 1)

    assert days.affected(parts) == ["of-whole@1", "of-one@1", "of-two@1"]
    assert days.affected(first) == ["of-whole@1", "of-one@1"]
    assert days.affected(alien) == ["of-three@1"]
    downstream = days.lineage(parts, direction="downstream")
    links = [line for line in downstream if "inside" in line or "contains" in line]
    assert links == ["parts/m1@1 inside parts/@1", "parts/m2@1 inside parts/@1"]
    assert "of-two@1 generatedBy two" in downstream
    downstream = days.lineage(first, direction="downstream")
    assert "parts/@1 contains parts/m1@1" in downstream
    assert not [line for line in downstream if "m2" in line]


def test_an_input_directory_and_the_files_in_it_lead_to_who_read_either(days: Days) -> None:
    """No job made either: the manifest of each version of the directory says which version of a file was in it."""
    contents = {"data/m1": b"one", "data/m2": b"two"}
    folder = days.api.folder_in(days.project, "data")
    first, second = (days.api.file_in(folder, path[5:], handle=days.api.handle(contents[path])) for path in contents)
    whole = days.api.file_in(days.project, "data/", handle=days.directory({"m1": b"one", "m2": b"two"}))
    days.api.update(whole, query="?newVersion=true", versionLabel=None, dataFileHandleId=days.directory({"m2": b"new"}))
    for reader, read, number in (("old", whole, 1), ("new", whole, 2), ("one", first, 1), ("two", second, 1)):
        days.makes(reader, 2, read, number)

    assert days.affected(first) == ["of-old@1", "of-one@1"]
    assert days.affected(whole) == ["of-old@1", "of-one@1", "of-two@1"]
    assert days.affected(whole, 2) == ["of-new@1"]
    assert "data/@1 contains data/m1@1" in days.lineage(first, direction="downstream")
    links = [line for line in days.lineage(whole, direction="downstream") if "inside" in line]
    assert links == ["data/m1@1 inside data/@1", "data/m2@1 inside data/@1"]


def test_a_directory_that_was_made_again_made_the_files_in_it_again(days: Days) -> None:
    """A file in it leads to the making that its reader had before it, and the further making leads to that reader."""
    old, new = (days.api.file_in(days.project, name) for name in ("old", "new"))
    query = f"?generatedBy={days.job('split', 1, old, 1)}"
    parts = days.api.file_in(days.project, "parts/", query=query)
    member = days.api.file_in(days.api.folder_in(days.project, "parts"), "m1", query=query)
    early = days.makes("early", 2, member, 1)
    days.again(parts, "remake", 3, new, 1)
    late = days.makes("late", 4, member, 1)

    assert "split used old@1" in days.lineage(early)
    assert "remake used new@1" in days.lineage(late)
    assert days.affected(old) == ["parts/@1", "parts/m1@1", "of-early@1"]
    assert days.affected(new) == ["parts/@1", "parts/m1@1", "of-late@1"]


def test_a_copy_does_not_come_from_what_was_made_of_it_later(days: Days) -> None:
    """A file with the content of another leads to the making before its first reader, never to one that read itself."""
    old = days.api.file_in(days.project, "old")
    table = days.makes("make", 1, old, 1)
    evidence = f"?meaning=sameContent&meaningOf={table['id']}&meaningOfVersion=1"
    copy = days.api.file_in(days.project, "copy", query=evidence)
    reader = days.makes("read", 2, copy, 1)
    days.again(table, "remake", 3, copy, 1)

    assert "make used old@1" in days.lineage(reader)
    assert "remake used copy@1" not in days.lineage(reader)
    assert "of-read@1?" in days.affected(old)
