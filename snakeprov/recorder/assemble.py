"""From a job's record and the digests of its files to the plan that makes a store know it.

Pure: nothing is read or sent here.

What a job's Activity says is decided here; what bytes mean, in `model.meaning`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any, Final, Literal

from snakeprov.client.batch import Ref, Request
from snakeprov.model.activity import Activity, ActivityType
from snakeprov.model.meaning import Current, Past
from snakeprov.model.paths import is_timestamp
from snakeprov.model.provenance import USED_ENTITY, USED_URL
from snakeprov.model.records import FileFact, Fingerprint, JobRecord, ManualStep
from snakeprov.recorder.catalog import Held
from snakeprov.recorder.context import Context
from snakeprov.recorder.jobtimes import began_on, span_of
from snakeprov.recorder.observed import FAILED, GENERATING, NOTHING, OUTRUN, Observation, Observations, SeenFile
from snakeprov.recorder.plan import REPO, Plan
from snakeprov.recorder.summary import Tally
from snakeprov.recorder.versions import Versions

DESCRIPTION_CHARS_MAX: Final = 1000

Outcome = Literal["used", "executed", "generated", "reproduced", "reused", "touched"]


def assemble(plan: Plan, job: JobRecord, observations: Observations, context: Context, tally: Tally) -> None:
    """Add to `plan` what makes a store know `job`: versions read, code, Activity, versions made, the job.

    Of a manual step a store keeps no job, and a step that makes nothing new leaves nothing.

    Args:
        plan: What to add to.
        job: The record.
        observations: What was found of its files.
        context: The run and what goes with it.
        tally: Counted up.
    """
    tally.jobs += 1
    tally.failed += job.status in FAILED
    assembly = Assembly(plan, job, observations, context, tally)
    outputs = assembly.due_outputs()
    if job.step is not None and not outputs:
        return
    assembly.use()
    body: dict[str, Any] = {"job": job, "files": assembly.files}
    if job.kind != "norun" or job.outputs:
        # A rule that only names its inputs, like `all`, does nothing: it is a job, but no Activity.
        activity_id: Ref | None = None
        if not assembly.is_reuse():
            activity_id = assembly.plan_activity()
            body["activityId"] = activity_id
        if job.status == "touched":
            assembly.see_outputs()
        elif job.status in GENERATING:
            assembly.generate(outputs, activity_id)
        if activity_id is not None:
            assembly.leave_by_products(activity_id)
    if job.step is None:
        plan.enqueue(Request("PUT", f"/snakeprov/v1/jobs/{job.id}", body))


class Assembly(Versions):
    """One job on its way into a plan; a store that takes other things has a subclass."""

    def __init__(self, plan: Plan, job: JobRecord, observations: Observations, context: Context, tally: Tally) -> None:
        super().__init__(plan, job, observations, context, tally)
        self.used: list[dict[str, Any]] = []
        self.files: list[dict[str, Any]] = []
        self._seen: set[tuple[str, bool]] = set()
        self._changed: list[FileFact] = []
        self._read: dict[str, str] = {}

    def due_outputs(self, *, but: Collection[str] = ()) -> list[FileFact]:
        """Return the outputs that the job is to make versions of.

        An output of a manual step gets nothing if it has the bytes of the current version and that version has an
        Activity.

        Args:
            but: The paths of those that have their version already.
        """
        outputs = [fact for fact in self._job.outputs if fact.stored_path not in but]
        return outputs if self._job.step is None else [fact for fact in outputs if self.makes(fact)]

    def plan_activity(self) -> Ref:
        """Plan the Activity of the job, which uses what was used so far; return its id."""
        return Ref(self._plan.enqueue(Request("POST", f"{REPO}/activity", self.activity())), "id")

    def activity(self) -> dict[str, Any]:
        """Return the body of the job's Activity."""
        job = self._job
        kind = ActivityType.CODE_EXECUTION if job.step is None else ActivityType.MANUAL
        body: dict[str, Any] = {"name": job.rule, "used": self.used, "activityType": kind.value}
        if job.step is not None and job.step.description:
            body["description"] = job.step.description
        elif job.wildcards:
            text = ", ".join(f"{name}={value}" for name, value in job.wildcards.items())
            body["description"] = text[:DESCRIPTION_CHARS_MAX]
        return body

    def use(self) -> None:
        """Use all that the job read and executed."""
        self.use_inputs()
        self.use_environment()
        self.execute_code()
        self.use_named()

    def use_named(self) -> None:
        """Use what a manual step names by an id or a URL."""
        step = self._job.step or ManualStep()
        for things, executed in ((step.used, False), (step.executed, True)):
            for item in Activity(used=things)["used"]:
                if "url" in item:
                    self.use_url(item["url"], item["name"], executed=executed)
                else:
                    self.used.append({**item, "wasExecuted": executed})

    def use_inputs(self) -> None:
        for fact in self._job.inputs:
            if is_timestamp(fact.path):
                continue  # a workflow that lists a directory comes upon it
            file = self._file(fact)
            is_held = self._plan.held(file.path) is not None
            if fact.kind == "unknown":
                self._use_unknown(file)
            elif file.query is not None and not is_held:
                self.use_url(self._url_of(file.query), file.query)
                self._note("input", file, None, "used")
            elif fact.kind in ("missing", "other") and not is_held:
                self._use_unseen(file)
            elif (before := self._before_change(fact, file)) is not None:
                self._use_changed(fact, file, before)
            else:
                self._use(
                    "input",
                    file,
                    keep="temp" not in fact.flags,
                    fingerprint=fact.fingerprint,
                    while_job=self._job.id if fact.changed_while_reading else None,
                )

    def use_environment(self) -> None:
        job = self._job
        path = job.environment_path
        if job.conda_env_path is not None and path is not None and job.conda_env_path in self._observations:
            self._use("environment", self._other_file(path, job.conda_env_path), keep=True)
        if job.conda_env_url is not None:
            self.use_url(job.conda_env_url, job.conda_env_url)
        image = job.container_path
        if image is not None and image == job.container and self._other_file(image, image).sha256 is not None:
            self._use("environment", self._other_file(image, image), keep=False)
        elif job.container is not None:
            self.use_url(job.container, job.container)

    def execute_code(self) -> None:
        """Use the code that the job executed; of the other Snakefiles of the run only note which versions they were."""
        for code in self._job.code:
            file = self._code_file(code)
            if code.role == "workflow":
                if file is not None:
                    self._note("workflow", file, self._version_seen(file, keep=True), "used")
                continue
            if file is not None:
                self._use("code", file, keep=True)
            url = code.url or self._context.permalinks.get((code.path or "", code.line))
            if url is not None:
                name = code.path or PurePosixPath(url).name
                self.use_url(url, f"{name}:{code.line}" if code.line else name, executed=True)

    def makes(self, fact: FileFact) -> bool:
        """Return whether an output is more than the same bytes that the store knows the origin of."""
        if not self._is_made(fact):
            return False
        file = self._file(fact)
        # Any id will do: who would have written it does not change what it is.
        meaning = self._meaning(file, writer="", always=self._always)
        held = self._plan.held(file.path)
        return not isinstance(meaning, Current) or (held is not None and self._may_adopt(file, held))

    def is_reuse(self) -> bool:
        """Return whether other jobs made all outputs of the job: then it did nothing, and is not an Activity."""
        origins = self._context.origins.get(self._job.id, {})
        return bool(origins) and all(fact.path in origins for fact in self._job.outputs)

    def see_outputs(self) -> None:
        for fact in self._job.outputs:
            if self._is_made(fact):
                file = self._file(fact)
                self._note("output", file, self._version_seen(file, keep=True, fingerprint=fact.fingerprint), "touched")

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
            is_known = fact.kind == "file" and self._file(fact).sha256 is not None
            if is_known and fact.path not in outputs and fact.stored_path not in but:
                self._generate(fact, activity_id, role=role)
        self._tally = results

    def _is_made(self, fact: FileFact) -> bool:
        """Return whether the job made an output: with success it did, even if it was never seen here.

        Snakemake checks that the outputs of a job exist. The process that records may come too late (a `temp()` file
        inside a group), or have no access (a node's own disk, storage without a local copy, a pipe).
        """
        return fact.kind != "missing" or self._job.status == "success" or fact.is_stream

    def _generate(
        self, fact: FileFact, own_id: str | Ref | None, *, role: Literal["output", "log", "benchmark"] = "output"
    ) -> None:
        file = self._file(fact)
        origin = self._context.origins.get(self._job.id, {}).get(fact.path)
        activity_id = origin or own_id
        keep = "temp" not in fact.flags and file.seen.keep
        outcome: Outcome = "generated"
        held = self._plan.held(file.path)
        meaning = self._meaning(file, writer=activity_id, always=self._always)
        if held is None or not isinstance(meaning, Current):
            bytes_ = self._bytes_of(fact, file, keep=keep)
            held = self._make(file, meaning, bytes_, fingerprint=fact.fingerprint, is_copy=self._is_copy(file))
            self._tally.versions += 1
        elif activity_id is not None and self._may_adopt(file, held):
            # The very bytes were there before anybody saw how they were made, or read them: now it is known.
            held = self._plan.adopt_version(file.path, held, activity_id)
            self._tally.adopted += 1
        else:
            outcome = "reproduced"
            self._tally.reproduced += self._job.status != "cached"
            if held.activity_id is None:
                held = self._plan.note_work(file.path, held)
            if held.bytes_pruned and keep:
                self._plan.keep_again(file.path, held, self._bytes(file, keep=keep))
        if outcome == "generated" and activity_id is not None:
            held = self._describe(file, held, made=True, meaning=meaning)
        self._list(file, held)
        if self._job.status == "cached":
            outcome = "reused"
            self._tally.reused += 1
        self._note(role, file, held, outcome, activity_id=origin)

    def _is_copy(self, file: SeenFile) -> bool:
        """Return whether the job read the bytes that it wrote to a file in another one."""
        digest = file.seen.digest
        return digest is not None and self._read.get(self.identity.of_digest(digest), file.path) != file.path

    def _before_change(self, fact: FileFact, file: SeenFile) -> Observation | None:
        """Return what an input was before it changed while the job ran; None: it did not, or that is not known.

        Bytes that nobody read then are those of the current version where the file looked as that did.
        """
        seen, held = file.seen, self._plan.held(file.path)
        if fact.changed_while_reading is False or seen.digest is None:
            return None
        if any(fact.path == output.path for output in self._job.outputs):
            return None
        current = None if held is None else self.identity.of_held(held)
        before = Observation(problem=OUTRUN) if seen.before is None else Observation(digest=seen.before)
        if self._recorded_before(fact, replace(file, seen=before)) is not None:
            return before
        if seen.before is not None:
            is_there = fact.kind == "file" or current == self.identity.of_digest(seen.before)
            return before if fact.changed_while_reading and is_there else None
        if held is None or held.seen_ns is None or current == self.identity.of_digest(seen.digest):
            return None
        if fact.kind == "file" and current is not None:  # it may have been edited before the job began
            return None
        if fact.kind == "directory" and not fact.changed_while_reading:  # what is in it may have changed long before
            return None
        looked = fact.fingerprint_before or fact.fingerprint
        meaning = self._meaning(replace(file, seen=before), fingerprint=looked)
        return before if isinstance(meaning, Current) else None

    def _recorded_before(self, fact: FileFact, before: SeenFile) -> Past | None:
        """Return the version that an input was before it changed, where what it became was recorded for this job."""
        return None

    def _use_changed(self, fact: FileFact, file: SeenFile, before: Observation) -> None:
        """Use an input as it was when the job began; what it was changed to is the job's work where that can be seen.

        Otherwise it was edited by somebody, while the job ran.
        """
        fingerprint = fact.fingerprint_before if before.digest is None else None
        self._use("input", replace(file, seen=before), keep=False, fingerprint=fingerprint)
        if self._has_changed_it(fact):
            self._changed.append(fact)
        else:
            keep = "temp" not in fact.flags
            self._version_seen(file, keep=keep, fingerprint=fact.fingerprint, while_job=self._job.id)

    def _has_changed_it(self, fact: FileFact) -> bool:
        """Return whether it was the job that changed an input: it was written meanwhile, and no other job names it."""
        job, span, written = self._job, span_of(self._job), fact.fingerprint
        if job.status != "success" or written is None or span is None:
            return False
        if fact.kind == "directory":  # each file in it was made by the job that wrote it
            return False
        if not span.may_have(written.mtime_ns):
            return False
        return not fact.is_shared and not self._context.overlaps.has(job, fact.path)

    def _use(
        self,
        role: str,
        file: SeenFile,
        *,
        keep: bool,
        fingerprint: Fingerprint | None = None,
        while_job: str | None = None,
    ) -> None:
        executed = role == "code"
        held = self._version_seen(file, keep=keep, fingerprint=fingerprint, while_job=while_job)
        self._plan.read(held, began_on(self._job) or self._job.ended_on)
        if file.seen.digest is not None:
            self._read.setdefault(self.identity.of_digest(file.seen.digest), file.path)
        self._note(role, file, held, "executed" if executed else "used")
        if (file.path, executed) not in self._seen:
            self._seen.add((file.path, executed))
            reference = {"targetId": held.entity_id, "targetVersionNumber": held.version_number}
            self.used.append({"concreteType": USED_ENTITY, "wasExecuted": executed, "reference": reference})

    def _use_unseen(self, file: SeenFile) -> None:
        """Use an input that was not there when the job ended: a directory, or something that was never recorded."""
        if self._plan.held(file.local + "/") is not None:
            self._use("input", replace(file, path=file.local + "/"), keep=False)
        else:
            self._note("input", replace(file, path=file.local, seen=NOTHING), None, "used")

    def _use_unknown(self, file: SeenFile) -> None:
        """Use a file whose content at the time of reading is unknown: no version is named."""
        held = self._plan.held(file.path)
        if held is not None and (file.path, False) not in self._seen:
            self._seen.add((file.path, False))
            self.used.append(
                {"concreteType": USED_ENTITY, "wasExecuted": False, "reference": {"targetId": held.entity_id}}
            )
        elif held is None and file.query is not None:
            self.use_url(file.query, file.query)
        self._note("input", replace(file, seen=NOTHING), None, "used")

    def use_url(self, url: str, name: str, *, executed: bool = False) -> None:
        if (url, executed) not in self._seen:
            self._seen.add((url, executed))
            self.used.append({"concreteType": USED_URL, "wasExecuted": executed, "url": url, "name": name})

    def _note(
        self,
        role: str,
        file: SeenFile,
        held: Held | None,
        outcome: Outcome,
        *,
        activity_id: str | None = None,
    ) -> None:
        entry: dict[str, Any] = {"role": role, "path": file.path, "outcome": outcome}
        if held is not None:
            entry |= {"entityId": held.entity_id, "versionNumber": held.version_number}
        if file.sha256 is not None:
            entry["sha256"] = file.sha256
        if activity_id is not None:
            entry["activityId"] = activity_id
        self.files.append(entry)
