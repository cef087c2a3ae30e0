"""The content of directories that jobs wrote and read, by their listings rather than by what is there later.

A directory is digested some time after its job has ended. Members that came, went or changed since then are not the
job's work: the listing made when the job ended says what it left. If a directory has changed since it was made, the
state that a job read is named only where that is certain.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from snakeprov.disk.files import from_stat
from snakeprov.disk.tree import digest_members, list_directory, listing_digest
from snakeprov.errors import CaptureError, ChangedFileError
from snakeprov.model.digest import Digest
from snakeprov.model.held import Member
from snakeprov.model.manifest import Manifest
from snakeprov.model.paths import to_text
from snakeprov.model.records import Fingerprint
from snakeprov.recorder.jobtimes import CLOCK_SLACK_NS, Span

MEMBERS_REMEMBERED_MAX: Final = 200_000
"""Total number of directory members remembered after their directories were made."""

DIRECTORIES_REMEMBERED_MAX: Final = 20_000
"""Number of directories remembered after they were made."""

DigestMember = Callable[[Member], Digest]


class Seen(NamedTuple):
    """A directory itself when a job began and when it had ended, and from when to when the job ran, where known."""

    began: Fingerprint | None
    ended: Fingerprint | None
    span: Span | None


class Read(NamedTuple):
    """What a job found in a directory, and what it held when the job had ended; None: that is not known.

    One of the two is known.
    """

    before: Manifest | None
    after: Manifest | None


class _Made(NamedTuple):
    """A directory as its job left it: it itself, its members, their listing's digest, and its manifest."""

    fingerprint: Fingerprint | None
    members: Sequence[Member]
    listing: str
    manifest: Manifest


class Directories:
    """Finds the manifests of directories, and remembers those that jobs made. Not thread-safe."""

    def __init__(self) -> None:
        self._made: dict[str, _Made] = {}
        self._members_count = 0

    def made(
        self,
        path: str,
        *,
        fingerprint: Fingerprint | None,
        listing: str | None,
        members: Sequence[Member] | None,
        digest: DigestMember,
    ) -> Manifest:
        """Return the manifest of the directory at `path` as the job that wrote it left it.

        Args:
            path: As Python's file functions take it.
            fingerprint: Of the directory itself when the job ended.
            listing: The digest of the listing of that moment, where it was made.
            members: That listing, where it is still known.
            digest: Digests a member.

        Raises:
            ChangedFileError: The directory is not what it was, and what it was is not known.
            CaptureError: It cannot be listed.
        """
        if members is None:
            members = list_directory(path)
            if listing is not None and listing_digest(members) != listing:
                raise ChangedFileError(f"'{to_text(path)}' changed after the job that wrote it had ended.")
        manifest = digest_members(members, digest)
        self._forget(path)
        self._made[path] = _Made(fingerprint, members, listing or listing_digest(members), manifest)
        self._members_count += len(members)
        while len(self._made) > DIRECTORIES_REMEMBERED_MAX or (
            len(self._made) > 1 and self._members_count > MEMBERS_REMEMBERED_MAX
        ):
            self._forget(next(iter(self._made)))
        return manifest

    def _forget(self, path: str) -> None:
        made = self._made.pop(path, None)
        self._members_count -= 0 if made is None else len(made.members)

    def read(self, path: str, *, seen: Seen, listing: str | None, is_past: bool, digest: DigestMember) -> Read:
        """Return what the job that read the directory at `path` found in it, and what it held when the job had ended.

        Args:
            path: As Python's file functions take it.
            seen: What was seen of it while the job ran.
            listing: The digest of its listing when the job ended, or began if it was to change it, where it was made.
            is_past: Whether the job was to change it: what is there now is not what it read.
            digest: Digests a member.

        Raises:
            ChangedFileError: It has changed since it was made, and whether before or after that is not known.
            CaptureError: It cannot be listed.
        """
        made = self._made.get(path)
        if made is not None and made.listing == listing:
            return Read(made.manifest, made.manifest)
        if is_past:
            raise ChangedFileError(f"'{to_text(path)}' was to be changed before it could be read.")
        try:
            members = list_directory(path)
        except CaptureError:
            if made is not None:
                raise ChangedFileError(f"'{to_text(path)}' is gone, and may have changed after it was made.") from None
            raise
        if made is not None and listing_digest(members) == made.listing:
            return Read(made.manifest, made.manifest)
        state = _state([] if made is None else made.members, members, seen, _stamp(path))
        if made is None:
            manifest = digest_members(members, digest)
            return Read(None if state.is_left and state.some_written else manifest, manifest)
        if state.names_only and _is_same(seen.began, made.fingerprint):
            return Read(made.manifest, digest_members(members, digest) if state.is_left else None)
        if state.is_found:
            manifest = digest_members(members, digest)
            return Read(manifest, manifest)
        if state.is_left and state.all_written:
            return Read(None, digest_members(members, digest))
        raise ChangedFileError(f"'{to_text(path)}' changed after it was made, before or while the job read it.")


class _State(NamedTuple):
    """How a directory as it is now relates to what it was, and to a job that read it.

    Attributes:
        names_only: Whether names in the directory itself came or went, and nothing else is different.
        is_found: Whether the job found it as it is now.
        is_left: Whether it was as it is now when the job had ended.
        some_written: Whether something of what is different was written while the job ran.
        all_written: Whether all of it was.
    """

    names_only: bool
    is_found: bool
    is_left: bool
    some_written: bool
    all_written: bool


def _state(before: Sequence[Member], members: Sequence[Member], seen: Seen, now: Fingerprint | None) -> _State:
    """Return how a directory relates to what it was: the members then and now, and the directory itself now.

    The time of a directory changes whenever a name comes or goes in it, and that of a file whenever it is written.
    """
    names_only, is_timed = _only_names_differ(before, members), _is_timed(before, members)
    found_names, span, written_ns = _is_same(seen.began, now), seen.span, _written_ns(before, members)
    if span is None:
        return _State(names_only, names_only and found_names, is_left=False, some_written=False, all_written=False)
    is_older = is_timed and all(one < span.began_ns - CLOCK_SLACK_NS for one in written_ns)
    return _State(
        names_only,
        is_found=found_names and (names_only or is_older),
        is_left=_is_same(seen.ended, now) and all(one <= span.ended_ns for one in written_ns),
        some_written=any(map(span.has, written_ns)),
        all_written=is_timed and all(map(span.has, written_ns)),
    )


def _written_ns(before: Sequence[Member], after: Sequence[Member]) -> list[int]:
    """Return when each member that is not as it was before was last written."""
    old = set(map(_described, before))
    return [one.fingerprint.mtime_ns for one in after if one.fingerprint is not None and _described(one) not in old]


def _is_timed(before: Sequence[Member], after: Sequence[Member]) -> bool:
    """Return whether times tell of everything that is different: not of new modes, nor of what is gone from inside."""
    old, new = ({one.path: one.mode for one in members} for members in (before, after))
    return not any("/" in path if path not in new else new[path] != mode for path, mode in old.items())


def _only_names_differ(before: Sequence[Member], after: Sequence[Member]) -> bool:
    """Return whether names in the directory itself came or went, and nothing else is different."""
    old, new = ({one.path: _described(one) for one in members} for members in (before, after))
    if any(old[path] != new[path] for path in old.keys() & new.keys()):
        return False
    return not any("/" in path for path in old.keys() ^ new.keys())


def _described(member: Member) -> tuple[object, ...]:
    seen = member.fingerprint
    return member.path, member.mode, member.target, seen and (seen.size_bytes, seen.mtime_ns)


def _is_same(one: Fingerprint | None, other: Fingerprint | None) -> bool:
    """Return whether no name came or went in a directory; its mode may have changed."""
    if one is None or other is None:
        return False
    return (one.device, one.inode, one.mtime_ns) == (other.device, other.inode, other.mtime_ns)


def _stamp(path: str) -> Fingerprint | None:
    try:
        return from_stat(os.stat(path))  # noqa: PTH116  Snakemake's paths need not be UTF-8
    except OSError:
        return None
