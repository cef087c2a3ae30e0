"""Asking the store what may explain the bytes that some jobs read and wrote.

* Other versions with the same bytes: one question for all jobs, and only about bytes that are not simply those of the
  current version: other bytes, the first bytes at a path that no job wrote, and bytes that a job wrote and that have no
  known maker yet. Answers are not cached, since others may record more before the same question comes again.
* Directories that are recorded as one thing and lie above files that jobs read (`Listings`).
* Who made what a job only took from Snakemake's cache between workflows (`CacheFillers`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from snakeprov.client import Client
from snakeprov.client.resources import ServerProvenance
from snakeprov.errors import NotFoundError, SnakeprovError
from snakeprov.model.answers import PastVersion
from snakeprov.model.digest import Digest
from snakeprov.model.manifest import read_manifest
from snakeprov.model.meaning import EVIDENT_BYTES_MIN, Past
from snakeprov.model.paths import folders_above
from snakeprov.model.records import FileFact, JobRecord
from snakeprov.recorder.catalog import Explained, Held, Identity, Listed
from snakeprov.recorder.context import Prepared
from snakeprov.recorder.observed import Observation, Observations, seen_file
from snakeprov.recorder.versions import size_of

SIGHTS_MAX: Final = 10_000
"""Maximum number of paths per request."""

STEPS_MAX: Final = 20
"""How many versions back the newest one made by an Activity is searched, past those changed by hand."""

SAME_MAX: Final = 1000
"""Maximum number of versions with the same bytes that are asked for; the oldest are examined."""

CANDIDATES_MAX: Final = 50
"""Maximum number of versions with the same bytes that are examined."""


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
            file = seen_file(fact, one.observations)
            digest = file.seen.digest
            if digest is None:
                continue
            if not _is_current(held_at(file.path), digest, identity) or file.seen.before is not None:
                found[file.path] = None
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
        file = seen_file(fact, observations)
        if file.seen.digest is not None:
            yield file.path, file.seen, file.seen.digest, False
            if file.seen.before is not None:
                yield file.path, file.seen, file.seen.before, False
    for fact in (*job.outputs, *(fact for _, fact in job.by_products())):
        file = seen_file(fact, observations)
        if file.seen.digest is not None:
            yield file.path, file.seen, file.seen.digest, job.status != "touched"
    named = [(code.stored_path, code.path) for code in job.code]
    named += [(job.environment_path, job.conda_env_path), (job.container_path, job.container_path)]
    for path, key in named:
        seen = observations.get(key) if key is not None else None
        if path is not None and seen is not None and seen.digest is not None:
            yield path, seen, seen.digest, False


class Listings:
    """The recorded directories of one project that lie above files that jobs read. Not thread-safe.

    A rule with a `directory()` output makes every file in it, though only the directory is recorded; a later job may
    read one of those files by itself. What counts is the newest version of the directory that an Activity made: a
    later one was changed by somebody.
    """

    def __init__(self, client: Client, held: Callable[[str], Held | None]) -> None:
        """Prepare to ask `client`; `held` gives what is known of a path that was looked up."""
        self._client = client
        self._held = held
        self._members: dict[str, tuple[str | None, Mapping[str, str]]] = {}

    def above(self, paths: Iterable[str], look_up: Callable[[Iterable[str]], None]) -> dict[str, Listed]:
        """Return the recorded directories above some files, by path.

        Args:
            paths: Of the files.
            look_up: Asks the store what it holds at paths.
        """
        places = list(dict.fromkeys(f"{folder}/" for path in paths for folder in folders_above(path)))
        look_up(places)
        found = {place: self._made(place, held) for place in places if (held := self._held(place)) is not None}
        return {place: listed for place, listed in found.items() if listed is not None}

    def remember(self, path: str, sha256: str, members: Mapping[str, str]) -> None:
        """Take note of what is in a directory that has just been recorded."""
        self._members[path] = sha256, members

    def _made(self, path: str, held: Held) -> Listed | None:
        """Return the newest version of a directory that an Activity made, or None."""
        if held.activity_id is not None:
            return Listed(held.past, self._in(path, held.sha256, held.file_handle_id), held.made_at)
        own = self._client.provenance
        target: tuple[str, int] | None = (str(held.entity_id), int(str(held.version_number)))
        for _ in range(STEPS_MAX):
            if target is None or own.is_stepwise:
                return None
            version = next(iter(own.versions([target])), None)
            if version is None:
                return None
            if version.activity_id is not None:
                past = Past(*target, version.activity_id, is_work=True)
                members = self._in(f"{path}@{target[1]}", version.sha256, version.file_handle_id)
                return Listed(past, members, version.created_on or "")
            meaning = version.meaning
            is_own = meaning is not None and meaning.entity_id == target[0]
            number = meaning.version_number if meaning is not None and is_own else None
            target = (target[0], number) if number is not None else None
        return None

    def _in(self, key: str, sha256: str | None, file_handle_id: object) -> Mapping[str, str]:
        """Return sha256 of every file in a version of a directory, by path below it."""
        known = self._members.get(key)
        if known is None or known[0] != sha256:
            try:
                manifest = read_manifest(self._client.files.download(str(file_handle_id)))
                members = {name: digest.sha256 for name, digest in manifest.files}
            except SnakeprovError:
                members = {}
            known = self._members[key] = sha256, members
        return known[1]


class CacheFillers:
    """Finds who made what a job took from the cache, in a snakeprov store. Not thread-safe.

    Bytes alone do not tell: many an empty file has the same. An output that came from the cache is a link to a place in
    it that is named after all that went into the output, and the output of the job that filled the cache is a link to
    the same place.
    """

    def __init__(self, client: Client) -> None:
        self._client = client

    def of(self, job: JobRecord, observations: Observations) -> Mapping[str, str]:
        """Return, by the path of each output that a cached job has, the id of the Activity that generated it.

        Left out is what the store does not know the origin of, or only from another user: an Activity can be
        linked to further versions only by its recorder.

        Raises:
            RemoteError: The store is not able to answer.
        """
        if job.status != "cached":
            return {}
        found = {fact.path: self._find(fact, observations) for fact in job.outputs}
        return {path: activity_id for path, activity_id in found.items() if activity_id is not None}

    def _find(self, fact: FileFact, observations: Observations) -> str | None:
        seen = observations.get(fact.path)
        if fact.symlink_target is None or seen is None or seen.digest is None:
            return None
        # The first that has it: who made it comes before who took it.
        same = self._client.provenance.with_digest("sha256", seen.digest.sha256, limit=SAME_MAX).results
        same.sort(key=lambda one: (len(one.entity_id), one.entity_id, one.version_number))
        for version in same[:CANDIDATES_MAX]:
            activity = self._client.entities.generated_by(version.entity_id, version_number=version.version_number)
            if activity is None or activity["createdBy"] != self._client.user_id:
                continue
            if self._has_output(str(activity["id"]), fact.symlink_target):
                return str(activity["id"])
        return None

    def _has_output(self, activity_id: str, symlink_target: str) -> bool:
        try:
            recorded = self._client.jobs.of_activity(activity_id)
        except NotFoundError:
            return False
        if recorded is None:
            return False
        job = recorded.job
        return job.status == "success" and any(fact.symlink_target == symlink_target for fact in job.outputs)
