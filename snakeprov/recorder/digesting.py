"""Finds out what bytes a job read, wrote and ran. Who computes a digest, and when, is this module's secret.

Must not know: what becomes of the digests.
"""

from __future__ import annotations

import os
import re
import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from snakeprov.capture.git.repositories import Repositories
from snakeprov.capture.secrets.names import MARK
from snakeprov.capture.secrets.redactor import Redactor
from snakeprov.disk import files
from snakeprov.disk.digestcache import DigestCache
from snakeprov.disk.sidebyside import SIDE_BY_SIDE_BYTES, side_by_side
from snakeprov.errors import CaptureError, ChangedFileError
from snakeprov.model.digest import Digest
from snakeprov.model.held import Member, before_key, input_key, output_key
from snakeprov.model.manifest import Manifest
from snakeprov.model.paths import to_os, to_text
from snakeprov.model.records import CodeFact, FileFact, Fingerprint, JobRecord
from snakeprov.recorder.directories import Directories, Read, Seen
from snakeprov.recorder.executed import CodeSeeker
from snakeprov.recorder.heldfiles import HeldFiles, OpenFile
from snakeprov.recorder.jobtimes import Span, span_of
from snakeprov.recorder.observed import (
    CODE_KEY,
    GENERATING,
    GONE,
    OUTRUN,
    Observation,
    Observations,
    key_of,
    path_of_key,
)
from snakeprov.recorder.progress import Readings

FILES_REMEMBERED_MAX: Final = 10_000
"""How many digests are remembered for files that may vanish before they are asked for again."""

_NO_BYTES = {
    "missing": "was not there when the job ended",
    "other": "is not a regular file",
    "unknown": "is not known to be what was read",
}

LOG_BYTES_MAX: Final = 256 << 10
"""For a larger log only the digest is recorded."""

_HIDDEN: Final = re.compile(rf"(?<!\*){re.escape(MARK)}(?!\*)".encode())


class _Named(NamedTuple):
    """A file of a job, with the key under which it is held if it is, and whether it is an output."""

    held_key: str
    fact: FileFact
    is_output: bool = False


class Digester:
    """Finds the digests of the files of jobs that ran in one working directory.

    Not thread-safe; reads several large files at a time, by threads of its own.

    Attributes:
        readings: Tells in any thread which large files are being read.
    """

    def __init__(
        self, working_directory: str, cache: DigestCache, *, logs: KeptLogs | None = None, md5: bool = False
    ) -> None:
        """Prepare for records whose paths are relative to `working_directory` (as the operating system has it).

        `logs` tells which logs may be kept; none are without it. `md5` says whether the store needs the md5 too.
        """
        self.readings = Readings()
        self._logs = logs or KeptLogs()
        self._md5 = md5
        self._working_directory = working_directory
        self._cache = cache
        self._seeker = CodeSeeker(working_directory)
        self._repositories = Repositories()
        self._lock = threading.Lock()
        self._read: OrderedDict[Fingerprint, Digest] = OrderedDict()
        self._directories = Directories()

    def observe(self, job: JobRecord, held: HeldFiles) -> Observations:
        """Return what is found of each file that `job` names, without ever raising.

        Args:
            job: The record.
            held: Its files as it left them. They are closed.
        """
        observations: Observations = {}
        try:
            facts: dict[str, _Named] = {}
            for named in self._facts(job):
                facts.setdefault(key_of(named.fact), named)
            digests = self._digests(facts, held)
            for key, (held_key, fact, is_output) in facts.items():
                span = None if is_output else span_of(job)
                observations[key] = self._observe(
                    fact.path, fact, held, held_key, found=digests.get(key), is_made=is_output, span=span
                )
                if fact.fingerprint_before is not None and fact.kind != "directory":
                    observations[key].before = self._known(fact.fingerprint_before)
                    if fact.kind == "missing":  # moved or deleted by its reader: what was read is what was there
                        observations[key].digest = observations[key].before
            self._observe_by_products(job, observations)
            self._observe_code(job, observations)
        finally:
            held.close()
        return observations

    def complete(self, observations: Observations) -> Observations:
        """Return what was found for a store that does not need the md5, with what this one needs.

        A file that cannot be read again, or is another by now, has no digest then.
        """
        lacking = [key for key, seen in observations.items() if seen.digest is not None and seen.digest.md5 is None]
        for key in lacking if self._md5 else ():
            seen = observations[key]
            try:
                again = self._cache.digest_file(self.absolute(path_of_key(key)), md5=True)
            except CaptureError:
                again = None
            if again == seen.digest:
                seen.digest = again
            else:
                seen.digest, seen.problem = None, "was read for another store, and is not the same any more"
        return observations

    def _observe_by_products(self, job: JobRecord, observations: Observations) -> None:
        """Look at the logs and the benchmark of a job."""
        for _, fact in job.by_products():
            if fact.kind == "file" and fact.path not in observations:
                seen = self._observe(fact.path, fact, HeldFiles())
                seen.keep = seen.digest is not None and self._logs.may_keep(job, self.absolute(fact.path), seen.digest)
                observations[fact.path] = seen

    def has_digest(self, fact: FileFact, sha256: str | None) -> bool:
        """Return whether a file has this digest; False if its own digest is not available."""
        digest = self._observe(fact.path, fact, HeldFiles()).digest
        return digest is not None and digest.sha256 == sha256

    def absolute(self, path: str) -> str:
        """Return where a path of a record lies, as Python's file functions take it."""
        return os.path.join(self._working_directory, to_os(path))  # noqa: PTH118  the hot path

    def _facts(self, job: JobRecord) -> Iterator[_Named]:
        """Yield each file of a job."""
        for number, fact in enumerate(job.inputs):
            yield _Named(before_key(fact.path) if "before_update" in fact.flags else input_key(number), fact)
        for number, fact in enumerate(job.outputs if job.status in GENERATING else []):
            yield _Named(output_key(number), fact, is_output=True)
        for code in job.code:
            if code.path is not None:
                yield _Named("", FileFact(path=code.path, fingerprint=code.fingerprint))
        for path in (job.conda_env_path, job.container_path):
            if path is not None:
                yield _Named("", FileFact(path=path, fingerprint=files.fingerprint(self.absolute(path))))

    def _digests(self, facts: Mapping[str, _Named], held: HeldFiles) -> dict[str, Digest | CaptureError]:
        """Return the digest of each regular file, by its key, or why it has none; several are read at a time."""

        def digest(named: _Named) -> Digest | CaptureError:
            assert named.fact.fingerprint is not None  # noqa: S101  none is asked for without
            try:
                return self._digest(self.absolute(named.fact.path), named.fact.fingerprint, held.file(named.held_key))
            except CaptureError as error:
                return error

        due = {
            key: named
            for key, named in facts.items()
            if named.fact.kind == "file" and named.fact.fingerprint is not None and named.fact.digest is None
        }
        return dict(zip(due, side_by_side(digest, list(due.values()), size_bytes=self._unread(due, held)), strict=True))

    def _unread(self, due: Mapping[str, _Named], held: HeldFiles) -> int:
        """Return how many bytes have to be read for the digests of some files; less than `SIDE_BY_SIDE_BYTES` is 0."""
        read = [(one.held_key, one.fact.fingerprint) for one in due.values() if one.fact.fingerprint is not None]
        if sum(fingerprint.size_bytes for _, fingerprint in read) < SIDE_BY_SIDE_BYTES:
            return 0  # it does not matter which are known
        return sum(
            fingerprint.size_bytes
            for held_key, fingerprint in read
            if not isinstance(held.file(held_key), Digest) and self._cache.get(fingerprint, md5=self._md5) is None
        )

    def _observe(
        self,
        path: str,
        fact: FileFact,
        held: HeldFiles,
        held_key: str = "",
        *,
        found: Digest | CaptureError | None = None,
        is_made: bool = False,
        span: Span | None = None,
    ) -> Observation:
        if fact.digest is not None:
            return Observation(digest=fact.digest, mode=fact.mode)
        place = self.absolute(path)
        try:
            if fact.kind == "directory":
                return self._observe_directory(path, fact, held, held_key, is_made=is_made, span=span)
            if fact.kind != "file" or fact.fingerprint is None:
                return Observation(problem=_NO_BYTES.get(fact.kind, "not seen"))
            if isinstance(found, CaptureError):
                raise found
            digest = found or self._digest(place, fact.fingerprint, held.file(held_key))
            return Observation(digest=digest, mode=files.mode(place) if fact.mode is None else fact.mode)
        except CaptureError as error:
            if isinstance(error, ChangedFileError) and fact.kind == "file":
                return Observation(problem=OUTRUN if os.path.lexists(place) else GONE)
            return Observation(problem=error.message.removeprefix(f"'{to_text(place)}' ").rstrip("."))

    def _digest(self, path: str, fingerprint: Fingerprint, held: Digest | OpenFile | None = None) -> Digest:
        """Return the digest of the file that looked like `fingerprint`; `held` is its digest, or it itself, open."""

        def read() -> Digest:
            with self.readings.of(path, fingerprint.size_bytes):
                if held is not None and not isinstance(held, Digest):
                    return held.digest(fingerprint, md5=self._md5)
                return files.digest_stable(path, _allow_new_ctime(path, fingerprint), md5=self._md5)

        if isinstance(held, Digest):
            digest = self._cache.get(fingerprint, md5=self._md5) or held  # read when it was too young for the cache
        else:
            try:
                digest = self._cache.digest(fingerprint, read, md5=self._md5)
            except CaptureError:
                # It is gone or changed by now, but was read when it was made and looked the same when it was used?
                before = self._read.get(fingerprint)
                if before is None:
                    raise
                return before
        with self._lock:  # files are digested side by side
            self._read[fingerprint] = digest
            if len(self._read) > FILES_REMEMBERED_MAX:
                self._read.popitem(last=False)
        return digest

    def _known(self, fingerprint: Fingerprint) -> Digest | None:
        """Return the digest of a file that looked like this, where it was read then."""
        return self._cache.get(fingerprint) or self._read.get(fingerprint)

    def _observe_code(self, job: JobRecord, observations: Observations) -> None:
        """Find the code that the code of a job leads to, and look at it."""

        def is_known(path: str) -> bool:
            return path in observations and observations[path].digest is not None

        code = self._seeker.seek(job, is_known)
        if code != job.code:
            observations[CODE_KEY] = Observation(code=code)
        for path in (fact.path for fact in code):
            if path is not None and path not in observations:
                seen = files.fingerprint(self.absolute(path))
                fact = FileFact(path=path, fingerprint=seen)
                observations[path] = (
                    Observation(problem="changed after the job had begun")
                    if seen is not None and _is_later(seen, job)
                    else self._observe(path, fact, HeldFiles())
                )
        self._observe_repositories(job, code, observations)

    def _observe_repositories(self, job: JobRecord, code: list[CodeFact], observations: Observations) -> None:
        """Find the repositories of code outside of the working directory; a fetched copy has its URL instead."""
        found = {fact.path for fact in code if fact.url is None}
        if job.conda_env_url is None:
            found.add(job.conda_env_path)
        for path in found:
            if path is not None and path.startswith("/") and path in observations:
                observations[path].recorded_path = self._repositories.path(to_os(path))

    def _observe_directory(
        self, path: str, fact: FileFact, held: HeldFiles, held_key: str, *, is_made: bool, span: Span | None
    ) -> Observation:
        folder = self.absolute(path)
        target = fact.symlink_target
        if target is not None and target.startswith("/") and not os.path.islink(folder):  # noqa: PTH114  hot path
            # It shows by links what is in the cache between workflows: that is its content.
            folder = self.absolute(target)

        def digest(member: Member) -> Digest:
            place = f"{folder}/{to_os(member.path)}"
            if member.fingerprint is None:
                return files.digest_file(place, md5=self._md5)
            return self._digest(place, member.fingerprint, held.file(held_key, member.path))

        members = held.members(held_key)
        if is_made or members is not None:
            manifest = self._directories.made(
                folder,
                fingerprint=fact.fingerprint,
                listing=fact.listing,
                members=members,
                digest=digest,
            )
            return _of_manifest(manifest)
        return _of_directory(
            self._directories.read(
                folder,
                seen=Seen(fact.fingerprint_before or fact.fingerprint, fact.fingerprint, span),
                listing=fact.listing,
                is_past="before_update" in fact.flags,
                digest=digest,
            )
        )


def _of_manifest(manifest: Manifest) -> Observation:
    return Observation(digest=manifest.digest, manifest=manifest.content, members=dict(manifest.files))


def _of_directory(read: Read) -> Observation:
    """Return what was found of a directory that a job read."""
    if read.after is None:
        assert read.before is not None  # noqa: S101  one of them is known
        return _of_manifest(read.before)
    seen = _of_manifest(read.after)
    if read.before is None:
        seen.is_changed = True
    elif read.before.digest != read.after.digest:
        seen.before = read.before.digest
    return seen


def _is_later(seen: Fingerprint, job: JobRecord) -> bool:
    """Return whether a file of code may have been written since the job began: then it need not be what ran."""
    began = job.started_on or job.submitted_on or job.ended_on
    return began is not None and seen.mtime_ns > began.timestamp() * 1e9


def _allow_new_ctime(path: str, expected: Fingerprint) -> Fingerprint:
    """Return `expected` as it must be now: protecting a file changes its ctime, but neither its size nor its mtime."""
    now = files.fingerprint(path)
    if now is not None and msgspec.structs.replace(now, ctime_ns=expected.ctime_ns) == expected:
        return now
    return expected


class KeptLogs:
    """Decides which logs of the jobs of one run are kept: neither large ones nor any that contains a secret.

    Secrets are removed from the record of a job. Its log, in which a program may repeat its arguments, is a file: it is
    kept as it is or not at all.
    """

    def __init__(self, redactor: Redactor | None = None) -> None:
        """Prepare.

        Args:
            redactor: Knows the secrets of the run. Without one no log is kept: nobody can tell what is in it.
        """
        self._redactor = redactor

    def may_keep(self, job: JobRecord, path: str, digest: Digest) -> bool:
        """Return whether the bytes of a log or a benchmark of `job` may be kept.

        A job whose record had secrets taken out may repeat them in a spelling that is not known here.
        """
        if digest.size_bytes == 0:
            return True
        if self._redactor is None or digest.size_bytes > LOG_BYTES_MAX:
            return False
        if _HIDDEN.search(msgspec.json.encode(job)):
            return False
        try:
            text = Path(path).read_bytes().decode("utf-8", "replace")
        except (OSError, ValueError):
            return False
        return self._redactor.text(text) == text
