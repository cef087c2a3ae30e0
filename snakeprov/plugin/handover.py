"""What was seen of a run's jobs, on its way to the recorder: made records of, which are without secrets.

Must not know: which of Snakemake's methods are wrapped, or how a record is delivered.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from snakeprov.capture.places import Places
from snakeprov.capture.secrets.redactor import Redactor
from snakeprov.disk.projects import identity_of, project_of
from snakeprov.model.credentials import credentials_in
from snakeprov.model.records import JobRecord, JobStatus, RunStatus, decode_job
from snakeprov.model.times import now
from snakeprov.places import store_of
from snakeprov.plugin import nesting, recording
from snakeprov.plugin.failing import explain
from snakeprov.plugin.livejob import LiveJob
from snakeprov.plugin.planning import plan_of
from snakeprov.plugin.problems import Problems, never_raises
from snakeprov.plugin.recording import Summary
from snakeprov.plugin.runfacts import run_record
from snakeprov.plugin.secrets import known_secrets
from snakeprov.plugin.translate import Translator, payload_of
from snakeprov.settings import Settings

_FAILED: Final = frozenset({"failed", "retried"})


class Handover:
    """Hands the records of one run to its recorder. Not thread-safe: Snakemake calls under its scheduler's lock.

    Args:
        workflow: What is executed.
        settings: Where the records go, and what is kept out of them.
        executor: The name of what runs the jobs.
        began_on: When the run began.
        problems: Is told what could not be recorded.

    Raises:
        SnakeprovError: The records can be put nowhere, or a setting is wrong.
    """

    def __init__(
        self, workflow: Any, settings: Settings, *, executor: str | None, began_on: datetime, problems: Problems
    ) -> None:
        self.problems = problems
        self._workflow = workflow
        directory = Path.cwd()
        places = Places(str(directory))
        self._redactor = Redactor(
            patterns=settings.redact,
            values=[
                *known_secrets(workflow),
                *credentials_in(settings.store),
            ],
        )
        self._run = run_record(
            workflow,
            run_id=uuid4().hex,
            project=project_of(settings, directory, store_of(settings, directory)),
            project_identity=identity_of(settings, directory),
            directory=directory,
            places=places,
            executor=executor,
            redact=self._redactor.value,
        )
        self._run.started_on = began_on
        self._redactor.run(self._run)
        self._recorder = recording.open_recorder(settings, directory, secrets=self._redactor.secrets)
        self._translator = Translator(
            workflow, run_id=self._run.id, places=places, redact=self._redactor.value, tell=self._recorder.hold
        )
        self._run.parent_run_id = nesting.outer_run()
        self._recorder.start(self._run)
        nesting.enter(self._run.id)
        self.plan()

    def begin(self, job: Any, *, group: Any = None, now_s: float) -> LiveJob:
        """Return what is known of `job` as it is handed out (see `Translator.begin`)."""
        return self._translator.begin(job, group=group, now_s=now_s)

    @never_raises
    def plan(self) -> None:
        """Hand over every job of the DAG as it is now."""
        with self._translator.files.places.assumed():
            plan = plan_of(
                self._workflow.dag,
                run_id=self._run.id,
                path_of=self._translator.files.path,
                stored=self._redactor.stored,
            )
        self._redactor.plan(plan)
        self._recorder.plan(plan)

    @never_raises
    def job(self, job: Any, live: LiveJob, status: JobStatus) -> None:
        """Hand over the record of a job that ended with `status`, whose files are looked at now, and held."""
        record = None
        payload = b""
        try:
            written = self._translator.record(job, live, status)
            payload = payload_of(written)
            if live.holding is not None and live.holding.lost:
                what = "1 file" if live.holding.lost == 1 else f"{live.holding.lost} files"
                live.notes.append(f"{what} could not be read before Snakemake deletes or changes it")
            is_special = not live.is_plain or live.gaps or live.notes or status in _FAILED
            if is_special or not self._redactor.is_clean(written[0]):
                record = decode_job(payload)
                if status in _FAILED:
                    explain(record, job, live, place=self._translator.files.path)
        except Exception as error:
            problem = f"{type(error).__name__}: {error}"
            self.problems.note(problem)
            record = self._translator.bare(job, status, problem)
        if record is None:
            self._recorder.append_encoded(payload)
        else:
            self._special(record, live)

    def hold_stored(self, job: Any, live: LiveJob) -> None:
        """Hold the local copies of storage objects, which are about to be uploaded and removed."""
        self._translator.files.stored(job, live, lambda: self._translator.holding(live))

    def finish(self, status: RunStatus, *, is_shown: bool) -> Summary:
        """End the run: hand over how it ended, wait for the delivery, and return what the recorder says of it.

        `is_shown` says whether the terminal may show how far a long delivery is.
        """
        nesting.leave(self._run.parent_run_id)
        self._run.status = status
        self._run.ended_on = now()
        self._run.missing = [*self._run.missing, *self.problems.gaps]
        self._redactor.run(self._run)
        return self._recorder.finish(self._run, is_shown=is_shown)

    def _special(self, record: JobRecord, live: LiveJob) -> None:
        """Hand over a record in which something is left to be changed: a gap, or a secret."""
        if record.incomplete:
            self.problems.note(f"of a job of rule {record.rule}: {record.incomplete[0]}")
        record.incomplete += live.notes
        try:
            self._redactor.job(record)
        except Exception as error:
            record = self._without_details(record, error)
        self._recorder.append(record)

    def _without_details(self, record: JobRecord, error: Exception) -> JobRecord:
        """Return next to nothing of a record whose secrets could not be found."""
        problem = f"its secrets could not be told apart from the rest ({type(error).__name__})"
        self.problems.note(f"Of a job only its status was recorded: {problem}")
        bare = JobRecord(id=record.id, run_id=record.run_id, rule="unknown", status=record.status)
        bare.incomplete = [problem]
        return bare
