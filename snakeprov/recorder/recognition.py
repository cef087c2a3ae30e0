"""What bytes seen at a path mean, gathered from what the plan, the catalog and the store know of them.

Pure. The decision is `model.meaning`'s.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from snakeprov.model.digest import Digest
from snakeprov.model.meaning import Evidence, Id, Listing, Meaning, Past, meaning_of
from snakeprov.model.paths import folders_above
from snakeprov.model.records import Fingerprint
from snakeprov.recorder.catalog import Held, Listed
from snakeprov.recorder.observed import Observation
from snakeprov.recorder.plan import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """What the store says of bytes seen at a path.

    Attributes:
        earlier: The version of the path before its current one that has them.
        elsewhere: A version of another path that has them.
        is_work: Whether the current version is somebody's work.
        first_read: When the first job began that read the current version, where that has them.
    """

    earlier: Past | None = None
    elsewhere: Past | None = None
    is_work: bool = False
    first_read: datetime | None = None


Explanations = Mapping[tuple[str, str], Explained]
"""By path, and by what tells contents apart in the store: sha256, or md5 in Synapse."""

NOTHING = Explained()


@dataclass(frozen=True, slots=True)
class Identity:
    """What tells contents apart in a store: of bytes that were seen, and of a version that it holds.

    `lacks_marks`: whether what the bytes of a version mean has not been recorded with it yet.
    """

    of_digest: Callable[[Digest], str]
    of_held: Callable[[Held], str | None]
    lacks_marks: Callable[[Held], bool] = lambda held: False


BY_SHA256 = Identity(lambda digest: digest.sha256, lambda held: held.sha256)


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
            current = None if held is None else self._past(path, held, NOTHING)
            return meaning_of(Evidence(is_read=False, looks_same=looks_same, writer=writer, current=current))
        is_current = held is not None and self._identity.of_held(held) == content
        if is_current and not always:
            return meaning_of(Evidence(current=self._past(path, held, NOTHING) if held else None, is_current=True))
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
            return NOTHING
        return self._explanations.get((path, self._identity.of_digest(seen.digest)), NOTHING)

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
