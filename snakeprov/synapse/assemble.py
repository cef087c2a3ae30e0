"""Plan the delivery of a job's record to Synapse, which has no jobs and runs and accepts fewer things.

Pure: nothing is read or sent here.

Unlike in a snakeprov store, the description of an Activity names the job, by which the versions that it made are
recognised; contents are equal if their md5 is; what Synapse has no place for is left out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Any, Final

import msgspec

from snakeprov.client.batch import Ref
from snakeprov.client.files import Content
from snakeprov.model.annotations import AnnotationsValue, annotation
from snakeprov.model.digest import Digest
from snakeprov.model.meaning import Edited, Id, Meaning, Past
from snakeprov.model.provenance import USED_ENTITY
from snakeprov.model.records import FileFact, Fingerprint, JobRecord
from snakeprov.recorder.assemble import Assembly, Outcome
from snakeprov.recorder.catalog import Held
from snakeprov.recorder.context import Context
from snakeprov.recorder.observed import FAILED, GENERATING, Observation, Observations, SeenFile
from snakeprov.recorder.plan import Bytes, Plan, is_work_by, pointing
from snakeprov.recorder.summary import Tally
from snakeprov.recorder.versions import ANNOTATIONS_MAX
from snakeprov.synapse import rules
from snakeprov.synapse.jobmark import mark
from snakeprov.synapse.names import to_synapse_name
from snakeprov.synapse.version import BY_MD5, SynapseVersion, noted_of

_OTHERS: Final = "-"
"""Stands for the md5 of a version that was replaced since it had other bytes; which ones does not matter."""


@dataclass(frozen=True)
class Done:
    """What an earlier attempt to deliver a job has brought about.

    Attributes:
        activity_id: Its Activity.
        paths: Its outputs that have their version.
    """

    activity_id: str
    paths: set[str] = field(default_factory=set)


def assemble_for_synapse(
    plan: Plan, job: JobRecord, observations: Observations, context: Context, tally: Tally, *, done: Done | None
) -> None:
    """Add to `plan` what makes Synapse know `job`, as far as that is not `done`.

    A job that makes no version, because it failed or wrote the same bytes again, leaves nothing in Synapse.

    Args:
        plan: What to add to.
        job: The record.
        observations: What was found of its files.
        context: The run and what goes with it.
        tally: Counted up.
        done: What an earlier attempt has brought about.
    """
    tally.jobs += 1
    tally.failed += job.status in FAILED
    if job.status not in GENERATING:
        return
    assembly = SynapseAssembly(plan, job, observations, context, tally)
    finished: set[str] = set() if done is None else done.paths
    assembly.finish(finished)
    if job.status == "touched":
        assembly.see_outputs()
        return
    outputs = assembly.due_outputs(but=finished)
    has_changed = done is not None and assembly.find_changed()
    if not has_changed and not any(assembly.makes(fact) for fact in outputs):
        tally.reproduced += sum(fact.kind != "missing" for fact in outputs)
        return
    activity_id: str | Ref
    if done is None:
        assembly.use()
        activity_id = assembly.plan_activity()
    else:
        activity_id = done.activity_id
    assembly.generate(outputs, activity_id)
    assembly.leave_by_products(activity_id, but=finished)


class SynapseAssembly(Assembly):
    """One job on its way into a plan for Synapse."""

    identity = BY_MD5

    def __init__(self, plan: Plan, job: JobRecord, observations: Observations, context: Context, tally: Tally) -> None:
        super().__init__(plan, job, observations, context, tally)
        self._described: dict[str, str] = {}

    def finish(self, paths: set[str]) -> None:
        """Plan the annotations of outputs that have their version and lack them."""
        for fact in (*self._job.outputs, *(fact for _, fact in self._job.by_products())):
            file = self._file(fact)
            held = self._plan.held(file.path)
            noted = noted_of(held)
            if held is None or file.path not in paths or noted is None:
                continue
            if noted.job_id == self._job.id and not noted.is_annotated:
                meaning = self._meaning_then(file, held, writer=held.activity_id)
                self._describe(file, held, made=True, meaning=meaning)

    def find_changed(self) -> bool:
        """Find the inputs that the job has changed, where all were used already; return whether there are any."""
        for fact in self._job.inputs:
            if self._before_change(fact, self._file(fact)) is not None and self._has_changed_it(fact):
                self._changed.append(fact)
        return bool(self._changed)

    def _version_seen(
        self,
        file: SeenFile,
        *,
        keep: bool,
        fingerprint: Fingerprint | None = None,
        while_job: str | None = None,
    ) -> Held:
        """Return the version whose bytes were seen; one that an earlier attempt made gets the annotations it lacks."""
        held = super()._version_seen(file, keep=keep, fingerprint=fingerprint, while_job=while_job)
        noted = noted_of(held)
        if noted is None or not noted.lacks_marks or noted.read_for != self._job.id:
            return held
        meaning = self._meaning_then(file, held)
        held = replace(held, is_work=is_work_by(meaning))
        return self._describe(file, held, made=False, meaning=meaning, while_job=while_job)

    def _use_changed(self, fact: FileFact, file: SeenFile, before: Observation) -> None:
        """Use an input as it was before it changed; an earlier attempt may have recorded already what it became."""
        past = self._recorded_before(fact, replace(file, seen=before))
        if past is None:
            super()._use_changed(fact, file, before)
            return
        reference = {"targetId": past.entity_id, "targetVersionNumber": past.version_number}
        self.used.append({"concreteType": USED_ENTITY, "wasExecuted": False, "reference": reference})
        if not self._has_changed_it(fact):
            keep = "temp" not in fact.flags
            self._version_seen(file, keep=keep, fingerprint=fact.fingerprint, while_job=self._job.id)

    def _recorded_before(self, fact: FileFact, before: SeenFile) -> Past | None:
        noted = noted_of(self._plan.held(before.path))
        if noted is None or self._job.id not in (noted.read_for, noted.job_id):
            return None
        if before.seen.digest is not None:
            return self._recognition.explained(before.path, before.seen).earlier
        was_known = noted.before is not None and noted.before.is_read
        # What was found changed after a version whose bytes are known was recorded as edited, and used as it is.
        return None if fact.kind == "file" and was_known and noted.job_id is None else noted.before

    def _meaning_then(self, file: SeenFile, held: Held, *, writer: Id | None = None) -> Meaning:
        """Return what the bytes of the current version of a file meant when it was made."""
        noted = noted_of(held)
        if noted is None or noted.before is None:
            return self._recognition.meaning_after(None, file.path, file.seen, writer=writer)
        past = noted.before
        before = replace(
            held,
            version_number=past.version_number,
            activity_id=past.activity_id,
            is_work=past.is_work,
            sha256=None,
            noted=SynapseVersion(md5=_OTHERS if past.is_read else None),
        )
        return self._recognition.meaning_after(before, file.path, file.seen, writer=writer)

    def _comment(self) -> str | None:
        """Return by what a version is known again whose annotations are sent after it."""
        return f"read by {mark(self._job.id, self._job.run_id)}"

    def activity(self) -> dict[str, Any]:
        """Return the body of the job's Activity."""
        description = None if self._job.step is None else self._job.step.description
        return {
            "name": self._job.rule,
            "used": self.used,
            "description": rules.describe(self._job, self._described, description),
        }

    def execute_code(self) -> None:
        for code in self._job.code:
            if code.role == "workflow":
                continue
            url = code.url or self._context.permalinks.get((code.path or "", code.line))
            if url is not None:
                name = code.path or url.rsplit("/", 1)[-1]
                self.use_url(url, f"{name}:{code.line}" if code.line else name, executed=True)
            elif (file := self._code_file(code)) is not None:
                self._use("code", file, keep=True)

    def use_url(self, url: str, name: str, *, executed: bool = False) -> None:
        if rules.takes_url(url):
            super().use_url(url, name, executed=executed)
            return
        what = " as code" if executed else ""
        for fact in self._job.inputs:
            file = self._file(fact)
            if file.query is not None and self._url_of(file.query) == url and file.sha256 is not None:
                what = f" (sha256 {file.sha256})"
        self._described.setdefault(url, what)

    def _note(
        self,
        role: str,
        file: SeenFile,
        held: Held | None,
        outcome: Outcome,
        *,
        activity_id: str | None = None,
    ) -> None:
        """Do nothing: Synapse has no place for it."""

    def _describe(
        self,
        file: SeenFile,
        held: Held,
        *,
        made: bool,
        meaning: Meaning | None = None,
        while_job: str | None = None,
    ) -> Held:
        """Plan the annotations of a version: its provenance, merged with annotations that others set."""
        before = noted_of(held) or SynapseVersion()
        digest = file.seen.digest
        ours: dict[str, Any] = {"path": file.path}
        if digest is not None:
            ours |= {"sha256": digest.sha256} | ({} if digest.md5 is None else {"md5": digest.md5})
        if meaning is not None and (said := pointing(meaning)) is not None:
            kind, of = said
            ours |= {"meaning": kind, "meaningOf": f"{of.path or ''}@{self._plan.number_of(of.version_number)}"}
        if isinstance(meaning, Edited) and while_job is not None:
            ours |= {"whileJob": while_job, "whileRule": self._job.rule}
        values = {f"{rules.PREFIX}{name}": annotation(value) for name, value in ours.items()}
        if made:
            values[f"{rules.PREFIX}job"] = annotation(self._job.id)
            values |= {key: _for_java(value) for key, value in self._annotations_of_job().items()}
        room = max(ANNOTATIONS_MAX - len(before.annotations), len(ours) + 1)
        kept = dict(list(values.items())[: min(room, rules.ANNOTATIONS_MAX - len(before.annotations))])
        held = self._plan.annotate(file.path, held, msgspec.Raw(msgspec.json.encode({**before.annotations, **kept})))
        held = replace(
            held,
            noted=replace(
                before,
                md5=digest.md5 if digest is not None else None,
                job_id=self._job.id if made else None,
                was_seen=not made,
                is_annotated=True,
                is_read=False,
                lacks_marks=False,
            ),
        )
        self._plan.draft.files[file.path] = held
        return held

    def _bytes(self, file: SeenFile, *, keep: bool, size_bytes: int | None = None) -> Bytes:
        bytes_ = replace(super()._bytes(file, keep=keep, size_bytes=size_bytes), mode=None)
        if bytes_.manifest is None:
            return bytes_
        digest = file.seen.digest
        if digest is not None and not self._context.policy.upload:  # the owner of the project may not accept uploads
            return Bytes(content=self._content(self._absolute(file.local), digest, keep=False))
        # The files in a directory are not entities: Synapse would keep their bytes where nobody finds them.
        name, manifest = bytes_.manifest
        return Bytes(manifest=(to_synapse_name(name), manifest))

    def _content(self, absolute: str, digest: Digest, *, keep: bool) -> Content:
        content = super()._content(absolute, digest, keep=keep)
        # Synapse takes no upload of nothing; the digest says it all.
        keep = content.keep and digest.size_bytes > 0
        return replace(content, file_name=to_synapse_name(content.file_name), keep=keep)


def _for_java(one: AnnotationsValue) -> AnnotationsValue:
    """Return an annotation whose numbers are written as Java reads them."""
    number = float(one.value[0]) if one.type == "DOUBLE" else 0.0
    if math.isnan(number):
        return AnnotationsValue(one.type, ["NaN"])
    return AnnotationsValue(one.type, ["Infinity" if number > 0 else "-Infinity"]) if math.isinf(number) else one
