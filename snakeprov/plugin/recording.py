"""Hands the records of a run to its recorder: makes them of what was seen, and takes the secrets out of them.

A job may call Snakemake itself. Its run knows the outer one by an environment variable. The recorder's own modules are
loaded on demand.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Protocol
from uuid import uuid4

from msgspec import structs

from snakeprov.capture.places import Places
from snakeprov.capture.secrets.finders import environment_secrets
from snakeprov.capture.secrets.redactor import Redactor, secrets_in
from snakeprov.disk.projects import identity_of, project_of
from snakeprov.model.credentials import credentials_in
from snakeprov.model.held import Hold, Listing
from snakeprov.model.planned import RunPlan
from snakeprov.model.records import JobRecord, JobStatus, RunRecord, RunStatus, decode_job
from snakeprov.model.times import now
from snakeprov.places import store_of
from snakeprov.plugin.jobrecord import Translator, payload_of
from snakeprov.plugin.observation import LiveJob
from snakeprov.plugin.outcome import explain
from snakeprov.plugin.problems import Gaps, Problems, never_raises
from snakeprov.plugin.represent import represent
from snakeprov.plugin.runrecord import plan_of, run_record
from snakeprov.settings import Settings

_logger: Final = logging.getLogger(__name__)

_FAILED: Final = frozenset({"failed", "retried"})

PARENT_VARIABLE = "SNAKEPROV_PARENT_RUN"
"""Environment variable that holds the id of the run that a process is part of."""

_RUN_ID = re.compile("[0-9a-f]{32}")


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
            values=[*known_secrets(workflow), *credentials_in(settings.store)],
        )
        run = run_record(
            workflow,
            run_id=uuid4().hex,
            project=project_of(settings, directory, store_of(settings, directory)),
            project_identity=identity_of(settings, directory),
            directory=directory,
            places=places,
            executor=executor,
            began_on=began_on,
            parent_run_id=outer_run(),
            redact=self._redactor.value,
        )
        self._run = self._redactor.run(run)
        self._recorder = open_recorder(settings, directory, secrets=self._redactor.secrets)
        self._translator = Translator(
            workflow, run_id=self._run.id, places=places, redact=self._redactor.value, tell=self._recorder.hold
        )
        self._recorder.start(self._run)
        enter_run(self._run.id)
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
        self._recorder.plan(self._redactor.plan(plan))

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
                    gaps = Gaps()
                    place = self._translator.files.path
                    record = gaps.ask("why it failed", record, explain, record, job, live, place=place)
                    record = structs.replace(record, incomplete=[*record.incomplete, *gaps])
        except Exception as error:
            problem = f"{type(error).__name__}: {error}"
            self.problems.note(problem)
            record = self._translator.bare(job, status, problem)
        if record is None:
            self._recorder.append_encoded(payload)
        else:
            self._special(record, live)
        _logger.debug("job %s of rule %s: %s", live.number, getattr(job, "name", "?"), status)

    def hold_stored(self, job: Any, live: LiveJob) -> None:
        """Hold the local copies of storage objects, which are about to be uploaded and removed."""
        self._translator.files.stored(job, live, lambda: self._translator.holding(live))

    def finish(self, status: RunStatus, *, is_shown: bool) -> Summary:
        """End the run: hand over how it ended, wait for the delivery, and return what the recorder says of it.

        `is_shown` says whether the terminal may show how far a long delivery is.
        """
        leave_run(self._run.parent_run_id)
        missing = [*self._run.missing, *self.problems.gaps]
        run = structs.replace(self._run, status=status, ended_on=now(), missing=missing)
        return self._recorder.finish(self._redactor.run(run), is_shown=is_shown)

    def _special(self, record: JobRecord, live: LiveJob) -> None:
        """Hand over a record in which something is left to be changed: a gap, or a secret."""
        if record.incomplete:
            self.problems.note(f"of a job of rule {record.rule}: {record.incomplete[0]}")
        try:
            record = self._redactor.job(structs.replace(record, incomplete=[*record.incomplete, *live.notes]))
        except Exception as error:
            record = self._without_details(record, error)
        self._recorder.append(record)

    def _without_details(self, record: JobRecord, error: Exception) -> JobRecord:
        """Return next to nothing of a record whose secrets could not be found."""
        problem = f"its secrets could not be told apart from the rest ({type(error).__name__})"
        self.problems.note(f"Of a job only its status was recorded: {problem}")
        return JobRecord(id=record.id, run_id=record.run_id, rule="unknown", status=record.status, incomplete=[problem])


class Summary(Protocol):
    """What a recorder says when it has finished."""

    @property
    def shortfall(self) -> int: ...

    @property
    def reason(self) -> str: ...

    def line(self, *, program: str = "snakeprov") -> str: ...


class Recorder(Protocol):
    """What a recorder does for a run."""

    def start(self, run: RunRecord) -> None: ...
    def plan(self, plan: RunPlan) -> None: ...
    def hold(self, message: Hold | Listing, descriptors: Sequence[int] = ()) -> bool: ...
    def append(self, job: JobRecord) -> None: ...
    def append_encoded(self, payload: bytes) -> None: ...
    def finish(self, run: RunRecord, *, is_shown: bool = True) -> Summary: ...


def open_recorder(settings: Settings, directory: Path, *, secrets: Sequence[str] = ()) -> Recorder:
    """Return the recorder that takes this run's records and has them delivered where `settings` say.

    `secrets` are hidden in what the delivering process finds out by itself.
    """
    from snakeprov.recorder import recorder

    return recorder.Recorder(settings, directory, program="snakeprov.apps.worker", secrets=secrets)


def recover(settings: Settings, directory: Path) -> str | None:
    """Deliver what runs that were killed, or had no store, left behind; return a line that says so, if any did."""
    from snakeprov.recorder import backlog

    if not backlog.files(backlog.outbox_folder(directory)):
        return None
    from snakeprov.apps import worker

    return worker.recover(settings, directory).line()


def outer_run() -> str | None:
    """Return the run that this process is part of, if it is part of one."""
    outer = os.environ.get(PARENT_VARIABLE)
    return outer if outer is not None and _RUN_ID.fullmatch(outer) else None


def enter_run(run_id: str) -> None:
    """Name the run to processes that are started from now on."""
    os.environ[PARENT_VARIABLE] = run_id


def leave_run(outer: str | None) -> None:
    """Undo `enter_run`, before which `outer_run` was `outer`."""
    if outer is None:
        os.environ.pop(PARENT_VARIABLE, None)
    else:
        os.environ[PARENT_VARIABLE] = outer


def known_secrets(workflow: Any) -> Iterator[str]:
    """Yield the values of secret variables of the environment, and what params of rules give as secret.

    Raises:
        AttributeError: Snakemake does not tell the variables or the rules. Then nothing may be recorded, since a secret
            could be in it.
    """
    yield from environment_secrets(os.environ, workflow.envvars)
    for rule in workflow.rules:
        with contextlib.suppress(Exception):  # a value's own code; its jobs' records are redacted all the same
            params = rule.params
            named = dict(params._get_names())
            of_names = {
                number for start, end in named.values() for number in range(start, start + 1 if end is None else end)
            }
            values = {
                name: params[start] if end is None else list(params[start:end]) for name, (start, end) in named.items()
            }
            values[""] = [value for number, value in enumerate(params) if number not in of_names]
            for name, value in values.items():
                if isinstance(value, str | dict | list | tuple):
                    yield from secrets_in({name: represent(value)})
