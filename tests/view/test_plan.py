"""The screen of a run: the jobs of the DAG that were not run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from snakeprov.view import runs
from snakeprov.view.text import Screen

PLAN = {
    "rules": [
        {"rule": "all", "state": "notReached", "jobs": 1, "output": "", "runs": []},
        {"rule": "align", "state": "reused", "jobs": 312, "output": "aligned/s1.bam", "runs": ["b" * 32, "c" * 32]},
        {"rule": "fetch", "state": "reused", "jobs": 4, "output": "raw/s1.fq", "runs": []},
        {"rule": "clean", "state": "edited", "jobs": 1, "output": "clean/s1.csv", "runs": []},
        {"rule": "unpack", "state": "notNeeded", "jobs": 40, "output": "raw/s1.txt", "runs": []},
        {"rule": "plot", "state": "failed", "jobs": 1, "output": "plot.png", "runs": []},
    ],
    "jobsLeftOut": 1234,
}
JOBS: dict[str, Any] = {"results": []}


def test_jobs_that_were_not_run_are_folded_by_rule(
    run: dict[str, Any], screen: Screen, golden: Callable[[str, str], None]
) -> None:
    """What was reused first, with the runs that made it; what failed is listed as a job, not here."""
    golden("run-plan.txt", "\n".join(runs.run(run, JOBS, screen, plan=PLAN)) + "\n")


def test_of_a_run_whose_end_was_not_seen_it_is_said_that_jobs_may_have_been_running(
    run: dict[str, Any], screen: Screen
) -> None:
    """After kill -9 nobody knows what was running then."""
    del run["endedOn"]
    assert "jobs not reached may have been running" in "\n".join(runs.run(run, JOBS, screen, plan=PLAN))
