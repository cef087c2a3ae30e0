"""What the command line chooses to run, run again, or not to run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter

import pytest

from tests.matrix.accounts import MADE, SEEN
from tests.matrix.rows import row
from tests.matrix.workflow import Place, version

SNAKEFILE = f"""SEEN = {SEEN!r}
MADE = {MADE!r}
CHANGES = config.get("changes", "")

rule all:
    input: "last_p.txt", "last_q.txt"

rule first:
    input: "data/{{name}}.txt"
    output: "first_{{name}}.txt"
    shell: SEEN + "cat {{input}} > {{output}}" + MADE

rule middle:
    input: "first_{{name}}.txt"
    output: "middle_{{name}}.txt"
    params: CHANGES
    shell: SEEN + "cat {{input}} > {{output}}; echo {{params}} >> {{output}}" + MADE

rule last:
    input: "middle_{{name}}.txt"
    output: "last_{{name}}.txt"
    shell: SEEN + "cat {{input}} > {{output}}" + MADE

rule gather:
    input: expand("first_{{name}}.txt", name=list("rstu"))
    output: "gathered.txt"
    shell: SEEN + "cat {{input}} > {{output}}" + MADE

rule random:
    output: "random.txt"
    shell: "date +%s%N > {{output}}" + MADE

rule slow:
    input: "data/p.txt"
    output: "slow.txt"
    shell:
        SEEN + "echo half > {{output}}; touch begun; if test -e slowly; then sleep 60; fi; echo whole >> {{output}}"
        + MADE

rule stumble:
    output: "stumbled.txt"
    retries: 2
    resources: number=lambda wildcards, attempt: attempt
    shell: "n={{resources.number}}; echo $n >> attempts; test $n -eq 3; echo $n > {{output}}" + MADE

rule fail:
    output: "failed.txt"
    resources: number=lambda wildcards, attempt: attempt
    shell: "echo {{resources.number}} >> failures; exit 7"

rule after_failure:
    input: "failed.txt"
    output: "after.txt"
    shell: "touch {{output}}"
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    files = {f"data/{name}.txt": f"{name}\n" for name in "pqrstu"}
    return Place(tmp_path_factory.mktemp("selection"), SNAKEFILE, files)


@row("flow: --until", "flow: --omit-from")
def test_until_and_omit_from(place: Place) -> None:
    """What was left out is not recorded, and is when it runs later."""
    until = place.run("all", "random.txt", "--until", "first", "random")
    until.agrees()
    assert until.counts() == Counter(first=2, random=1)
    omitted = place.run("--omit-from", "last")
    omitted.agrees()
    assert omitted.counts() == Counter(middle=2)
    rest = place.run()
    rest.agrees()
    assert rest.counts() == Counter(last=2, all=1)
    assert place.story("last_p.txt").activity["name"] == "last"


@row("flow: --forcerun", "flow: --forceall")
def test_forced_jobs(place: Place) -> None:
    """The same bytes again reproduce the version; other bytes make the next."""
    place.made("last_p.txt", "random.txt")
    forced = place.run("last_p.txt", "random.txt", "--forcerun", "middle", "random")
    forced.agrees()
    assert forced.counts() == Counter(middle=1, last=1, random=1)
    again = version(forced.job("middle"), "output", "middle_p.txt")
    assert (again.outcome, again.version_number) == ("reproduced", 1)
    new = version(forced.job("random"), "output", "random.txt")
    assert (new.outcome, new.version_number) == ("generated", 2)
    assert "Forced execution" in forced.job("middle").job.reason
    everything = place.run("random.txt", "last_p.txt", "--forceall")
    everything.agrees()
    assert everything.counts() == Counter(first=1, middle=1, last=1, random=1)


@row("flow: --batch")
def test_batches(place: Place) -> None:
    """The parts are recorded with their batch, what gathers them with the last one, and with all its inputs."""
    one = place.run("gathered.txt", "--batch", "gather=1/2")
    one.agrees()
    assert one.counts() == Counter(first=2)
    two = place.run("gathered.txt", "--batch", "gather=2/2")
    two.agrees()
    assert two.counts() == Counter(first=2, gather=1)
    assert len(two.job("gather").job.inputs) == 4


@row("flow: --rerun-triggers")
def test_rerun_triggers(place: Place) -> None:
    """Nothing is recorded where nothing ran; what a changed parameter ran again says so."""
    place.made("last_p.txt")
    quiet = place.run("last_p.txt", "--config", "changes=new", "--rerun-triggers", "mtime")
    assert (quiet.status, quiet.told) == (0, None)
    # Named, because 9.0.1 does not look at parameters unless it is told to.
    triggered = place.run("last_p.txt", "--config", "changes=new", "--rerun-triggers", "params")
    triggered.agrees()
    assert triggered.counts() == Counter(middle=1, last=1)
    assert "arams" in triggered.job("middle").job.reason
    assert version(triggered.job("middle"), "output", "middle_p.txt").version_number == 2
    assert version(triggered.job("last"), "input", "middle_p.txt").version_number == 2


@row("flow: --touch")
def test_touched_jobs(place: Place) -> None:
    """A touch is recorded as what it is, and makes no versions."""
    place.made("last_q.txt")
    before = place.story("last_q.txt").version
    place.write("data/q.txt", "changed\n")
    touched = place.run("last_q.txt", "--touch", "--config", "changes=new")
    assert touched.status == 0, touched.stderr
    touched.counts_agree()
    assert touched.counts("touched") == touched.counts() == Counter(first=1, middle=1, last=1)
    assert {one.outcome for job in touched.jobs for one in job.files if one.role == "output"} == {"touched"}
    assert place.story("last_q.txt").version == before


@row("flow: --keep-going", "flow: --retries")
def test_failures_and_retries(place: Place) -> None:
    """Each failure and each attempt is recorded once; what could not be reached is not."""
    ran = place.run("after.txt", "stumbled.txt", "slow.txt", "--keep-going", "--retries", "1")
    assert ran.status == 1
    assert ran.record.status == "failed"
    ran.counts_agree()
    assert ran.counts("success") == Counter(stumble=1, slow=1)
    for rule, marks, last in (("stumble", "attempts", "success"), ("fail", "failures", "failed")):
        numbers = [int(line) for line in place.read(marks).splitlines()]
        attempts = [(one.job.attempt, one.job.status) for one in ran.all(rule)]
        assert attempts == [(number, last if number == numbers[-1] else "retried") for number in numbers]
    for job in ran.all("fail"):
        assert "exit status 7" in job.job.error
        assert "output" not in {one.role for one in job.files}


@row("flow: --rerun-incomplete")
def test_incomplete_jobs(place: Place) -> None:
    """A job that was killed with Snakemake itself is recorded when it is run again, with what it then made."""
    place.made("slow.txt")
    (place.folder / "begun").unlink()
    flag = place.write("slowly", "")
    process = subprocess.Popen(
        [sys.executable, "-m", "snakemake", "--cores", "1", "slow.txt", "--forcerun", "slow"],
        cwd=place.folder,
        env=place.environment(),
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    deadline = time.monotonic() + 60
    while not (place.folder / "begun").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait(timeout=30)
    assert place.read("slow.txt") == "half\n"
    flag.unlink()
    ran = place.run("slow.txt", "--nolock", "--rerun-incomplete")
    ran.agrees()
    assert ran.counts("success") == ran.counts() == Counter(slow=1)
    assert version(ran.job("slow"), "output", "slow.txt").outcome == "reproduced"
    assert place.kept("slow.txt") == b"half\nwhole\n"
