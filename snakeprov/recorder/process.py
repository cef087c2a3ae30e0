"""The delivering process, beside Snakemake's: what it hears, how long it lives, what it does not let disturb it.

It reads what Snakemake appends to the outbox until Snakemake closes its side of the connection, which it also does by
dying; then it delivers what is left, reports the result to anybody still listening, and ends. It may be killed at any
moment: what is not acknowledged is delivered again.
"""

from __future__ import annotations

import contextlib
import logging
import os
import resource
import select
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from snakeprov.capture.secrets.redactor import Redactor
from snakeprov.client import Client
from snakeprov.client.transfer import Transfer
from snakeprov.disk import logfile
from snakeprov.disk.digestcache import DigestCache
from snakeprov.model.held import Hold, Listing
from snakeprov.model.paths import to_os
from snakeprov.model.records import JobRecord, RunRecord
from snakeprov.places import Place, store_of
from snakeprov.recorder import backlog
from snakeprov.recorder.backlog import CodeFound
from snakeprov.recorder.channel import Begin, Done, FromCapture, FromDelivery, Progress, Receiver, Take, send
from snakeprov.recorder.delivery import Delivery, Seen
from snakeprov.recorder.digesting import KeptLogs
from snakeprov.recorder.heldfiles import HeldFiles, Moves
from snakeprov.recorder.leftovers import deliver_leftovers
from snakeprov.recorder.outbox import Outbox
from snakeprov.recorder.progress import Reading, bytes_read
from snakeprov.recorder.summary import Tally, explain
from snakeprov.recorder.target import TargetOf
from snakeprov.recorder.tools import make_tools
from snakeprov.settings import Settings, needs_md5

_logger: Final = logging.getLogger(__name__)

LINGER_S: Final = 1.0
"""How often it is looked what was appended: jobs delivered together cost a quarter of what they cost alone."""

CONTENT_BYTES_MAX: Final = 64 * 1024 * 1024
"""Bytes of small files that are kept until they are stored. Those beyond are read again when they are stored."""

HELD_MAX: Final = 10_000
"""How many files are held open, at most half of what the system allows. Those beyond are digested at once."""

TELL_S: Final = 0.5
"""How often Snakemake's process hears how far the last delivery is."""

SAY_TIMEOUT_S: Final = 5.0
"""How long Snakemake's process, which waits for the end by then, may take to hear something."""

STUCK_S: Final = 900.0
"""How long the last delivery may go without progress before the process gives up."""

NICENESS: Final = 5
"""How far it stands back behind the jobs of the workflow where they compete for the processor."""

_IGNORED: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Batch systems send these to every process of a job; Snakemake's end is what ends this one."""

RETRY_S: Final = 15.0
"""How long to wait with the next delivery after one failed, while the workflow is running."""

Held = Callable[[str], HeldFiles]
"""Callable: job id -> its held files; the caller closes them."""


def run(end: socket.socket, connect: Callable[[Settings, Path], Client], target_of: TargetOf) -> None:
    """Deliver what Snakemake, at the other end of `end`, appends; return when it has ended and all is dealt with.

    Args:
        end: Its socket.
        connect: Opens the store of a working directory with these settings.
        target_of: Chooses what a client delivers to.
    """
    for number in _IGNORED:
        signal.signal(number, lambda *_: None)  # unlike SIG_IGN it is not inherited by git
    os.nice(NICENESS)
    inbox = Inbox(end)
    begin = inbox.wait_for_begin()
    working_directory = Path(begin.working_directory)
    logfile.start(working_directory, "deliver")
    _logger.info("delivers for process %d to %s", begin.process_id, begin.settings.store)
    delivery = LiveDelivery(
        begin.settings,
        working_directory,
        connect=lambda: connect(begin.settings, working_directory),
        target_of=target_of,
        held=inbox.take_held,
        secrets=begin.secrets,
    )
    try:
        has_ended = False
        while not has_ended:
            has_ended = inbox.wait(LINGER_S) or os.getppid() != begin.process_id
            for outbox in inbox.take_outboxes():
                delivery.take(outbox)
            if has_ended:
                for number in _IGNORED:
                    signal.signal(number, signal.SIG_DFL)
                end.settimeout(SAY_TIMEOUT_S)
                with _telling(end, lambda: _progress(delivery)):
                    if begin.left_behind is not None:
                        delivery.recover(begin.left_behind)
                    delivery.turn(is_last=True)
            else:
                delivery.turn(is_last=False)
    finally:
        delivery.close()
    if inbox.failure is not None:  # another process delivers what it has not received
        raise inbox.failure
    _logger.info("has delivered %d jobs; problems: %s", delivery.jobs, list(delivery.problems) or "none")
    _say(end, Done(delivery.tally, delivery.recovered, list(delivery.problems), delivery.elsewhere))


class Inbox:
    """What Snakemake has said. It is listened to in a thread, so that no file waits while another is read.

    Attributes:
        failure: Why nothing more can be heard, where that is not the end of what is said.
    """

    def __init__(self, end: socket.socket) -> None:
        end.setblocking(False)
        self._end = end
        self._receiver = Receiver(end, FromCapture)  # type: ignore[arg-type]  # mypy has no type of types for unions
        self._held_max = _raise_limit()
        self._changed = threading.Condition()
        self.failure: Exception | None = None
        # What follows is shared, under the lock, and so is the receiver.
        self._has_ended = False
        self._begin: Begin | None = None
        self._outboxes: list[Outbox] = []
        self._held: dict[str, HeldFiles] = {}
        self._held_count = 0
        self._content_bytes = 0
        self._moves: Moves = {}
        self._md5 = False
        threading.Thread(target=self._listen, name="snakeprov-inbox", daemon=True).start()

    def wait_for_begin(self) -> Begin:
        """Return what is said first, when it has come. Raises EOFError if nothing comes."""
        with self._changed:
            self._changed.wait_for(lambda: self._begin is not None or self._has_ended)
            if self._begin is None:
                raise EOFError("Snakemake's process has ended before it said anything")
            return self._begin

    def wait(self, timeout_s: float) -> bool:
        """Wait for the end of the run; return whether it has come."""
        with self._changed:
            return self._changed.wait_for(lambda: self._has_ended, timeout_s)

    def take_outboxes(self) -> list[Outbox]:
        """Return the outboxes that were told of since this was last asked."""
        with self._changed:
            outboxes, self._outboxes = self._outboxes, []
            return outboxes

    def take_held(self, job_id: str) -> HeldFiles:
        """Return the files of a job that are held; the caller closes them.

        They were sent before the job's record was appended, but may not have been heard of yet.
        """
        with self._changed:
            self._hear_all()
            held = self._held.pop(job_id, None) or HeldFiles()
            self._held_count -= held.open_count
            self._content_bytes -= held.content_bytes
            return held

    def _listen(self) -> None:
        try:
            poll = select.poll()  # unlike `select` it knows descriptors of any number
            poll.register(self._end, select.POLLIN)
            while not self._has_ended:
                poll.poll()
                with self._changed:
                    self._hear_all()
        except Exception as error:
            self.failure = error
        finally:  # whatever it was: nobody may wait for more
            with self._changed:
                self._has_ended = True
                self._changed.notify_all()

    # Under the lock.

    def _hear_all(self) -> None:
        while not self._has_ended:
            try:
                messages = self._receiver.receive()
            except BlockingIOError:
                return
            except OSError:  # it cannot be heard any more, which is the same as its end
                messages = None
            for message in messages or ():
                self._hear(message)
            if messages is None:
                self._has_ended = True
            self._changed.notify_all()

    def _hear(self, message: object) -> None:
        match message:
            case Begin():
                self._begin = message
                self._md5 = needs_md5(message.settings.store)
            case Take(path=path):
                self._outboxes.append(Outbox(Path(path), self._receiver.descriptor()))
            case Hold(job_id=job_id, files=files):
                held = self._held.setdefault(job_id, HeldFiles(self._moves, md5=self._md5))
                before, kept_before = held.open_count, held.content_bytes
                for file in files:
                    descriptor = None
                    if file.content is None and file.digest is None:
                        descriptor = self._receiver.descriptor()
                    held.add(
                        file,
                        descriptor,
                        may_stay_open=self._held_count < self._held_max,
                        may_keep=self._content_bytes < CONTENT_BYTES_MAX,
                    )
                self._held_count += held.open_count - before
                self._content_bytes += held.content_bytes - kept_before
            case Listing(job_id=job_id):
                self._held.setdefault(job_id, HeldFiles(self._moves, md5=self._md5)).take_listing(message)


def _progress(delivery: LiveDelivery) -> Progress:
    transfer = delivery.transfer
    done, expected = (0, 0) if transfer is None else (transfer.done_bytes, transfer.expected_bytes)
    return Progress(delivery.jobs, done, expected, bytes_read(), delivery.reading)


def _raise_limit() -> int:
    """Allow as many open files as this process may have; return how many of them may be held."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):  # macOS has a lower limit than it says
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        soft = hard
    return HELD_MAX if soft == resource.RLIM_INFINITY else min(HELD_MAX, soft // 2)


@contextlib.contextmanager
def _telling(end: socket.socket, progress: Callable[[], Progress]) -> Iterator[None]:
    """Tell every `TELL_S` how far it is, from a thread of its own: one job may take long.

    Once nobody listens, and there is no progress for `STUCK_S`, the process ends: what it has not delivered waits.
    """
    is_over = threading.Event()

    def tell() -> None:
        last, since_s = Progress(), time.monotonic()
        while not is_over.wait(TELL_S):
            said = progress()
            _say(end, said)
            if said != last:
                last, since_s = said, time.monotonic()
            elif time.monotonic() - since_s > STUCK_S:
                os._exit(os.EX_TEMPFAIL)

    thread = threading.Thread(target=tell, name="snakeprov-progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def _say(end: socket.socket, message: FromDelivery) -> None:
    with contextlib.suppress(OSError):  # nobody listens any more
        send(end, message)


class LiveDelivery:
    """Delivers a run as it is appended to its outboxes, after what earlier runs left behind. Not thread-safe.

    Attributes:
        recovered: How many job records of earlier runs were delivered.
        elsewhere: How many wait for other stores, by store.
    """

    def __init__(
        self,
        settings: Settings,
        working_directory: Path,
        *,
        connect: Callable[[], Client],
        target_of: TargetOf,
        held: Held,
        secrets: Sequence[str] = (),
    ) -> None:
        """Prepare; nothing is connected yet.

        Args:
            settings: The run's settings.
            working_directory: Absolute; its `.snakeprov/` holds the outbox and the digest cache.
            connect: Opens the store.
            target_of: Chooses what a client delivers to.
            held: Gives the held files of a job.
            secrets: What must not stand in the difference of the code to its commit.
        """
        self.recovered = 0
        self.elsewhere: dict[str, int] = {}
        place = Place(store=store_of(settings, working_directory), root=working_directory, settings=settings)
        self._place = place
        self._connect = connect
        self._held = held
        self._digests = DigestCache.of(working_directory)
        self._redactor = Redactor(patterns=settings.redact, values=secrets)
        self._tools = make_tools(place, self._digests, target_of, logs=KeptLogs(self._redactor))
        self._delivery = Delivery(
            self._tools, self._connected, look=self._look, find_code=self._find_code, on_failure=self._fail
        )
        self._client: Client | None = None
        self._has_recovered = False
        self._recovered_jobs = 0
        self._recovered_tally: Tally | None = None
        self._failures: dict[str, None] = {}
        self._problems: dict[str, None] = {}
        self._next_try_s = 0.0

    @property
    def problems(self) -> dict[str, None]:
        """What went wrong, in words, each once; not what was delivered later after all."""
        return self._failures | self._problems | self._delivery.problems

    @property
    def jobs(self) -> int:
        """How many jobs have been taken from the outboxes. May be asked for in another thread."""
        return self._recovered_jobs + self._delivery.jobs

    @property
    def tally(self) -> Tally:
        """What has been recorded so far."""
        return self._delivery.tally if self._recovered_tally is None else self._recovered_tally

    @property
    def transfer(self) -> Transfer | None:
        """How far uploads are; None while there is no connection."""
        return self._client.files.transfer if self._client is not None else None

    @property
    def reading(self) -> Reading | None:
        """The large file that is being read, if one is. May be asked for in another thread."""
        return self._tools.digester.readings.now()

    def take(self, outbox: Outbox) -> None:
        """Take a further outbox of the run: nothing more will be appended to the one before."""
        self._delivery.take(outbox)

    def turn(self, *, is_last: bool) -> None:
        """Deliver what has been appended since the last turn; what cannot be delivered waits. Never raises.

        Args:
            is_last: Whether nothing more will be appended.
        """
        try:
            self._delivery.turn(is_last=is_last, may_send=is_last or time.monotonic() >= self._next_try_s)
        except Exception as error:  # whatever it is, the workflow goes on and its user will be told
            self._problems[explain(error)] = None
        if not self._delivery.is_behind:
            self._failures.clear()

    def recover(self, run_id: str) -> None:
        """Deliver what a process that died left of a run, and what is left of others. Never raises."""

        def told(jobs: int) -> None:
            self._recovered_jobs = jobs

        try:
            leftovers = deliver_leftovers(self._opened(), self._tools, told=told)
            self._recovered_tally = leftovers.tallies.get(run_id, Tally())
            self.recovered += leftovers.delivered - self._recovered_tally.jobs
            self._problems |= dict.fromkeys(leftovers.problems)
            self.elsewhere = leftovers.elsewhere
        except Exception as error:  # whatever it is, the user will be told
            self._problems[explain(error)] = None

    def close(self) -> None:
        """Let go of the digest cache, the outboxes and the store. Never raises."""
        self._delivery.close()
        for close in (self._digests.close, *([self._client.close] if self._client is not None else [])):
            try:
                close()
            except Exception as error:  # nothing that was recorded is lost by it
                self._problems[explain(error)] = None

    def _fail(self, error: Exception) -> None:
        self._failures[explain(error)] = None
        self._next_try_s = time.monotonic() + RETRY_S

    def _look(self, job: JobRecord) -> Seen:
        held = self._held(job.id)
        return self._tools.digester.observe(job, held), held.contents

    def _find_code(self, run: RunRecord) -> tuple[CodeFound, bytes | None]:
        git = self._tools.git
        place = str(self._place.root / to_os(run.snakefile or "."))
        state, patch = git.state_of(place), None
        if state is not None and state.dirty:
            patch = git.patch(state.root)
            state = git.state_of(place)  # by now it says what the patch leaves out
        return CodeFound(state, git.problem), self._redactor.patch(patch) if patch is not None else None

    def _connected(self) -> Client:
        """Return the store, after what earlier runs left behind has been delivered to it."""
        client = self._opened()
        if not self._has_recovered:
            leftovers = deliver_leftovers(client, self._tools)
            self.recovered += leftovers.delivered
            self._problems |= dict.fromkeys(leftovers.problems)
            self.elsewhere = leftovers.elsewhere
            self._has_recovered = True
        return client

    def _opened(self) -> Client:
        if self._client is None:
            self._client = self._connect()
            backlog.note_destination(self._place.root, self._place.store)
        return self._client
