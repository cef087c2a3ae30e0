"""Files of a storage provider: recorded as the objects that they are, whoever had a local copy of them, and when."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.endtoend.conftest import Variables, Work

pytest.importorskip("snakemake_storage_plugin_fs", reason="needs the storage plugin fs")

BIG = 200_000
"""More bytes than are read while Snakemake waits, so that the file is held open."""

SNAKEFILE = f"""
import snakeprov; snakeprov.track(workflow)

rule last:
    input: "middle.bin", "raw.txt"
    output: "last.txt"
    shell: "cat {{input}} | wc -c > {{output}}"

rule first:
    input: "raw.txt"
    output: "middle.bin"
    shell: "head -c {BIG} /dev/zero > {{output}}"

rule other:
    input: "middle.bin"
    output: "other.txt"
    shell: "wc -c < {{input}} > {{output}}"
"""


@pytest.fixture
def work(make_work: Callable[..., Work], store: Variables) -> Work:
    """A workflow whose files are all in `far/` beside it."""
    work = make_work(SNAKEFILE)
    work.store = store
    far = work.folder.parent / "far"
    far.mkdir()
    (far / "raw.txt").write_text("raw\n")
    return work


def far(work: Work, name: str = "") -> Path:
    return work.folder.parent / "far" / name


def in_storage(work: Work) -> tuple[str, ...]:
    return ("--default-storage-provider", "fs", "--default-storage-prefix", str(far(work)))


def tree(work: Work) -> set[str]:
    """Return what stands in the lineage of the last file: paths and URLs, with their makers."""
    lines = work.say("lineage", str(far(work, "last.txt"))).partition("\n\n")[0].splitlines()
    return {" ".join(line.replace(str(far(work)), "FAR").strip("├─└│ ").split()) for line in lines}


def used(work: Work) -> list[str]:
    """Return what `show` lists as used by the job of the last file."""
    shown = work.say("show", str(far(work, "last.txt"))).replace(str(far(work)), "FAR")
    return [" ".join(line.split()) for line in shown.partition("\nused\n")[2].partition("\n\n")[0].splitlines()]


@pytest.mark.parametrize("more", [[], ["--keep-storage-local-copies"]], ids=["local copies go", "local copies stay"])
def test_a_storage_object_has_its_digest_and_its_url(work: Work, more: list[str]) -> None:
    """Its local copy is deleted, and is given another time, before anybody can read it; that is nothing to tell."""
    said = work.snakemake(*in_storage(work), *more)

    assert "not recorded in full" not in said
    copies = [one for one in (work.folder / ".snakemake" / "storage").rglob("*") if one.is_file()]
    assert bool(copies) == bool(more)
    digest = hashlib.sha256(bytes(BIG)).hexdigest()
    log = work.ask("log", str(far(work, "middle.bin")))
    (version,) = log["versions"]
    assert (version["sha256"], version["rule"], version["bytesKept"]) == (digest, "first", bool(more))
    raw = hashlib.sha256(b"raw\n").hexdigest()
    assert used(work) == [f"FAR/middle.bin@1 {digest[:8]}", f"FAR/raw.txt {raw[:8]}"]
    assert tree(work) == {"FAR/last.txt@1 ← last", "FAR/middle.bin@1 ← first", "file://FAR/raw.txt raw input"}
    affected = work.ask("affected", str(far(work, "middle.bin")))["versions"]
    assert [one["path"] for one in affected] == [str(far(work, "last.txt"))]
    with work.connect() as client:
        entity = client.entities.get(log["entity"]["id"])
        handle = client.files.handle(str(entity.data_file_handle_id))
    assert handle.external_url == (None if more else far(work, "middle.bin").as_uri())
    restored = work.call("restore", str(far(work, "middle.bin")), "-o", "again.bin")
    if more:
        assert (work.folder / "again.bin").read_bytes() == bytes(BIG)
    else:
        assert restored.status == 5
        assert f"because Snakemake removed the local copy of {far(work, 'middle.bin')}." in restored.out
    far(work, "middle.bin").write_text("changed\n")
    work.say("verify", status=4)


def test_objects_of_which_only_nodes_had_local_copies_are_in_the_lineage(work: Work, tmp_path: Path) -> None:
    """Nodes share no copies with the process that records: it knows who wrote what, and not with which bytes."""
    pytest.importorskip("snakemake_executor_plugin_cluster_generic")
    shared = ("persistence", "software-deployment", "sources", "source-cache")
    node = ("--remote-job-local-storage-prefix", str(tmp_path / "node"))
    said = work.on_cluster(*in_storage(work), *node, "--shared-fs-usage", *shared)

    assert "not recorded in full" not in said
    assert tree(work) == {
        "FAR/last.txt@1 ← last identity not proved",
        "FAR/middle.bin@1 ← first identity not proved",
        "file://FAR/raw.txt raw input",
    }
    assert used(work) == ["FAR/middle.bin@1 identity not proved", "FAR/raw.txt"]
    (version,) = work.ask("log", str(far(work, "middle.bin")))["versions"]
    assert (version["sha256"], version["rule"], version["bytesKept"]) == (None, "first", False)
    assert [one["path"] for one in work.ask("affected", str(far(work, "middle.bin")))["versions"]] == [
        str(far(work, "last.txt"))
    ]
    told = work.say("methods", str(far(work, "last.txt")))
    assert "First, first ran" in told and "Finally, last ran" in told
    refused = work.call("restore", str(far(work, "middle.bin")), "-o", "again.bin")
    assert refused.status == 5 and "its bytes are not kept, because they were never read." in refused.out


def test_an_object_that_only_a_node_had_is_not_edited_when_it_is_read_here_later(work: Work, tmp_path: Path) -> None:
    """Its bytes are read for the first time: nothing says that they are others than those the node wrote."""
    pytest.importorskip("snakemake_executor_plugin_cluster_generic")
    shared = ("persistence", "software-deployment", "sources", "source-cache")
    node = ("--remote-job-local-storage-prefix", str(tmp_path / "node"))
    work.on_cluster(*in_storage(work), *node, "--shared-fs-usage", *shared)

    said = work.snakemake(*in_storage(work), "other")

    assert "edited by hand" not in said
    lineage = work.say("lineage", str(far(work, "other.txt")))
    assert "first" in lineage and "edited by hand" not in lineage
    assert len(work.ask("log", str(far(work, "middle.bin")))["versions"]) == 1
