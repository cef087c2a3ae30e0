"""What a rule can say of its files."""

from __future__ import annotations

import hashlib
import inspect
import stat
from collections import Counter

import pytest
from snakemake.io import multiext

from snakeprov.model.manifest import read_manifest
from tests.matrix.accounts import MADE, SEEN
from tests.matrix.rows import row
from tests.matrix.workflow import Job, Place, Run, facts, version

HAS_NAMES = "named_extensions" in inspect.signature(multiext).parameters
"""Whether this Snakemake lets the files of a multiext have names."""

MULTIEXT = 'a=".a", b=".b"' if HAS_NAMES else '".a", ".b"'

SNAKEFILE = f"""SEEN = {SEEN!r}
MADE = {MADE!r}

rule all:
    input:
        "plain.txt", "protected.txt", "tree.txt", "touched.txt", "multi.a", "ensured.txt", "drunk.txt", "served.txt",
        "shadow.txt", "ancient.txt", "reported.txt", "link.txt",

rule plain:
    input:
        "data/a.txt",
        one="data/b.txt",
        many=["data/a.txt", "data/b.txt"],
        temporary="temp.txt",
    output:
        "plain.txt",
        log="plain.other",
        listed=["plain.1", "plain.2"],
    shell: SEEN + "cat {{input}} | tee {{output[0]}} {{output.log}} > plain.1; echo 2 > plain.2" + MADE

rule temporary:
    input: "data/a.txt"
    output: temp("temp.txt")
    shell: SEEN + "echo temporary > {{output}}" + MADE

rule protect:
    output: protected("protected.txt")
    shell: "echo protected > {{output}}" + MADE

rule tree:
    output: directory("tree")
    shell: "mkdir -p tree/deep; echo leaf > tree/deep/leaf.txt; ln -s deep/leaf.txt tree/link"

rule leaf:
    input: "tree"
    output: "tree.txt"
    shell: "cat {{input}}/deep/leaf.txt > {{output}}" + MADE

rule touched:
    output: touch("touched.txt")
    shell: "true"

rule multi:
    input: "data/a.txt"
    output: multiext("multi", {MULTIEXT})
    shell: SEEN + "echo a > multi.a; echo b > multi.b" + MADE

rule ensured:
    output: ensure("ensured.txt", sha256="5139551fe04565deba9ac34f76022e7052a1a07410d0c7dd874932af685bf629")
    shell: "echo ensured > {{output}}" + MADE

rule empty:
    output: ensure("empty.txt", non_empty=True)
    shell: "touch {{output}}"

rule pour:
    input: "data/a.txt"
    output: pipe("stream")
    shell: SEEN + "cat {{input}} > {{output}}"

rule drink:
    input: "stream", "data/b.txt"
    output: "drunk.txt"
    shell: "cat {{input[0]}} > {{output}}" + MADE

rule serve:
    output: service("server.sock")
    shell: "touch {{output}}; trap 'rm -f {{output}}; exit 0' TERM; while true; do sleep 0.1; done"

rule ask:
    input: "server.sock", "data/a.txt"
    output: "served.txt"
    shell: "test -e {{input[0]}}; cat {{input[1]}} > {{output}}" + MADE

rule shadow:
    input: "data/a.txt"
    output: "shadow.txt"
    shadow: "minimal"
    shell: "cat {{input}} > {{output}}; echo stray > stray.txt"

rule ancient:
    input: ancient("data/a.txt")
    output: "ancient.txt"
    shell: SEEN + "cat {{input}} > {{output}}" + MADE

rule report:
    output: report("reported.txt", caption="caption.rst", category="a category")
    shell: "echo reported > {{output}}" + MADE

rule link:
    output: "link.txt"
    shell: "echo target > target.txt; ln -s target.txt {{output}}" + MADE

rule optional:
    input: "data/a.txt", branch(exists("data/none.txt"), then="data/none.txt", otherwise=[])
    output: "optional.txt"
    shell: SEEN + "cat {{input}} > {{output}}" + MADE

rule one_of_two:
    output: "one_of_two.txt", "two_of_two.txt"
    shell: "echo one > {{output[0]}}"

rule update:
    input: "data/new.txt"
    output: update("collection.txt")
    shell: SEEN + "cat {{input}} >> {{output}}" + MADE

rule before:
    input: before_update("collection.txt")
    output: "before.txt"
    shell: SEEN + "cat {{input}} > {{output}}" + MADE

rule update_itself:
    input: before_update("ledger.txt"), "data/new.txt"
    output: update("ledger.txt")
    shell: SEEN + "echo line >> {{output}}" + MADE
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    files = {
        "data/a.txt": "a\n",
        "data/b.txt": "b\n",
        "data/new.txt": "new\n",
        "collection.txt": "old\n",
        "ledger.txt": "old\n",
        "caption.rst": "A caption\n",
    }
    return Place(tmp_path_factory.mktemp("files"), SNAKEFILE, files)


@pytest.fixture(scope="module")
def run(place: Place) -> Run:
    return place.run()


def digest(text: str) -> str:
    """Return the sha256 of a text."""
    return hashlib.sha256(text.encode()).hexdigest()


def paths(job: Job, role: str) -> dict[str, str]:
    """Return digest by path of the files of a job."""
    return {file.path: file.sha256 or "" for file in job.files if file.role == role}


@row("files: plain, named and lists", "files: multiext")
def test_names(run: Run) -> None:
    """Everything agrees with what the jobs say; each file has the name that the rule gives it."""
    run.agrees()
    assert run.counts().total() == 17
    job = run.job("plain")
    assert [(one.path, one.name) for one in job.job.inputs] == [
        ("data/a.txt", None),
        ("data/b.txt", "one"),
        ("data/a.txt", "many"),
        ("data/b.txt", "many"),
        ("temp.txt", "temporary"),
    ]
    assert [(one.path, one.name) for one in job.job.outputs] == [
        ("plain.txt", None),
        ("plain.other", "log"),
        ("plain.1", "listed"),
        ("plain.2", "listed"),
    ]
    assert [(one.path, one.name) for one in run.job("multi").job.outputs] == [
        ("multi.a", "a" if HAS_NAMES else None),
        ("multi.b", "b" if HAS_NAMES else None),
    ]
    with_activity = {one.job.rule for one in run.jobs if one.activity_id is not None}
    assert with_activity == set(run.counts()) - {"all"}


@row("files: temp")
def test_temporary_files(place: Place, run: Run) -> None:
    """Maker and user of a temporary file name the same version, of which the bytes are not kept."""
    assert not (place.folder / "temp.txt").exists()
    made, used = version(run.job("temporary"), "output", "temp.txt"), version(run.job("plain"), "input", "temp.txt")
    assert made.sha256 == used.sha256 == digest("temporary\n")
    assert (made.entity_id, made.version_number) == (used.entity_id, used.version_number)
    assert place.story("temp.txt").version.bytes_kept is False


@row("files: protected", "files: touch", "files: ensure", "files: report", "files: shadow", "files: ancient")
def test_flags(place: Place, run: Run) -> None:
    """Flags are kept where they matter, and none hides what a file holds."""
    protected = facts(run.job("protect"), "output")["protected.txt"]
    assert protected.flags == ["protected"]
    mode = (place.folder / "protected.txt").stat().st_mode
    assert not stat.S_IMODE(mode) & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH)
    assert place.kept("protected.txt") == b"protected\n"
    assert paths(run.job("touched"), "output") == {"touched.txt": digest("")}
    assert facts(run.job("ensured"), "output")["ensured.txt"].flags == ["ensure"]
    assert paths(run.job("report"), "output") == {"reported.txt": digest("reported\n")}
    assert paths(run.job("shadow"), "output") == {"shadow.txt": digest("a\n")}
    assert not (place.folder / "stray.txt").exists()
    assert facts(run.job("ancient"), "input")["data/a.txt"].flags == ["ancient"]
    assert paths(run.job("ancient"), "input") == {"data/a.txt": digest("a\n")}


@row("files: directory")
def test_directories(place: Place, run: Run) -> None:
    """A directory is one version; its manifest lists the members, and the store returns each file."""
    made, used = version(run.job("tree"), "output", "tree/"), version(run.job("leaf"), "input", "tree/")
    assert (made.entity_id, made.version_number) == (used.entity_id, used.version_number)
    manifest = read_manifest(place.kept("tree/"))
    assert [(path, one.sha256) for path, one in manifest.files] == [("deep/leaf.txt", digest("leaf\n"))]
    assert b"link" in place.kept("tree/")


@row("files: pipe", "files: service")
def test_streams(run: Run) -> None:
    """Both ends of a pipe and of a service name the same thing, which has no digest and no bytes."""
    for maker, user, path in (("pour", "drink", "stream"), ("serve", "ask", "server.sock")):
        made, used = version(run.job(maker), "output", path), version(run.job(user), "input", path)
        assert (made.sha256, used.sha256) == (None, None)
        assert (made.entity_id, made.version_number) == (used.entity_id, used.version_number)
        assert run.job(maker).job.group == run.job(user).job.group
    assert paths(run.job("drink"), "output") == {"drunk.txt": digest("a\n")}


@row("files: symlinked outputs")
def test_links(place: Place, run: Run) -> None:
    """An output that is a link has the bytes that it leads to, which are kept."""
    assert facts(run.job("link"), "output")["link.txt"].symlink_target == "target.txt"
    assert place.kept("link.txt") == b"target\n"
    changed = (place.folder / "target.txt").write_text("other\n")
    assert changed and place.kept("link.txt") == b"target\n"


@row("files: update", "files: before_update")
def test_updates(place: Place, run: Run) -> None:
    """What a job updates is used as it was before and generated as it is after; so also the second time."""
    updated = place.run("before.txt", "--forcerun", "update", "update_itself")
    if "already exists in aux_resources" in updated.stderr:
        pytest.skip("this Snakemake breaks off where more than one job updates")
    updated.agrees()
    assert updated.counts() == Counter(["update", "before", "update_itself"])
    assert len(updated.reads) == 7
    job = updated.job("update")
    assert paths(job, "input") == {"data/new.txt": digest("new\n"), "collection.txt": digest("old\n")}
    assert paths(job, "output") == {"collection.txt": digest("old\nnew\n")}
    assert paths(updated.job("before"), "input") == {"collection.txt": digest("old\n")}
    numbers = [version(job, role, "collection.txt").version_number for role in ("input", "output")]
    assert numbers == [1, 2]
    itself = updated.job("update_itself")
    assert paths(itself, "input") == {"data/new.txt": digest("new\n"), "ledger.txt": digest("old\n")}
    assert paths(itself, "output") == {"ledger.txt": digest("old\nline\n")}

    again = place.run("collection.txt", "--forcerun", "update")
    again.agrees()
    job = again.job("update")
    assert [version(job, role, "collection.txt").version_number for role in ("input", "output")] == [2, 3]
    assert place.story("collection.txt", 3).activity["name"] == "update"


@row("files: missing optional outputs", "files: ensure")
def test_missing_outputs(place: Place, run: Run) -> None:
    """An optional input that is not there is not recorded; a job that lacks an output generates nothing."""
    ran = place.run("optional.txt", "one_of_two.txt", "empty.txt", "--keep-going", "--latency-wait", "0")
    assert ran.status == 1
    ran.counts_agree()
    assert {one.job.rule: one.job.status for one in ran.jobs} == {
        "optional": "success",
        "one_of_two": "failed",
        "empty": "failed",
    }
    assert paths(ran.job("optional"), "input") == {"data/a.txt": digest("a\n")}
    assert list(facts(ran.job("one_of_two"), "output")) == ["one_of_two.txt", "two_of_two.txt"]
    for rule in ("one_of_two", "empty"):
        assert paths(ran.job(rule), "output") == {}
    assert ran.job("one_of_two").job.error.startswith("MissingOutputException")
    assert "empty" in ran.job("empty").job.error
