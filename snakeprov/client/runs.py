"""Runs of Snakemake and their jobs. Only snakeprov stores have them; Synapse does not.

Source: `/snakeprov/v1/runs` and `/snakeprov/v1/jobs`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from snakeprov.client.resources import OWN
from snakeprov.client.session import Session, quoted
from snakeprov.model.answers import JobSummary, MadeVersion, Page, Plan, RecordedJob, Run
from snakeprov.model.planned import RunPlan
from snakeprov.model.records import RunRecord

JOBS_PAGE = 1000
"""Maximum number of jobs in one answer."""


class Runs:
    """Runs of Snakemake."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def put(self, run: RunRecord) -> None:
        """Store a run, or update it."""
        self._session.put(f"{OWN}/runs/{quoted(run.id)}", run)

    def list(self, *, limit: int = 20, after: str = "") -> Page[Run]:
        """Return a page of runs, newest first."""
        return self._session.ask(f"{OWN}/runs", Page[Run], {"limit": limit, "after": after})

    def get(self, run_id: str) -> Run:
        """Return a run by its id or the first characters (at least 4) of it.

        Raises:
            NotFoundError: There is none.
            BadRequestError: There are several.
        """
        return self._session.ask(f"{OWN}/runs/{quoted(run_id)}", Run)

    def jobs(self, run_id: str, *, limit: int = 100, after: str = "") -> Page[JobSummary]:
        """Return a page of a run's jobs in the order they ended."""
        query = {"limit": limit, "after": after}
        return self._session.ask(f"{OWN}/runs/{quoted(run_id)}/jobs", Page[JobSummary], query)

    def put_plan(self, plan: RunPlan) -> None:
        """Store the plan of a run, all its jobs; replace a plan stored before."""
        self._session.put(f"{OWN}/runs/{quoted(plan.run_id)}/plan", plan)

    def plan(self, run_id: str, *, limit: int = 1000, after: str = "", rules: bool = False) -> Plan:
        """Return one page of the jobs of a run's plan, executed or not; with `rules` also counts by rule."""
        query = {"limit": limit, "after": after, "rules": rules}
        return self._session.ask(f"{OWN}/runs/{quoted(run_id)}/plan", Plan, query)

    def outputs(self, run_id: str, *, limit: int = 1000, after: str = "") -> Page[MadeVersion]:
        """Return a page of what a run's jobs wrote, the latest first."""
        query = {"limit": limit, "after": after}
        return self._session.ask(f"{OWN}/runs/{quoted(run_id)}/outputs", Page[MadeVersion], query)

    def patch(self, run_id: str) -> bytes:
        """Return how the code of a run differed from its commit, as a diff.

        Raises:
            NotFoundError: There is no such run, or no patch of it that is kept.
            ForbiddenError: The user may see the run, and not download from its project.
        """
        return self._session.send("GET", f"{OWN}/runs/{quoted(run_id)}/patch").content


class Jobs:
    """Jobs of runs."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def get(self, job_id: str) -> RecordedJob:
        """Return a job by its id or the first characters (at least 4) of it.

        Raises:
            NotFoundError: There is none.
            BadRequestError: There are several.
        """
        return self._session.ask(f"{OWN}/jobs/{quoted(job_id)}", RecordedJob)

    def environment(self, job_id: str) -> bytes:
        """Return the document (JSON) that describes what a job ran in.

        Raises:
            NotFoundError: There is no such job, or no such document of it that is kept.
            ForbiddenError: The user may see the job, and not download from its project.
        """
        return self._session.send("GET", f"{OWN}/jobs/{quoted(job_id)}/environment").content

    def of_run(self, run_id: str, *, after: str = "", limit: int = JOBS_PAGE) -> Page[RecordedJob]:
        """Return jobs of a run in the order they ended, with their files and URLs.

        Args:
            run_id: The run.
            after: `next` of the page before.
            limit: How many at most, up to `JOBS_PAGE`.

        Raises:
            NotFoundError: There is no such run.
        """
        return self._ask(runId=run_id, after=after, limit=limit)

    def of_activity(self, activity_id: str) -> RecordedJob | None:
        """Return the job from which an activity was recorded; None where it was recorded from none.

        Raises:
            NotFoundError: There is no such activity.
        """
        return next(iter(self._ask(activityId=activity_id).results), None)

    def with_ids(self, ids: Sequence[str]) -> list[RecordedJob]:
        """Return some jobs, at most `JOBS_PAGE`, with their files and URLs; those that do not exist are left out."""
        return self._ask(ids=ids).results

    def _ask(self, **body: Any) -> Page[RecordedJob]:
        return self._session.ask_with(f"{OWN}/jobs", Page[RecordedJob], body)
