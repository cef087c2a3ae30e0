"""Snakemake is killed while the delivering process has yet to read files that jobs left: none is taken for another."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
from collections.abc import Callable
from typing import Any

from snakeprov.recorder import backlog
from tests.endtoend.conftest import Variables, Work
from tests.endtoend.test_nothing_lost import delivering_processes, wait

BIG = 200_000
"""More bytes than are read while Snakemake waits, so that files are held open."""

SNAKEFILE = f"""
import snakeprov; snakeprov.track(workflow)

rule wait:
    input: "moved.bin", "counted.txt", "kept.bin"
    output: "done"
    shell: "until [ -e gate ]; do sleep 0.05; done; touch {{output}}"

rule move:
    input: "big.bin"
    output: "moved.bin"
    shell: "mv {{input}} {{output}}"

rule big:
    output: "big.bin"
    shell: "head -c {BIG} /dev/zero > {{output}}"

rule count:
    input: "temporary.bin", "parts"
    output: "counted.txt"
    shell: "cat {{input[0]}} {{input[1]}}/one | wc -c > {{output}}"

rule temporary:
    output: temp("temporary.bin"), temp(directory("parts"))
    shell: "head -c {BIG} /dev/zero | tr '\\\\0' t | tee {{output[0]}} > one; mkdir {{output[1]}}; mv one {{output[1]}}"

rule kept:
    output: "kept.bin"
    shell: "head -c {BIG} /dev/zero | tr '\\\\0' k > {{output}}"
"""

JOBS = 5
"""That end before the one that waits."""


def sha256(letter: bytes) -> str:
    return hashlib.sha256(letter * BIG).hexdigest()


DIGESTS = {
    "big.bin": sha256(b"\0"),
    "moved.bin": sha256(b"\0"),
    "temporary.bin": sha256(b"t"),
    "kept.bin": sha256(b"k"),
}


def kill_while_held(work: Work, *, both: bool) -> None:
    """Run the workflow; stop the delivering process before it reads a file, and kill Snakemake once five jobs ended.

    With `both` the delivering process is killed too, else it goes on once the files that are left were overwritten.
    """
    process = subprocess.Popen(
        work.command(),
        cwd=work.folder,
        env=work.environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    (delivering,) = wait(lambda: delivering_processes(process.pid))
    os.kill(delivering, signal.SIGSTOP)
    (log,) = wait(lambda: list(backlog.outbox_folder(work.folder).glob("*.log")))
    wait(lambda: log.read_bytes().count(b'"shellcmd"') >= JOBS)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    for name in ("moved.bin", "kept.bin"):
        (work.folder / name).unlink()
        work.write(name, "x" * BIG)
    os.kill(delivering, signal.SIGKILL if both else signal.SIGCONT)
    if not both:
        wait(lambda: not backlog.files(backlog.outbox_folder(work.folder)))


def first(work: Work, path: str) -> Any:
    return work.ask("show", f"{path}@1")["version"]


def test_files_that_are_held_outlive_snakemake(make_work: Callable[..., Work], store: Variables) -> None:
    """Moved, deleted as temporary, or replaced after the kill: each has the digest of what its job left."""
    work = make_work(SNAKEFILE)
    work.store = store
    kill_while_held(work, both=False)

    assert {path: first(work, path)["sha256"] for path in DIGESTS} == DIGESTS
    inputs = {one["path"].rstrip("/"): one for one in work.ask("show", "counted.txt")["job"]["inputs"]}
    assert inputs["temporary.bin"]["sha256"] == DIGESTS["temporary.bin"]
    assert inputs["parts"]["sha256"] == first(work, "parts")["sha256"] is not None
    run = work.ask("run", "last")
    assert (run["run"]["status"], len(run["jobs"])) == ("interrupted", JOBS)
    assert work.ask("push")["delivered"] == 0
    states = {one["path"]: one["state"] for one in work.call("verify", "--json").json["files"]}
    assert (states["moved.bin"], states["kept.bin"]) == ("changed", "changed")


def test_files_whose_holder_was_killed_too_have_no_digest_of_what_lies_there_since(
    make_work: Callable[..., Work], store: Variables
) -> None:
    """What nobody read in time is said to be unknown; its maker is known, and readers go through it."""
    work = make_work(SNAKEFILE)
    work.store = store
    kill_while_held(work, both=True)
    pushed = work.ask("push")

    assert pushed["delivered"] == JOBS
    for path in DIGESTS:
        version = first(work, path)
        assert version["sha256"] in (None, DIGESTS[path]), path
        assert version["rule"] == {"big.bin": "big", "moved.bin": "move", "temporary.bin": "temporary"}.get(
            path, "kept"
        )
    assert first(work, "kept.bin")["sha256"] is None
    lineage = work.say("lineage", "moved.bin@1")
    assert "big.bin@1" in lineage and "raw input" not in lineage
    run = work.ask("run", "last")
    assert (run["run"]["status"], len(run["jobs"])) == ("interrupted", JOBS)
