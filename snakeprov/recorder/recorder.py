"""The recorder: takes records from capture at once, and has them delivered by a process of its own.

`append` is called in Snakemake's threads and only writes to the outbox. Everything that can take time (imports,
digests, git, requests) happens in the delivering process beside Snakemake, which reads what is appended and outlives
Snakemake if it has to. What cannot be delivered stays in the outbox and is delivered by the next run in the same
working directory or by `snakeprov push`.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Final, Self

import msgspec

from snakeprov.disk import logfile
from snakeprov.disk.layout import noted_store, own_folder
from snakeprov.disk.privacy import prepare_folder
from snakeprov.errors import OutboxError
from snakeprov.model.held import Hold, Listing
from snakeprov.model.planned import RunPlan
from snakeprov.model.records import JobRecord, RunRecord
from snakeprov.places import store_of
from snakeprov.recorder import progress
from snakeprov.recorder.backlog import count, files, outbox_folder
from snakeprov.recorder.channel import (
    SEND_TIMEOUT_S,
    Begin,
    Done,
    FromDelivery,
    Progress,
    Receiver,
    Take,
    pair,
    send,
)
from snakeprov.recorder.entries import Kind
from snakeprov.recorder.outbox import LOG_SIZE_MAX, Log
from snakeprov.recorder.summary import Summary, explain
from snakeprov.settings import Settings

UNWRITTEN_MAX: Final = 10_000
"""Maximum number of records kept in memory while the disk does not take them."""

UNWRITTEN_BYTES_MAX: Final = 64 * 1024 * 1024
"""Maximum size of these records together; the oldest are lost first."""

_logger: Final = logging.getLogger(__name__)

_JOB: Final = Kind.JOB  # a member of an enumeration is looked up at length


EXIT_S: Final = 10.0
"""How long the process may take to exit once it has said that it is done."""

_SAID_CHARS_MAX: Final = 300


class Recorder:
    """Records one run: `start`, then `append` for each job, then `finish`; `append` from any thread."""

    def __init__(
        self, settings: Settings, working_directory: Path, *, program: str, secrets: Sequence[str] = ()
    ) -> None:
        """Prepare to record a run; nothing is written yet.

        Args:
            settings: The run's settings.
            working_directory: Absolute; its `.snakeprov/` holds the outbox and the digest cache.
            program: The Python module to run as the delivering process.
            secrets: What must not stand in the difference of the code to its commit.
        """
        self._settings = settings
        self._working_directory = working_directory
        self._program = program
        self._secrets = tuple(secrets)
        self._folder = outbox_folder(working_directory)
        self._store = noted_store(working_directory, store_of(settings, working_directory))
        self._encode = msgspec.json.Encoder().encode
        self._lock = threading.Lock()
        self._unwritten: deque[tuple[Kind, bytes]] = deque()
        self._unwritten_bytes = 0
        self._full_disk: str | None = None
        self._problems: dict[str, None] = {}
        self._jobs = 0
        self._lost = 0
        self._logs = 0
        self._process: DeliveringProcess | None = None
        self._ending = ""
        self._progress = Progress()
        self._clock = progress.ReadingClock()

    def start(self, run: RunRecord) -> None:
        """Begin the run. Takes a few milliseconds: git is looked at by the delivering process.

        Raises:
            StoreError: The folder `.snakeprov/` cannot be made.
            OutboxError: The outbox cannot be made.
        """
        self._run = run
        prepare_folder(own_folder(self._working_directory), shared=self._settings.is_shared)
        logfile.start(self._working_directory, "capture")
        self._log = Log.create(self._folder, run.id, store=self._store, first=self._encode(run))
        self._process = self._started()
        if self._process is not None:
            self._log.share(self._process.id)
            self._process.tell(Take(str(self._log.path)), self._log.descriptor)
        _logger.info("run %s begins; process %s delivers", run.id, self._process and self._process.id)

    def plan(self, plan: RunPlan) -> None:
        """Take the jobs that the run has before it; a later call replaces them. Never raises."""
        payload = self._encode(plan)
        with self._lock:
            self._append(Kind.PLAN, payload)

    def hold(self, message: Hold | Listing, descriptors: Sequence[int] = ()) -> bool:
        """Pass on files of a job as they are now, ahead of its record; return false if nobody takes them.

        Takes microseconds and never raises. The caller closes the descriptors.
        """
        process = self._process
        return process is not None and process.hold(message, descriptors)

    def append(self, job: JobRecord) -> None:
        """Take the record of a job: when this returns, the record survives the death of this process.

        Takes microseconds and never raises; `finish` reports a failure.
        """
        self.append_encoded(self._encode(job))

    def append_encoded(self, payload: bytes) -> None:
        """Take the record of a job as JSON (see `snakeprov.model.records.decode_job`); else as `append`."""
        with self._lock:
            self._jobs += 1
            self._append(_JOB, payload)

    def finish(self, run: RunRecord, *, is_shown: bool = True) -> Summary:
        """End the run: wait until what was appended is delivered, and say what came of it all.

        Shows the progress where that takes long and standard error is a terminal. Ctrl-C leaves the rest in the outbox.

        Args:
            run: The run as it ended.
            is_shown: Whether the progress may be shown at all.
        """
        self._run = run
        self._is_shown = is_shown
        with self._lock:
            self._append(Kind.RUN, self._encode(run))
            if self._full_disk is not None:
                self._problems[self._full_disk] = None
                self._lost += sum(kind is Kind.JOB for kind, _ in self._unwritten)
            self._log.close()
        summary = Summary(run.id, lost=self._lost)
        if not self._is_delivered(self._process, summary) and files(self._folder, run_id=run.id):
            self._deliver_again(summary)
        with contextlib.suppress(OutboxError):
            left = count(self._folder, run_id=run.id)
            summary.pending, summary.rejected = left.pending, left.failed
            self._problems |= dict.fromkeys(left.reasons)
        if summary.restart:
            summary.tally.jobs = self._jobs - summary.pending - summary.rejected - summary.lost
        summary.problems = list(self._problems)
        _logger.info("run %s: %s", run.id, summary.line())
        return summary

    def _append(self, kind: Kind, payload: bytes) -> None:
        """Append a record, after those that the disk did not take when they came. Under the lock."""
        try:
            if self._log.size_bytes > LOG_SIZE_MAX:
                self._turn_over()
            while self._unwritten:
                self._log.append(*self._unwritten[0])
                self._forget_oldest()
            self._log.append(kind, payload)
            self._full_disk = None
        except OutboxError as error:
            self._full_disk = explain(error)
            self._unwritten.append((kind, payload))
            self._unwritten_bytes += len(payload)
            while len(self._unwritten) > UNWRITTEN_MAX or self._unwritten_bytes > UNWRITTEN_BYTES_MAX:
                self._lost += self._forget_oldest() is Kind.JOB
            _logger.debug("%d records wait in memory: %s", len(self._unwritten), self._full_disk)

    def _forget_oldest(self) -> Kind:
        """Drop the oldest of the records that are kept in memory; return its kind."""
        kind, payload = self._unwritten.popleft()
        self._unwritten_bytes -= len(payload)
        return kind

    def _turn_over(self) -> None:
        """Go on in a further log, unless the delivering process cannot be told of it yet."""
        if self._process is None:
            return
        self._logs += 1
        name = f"{self._run.id}.{self._logs}"
        log = Log.create(self._folder, name, store=self._store, first=self._encode(self._run))
        log.share(self._process.id)
        if self._process.tell(Take(str(log.path)), log.descriptor):
            self._log.close()
            self._log = log
        else:
            log.discard()

    def _started(self, *, left_behind: str | None = None) -> DeliveringProcess | None:
        begin = Begin(self._settings, str(self._working_directory), os.getpid(), self._secrets, left_behind)
        try:
            return DeliveringProcess.start(self._program, begin)
        except OSError as error:
            self._ending = str(error)
            return None

    def _deliver_again(self, summary: Summary) -> None:
        """Have another process deliver what is left, once: the first has died, or could not be started."""
        summary.restart = self._ending
        process = self._started(left_behind=summary.run_id)
        if not self._is_delivered(process, summary):
            summary.restart = ""
            what = "cannot be started" if process is None else "ended before it was done"
            self._problems[f"The process that delivers {what} ({self._ending})."] = None

    def _is_delivered(self, process: DeliveringProcess | None, summary: Summary) -> bool:
        """Wait for a process; return whether no other process has to take over.

        None has to when it is done, when the user does not want to wait, and when it hangs, since it then goes on by
        itself.
        """
        if process is None:
            return False
        was_stopped = False
        self._progress = Progress()
        self._clock = progress.ReadingClock()
        patience_s = self._settings.wait_max_s
        try:
            with progress.shown(self._describe) if self._is_shown else contextlib.nullcontext():
                done = process.wait(self._hear, patience_s=patience_s)
        except TimeoutError:
            stalled = f"The delivery made no progress for {patience_s:g} s (setting wait_max_s)"
            self._problems[f"{stalled}; it goes on in the background."] = None
            process.leave()
            return True
        except KeyboardInterrupt:
            was_stopped, done = True, None
            process.stop()
            self._problems["The delivery was interrupted."] = None
        self._ending = process.close()
        if done is not None:
            summary.tally, summary.recovered, summary.elsewhere = done.tally, done.recovered, done.elsewhere
            self._problems |= dict.fromkeys(done.problems)
        return was_stopped or done is not None

    def _hear(self, said: Progress) -> None:
        self._progress = said

    def _describe(self) -> str:
        said = self._progress
        if said.reading is not None:
            return f"snakeprov: recording: {self._clock.hear(said.reading, now_s=time.monotonic())}"
        uploads = progress.uploaded(said.uploaded_bytes, said.expected_bytes)
        return f"snakeprov: recording, {max(0, self._jobs - said.jobs)} jobs to go{uploads}"


class DeliveringProcess:
    """A process of its own that delivers; in a session of its own, so that Ctrl-C in the terminal does not reach it."""

    def __init__(self, process: subprocess.Popen[bytes], end: socket.socket, stderr: IO[bytes] | None) -> None:
        self._process = process
        self._end = end
        self._stderr = stderr
        self._receiver = Receiver(end, FromDelivery)  # type: ignore[arg-type]  # mypy has no type of types for unions

    @classmethod
    def start(cls, program: str, begin: Begin) -> Self:
        """Start the Python module `program`; its only argument is the number of its socket's descriptor.

        Raises:
            OSError: It cannot be started.
        """
        if not sys.executable:
            raise OSError("the path of the Python interpreter is not known")
        ours, theirs = pair()
        ours.settimeout(SEND_TIMEOUT_S)
        stderr = _stderr_file()
        try:
            number = theirs.fileno()
            process = subprocess.Popen(  # noqa: S603  our own interpreter and module
                # -P: a module of the user's in the working directory must not stand in for one that is imported.
                [sys.executable, "-P", "-m", program, str(number)],
                stdin=subprocess.DEVNULL,
                # A reader of Snakemake's output must not have to wait for another process to close it.
                stdout=subprocess.DEVNULL,
                stderr=stderr if stderr is not None else subprocess.DEVNULL,
                pass_fds=[number],
                start_new_session=True,
            )
            with contextlib.suppress(OSError):  # it may have failed already, as its end will tell
                send(ours, begin)
        except OSError:
            ours.close()
            raise
        finally:
            theirs.close()
        ours.setblocking(False)
        return cls(process, ours, stderr)

    def tell(self, message: Take, descriptor: int) -> bool:
        """Tell it something, with an open file, without waiting; return false if it is too far behind to be told now.

        A process that has ended counts as told: its end is noticed by `wait`.
        """
        try:
            send(self._end, message, [descriptor])
        except BlockingIOError:
            return False
        except OSError:
            return True
        return True

    def hold(self, message: Hold | Listing, descriptors: Sequence[int]) -> bool:
        """Pass on files of a job, without waiting; return false if it does not take them."""
        try:
            send(self._end, message, descriptors)
        except OSError:
            return False
        return True

    @property
    def id(self) -> int:
        """Its number."""
        return self._process.pid

    def wait(self, on_progress: Callable[[Progress], None], *, patience_s: float) -> Done | None:
        """Tell it that this is all, and wait until it is done; return what it says, or None: it has ended otherwise.

        Args:
            on_progress: Told how far it is, now and then.
            patience_s: How long it may make no progress.

        Raises:
            TimeoutError: It made no progress for so long. It goes on by itself.
        """
        with contextlib.suppress(OSError):
            self._end.shutdown(socket.SHUT_WR)
        progress, until_s = Progress(), time.monotonic() + patience_s
        while True:
            # Zero would mean: do not block, and fail otherwise.
            self._end.settimeout(max(0.001, until_s - time.monotonic()))
            try:
                messages = self._receiver.receive()
            except TimeoutError:
                raise
            except OSError:
                return None
            if messages is None:
                return None
            for message in messages:
                if isinstance(message, Done):
                    return message
                if isinstance(message, Progress):
                    on_progress(message)
                    if message != progress:
                        progress, until_s = message, time.monotonic() + patience_s
            if time.monotonic() > until_s:
                raise TimeoutError

    def leave(self) -> None:
        """Let it go on by itself, without waiting for its end."""
        self._end.close()
        if self._stderr is not None:
            self._stderr.close()

    def stop(self) -> None:
        """End it now; what it has not delivered waits in the outbox."""
        self._process.kill()

    def close(self) -> str:
        """Let go of it, once it has ended or is about to; return how it ended, in words."""
        self._end.close()
        try:
            status = self._process.wait(EXIT_S)
        except subprocess.TimeoutExpired:
            return "it does not end"
        said = ""
        if self._stderr is not None:
            with self._stderr as file:
                file.seek(0)
                said = file.read().decode("utf-8", "replace").strip().rpartition("\n")[2][:_SAID_CHARS_MAX]
        if status < 0:
            return f"killed by {_signal_name(-status)}"
        return f"exit status {status}" + (f": {said}" if said else "")


def _stderr_file() -> IO[bytes] | None:
    """Return a file for what Python says when it fails; None where there is no room for one."""
    try:
        return tempfile.TemporaryFile()
    except OSError:
        return None


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
