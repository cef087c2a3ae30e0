"""Runs a workflow once for each attribute of Snakemake's objects that the plugin reads, hiding it from the plugin.

Usage: python hiding.py, in a folder with a Snakefile. Prints a JSON object for each: `attribute`, `status` (Snakemake's
exit status), `isMade` (whether the output is there) and `said` (the lines of snakeprov).

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

import snakemake.cli
from snakemake.dag import DAG
from snakemake.io import _IOFile
from snakemake.jobs import Job
from snakemake.rules import Rule
from snakemake.workflow import Workflow

from snakeprov.plugin import recording

with contextlib.suppress(ImportError):
    from snakemake.scheduling.job_scheduler import JobScheduler
if "JobScheduler" not in globals():
    from snakemake.scheduler import JobScheduler

CLASSES = (Job, Rule, DAG, Workflow, JobScheduler, _IOFile)

hidden = ""


class Nowhere:
    """Takes what it is given, in place of a recorder: what the plugin makes of it is not what this is about."""

    shortfall = 0

    def start(self, run: object) -> None: ...
    def plan(self, plan: object) -> None: ...
    def append_encoded(self, payload: bytes) -> None: ...

    def append(self, job: object) -> None: ...

    def hold(self, message: object, descriptors: object = ()) -> bool:
        return True

    def finish(self, run: object, *, is_shown: bool) -> Nowhere:
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


def run() -> int:
    """Run Snakemake here; return its exit status."""
    try:
        snakemake.cli.main(["--cores", "1", "--scheduler", "greedy", "--quiet", "progress", "--forceall"])
    except SystemExit as error:
        return int(error.code or 0)
    return 0


def main() -> None:
    """Run it with nothing hidden, which tells what the plugin reads; then with each of that."""
    global hidden
    recording.open_recorder = lambda *args, **kwargs: Nowhere()
    for one in CLASSES:
        hide(one)
    with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
        run()
    stdout = sys.stdout
    for hidden in sorted(name for name in asked if not name.startswith("__")):
        Path("last.txt").unlink(missing_ok=True)
        said = io.StringIO()
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(io.StringIO()):
            status = run()
        lines = [line for line in said.getvalue().splitlines() if line.startswith("snakeprov:")]
        answer = {"attribute": hidden, "status": status, "isMade": Path("last.txt").exists(), "said": lines}
        print(json.dumps(answer), file=stdout, flush=True)


asked: set[str] = set()
main()
