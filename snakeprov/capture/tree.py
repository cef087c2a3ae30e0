"""A directory as one thing: a manifest that names every member and its digest.

Must not know: how a member is digested, or where its bytes are kept.

The manifest is JSON in a canonical form, so that equal trees have equal bytes and thereby equal digests: members
sorted by the bytes of their paths, keys in a fixed order, absent values left out.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import PurePosixPath
from typing import Literal

import msgspec

from snakeprov.errors import CaptureError, CorruptStoreError, NewerStoreError
from snakeprov.model.digest import Digest
from snakeprov.model.paths import to_os, to_text

MANIFEST_VERSION = 1
"""Version of the manifest's form."""

MAX_ENTRIES = 1_000_000
"""Most members a directory may have to be recorded."""

MARKER = ".snakemake_timestamp"
"""The file with which Snakemake marks a `directory()` output; it is no part of what the rule made."""


class Entry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """One member of a directory.

    Attributes:
        path: Relative to the directory (text form of `snakeprov.model.paths`).
        type: `directory` only for empty ones; `other` is a FIFO, a socket or a device; `unreadable` is a file or a
            directory that could not be read, or that changed meanwhile.
        size_bytes, sha256, md5: Of a file.
        executable: Whether its owner may run a file.
        target: Where a symbolic link points, as written (text form). Links are never followed.
    """

    path: str
    type: Literal["file", "symlink", "directory", "other", "unreadable"]
    size_bytes: int | None = None
    sha256: str | None = None
    md5: str | None = None
    executable: bool = False
    target: str | None = None


class _Document(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    manifest_version: int
    entries: list[Entry]


class _Version(msgspec.Struct, frozen=True, rename="camel"):
    manifest_version: int


class Manifest(msgspec.Struct, frozen=True):
    """What a directory holds.

    Attributes:
        entries: Its members, sorted by the bytes of their paths.
        content: The manifest as JSON, canonical; these bytes are what is kept for the directory.
        digest: Of `content`.
    """

    entries: list[Entry]
    content: bytes
    digest: Digest

    @property
    def files(self) -> list[tuple[str, Digest]]:
        """The files among the members: path (relative, text form) and digest, in the order of `entries`."""
        return [
            (entry.path, Digest(entry.sha256, entry.md5, entry.size_bytes))
            for entry in self.entries
            if entry.sha256 is not None and entry.md5 is not None and entry.size_bytes is not None
        ]


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
    content = msgspec.json.encode(_Document(manifest_version=MANIFEST_VERSION, entries=entries))
    return Manifest(entries, content, _digest(content))


def read_manifest(content: bytes) -> Manifest:
    """Return the manifest whose JSON is `content`.

    What it says can be trusted to stay inside a directory: no path leads out of it, or through a member that is not a
    directory.

    Raises:
        NewerStoreError: A newer snakeprov wrote it.
        CorruptStoreError: It is not a manifest, or names a path that no directory could have given.
    """
    try:
        version = msgspec.json.decode(content, type=_Version).manifest_version
        if version > MANIFEST_VERSION:
            raise NewerStoreError(
                f"The manifest of a directory has version {version}; this snakeprov reads up to {MANIFEST_VERSION}.",
                hint="Update snakeprov.",
            )
        entries = msgspec.json.decode(content, type=_Document).entries
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _damaged(str(error)) from error
    _require_sound(entries)
    return Manifest(entries, content, _digest(content))


def _walk(root: str) -> Iterator[tuple[str, int]]:
    """Yield path (relative) and mode of the members of `root`, in no particular order; mode 0 where it is not known.

    Of the directories only the empty ones. A stack in place of recursion: depth has no limit.
    """
    pending = [("", [member for member in _list(root) if member.name != MARKER])]
    while pending:
        prefix, members = pending.pop()
        for member in members:
            path = prefix + member.name
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


def _digest(content: bytes) -> Digest:
    return Digest(
        hashlib.sha256(content).hexdigest(), hashlib.md5(content, usedforsecurity=False).hexdigest(), len(content)
    )


def _require_sound(entries: list[Entry]) -> None:
    leaves: set[str] = set()
    for entry in entries:
        path = to_os(entry.path)
        parts = PurePosixPath(path).parts
        if "/".join(parts) != path or not parts or ".." in parts or "\0" in path or to_text(path) != entry.path:
            raise _damaged(f"'{entry.path}' is not the path of a member")
        if path in leaves:
            raise _damaged(f"'{entry.path}' is named twice")
        if (entry.type == "file") != (None not in (entry.sha256, entry.md5, entry.size_bytes)):
            raise _damaged(f"'{entry.path}' is a {entry.type} and has the digest of something else")
        if (entry.type == "symlink") != (entry.target is not None):
            raise _damaged(f"'{entry.path}' is a {entry.type} and has the target of something else")
        leaves.add(path)
    for path in leaves:
        for parent in PurePosixPath(path).parents:
            if str(parent) in leaves:
                raise _damaged(f"'{to_text(path)}' lies in '{to_text(str(parent))}', which has no members")


def _damaged(what: str) -> CorruptStoreError:
    return CorruptStoreError(
        f"The manifest of a directory is damaged: {what}.",
        hint="Restore the repository from a backup.",
    )
