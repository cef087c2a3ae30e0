"""Files that are moved, changed or deleted right after their job: recorded as their job left them, or as unknown."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from tests.endtoend.conftest import Variables, Work

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


def test_what_a_job_left_is_recorded_whatever_happens_to_it_next(
    make_work: Callable[..., Work], store: Variables
) -> None:
    """Moved, appended to, deleted by Snakemake, tidied up at the end; nothing is told as unreadable."""
    work = make_work(SNAKEFILE)
    work.store = store
    said = work.snakemake()

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
    with work.connect() as client:
        found = client.provenance.find("folder/").results[0]
        entity = client.entities.get(found.entity_id, version_number=1)
        manifest = client.files.download(str(entity.data_file_handle_id)).decode()
    assert sha256(b"1\n") in manifest and "three.txt" in manifest
    assert "two.txt" not in manifest, "another job made it"
    assert used(work, "changed.txt") == {"folder": (1, first(work, "folder")["sha256"])}


def test_what_is_updated_and_what_is_temporary_is_known_before_it_is_gone(
    make_work: Callable[..., Work], store: Variables
) -> None:
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
        **{"raw.txt": "raw\n"},
    )
    work.store = store
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
    lines = work.say("lineage", "sum.txt").splitlines()
    assert [line.split("← ")[1] for line in lines if "sum.txt@" in line] == ["last", "last"]
    affected = {f"{one['path']}@{one['versionNumber']}" for one in work.ask("affected", "old.tmp")["versions"]}
    assert affected == {"sum.txt@1", "sum.txt@2"}, "what was added to it once is in it since"


def test_a_group_that_failed_makes_no_raw_inputs(make_work: Callable[..., Work], store: Variables) -> None:
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
""",
        **{"raw.txt": "raw\n"},
    )
    work.store = store
    status = work.write("status.sh", "#!/bin/sh\ntest -e last.txt && echo success || echo failed\n")
    status.chmod(0o755)
    work.on_cluster("--cluster-generic-status-cmd", "./status.sh", status=1)

    shown = work.say("show", "middle.txt")
    assert "middle.txt is not recorded: a job of its group did not succeed" in shown
    assert "middle.txt is not recorded" in work.say("log", "middle.txt", status=3)
    assert [one["versionNumber"] for one in work.ask("log", "raw.txt")["versions"]] == [1]
    assert work.ask("affected", "raw.txt")["versions"] == []
    run = work.ask("run", "last")
    assert (run["run"]["status"], [one["status"] for one in run["jobs"]]) == ("failed", ["failed", "failed"])


NODE = """
import snakeprov; snakeprov.track(workflow)

rule all:
    input: "temp.txt", "local.txt"

rule temp_last:
    input: "temp.tmp", "raw.txt"
    output: "temp.txt"
    group: "g"
    shell: "cat {input} > {output}"

rule temp_first:
    input: "raw.txt"
    output: temp("temp.tmp")
    group: "g"
    shell: "cp {input} {output}"

rule local_last:
    input: "local.tmp"
    output: "local.txt"
    shell: "cat {input} > {output}"

rule local_first:
    input: "raw.txt"
    output: temp("local.tmp", group_jobs=True)
    shell: "cp {input} {output}"
"""


def test_what_only_the_node_of_a_group_had_is_in_the_lineage(make_work: Callable[..., Work], store: Variables) -> None:
    """A temporary file between members of a group has a version without digest, and every answer goes through it."""
    work = make_work(NODE, **{"raw.txt": "raw\n"})
    work.store = store
    said = work.on_cluster("all")

    assert "not recorded in full" not in said
    affected = {one["path"] for one in work.ask("affected", "raw.txt")["versions"]}
    assert affected == {"temp.txt", "temp.tmp", "local.txt", "local.tmp"}
    for name in ("temp", "local"):
        (version,) = work.ask("log", f"{name}.tmp")["versions"]
        assert (version["rule"], version["sha256"], version["bytesKept"]) == (f"{name}_first", None, False)
        inputs = work.ask("show", f"{name}.txt")["job"]["inputs"]
        assert {one["path"]: one["versionNumber"] for one in inputs}[f"{name}.tmp"] == 1
        lineage = work.say("lineage", f"{name}.txt").splitlines()
        (line,) = (one for one in lineage if f"{name}.tmp@1" in one)
        assert "identity not proved" in line and f"← {name}_first" in line
        told = work.say("methods", f"{name}.txt")
        assert f"First, {name}_first ran a shell command. Finally, {name}_last ran" in told
        refused = work.call("restore", f"{name}.tmp")
        assert refused.status == 5
        assert f"its bytes are not kept, because rule {name}_first marks it as temp()." in refused.out
    work.say("verify")
