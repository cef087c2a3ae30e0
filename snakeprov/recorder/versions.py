"""From what was found of a job's files to the versions that they are: known ones, and new ones that are planned.

Pure. What bytes mean is `model.meaning`'s decision; the evidence comes from the plan, the catalog and the store.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Final

import msgspec

from snakeprov.client.files import Content
from snakeprov.model.annotations import AnnotationsValue, annotation
from snakeprov.model.digest import Digest
from snakeprov.model.meaning import Again, Current, Edited, Evidence, Id, Listing, Meaning, Past, meaning_of
from snakeprov.model.paths import folders_above, to_os
from snakeprov.model.records import CodeFact, FileFact, Fingerprint, JobRecord, RunRecord
from snakeprov.recorder.catalog import BY_SHA256, UNEXPLAINED, Explained, Explanations, Held, Identity, Listed
from snakeprov.recorder.context import Context
from snakeprov.recorder.observed import NOTHING, Observation, Observations, SeenFile, seen_file
from snakeprov.recorder.plan import Bytes, Plan, Version
from snakeprov.recorder.summary import Tally

ANNOTATION_KEY_CHARS_MAX: Final = 256
ANNOTATIONS_MAX: Final = 90

_KEY: Final = re.compile(r"[^A-Za-z0-9_.]")


class Recognition:
    """Knows what bytes mean at the point that a plan has come to."""

    def __init__(
        self, plan: Plan, identity: Identity, explanations: Explanations, directories: Mapping[str, Listed]
    ) -> None:
        """Prepare.

        Args:
            plan: What has been planned so far.
            identity: What tells contents apart.
            explanations: What the store says of bytes that were seen.
            directories: Directories that it has, by path.
        """
        self._plan = plan
        self._identity = identity
        self._explanations = explanations
        self._directories = directories

    def meaning(
        self,
        path: str,
        seen: Observation,
        *,
        writer: Id | None = None,
        fingerprint: Fingerprint | None = None,
        always: bool = False,
    ) -> Meaning:
        """Return what bytes mean.

        Args:
            path: Where they were seen.
            seen: What was found of them.
            writer: The Activity that wrote them, where a recorded job did.
            fingerprint: Of the file.
            always: Whether a job makes a version each time.
        """
        return self._meaning(path, seen, self._plan.held(path), writer, fingerprint=fingerprint, always=always)

    def meaning_after(self, before: Held | None, path: str, seen: Observation, *, writer: Id | None = None) -> Meaning:
        """Return what bytes meant when they were recorded, after a version of the path, or as the first one."""
        return self._meaning(path, seen, before, writer)

    def _meaning(
        self,
        path: str,
        seen: Observation,
        held: Held | None,
        writer: Id | None,
        *,
        fingerprint: Fingerprint | None = None,
        always: bool = False,
    ) -> Meaning:
        content = None if seen.digest is None else self._identity.of_digest(seen.digest)
        looks_same = held is not None and _looks_same(held, fingerprint, is_directory=path.endswith("/"))
        if content is None:
            current = None if held is None else self._past(path, held, UNEXPLAINED)
            return meaning_of(Evidence(is_read=False, looks_same=looks_same, writer=writer, current=current))
        is_current = held is not None and self._identity.of_held(held) == content
        if is_current and not always:
            return meaning_of(Evidence(current=self._past(path, held, UNEXPLAINED) if held else None, is_current=True))
        explained = self.explained(path, seen)
        return meaning_of(
            Evidence(
                looks_same=looks_same,
                writer=writer,
                current=None if held is None else self._past(path, held, explained),
                is_current=is_current,
                earlier=self._earlier(path, content) or explained.earlier,
                listing=None if writer is not None or seen.digest is None else self._listing(path, seen.digest, held),
                elsewhere=self._elsewhere(path, content, explained.elsewhere),
                size_bytes=size_of(seen),
                always=always,
            )
        )

    def explained(self, path: str, seen: Observation) -> Explained:
        """Return what the store says of bytes seen at a path."""
        if seen.digest is None:
            return UNEXPLAINED
        return self._explanations.get((path, self._identity.of_digest(seen.digest)), UNEXPLAINED)

    def _past(self, path: str, held: Held, explained: Explained) -> Past:
        past = replace(held.past, is_read=self._identity.of_held(held) is not None)
        return past if self._plan.is_planned(path) else replace(past, is_work=past.is_work or explained.is_work)

    def _earlier(self, path: str, content: str) -> Past | None:
        known = self._plan.known(path)
        is_earlier = known is not None and known is not self._plan.held(path)
        before = [(self._identity.of_held(known), known)] if known is not None and is_earlier else []
        for its, held in reversed([*before, *self._plan.made_at(path)]):
            if its == content:
                origin = held.again_of
                return origin if origin is not None and origin.activity_id == held.activity_id else held.past
        return None

    def _listing(self, path: str, digest: Digest, held: Held | None) -> Listing | None:
        """Return what the recorded directories above say of a file: one that has these bytes, else the innermost."""
        found: Listing | None = None
        for folder in reversed(folders_above(path)):
            place = folder + "/"
            listed = self._plan.directories.get(place) or self._directories.get(place)
            recorded = None if listed is None else listed.members.get(path[len(place) :])
            if listed is None or recorded is None:
                continue
            is_newer = held is None or (listed.made_at > held.made_at and recorded != held.sha256)
            listing = Listing(replace(listed.version, path=place), recorded == digest.sha256, is_newer)
            if listing.has_these:
                return listing
            found = found or listing
        return found

    def _elsewhere(self, path: str, content: str, recorded: Past | None) -> Past | None:
        """Return a version of another path that has a content, no copy: the newest that a job made, else the newest."""
        planned = [
            replace(held.past, path=other) for other, held in reversed(self._plan.made_of(content)) if other != path
        ]
        candidates = [*planned, *([recorded] if recorded is not None else [])]
        return next((one for one in candidates if one.activity_id is not None), candidates[0] if candidates else None)


class Versions:
    """The versions of the files of one job; a store that takes other things has a subclass."""

    identity: Identity = BY_SHA256

    def __init__(self, plan: Plan, job: JobRecord, observations: Observations, context: Context, tally: Tally) -> None:
        self._plan = plan
        self._job = job
        self._observations = observations
        self._context = context
        self._tally = tally
        self._always = context.policy.always if job.step is None else job.step.new_version
        self._shared_annotations: dict[str, AnnotationsValue] | None = None
        self._recognition = Recognition(plan, self.identity, context.explanations, context.directories)

    def _file(self, fact: FileFact) -> SeenFile:
        """Return a file that the job read or wrote."""
        return seen_file(fact, self._observations)

    def _other_file(self, path: str, local: str) -> SeenFile:
        """Return another file of the job, which a store has at `path`."""
        return SeenFile(path, local, self._observations.get(local, NOTHING))

    def _code_file(self, code: CodeFact) -> SeenFile | None:
        """Return a file of code; None where there is none, or it could not be read."""
        if code.path is None or code.stored_path is None:
            return None
        file = self._other_file(code.stored_path, code.path)
        return None if file.seen.digest is None else file

    def _version_seen(
        self,
        file: SeenFile,
        *,
        keep: bool,
        fingerprint: Fingerprint | None = None,
        while_job: str | None = None,
    ) -> Held:
        """Return the version whose bytes were seen, planned if the store does not hold it yet.

        Args:
            file: The file.
            keep: Whether to keep its bytes.
            fingerprint: Of the file.
            while_job: The job that ran while it changed.
        """
        meaning = self._meaning(file, fingerprint=fingerprint)
        held = self._plan.held(file.path)
        if held is not None and isinstance(meaning, Current):
            return held
        if isinstance(meaning, Edited):
            self._tally.edit(file.path, None if while_job is None else self._job.rule)
        elif isinstance(meaning, Again):
            self._tally.put_back += meaning.activity_id == meaning.of.activity_id
        size_bytes = fingerprint.size_bytes if fingerprint is not None else None
        bytes_ = self._bytes(file, keep=keep, size_bytes=size_bytes)
        held = self._make(file, meaning, bytes_, fingerprint=fingerprint, while_job=while_job, comment=self._comment())
        self._list(file, held)
        return self._describe(file, held, made=False, meaning=meaning, while_job=while_job)

    def _comment(self) -> str | None:
        """Return what to keep with a version that the job did not make; None where annotations come with it."""
        return None

    def _make(
        self,
        file: SeenFile,
        meaning: Meaning,
        bytes_: Bytes,
        *,
        fingerprint: Fingerprint | None = None,
        while_job: str | None = None,
        is_copy: bool = False,
        comment: str | None = None,
    ) -> Held:
        """Plan the next version of a file, with what its bytes mean."""
        assert not isinstance(meaning, Current)  # noqa: S101  there is no version without bytes of its own
        digest = file.seen.digest
        return self._plan.make(
            file.path,
            Version(
                bytes=bytes_,
                meaning=meaning,
                content=None if digest is None else self.identity.of_digest(digest),
                sha256=file.sha256,
                size_bytes=bytes_.size_bytes if digest is None else digest.size_bytes,
                seen_ns=None if fingerprint is None else fingerprint.mtime_ns,
                while_job=while_job,
                is_copy=is_copy,
                comment=comment,
            ),
        )

    def _meaning(
        self,
        file: SeenFile,
        *,
        writer: Id | None = None,
        fingerprint: Fingerprint | None = None,
        always: bool = False,
    ) -> Meaning:
        return self._recognition.meaning(file.path, file.seen, writer=writer, fingerprint=fingerprint, always=always)

    def _may_adopt(self, file: SeenFile, held: Held) -> bool:
        """Return whether the job may have made the current version, whose maker is unknown.

        Not if somebody read the version before the job had ended: those bytes came from elsewhere. A manual step is
        recorded afterwards, whenever it happened.
        """
        if held.activity_id is not None:
            return False
        reads = [self._recognition.explained(file.path, file.seen).first_read, self._plan.first_read(held)]
        known = [one for one in reads if one is not None]
        ended = self._job.ended_on
        return self._job.step is not None or not known or (ended is not None and ended <= min(known))

    def _list(self, file: SeenFile, held: Held) -> None:
        """Take note of what a directory holds that an Activity made."""
        seen = file.seen
        if seen.manifest is not None and held.activity_id is not None:
            members = {name: digest.sha256 for name, digest in seen.members.items()}
            self._plan.directories[file.path] = Listed(held.past, members, held.made_at)

    def _describe(
        self,
        file: SeenFile,
        held: Held,
        *,
        made: bool,
        meaning: Meaning | None = None,
        while_job: str | None = None,
    ) -> Held:
        """Plan the annotations of a version that is new, or whose origin is.

        Args:
            file: The file.
            held: The version.
            made: Whether this job made it.
            meaning: What the bytes of a new version mean.
            while_job: The job that ran while it changed; a store that takes meanings with versions has it already.
        """
        if not made and not isinstance(meaning, Again | Edited):
            return held
        # A version takes the annotations of the one before along, which say how that was made.
        return self._plan.annotate(file.path, held, self._annotations(file.sha256, made=made))

    def _bytes_of(self, fact: FileFact, file: SeenFile, *, keep: bool) -> Bytes:
        """Return what a version of an output consists of; of one that was never seen, it is only known where it was."""
        if fact.kind == "missing" or fact.is_stream:
            return Bytes(external_url=self._url_of(file.query or file.local))
        seen = fact.fingerprint if fact.kind == "file" else None
        return self._bytes(file, keep=keep, size_bytes=None if seen is None else seen.size_bytes)

    def _bytes(self, file: SeenFile, *, keep: bool, size_bytes: int | None = None) -> Bytes:
        seen, absolute = file.seen, self._absolute(file.local)
        name = file.path.rstrip("/").rsplit("/", 1)[-1]
        if seen.digest is None:
            self._tally.miss(file.local, seen.problem or "not read")
            return Bytes(external_url=self._url_of(file.query or file.local), size_bytes=size_bytes)
        if seen.manifest is None:
            content = self._content(absolute, seen.digest, keep=keep)
            content = content if file.query is None else replace(content, url=self._url_of(file.query))
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
        digest = annotation(sha256)
        if digest is not None:
            annotations = annotations | {"snakeprov.sha256": digest}
        return msgspec.Raw(msgspec.json.encode(annotations))

    def _annotations_of_job(self) -> dict[str, AnnotationsValue]:
        """Return what Synapse's users may want to search a version by, in `annotations2` form."""
        if self._shared_annotations is None:
            is_job = self._job.step is None
            self._shared_annotations = annotations_of(self._job, self._context.run) if is_job else {}
        return self._shared_annotations


def annotations_of(job: JobRecord, run: RunRecord) -> dict[str, AnnotationsValue]:
    """Return the annotations that a job gives to what it made, in `annotations2` form."""
    values: dict[str, object] = {"rule": job.rule, "run": run.id}
    if run.git is not None and run.git.commit is not None:
        values["commit"] = run.git.commit + ("+dirty" if run.git.dirty else "")
    values |= {f"wildcard.{name}": value for name, value in job.wildcards.items()}
    values |= {f"param.{name}": value for name, value in job.params.items()}
    named = ((_KEY.sub("_", name), annotation(value)) for name, value in values.items())
    known = [(f"snakeprov.{name}"[:ANNOTATION_KEY_CHARS_MAX], value) for name, value in named if value is not None]
    return dict(known[:ANNOTATIONS_MAX])


def size_of(seen: Observation) -> int:
    """Return how many bytes were seen; of a directory those of its files, since a manifest is never short."""
    if seen.manifest is not None:
        return sum(digest.size_bytes for digest in seen.members.values())
    return seen.digest.size_bytes if seen.digest is not None else 0


def _looks_same(held: Held, fingerprint: Fingerprint | None, *, is_directory: bool) -> bool:
    """Return whether nothing speaks against a file being the current version still: its size, or when it changed."""
    if fingerprint is None:
        return True
    if not is_directory and held.size_bytes is not None and held.size_bytes != fingerprint.size_bytes:
        return False
    return held.seen_ns is None or fingerprint.mtime_ns <= held.seen_ns
