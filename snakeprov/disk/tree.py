"""Walk a directory to make its manifest (`snakeprov.model.manifest`)."""

from __future__ import annotations

import hashlib
import os
import stat
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import islice

import msgspec

from snakeprov.disk.files import from_stat
from snakeprov.disk.sidebyside import side_by_side
from snakeprov.errors import CaptureError
from snakeprov.model.digest import Digest
from snakeprov.model.held import Member
from snakeprov.model.manifest import Entry, Manifest, manifest_of
from snakeprov.model.paths import TIMESTAMP, TOOL_FOLDERS, to_os, to_text

MAX_ENTRIES = 1_000_000
"""Most members a directory may have to be recorded."""

_NOT_LOOKED_AT = -1
"""Stands for the mode of a member that is left out."""


def digest_directory(path: str, digest: Callable[[str], Digest]) -> Manifest:
    """Return the manifest of the directory at `path`, a link to one followed.

    Args:
        path: As Python's file functions take it.
        digest: Called with the path of each regular file, perhaps by several threads; where it raises CaptureError the
            file is noted as unreadable.

    Raises:
        CaptureError: There is no directory that can be listed, or it has more than `MAX_ENTRIES` members.
    """
    return digest_members(list_directory(path), lambda member: digest(f"{path}/{to_os(member.path)}"))


def list_directory(path: str) -> list[Member]:
    """Return the members of the directory at `path`, sorted by the bytes of their paths; of directories the empty ones.

    Raises:
        CaptureError: As `digest_directory`.
    """
    try:
        members = list(islice(_walk(path), MAX_ENTRIES + 1))
    except (OSError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise CaptureError(
            f"'{to_text(path)}' cannot be recorded as a directory: {reason}.",
            hint="Check that it exists, is a directory, and that you may list it.",
        ) from error
    if len(members) > MAX_ENTRIES:
        raise CaptureError(
            f"'{to_text(path)}' has more than {MAX_ENTRIES} members, the most a recorded directory may have.",
            hint="Pack them into an archive, or divide them among several outputs.",
        )
    return _sorted(members)


def list_quickly(path: str, *, max_members: int, max_s: float) -> list[Member] | None:
    """Return what `list_directory` does; None if there is too much to list, or it takes too long. Never raises."""
    until_s = time.monotonic() + max_s
    members = []
    try:
        for member in _walk(path, max_entries=max_members):
            members.append(member)
            if len(members) > max_members or (len(members) % 16 == 0 and time.monotonic() > until_s):
                return None
    except (OSError, ValueError):
        return None
    return _sorted(members)


def listing_digest(members: Sequence[Member]) -> str:
    """Return a short text that differs if a member came, went or changed: by path, kind, size, time and target."""
    seen = [
        (one.path, one.mode, one.target, one.fingerprint and (one.fingerprint.size_bytes, one.fingerprint.mtime_ns))
        for one in members
    ]
    return hashlib.blake2b(msgspec.json.encode(seen), digest_size=16).hexdigest()


def digest_members(members: Sequence[Member], digest: Callable[[Member], Digest]) -> Manifest:
    """Return the manifest of a directory that has these members.

    Args:
        members: As `list_directory` returns them.
        digest: Called for each regular file, by several threads where there is much to read; where it raises
            CaptureError the file is noted as unreadable.
    """
    size_bytes = sum(member.fingerprint.size_bytes for member in members if member.fingerprint is not None)
    return manifest_of(side_by_side(lambda member: _describe(member, digest), members, size_bytes=size_bytes))


def _walk(root: str, *, max_entries: int = MAX_ENTRIES) -> Iterator[Member]:
    """Yield the members of `root`, in no particular order; of the directories only the empty ones.

    Of the directories only the empty ones, and those that are left out. A stack in place of recursion: depth has no
    limit.
    """
    pending = [("", [member for member in _list(root, max_entries) if member.name != TIMESTAMP])]
    while pending:
        prefix, members = pending.pop()
        for member in members:
            path = prefix + member.name
            if member.name in TOOL_FOLDERS:
                yield Member(to_text(path), _NOT_LOOKED_AT)
                continue
            target = None
            try:
                status = member.stat(follow_symlinks=False)
                if stat.S_ISDIR(status.st_mode):
                    inner = _list(member.path, max_entries)
                    if inner:
                        pending.append((path + "/", inner))
                        continue
                elif stat.S_ISLNK(status.st_mode):
                    target = to_text(os.readlink(member.path))  # noqa: PTH115  hot path
            except OSError:
                yield Member(to_text(path), 0)
                continue
            yield Member(to_text(path), status.st_mode, from_stat(status), target)


def _list(path: str, max_entries: int) -> list[os.DirEntry[str]]:
    with os.scandir(path) as members:
        return list(islice(members, max_entries + 1))


def _sorted(members: list[Member]) -> list[Member]:
    return sorted(members, key=lambda member: os.fsencode(to_os(member.path)))


def _describe(member: Member, digest: Callable[[Member], Digest]) -> Entry:
    path, mode = member.path, member.mode
    if mode == _NOT_LOOKED_AT:
        return Entry(path=path, type="leftOut")
    if stat.S_ISREG(mode):
        try:
            found = digest(member)
        except (OSError, CaptureError):
            return Entry(path=path, type="unreadable")
        return Entry(
            path=path,
            type="file",
            size_bytes=found.size_bytes,
            sha256=found.sha256,
            executable=bool(mode & stat.S_IXUSR),
        )
    if stat.S_ISLNK(mode):
        return Entry(path=path, type="symlink", target=member.target)
    if stat.S_ISDIR(mode):
        return Entry(path=path, type="directory")
    return Entry(path=path, type="other" if mode else "unreadable")
