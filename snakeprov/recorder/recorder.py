"""The recorder: takes records from capture at once, and delivers them from a thread of its own.

Must not know: Snakemake, SQL, which repository it delivers to.

`append` is called in Snakemake's threads and only writes to the outbox. Everything that can take time (imports,
digests, git, requests) happens in the recorder's thread. What cannot be delivered stays in the outbox and is delivered
by the next run in the same working directory or by `snakeprov push`.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from snakeprov.config import STORE_NAME, Settings, prepare_folder
from snakeprov.errors import OutboxError, SnakeprovError
from snakeprov.model.paths import to_os
from snakeprov.model.planned import RunPlan
from snakeprov.model.records import JobRecord, RunRecord
from snakeprov.recorder import progress
from snakeprov.recorder.backlog import outbox_folder
from snakeprov.recorder.outbox import Kind, Outbox, read
from snakeprov.recorder.summary import Summary, explain

if TYPE_CHECKING:
    from snakeprov.capture.code import GitReader
    from snakeprov.client import Client
    from snakeprov.recorder.delivery import Delivery

GROUP_JOBS_MAX: Final = 100
"""How many jobs are delivered together: a batch costs a quarter of its requests sent one by one."""

LINGER_S: Final = 1.0
"""How long a record waits for others to be delivered with."""

BEHIND_S: Final = 5.0
"""How often it is looked whether what could not be delivered can be now."""


class Recorder:
    """Records one run: `start`, then `append` for each job, then `finish`; from any threads."""

    def __init__(self, settings: Settings, working_directory: Path, *, connect: Callable[[], Client]) -> None:
        """Prepare to record a run; nothing is written before the first `append`.

        Args:
            settings: The run's settings.
            working_directory: Absolute; its `.snakeprov/` holds the outbox and the digest cache.
            connect: Opens the repository; called in the recorder's thread.
        """
        self._settings = settings
        self._working_directory = working_directory
        self._connect = connect
        self._lock = threading.Condition()
        # What follows is shared, under the lock.
        self._queue: deque[tuple[int, JobRecord, Mapping[str, int]]] = deque()
        self._finishing = False
        self._outbox: Outbox | None = None
        self._run_numbers: list[int] = []
        self._plan: RunPlan | None = None
        self._plan_numbers: list[int] = []
        self._patch: bytes | None = None
        self._problems: dict[str, None] = {}
        self._lost = 0
        # What follows belongs to the thread while it lives.
        self._delivery: Delivery | None = None

    def start(self, run: RunRecord) -> None:
        """Begin the run. Returns at once; git is looked at in the thread."""
        self._run = run
        self._thread = threading.Thread(target=self._work, name="snakeprov-recorder", daemon=True)
        self._thread.start()

    def plan(self, plan: RunPlan) -> None:
        """Take the jobs that the run has before it; a later call replaces them. Never raises."""
        payload = msgspec.json.encode(plan)
        with self._lock:
            try:
                self._plan_numbers.append(self._open_outbox().append(Kind.PLAN, payload))
                self._plan = plan
            except SnakeprovError as error:
                self._problems[explain(error)] = None

    def append(self, job: JobRecord, descriptors: Mapping[str, int]) -> None:
        """Take the record of a job: when this returns, the record survives the death of this process.

        Takes microseconds and never raises; a failure is told by `finish`.

        Args:
            job: The record.
            descriptors: Open files whose paths may vanish, by path; the recorder closes them.
        """
        payload = msgspec.json.encode(job)
        with self._lock:
            number = -1
            try:
                number = self._open_outbox().append(Kind.JOB, payload)
            except SnakeprovError as error:
                self._problems[explain(error)] = None
            if self._outbox is None:
                self._lost += 1
                for descriptor in descriptors.values():
                    os.close(descriptor)
                return
            self._queue.append((number, job, descriptors))
            if len(self._queue) in (1, GROUP_JOBS_MAX):
                self._lock.notify()

    def finish(self, run: RunRecord) -> Summary:
        """End the run: deliver what waits, and say what came of it all.

        Waits for the delivery, and shows its progress where that takes long and standard error is a terminal.
        Ctrl-C leaves the rest in the outbox.

        Args:
            run: The run as it ended.
        """
        with self._lock:
            run.git, run.git_problem = self._run.git, self._run.git_problem
            self._run = run
            self._append_run()
            self._finishing = True
            self._lock.notify()
        try:
            self._wait()
        except KeyboardInterrupt:
            self._problems["The delivery was interrupted."] = None
        return self._summary()

    # In any thread, under the lock.

    def _open_outbox(self) -> Outbox:
        if self._outbox is None:
            prepare_folder(self._working_directory / STORE_NAME)
            self._outbox = Outbox.create(outbox_folder(self._working_directory), self._run.id)
            self._append_run()
            if self._patch is not None:
                self._outbox.patch(self._patch)
        return self._outbox

    def _append_run(self) -> None:
        if self._outbox is not None:
            try:
                self._run_numbers.append(self._outbox.append(Kind.RUN, msgspec.json.encode(self._run)))
            except OutboxError as error:
                self._problems[explain(error)] = None

    # In the recorder's thread.

    def _work(self) -> None:
        try:
            from snakeprov.capture.code import GitReader

            git = GitReader()
            self._look_at_git(git)
            while self._take_turn(git):
                pass
        except Exception as error:  # whatever it is, the workflow must not notice and the user must be told
            self._problems[explain(error)] = None
        finally:
            if self._delivery is not None:
                self._delivery.close()

    def _look_at_git(self, git: GitReader) -> None:
        snakefile = self._run.snakefile or "."
        state = git.state_of(str(self._working_directory / to_os(snakefile)))
        patch = git.patch(state.root) if state is not None and state.dirty else None
        with self._lock:
            self._run.git, self._run.git_problem = state, git.problem
            self._patch = patch
            self._append_run()
            if self._outbox is not None and patch is not None:
                self._outbox.patch(patch)

    def _take_turn(self, git: GitReader) -> bool:
        """Wait for jobs and deliver them; return whether to go on."""
        is_behind = self._delivery is not None and self._delivery.is_behind
        with self._lock:
            self._lock.wait_for(lambda: self._queue or self._finishing, timeout=BEHIND_S if is_behind else None)
            if self._queue:
                self._lock.wait_for(lambda: len(self._queue) >= GROUP_JOBS_MAX or self._finishing, timeout=LINGER_S)
            group = [self._queue.popleft() for _ in range(min(len(self._queue), GROUP_JOBS_MAX))]
            is_last = self._finishing and not self._queue
            outbox, run_numbers = self._outbox, list(self._run_numbers)
        if outbox is not None and (group or is_behind or is_last):
            from snakeprov.recorder.delivery import Delivery, Taken

            if self._delivery is None:
                self._delivery = Delivery(
                    self._settings,
                    self._working_directory,
                    connect=self._connect,
                    outbox=outbox,
                    git=git,
                    patch=self._patch,
                )
            taken = [Taken(*one) for one in group]
            self._delivery.handle(taken, self._run, run_numbers=run_numbers, is_last=is_last)
            if is_last and self._plan is not None:
                self._delivery.handle_plan(self._plan, self._plan_numbers)
        return not is_last

    # In the thread that ends the run.

    def _wait(self) -> None:
        with progress.shown(self._progress):
            self._thread.join()

    def _progress(self) -> str:
        transfer = self._delivery.transfer if self._delivery is not None else None
        uploads = progress.uploaded(transfer) if transfer is not None else ""
        return f"snakeprov: recording, {len(self._queue)} jobs to go{uploads}"

    def _summary(self) -> Summary:
        summary = Summary(self._run.id, lost=self._lost)
        if self._delivery is not None:
            summary.tally = self._delivery.tally
            summary.lost += self._delivery.lost
            summary.recovered = self._delivery.recovered
            self._problems |= self._delivery.problems
        if self._outbox is not None:
            # The file is gone when all of it has been delivered.
            with contextlib.suppress(OutboxError):
                content = read(self._outbox.path)
                summary.pending = sum(entry.kind is Kind.JOB for entry in content.pending)
                summary.rejected = sum(entry.kind is Kind.JOB for entry, _ in content.rejected)
                self._problems |= dict.fromkeys(reason for _, reason in content.rejected)
        summary.problems = list(self._problems)
        return summary
