"""The screen of a run: the jobs of the DAG that were not run."""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from snakeprov.model.answers import JobSummary, Page, Plan, PlannedRule, Run
from snakeprov.model.planned import PlannedState
from snakeprov.view import runs
from snakeprov.view.text import Screen


def folded(rule: str, state: PlannedState, jobs: int, output: str, *runs: str) -> PlannedRule:
    return PlannedRule(rule=rule, state=state, jobs=jobs, output=output, runs=list(runs))


PLAN = Plan(
    rules=[
        folded("all", "notReached", 1, ""),
        folded("align", "reused", 312, "aligned/s1.bam", "b" * 32, "c" * 32),
        folded("fetch", "reused", 4, "raw/s1.fq"),
        folded("clean", "edited", 1, "clean/s1.csv"),
        folded("unpack", "notNeeded", 40, "raw/s1.txt"),
        folded("plot", "failed", 1, "plot.png"),
    ],
    results=[],
    total_number_of_results=359,
    jobs_left_out=1234,
)
JOBS: Page[JobSummary] = Page(results=[], total_number_of_results=0)


def test_jobs_that_were_not_run_are_folded_by_rule(
    run: Run, screen: Screen, golden: Callable[[str, str], None]
) -> None:
    """What was reused first, with the runs that made it; what failed is listed as a job, not here."""
    golden("run-plan.txt", "\n".join(runs.run(run, JOBS, screen, plan=PLAN)) + "\n")


def test_of_a_run_whose_end_was_not_seen_it_is_said_that_jobs_may_have_been_running(run: Run, screen: Screen) -> None:
    """After kill -9 nobody knows what was running then."""
    ended = replace(run, ended_on=None)
    assert "jobs not reached may have been running" in "\n".join(runs.run(ended, JOBS, screen, plan=PLAN))
