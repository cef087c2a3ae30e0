"""From a job's record and the digests of its files to the plan that makes a repository know it.

Must not know: how digests are found or requests are sent. Pure: nothing is read or sent here.

What a job's Activity says, and when bytes make a new version, is decided here and nowhere else.
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
from snakeprov.model.paths import from_storage, to_os
from snakeprov.model.provenance import USED_ENTITY, USED_URL
from snakeprov.model.records import CodeFact, FileFact, JobRecord, RunRecord
from snakeprov.recorder.catalog import Held
from snakeprov.recorder.digesting import GENERATING, Observation, Observations, key_of, path_of_key
from snakeprov.recorder.plan import REPO, Bytes, Plan
from snakeprov.recorder.summary import Tally

ANNOTATION_CHARS_MAX: Final = 500
ANNOTATION_KEY_CHARS_MAX: Final = 256
ANNOTATIONS_MAX: Final = 90
DESCRIPTION_CHARS_MAX: Final = 1000

_ANNOTATION_KEY: Final = re.compile(r"[^A-Za-z0-9_.]")
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
        members: Activities that generated directories known to hold a file, by the file's path.
        origins: Activities that really made what a cached job has, by id of the job, then path of the output.
        by_hand: Whether the job is a step that somebody did by hand, of which there is no run.
    """

    run: RunRecord
    policy: Policy
    permalinks: Mapping[tuple[str, int | None], str] = field(default_factory=dict)
    members: Mapping[str, str | Ref] = field(default_factory=dict)
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
    return _fetched_path(code.path, code.url)


def environment_path_of(job: JobRecord) -> str | None:
    """Return the path under which the repository has the file of the conda environment of a job, None without one."""
    return _fetched_path(job.conda_env_path, job.conda_env_url)


def _fetched_path(path: str | None, url: str | None) -> str | None:
    """Return the path of a file; that of its URL where it is a fetched copy, which lies in another folder each time."""
    if url is not None and path is not None:
        return re.sub("/+", "/", url).strip("/") or path
    return path


class Assembly:
    """One job on its way into a plan; a repository that takes other things has a subclass."""

    def __init__(self, plan: Plan, job: JobRecord, observations: Observations, context: Context, tally: Tally) -> None:
        self.used: list[dict[str, Any]] = []
        self.files: list[dict[str, Any]] = []
        self._plan = plan
        self._job = job
        self._observations = observations
        self._context = context
        self._tally = tally
        self._seen: set[tuple[str, bool]] = set()
        self._shared_annotations: dict[str, Any] | None = None
        facts = (*job.inputs, *job.outputs)
        self._queries = {fact.path: fact.storage_query for fact in facts if fact.storage_query is not None}

    def use_inputs(self) -> None:
        for fact in self._job.inputs:
            if fact.kind == "unknown":
                self._use_unknown(fact)
            elif fact.storage_query is not None and self._plan.file(path_of(fact)) is None:
                self.use_url(self._url_of(fact.storage_query), fact.storage_query)
                self._note("input", fact.path, None, self._sha256(fact.path), "used")
            elif fact.kind in ("missing", "other") and self._plan.file(fact.path) is None:
                self._use_unseen(fact)
            else:
                self._use("input", path_of(fact), key_of(fact), keep="temp" not in fact.flags)

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
        held = self._plan.file(path_of(fact))
        return (
            held is None
            or held.activity_id is None
            or self._context.policy.always
            or not self._is_same(held, fact.path)
        )

    def is_reuse(self) -> bool:
        """Return whether all that the job has was made by others: then it was not done, and is no Activity."""
        origins = self._context.origins.get(self._job.id, {})
        return bool(origins) and all(fact.path in origins for fact in self._job.outputs)

    def see_outputs(self) -> None:
        for fact in self._job.outputs:
            if self._is_made(fact):
                held = self._version_seen(path_of(fact), fact.path, keep=True)
                self._note("output", path_of(fact), held, self._sha256(fact.path), "touched")

    def generate(self, outputs: Sequence[FileFact], activity_id: str | Ref | None) -> None:
        for fact in outputs:
            if self._is_made(fact):
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
        sha256 = self._sha256(fact.path)
        held = self._plan.file(path)
        keep = "temp" not in fact.flags and self._observed(fact.path).keep
        outcome: Outcome = "generated"
        if held is None:
            bytes_ = self._bytes_of(path, fact, keep=keep)
            held = self._plan.create_file(path, bytes_, sha256=sha256, generated_by=activity_id)
            self._tally.versions += 1
        elif self._context.policy.always or not self._is_same(held, fact.path):
            bytes_ = self._bytes_of(path, fact, keep=keep)
            held = self._plan.add_version(path, held, bytes_, sha256=sha256, generated_by=activity_id)
            self._tally.versions += 1
        elif held.activity_id is None and activity_id is not None:
            # The very bytes were there before anybody saw how they were made: now it is known.
            held = self._plan.adopt_version(path, held, activity_id)
            self._tally.adopted += 1
        else:
            outcome = "reproduced"
            self._tally.reproduced += self._job.status != "cached"
            if held.bytes_pruned and keep:
                self._plan.keep_again(path, held, self._bytes(path, fact.path, keep=keep))
        if outcome == "generated" and activity_id is not None:
            held = self._describe(path, held, fact.path, made=True)
            for name, digest in self._observed(fact.path).members.items():
                self._plan.makers[path + name, digest.sha256] = activity_id
        if self._job.status == "cached":
            outcome = "reused"
            self._tally.reused += 1
        self._note(role, path, held, sha256, outcome, activity_id=origin)

    def _use(self, role: str, path: str, observed_as: str, *, keep: bool) -> None:
        executed = role == "code"
        held = self._version_seen(path, observed_as, keep=keep)
        self._note(role, path, held, self._sha256(observed_as), "executed" if executed else "used")
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

    def _version_seen(self, path: str, observed_as: str, *, keep: bool) -> Held:
        """Return the version whose bytes were seen at `path`, planned if the repository does not hold it yet."""
        held = self._plan.file(path)
        sha256 = self._sha256(observed_as)
        if held is not None and (sha256 is None or self._is_same(held, observed_as)):
            return held
        bytes_ = self._bytes(path, observed_as, keep=keep)
        if held is not None:
            held = self._plan.add_version(path, held, bytes_, sha256=sha256, generated_by=None)
        else:
            maker = self._plan.makers.get((path, sha256 or "")) or self._context.members.get(path)
            held = self._plan.create_file(path, bytes_, sha256=sha256, generated_by=maker)
        return self._describe(path, held, observed_as, made=False)

    def _is_same(self, held: Held, observed_as: str) -> bool:
        """Return whether the current version has the bytes that were seen."""
        sha256 = self._sha256(observed_as)
        return sha256 is not None and held.sha256 == sha256

    def _describe(self, path: str, held: Held, observed_as: str, *, made: bool) -> Held:
        """Plan the annotations of a version that is new, or whose origin is; `made`: by this job."""
        return self._plan.annotate(path, held, self._annotations(self._sha256(observed_as))) if made else held

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

    def _bytes(self, path: str, observed_as: str, *, keep: bool) -> Bytes:
        seen = self._observed(observed_as)
        query = self._queries.get(path_of_key(observed_as))
        absolute = self._absolute(path_of_key(observed_as))
        name = path.rstrip("/").rsplit("/", 1)[-1]
        if seen.digest is None:
            self._tally.unread += 1
            return Bytes(external_url=self._url_of(query or path_of_key(observed_as)))
        if seen.manifest is None or not self._context.policy.upload:
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

    def _annotations(self, sha256: str | None) -> msgspec.Raw:
        annotations = self._annotations_of_job()
        if sha256 is not None:
            annotations = annotations | {"snakeprov.sha256": annotation(sha256)}
        return msgspec.Raw(msgspec.json.encode(annotations))

    def _annotations_of_job(self) -> dict[str, Any]:
        """Return what Synapse's users may want to search a version by, in `annotations2` form."""
        job, run = self._job, self._context.run
        if self._shared_annotations is None:
            values: dict[str, Any] = {"rule": job.rule, "run": run.id}
            if run.git is not None and run.git.commit is not None:
                values["commit"] = run.git.commit + ("+dirty" if run.git.dirty else "")
            values |= {f"wildcard.{name}": value for name, value in job.wildcards.items()}
            values |= {f"param.{name}": value for name, value in job.params.items()}
            named = ((_ANNOTATION_KEY.sub("_", name), annotation(value)) for name, value in values.items())
            known = [
                (f"snakeprov.{name}"[:ANNOTATION_KEY_CHARS_MAX], value) for name, value in named if value is not None
            ]
            self._shared_annotations = {} if self._context.by_hand else dict(known[:ANNOTATIONS_MAX])
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


def annotation(value: Any) -> dict[str, Any] | None:
    """Return `value` in `annotations2` form, or None where there is no such form."""
    match value:
        case bool():
            return {"type": "BOOLEAN", "value": [str(value).lower()]}
        case int() if -(2**63) <= value < 2**63:
            return {"type": "LONG", "value": [str(value)]}
        case float():
            return {"type": "DOUBLE", "value": [repr(value)]}
        case str() if value:
            return {"type": "STRING", "value": [value[:ANNOTATION_CHARS_MAX]]}
        case _:
            return None
