"""Names, sizes and numbers that real pipelines have and that break tools."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.endtoend.conftest import Work

ODD_NAMES = [
    "two words.txt",
    'it\'s "quoted".txt',
    "ünï cödé 猫.txt",
    "hash#1.txt",
    "mail@host.txt",
    "ends@2",
    "percent%20.txt",
    "-dash.txt",
    "back\\slash.txt",
    "semi;colon&amp.txt",
    "(root)",
    "x" * 200 + ".txt",
]

SNAKEFILE = """
import snakeprov; snakeprov.track(workflow)
import json, os

NAMES = json.load(open("names.json"))
BYTES = os.fsdecode(b"caf\\xe9.txt")

rule all:
    input: NAMES, "../outside.txt", "bytes.txt", "empty.txt", "many.txt", "long.txt"

for number, name in enumerate(NAMES):
    rule:
        name: f"odd{number}"
        input: "in.txt"
        output: name.replace("{", "{{").replace("}", "}}")
        run:
            pass

rule bytes:
    input: BYTES  # Snakemake takes a name that is not UTF-8 only as an input, and only without locks
    output: "bytes.txt"
    shell: "echo bytes > {output}"

rule outside:
    input: "in.txt"
    output: "../outside.txt"
    shell: "cat {input} > {output}"

rule empty:
    output: "empty.txt"
    shell: "touch {output}"

rule many:
    input: expand("parts/{n}.txt", n=range(10_000))
    output: "many.txt"
    shell: "echo many > {output}"

rule long:
    output: "long.txt"
    params: long="x" * 10_000_000
    shell: "cat > {output} <<'END'\\n{params.long}\\nEND\\n"
"""


@pytest.fixture
def work(make_work: Callable[..., Work]) -> Work:
    """A workflow in which everything is odd."""
    shells = SNAKEFILE.replace("        run:\n            pass\n", '        shell: "echo {input} > ./{output:q}"\n')
    made = make_work(shells)
    made.write("names.json", json.dumps(ODD_NAMES))
    made.write("in.txt", "input\n")
    (made.folder / "parts").mkdir()
    Path(made.folder, os.fsdecode(b"caf\xe9.txt")).write_text("bytes\n")
    for number in range(10_000):
        (made.folder / "parts" / f"{number}.txt").write_text(f"{number}\n")
    return made


@pytest.mark.skipif(sys.platform == "darwin", reason="file names must be UTF-8 there")
def test_odd_names_and_sizes_are_recorded_and_shown(work: Work) -> None:
    """Spaces, quotes, unicode, bytes; outside the folder; empty; 10 000 inputs; a command of 10 MB."""
    said = work.snakemake("--nolock", "--quiet", "rules")

    assert f"recorded {len(ODD_NAMES) + 6} jobs: {len(ODD_NAMES) + 5} new versions" in said
    assert "could not" not in said
    for name in ODD_NAMES:
        log = work.ask("log", "--", name)
        assert log["entity"]["path"] == name
        assert [one["versionNumber"] for one in log["versions"]] == [1]
        assert name[:20] in work.say("lineage", "--", name).replace("\\\\", "\\")
    assert work.ask("log", "../outside.txt")["versions"][0]["rule"] == "outside"
    assert work.ask("log", str(work.folder.parent / "outside.txt"))["versions"][0]["rule"] == "outside"
    assert work.ask("log", os.fsdecode(b"caf\xe9.txt"))["entity"]["path"] == "caf\\xe9.txt"
    assert work.ask("log", "empty.txt")["versions"][0]["sizeBytes"] == 0

    many = work.ask("show", "many.txt")
    assert len(many["job"]["inputs"]) == 10_000
    assert len({one["entityId"] for one in many["job"]["inputs"]}) == 10_000
    assert len(work.say("show", "many.txt").splitlines()) < 100
    assert len(work.say("lineage", "many.txt").splitlines()) < 100
    assert len(work.ask("lineage", "many.txt", "--depth", "1")["nodes"]) <= 10_003

    long = work.ask("show", "long.txt")
    assert len(long["job"]["shellcmd"]) > 10_000_000
    assert len(work.say("show", "long.txt")) < 20_000


def test_the_version_suffix_and_names_that_look_like_it(work: Work) -> None:
    """A recorded file whose name ends in @2 wins over version 2 of another."""
    work.snakemake("ends@2", "--quiet", "rules")

    assert work.ask("show", "ends@2")["entity"]["path"] == "ends@2"
    assert work.ask("show", "ends@2@1")["version"]["versionNumber"] == 1
    assert "version 1" in work.say("show", "in.txt@99", status=3) or "@1" in work.say("show", "in.txt@99", status=3)


def test_what_is_asked_wrongly_is_answered_with_what_to_do(work: Work, tmp_path: Path) -> None:
    """A path never recorded, a folder without a store, a command that does not exist."""
    work.snakemake("two words.txt", "--quiet", "rules")

    assert "Did you mean" in work.say("log", "two word.txt", status=3)
    assert "There is no snakeprov store" in work.say("log", "x", "--store", str(tmp_path), status=31)
    assert "No such command" in work.say("lok", status=2)
