"""Files that are moved, changed or deleted right after their job: recorded as their job left them, or as unknown."""

from __future__ import annotations

import hashlib
import importlib.util
import os
from collections.abc import Callable
from typing import Any

import pytest

from snakeprov import connect
from snakeprov.blobs.local import LocalBlobs
from snakeprov.store import open_store
from tests.endtoend.conftest import Work
from tests.server.live import Socket

BIG = 200_000
"""More bytes than are read while Snakemake waits, so that the file is held open."""

SNAKEFILE = f"""
import snakeprov; snakeprov.track(workflow)

rule all:
    input: "moved.txt", "big.moved", "appended.done", "counted.txt", "total.txt", "changed.txt"

onsuccess:
    shell("rm -f moved.txt big.moved")

rule small:
    output: "small.txt"
    shell: "echo small > {{output}}"

rule move_small:
    input: "small.txt"
    output: "moved.txt"
    shell: "mv {{input}} {{output}}"

rule big:
    output: "big.bin"
    shell: "head -c {BIG} /dev/zero > {{output}}"

rule move_big:
    input: "big.bin"
    output: "big.moved"
    shell: "mv {{input}} {{output}}"

rule table:
    output: "table.txt"
    shell: "echo 1 > {{output}}"

rule append:
    input: "table.txt"
    output: touch("appended.done")
    shell: "echo 2 >> {{input}}"

rule parts:
    output: temp(directory("parts"))
    shell: "mkdir -p {{output}}/deep; echo one > {{output}}/one; head -c {BIG} /dev/zero > {{output}}/deep/two"

rule count:
    input: "parts"
    output: "counted.txt"
    shell: "ls -R {{input}} > {{output}}"

rule many:
    output: [temp(f"many/{{n}}.tmp") for n in range(150)]
    shell: "for n in {{{{0..149}}}}; do head -c $(($n % 2 * {BIG} + 1)) /dev/zero > many/$n.tmp; done"

rule total:
    input: [f"many/{{n}}.tmp" for n in range(150)]
    output: "total.txt"
    shell: "cat {{input}} | wc -c > {{output}}"

rule folder:
    output: directory("folder")
    shell: "mkdir {{output}}; echo 1 > {{output}}/one.txt; echo 3 > {{output}}/three.txt"

rule change:
    input: "folder"
    output: "changed.txt"
    shell: "cat {{input}}/one.txt > {{output}}; echo 2 > {{input}}/two.txt; rm {{input}}/one.txt"
"""


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def first(work: Work, path: str) -> dict[str, Any]:
    """Version 1 of a file."""
    answer: dict[str, Any] = work.ask("show", f"{path}@1")["version"]
    return answer


def used(work: Work, path: str) -> dict[str, Any]:
    """What the job that made a file used, by path: version and digest."""
    inputs = work.ask("show", f"{path}@1")["job"]["inputs"]
    return {one["path"].rstrip("/"): (one["versionNumber"], one["sha256"]) for one in inputs}


@pytest.mark.parametrize("place", ["folder", "server"])
def test_what_a_job_left_is_recorded_whatever_happens_to_it_next(
    make_work: Callable[..., Work], place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Moved, appended to, deleted by Snakemake, tidied up at the end; nothing is told as unreadable."""
    work = make_work(SNAKEFILE)
    if place == "server":
        folder = work.folder.parent / "team"
        team = Socket().serve(open_store(folder, create=True), LocalBlobs(folder / "blobs"))
        monkeypatch.setenv("SNAKEPROV_STORE", team.url)
        monkeypatch.setenv("SNAKEPROV_TOKEN", team.user("ada").session.headers["Authorization"].split()[1])
    variables = {name: os.environ[name] for name in ("SNAKEPROV_STORE", "SNAKEPROV_TOKEN") if name in os.environ}
    said = work.snakemake(**variables)

    assert "not recorded in full" not in said
    zeros = sha256(bytes(BIG))
    assert (first(work, "small.txt")["sha256"], first(work, "small.txt")["bytesKept"]) == (sha256(b"small\n"), True)
    assert first(work, "moved.txt")["sha256"] == sha256(b"small\n")
    assert used(work, "moved.txt") == {"small.txt": (1, sha256(b"small\n"))}
    assert first(work, "big.bin")["sha256"] == first(work, "big.moved")["sha256"] == zeros
    assert (first(work, "table.txt")["sha256"], first(work, "table.txt")["rule"]) == (sha256(b"1\n"), "table")
    assert first(work, "table.txt")["bytesKept"]
    parts = first(work, "parts")
    assert used(work, "counted.txt") == {"parts": (1, parts["sha256"])}
    assert None not in {digest for _, digest in used(work, "total.txt").values()}
    assert len(used(work, "total.txt")) == 150
    store, token = os.environ.get("SNAKEPROV_STORE"), os.environ.get("SNAKEPROV_TOKEN")
    with connect(store or work.folder / ".snakeprov", token=token) as client:
        found = client.provenance.find("folder/")["matches"][0]
        entity = client.entities.get(found["entityId"], version_number=1)
        manifest = client.files.download(str(entity.data_file_handle_id)).decode()
    assert sha256(b"1\n") in manifest and "three.txt" in manifest
    assert "two.txt" not in manifest, "another job made it"
    assert used(work, "changed.txt") == {"folder": (1, first(work, "folder")["sha256"])}


needs_storage = pytest.mark.skipif(
    importlib.util.find_spec("snakemake_storage_plugin_fs") is None, reason="needs the storage plugin fs"
)


@needs_storage
def test_a_storage_object_has_its_digest_and_its_url(make_work: Callable[..., Work]) -> None:
    """Its local copy is deleted, and is given another time, before anybody can read it; that is nothing to tell."""
    work = make_work("")
    far = work.folder.parent / "far"
    far.mkdir()
    work.write(
        "Snakefile",
        f"""
import snakeprov; snakeprov.track(workflow)
rule last:
    input: storage.fs("{far}/big.bin")
    output: storage.fs("{far}/small.txt")
    shell: "wc -c < {{input}} > {{output}}"
rule first:
    output: storage.fs("{far}/big.bin")
    shell: "head -c {BIG} /dev/zero > {{output}}"
""",
    )
    said = work.snakemake()

    assert "not recorded in full" not in said
    with connect(work.folder / ".snakeprov") as client:
        (run,) = client.runs.list()["results"]
        ran = client.runs.jobs(run["id"])["results"]
        jobs = {job["rule"]: client.jobs.get(job["id"])["files"] for job in ran}
        made = {one["path"]: one for files in jobs.values() for one in files if one["role"] == "output"}
        (read,) = (one for one in jobs["last"] if one["role"] == "input")
        (big,) = (one for path, one in made.items() if path.endswith("big.bin"))
        entity = client.entities.get(big["entityId"], version_number=1)
        handle = client.files.handle(str(entity.data_file_handle_id))
    assert big["sha256"] == read["sha256"] == sha256(bytes(BIG))
    assert read["versionNumber"] == big["versionNumber"] == 1
    assert handle.external_url == (far / "big.bin").as_uri()


def test_what_is_updated_and_what_is_temporary_is_known_before_it_is_gone(make_work: Callable[..., Work]) -> None:
    """The first update of a file has nothing before it; the next one has; a strict run has nothing to complain of."""
    work = make_work(
        """
if config.get("track"):
    import snakeprov; snakeprov.track(workflow)

rule last:
    input: "raw.txt", "old.tmp", "old.parts"
    output: update("sum.txt")
    shell: "cat raw.txt old.tmp old.parts/one | wc -c >> {output}"

rule before:
    output: temp("old.tmp"), temp(directory("old.parts"))
    shell: "head -c 200000 /dev/zero > {output[0]}; mkdir {output[1]}; echo 1 > {output[1]}/one"
""",
        raw__txt="",
    )
    work.write("raw.txt", "raw\n")
    work.snakemake("--notemp", "--until", "before")
    tracked = ("--config", "track=1")
    strict = {"SNAKEPROV_STRICT": "true"}
    said = work.snakemake(*tracked, **strict)
    assert "not recorded in full" not in said
    assert not (work.folder / "old.tmp").exists()
    assert used(work, "sum.txt")["old.tmp"] == (1, sha256(bytes(BIG)))
    assert used(work, "sum.txt")["old.parts"][1] is not None
    assert "sum.txt" not in used(work, "sum.txt")

    before = work.folder.joinpath("sum.txt").read_bytes()
    work.write("raw.txt", "raw, but longer\n")
    work.snakemake(*tracked, **strict)
    inputs = work.ask("show", "sum.txt@2")["job"]["inputs"]
    assert {one["path"]: one["sha256"] for one in inputs}["sum.txt"] == sha256(before)


def test_a_group_that_failed_makes_no_raw_inputs(make_work: Callable[..., Work]) -> None:
    """What one member left for the next was made by nobody for sure, but it is no input from outside either."""
    work = make_work(
        """
import snakeprov; snakeprov.track(workflow)
rule last:
    input: "middle.txt"
    output: "last.txt"
    group: "g"
    shell: "exit 3"
rule first:
    input: "raw.txt"
    output: "middle.txt"
    group: "g"
    shell: "cp {input} {output}"
"""
    )
    work.write("raw.txt", "raw\n")
    submit = work.write("submit.sh", '#!/bin/sh\necho 1\nsh "$1" > jobs.log 2>&1 || true\n')
    submit.chmod(0o755)
    status = work.write("status.sh", "#!/bin/sh\ntest -e last.txt && echo success || echo failed\n")
    status.chmod(0o755)
    work.snakemake(
        "--executor", "cluster-generic", "--cluster-generic-submit-cmd", "./submit.sh",
        "--cluster-generic-status-cmd", "./status.sh", "--jobs", "1", "--seconds-between-status-checks", "0",
        status=1,
    )  # fmt: skip

    with connect(work.folder / ".snakeprov") as client:
        assert client.provenance.find("middle.txt")["matches"] == []
        assert client.provenance.find("raw.txt")["matches"] != []
