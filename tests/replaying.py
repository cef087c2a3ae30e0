"""Runs without Snakemake: the records of jobs, put through the real recorder into the store of a folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from msgspec.structs import replace

from snakeprov.disk.files import fingerprint
from snakeprov.model.records import CodeFact, FileFact, JobRecord, RunRecord
from snakeprov.model.times import now
from snakeprov.plugin.recording import open_recorder
from snakeprov.settings import Settings


def fact(work: Path, path: str) -> FileFact:
    """Return what capture would say of a file."""
    return FileFact(path=path, fingerprint=fingerprint(str(work / path)))


def jobs_of(work: Path, run_id: str, names: Sequence[str], *, size_bytes: int = 10) -> list[JobRecord]:
    """Make one output for each name, and return the records of the jobs that did; all read `in.txt`."""
    given = work / "in.txt"
    if not given.exists():
        given.write_text("input\n")
        (work / "Snakefile").write_text("rule one:\n")
        (work / "out").mkdir()
    snakefile = fingerprint(str(work / "Snakefile"))
    records = []
    for number, name in enumerate(names):
        (work / "out" / name).write_text(f"{name}\n".ljust(size_bytes))
        records.append(
            JobRecord(
                id=f"{run_id[:8]}{number:024x}",
                run_id=run_id,
                rule="one",
                status="success",
                kind="shell",
                wildcards={"name": name},
                inputs=[fact(work, "in.txt")],
                outputs=[fact(work, f"out/{name}")],
                code=[CodeFact(role="snakefile", path="Snakefile", line=1, fingerprint=snakefile)],
                shellcmd=f"echo {name} > out/{name}",
                started_on=now(),
                ended_on=now(),
            )
        )
    return records


def replay(work: Path, run_id: str, records: Sequence[JobRecord]) -> str:
    """Record a run; return what the recorder says at its end."""
    run = RunRecord(id=run_id, project="replayed", working_directory=str(work), snakefile="Snakefile")
    recorder = open_recorder(Settings(), work)
    recorder.start(run)
    for record in records:
        recorder.append(record)
    return recorder.finish(replace(run, status="success")).line()
