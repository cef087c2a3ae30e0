"""From a job's record and the digests of its files to the plan that makes a repository know it.

Must not know: how digests are found or requests are sent. Pure: nothing is read or sent here.

What a job's Activity says is decided here; what bytes mean, in `model.meaning`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import Any, Final, Literal

import msgspec

from snakeprov.client.batch import Ref, Request
from snakeprov.client.files import Content
from snakeprov.model.digest import Digest
from snakeprov.model.meaning import Again, Current, Edited, Id, Meaning
from snakeprov.model.paths import from_storage, to_os
from snakeprov.model.provenance import USED_ENTITY, USED_URL
from snakeprov.model.records import CodeFact, FileFact, Fingerprint, JobRecord, RunRecord
from snakeprov.recorder.annotations import annotation, annotations_of
from snakeprov.recorder.catalog import Held, Listed
from snakeprov.recorder.digesting import GENERATING, Observation, Observations, code_of, key_of, path_of_key
from snakeprov.recorder.overlaps import Overlaps, began_on
from snakeprov.recorder.plan import REPO, Bytes, Plan, Version
from snakeprov.recorder.recognition import BY_SHA256, Explanations, Identity, Recognition
from snakeprov.recorder.summary import Tally

DESCRIPTION_CHARS_MAX: Final = 1000

CLOCK_SLACK_NS: Final = 1_000_000_000
"""A file system may tell when a file was written only to the second."""

_NOTHING: Final = Observation(problem="not looked at")


@dataclass(frozen=True, kw_only=True)
class Policy:
    """What the settings say of versions and bytes.

    Attributes:
        always: Make a version each time a job writes a file, even of the same bytes.
        keep_bytes_max: Files larger than this are recorded without their bytes.
        upload: Whether bytes are kept at all.
    """

    always: bool
    keep_bytes_max: int
    upload: bool = True


@dataclass(frozen=True, kw_only=True)
class Context:
    """What is needed to assemble the jobs of one run, beside the jobs.

    Attributes:
        run: The run.
        policy: What the settings say.
        permalinks: Of code files that are clean at a commit with a remote, by path and line.
        explanations: What the repository says of bytes that were seen.
        directories: Directories that the repository has and that lie above files that were seen, by path.
        overlaps: Which jobs named a file.
        origins: Activities that really made what a cached job has, by id of the job, then path of the output.
        by_hand: Whether the job is a step that somebody did by hand, of which there is no run.
    """

    run: RunRecord
    policy: Policy
    permalinks: Mapping[tuple[str, int | None], str] = field(default_factory=dict)
    explanations: Explanations = field(default_factory=dict)
    directories: Mapping[str, Listed] = field(default_factory=dict)
    overlaps: Overlaps = field(default_factory=Overlaps)
    origins: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    by_hand: bool = False


Outcome = Literal["used", "executed", "generated", "reproduced", "reused", "touched"]


def assemble(plan: Plan, job: JobRecord, observations: Observations, context: Context, tally: Tally) -> None:
    """Add to `plan` what makes a repository know `job`: versions read, code, Activity, versions made, the job.

    Args:
        plan: What to add to.
        job: The record.
        observations: What was found of its files.
        context: The run and what goes with it.
        tally: Counted up.
    """
    assembly = Assembly(plan, job, observations, context, tally)
    assembly.use_inputs()
    assembly.use_environment()
    assembly.execute_code()
    body: dict[str, Any] = {"job": job, "files": assembly.files}
    if job.kind != "norun" or job.outputs:
        # A rule that only names its inputs, like `all`, does nothing: it is a job, but no Activity.
        activity_id: Ref | None = None
        if not assembly.is_reuse():
            activity_id = Ref(plan.add(Request("POST", f"{REPO}/activity", _activity(job, assembly.used))), "id")
            body["activityId"] = activity_id
        if job.status == "touched":
            assembly.see_outputs()
        elif job.status in GENERATING:
            assembly.generate(job.outputs, activity_id)
        if activity_id is not None:
            assembly.leave_by_products(activity_id)
    plan.add(Request("POST", "/snakeprov/v1/jobs", body))
    tally.jobs += 1


def path_of(fact: FileFact) -> str:
    """Return the path under which the repository has a file: that of its storage object where it is one.

    >>> path_of(FileFact(path=".snakemake/storage/s3/bucket/a.csv", storage_query="s3://bucket/a.csv"))
    's3:/bucket/a.csv'
    """
    if fact.storage_query is not None:
        return from_storage(fact.storage_query) or fact.path
    is_directory = fact.kind == "directory" or (fact.kind == "missing" and "directory" in fact.flags)
    return fact.path + "/" if is_directory else fact.path


def code_path_of(code: CodeFact) -> str | None:
    """Return the path under which the repository has a code file, None where there is no file of it.

    >>> code_path_of(CodeFact(role="wrapper", path="/home/ada/.cache/x1/wrapper.py", url="https://host//a/wrapper.py"))
    'https:/host/a/wrapper.py'
    """
    return code.recorded_path or _fetched_path(code.path, code.url)


def environment_path_of(job: JobRecord) -> str | None:
    """Return the path under which the repository has the file of the conda environment of a job, None without one."""
    return job.conda_env_recorded_path or _fetched_path(job.conda_env_path, job.conda_env_url)


def with_recorded_paths(job: JobRecord, observations: Observations) -> JobRecord:
    """Return a job with all its code, of which each file says under which path it is recorded."""

    def recorded(path: str | None, url: str | None) -> str | None:
        seen = observations.get(path or "")
        found = _fetched_path(path, url) if seen is None or seen.recorded_path is None else seen.recorded_path
        return None if found == path else found

    def completed(code: CodeFact) -> CodeFact:
        path = recorded(code.path, code.url)
        return code if path is None else msgspec.structs.replace(code, recorded_path=path)

    return msgspec.structs.replace(
        job,
        code=[completed(code) for code in code_of(job, observations)],
        conda_env_recorded_path=recorded(job.conda_env_path, job.conda_env_url),
    )


def _fetched_path(path: str | None, url: str | None) -> str | None:
    """Return the path of a file; that of its URL where it is a fetched copy, which lies in another folder each time."""
    if url is not None and path is not None:
        return re.sub("/+", "/", url).strip("/") or path
    return path


class Assembly:
    """One job on its way into a plan; a repository that takes other things has a subclass."""

    identity: Identity = BY_SHA256

    def __init__(self, plan: Plan, job: JobRecord, observations: Observations, context: Context, tally: Tally) -> None:
        self.used: list[dict[str, Any]] = []
        self.files: list[dict[str, Any]] = []
        self._plan = plan
        self._job = job
        self._observations = observations
        self._context = context
        self._tally = tally
        self._seen: set[tuple[str, bool]] = set()
        self._changed: list[FileFact] = []
        self._shared_annotations: dict[str, Any] | None = None
        facts = (*job.inputs, *job.outputs)
        self._queries = {fact.path: fact.storage_query for fact in facts if fact.storage_query is not None}
        self._recognition = Recognition(plan, self.identity, context.explanations, context.directories)

    def use_inputs(self) -> None:
        for fact in self._job.inputs:
            if fact.kind == "unknown":
                self._use_unknown(fact)
            elif fact.storage_query is not None and self._plan.file(path_of(fact)) is None:
                self.use_url(self._url_of(fact.storage_query), fact.storage_query)
                self._note("input", fact.path, None, self._sha256(fact.path), "used")
            elif fact.kind in ("missing", "other") and self._plan.file(fact.path) is None:
                self._use_unseen(fact)
            elif self._was_changed(fact):
                self._use_changed(fact)
            else:
                self._use(
                    "input",
                    path_of(fact),
                    key_of(fact),
                    keep="temp" not in fact.flags,
                    fingerprint=fact.fingerprint,
                    while_job=self._job.id if fact.changed_while_reading else None,
                )

    def use_environment(self) -> None:
        job = self._job
        path = environment_path_of(job)
        if job.conda_env_path is not None and path is not None and job.conda_env_path in self._observations:
            self._use("environment", path, job.conda_env_path, keep=True)
        if job.conda_env_url is not None:
            self.use_url(job.conda_env_url, job.conda_env_url)
        image = job.container_path
        if image is not None and image == job.container and self._observed(image).digest is not None:
            self._use("environment", image, image, keep=False)
        elif job.container is not None:
            self.use_url(job.container, job.container)

    def execute_code(self) -> None:
        """Use the code that the job executed; of the other Snakefiles of the run only note which versions they were."""
        for code in self._job.code:
            path = code_path_of(code)
            is_read = code.path is not None and self._observed(code.path).digest is not None
            if code.role == "workflow":
                if is_read and path is not None and code.path is not None:
                    held = self._version_seen(path, code.path, keep=True)
                    self._note("workflow", path, held, self._sha256(code.path), "used")
                continue
            if is_read and path is not None and code.path is not None:
                self._use("code", path, code.path, keep=True)
            url = code.url or self._context.permalinks.get((code.path or "", code.line))
            if url is not None:
                name = code.path or PurePosixPath(url).name
                self.use_url(url, f"{name}:{code.line}" if code.line else name, executed=True)

    def makes(self, fact: FileFact) -> bool:
        """Return whether an output is more than the same bytes that the repository knows the origin of."""
        if not self._is_made(fact):
            return False
        seen = self._observed(fact.path)
        # Any id will do: who would have written it does not change what it is.
        meaning = self._meaning(path_of(fact), seen, writer="", always=self._context.policy.always)
        held = self._plan.file(path_of(fact))
        return not isinstance(meaning, Current) or (held is not None and self._may_adopt(path_of(fact), held, seen))

    def is_reuse(self) -> bool:
        """Return whether all that the job has was made by others: then it was not done, and is no Activity."""
        origins = self._context.origins.get(self._job.id, {})
        return bool(origins) and all(fact.path in origins for fact in self._job.outputs)

    def see_outputs(self) -> None:
        for fact in self._job.outputs:
            if self._is_made(fact):
                held = self._version_seen(path_of(fact), fact.path, keep=True, fingerprint=fact.fingerprint)
                self._note("output", path_of(fact), held, self._sha256(fact.path), "touched")

    def generate(self, outputs: Sequence[FileFact], activity_id: str | Ref | None) -> None:
        for fact in outputs:
            if self._is_made(fact):
                self._generate(fact, activity_id)
        for fact in self._changed:
            self._generate(fact, activity_id)

    def leave_by_products(self, activity_id: str | Ref, *, but: Collection[str] = ()) -> None:
        """Make versions of the logs and the benchmark, also of a job that failed; they are not counted as results.

        Args:
            activity_id: The job's Activity.
            but: The paths of those that have their version already.
        """
        results, self._tally = self._tally, Tally()
        outputs = {fact.path for fact in self._job.outputs}
        for role, fact in self._job.by_products():
            is_known = fact.kind == "file" and self._observed(fact.path).digest is not None
            if is_known and fact.path not in outputs and path_of(fact) not in but:
                self._generate(fact, activity_id, role=role)
        self._tally = results

    def _is_made(self, fact: FileFact) -> bool:
        """Return whether the job made an output: with success it did, even if it was never seen here.

        Snakemake checks that the outputs of a job exist. The process that records may come too late (a `temp()` file
        inside a group), or have no access (a node's own disk, storage without a local copy, a pipe).
        """
        return fact.kind != "missing" or self._job.status == "success" or is_stream(fact)

    def _generate(
        self, fact: FileFact, own_id: str | Ref | None, *, role: Literal["output", "log", "benchmark"] = "output"
    ) -> None:
        path = path_of(fact)
        origin = self._context.origins.get(self._job.id, {}).get(fact.path)
        activity_id = origin or own_id
        seen = self._observed(fact.path)
        sha256 = self._sha256(fact.path)
        keep = "temp" not in fact.flags and seen.keep
        outcome: Outcome = "generated"
        held = self._plan.file(path)
        meaning = self._meaning(path, seen, writer=activity_id, always=self._context.policy.always)
        if held is None or not isinstance(meaning, Current):
            bytes_ = self._bytes_of(path, fact, keep=keep)
            held = self._make(path, meaning, bytes_, seen, fingerprint=fact.fingerprint)
            self._tally.versions += 1
        elif activity_id is not None and self._may_adopt(path, held, seen):
            # The very bytes were there before anybody saw how they were made, or read them: now it is known.
            held = self._plan.adopt_version(path, held, activity_id)
            self._tally.adopted += 1
        else:
            outcome = "reproduced"
            self._tally.reproduced += self._job.status != "cached"
            if held.activity_id is None:
                held = self._plan.note_work(path, held)
            if held.bytes_pruned and keep:
                self._plan.keep_again(path, held, self._bytes(path, fact.path, keep=keep))
        if outcome == "generated" and activity_id is not None:
            held = self._describe(path, held, fact.path, made=True, meaning=meaning)
        self._list(path, held, seen)
        if self._job.status == "cached":
            outcome = "reused"
            self._tally.reused += 1
        self._note(role, path, held, sha256, outcome, activity_id=origin)

    def _may_adopt(self, path: str, held: Held, seen: Observation) -> bool:
        """Return whether the job may have made the current version, of which no maker is known.

        Not if somebody read the version before the job had ended: those bytes came from elsewhere. What was done by
        hand is told afterwards, whenever it was.
        """
        if held.activity_id is not None:
            return False
        reads = [self._recognition.explained(path, seen).first_read, self._plan.first_read(held)]
        known = [one for one in reads if one is not None]
        ended = self._job.ended_on
        return self._context.by_hand or not known or (ended is not None and ended <= min(known))

    def _list(self, path: str, held: Held, seen: Observation) -> None:
        """Take note of what a directory holds that an Activity made."""
        if seen.manifest is not None and held.activity_id is not None:
            members = {name: digest.sha256 for name, digest in seen.members.items()}
            self._plan.directories[path] = Listed(held.past, members, held.made_at)

    def _was_changed(self, fact: FileFact) -> bool:
        """Return whether it is known what an input was before it changed while the job ran, and after."""
        seen = self._observed(key_of(fact))
        if not fact.changed_while_reading or seen.before is None or seen.digest is None:
            return False
        return all(fact.path != output.path for output in self._job.outputs)

    def _use_changed(self, fact: FileFact) -> None:
        """Use an input as it was when the job began; what it was changed to is the job's work where that can be seen.

        Otherwise it was edited by somebody, while the job ran.
        """
        path, key = path_of(fact), key_of(fact)
        seen = self._observed(key)
        before = seen.before
        assert before is not None  # noqa: S101  the caller knows
        bytes_ = Bytes(content=self._content(self._absolute(fact.path), before, keep=False))
        self._use("input", path, key, keep=False, seen=Observation(digest=before), bytes_=bytes_)
        if self._has_changed_it(fact):
            self._changed.append(fact)
        else:
            keep = "temp" not in fact.flags
            self._version_seen(path, key, keep=keep, fingerprint=fact.fingerprint, while_job=self._job.id)

    def _has_changed_it(self, fact: FileFact) -> bool:
        """Return whether it was the job that changed an input: it was written meanwhile, and no other job names it."""
        job, began, written = self._job, began_on(self._job), fact.fingerprint
        if job.status != "success" or written is None or began is None or job.ended_on is None:
            return False
        earliest_ns = began.timestamp() * 1e9 - CLOCK_SLACK_NS
        if not earliest_ns <= written.mtime_ns <= job.ended_on.timestamp() * 1e9:
            return False
        return not fact.is_shared and not self._context.overlaps.has(job, fact.path)

    def _use(
        self,
        role: str,
        path: str,
        observed_as: str,
        *,
        keep: bool,
        fingerprint: Fingerprint | None = None,
        while_job: str | None = None,
        seen: Observation | None = None,
        bytes_: Bytes | None = None,
    ) -> None:
        executed = role == "code"
        held = self._version_seen(
            path, observed_as, keep=keep, fingerprint=fingerprint, while_job=while_job, seen=seen, bytes_=bytes_
        )
        self._plan.read(held, began_on(self._job) or self._job.ended_on)
        digest = (seen or self._observed(observed_as)).digest
        self._note(role, path, held, digest.sha256 if digest else None, "executed" if executed else "used")
        if (path, executed) not in self._seen:
            self._seen.add((path, executed))
            reference = {"targetId": held.entity_id, "targetVersionNumber": held.version_number}
            self.used.append({"concreteType": USED_ENTITY, "wasExecuted": executed, "reference": reference})

    def _use_unseen(self, fact: FileFact) -> None:
        """Use an input that was not there when the job ended: a directory, or something that was never recorded."""
        if self._plan.file(fact.path + "/") is not None:
            self._use("input", fact.path + "/", key_of(fact), keep=False)
        else:
            self._note("input", fact.path, None, None, "used")

    def _use_unknown(self, fact: FileFact) -> None:
        """Use a file of which it is not known what was in it when it was read: no version is named."""
        path = path_of(fact)
        held = self._plan.file(path)
        if held is not None and (path, False) not in self._seen:
            self._seen.add((path, False))
            self.used.append(
                {"concreteType": USED_ENTITY, "wasExecuted": False, "reference": {"targetId": held.entity_id}}
            )
        elif held is None and fact.storage_query is not None:
            self.use_url(fact.storage_query, fact.storage_query)
        self._note("input", path, None, None, "used")

    def _version_seen(
        self,
        path: str,
        observed_as: str,
        *,
        keep: bool,
        fingerprint: Fingerprint | None = None,
        while_job: str | None = None,
        seen: Observation | None = None,
        bytes_: Bytes | None = None,
    ) -> Held:
        """Return the version whose bytes were seen at `path`, planned if the repository does not hold it yet.

        Args:
            path: Under which the repository has it.
            observed_as: Key of what was found of it.
            keep: Whether to keep its bytes.
            fingerprint: Of the file.
            while_job: The job that ran while it changed.
            seen: What was found of it, where that is not what its key gives.
            bytes_: What its version consists of, where that is not what its key gives.
        """
        seen = seen or self._observed(observed_as)
        meaning = self._meaning(path, seen, fingerprint=fingerprint)
        held = self._plan.file(path)
        if held is not None and isinstance(meaning, Current):
            return held
        if isinstance(meaning, Edited):
            self._tally.edit(path)
        elif isinstance(meaning, Again):
            self._tally.put_back += meaning.activity_id == meaning.of.activity_id
        size_bytes = fingerprint.size_bytes if fingerprint is not None else None
        bytes_ = bytes_ or self._bytes(path, observed_as, keep=keep, size_bytes=size_bytes)
        held = self._make(path, meaning, bytes_, seen, fingerprint=fingerprint, while_job=while_job)
        self._list(path, held, seen)
        return self._describe(path, held, observed_as, made=False, meaning=meaning)

    def _make(
        self,
        path: str,
        meaning: Meaning,
        bytes_: Bytes,
        seen: Observation,
        *,
        fingerprint: Fingerprint | None = None,
        while_job: str | None = None,
    ) -> Held:
        """Plan the next version of a file, with what its bytes mean."""
        assert not isinstance(meaning, Current)  # noqa: S101  there is no version without bytes of its own
        return self._plan.make(
            path,
            Version(
                bytes=bytes_,
                meaning=meaning,
                content=None if seen.digest is None else self.identity.of_digest(seen.digest),
                sha256=None if seen.digest is None else seen.digest.sha256,
                size_bytes=seen.digest.size_bytes if seen.digest is not None else bytes_.size_bytes,
                seen_ns=None if fingerprint is None else fingerprint.mtime_ns,
                while_job=while_job,
            ),
        )

    def _meaning(
        self,
        path: str,
        seen: Observation,
        *,
        writer: Id | None = None,
        fingerprint: Fingerprint | None = None,
        always: bool = False,
    ) -> Meaning:
        return self._recognition.meaning(path, seen, writer=writer, fingerprint=fingerprint, always=always)

    def _describe(self, path: str, held: Held, observed_as: str, *, made: bool, meaning: Meaning | None = None) -> Held:
        """Plan the annotations of a version that is new, or whose origin is.

        Args:
            path: Of the file.
            held: The version.
            observed_as: Key of what was found of it.
            made: Whether this job made it.
            meaning: What the bytes of a new version mean.
        """
        if not made and not isinstance(meaning, Again | Edited):
            return held
        # A version takes the annotations of the one before along, which say how that was made.
        return self._plan.annotate(path, held, self._annotations(self._sha256(observed_as), made=made))

    def use_url(self, url: str, name: str, *, executed: bool = False) -> None:
        if (url, executed) not in self._seen:
            self._seen.add((url, executed))
            self.used.append({"concreteType": USED_URL, "wasExecuted": executed, "url": url, "name": name})

    def _note(
        self,
        role: str,
        path: str,
        held: Held | None,
        sha256: str | None,
        outcome: Outcome,
        *,
        activity_id: str | None = None,
    ) -> None:
        entry: dict[str, Any] = {"role": role, "path": path, "outcome": outcome}
        if held is not None:
            entry |= {"entityId": held.entity_id, "versionNumber": held.version_number}
        if sha256 is not None:
            entry["sha256"] = sha256
        if activity_id is not None:
            entry["activityId"] = activity_id
        self.files.append(entry)

    def _bytes_of(self, path: str, fact: FileFact, *, keep: bool) -> Bytes:
        """Return what a version of an output consists of; of one that was never seen, it is only known where it was."""
        if fact.kind == "missing" or is_stream(fact):
            return Bytes(external_url=self._url_of(fact.storage_query or fact.path))
        return self._bytes(path, fact.path, keep=keep)

    def _bytes(self, path: str, observed_as: str, *, keep: bool, size_bytes: int | None = None) -> Bytes:
        seen = self._observed(observed_as)
        query = self._queries.get(path_of_key(observed_as))
        absolute = self._absolute(path_of_key(observed_as))
        name = path.rstrip("/").rsplit("/", 1)[-1]
        if seen.digest is None:
            self._tally.miss(path_of_key(observed_as))
            return Bytes(external_url=self._url_of(query or path_of_key(observed_as)), size_bytes=size_bytes)
        if seen.manifest is None:
            content = self._content(absolute, seen.digest, keep=keep)
            content = content if query is None else replace(content, url=self._url_of(query))
            return Bytes(content=content, mode=seen.mode)
        members = [self._content(f"{absolute}/{name}", digest, keep=True) for name, digest in seen.members.items()]
        return Bytes(manifest=(name, seen.manifest), members=[one for one in members if keep and one.keep])

    def _absolute(self, path: str) -> str:
        return path if path.startswith("/") else f"{self._context.run.working_directory.rstrip('/')}/{path}"

    def _url_of(self, query: str) -> str:
        """Return the URL of a storage object; the query of one in a file system can be a path."""
        return query if "://" in query else PurePosixPath(to_os(self._absolute(query))).as_uri()

    def _content(self, absolute: str, digest: Digest, *, keep: bool) -> Content:
        if digest.size_bytes > self._context.policy.keep_bytes_max:
            self._tally.without_bytes += keep
            keep = False
        keep = keep and self._context.policy.upload
        name = absolute.rsplit("/", 1)[-1]
        return Content(path=absolute, file_name=name, digest=digest, keep=keep)

    def _annotations(self, sha256: str | None, *, made: bool) -> msgspec.Raw:
        annotations = self._annotations_of_job() if made else {}
        if sha256 is not None:
            annotations = annotations | {"snakeprov.sha256": annotation(sha256)}
        return msgspec.Raw(msgspec.json.encode(annotations))

    def _annotations_of_job(self) -> dict[str, Any]:
        """Return what Synapse's users may want to search a version by, in `annotations2` form."""
        if self._shared_annotations is None:
            is_run = not self._context.by_hand
            self._shared_annotations = annotations_of(self._job, self._context.run) if is_run else {}
        return self._shared_annotations

    def _observed(self, path: str) -> Observation:
        return self._observations.get(path, _NOTHING)

    def _sha256(self, path: str) -> str | None:
        digest = self._observed(path).digest
        return digest.sha256 if digest else None


def is_stream(fact: FileFact) -> bool:
    """Return whether the bytes went by without lying anywhere: what is known is who made them and who used them."""
    return "pipe" in fact.flags or "service" in fact.flags


def _activity(job: JobRecord, used: list[dict[str, Any]]) -> dict[str, Any]:
    body: dict[str, Any] = {"name": job.rule, "used": used, "activityType": "CODE_EXECUTION"}
    if job.wildcards:
        text = ", ".join(f"{name}={value}" for name, value in job.wildcards.items())
        body["description"] = text[:DESCRIPTION_CHARS_MAX]
    return body
