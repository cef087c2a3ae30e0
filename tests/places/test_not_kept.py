"""Files whose bytes no store has: large and temporary ones, and all of them with `upload = false`."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from .conftest import KEPT_BYTES_MAX, LARGE, WITHOUT_BYTES, Ask, Pipeline
from .test_server import lasting

STORES = ("embedded", "ada", "synapse")
"""A folder, a team's server and Synapse."""

QUESTIONS = (
    ["log", "work/large.bin"],
    ["log", "work/scratch.txt"],
    ["log", "results/parts"],
    ["show", "results/sum.txt"],
    ["show", "work/large.bin@1"],
    ["show", "work/tmp"],
    ["why", "work/large.bin"],
    ["lineage", "results/sum.txt"],
    ["lineage", "data/large.csv", "--downstream"],
    ["affected", "data/large.csv"],
    ["affected", "work/tmp@1"],
    ["methods", "results/sum.txt"],
    ["find", "--file", "data/large.csv"],
    ["find", "rule=scratch"],
    ["verify", "work/large.bin", "results/parts", "results/sum.txt"],
)

SYNAPSE_REFUSES = ("affected", "--downstream", "rule=scratch")

HISTORY = {
    "data/large.csv": [LARGE],
    "work/large.bin": [LARGE * 4, LARGE * 2],
    "work/scratch.txt": [b"160000\n", b"80000\n"],
    "results/sum.txt": [b"160000\n" * 2 + b"two\n", b"80000\n" * 2 + b"two\n"],
}
"""What each file was, the newest first."""

SOURCES = {
    "results/sum.txt@2": {"results/parts/@1", "work/scratch.txt@2", "work/tmp/@2"},
    "work/scratch.txt@2": {"work/large.bin@2"},
    "work/tmp/@2": {"work/large.bin@2"},
    "work/large.bin@2": {"data/large.csv@1"},
    "results/parts/@1": {"work/a.txt@1"},
    "work/a.txt@1": {"data/a.txt@1"},
}
"""What each version in the lineage of the sum was made from."""


def named(arguments: list[str]) -> str:
    return " ".join(arguments)


@pytest.mark.parametrize("store", [*STORES, *(f"{one}{WITHOUT_BYTES}" for one in STORES)])
class TestEachStore:
    """A folder, a server and Synapse, with bytes and without."""

    def test_every_version_has_the_digest_of_its_bytes(self, ask: Ask, store: str) -> None:
        """Whether or not they are kept."""
        for path, contents in HISTORY.items():
            versions = ask(store, "log", path, "--json").json["versions"]
            digests = [hashlib.sha256(one).hexdigest() for one in contents]
            assert [(one["sha256"], one["sizeBytes"]) for one in versions] == list(
                zip(digests, map(len, contents), strict=True)
            )
            is_kept = path == "results/sum.txt" and WITHOUT_BYTES not in store
            assert {one["bytesKept"] for one in versions} <= {is_kept, None}, path
            if path != "data/large.csv":
                assert ask(store, "show", path, "--json").json["version"]["bytesKept"] is is_kept, path

    def test_the_lineage_goes_through_them(self, ask: Ask, store: str) -> None:
        """From the result to the raw data."""
        graph = ask(store, "lineage", "results/sum.txt", "--json").json
        names = {
            one["id"]: f"{one['path']}@{one['versionNumber']}" for one in graph["nodes"] if one["kind"] == "entity"
        }
        makers = {one["source"]: one["target"] for one in graph["edges"] if one["kind"] == "generatedBy"}
        read = [one for one in graph["edges"] if one["kind"] == "used"]
        sources = {
            names[made]: {names[one["target"]] for one in read if one["source"] == activity}
            for made, activity in makers.items()
        }
        assert sources == SOURCES

    @pytest.mark.parametrize(
        ("path", "why"),
        [
            ("work/large.bin", f"it has 160000 bytes, more than keep_bytes_max ({KEPT_BYTES_MAX})"),
            ("data/large.csv", f"it has 40000 bytes, more than keep_bytes_max ({KEPT_BYTES_MAX})"),
            ("work/scratch.txt", "rule scratch marks it as temp()"),
            ("work/tmp", "rule scratch marks it as temp()"),
            ("results/sum.txt", ""),
            ("results/parts", ""),
        ],
        ids=lambda one: one.split()[0] if one else "",
    )
    def test_restore_says_why_there_are_no_bytes(self, ask: Ask, store: str, copy: Path, path: str, why: str) -> None:
        """And how to make the file again; nothing is written."""
        is_temporary = "temp()" in why
        if store.startswith("synapse") and (is_temporary or path == "results/parts"):
            # It is not told what a rule says of its outputs, and keeps no files of directories.
            why = "only its digest was recorded"
            is_temporary = False
        if WITHOUT_BYTES in store and not is_temporary:
            why = "bytes are not kept here (upload = false)"
        told = ask(store, "restore", path, "-o", "out", folder=copy)

        if not why:
            assert (told.status, told.err) == (0, "")
            assert (copy / "out").exists()
            return
        assert told.status == 5, told
        assert f"because {why}." in told.out
        assert not (copy / "out").exists()

    def test_verify_says_what_can_be_restored(self, ask: Ask, pipeline: Pipeline, store: str, copy: Path) -> None:
        """A directory can be if all of its files can; a temporary one that is gone is nothing wrong."""
        # A store beside a workflow is compared with that.
        folder = pipeline.folder if store == "embedded" else copy
        results = (folder / "results").rename(folder / "away")
        told = ask(store, "verify", "results/parts", "results/sum.txt", "work/large.bin", "data/a.txt", folder=folder)
        results.rename(folder / "results")

        assert told.status == 4
        states = dict(line.split()[:2][::-1] for line in told.out.splitlines() if "@" in line)
        assert states == {"results/parts/@1": "missing", "results/sum.txt@2": "missing"}
        notes = {line.split()[1]: line.split(maxsplit=2)[2].strip() for line in told.out.splitlines() if "@" in line}
        kept = {"results/sum.txt@2", *(() if store == "synapse" else ("results/parts/@1",))}
        for name, note in notes.items():
            is_kept = WITHOUT_BYTES not in store and name in kept
            assert note == ("can be restored" if is_kept else "bytes not kept"), name


@pytest.mark.parametrize("arguments", QUESTIONS, ids=named)
@pytest.mark.parametrize("store", STORES)
def test_a_question_has_the_same_answer_without_bytes(ask: Ask, store: str, arguments: list[str]) -> None:
    """But for whether they are kept."""
    if store == "synapse" and any(one in arguments for one in SYNAPSE_REFUSES):
        pytest.skip("Synapse cannot be asked that")
    command, *rest = arguments
    kept, unkept = (ask(one, command, "--json", *rest) for one in (store, f"{store}{WITHOUT_BYTES}"))

    assert (unkept.status, unkept.err) == (kept.status, kept.err) == (0, "")
    # In Synapse an activity is as old as its record.
    ignored = {"bytesKept"} | ({"endedOn"} if store == "synapse" else set())
    assert without(ignored, lasting(unkept.json)) == without(ignored, lasting(kept.json))


def without(keys: set[str], value: object) -> object:
    """Return an answer without some keys."""
    if isinstance(value, dict):
        return {key: without(keys, one) for key, one in value.items() if key not in keys}
    return [without(keys, one) for one in value] if isinstance(value, list) else value
