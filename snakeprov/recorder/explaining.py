"""Asking the store what may explain the bytes that some jobs read and wrote: one question for all of them.

Must not know: what the bytes mean, or what becomes of the answers.

It asks only about bytes that are not simply those of the current version: other bytes, the first bytes at a path that
no job wrote, and bytes that a job wrote and that have no known maker yet. Answers are not cached, since others may
record more before the same question comes again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from snakeprov.client.resources import ServerProvenance
from snakeprov.model.answers import PastVersion
from snakeprov.model.digest import Digest
from snakeprov.model.meaning import EVIDENT_BYTES_MIN, Past
from snakeprov.model.records import JobRecord
from snakeprov.recorder.catalog import Held
from snakeprov.recorder.context import Prepared
from snakeprov.recorder.digesting import Observation, Observations, key_of
from snakeprov.recorder.recognition import Explained, Identity, size_of
from snakeprov.recorder.recordpaths import code_path_of, environment_path_of, path_of

SIGHTS_MAX: Final = 10_000
"""Maximum number of paths per request."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Bytes to be explained.

    Attributes:
        path: Where they were seen.
        digest: Of them.
        held: The current version there, if any.
        elsewhere: Whether other files with the same bytes are asked for.
    """

    path: str
    digest: Digest
    held: Held | None
    elsewhere: bool


def unexplained(jobs: Iterable[Prepared], held_at: Callable[[str], Held | None], identity: Identity) -> list[Asked]:
    """Return what has to be asked about the files of some jobs, each once."""
    asked: dict[tuple[str, str], Asked] = {}
    for one in jobs:
        for path, seen, digest, is_written in _seen(one.job, one.observations):
            held = held_at(path)
            is_current = _is_current(held, digest, identity)
            if is_current and (not is_written or held is None or held.activity_id is not None):
                continue
            if held is None and is_written:
                continue
            elsewhere = not is_written and not is_current and size_of(seen) >= EVIDENT_BYTES_MIN
            key = path, identity.of_digest(digest)
            if held is not None or elsewhere:
                before = asked.get(key)
                asked[key] = Asked(path, digest, held, elsewhere or (before is not None and before.elsewhere))
    return list(asked.values())


def read_paths(jobs: Iterable[Prepared], held_at: Callable[[str], Held | None], identity: Identity) -> list[str]:
    """Return the paths of inputs whose bytes differ from their current version: a directory above may know them."""
    found: dict[str, None] = {}
    for one in jobs:
        for fact in one.job.inputs:
            seen, held = one.observations.get(key_of(fact)), held_at(path_of(fact))
            if seen is None or seen.digest is None:
                continue
            if not _is_current(held, seen.digest, identity) or seen.before is not None:
                found[path_of(fact)] = None
    return list(found)


def _is_current(held: Held | None, digest: Digest, identity: Identity) -> bool:
    """Return whether bytes are those of the current version, and what they meant has been recorded."""
    return held is not None and identity.of_held(held) == identity.of_digest(digest) and not identity.lacks_marks(held)


def explain_seen(own: ServerProvenance, project: str, asked: list[Asked]) -> dict[tuple[str, str], Explained]:
    """Return the explanations of a snakeprov store, by path and sha256. Raises RemoteError."""
    found: dict[tuple[str, str], Explained] = {}
    for start in range(0, len(asked), SIGHTS_MAX):
        part = asked[start : start + SIGHTS_MAX]
        seen = [{"path": one.path, "sha256": one.digest.sha256, "elsewhere": one.elsewhere} for one in part]
        for one, answer in zip(part, own.evidence(project, seen), strict=True):
            first = answer.first_read_on
            found[one.path, one.digest.sha256] = Explained(
                earlier=_past(answer.earlier),
                elsewhere=_past(answer.elsewhere),
                is_work=answer.current is not None and answer.current.is_work,
                first_read=None if first is None else datetime.fromisoformat(first),
            )
    return found


def _past(version: PastVersion | None) -> Past | None:
    if version is None:
        return None
    return Past(version.entity_id, version.version_number, version.activity_id, is_work=version.is_work)


def _seen(job: JobRecord, observations: Observations) -> Iterator[tuple[str, Observation, Digest, bool]]:
    """Yield path, observation and digest of each file of a job with known bytes, and whether the job wrote them."""
    for fact in job.inputs:
        seen = observations.get(key_of(fact))
        if seen is not None and seen.digest is not None:
            yield path_of(fact), seen, seen.digest, False
            if seen.before is not None:
                yield path_of(fact), seen, seen.before, False
    for fact in (*job.outputs, *(fact for _, fact in job.by_products())):
        seen = observations.get(fact.path)
        if seen is not None and seen.digest is not None:
            yield path_of(fact), seen, seen.digest, job.status != "touched"
    named = [(code_path_of(code), code.path) for code in job.code]
    named += [(environment_path_of(job), job.conda_env_path), (job.container_path, job.container_path)]
    for path, key in named:
        seen = observations.get(key) if key is not None else None
        if path is not None and seen is not None and seen.digest is not None:
            yield path, seen, seen.digest, False
