"""The jobs of a run that are live, and what became of them.

Every method may be called at any moment by Snakemake's own threads and never raises: what fails is counted, reported in
the last line, and named in the run's record. The recorder is opened when the first job is handed out, so a call of
Snakemake that finds nothing to do, or fails before its first job, writes nothing.
"""

from __future__ import annotations

import os
import shlex
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from snakeprov.errors import CaptureError, SnakeprovError
from snakeprov.model.records import JobStatus, RunStatus
from snakeprov.model.times import now
from snakeprov.plugin import recording
from snakeprov.plugin.jobfiles import look_at_end
from snakeprov.plugin.observation import LiveJob
from snakeprov.plugin.problems import Gaps, Problems, never_raises, owner_of_terminal, say
from snakeprov.plugin.recording import Handover
from snakeprov.settings import Settings


class Capture:
    """Captures one run of one workflow.

    Attributes:
        problems: What could not be captured or recorded.
    """

    def __init__(self, workflow: Any, settings: Settings, *, executor: str | None) -> None:
        self.problems = Problems()
        self._workflow = workflow
        self._settings = settings
        self._executor = executor
        self._began_on = now()
        self._live: dict[Any, LiveJob] = {}
        self._announced: LiveJob | None = None
        self._handover: Handover | None = None
        self._is_dead = False
        self._all_local = True
        self._plan_is_stale = False
        self._done: JobStatus = "success"
        self._line = ""
        self._shortfall = 0
        self._reason = ""

    @never_raises
    def jobs_started(self, jobs: Any) -> None:
        """Take note of jobs, and of the members of group jobs, that are handed out to be run."""
        handover = self._handover or self._open()
        if handover is None:
            return
        now_s = time.time()
        for job in jobs:
            members = _members(job)
            group = job if members is job else None
            for member in members:
                self._live[member] = handover.begin(member, group=group, now_s=now_s)

    @never_raises
    def job_began(self, job: Any) -> None:
        """Take the time at which a job of this machine begins. When a cluster begins one is not known here."""
        live = self._announced = self._live.get(job)
        if live is not None and (self._all_local or job.is_local):
            live.started_s = time.time()

    def job_announced(self, said: dict[str, Any]) -> None:
        """Take what Snakemake logs of the job that begins: it has just worked out what is costly to ask again."""
        live, self._announced = self._announced, None
        if live is not None:
            live.number = said.get("jobid")
            live.threads = said.get("threads")
            live.priority = said.get("priority")
            live.resources = said.get("resources")
            live.reason = said.get("reason")
            live.shellcmd = said.get("shellcmd")

    @never_raises
    def job_blamed(self, said: dict[str, Any]) -> None:
        """Take what an executor logs of the failure of a job, just before the job ends."""
        number = said.get("jobid")
        for job, live in list(self._live.items()):
            if job.jobid == number:
                live.blame = said.get("rule_msg")
                live.logs = [log for log in said.get("log") or () if isinstance(log, str)]

    @never_raises
    def job_registered(self, job: Any, external_id: object) -> None:
        """Take the number that a cluster gave to a job."""
        live = self._live.get(job)
        if live is not None:
            live.external_id = str(external_id)

    @never_raises
    def job_returned(self, job: Any, error: BaseException) -> None:
        """Take the exception of a job of this machine.

        Up to Snakemake 9.14 it is handled nowhere if the job had failed before Snakemake began to wait for it.
        """
        for member in _members(job):
            live = self._live.get(member)
            if live is not None:
                live.error = error

    @never_raises
    def job_ended(self, job: Any, error: BaseException | None = None) -> None:
        """Take the time at which a job, or a group of them, ended, and what ended it."""
        now_s = time.time()
        for member in _members(job):
            live = self._live.get(member)
            if live is not None:
                live.ended_s = now_s
                live.error = error or live.error
                if error is None:
                    look_at_end(member, live)

    @never_raises
    def job_cached(self, job: Any) -> None:
        """Take note that the outputs of a job were taken from the cache between workflows."""
        live = self._live.get(job)
        if live is not None:
            live.was_cached = True

    @never_raises
    def job_stored(self, job: Any) -> None:
        """Look at the local copies of storage objects, which are about to be uploaded and removed."""
        live = self._live.get(job)
        if self._handover is not None and live is not None and not live.is_plain:
            self._handover.hold_stored(job, live)

    @never_raises
    def job_finished(self, job: Any) -> None:
        """Hand over the records of a job, or of a group's members, that succeeded for good."""
        handover = self._handover
        if handover is None:
            return
        for member in _members(job):
            live = self._live.pop(member, None) or _unseen(handover, member)
            self._plan_is_stale |= live.gaps.ask("whether the plan changes", True, _is_checkpoint, member)
            if live.ended_s is None and self._done == "success":
                live.ended_s = time.time()
            live.gaps.ask("number of attempts", None, self._doubt_attempts, member, live)
            live.beside = self._live
            handover.job(member, live, "cached" if live.was_cached else self._done)

    @never_raises
    def job_failed(self, job: Any, error: BaseException | None = None) -> None:
        """Hand over the records of a job, or of a group's members, that failed; before Snakemake counts the attempt."""
        handover = self._handover
        if handover is None:
            return
        gaps, members = Gaps(), _members(job)
        status: JobStatus = gaps.ask("whether it is tried again", "failed", _status_of_attempt, job)
        inner = gaps.ask("outputs of the group", frozenset(), _outputs, members) if members is job else frozenset()
        for member in members:
            live = self._live.pop(member, None) or _unseen(handover, member)
            live.gaps += gaps
            live.doubtful = inner  # which members ran is not known, nor whether these are whole
            live.ended_s = live.ended_s or time.time()
            live.error = error or live.error
            live.gaps.ask("number of attempts", None, self._doubt_attempts, member, live)
            if members is job and len(job) > 1:
                live.notes.append("Snakemake said that the group failed, not which of its jobs did")
            handover.job(member, live, status)

    def finish(self, status: RunStatus, *, left: JobStatus = "interrupted") -> None:
        """End the run: hand over the jobs still live as `left`, wait for the delivery, and print the end line.

        Raises:
            CaptureError: With `strict`, when the run itself succeeded and something could not be recorded.
        """
        if self._handover is None:
            self._recover()
        else:
            self._end(self._handover, status, left)
        self._say_end()
        if self._settings.strict and self.problems.count and status == "success":
            first = (self.problems.gaps[0] if self.problems.gaps else self._reason).rstrip(".")
            raise CaptureError(
                "All jobs succeeded, but not everything could be recorded" + (f": {first}." if first else "."),
                hint="The workflow fails because of the setting strict.",
            )

    def has_live_jobs(self) -> bool:
        """Return whether jobs were handed out and neither finished nor failed."""
        return bool(self._live)

    def _open(self) -> Handover | None:
        """Begin to hand over, at the first job; return None, having said so, where that is not possible."""
        if self._is_dead:
            return None
        try:
            handover = Handover(
                self._workflow,
                self._settings,
                executor=self._executor,
                began_on=self._began_on,
                problems=self.problems,
            )
        except Exception as error:
            self._is_dead = True
            said = str(error) if isinstance(error, SnakeprovError) else f"{type(error).__name__}: {error}"
            self.problems.note(f"the whole run. {said}")
            return None
        self._handover = handover
        gaps = Gaps()
        self._all_local = gaps.ask("whether jobs run on this machine", False, lambda: bool(self._workflow.local_exec))
        self._done = gaps.ask("whether jobs are run or touched", "success", _status_when_done, self._workflow)
        for gap in gaps:
            self.problems.note(gap)
        return handover

    def _doubt_attempts(self, job: Any, live: LiveJob) -> None:
        """Note of a job that ran in a Snakemake of its own that this one may have tried it several times.

        `retries` of a rule holds in that process too, and the main process hears of the last attempt only.
        """
        if not job.rule.restart_times or self._done != "success":
            return
        if job.is_run or job.is_shadow or not (self._all_local or job.is_local):
            live.notes.append(
                f"It ran in a process of its own, which may have tried it up to {job.rule.restart_times + 1} times"
            )

    @never_raises
    def _recover(self) -> None:
        """Deliver what earlier runs left behind where this one had nothing to do."""
        self._line = recording.recover(self._settings, Path.cwd()) or ""

    @never_raises
    def _end(self, handover: Handover, status: RunStatus, left: JobStatus) -> None:
        """Finish a run that recorded at least one job."""
        for job, live in list(self._live.items()):
            handover.job(job, live, left)
        self._live.clear()
        if self._plan_is_stale:  # a checkpoint has changed the DAG
            handover.plan()
        summary = handover.finish(status, is_shown=owner_of_terminal(self._workflow) is None)
        self._line, self._shortfall = summary.line(program=program_here(self._workflow)), summary.shortfall
        self._reason = summary.reason

    @never_raises
    def _say_end(self) -> None:
        """Print the line that ends the run: what was recorded, and what could not be."""
        sentence = self.problems.sentence()
        is_problem = bool(sentence or self._shortfall)
        self.problems.count += self._shortfall
        line = f"{self._line or 'snakeprov:'} {sentence}".rstrip() if sentence else self._line
        if line and (is_problem or not _is_silent(self._workflow)):
            say(line, self._workflow, is_problem=is_problem)


def _members(job: Any) -> Any:
    """Return the members of a group job, which is itself what has them, or a job alone."""
    is_group = getattr(job, "is_group", None)
    return job if is_group is not None and is_group() else (job,)


def _is_checkpoint(job: Any) -> bool:
    return bool(job.rule.is_checkpoint)


def _outputs(members: Iterable[Any]) -> frozenset[str]:
    return frozenset(str.__str__(one) for member in members for one in member.output)


def _status_of_attempt(job: Any) -> JobStatus:
    """Return the status of a failed job, before Snakemake counts the attempt."""
    return "retried" if job.restart_times > job.attempt - 1 else "failed"


def _status_when_done(workflow: Any) -> JobStatus:
    """Return the status of the jobs of a workflow that succeed."""
    if workflow.touch:
        return "touched"
    return "submitted" if workflow.remote_execution_settings.immediate_submit else "success"


def _unseen(handover: Handover, job: Any) -> LiveJob:
    live = handover.begin(job, now_s=time.time())
    live.notes.append("The start of the job was not seen")
    return live


def _is_silent(workflow: Any) -> bool:
    quiet = getattr(getattr(workflow, "output_settings", None), "quiet", None) or ()
    return any(getattr(one, "name", "") == "ALL" for one in quiet)


def program_here(workflow: Any) -> str:
    """Return the words with which commands for this working directory begin: `snakeprov`, or `snakeprov -C DIR`.

    Commands look for the records in the folder where they are called, and in those above it. `--directory` is repeated
    as it was typed; where the Snakefile changed the directory, Snakemake knows the one before.
    """
    try:
        if workflow.overwrite_workdir is not None:
            folder = os.path.normpath(workflow.overwrite_workdir)
        else:
            started, now = Path(workflow.workdir_init), Path.cwd()
            is_found = started == now or now in started.parents
            folder = "." if is_found else min(os.path.relpath(now, started), str(now), key=len)
    except Exception:  # a Snakemake that does not tell, or a folder that is gone
        return "snakeprov"
    return "snakeprov" if folder == "." else shlex.join(["snakeprov", "-C", folder])
