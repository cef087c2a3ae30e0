"""Which outputs of jobs that were not needed were missing, as the delivering process sees it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from snakeprov.model.planned import PlannedJob, RunPlan
from snakeprov.model.times import now
from snakeprov.recorder.circumstances import PLAN_AGE_MAX, with_missing


def missing(plan: RunPlan, folder: Path) -> list[str]:
    return [job.rule for job in with_missing(plan, folder).jobs if job.is_missing]


def test_only_what_was_not_needed_and_is_not_there_is_missing(tmp_path: Path) -> None:
    """Files, directories and links to nothing are there; storage objects are not looked for; old plans say nothing."""
    (tmp_path / "there").touch()
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("nothing")
    outputs = {"a": "there", "b": "folder/", "c": "link", "d": "gone", "e": "gone/", "f": "s3:/bucket/gone"}
    jobs = [PlannedJob(rule=rule, outputs=[path]) for rule, path in outputs.items()]
    jobs += [PlannedJob(rule="g", outputs=["gone"], is_needed=True), PlannedJob(rule="h")]
    assert missing(RunPlan(run_id="r", jobs=jobs, taken_on=now()), tmp_path) == ["d", "e"]
    old = now() - PLAN_AGE_MAX - timedelta(seconds=1)
    assert missing(RunPlan(run_id="r", jobs=jobs, taken_on=old), tmp_path) == []
    assert missing(RunPlan(run_id="r", jobs=jobs), tmp_path) == []
