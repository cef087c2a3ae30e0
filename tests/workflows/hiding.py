"""Runs a workflow once for each attribute of Snakemake's objects that the plugin reads, hiding it from the plugin.

Usage: python hiding.py, in a folder with a Snakefile. Prints a JSON object for each: `attribute`, `status` (Snakemake's
exit status), `isMade` (whether the output is there), `said` (the lines of snakeprov), `missing` (what the records of
the run and of its jobs say is missing), `differs` (the rules whose jobs are recorded otherwise than with nothing
hidden) and `lost` (the rules whose jobs are recorded without their outputs or status).

Snakemake itself goes on to see the attribute: a later version that renames it works, and only what the plugin knows of
it is out of date.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
from pathlib import Path
from typing import Any

import msgspec
import snakemake.cli
from snakemake.dag import DAG
from snakemake.io import _IOFile
from snakemake.jobs import Job
from snakemake.rules import Rule
from snakemake.workflow import Workflow

from snakeprov.model.records import JobRecord, RunRecord, decode_job
from snakeprov.plugin import recording

with contextlib.suppress(ImportError):
    from snakemake.scheduling.job_scheduler import JobScheduler
if "JobScheduler" not in globals():
    from snakemake.scheduler import JobScheduler

CLASSES = (Job, Rule, DAG, Workflow, JobScheduler, _IOFile)

VOLATILE = {"id", "runId", "submittedOn", "startedOn", "endedOn", "fingerprint", "fingerprintBefore", "benchmark"}
"""Fields of a record that differ between two runs."""

NOT_COMPARED = VOLATILE | {"incomplete"}

hidden = ""


class Memory:
    """Keeps what it is given, in place of a recorder."""

    shortfall = 0
    reason = ""

    def __init__(self) -> None:
        self.jobs: dict[str, JobRecord] = {}
        self.missing: list[str] = []

    def start(self, run: object) -> None: ...
    def plan(self, plan: object) -> None: ...

    def append_encoded(self, payload: bytes) -> None:
        self.append(decode_job(payload))

    def append(self, job: JobRecord) -> None:
        self.jobs[f"{job.rule} {job.status}"] = job
        self.missing += job.incomplete

    def hold(self, message: object, descriptors: object = ()) -> bool:
        return True

    def finish(self, run: RunRecord, *, is_shown: bool) -> Memory:
        self.missing += run.missing
        return self

    def line(self, *, program: str = "snakeprov") -> str:
        return "snakeprov: recorded."


def hide(cls: type) -> None:
    """Make `cls` lack the attribute `hidden` for code of the plugin."""
    original = cls.__getattribute__

    def __getattribute__(self: Any, name: str) -> Any:
        if (sys._getframe(1).f_globals.get("__name__") or "").startswith("snakeprov."):
            asked.add(name)
            if name == hidden:
                raise AttributeError(f"{cls.__name__!r} object has no attribute {name!r}")
        return original(self, name)

    cls.__getattribute__ = __getattribute__  # type: ignore[method-assign]


def lasting(value: Any) -> Any:
    """Return a record without what differs between two runs."""
    if isinstance(value, dict):
        return {name: lasting(one) for name, one in value.items() if name not in NOT_COMPARED}
    return [lasting(one) for one in value] if isinstance(value, list) else value


def run() -> int:
    """Run Snakemake here; return its exit status."""
    try:
        snakemake.cli.main(
            ["--cores", "1", "--scheduler", "greedy", "--quiet", "progress", "--forceall", "--latency-wait", "0"]
        )
    except SystemExit as error:
        return int(error.code or 0)
    return 0


def main() -> None:
    """Run it with nothing hidden, which tells what the plugin reads; then with each of that."""
    global hidden, memory
    recording.open_recorder = lambda *args, **kwargs: memory
    for one in CLASSES:
        hide(one)
    with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
        run()
    expected = {rule: lasting(msgspec.to_builtins(job)) for rule, job in memory.jobs.items()}
    stdout = sys.stdout
    for hidden in sorted(name for name in asked if not name.startswith("__")):
        for name in ("last.txt", "tried", "tried.txt", "tried.log", "tried.tsv"):
            Path(name).unlink(missing_ok=True)
        memory = Memory()
        said = io.StringIO()
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(io.StringIO()):
            status = run()
        lines = [line for line in said.getvalue().splitlines() if line.startswith("snakeprov:")]
        seen = {rule: lasting(msgspec.to_builtins(job)) for rule, job in memory.jobs.items()}
        answer = {
            "attribute": hidden,
            "status": status,
            "isMade": Path("last.txt").exists(),
            "said": lines,
            "missing": memory.missing,
            "differs": [rule for rule in expected.keys() | seen.keys() if expected.get(rule) != seen.get(rule)],
            "lost": [rule for rule, job in expected.items() if seen.get(rule, {}).get("outputs") != job.get("outputs")],
        }
        print(json.dumps(answer), file=stdout, flush=True)


memory = Memory()
asked: set[str] = set()
main()
