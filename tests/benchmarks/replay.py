"""What does recording one job cost, apart from Snakemake?

Replays records of trivial jobs (one shared input, one output, one Snakefile) through the real recorder, its delivering
process and a new embedded store, for each number of jobs; then one job with many inputs. Prints what appending
takes in Snakemake's process and what delivering takes in its own, a job, and how much memory each had at most. Both
should be the same for every number of jobs.

    python tests/benchmarks/replay.py [--jobs 1000,10000,100000] [--inputs 10000] [--profile]
"""

from __future__ import annotations

import argparse
import cProfile
import os
import pstats
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from snakeprov.apps.connect import connect
from snakeprov.apps.target import target_of
from snakeprov.disk.files import fingerprint
from snakeprov.model.records import CodeFact, FileFact, JobRecord, RunRecord
from snakeprov.model.times import now
from snakeprov.plugin.recording import open_recorder
from snakeprov.recorder.entries import Kind
from snakeprov.recorder.heldfiles import HeldFiles
from snakeprov.recorder.outbox import Log, Outbox
from snakeprov.recorder.process import LiveDelivery
from snakeprov.settings import Settings

FOLDER_FILES = 1000
"""How many files lie in one folder: the file system's own growth is not what is measured."""


def fact(work: Path, path: str, content: str) -> FileFact:
    """Make a file, and what capture says of it."""
    place = work / path
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(content)
    return FileFact(path=path, fingerprint=fingerprint(str(place)))


def records(work: Path, jobs: int, *, inputs: int) -> Iterator[JobRecord]:
    """Make the files of each job, and its record."""
    given = [fact(work, f"in/{number}.txt", f"input {number}\n") for number in range(inputs)]
    code = CodeFact(role="snakefile", path="Snakefile", line=5, fingerprint=fact(work, "Snakefile", "").fingerprint)
    for number in range(jobs):
        path = f"out/{number // FOLDER_FILES}/{number}.txt"
        yield JobRecord(
            id=f"{number:032x}",
            run_id="a" * 32,
            rule="one",
            status="success",
            kind="shell",
            wildcards={"n": str(number)},
            inputs=given,
            outputs=[fact(work, path, f"{number}\n")],
            code=[code],
            shellcmd=f"echo {number} > {path}",
            threads=1,
            started_on=now(),
            ended_on=now(),
            reason=f"Missing output files: {path}",
        )


def replay(jobs: int, inputs: int) -> None:
    """Record jobs, and print what it took."""
    with tempfile.TemporaryDirectory(prefix="replay-") as folder:
        work = Path(folder)
        run = RunRecord(id="a" * 32, project="replay", working_directory=folder, snakefile="Snakefile")
        recorder = open_recorder(Settings(), work)
        recorder.start(run)
        began_s, append_s = time.perf_counter(), 0.0
        for job in records(work, jobs, inputs=inputs):
            before_s = time.thread_time()
            recorder.append(job)
            append_s += time.thread_time() - before_s
        run = msgspec.structs.replace(run, status="success")
        before_s = time.perf_counter()
        line = recorder.finish(run).line()
        end_s = time.perf_counter()
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = used.ru_utime + used.ru_stime
    own_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{jobs:6} jobs, {inputs:5} inputs each: append {append_s / jobs * 1e6:6.0f} µs a job;"
        f" deliver {cpu_s / jobs * 1e6:6.0f} µs of CPU a job, {used.ru_maxrss / 1024:.0f} MiB;"
        f" {end_s - began_s:.1f} s, of which {end_s - before_s:.1f} s after the last job; appending {own_mib:.0f} MiB"
        f"\n       {line}",
        flush=True,
    )


def profile(jobs: int) -> None:
    """Deliver jobs in this process, and print where the time goes."""
    with tempfile.TemporaryDirectory(prefix="replay-") as folder:
        work = Path(folder)
        run = RunRecord(id="a" * 32, project="replay", working_directory=folder, status="success")
        (work / ".snakeprov").mkdir()
        log = Log.create(work / ".snakeprov" / "outbox", run.id, store=".", first=msgspec.json.encode(run))
        for job in records(work, jobs, inputs=1):
            log.append(Kind.JOB, msgspec.json.encode(job))
        delivery = LiveDelivery(
            Settings(),
            work,
            connect=lambda: connect(work / ".snakeprov", create=True),
            target_of=target_of,
            held=lambda job_id: HeldFiles(),
        )
        delivery.take(Outbox(log.path, os.dup(log.descriptor)))
        profiler = cProfile.Profile()
        profiler.runcall(delivery.turn, is_last=True)
        delivery.close()
        log.close()
    pstats.Stats(profiler).sort_stats("tottime").print_stats(40)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", default="1000,10000,100000", help="numbers of jobs, with commas between them")
    parser.add_argument("--inputs", type=int, default=10_000, help="inputs of the one job that has many")
    parser.add_argument("--profile", action="store_true", help="show where delivering spends its time")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        replay(*map(int, arguments.one.split(",")))
    elif arguments.profile:
        profile(int(arguments.jobs.partition(",")[0]))
    else:
        # Each in a process of its own: the system tells the highest memory of a process and of all its children.
        for one in [f"{jobs},1" for jobs in arguments.jobs.split(",")] + [f"1,{arguments.inputs}"]:
            subprocess.run([sys.executable, __file__, "--one", one], check=True)


if __name__ == "__main__":
    main()
