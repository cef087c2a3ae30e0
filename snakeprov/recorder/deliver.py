"""Delivering the jobs of one run: look up, assemble, store bytes, send; and what to do when it is refused.

Must not know: threads, the outbox, how digests are found.

At least once and idempotent: a job that the repository already has counts as delivered.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from snakeprov.capture.tree import read_manifest
from snakeprov.client import Client, Content
from snakeprov.client.batch import Ref
from snakeprov.errors import (
    BadRequestError,
    ConflictError,
    ForbiddenError,
    NotFoundError,
    RemoteError,
    SnakeprovError,
    StaleError,
)
from snakeprov.model.entities import DIRECTORY_CONTENT_TYPE
from snakeprov.model.records import JobRecord, RunRecord
from snakeprov.recorder.assemble import Context, Policy, assemble, path_of
from snakeprov.recorder.catalog import Catalog, Held, folders_above
from snakeprov.recorder.codelinks import CodeLinks
from snakeprov.recorder.digesting import Observations
from snakeprov.recorder.plan import Plan
from snakeprov.recorder.summary import Tally, explain

TRIES_MAX: Final = 4
"""How often one job is sent when somebody else changed in between what its plan was made from."""

LOOKUP_PATHS_MAX: Final = 10_000

_OUTRUN: Final = (StaleError, ConflictError, NotFoundError)
_REFUSED: Final = (*_OUTRUN, BadRequestError, ForbiddenError)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A job that is ready to be delivered: `number` in its outbox, record, and what was found of its files."""

    number: int
    job: JobRecord
    observations: Observations

    def observations_json(self) -> bytes:
        """Return what was found of its files, as the outbox keeps it."""
        return msgspec.json.encode(self.observations)


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a job: delivered, or refused for a `reason`."""

    number: int
    reason: str | None = None


class Deliverer:
    """Delivers the jobs of one run. Not thread-safe."""

    def __init__(self, client: Client, run: RunRecord, *, policy: Policy, links: CodeLinks, catalog: Catalog) -> None:
        """Prepare to deliver jobs of `run`.

        Args:
            client: The repository.
            run: The run; `put_run` tells the repository of it.
            policy: What the settings say of versions and bytes.
            links: Finds permalinks of code.
            catalog: What is known of the run's project in this repository.
        """
        self.tally = Tally()
        self._client = client
        self._run = run
        self._policy = policy
        self._links = links
        self._catalog = catalog
        self._run_is_known = False
        self._manifests: dict[str, tuple[str | None, frozenset[tuple[str, str]]]] = {}

    def put_run(self, run: RunRecord) -> None:
        """Make the repository know the run as it is now. Raises RemoteError."""
        self._run = run
        self._client.runs.put(run)
        self._run_is_known = True

    def deliver(self, jobs: Sequence[Prepared]) -> list[Receipt]:
        """Deliver jobs, in their order; return what became of each.

        Raises:
            RemoteError: The repository is not able to answer now; some of the jobs may have been delivered, and
                delivering them again does no harm.
        """
        if not jobs:
            return []
        if not self._run_is_known:
            self.put_run(self._run)
        if self._refusal(jobs) is None:
            return [Receipt(one.number) for one in jobs]
        # One job that is refused must not hold up the others.
        return [Receipt(one.number, self._deliver_alone(one)) for one in jobs]

    def _deliver_alone(self, prepared: Prepared) -> str | None:
        """Deliver one job, again if others changed what its plan was made from; return why it is refused, or None."""
        error: Exception | None = None
        for _ in range(TRIES_MAX):
            error = self._refusal([prepared])
            if error is None or self._is_known(prepared.job):
                return None
            if not isinstance(error, _OUTRUN):
                break
        return explain(error) if error is not None else None

    def _refusal(self, jobs: Sequence[Prepared]) -> Exception | None:
        """Send jobs; return why they are refused, or None. Raises RemoteError if the repository cannot answer now."""
        try:
            self._send(jobs)
        except _REFUSED as error:
            self._catalog.forget()
            return error
        except RemoteError:
            raise
        except Exception as error:  # a record that cannot be assembled is refused too, rather than stop everything
            self._catalog.forget()
            return error
        return None

    def _is_known(self, job: JobRecord) -> bool:
        try:
            self._client.jobs.get(job.id)
        except NotFoundError:
            return False
        return True

    def _send(self, jobs: Sequence[Prepared]) -> None:
        self._look_up(jobs)
        permalinks = self._links.permalinks(jobs, self._run)
        if self._links.has_unclean and self._run.git is not None and not self._run.git.dirty:
            # Code that git was never told of ran: the commit alone does not say what was executed.
            self._run.git.dirty = True
            self.put_run(self._run)
        plan = Plan(self._catalog, project=self._run.project)
        context = Context(
            run=self._run,
            policy=self._policy,
            permalinks=permalinks,
            members=self._members(jobs),
        )
        tally = Tally()
        for prepared in jobs:
            assemble(plan, prepared.job, prepared.observations, context, tally)
        tally.unread += self._upload(plan)
        results = self._client.send(plan.requests)
        self._catalog.commit(plan.draft, results)
        self._catalog.trim()
        self._remember_directories(jobs)
        self._count(tally)

    def _look_up(self, jobs: Sequence[Prepared]) -> None:
        self._learn(path for prepared in jobs for path in _paths(prepared.job))

    def _learn(self, paths: Iterator[str]) -> None:
        unknown = self._catalog.unknown(paths)
        for start in range(0, len(unknown), LOOKUP_PATHS_MAX):
            asked = unknown[start : start + LOOKUP_PATHS_MAX]
            self._catalog.learn(asked, self._client.provenance.lookup(self._run.project, asked))

    def _members(self, jobs: Sequence[Prepared]) -> dict[str, str | Ref]:
        """Return the activities that made files inside of directories recorded as one thing, by the file's path.

        A rule with a `directory()` output makes every file in it, though only the directory is recorded; a later
        job may use one of those files by itself.
        """
        strangers: dict[str, str] = {}
        for prepared in jobs:
            for fact in prepared.job.inputs:
                seen = prepared.observations.get(fact.path)
                if seen is not None and seen.digest is not None and self._catalog.file(path_of(fact)) is None:
                    strangers[fact.path] = seen.digest.sha256
        above = {path: [f"{folder}/" for folder in folders_above(path)] for path in strangers}
        self._learn(folder for folders in above.values() for folder in folders)
        made: dict[str, str | Ref] = {}
        for path, sha256 in strangers.items():
            for folder in above[path]:
                held = self._catalog.file(folder)
                if held is None or held.activity_id is None:
                    continue
                if (path[len(folder) :], sha256) in self._manifest(folder, held):
                    made[path] = held.activity_id
        return made

    def _manifest(self, path: str, held: Held) -> frozenset[tuple[str, str]]:
        """Return path below it and sha256 of every file in the current version of a directory."""
        known = self._manifests.get(path)
        if known is None or known[0] != held.sha256:
            try:
                content = self._client.files.download(str(held.file_handle_id))
                members = frozenset((name, digest.sha256) for name, digest in read_manifest(content).files)
            except SnakeprovError:
                members = frozenset()
            known = self._manifests[path] = (held.sha256, members)
        return known[1]

    def _remember_directories(self, jobs: Sequence[Prepared]) -> None:
        for prepared in jobs:
            for fact in prepared.job.outputs:
                seen = prepared.observations.get(fact.path)
                if seen is not None and seen.manifest is not None and seen.digest is not None:
                    members = frozenset((name, digest.sha256) for name, digest in seen.members.items())
                    self._manifests[path_of(fact)] = (seen.digest.sha256, members)

    def _upload(self, plan: Plan) -> int:
        """Store what the plan needs stored; return how many files could not be kept though they should have been."""
        contents: list[Content] = []
        bodies: list[dict[str, Any]] = []
        for upload in plan.uploads:
            if upload.content is not None:
                contents.append(upload.content)
                bodies.append(upload.body)
            elif upload.manifest is not None:
                name, content = upload.manifest
                upload.body["dataFileHandleId"] = self._client.files.upload(
                    content, file_name=name, content_type=DIRECTORY_CONTENT_TYPE
                )
        lost = 0
        for body, stored in zip(bodies, self._client.files.store(contents) if contents else (), strict=True):
            body["dataFileHandleId"] = stored.file_handle_id
            lost += stored.reason is not None
        return lost

    def _count(self, tally: Tally) -> None:
        for name, value in vars(tally).items():
            setattr(self.tally, name, getattr(self.tally, name) + value)


def _paths(job: JobRecord) -> Iterator[str]:
    for fact in (*job.inputs, *job.outputs):
        yield path_of(fact)
    for code in job.code:
        if code.path is not None:
            yield code.path
    if job.conda_env_path is not None:
        yield job.conda_env_path
