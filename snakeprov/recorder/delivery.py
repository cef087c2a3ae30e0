"""Delivering a run while it goes on: now where the repository answers, later where it does not.

Must not know: threads. Imports the client and what it needs, which takes a moment: the recorder's thread does it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from snakeprov.capture.code import GitReader
from snakeprov.capture.digestcache import DigestCache
from snakeprov.client import Client
from snakeprov.client.transfer import Transfer
from snakeprov.config import STORE_NAME, Settings, store_of
from snakeprov.model.planned import RunPlan
from snakeprov.model.records import JobRecord, RunRecord
from snakeprov.recorder import backlog
from snakeprov.recorder.deliver import Prepared
from snakeprov.recorder.digesting import Digester
from snakeprov.recorder.drain import Drain, Leftovers, Tools, deliver_leftovers
from snakeprov.recorder.outbox import Outbox, read
from snakeprov.recorder.summary import Tally, explain

RETRY_S: Final = 15.0
"""How long to wait with the next delivery after one failed, while the workflow is running."""

SYNC_S: Final = 5.0
"""How often the outbox is forced onto the disk. An append in Snakemake's threads waits while that happens."""

DIGESTS_NAME: Final = "digests.sqlite"


@dataclass(frozen=True, slots=True)
class Taken:
    """A job that was taken from capture.

    Attributes:
        number: Its number in the outbox; -1 where the outbox could not take it.
        job: Its record.
        descriptors: Open files whose paths may vanish, by path.
    """

    number: int
    job: JobRecord
    descriptors: Mapping[str, int]


class Delivery:
    """Delivers the jobs of one run as they come. Not thread-safe.

    Attributes:
        problems: What went wrong, in words, each once.
        lost: How many job records could be kept nowhere.
        recovered: How many job records of earlier runs were delivered.
    """

    def __init__(
        self,
        settings: Settings,
        working_directory: Path,
        *,
        connect: Callable[[], Client],
        outbox: Outbox,
        git: GitReader,
        patch: bytes | None,
    ) -> None:
        """Prepare; nothing is connected yet. `patch` is how the run's code differs from its commit."""
        self.problems: dict[str, None] = {}
        self.lost = 0
        self.recovered = 0
        self._settings = settings
        self._folder = working_directory / STORE_NAME
        self._connect = connect
        self._outbox = outbox
        self._patch = patch
        self._digests = DigestCache(self._folder / DIGESTS_NAME)
        self._tools = _tools(settings, working_directory, self._digests, git)
        self._client: Client | None = None
        self._drain: Drain | None = None
        self._is_behind = False
        self._next_try_s = 0.0
        self._synced_s = 0.0

    @property
    def is_behind(self) -> bool:
        """Whether records wait in the outbox that could not be delivered when they came."""
        return self._is_behind

    @property
    def tally(self) -> Tally:
        """What has been recorded so far."""
        return self._drain.tally if self._drain is not None else Tally()

    @property
    def transfer(self) -> Transfer | None:
        """How far uploads are; None while there is no connection."""
        return self._client.files.transfer if self._client is not None else None

    def handle(self, group: Sequence[Taken], run: RunRecord, *, run_numbers: Sequence[int], is_last: bool) -> None:
        """Deliver jobs; what cannot be delivered waits in the outbox. Never raises.

        Args:
            group: The jobs.
            run: The run as it is now.
            run_numbers: Its entries in the outbox.
            is_last: Whether the run has ended and no job will follow.
        """
        prepared: list[Prepared] = []
        try:
            observe = self._tools.digester.observe
            prepared = [Prepared(one.number, one.job, observe(one.job, one.descriptors)) for one in group]
            self._sync()
            if self._is_behind and not is_last and time.monotonic() < self._next_try_s:
                self._keep(prepared)
                return
            drain = self._connected(run)
            if self._is_behind:
                self._keep(prepared)
                drain.deliver_pending(read(self._outbox.path))
                self._is_behind = False
                self.problems.clear()
            else:
                drain.deliver(prepared)
            if is_last:
                drain.put_run(run, run_numbers)
        except Exception as error:  # whatever it is, the workflow goes on and its user will be told
            self.problems[explain(error)] = None
            self._keep(prepared)
            self._is_behind = True
            self._next_try_s = time.monotonic() + RETRY_S

    def handle_plan(self, plan: RunPlan, numbers: Sequence[int]) -> None:
        """Deliver the DAG of a run that has ended, unless its jobs wait too. Never raises.

        Args:
            plan: The DAG.
            numbers: The entries of this plan, and of those that it replaces, in the outbox.
        """
        if self._is_behind or self._drain is None:
            return
        try:
            self._drain.put_plan(plan, numbers)
        except Exception as error:  # it waits in the outbox
            self.problems[explain(error)] = None

    def close(self) -> None:
        """Let go of the digest cache, the outbox and the repository. Never raises."""
        for close in (self._digests.close, self._outbox.close, self._client.close if self._client else None):
            try:
                if close is not None:
                    close()
            except Exception as error:  # nothing that was recorded is lost by it
                self.problems[explain(error)] = None

    def _sync(self) -> None:
        if time.monotonic() - self._synced_s > SYNC_S:
            self._outbox.sync()
            self._synced_s = time.monotonic()

    def _keep(self, prepared: Sequence[Prepared]) -> None:
        """Keep what was found of jobs that are not delivered now; those that are in no outbox are lost."""
        self.lost += sum(one.number < 0 for one in prepared)
        for one in prepared:
            if one.number >= 0:
                self._outbox.digests(one.number, one.observations_json())

    def _connected(self, run: RunRecord) -> Drain:
        """Return the drain of this run, after what earlier runs left behind has been delivered."""
        if self._client is None:
            self._client = self._connect()
            working_directory = self._folder.parent
            backlog.point_to_store(working_directory, store_of(self._settings, working_directory))
        if self._drain is None:
            leftovers = deliver_leftovers(self._client, self._tools)
            self.recovered += leftovers.delivered
            self.problems |= dict.fromkeys(leftovers.problems)
            self._drain = Drain(self._outbox, run, self._client, tools=self._tools, patch=self._patch)
        return self._drain


def push(settings: Settings, working_directory: Path, client: Client) -> Leftovers:
    """Deliver what runs that have ended left in the outbox of a working directory, also what was refused before.

    Raises:
        RemoteError: The repository is not able to answer now; what was not delivered waits on.
    """
    digests = DigestCache(working_directory / STORE_NAME / DIGESTS_NAME)
    try:
        tools = _tools(settings, working_directory, digests, GitReader())
        return deliver_leftovers(client, tools, retry_rejected=True)
    finally:
        digests.close()


def _tools(settings: Settings, working_directory: Path, digests: DigestCache, git: GitReader) -> Tools:
    return Tools(
        settings=settings,
        working_directory=working_directory,
        digester=Digester(str(working_directory), digests),
        git=git,
    )
