"""The recorder: takes records from capture at once, and delivers them from a thread of its own.

Must not know: Snakemake, SQL, which repository it delivers to.

`append` is called in Snakemake's threads and only writes to the outbox. Everything that can take time (digests,
git, requests) happens in the recorder's thread. What cannot be delivered stays in the outbox and is delivered by the
next run in the same working directory or by `snakeprov push`.
"""

from __future__ import annotations

import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from snakeprov.capture.code import GitReader
from snakeprov.capture.digestcache import DigestCache
from snakeprov.client import Client
from snakeprov.config import POINTER_NAME, STORE_NAME, Settings, prepare_folder, store_of
from snakeprov.errors import OutboxError, SnakeprovError
from snakeprov.model.paths import to_os
from snakeprov.model.records import JobRecord, RunRecord
from snakeprov.recorder.backlog import outbox_folder
from snakeprov.recorder.deliver import Prepared, explain
from snakeprov.recorder.digesting import Digester
from snakeprov.recorder.drain import GROUP_JOBS_MAX, Drain, Leftovers, Tools, deliver_leftovers
from snakeprov.recorder.outbox import Kind, Outbox, read
from snakeprov.recorder.summary import Summary

LINGER_S: Final = 1.0
"""How long a record waits for others to be delivered with."""

RETRY_S: Final = 15.0
"""How long to wait with the next delivery after one failed, while the workflow is running."""

PROGRESS_AFTER_S: Final = 2.0
"""How long the last delivery may take before its progress is shown."""

DIGESTS_NAME: Final = "digests.sqlite"


@dataclass(frozen=True, slots=True)
class _Queued:
    """A job that waits for the thread. `number` is -1 where the outbox could not take it."""

    number: int
    job: JobRecord
    descriptors: Mapping[str, int]


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
        self._folder = working_directory / STORE_NAME
        self._connect = connect
        self._git = GitReader()
        self._lock = threading.Condition()
        # What follows is shared, under the lock.
        self._queue: deque[_Queued] = deque()
        self._finishing = False
        self._outbox: Outbox | None = None
        self._run_numbers: list[int] = []
        self._problems: dict[str, None] = {}
        self._lost = 0
        # What follows belongs to the thread.
        self._patch: bytes | None = None
        self._tools: Tools | None = None
        self._drain: Drain | None = None
        self._client: Client | None = None
        self._digests: DigestCache | None = None
        self._is_behind = False
        self._next_try_s = 0.0
        self._recovered = 0

    def start(self, run: RunRecord) -> None:
        """Begin the run. Returns at once; git is looked at in the thread."""
        self._run = run
        self._thread = threading.Thread(target=self._work, name="snakeprov-recorder", daemon=True)
        self._thread.start()

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
                self._problems[error.message] = None
            self._queue.append(_Queued(number, job, descriptors))
            if len(self._queue) in (1, GROUP_JOBS_MAX):
                self._lock.notify()

    def finish(self, run: RunRecord) -> Summary:
        """End the run: deliver what waits, and say what came of it all.

        Waits for the delivery, and shows its progress where that takes long and standard error is a terminal.
        Ctrl-C leaves the rest in the outbox.

        Args:
            run: The run as it ended.
        """
        run.git, run.git_problem = self._run.git, self._run.git_problem
        self._run = run
        with self._lock:
            if self._outbox is not None:
                self._append_run()
            self._finishing = True
            self._lock.notify()
        try:
            self._wait()
        except KeyboardInterrupt:
            self._problems["the delivery was interrupted"] = None
        return self._summary()

    # In any thread, under the lock.

    def _open_outbox(self) -> Outbox:
        if self._outbox is None:
            prepare_folder(self._folder)
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
                self._problems[error.message] = None

    # In the recorder's thread.

    def _work(self) -> None:
        try:
            self._look_at_git()
            while self._take_turn():
                pass
        except Exception as error:  # whatever it is, the workflow must not notice and the user must be told
            self._note(error)
        finally:
            self._close()

    def _look_at_git(self) -> None:
        snakefile = self._run.snakefile or "."
        state = self._git.state_of(str(self._working_directory / to_os(snakefile)))
        patch = self._git.patch(state.root) if state is not None and state.dirty else None
        with self._lock:
            self._run.git, self._run.git_problem = state, self._git.problem
            self._patch = patch
            if self._outbox is not None:
                self._append_run()
                if patch is not None:
                    self._outbox.patch(patch)

    def _take_turn(self) -> bool:
        """Wait for jobs and deliver them; return whether to go on."""
        with self._lock:
            self._lock.wait_for(lambda: self._queue or self._finishing, timeout=RETRY_S)
            if self._queue:
                self._lock.wait_for(lambda: len(self._queue) >= GROUP_JOBS_MAX or self._finishing, timeout=LINGER_S)
            group = [self._queue.popleft() for _ in range(min(len(self._queue), GROUP_JOBS_MAX))]
            is_last = self._finishing and not self._queue
        if group or (self._outbox is not None and (self._is_behind or is_last)):
            self._handle(group, is_last=is_last)
        return not is_last

    def _handle(self, group: list[_Queued], *, is_last: bool) -> None:
        prepared: list[Prepared] = []
        try:
            if self._outbox is not None:
                self._outbox.sync()
            tools = self._equip()
            prepared = [
                Prepared(one.number, one.job, tools.digester.observe(one.job, one.descriptors)) for one in group
            ]
            if self._is_behind and not is_last and time.monotonic() < self._next_try_s:
                self._keep(prepared)
                return
            self._deliver(self._connected(tools), prepared)
            if is_last and self._drain is not None:
                self._drain.put_run(self._run, self._run_numbers)
        except Exception as error:  # whatever it is, what has not been delivered waits in the outbox
            self._note(error)
            self._keep(prepared)
            self._is_behind = True
            self._next_try_s = time.monotonic() + RETRY_S

    def _deliver(self, drain: Drain, prepared: list[Prepared]) -> None:
        if not self._is_behind or self._outbox is None:
            drain.deliver(prepared)
            return
        self._keep(prepared)
        drain.deliver_pending(read(self._outbox.path))
        self._is_behind = False
        self._problems.clear()

    def _keep(self, prepared: list[Prepared]) -> None:
        """Keep what was found of jobs that are not delivered now; those that are in no outbox are lost."""
        self._lost += sum(one.number < 0 for one in prepared)
        if self._outbox is not None:
            for one in prepared:
                if one.number >= 0:
                    self._outbox.digests(one.number, msgspec.json.encode(one.observations))

    def _equip(self) -> Tools:
        if self._tools is None:
            self._digests = DigestCache(self._folder / DIGESTS_NAME)
            self._tools = Tools(
                settings=self._settings,
                working_directory=self._working_directory,
                digester=Digester(str(self._working_directory), self._digests),
                git=self._git,
            )
        return self._tools

    def _connected(self, tools: Tools) -> Drain:
        """Return the drain of this run, after what earlier runs left behind has been delivered."""
        if self._client is None:
            self._client = self._connect()
            self._point_to_store()
        if self._drain is None:
            if self._outbox is None:
                raise OutboxError("The outbox could not be made.")
            leftovers = deliver_leftovers(self._client, tools)
            self._recovered += leftovers.delivered
            self._problems |= dict.fromkeys(leftovers.problems)
            self._drain = Drain(self._outbox, self._run, self._client, tools=tools, patch=self._patch)
        return self._drain

    def _point_to_store(self) -> None:
        """Note for the commands where the records of this working directory go, if not into its own folder."""
        store = store_of(self._settings, self._working_directory)
        pointer = self._folder / POINTER_NAME
        if store != str(self._folder):
            pointer.write_text(store + "\n", encoding="utf-8")
        else:
            pointer.unlink(missing_ok=True)

    def _note(self, error: Exception) -> None:
        self._problems[explain(error)] = None

    def _close(self) -> None:
        for closable in (self._digests, self._outbox, self._client):
            try:
                if closable is not None:
                    closable.close()
            except Exception as error:  # nothing that was recorded is lost by it
                self._note(error)

    # In the thread that ends the run.

    def _wait(self) -> None:
        began_s = time.monotonic()
        is_terminal = sys.stderr.isatty()
        shown = False
        while self._thread.is_alive():
            self._thread.join(timeout=0.2)
            if is_terminal and time.monotonic() - began_s > PROGRESS_AFTER_S:
                shown = True
                print(f"\rsnakeprov: recording, {len(self._queue)} jobs to go … ", end="", file=sys.stderr, flush=True)
        if shown:
            print("\r\033[K", end="", file=sys.stderr, flush=True)

    def _summary(self) -> Summary:
        summary = Summary(self._run.id, recovered=self._recovered, lost=self._lost)
        if self._drain is not None:
            summary.tally = self._drain.tally
        if self._outbox is not None and self._outbox.path.exists():
            try:
                content = read(self._outbox.path)
            except OutboxError as error:
                self._problems[error.message] = None
            else:
                summary.pending = sum(entry.kind is Kind.JOB for entry in content.pending)
                summary.rejected = sum(entry.kind is Kind.JOB for entry, _ in content.rejected)
                self._problems |= dict.fromkeys(f"refused: {reason}" for _, reason in content.rejected)
        summary.problems = list(self._problems)
        return summary


def push(settings: Settings, working_directory: Path, client: Client) -> Leftovers:
    """Deliver what runs that have ended left in the outbox of a working directory, also what was refused before.

    Raises:
        RemoteError: The repository is not able to answer now; what was not delivered waits on.
    """
    digests = DigestCache(working_directory / STORE_NAME / DIGESTS_NAME)
    tools = Tools(
        settings=settings,
        working_directory=working_directory,
        digester=Digester(str(working_directory), digests),
        git=GitReader(),
    )
    try:
        return deliver_leftovers(client, tools, retry_rejected=True)
    finally:
        digests.close()


def open_recorder(settings: Settings, working_directory: Path) -> Recorder:
    """Return a recorder that delivers where `settings` say."""
    from snakeprov.embedded import connect

    store = store_of(settings, working_directory)
    return Recorder(settings, working_directory, connect=lambda: connect(store, create=True))
