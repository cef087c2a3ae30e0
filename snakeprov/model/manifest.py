"""The manifest of a recorded directory: it names every member and its digest.

The manifest is JSON in a canonical form, so that equal trees have equal bytes and hence equal digests: members
sorted by the bytes of their paths, keys in a fixed order, absent values left out.
"""

from __future__ import annotations

import hashlib
from pathlib import PurePosixPath
from typing import Literal

import msgspec

from snakeprov.errors import CorruptStoreError, NewerStoreError
from snakeprov.model.digest import Digest
from snakeprov.model.paths import TOOL_FOLDERS, to_os, to_text

MANIFEST_VERSION = 1
"""Version of the manifest's form."""


class Entry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """One member of a directory.

    Attributes:
        path: Relative to the directory (text form of `snakeprov.model.paths`).
        type: `directory` only for empty ones; `other` is a FIFO, a socket or a device; `unreadable` is a file or a
            directory that could not be read, or that changed meanwhile; `leftOut` is whatever is called like one of
            `TOOL_FOLDERS`.
        size_bytes, sha256: Of a file.
        executable: Whether its owner may run a file.
        target: Where a symbolic link points, as written (text form). Links are never followed.
    """

    path: str
    type: Literal["file", "symlink", "directory", "other", "unreadable", "leftOut"]
    size_bytes: int | None = None
    sha256: str | None = None
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
        digest: Of `content`, with its md5.
    """

    entries: list[Entry]
    content: bytes
    digest: Digest

    @property
    def files(self) -> list[tuple[str, Digest]]:
        """The files among the members: path (relative, text form) and digest, in the order of `entries`."""
        return [
            (entry.path, Digest(entry.sha256, None, entry.size_bytes))
            for entry in self.entries
            if entry.sha256 is not None and entry.size_bytes is not None
        ]


def manifest_of(entries: list[Entry]) -> Manifest:
    """Return the manifest of a directory with these members, which are sorted by the bytes of their paths."""
    content = msgspec.json.encode(_Document(manifest_version=MANIFEST_VERSION, entries=entries))
    return Manifest(entries, content, _digest(content))


def read_manifest(content: bytes) -> Manifest:
    """Return the manifest whose JSON is `content`.

    What it says can be trusted to stay inside a directory: no path leads out of it, through a member that is not a
    directory, or into what is left out of manifests.

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
        if (parts[-1] in TOOL_FOLDERS) != (entry.type == "leftOut") or TOOL_FOLDERS & set(parts[:-1]):
            raise _damaged(f"'{entry.path}' is something that is never recorded")
        if path in leaves:
            raise _damaged(f"'{entry.path}' is named twice")
        if (entry.type == "file") != (None not in (entry.sha256, entry.size_bytes)):
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
        hint="Restore the store from a backup.",
    )
