"""Delivering a run while it goes on: now where the store answers, later where it does not."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from snakeprov.capture.secrets.redactor import Redactor
from snakeprov.client import Client
from snakeprov.client.transfer import Transfer
from snakeprov.disk.digestcache import DigestCache
from snakeprov.model.paths import to_os
from snakeprov.model.records import JobRecord, RunRecord
from snakeprov.places import Place, store_of
from snakeprov.recorder import backlog
from snakeprov.recorder.backlog import CodeFound
from snakeprov.recorder.delivery import Delivery, Seen
from snakeprov.recorder.heldfiles import HeldFiles
from snakeprov.recorder.keptlogs import KeptLogs
from snakeprov.recorder.leftovers import deliver_leftovers
from snakeprov.recorder.outbox import Outbox
from snakeprov.recorder.summary import Tally, explain
from snakeprov.recorder.target import TargetOf
from snakeprov.recorder.tools import make_tools
from snakeprov.settings import Settings

RETRY_S: Final = 15.0
"""How long to wait with the next delivery after one failed, while the workflow is running."""


Held = Callable[[str], HeldFiles]
"""Callable: job id -> its held files; the caller closes them."""


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
