"""What does recording one job cost, apart from Snakemake?

Replays records of trivial jobs (one shared input, one output, one Snakefile) through the recorder into a new embedded
repository, and prints CPU time a job: appending (in Snakemake's thread) and delivering (in the recorder's).

    python tests/benchmarks/delivery.py [--jobs 1000] [--profile]
"""

from __future__ import annotations

import argparse
import cProfile
import pstats
import tempfile
import threading
import time
from pathlib import Path

from snakeprov.capture.files import fingerprint
from snakeprov.config import Settings
from snakeprov.model.records import CodeFact, FileFact, JobRecord, RunRecord
from snakeprov.model.times import now
from snakeprov.plugin.capturing import open_recorder


def records(work: Path, jobs: int) -> list[JobRecord]:
    """Make the files of the jobs, and their records."""
    (work / "in.txt").write_text("input\n")
    (work / "Snakefile").write_text("rule one:\n")
    (work / "out").mkdir()
    given = FileFact(path="in.txt", fingerprint=fingerprint(str(work / "in.txt")))
    code = CodeFact(role="snakefile", path="Snakefile", line=5, fingerprint=fingerprint(str(work / "Snakefile")))
    made = []
    for number in range(jobs):
        path = f"out/{number}.txt"
        (work / path).write_text(f"{number}\n")
        made.append(
            JobRecord(
                id=f"{number:032x}",
                run_id="a" * 32,
                rule="one",
                status="success",
                kind="shell",
                wildcards={"n": str(number)},
                inputs=[given],
                outputs=[FileFact(path=path, fingerprint=fingerprint(str(work / path)))],
                code=[code],
                shellcmd=f"echo {number} > {path}",
                threads=1,
                started_on=now(),
                ended_on=now(),
                reason=f"Missing output files: {path}",
            )
        )
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=1000)
    parser.add_argument("--profile", action="store_true", help="show where the recorder's thread spends its time")
    arguments = parser.parse_args()
    profile = cProfile.Profile()
    if arguments.profile:
        # Python has no public way to profile a thread that somebody else starts.
        work_of = threading.Thread.run
        threading.Thread.run = lambda self: profile.runcall(work_of, self)  # type: ignore[method-assign]
    with tempfile.TemporaryDirectory(prefix="delivery-") as folder:
        work = Path(folder)
        jobs = records(work, arguments.jobs)
        run = RunRecord(id="a" * 32, project="delivery", working_directory=folder, snakefile="Snakefile")
        recorder = open_recorder(Settings(), work, secrets=())
        recorder.start(run)
        recorder.append(jobs[0], {})
        time.sleep(3)  # what is done once (imports, the repository) is not counted
        began_s, cpu_s = time.perf_counter(), time.process_time()
        for job in jobs[1:]:
            recorder.append(job, {})
        appended_s = time.perf_counter()
        run.status = "success"
        print(recorder.finish(run).line())
        total_s, total_cpu_s = time.perf_counter() - began_s, time.process_time() - cpu_s
    count = arguments.jobs - 1
    print(f"append  {(appended_s - began_s) / count * 1e6:7.0f} µs a job (with the thread at work beside it)")
    print(f"total   {total_s / count * 1e6:7.0f} µs a job, CPU {total_cpu_s / count * 1e6:.0f} µs")
    if arguments.profile:
        pstats.Stats(profile).sort_stats("tottime").print_stats(35)


if __name__ == "__main__":
    main()
