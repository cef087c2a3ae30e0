"""Delivering the jobs of one run: look up, assemble, store bytes, send; and what to do when it is refused.

At least once and idempotent: a job that the store already has counts as delivered.

A snakeprov store applies a batch in full or not at all. Synapse takes one request after another, and a delivery may be
interrupted between any two. What holds there when the job is delivered again:

* Folders, inputs and code are found by name and md5, and are not made twice.
* A version is made and linked to its Activity in one request, and the Activity's description names the job. So an
  output that has its version is known again, also when others have made further versions since (the newest 50 that
  have the same md5 are looked at), and the outputs that lack theirs are linked to that same Activity.
* Annotations that are missing are added: to outputs, and to what was recorded because the job read it, which names the
  job in the comment of its version.
* Only an Activity that no version was linked to yet cannot be found again: it stays behind, with nothing linked to it.
* Two deliveries of one job at the same moment (never of one outbox, which is locked) are told apart by etags only.
"""

from __future__ import annotations

import hashlib
import traceback
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any, Final

import msgspec
from msgspec import structs

from snakeprov.client import Client, Content
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
from snakeprov.model.planned import RunPlan
from snakeprov.model.records import JobRecord, RunRecord, StoredJob, StoredRun
from snakeprov.recorder.catalog import Catalog, Explanations, Held
from snakeprov.recorder.circumstances import CONTENT_TYPE, CodeLinks, Environments
from snakeprov.recorder.context import Context, Policy, Prepared, Receipt, RecordedOutput
from snakeprov.recorder.explaining import CacheFillers, Listings, read_paths, unexplained
from snakeprov.recorder.jobtimes import Overlaps
from snakeprov.recorder.observed import not_digested, seen_file, with_changes, with_recorded_paths
from snakeprov.recorder.plan import Plan
from snakeprov.recorder.projects import Projects
from snakeprov.recorder.summary import Tally, explain
from snakeprov.recorder.target import Target, TargetOf

TRIES_MAX: Final = 4
"""Attempts per job when a concurrent writer invalidates its plan."""

LOOKUP_PATHS_MAX: Final = 10_000

REFUSED: Final = (StaleError, ConflictError, NotFoundError, BadRequestError, ForbiddenError)
"""How a store says that it will not take something, now or later."""

_KEPT: Final = (
    "The record is kept, and another version of snakeprov will try it again; please report the fault with the .trace "
    "file in .snakeprov/outbox."
)

_NOT_KEPT: Final = {"unreadable": "cannot be read", "noSpace": "no space left for its bytes"}
"""Why the bytes of a file were not kept, in words, by the reason that the store gives."""

_OUTRUN: Final = (StaleError, ConflictError, NotFoundError)


class Deliverer:
    """Delivers the jobs of one run. Not thread-safe."""

    def __init__(
        self,
        client: Client,
        run: RunRecord,
        *,
        policy: Policy,
        links: CodeLinks,
        catalog: Catalog,
        target_of: TargetOf,
        projects: Projects | None = None,
        patch: bytes | None = None,
    ) -> None:
        """Prepare to deliver jobs of `run`.

        Args:
            client: The store.
            run: The run; `put_run` tells the store of it.
            policy: What the settings say of versions and bytes.
            links: Finds permalinks of code.
            catalog: What is known of the run's project in this store.
            target_of: Chooses what is delivered to.
            projects: Names the run's project in this store; None: its name is as the run says.
            patch: How the code of the run differed from its commit.
        """
        self.tally = Tally()
        self._client = client
        self._run = run
        self._policy = policy
        self._links = links
        self._catalog = catalog
        self._target_of = target_of
        self._projects = projects
        self._run_is_known = False
        self._patch = patch
        self._patch_id: str | None = None
        self._environments = Environments()
        self._stored: dict[str, str] = {}  # file handles of environments, by digest
        self._listings = Listings(client, catalog.held)
        self._overlaps = Overlaps()
        self._changed: frozenset[str] = frozenset()

    @cached_property
    def target(self) -> Target:
        """What is delivered to. Raises RemoteError: the store has to be asked, and does not answer."""
        return self._target_of(self._client)

    @property
    def has_unclean_code(self) -> bool:
        """Whether code ran that git was never told of, though the work tree may be clean."""
        return self._links.has_unclean

    def put_run(self, run: RunRecord) -> None:
        """Make the store know the run as it is now, where it has a place for runs. Raises RemoteError."""
        git = run.git
        if git is not None and self._links.has_unclean:
            # Code that git was never told of ran: the commit alone does not say what was executed.
            git = structs.replace(git, dirty=True)
        project = run.project
        if self._projects is not None:
            project = self._projects.name_of(run, as_taken=self.target.project_name)
        self._run = structs.replace(run, git=git, project=project)
        if self._client.backend.keeps_runs and run.status != "manual":
            stored = msgspec.convert(self._run, StoredRun, from_attributes=True)
            if stored.git is not None:
                git_stored = structs.replace(stored.git, patch_file_handle_id=self._stored_patch())
                stored = structs.replace(stored, git=git_stored)
            self._client.runs.put(stored)
        self._run_is_known = True

    def _stored_patch(self) -> str | None:
        """Return where it is kept how the code of the run differed from its commit; None where it did not."""
        if self._patch is not None and self._patch_id is None:
            name = f"{self._run.id[:8]}.patch"
            self._patch_id = self._client.files.upload(self._patch, file_name=name, content_type="text/x-diff")
        return self._patch_id

    def put_plan(self, plan: RunPlan) -> None:
        """Make the store know the DAG of the run, where it has a place for it. Raises RemoteError."""
        if not self._run_is_known:
            self.put_run(self._run)
        if self._client.backend.keeps_runs:
            self._client.runs.put_plan(plan)

    def deliver(self, jobs: Sequence[Prepared]) -> list[Receipt]:
        """Deliver jobs, in their order; return what became of each.

        Raises:
            RemoteError: The store is not able to answer now; some of the jobs may have been delivered, and
                delivering them again does no harm.
        """
        if not jobs:
            return []
        if not self._run_is_known:
            self.put_run(self._run)
        jobs = [self._completed(one) for one in jobs]
        if self._refusal(jobs) is None:
            return [self._receipt(one) for one in jobs]
        # One job that is refused must not hold up the others.
        return [self._deliver_alone(one) for one in jobs]

    def _receipt(self, prepared: Prepared) -> Receipt:
        """Return what became of a job that was in the plan that was sent last."""
        job = prepared.job
        paths = () if job.step is None else dict.fromkeys(fact.stored_path for fact in job.outputs)
        held = [(path, self._catalog.held(path)) for path in paths]
        outputs = [
            RecordedOutput(path, str(one.entity_id), int(str(one.version_number)), path in self._changed)
            for path, one in held
            if one is not None
        ]
        return Receipt(prepared.number, job.id, outputs=outputs)

    def find_project(self) -> bool:
        """Find out what the run's project is called in the store; return false if it is not there yet.

        Raises:
            RemoteError: The store refused, or is not able to answer now.
        """
        if self._projects is None:
            return True
        name = self._projects.find(self._run, as_taken=self.target.project_name)
        if name is not None:
            self._run = structs.replace(self._run, project=name)
        return name is not None

    def held(self, path: str) -> Held | None:
        """Return the file at a path as last looked up or delivered, or None."""
        return self._catalog.held(path)

    def _completed(self, prepared: Prepared) -> Prepared:
        """Return a job with what was found out about its inputs, code and environment, whose document is stored."""
        observations = prepared.observations
        job = with_recorded_paths(prepared.job, observations)
        missed = not_digested(job, observations)
        job = structs.replace(job, inputs=with_changes(job, observations), incomplete=[*job.incomplete, *missed])
        if self._client.backend.keeps_runs and job.step is None:
            document = self._environments.describe(job, observations, self._run)
            digest = hashlib.sha256(document).hexdigest()
            job = StoredJob(
                **structs.asdict(job),
                environment_digest=digest,
                environment_file_handle_id=self._store(document, digest),
            )
        return replace(prepared, job=job)

    def _store(self, environment: bytes, digest: str) -> str | None:
        """Store the document of an environment, once; return its file handle, None where that is refused."""
        if digest not in self._stored:
            name = f"environment-{digest[:12]}.json"
            try:
                self._stored[digest] = self._client.files.upload(environment, file_name=name, content_type=CONTENT_TYPE)
            except REFUSED:
                return None
        return self._stored[digest]

    def _deliver_alone(self, prepared: Prepared) -> Receipt:
        """Deliver one job, again if others changed what its plan was made from."""
        error: Exception | None = None
        for _ in range(TRIES_MAX):
            error = self._refusal([prepared])
            if error is None or self._is_known(prepared.job):
                return self._receipt(prepared)
            if not isinstance(error, _OUTRUN):
                break
        assert error is not None  # noqa: S101  it was tried at least once
        return self._receipt_of(prepared, error)

    def _receipt_of(self, prepared: Prepared, error: Exception) -> Receipt:
        """Return what became of a job whose delivery ended with `error`: why it was refused, or where we failed."""
        number, job_id = prepared.number, prepared.job.id
        if isinstance(error, SnakeprovError):
            reason = f"{explain(error)} {self.target.remedy(error)}".rstrip()
            return Receipt(number, job_id, reason, error=error)
        reason = f"snakeprov itself failed ({explain(error).rstrip('.')}). {_KEPT}"
        return Receipt(number, job_id, reason, "".join(traceback.format_exception(error)), error)

    def _refusal(self, jobs: Sequence[Prepared]) -> Exception | None:
        """Send jobs; return why they are not delivered, or None. Raises RemoteError if the store cannot answer now."""
        try:
            self._send(jobs)
        except REFUSED as error:
            self._catalog.forget()
            return error
        except RemoteError:
            if not self.target.is_atomic:  # what came before the failure has been done
                self._catalog.forget()
            raise
        except Exception as error:  # a fault of ours: it must not hold up the other jobs
            self._catalog.forget()
            return error
        return None

    def _is_known(self, job: JobRecord) -> bool:
        if not self._client.backend.keeps_runs or job.step is not None:
            return False
        try:
            self._client.jobs.get(job.id)
        except NotFoundError:
            return False
        return True

    def _send(self, jobs: Sequence[Prepared]) -> None:
        self._look_up(jobs)
        permalinks = self._links.permalinks([one for one in jobs if one.job.step is None], self._run)
        if self._links.has_unclean and self._run.git is not None and not self._run.git.dirty:
            self.put_run(self._run)
        for prepared in jobs:
            self._overlaps.note(prepared.job)
        plan, context, tally = self._plan(), self._context(jobs, permalinks=permalinks), Tally()
        for prepared in jobs:
            self.target.assemble(plan, prepared, context, tally, self._catalog)
        self._carry_out(plan, jobs, tally)
        self._remember_directories(jobs)

    def _plan(self) -> Plan:
        return self.target.plan(self._run.project, self._catalog)

    def _context(self, jobs: Sequence[Prepared], **more: Any) -> Context:
        read = read_paths(jobs, self._catalog.held, self.target.identity)
        return Context(
            run=self._run,
            policy=self._policy,
            explanations=self._explanations(jobs),
            directories=self._listings.above(read, self.look_up),
            overlaps=self._overlaps,
            origins=self._origins(jobs),
            **more,
        )

    def _origins(self, jobs: Sequence[Prepared]) -> dict[str, Mapping[str, str]]:
        cached = [one for one in jobs if one.job.status == "cached"] if self._client.backend.keeps_runs else []
        finder = CacheFillers(self._client)
        return {one.job.id: finder.of(one.job, one.observations) for one in cached}

    def _carry_out(self, plan: Plan, jobs: Sequence[Prepared], tally: Tally) -> None:
        held = {sha256: content for one in jobs for sha256, content in one.contents.items()}
        self._upload(plan, held, tally)
        results = self._client.send(plan.requests)
        self._catalog.commit(plan.draft, results)
        self._changed = frozenset(plan.draft.files)
        self._catalog.trim()
        self.tally.merge(tally)

    def _look_up(self, jobs: Sequence[Prepared]) -> None:
        self.look_up(path for prepared in jobs for path in _paths(prepared.job))

    def look_up(self, paths: Iterable[str]) -> None:
        """Ask the store what it holds at these paths, where that is not known yet. Raises RemoteError."""
        unknown = self._catalog.unknown(paths)
        for start in range(0, len(unknown), LOOKUP_PATHS_MAX):
            asked = unknown[start : start + LOOKUP_PATHS_MAX]
            self._catalog.learn(asked, self.target.look_up(self._run.project, asked, self._catalog))

    def _explanations(self, jobs: Sequence[Prepared]) -> Explanations:
        """Return what the store says of bytes that are not simply those of a current version."""
        asked = unexplained(jobs, self._catalog.held, self.target.identity)
        return self.target.explain(self._run.project, asked, self._catalog)

    def _remember_directories(self, jobs: Sequence[Prepared]) -> None:
        for prepared in jobs:
            for fact in prepared.job.outputs:
                file = seen_file(fact, prepared.observations)
                if file.seen.manifest is not None and file.sha256 is not None:
                    members = {name: digest.sha256 for name, digest in file.seen.members.items()}
                    self._listings.remember(file.path, file.sha256, members)

    def _upload(self, plan: Plan, held: Mapping[str, bytes], tally: Tally) -> None:
        """Store what the plan needs stored; count what could not be kept though it should have been.

        Args:
            plan: The plan.
            held: Bytes of files that may be gone by now, by sha256.
            tally: Counted up.
        """
        if plan.uploads and self._policy.upload:
            self.target.prepare_uploads(self._catalog.project_id)
        contents: list[Content] = []
        bodies: list[dict[str, Any]] = []
        for upload in plan.uploads:
            if upload.content is not None:
                contents.append(replace(upload.content, data=held.get(upload.content.digest.sha256)))
                bodies.append(upload.body)
            elif upload.manifest is not None:
                name, content = upload.manifest
                upload.body["dataFileHandleId"] = self._client.files.upload(
                    content, file_name=name, content_type=DIRECTORY_CONTENT_TYPE
                )
        found = self._client.files.store(contents) if contents else []
        for body, wanted, stored in zip(bodies, contents, found, strict=True):
            body["dataFileHandleId"] = stored.file_handle_id
            if stored.reason in ("missing", "changed"):
                tally.gone += 1
            elif stored.reason is not None:
                tally.miss(wanted.path, _NOT_KEPT.get(stored.reason, stored.reason))


def _paths(job: JobRecord) -> Iterator[str]:
    for fact in (*job.inputs, *job.outputs, *(fact for _, fact in job.by_products())):
        yield fact.stored_path
        if fact.kind == "missing":  # it may have been a directory
            yield fact.path + "/"
    for path in (*(code.stored_path for code in job.code), job.environment_path, job.container_path):
        if path is not None:
            yield path
