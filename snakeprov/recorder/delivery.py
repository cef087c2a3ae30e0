"""Delivering a run while it goes on: now where the repository answers, later where it does not.

Must not know: threads. Imports the client and what it needs, which takes a moment: the recorder's thread does it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from snakeprov.capture.code import GitReader
from snakeprov.capture.digestcache import DigestCache
from snakeprov.client import Client
from snakeprov.config import POINTER_NAME, STORE_NAME, Settings, store_of
from snakeprov.model.records import JobRecord, RunRecord
from snakeprov.recorder.deliver import Prepared
from snakeprov.recorder.digesting import Digester
from snakeprov.recorder.drain import Drain, Tools
from snakeprov.recorder.leftovers import Leftovers, deliver_leftovers
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
            self._point_to_store()
        if self._drain is None:
            leftovers = deliver_leftovers(self._client, self._tools)
            self.recovered += leftovers.delivered
            self.problems |= dict.fromkeys(leftovers.problems)
            self._drain = Drain(self._outbox, run, self._client, tools=self._tools, patch=self._patch)
        return self._drain

    def _point_to_store(self) -> None:
        """Note for the commands where the records of this working directory go, if not into its own folder."""
        store = store_of(self._settings, self._folder.parent)
        pointer = self._folder / POINTER_NAME
        if store != str(self._folder):
            pointer.write_text(store + "\n", encoding="utf-8")
        else:
            pointer.unlink(missing_ok=True)


def push(settings: Settings, working_directory: Path, client: Client) -> Leftovers:
    """Deliver what runs that have ended left in the outbox of a working directory, also what was refused before.

    Raises:
        RemoteError: The repository is not able to answer now; what was not delivered waits on.
    """
    with opened_tools(settings, working_directory) as tools:
        return deliver_leftovers(client, tools, retry_rejected=True)


def recover_leftovers(settings: Settings, working_directory: Path, client: Client) -> Leftovers:
    """Do as `push`, but leave what was refused before. Raises RemoteError as `push`."""
    with opened_tools(settings, working_directory) as tools:
        return deliver_leftovers(client, tools)


@contextmanager
def opened_tools(settings: Settings, working_directory: Path) -> Iterator[Tools]:
    """Give the tools for a working directory; its digest cache is kept in its folder, where that is there already."""
    store = working_directory / STORE_NAME
    digests = DigestCache(store / DIGESTS_NAME if store.is_dir() else None)
    try:
        yield _tools(settings, working_directory, digests, GitReader())
    finally:
        digests.close()


def _tools(settings: Settings, working_directory: Path, digests: DigestCache, git: GitReader) -> Tools:
    return Tools(
        settings=settings,
        working_directory=working_directory,
        digester=Digester(str(working_directory), digests),
        git=git,
    )
