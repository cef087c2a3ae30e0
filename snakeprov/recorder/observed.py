"""What was found of the files of a job: the bytes that it read, wrote and ran."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import msgspec
from msgspec import structs

from snakeprov.model.digest import Digest
from snakeprov.model.records import CodeFact, FileFact, JobRecord, JobStatus, fetched_path

GENERATING: frozenset[JobStatus] = frozenset({"success", "cached", "touched", "backfilled"})
"""Status of jobs whose outputs are on disk and final."""

FAILED: frozenset[JobStatus] = frozenset({"failed", "interrupted"})
"""Status of jobs that did not make what they were to make, and that were not tried again."""


OUTRUN: Final = "changed before it was digested"
GONE: Final = "gone before it was digested"
"""The problems of a file that is not what its job left, or read, any more."""


class Observation(msgspec.Struct, omit_defaults=True, rename="camel"):
    """What was found out about one file of a job.

    Attributes:
        digest: Of its bytes; of its manifest for a directory; None if it is not available.
        problem: Why not, in words that go behind its path.
        before: Of an input that looked different when its job started: its digest then, where that is known.
        is_changed: Of a directory: whether files in it changed while the job ran that read it, and nothing is known of
            what they were before.
        manifest: Of a directory: its content, which is what is kept.
        members: Of a directory: what is in it, path below it and digest.
        code: For `CODE_KEY`, which stands for the whole job: all its code, if its record lacks some.
        mode: The permissions of a file.
        recorded_path: Of code outside of the working directory: the path under which it is recorded, by its repository.
        keep: Whether its bytes may be kept, as far as that depends on what is in it (see `KeptLogs`).
    """

    digest: Digest | None = None
    problem: str | None = None
    before: Digest | None = None
    is_changed: bool = False
    manifest: bytes | None = None
    members: dict[str, Digest] = {}
    code: list[CodeFact] = []
    recorded_path: str | None = None
    mode: int | None = None
    keep: bool = True


Observations = dict[str, Observation]
"""By the path of the job's record, or rather by `key_of`."""


_BEFORE_UPDATE: Final = "\0before its update"
"""No path holds a NUL."""

CODE_KEY: Final = "\0code"
"""The key of the observation that has the code of a job."""


def key_of(fact: FileFact) -> str:
    """Return the key of the observation of a file: one that a job updates is two, before and after."""
    return fact.path + _BEFORE_UPDATE if "before_update" in fact.flags else fact.path


def path_of_key(key: str) -> str:
    """Return the path of the file of an observation.

    >>> path_of_key(key_of(FileFact(path="a.txt", flags=["before_update"])))
    'a.txt'
    """
    return key.removesuffix(_BEFORE_UPDATE)


NOTHING: Final = Observation(problem="not looked at")

_UNKNOWN: Final = Observation()


@dataclass(frozen=True, slots=True)
class SeenFile:
    """A file of a job: its names, and what was found of it.

    Attributes:
        path: Under which a store has it; that of a directory ends with a slash.
        local: Where it lies, as the record has it.
        seen: What was found of it.
        query: Of its storage object, where it is one.
    """

    path: str
    local: str
    seen: Observation
    query: str | None = None

    @property
    def sha256(self) -> str | None:
        """Of its bytes, if known."""
        return None if self.seen.digest is None else self.seen.digest.sha256


def seen_file(fact: FileFact, observations: Observations) -> SeenFile:
    """Return a file of a job with what was found of it."""
    return SeenFile(fact.stored_path, fact.path, observations.get(key_of(fact), NOTHING), fact.storage_query)


def code_of(job: JobRecord, observations: Observations) -> list[CodeFact]:
    """Return all code of a job, with what its record does not name by itself."""
    found = observations.get(CODE_KEY)
    return job.code if found is None else found.code


def with_changes(job: JobRecord, observations: Observations) -> list[FileFact]:
    """Return the inputs of a job, each saying whether its bytes changed while the job ran."""
    return [_with_change(fact, observations.get(key_of(fact), _UNKNOWN)) for fact in job.inputs]


def not_digested(job: JobRecord, observations: Observations) -> list[str]:
    """Return of each output of a job that was there, and has no digest, why, in words."""
    there = [fact for fact in job.outputs if fact.kind in ("file", "directory")]
    seen = [(fact.path, observations.get(fact.path, _UNKNOWN).problem) for fact in there]
    return [f"no digest of {path}: {problem}" for path, problem in seen if problem is not None]


def _with_change(fact: FileFact, seen: Observation) -> FileFact:
    if fact.fingerprint_before is None and not seen.is_changed:
        return fact
    return structs.replace(fact, changed_while_reading=_has_changed(fact, seen))


def _has_changed(fact: FileFact, seen: Observation) -> bool | None:
    """Return whether the bytes of an input changed while its job ran; None where nobody read them before.

    Only its times, mode or number of links may have changed; an input that is gone has not changed.
    """
    if seen.is_changed:
        return True
    before, after = fact.fingerprint_before, fact.fingerprint
    if before is None or after is None:
        return False
    if seen.before is not None and seen.digest is not None:
        return seen.before.sha256 != seen.digest.sha256
    if before.size_bytes != after.size_bytes and fact.kind == "file":
        return True
    return False if structs.replace(after, ctime_ns=before.ctime_ns) == before else None


def with_recorded_paths(job: JobRecord, observations: Observations) -> JobRecord:
    """Return a job with all its code, each file with the path it is recorded under."""

    def recorded(path: str | None, url: str | None) -> str | None:
        seen = observations.get(path or "")
        found = fetched_path(path, url) if seen is None or seen.recorded_path is None else seen.recorded_path
        return None if found == path else found

    def completed(code: CodeFact) -> CodeFact:
        path = recorded(code.path, code.url)
        return code if path is None else structs.replace(code, recorded_path=path)

    return structs.replace(
        job,
        code=[completed(code) for code in code_of(job, observations)],
        conda_env_recorded_path=recorded(job.conda_env_path, job.conda_env_url),
    )
