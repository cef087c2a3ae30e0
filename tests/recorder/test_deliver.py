"""Delivering to a real embedded store: others write at the same time, and some records are refused."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from msgspec import structs

from snakeprov import connect
from snakeprov.apps.target import target_of
from snakeprov.capture.git.reader import GitReader
from snakeprov.client import Client
from snakeprov.disk.digestcache import DigestCache
from snakeprov.disk.files import fingerprint
from snakeprov.model.records import FileFact, JobRecord, RunRecord
from snakeprov.recorder import catalog as catalog_module
from snakeprov.recorder.catalog import Catalog
from snakeprov.recorder.circumstances import CodeLinks
from snakeprov.recorder.context import Policy, Prepared
from snakeprov.recorder.deliver import Deliverer
from snakeprov.recorder.digesting import Digester
from snakeprov.recorder.heldfiles import HeldFiles

from .faults import held


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A working directory."""
    folder = tmp_path / "work"
    folder.mkdir()
    return folder


@pytest.fixture
def client(work: Path) -> Iterator[Client]:
    """A client of an embedded store."""
    with connect(work / ".snakeprov", create=True) as made:
        yield made


def deliverer(client: Client, work: Path, run_id: str) -> Deliverer:
    run = RunRecord(id=run_id * 32, project="p", working_directory=str(work))
    policy = Policy(always=False, keep_bytes_max=10**6)
    return Deliverer(client, run, policy=policy, links=CodeLinks(GitReader()), catalog=Catalog(), target_of=target_of)


def job(work: Path, job_id: str, run_id: str, *, inputs: dict[str, str], outputs: dict[str, str]) -> Prepared:
    """A job that read and wrote files with these contents, which lie there now."""

    def fact(path: str, content: str) -> FileFact:
        place = work / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(content)
        return FileFact(path=path, fingerprint=fingerprint(str(place)))

    record = JobRecord(
        id=job_id,
        run_id=run_id * 32,
        rule="rule",
        status="success",
        inputs=[fact(path, content) for path, content in inputs.items()],
        outputs=[fact(path, content) for path, content in outputs.items()],
    )
    return Prepared(0, record, Digester(str(work), DigestCache(None)).observe(record, HeldFiles()))


def versions(client: Client, path: str) -> list[int]:
    (match,) = client.provenance.find(path).results
    return [one.version_number for one in client.provenance.history(match.entity_id).results]


def test_what_others_wrote_in_between_is_taken_in_and_the_job_delivered(client: Client, work: Path) -> None:
    """Two runs know the same file in version 1; both write it; neither is lost."""
    one, two = deliverer(client, work, "a"), deliverer(client, work, "b")
    first = job(work, "1", "a", inputs={}, outputs={"x": "1"})
    same = job(work, "2", "b", inputs={}, outputs={"x": "1"})
    assert [receipt.reason for receipt in one.deliver([first]) + two.deliver([same])] == [None, None]

    changed = job(work, "3", "a", inputs={}, outputs={"x": "2"})
    assert one.deliver([changed])[0].reason is None
    other = job(work, "4", "b", inputs={}, outputs={"x": "3"})
    assert two.deliver([other])[0].reason is None

    assert versions(client, "x") == [3, 2, 1]


def test_a_project_that_somebody_else_just_made_is_used(client: Client, work: Path) -> None:
    """Both found no project when they looked."""
    one, two = deliverer(client, work, "a"), deliverer(client, work, "b")
    for each in (one, two):
        each.look_up(iter(["x"]))

    assert one.deliver([job(work, "1", "a", inputs={}, outputs={"x": "1"})])[0].reason is None
    assert two.deliver([job(work, "2", "b", inputs={}, outputs={"y": "1"})])[0].reason is None
    assert (versions(client, "x"), versions(client, "y")) == ([1], [1])


def test_a_job_that_is_refused_does_not_hold_up_the_others(client: Client, work: Path) -> None:
    """Its reason is told, and what came with it is delivered."""
    made = deliverer(client, work, "a")
    good = [job(work, number, "a", inputs={}, outputs={f"{number}.txt": number}) for number in "13"]
    bad = job(work, "2", "a", inputs={}, outputs={"2.txt": "2"})
    bad = replace(bad, job=structs.replace(bad.job, run_id="unknown"))

    reasons = [receipt.reason for receipt in made.deliver([good[0], bad, good[1]])]

    assert [reason is None for reason in reasons] == [True, False, True]
    assert "unknown" in str(reasons[1])
    assert versions(client, "1.txt") == versions(client, "3.txt") == [1]


def test_delivering_again_changes_nothing(client: Client, work: Path) -> None:
    """A job that the store knows counts as delivered: an acknowledgement may get lost."""
    prepared = job(work, "1", "a", inputs={"in": "i"}, outputs={"x": "1"})

    for _ in range(3):
        assert deliverer(client, work, "a").deliver([prepared])[0].reason is None

    assert versions(client, "x") == [1]
    assert held(client).jobs == 1
    assert held(client).activities == 1


def test_what_is_forgotten_is_asked_for_again(client: Client, work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The catalog is bounded, and right all the same."""
    monkeypatch.setattr(catalog_module, "FILES_MAX", 2)
    made = deliverer(client, work, "a")
    for number in range(6):
        prepared = job(work, str(number), "a", inputs={"shared": "s"}, outputs={f"{number}": "x"})
        assert made.deliver([prepared])[0].reason is None
    again = job(work, "again", "a", inputs={"0": "x"}, outputs={"1": "other"})
    assert made.deliver([again])[0].reason is None

    assert versions(client, "shared") == versions(client, "0") == [1]
    assert versions(client, "1") == [2, 1]


def test_a_file_of_a_directory_that_an_earlier_run_made_has_its_maker(client: Client, work: Path) -> None:
    """The manifest is read back from the store."""
    (work / "parts").mkdir()
    (work / "parts" / "1.csv").write_text("one")
    record = JobRecord(
        id="1", run_id="a" * 32, rule="split", status="success", outputs=[FileFact(path="parts", kind="directory")]
    )
    prepared = Prepared(0, record, Digester(str(work), DigestCache(None)).observe(record, HeldFiles()))
    assert deliverer(client, work, "a").deliver([prepared])[0].reason is None

    later = job(work, "2", "b", inputs={"parts/1.csv": "one"}, outputs={"x": "1"})
    assert deliverer(client, work, "b").deliver([later])[0].reason is None

    (match,) = client.provenance.find("parts/1.csv").results
    assert client.provenance.history(match.entity_id).results[0].rule == "split"


def test_eight_processes_deliver_to_one_repository_at_once(work: Path) -> None:
    """No lost or doubled record, no locked database, one project, one version of what all of them read."""
    with connect(work / ".snakeprov", create=True):
        pass
    code = """
import hashlib, sys
from pathlib import Path
from snakeprov import connect
from snakeprov.model.digest import Digest
from snakeprov.recorder.digesting import Observation
from tests.recorder.test_deliver import deliverer, job
SHARED = Digest(hashlib.sha256(b"s").hexdigest(), hashlib.md5(b"s").hexdigest(), 1)
work, name = Path(sys.argv[1]), sys.argv[2]
with connect(work / ".snakeprov") as client:
    made = deliverer(client, work, name)
    for number in range(5):
        path = f"{name}{number}.txt"
        prepared = job(work, f"{name}{number}", name, inputs={f"{name}.in": "i"}, outputs={path: path})
        shared = job(work, "-", name, inputs={"Shared": "s"}, outputs={})
        prepared.job.inputs.append(shared.job.inputs[0])
        prepared.observations["Shared"] = Observation(digest=SHARED)
        (receipt,) = made.deliver([prepared])
        assert receipt.reason is None, receipt
"""
    (work / "Shared").write_text("s")
    running = [
        subprocess.Popen([sys.executable, "-c", code, str(work), name], stderr=subprocess.PIPE, text=True)
        for name in "cdefghij"
    ]
    failures = [process.communicate()[1] for process in running]

    assert failures == [""] * 8
    with connect(work / ".snakeprov") as client:
        assert (held(client).jobs, held(client).runs) == (40, 8)
        assert versions(client, "Shared") == [1]
