"""Walking a directory to make its manifest (`snakeprov.model.manifest`).

Must not know: how a member is digested, or where its bytes are kept.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from itertools import islice

from snakeprov.errors import CaptureError
from snakeprov.model.digest import Digest
from snakeprov.model.manifest import Entry, Manifest, manifest_of
from snakeprov.model.paths import TOOL_FOLDERS, to_text

MAX_ENTRIES = 1_000_000
"""Most members a directory may have to be recorded."""

MARKER = ".snakemake_timestamp"
"""The file with which Snakemake marks a `directory()` output; it is no part of what the rule made."""

_NOT_LOOKED_AT = -1
"""Stands for the mode of a member that is left out."""


def digest_directory(path: str, digest: Callable[[str], Digest]) -> Manifest:
    """Return the manifest of the directory at `path`, a link to one followed.

    Args:
        path: As Python's file functions take it.
        digest: Called with the path of each regular file; where it raises CaptureError the file is noted as unreadable.

    Raises:
        CaptureError: There is no directory that can be listed, or it has more than `MAX_ENTRIES` members.
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
    members.sort(key=lambda member: os.fsencode(member[0]))
    entries = [_describe(path, member, mode, digest=digest) for member, mode in members]
    return manifest_of(entries)


def _walk(root: str) -> Iterator[tuple[str, int]]:
    """Yield path (relative) and mode of the members of `root`, in no particular order; mode 0 where it is not known.

    Of the directories only the empty ones, and those that are left out. A stack in place of recursion: depth has no
    limit.
    """
    pending = [("", [member for member in _list(root) if member.name != MARKER])]
    while pending:
        prefix, members = pending.pop()
        for member in members:
            path = prefix + member.name
            if member.name in TOOL_FOLDERS:
                yield path, _NOT_LOOKED_AT
                continue
            try:
                mode = member.stat(follow_symlinks=False).st_mode
                inner = _list(member.path) if stat.S_ISDIR(mode) else []
            except OSError:
                yield path, 0
                continue
            if inner:
                pending.append((path + "/", inner))
            else:
                yield path, mode


def _list(path: str) -> list[os.DirEntry[str]]:
    with os.scandir(path) as members:
        return list(islice(members, MAX_ENTRIES + 1))


def _describe(root: str, member: str, mode: int, *, digest: Callable[[str], Digest]) -> Entry:
    path = to_text(member)
    full_path = f"{root}/{member}"
    if mode == _NOT_LOOKED_AT:
        return Entry(path=path, type="leftOut")
    try:
        if stat.S_ISREG(mode):
            found = digest(full_path)
            return Entry(
                path=path,
                type="file",
                size_bytes=found.size_bytes,
                sha256=found.sha256,
                md5=found.md5,
                executable=bool(mode & stat.S_IXUSR),
            )
        if stat.S_ISLNK(mode):
            return Entry(path=path, type="symlink", target=to_text(os.readlink(full_path)))  # noqa: PTH115
    except (OSError, CaptureError):
        return Entry(path=path, type="unreadable")
    if stat.S_ISDIR(mode):
        return Entry(path=path, type="directory")
    return Entry(path=path, type="other" if mode else "unreadable")
