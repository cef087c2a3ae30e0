"""Real runs of Snakemake for tests: copies a workflow of this folder, runs it, and reads back what was recorded.

`run(..., recorder="collecting")` puts `collect.py` in the place of the recorder; `recorder="real"` runs Snakemake as
a user does.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

WORKFLOWS = Path(__file__).parent
RECORDS = "records.jsonl"
RUN_TIMEOUT_S = 180


@dataclass(kw_only=True)
class Outcome:
    """What one call of Snakemake came to, and what was recorded of it."""

    status: int
    stdout: str
    stderr: str
    directory: Path
    runs: list[dict[str, Any]] = field(default_factory=list)
    jobs: list[dict[str, Any]] = field(default_factory=list)
    plans: list[dict[str, Any]] = field(default_factory=list)
    held: dict[str, str] = field(default_factory=dict)

    @property
    def run(self) -> dict[str, Any]:
        """The record of the run as it ended."""
        return self.runs[-1]

    def job(self, rule: str, **wildcards: str) -> dict[str, Any]:
        """Return the only record of `rule` with these wildcards."""
        (found,) = (
            job
            for job in self.jobs
            if job["rule"] == rule and all(job["wildcards"][name] == value for name, value in wildcards.items())
        )
        return found

    def counts(self) -> dict[str, int]:
        """Return how many records there are of each rule."""
        counted: dict[str, int] = {}
        for job in self.jobs:
            counted[job["rule"]] = counted.get(job["rule"], 0) + 1
        return counted


def place(name: str, directory: Path) -> Path:
    """Copy the workflow `name` to `directory`."""
    shutil.copytree(WORKFLOWS / name, directory, dirs_exist_ok=True)
    return directory


def command(*arguments: str, recorder: Literal["collecting", "real"] = "collecting") -> list[str]:
    """Return the command line that runs Snakemake with these arguments."""
    start = ["-m", "snakemake"] if recorder == "real" else [str(WORKFLOWS / "collect.py"), RECORDS]
    return [sys.executable, *start, "--cores", "2", *arguments]


def environment(**variables: str) -> dict[str, str]:
    """Return the environment for a run: the caller's, without what would configure Snakemake."""
    return {name: value for name, value in os.environ.items() if not name.startswith("SNAKEMAKE_")} | variables


def run(
    directory: Path,
    *arguments: str,
    recorder: Literal["collecting", "real"] = "collecting",
    variables: dict[str, str] | None = None,
) -> Outcome:
    """Run Snakemake in `directory`; records of earlier runs there are removed first."""
    records = directory / RECORDS
    records.unlink(missing_ok=True)
    done = subprocess.run(
        command(*arguments, recorder=recorder),
        cwd=directory,
        env=environment(**(variables or {})),
        capture_output=True,
        text=True,
        timeout=RUN_TIMEOUT_S,
        check=False,
    )
    outcome = Outcome(status=done.returncode, stdout=done.stdout, stderr=done.stderr, directory=directory)
    return collected(outcome)


def collected(outcome: Outcome) -> Outcome:
    """Fill `outcome` with what the collecting recorder wrote."""
    records = outcome.directory / RECORDS
    for line in records.read_text(encoding="utf-8").splitlines() if records.exists() else ():
        entry = json.loads(line)
        if "job" in entry:
            outcome.jobs.append({"wildcards": {}, "inputs": [], "outputs": [], **entry["job"]})
            outcome.held.update(entry["held"])
        elif "plan" in entry:
            outcome.plans.append(entry["plan"])
        else:
            outcome.runs.append(entry.get("start") or entry["finish"])
    return outcome
