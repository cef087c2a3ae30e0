"""The content of directories that jobs wrote and read, by their listings rather than by what is there later.

A directory is digested some time after its job has ended. Members that came, went or changed since then are not the
job's work: the listing made when the job ended says what it left. If a directory has changed since it was made, the
state that a job read is named only where that is certain.

Must not know: records, how a file is digested.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from snakeprov.capture.files import from_stat
from snakeprov.capture.tree import digest_members, list_directory, listing_digest
from snakeprov.errors import CaptureError, ChangedFileError
from snakeprov.model.digest import Digest
from snakeprov.model.held import Member
from snakeprov.model.manifest import Manifest
from snakeprov.model.paths import to_text
from snakeprov.model.records import Fingerprint

MEMBERS_REMEMBERED_MAX: Final = 200_000
"""Total number of directory members remembered after their directories were made."""

DIRECTORIES_REMEMBERED_MAX: Final = 20_000
"""Number of directories remembered after they were made."""

DigestMember = Callable[[Member], Digest]


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

    def read(
        self, path: str, *, began: Fingerprint | None, listing: str | None, is_past: bool, digest: DigestMember
    ) -> Manifest:
        """Return the manifest of the directory at `path` as the job that read it found it.

        Args:
            path: As Python's file functions take it.
            began: The directory itself when the job began.
            listing: The digest of its listing when the job ended, or began if it was to change it, where it was made.
            is_past: Whether the job was to change it: what is there now is not what it read.
            digest: Digests a member.

        Raises:
            ChangedFileError: It has changed since it was made, and whether before or after that is not known.
            CaptureError: It cannot be listed.
        """
        made = self._made.get(path)
        if made is not None and made.listing == listing:
            return made.manifest
        if is_past:
            raise ChangedFileError(f"'{to_text(path)}' was to be changed before it could be read.")
        try:
            members = list_directory(path)
        except CaptureError:
            if made is not None:
                raise ChangedFileError(f"'{to_text(path)}' is gone, and may have changed after it was made.") from None
            raise
        if made is None:
            return digest_members(members, digest)
        if listing_digest(members) == made.listing:
            return made.manifest
        if _only_names_differ(made.members, members):
            # The time of a directory changes whenever a name comes or goes: so it tells which names the job found.
            if _is_same(began, made.fingerprint):
                return made.manifest
            if _is_same(began, _stamp(path)):
                return digest_members(members, digest)
        raise ChangedFileError(f"'{to_text(path)}' changed after it was made, before or while the job read it.")


def _only_names_differ(before: Sequence[Member], after: Sequence[Member]) -> bool:
    """Return whether names in the directory itself came or went, and nothing else is different."""
    old, new = ({one.path: (one.mode, one.target, _seen(one)) for one in members} for members in (before, after))
    if any(old[path] != new[path] for path in old.keys() & new.keys()):
        return False
    return not any("/" in path for path in old.keys() ^ new.keys())


def _seen(member: Member) -> tuple[int, int] | None:
    seen = member.fingerprint
    return (seen.size_bytes, seen.mtime_ns) if seen is not None else None


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
