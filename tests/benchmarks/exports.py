"""How long do exports take, and how much memory?

Records trivial jobs (samples x two steps, then one that uses all) through the recorder into a new embedded store,
and exports the run and its last result in each form: seconds of each, and the most memory that the process had.

    python tests/benchmarks/exports.py [--jobs 10000]
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from msgspec.structs import replace

from snakeprov.disk.files import fingerprint
from snakeprov.model.records import CodeFact, FileFact, JobRecord, RunRecord
from snakeprov.model.times import now
from snakeprov.plugin.recording import open_recorder
from snakeprov.settings import Settings

FORMS = ("ro-crate", "prov-json", "prov-n", "prov-xml", "turtle")
RUN = "b" * 32


def fact(work: Path, path: str, name: str | None = None) -> FileFact:
    return FileFact(path=path, name=name, fingerprint=fingerprint(str(work / path)))


def write(work: Path, path: str, text: str) -> str:
    (work / path).parent.mkdir(parents=True, exist_ok=True)
    (work / path).write_text(text)
    return path


def records(work: Path, jobs: int) -> list[JobRecord]:
    """Make the files of the jobs, and their records."""
    write(work, "Snakefile", "rule align:\nrule sort:\nrule merge:\n")
    code = [CodeFact(role="snakefile", path="Snakefile", line=1, fingerprint=fingerprint(str(work / "Snakefile")))]
    made: list[JobRecord] = []

    def job(rule: str, inputs: list[FileFact], output: str, **facts: object) -> None:
        out = fact(work, write(work, output, f"{rule} {output}\n"), "bam")
        common = {"status": "success", "kind": "shell", "code": code, "started_on": now(), "ended_on": now()}
        id_ = f"{len(made):032x}"
        made.append(
            JobRecord(id=id_, run_id=RUN, rule=rule, inputs=inputs, outputs=[out], **common, **facts)  # type: ignore[arg-type]
        )

    sorted_files = []
    for sample in range((jobs - 1) // 2):
        raw = fact(work, write(work, f"raw/{sample}.fq", f"raw {sample}\n"), "reads")
        facts = {"wildcards": {"sample": str(sample)}, "params": {"quality": 20}, "threads": 1}
        job("align", [raw], f"bam/{sample}.bam", shellcmd=f"bwa mem raw/{sample}.fq > bam/{sample}.bam", **facts)
        job("sort", [fact(work, f"bam/{sample}.bam")], f"sorted/{sample}.bam", shellcmd="samtools sort", **facts)
        sorted_files.append(fact(work, f"sorted/{sample}.bam"))
    job("merge", sorted_files, "merged.bam", shellcmd="samtools merge")
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=10_000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="exports-") as folder:
        work = Path(folder)
        run = RunRecord(id=RUN, project="exports", working_directory=folder, snakefile="Snakefile")
        recorder = open_recorder(Settings(), work)
        recorder.start(run)
        for job in records(work, arguments.jobs):
            recorder.append(job)
        ended = replace(run, status="success", snakemake_version="9.27.1")
        print(recorder.finish(ended).line())
        for what in (f"run:{RUN}", "merged.bam"):
            for form in FORMS:
                measure(work, what, form)


def measure(work: Path, what: str, form: str) -> None:
    command = [sys.executable, "-c", "import sys; from snakeprov.cli import main; sys.exit(main())", "export", what]
    began_s = time.perf_counter()
    process = subprocess.Popen(
        [*command, "--format", form, "-o", f"{what[:3]}.{form}"], cwd=work, stdout=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = status
    took_s, cpu_s = time.perf_counter() - began_s, usage.ru_utime + usage.ru_stime
    print(f"{what[:10]:10} {form:9} {took_s:6.1f} s  CPU {cpu_s:6.1f} s  {usage.ru_maxrss / 1024:6.0f} MiB  {status}")


if __name__ == "__main__":
    main()
