"""Delivering a run while it goes on: now where the store answers, later where it does not.

Must not know: processes, sockets, signals.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Final

import msgspec

from snakeprov.capture.git.reader import GitReader
from snakeprov.capture.secrets.redactor import Redactor
from snakeprov.client import Client
from snakeprov.client.transfer import Transfer
from snakeprov.disk.digestcache import DigestCache
from snakeprov.disk.layout import own_folder
from snakeprov.metadata import stored
from snakeprov.model.paths import to_os
from snakeprov.model.records import RunRecord
from snakeprov.places import Place, store_of
from snakeprov.recorder import backlog
from snakeprov.recorder.deliver import Prepared
from snakeprov.recorder.digesting import Digester
from snakeprov.recorder.drain import (
    GROUP_FILES_MAX,
    GROUP_JOBS_MAX,
    CodeFound,
    Drain,
    Tools,
    job_of,
)
from snakeprov.recorder.entries import Entry, Kind
from snakeprov.recorder.heldfiles import HeldFiles
from snakeprov.recorder.keptlogs import KeptLogs
from snakeprov.recorder.leftovers import Leftovers, deliver_leftovers, notice_missing
from snakeprov.recorder.outbox import Outbox
from snakeprov.recorder.summary import Tally, explain
from snakeprov.recorder.target import TargetOf
from snakeprov.settings import Settings

RETRY_S: Final = 15.0
"""How long to wait with the next delivery after one failed, while the workflow is running."""

SYNC_S: Final = 5.0
"""How often the outbox is forced onto the disk. An append in Snakemake's threads waits while that happens."""


Held = Callable[[str], HeldFiles]
"""Callable: job id -> its held files; the caller closes them."""


class Delivery:
    """Delivers the jobs of one run as they are appended to its outboxes. Not thread-safe.

    Attributes:
        problems: What went wrong, in words, each once.
        recovered: How many job records of earlier runs were delivered.
        jobs: How many jobs have been taken from the outboxes. May be read by another thread.
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
        self.problems: dict[str, None] = {}
        self.recovered = 0
        self.jobs = 0
        place = Place(store=store_of(settings, working_directory), root=working_directory, settings=settings)
        self._place = place
        self._working_directory = working_directory
        self._folder = own_folder(working_directory)
        self._connect = connect
        self._held = held
        self._digests = DigestCache.of(working_directory)
        self._redactor = Redactor(patterns=settings.redact, values=secrets)
        self._tools = _tools(place, self._digests, KeptLogs(self._redactor), target_of)
        self._client: Client | None = None
        self._drain: Drain | None = None
        self._run: RunRecord | None = None
        self._code: CodeFound | None = None
        self._patch: bytes | None = None
        self._outbox: Outbox | None = None
        self._run_numbers: list[int] = []
        self._plan: Entry | None = None
        self._further: deque[Outbox] = deque()
        self._full: list[Outbox] = []
        self._is_behind = False
        self._recovered_tally = Tally()
        self._next_try_s = 0.0
        self._synced_s = 0.0

    @property
    def tally(self) -> Tally:
        """What has been recorded so far."""
        return self._drain.tally if self._drain is not None else self._recovered_tally

    @property
    def transfer(self) -> Transfer | None:
        """How far uploads are; None while there is no connection."""
        return self._client.files.transfer if self._client is not None else None

    def take(self, outbox: Outbox) -> None:
        """Take a further outbox of the run: nothing more will be appended to the one before."""
        self._further.append(outbox)

    def turn(self, *, is_last: bool) -> None:
        """Deliver what has been appended since the last turn; what cannot be delivered waits. Never raises.

        Args:
            is_last: Whether nothing more will be appended.
        """
        try:
            while (group := self._next_group(is_last=is_last)) or self._plan is not None:
                self._sync()
                self._handle(group, is_urgent=is_last)
            if self._outbox is not None and (is_last or self._is_behind):
                self._handle([], is_urgent=is_last)
            if is_last:
                self._end()
        except Exception as error:  # whatever it is, the workflow goes on and its user will be told
            self.problems[explain(error)] = None

    def recover(self, run_id: str) -> None:
        """Deliver what a process that died left of a run, and what is left of others. Never raises."""

        def told(jobs: int) -> None:
            self.jobs = jobs

        try:
            leftovers = deliver_leftovers(self._opened(), self._tools, told=told)
            self._recovered_tally = leftovers.tallies.get(run_id, Tally())
            self.recovered += leftovers.delivered - self._recovered_tally.jobs
            self.problems |= dict.fromkeys(leftovers.problems)
        except Exception as error:  # whatever it is, the user will be told
            self.problems[explain(error)] = None

    def close(self) -> None:
        """Let go of the digest cache, the outboxes and the store. Never raises."""
        outboxes = [*self._full, *([self._outbox] if self._outbox is not None else []), *self._further]
        for outbox in outboxes:
            damage = outbox.damage()
            if damage is not None:
                self.problems[damage] = None
        closing = [self._digests.close, *(one.close for one in outboxes)]
        if self._client is not None:
            closing.append(self._client.close)
        for close in closing:
            try:
                close()
            except Exception as error:  # nothing that was recorded is lost by it
                self.problems[explain(error)] = None

    # Reading

    def _next_group(self, *, is_last: bool) -> list[Prepared]:
        """Return jobs to deliver together, all of one outbox, with what is found of their files."""
        group: list[Prepared] = []
        files = 0
        while len(group) < GROUP_JOBS_MAX and files < GROUP_FILES_MAX:
            outbox, entry = self._next_entry(is_last=is_last, may_turn_over=not group)
            if outbox is None or entry is None:
                break
            if entry.kind is Kind.RUN:
                self._learn(outbox, entry)
                continue
            if entry.kind is Kind.PLAN:
                self._plan = entry
                break
            self.jobs += 1
            job = job_of(entry)
            if isinstance(job, str):
                outbox.rejected(entry.number, job)
                continue
            held = self._held(job.id)
            observations = self._tools.digester.observe(job, held)
            group.append(Prepared(entry.number, job, observations, held.contents))
            files += len(job.inputs) + len(job.outputs)
        return group

    def _next_entry(self, *, is_last: bool, may_turn_over: bool) -> tuple[Outbox | None, Entry | None]:
        while True:
            entry = None
            if self._outbox is not None:
                entry = self._outbox.take(is_final=is_last or bool(self._further))
            if entry is not None or not (self._further and may_turn_over):
                return self._outbox, entry
            self._turn_over()

    def _turn_over(self) -> None:
        """Go on with the next outbox."""
        if self._outbox is not None:
            self._outbox.delivered(self._run_numbers)  # the next outbox begins with the run as well
            self._run_numbers.clear()
            self._full.append(self._outbox)
            if not self._is_behind:
                self._close_full()
        self._outbox = self._further.popleft()
        if self._code is not None:
            self._note_code(self._outbox, self._code)
        if self._drain is not None:
            self._drain.turn_to(self._outbox)

    def _learn(self, outbox: Outbox, entry: Entry) -> None:
        """Take in the run as it is now, and look at its code when it begins."""
        run = msgspec.json.decode(entry.payload, type=RunRecord)
        if self._code is None:
            self._code = self._look_at_git(run)
            self._note_code(outbox, self._code)
        run.git, run.git_problem = self._code.git, self._code.git_problem
        self._run = run
        self._run_numbers.append(entry.number)

    def _look_at_git(self, run: RunRecord) -> CodeFound:
        git = self._tools.git
        state = git.state_of(str(self._working_directory / to_os(run.snakefile or ".")))
        patch = git.patch(state.root) if state is not None and state.dirty else None
        self._patch = self._redactor.patch(patch) if patch is not None else None
        return CodeFound(state, git.problem)

    def _note_code(self, outbox: Outbox, code: CodeFound) -> None:
        is_stored = code.git is not None and code.git.patch_file_handle_id is not None
        outbox.code(msgspec.json.encode(code), None if is_stored else self._patch)

    # Delivering

    def _handle(self, group: Sequence[Prepared], *, is_urgent: bool) -> None:
        """Deliver jobs, and before them what waits; where that fails all of it waits."""
        plan, self._plan = self._plan, None
        if self._is_behind and not is_urgent and time.monotonic() < self._next_try_s:
            self._keep(group)
            return
        try:
            drain = self._connected()
            if self._is_behind:
                self._keep(group)
                self._catch_up(drain)
            else:
                drain.deliver(group)
                if plan is not None:
                    drain.put_plan(plan)
        except Exception as error:  # whatever it is, the workflow goes on and its user will be told
            self.problems[explain(error)] = None
            self._keep(group)
            self._is_behind = True
            self._next_try_s = time.monotonic() + RETRY_S

    def _catch_up(self, drain: Drain) -> None:
        assert self._outbox is not None  # noqa: S101  there is a drain
        for outbox in (*self._full, self._outbox):
            drain.turn_to(outbox)
            drain.deliver_pending(outbox.content())
        self._close_full()
        self._is_behind = False
        self.problems.clear()

    def _close_full(self) -> None:
        """Let go of the outboxes to which nothing will be appended; those with refused records stay on disk."""
        for outbox in self._full:
            damage = outbox.damage()
            if damage is not None:
                self.problems[damage] = None
            outbox.close()
        self._full.clear()

    def _end(self) -> None:
        """Make the store know how the run ended; a run that does not say so was killed."""
        if self._run is None or self._is_behind:
            return
        drain = self._connected()
        if self._run.status == "running":
            assert self._client is not None  # noqa: S101  it is connected
            noticed = Leftovers()
            notice_missing(self._client, self._tools, self._run, noticed)
            self.problems |= dict.fromkeys(noticed.problems)
            self._run.status = "interrupted"
        drain.renew_plan()
        drain.put_run(self._run, self._run_numbers)

    def _sync(self) -> None:
        if self._outbox is not None and time.monotonic() - self._synced_s > SYNC_S:
            self._outbox.sync()
            self._synced_s = time.monotonic()

    def _keep(self, group: Sequence[Prepared]) -> None:
        """Keep what was found of jobs that are not delivered now."""
        if self._outbox is not None:
            for one in group:
                self._outbox.digests(one.number, one.observations_json())

    def _connected(self) -> Drain:
        """Return the drain of this run, after what earlier runs left behind has been delivered."""
        assert self._outbox is not None and self._run is not None  # noqa: S101  every log begins with the run
        client = self._opened()
        if self._drain is None:
            leftovers = deliver_leftovers(client, self._tools)
            self.recovered += leftovers.delivered
            self.problems |= dict.fromkeys(leftovers.problems)
            self._drain = Drain(self._outbox, self._run, client, tools=self._tools, patch=self._patch)
        return self._drain

    def _opened(self) -> Client:
        if self._client is None:
            self._client = self._connect()
            backlog.note_destination(self._place.root, self._place.store)
        return self._client


def push(place: Place, client: Client, *, target_of: TargetOf, even_uncertain: bool = False) -> Leftovers:
    """Deliver what runs that have ended left in the outbox of a working directory, also what was refused before.

    Args:
        place: The working directory, and the store that `client` reaches.
        client: The store.
        target_of: Chooses what a client delivers to.
        even_uncertain: Whether to deliver also what a process on another machine may still write, where the file system
            has no locks.

    Raises:
        RemoteError: The store is not able to answer now; what was not delivered waits on.
    """
    with opened_tools(place, target_of) as tools:
        return deliver_leftovers(client, tools, retry_rejected=True, even_uncertain=even_uncertain)


def recover_leftovers(place: Place, client: Client, *, target_of: TargetOf) -> Leftovers:
    """Do as `push`, but leave what was refused before. Raises RemoteError as `push`."""
    with opened_tools(place, target_of) as tools:
        return deliver_leftovers(client, tools)


@contextmanager
def opened_tools(place: Place, target_of: TargetOf) -> Iterator[Tools]:
    """Give the tools for a working directory; its digest cache is kept in its folder, where that is there already."""
    digests = DigestCache.of(place.root)
    try:
        yield _tools(place, digests, KeptLogs(), target_of)
    finally:
        digests.close()


def _tools(place: Place, digests: DigestCache, logs: KeptLogs, target_of: TargetOf) -> Tools:
    return Tools(
        settings=place.settings,
        working_directory=place.root,
        store=place.store,
        target_of=target_of,
        digester=Digester(str(place.root), digests, logs=logs),
        git=GitReader(results=partial(stored.outputs, place.root)),
    )
