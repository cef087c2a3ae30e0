"""One run as it is being captured: its live jobs, its recorder, and what went wrong.

Must not know: which of Snakemake's methods are wrapped, or how a record is delivered.

Every method may be called at any moment by Snakemake's own threads and never raises: what fails is counted, warned of
once, and named in the run's record. The recorder is opened when the first job is handed out, so a call of Snakemake
that finds nothing to do, or fails before its first job, writes nothing.
"""

from __future__ import annotations

import functools
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Concatenate, Final, ParamSpec
from uuid import uuid4

from snakeprov.capture.redact import credentials_in
from snakeprov.capture.redactor import Redactor
from snakeprov.config import Settings, store_of
from snakeprov.errors import CaptureError, SnakeprovError
from snakeprov.model.paths import to_text
from snakeprov.model.projects import project_of
from snakeprov.model.records import JobRecord, JobStatus, RunRecord, RunStatus, decode_job
from snakeprov.model.times import now
from snakeprov.plugin import nesting, recording
from snakeprov.plugin.failing import explain
from snakeprov.plugin.livejob import LiveJob
from snakeprov.plugin.observe import hold, look
from snakeprov.plugin.planning import plan_of
from snakeprov.plugin.recording import Recorder
from snakeprov.plugin.represent import cut
from snakeprov.plugin.runfacts import run_record
from snakeprov.plugin.secrets import known_secrets
from snakeprov.plugin.translate import Translator, payload_of

MAX_PROBLEMS = 20
"""Problems that are put into words in the run's record; further ones are only counted."""

MAX_PROBLEM_CHARACTERS = 500

_FAILED: Final = frozenset({"failed", "retried"})

P = ParamSpec("P")


def warn(sentence: str) -> None:
    """Print one sentence on stderr, where it does not depend on how Snakemake logs."""
    say(f"snakeprov: {sentence}")


def say(line: str) -> None:
    """Print a line on stderr in one piece, since Snakemake's logger writes there from another thread."""
    sys.stderr.write(line + "\n")


def _never_raises(
    method: Callable[Concatenate[Capture, P], None],
) -> Callable[Concatenate[Capture, P], None]:
    @functools.wraps(method)
    def guarded(self: Capture, /, *args: P.args, **kwargs: P.kwargs) -> None:
        try:
            method(self, *args, **kwargs)
        except Exception as error:
            self.problem(f"{type(error).__name__}: {error}")

    return guarded


class Capture:
    """Captures one run of one workflow.

    Attributes:
        problems: How many things could not be captured or recorded.
        gaps: What they were, in words; at most `MAX_PROBLEMS` of them.
    """

    def __init__(self, workflow: Any, settings: Settings, *, executor: str | None) -> None:
        self.problems = 0
        self.gaps: list[str] = []
        self._workflow = workflow
        self._settings = settings
        self._executor = executor
        self._began_on = now()
        self._live: dict[Any, LiveJob] = {}
        self._announced: LiveJob | None = None
        self._lock = threading.Lock()
        self._is_dead = False
        self._run: RunRecord | None = None
        self._recorder: Recorder | None = None
        self._translator: Translator | None = None
        self._redactor: Redactor | None = None
        self._all_local = True
        self._plan_is_stale = False
        self._done: JobStatus = "success"
        self._outer_run: str | None = None

    @property
    def strict(self) -> bool:
        """Whether the user wants the workflow to fail when something could not be recorded."""
        return self._settings.strict

    def problem(self, text: str) -> None:
        """Count one thing that could not be captured; warn of the first."""
        text = cut(text, MAX_PROBLEM_CHARACTERS)
        with self._lock:
            self.problems += 1
            if len(self.gaps) < MAX_PROBLEMS:
                self.gaps.append(text)
        if self.problems == 1:
            warn(f"something could not be recorded, the workflow goes on: {text}")

    @_never_raises
    def jobs_started(self, jobs: Any) -> None:
        """Take note of jobs, and of the members of group jobs, that are handed out to be run."""
        if self._recorder is None and not self._open():
            return
        now_s = time.time()
        for job in jobs:
            grouped = job.is_group()
            group = job if grouped else None
            for member in job if grouped else (job,):
                self._live[member] = self._translator.begin(member, group=group, now_s=now_s)  # type: ignore[union-attr]

    @_never_raises
    def job_began(self, job: Any) -> None:
        """Take the time at which a job of this machine begins. When a cluster begins one is not known here."""
        live = self._announced = self._live.get(job)
        if live is not None and (self._all_local or job.is_local):
            live.started_s = time.time()

    def job_announced(self, said: dict[str, Any]) -> None:
        """Overhear what Snakemake says of the job that begins: it has just worked out what is costly to ask again."""
        live, self._announced = self._announced, None
        if live is not None:
            live.number = said.get("jobid")
            live.threads = said.get("threads")
            live.priority = said.get("priority")
            live.resources = said.get("resources")
            live.reason = said.get("reason")
            live.shellcmd = said.get("shellcmd")

    @_never_raises
    def job_blamed(self, said: dict[str, Any]) -> None:
        """Overhear what an executor says of the failure of a job, just before the job ends."""
        number = said.get("jobid")
        for job, live in list(self._live.items()):
            if job.jobid == number:
                live.blame = said.get("rule_msg")
                live.logs = [log for log in said.get("log") or () if isinstance(log, str)]

    @_never_raises
    def job_registered(self, job: Any, external_id: object) -> None:
        """Take the number that a cluster gave to a job."""
        live = self._live.get(job)
        if live is not None:
            live.external_id = str(external_id)

    @_never_raises
    def job_returned(self, job: Any, error: BaseException) -> None:
        """Take the exception of a job of this machine.

        Up to Snakemake 9.14 it is handled nowhere if the job had failed before Snakemake began to wait for it.
        """
        for member in job if job.is_group() else (job,):
            live = self._live.get(member)
            if live is not None:
                live.error = error

    @_never_raises
    def job_ended(self, job: Any, error: BaseException | None = None) -> None:
        """Take the time at which a job, or a group of them, ended, and what ended it."""
        now_s = time.time()
        for member in job if job.is_group() else (job,):
            live = self._live.get(member)
            if live is not None:
                live.ended_s = now_s
                live.error = error or live.error

    @_never_raises
    def job_cached(self, job: Any) -> None:
        """Take note that the outputs of a job were taken from the cache between workflows."""
        live = self._live.get(job)
        if live is not None:
            live.was_cached = True

    @_never_raises
    def job_stored(self, job: Any) -> None:
        """Look at the local copies of storage objects, which are about to be uploaded and removed."""
        live = self._live.get(job)
        if live is None or live.is_plain:
            return
        for files in (job.input, job.output):
            for one in files:
                if one.flags and one.is_storage:
                    path = str.__str__(one)
                    live.stored[path] = look(path)
                    self._hold(live, path)

    @_never_raises
    def job_finished(self, job: Any) -> None:
        """Hand over the records of a job, or of a group's members, that succeeded for good."""
        if self._recorder is None:
            return
        for member in job if job.is_group() else (job,):
            live = self._live.pop(member, None) or self._unseen(member)
            self._plan_is_stale |= member.rule.is_checkpoint
            if live.ended_s is None and self._done == "success":
                live.ended_s = time.time()
            if member.rule.restart_times:
                self._doubt_attempts(member, live)
            self._hand_over(member, live, "cached" if live.was_cached else self._done)

    @_never_raises
    def job_failed(self, job: Any, error: BaseException | None = None) -> None:
        """Hand over the records of a job, or of a group's members, that failed; before Snakemake counts the attempt."""
        if self._recorder is None:
            return
        status: JobStatus = "retried" if job.restart_times > job.attempt - 1 else "failed"
        grouped = job.is_group()
        for member in job if grouped else (job,):
            live = self._live.pop(member, None) or self._unseen(member)
            live.ended_s = live.ended_s or time.time()
            live.error = error or live.error
            self._doubt_attempts(member, live)
            if grouped and len(job) > 1:
                live.notes.append("Snakemake said that the group failed, not which of its jobs did")
            self._hand_over(member, live, status)

    def finish(self, status: RunStatus, *, left: JobStatus = "interrupted") -> None:
        """End the run: hand over the jobs still live as `left`, wait for the delivery, and print the end line.

        Raises:
            CaptureError: With `strict`, when the run itself succeeded and something could not be recorded.
        """
        for job, live in list(self._live.items()):
            self._hand_over(job, live, left)
        self._live.clear()
        if self._run is not None:
            nesting.leave(self._outer_run)
        if self._plan_is_stale:
            self._hand_over_plan()
        if self._recorder is None:
            self._recover()
        self._deliver(status)
        if self.strict and self.problems and status == "success":
            first = self.gaps[0].rstrip(".") if self.gaps else ""
            raise CaptureError(
                "All jobs succeeded, but not everything could be recorded" + (f": {first}." if first else "."),
                hint="The workflow fails because of the setting strict.",
            )

    def has_live_jobs(self) -> bool:
        """Return whether jobs were handed out and neither finished nor failed."""
        return bool(self._live)

    def _open(self) -> bool:
        """Open the recorder for the first job; return whether there is one."""
        if self._is_dead:
            return False
        try:
            directory = Path.cwd()
            text = to_text(directory)
            run = run_record(
                self._workflow,
                run_id=uuid4().hex,
                project=project_of(self._settings, directory, store_of(self._settings, directory)),
                directory=text,
                executor=self._executor,
            )
            run.started_on = self._began_on
            redactor = Redactor(
                patterns=self._settings.redact,
                values=[
                    *known_secrets(self._workflow),
                    *credentials_in(self._settings.store),
                ],
            )
            redactor.run(run)
            run.parent_run_id = self._outer_run = nesting.enter(run.id)
            translator = Translator(self._workflow, run_id=run.id, directory=text)
            recorder = recording.open_recorder(self._settings, directory, secrets=redactor.secrets)
            recorder.start(run)
        except Exception as error:
            self._is_dead = True
            said = str(error) if isinstance(error, SnakeprovError) else f"{type(error).__name__}: {error}"
            self.problem(f"Nothing of this run is recorded. {said}")
            return False
        self._all_local = bool(self._workflow.local_exec)
        if self._workflow.touch:
            self._done = "touched"
        elif self._workflow.remote_execution_settings.immediate_submit:
            self._done = "submitted"
        self._run, self._translator, self._redactor, self._recorder = run, translator, redactor, recorder
        self._hand_over_plan()
        return True

    def _unseen(self, job: Any) -> LiveJob:
        live = self._translator.begin(job, now_s=time.time())  # type: ignore[union-attr]
        live.notes.append("The start of the job was not seen")
        return live

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

    @_never_raises
    def _hand_over(self, job: Any, live: LiveJob, status: JobStatus) -> None:
        assert self._translator is not None and self._recorder is not None  # noqa: S101  callers have checked
        assert self._redactor is not None  # noqa: S101  as the two
        record = None
        payload = b""
        try:
            written = self._translator.record(job, live, status)
            payload = payload_of(written)
            is_special = not live.is_plain or live.gaps or live.notes or live.descriptors or status in _FAILED
            if is_special or not self._redactor.is_clean(written[0]):
                record = decode_job(payload)
                if status in _FAILED:
                    explain(record, job, live, place=self._translator.files.path)
                elif status in ("success", "cached"):
                    self._hold_temporary(job, live)
        except Exception as error:
            problem = f"{type(error).__name__}: {error}"
            self.problem(problem)
            record = self._translator.bare(job, status, problem)
        if record is None:
            self._recorder.append_encoded(payload)
        else:
            self._hand_over_special(record, live)

    def _hand_over_special(self, record: JobRecord, live: LiveJob) -> None:
        """Hand over a record in which something is left to be changed: a gap, a secret, a file that is held open."""
        assert self._recorder is not None and self._redactor is not None  # noqa: S101  as in `_hand_over`
        if record.incomplete:
            self.problem(f"of a job of rule {record.rule}: {record.incomplete[0]}")
        record.incomplete += live.notes
        descriptors = live.descriptors
        try:
            renamed = self._redactor.job(record)
        except Exception as error:
            record = self._without_details(record, error)
        else:
            descriptors = {renamed.get(path, path): one for path, one in descriptors.items()}
        self._recorder.append(record, descriptors)

    def _without_details(self, record: JobRecord, error: Exception) -> JobRecord:
        """Return next to nothing of a record whose secrets could not be found."""
        problem = f"its secrets could not be told apart from the rest ({type(error).__name__})"
        self.problem(f"Of a job only its status was recorded: {problem}")
        bare = JobRecord(id=record.id, run_id=record.run_id, rule="unknown", status=record.status)
        bare.incomplete = [problem]
        return bare

    @_never_raises
    def _hand_over_plan(self) -> None:
        """Hand over every job of the DAG: when the first begins, and at the end if a checkpoint changed it."""
        assert self._translator is not None and self._recorder is not None  # noqa: S101  callers have checked
        assert self._redactor is not None and self._run is not None  # noqa: S101  as the two
        plan = plan_of(
            self._workflow.dag, run_id=self._run.id, path_of=self._translator.files.path, stored=self._redactor.stored
        )
        self._redactor.plan(plan)
        self._recorder.plan(plan)

    def _hold_temporary(self, job: Any, live: LiveJob) -> None:
        """Keep the temporary outputs of a job open: they may be gone before they are read."""
        for one in job.temp_output:
            self._hold(live, str.__str__(one))

    def _hold(self, live: LiveJob, path: str) -> None:
        text = self._translator.files.path(path)  # type: ignore[union-attr]
        if text in live.descriptors:
            return
        descriptor = hold(path)
        if descriptor is not None:
            live.descriptors[text] = descriptor
        elif look(path).kind == "file":
            live.notes.append(f"{text} is about to vanish and could not be held open for its digest")

    @_never_raises
    def _recover(self) -> None:
        """Deliver what earlier runs left behind where this one had nothing to do."""
        line = recording.recover(self._settings, Path.cwd())
        if line is not None and not _is_silent(self._workflow):
            say(line)

    @_never_raises
    def _deliver(self, status: RunStatus) -> None:
        if self._recorder is None or self._run is None:
            return
        self._run.status = status
        self._run.ended_on = now()
        self._run.missing = [*self._run.missing, *self.gaps]
        if self._redactor is not None:
            self._redactor.run(self._run)
        summary = self._recorder.finish(self._run)
        self.problems += summary.shortfall
        if summary.shortfall or not _is_silent(self._workflow):
            say(summary.line())


def _is_silent(workflow: Any) -> bool:
    quiet = getattr(workflow.output_settings, "quiet", None) or ()
    return any(getattr(one, "name", "") == "ALL" for one in quiet)
