"""A project on a read-only mount, such as a snapshot: every question is answered, and nothing is written."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.commands import Answer
from tests.endtoend.conftest import Work

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="mounting takes root")

SNAKEFILE = """
import snakeprov; snakeprov.track(workflow)

rule last:
    input: "parts", "middle.txt"
    output: "last.txt"
    params: scale=config.get("scale", 1)
    shell: "cat {input[0]}/one {input[1]} > {output}; echo {params.scale} >> {output}"

rule parts:
    input: "raw.txt"
    output: directory("parts")
    shell: "mkdir {output}; cp {input} {output}/one"

rule first:
    input: "raw.txt"
    output: temp("middle.txt")
    log: "first.log"
    shell: "cp {input} {output}; echo copied > {log}"
"""

QUESTIONS = """
log
log last.txt
log raw.txt
lineage last.txt
lineage last.txt --format html
lineage raw.txt --downstream
why last.txt
diff last.txt@1 last.txt --content
show last.txt
show last.txt --patch
show parts
show first.log
affected raw.txt
affected --rule first
verify
verify last.txt parts
fsck
find rule=first
find param.scale=2
find --file raw.txt
methods last.txt
runs
run last
prune --rule last
export last.txt --format prov-json
"""

WRITES = """
export last.txt -o {out}/crate
export run:last -o {out}/run
checkout run:last --to {out}/checkout
restore last.txt@1 -o {out}/last.txt
restore parts -o {out}/parts
"""


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Work]:
    """A project that ran twice and whose folder is mounted read-only since; `answers` has what was told before."""
    work = Work(tmp_path_factory.mktemp("mounted") / "study")
    work.write("Snakefile", SNAKEFILE)
    work.write("raw.txt", "raw\n")
    work.write(".gitignore", ".snake*\n*.txt\nparts\nno-config\n")
    work.commit()
    work.snakemake()
    work.write("Snakefile", SNAKEFILE + "# a comment\n")
    work.snakemake("--config", "scale=2", "--rerun-triggers", "params")
    mount("--bind", str(work.folder), str(work.folder))
    try:
        mount("-o", "remount,ro,bind", str(work.folder))
        with pytest.raises(OSError, match="Read-only"):
            work.write("any.txt", "any")
        yield work
    finally:
        subprocess.run(["umount", "--lazy", str(work.folder)], check=True)


def mount(*arguments: str) -> None:
    done = subprocess.run(["mount", *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"this machine does not let one mount: {done.stderr.strip()}")


def state(folder: Path) -> dict[str, tuple[int, int, bytes]]:
    """Everything in a folder, with times."""
    found = {}
    for path in sorted((folder, *folder.rglob("*"))):
        status = path.lstat()
        content = path.read_bytes() if path.is_file() else b""
        found[str(path)] = (status.st_mtime_ns, status.st_ctime_ns, content)
    return found


def ask(work: Work, question: str) -> Answer:
    return work.call(*question.split())


def lines(text: str) -> list[str]:
    return text.strip().splitlines()


@pytest.mark.parametrize("question", lines(QUESTIONS))
def test_every_question_is_answered_and_nothing_is_written(work: Work, question: str) -> None:
    """Neither beside the store nor in the project; and nobody is warned of anything."""
    before = state(work.folder)
    answer = ask(work, question)

    assert (answer.status, answer.err) == (0, "")
    assert answer.out
    assert state(work.folder) == before


@pytest.mark.parametrize("command", lines(WRITES))
def test_what_writes_elsewhere_writes_there_alone(work: Work, tmp_path: Path, command: str) -> None:
    """Exports, checkouts and restored files."""
    before = state(work.folder)
    answer = ask(work, command.format(out=tmp_path))

    assert (answer.status, answer.err) == (0, "")
    (made,) = tmp_path.iterdir()
    assert made.is_file() or any(one.is_file() for one in made.rglob("*"))
    assert state(work.folder) == before


def test_what_would_write_there_says_that_it_cannot(work: Work) -> None:
    """In a sentence with the place, not with a traceback."""
    for command in ("restore last.txt@1", "prune --rule last --yes", "record raw.txt"):
        answer = ask(work, command)
        assert answer.status not in (0, 1), answer
        assert answer.err.startswith("snakeprov: error: "), answer
        assert "Traceback" not in answer.err
