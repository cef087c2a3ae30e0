"""The files of one job that are held until they are digested, in the delivering process.

Must not know: who held them first, or what the digests are for.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import NamedTuple

from msgspec import structs

from snakeprov.disk.files import digest_bytes, digest_held
from snakeprov.disk.tree import list_directory
from snakeprov.errors import CaptureError, ChangedFileError
from snakeprov.model.digest import Digest
from snakeprov.model.held import HeldFile, Listing, Member
from snakeprov.model.paths import to_os
from snakeprov.model.records import Fingerprint

Moves = dict[tuple[int, int, int], int]
"""Modification time of files after they were renamed, by device, inode and the modification time before."""


class OpenFile(NamedTuple):
    """A file that is open; see `HeldFile` for `any_time`."""

    descriptor: int
    any_time: bool
    moves: Moves

    def digest(self, fingerprint: Fingerprint, *, md5: bool = False) -> Digest:
        """Return its digest, if it is still what it was; else raise CaptureError."""
        try:
            return digest_held(self.descriptor, fingerprint, any_time=self.any_time, md5=md5)
        except ChangedFileError:
            now_ns = self.moves.get((fingerprint.device, fingerprint.inode, fingerprint.mtime_ns))
            if now_ns is None:
                raise
        # A later job did no more than rename it, and Snakemake gave it another time.
        return self.digest(structs.replace(fingerprint, mtime_ns=now_ns), md5=md5)


class HeldFiles:
    """Files by key and member (see `snakeprov.model.held`): as digests, or open. Not thread-safe.

    Attributes:
        contents: The bytes of small files, by sha256.
    """

    def __init__(self, moves: Moves | None = None, *, md5: bool = False) -> None:
        """Hold nothing yet; `moves` is shared by the jobs of a run, and `md5` says whether the store needs that too."""
        self._md5 = md5
        self._moves = {} if moves is None else moves
        self.contents: dict[str, bytes] = {}
        self._files: dict[tuple[str, str], Digest | OpenFile] = {}
        self._listings: dict[str, list[Member]] = {}
        self._complete: set[str] = set()

    @property
    def open_count(self) -> int:
        """How many files are open."""
        return sum(isinstance(one, OpenFile) for one in self._files.values())

    @property
    def content_bytes(self) -> int:
        """How many bytes of small files are kept here."""
        return sum(map(len, self.contents.values()))

    def add(self, file: HeldFile, descriptor: int | None, *, may_stay_open: bool = True, may_keep: bool = True) -> None:
        """Take a file, with its descriptor if it has one. It is digested now if it is small or cannot stay open."""
        place = (file.key, file.member)
        seen = file.fingerprint
        if file.moved_from_ns is not None and file.moved_from_ns != seen.mtime_ns:
            self._moves[seen.device, seen.inode, file.moved_from_ns] = seen.mtime_ns
        if descriptor is not None:
            opened = OpenFile(descriptor, file.any_time, self._moves)
            if may_stay_open and not file.is_urgent:
                self._files[place] = opened
                return
            with suppress(CaptureError):  # it has changed: nobody knows any more what it was
                self._files[place] = opened.digest(file.fingerprint, md5=self._md5)
            os.close(descriptor)
        elif file.digest is not None:
            self._files[place] = file.digest
        elif file.content is not None:
            digest = self._files[place] = digest_bytes(file.content)
            if may_keep:
                self.contents[digest.sha256] = file.content

    def take_listing(self, listing: Listing) -> None:
        """Take what a directory holds, or list it now."""
        members = listing.members
        if members is None:
            with suppress(CaptureError):  # it is gone already
                members = list_directory(to_os(listing.path))
        if members is not None:
            self._listings.setdefault(listing.key, []).extend(members)
            if listing.is_last:
                self._complete.add(listing.key)

    def file(self, key: str, member: str = "") -> Digest | OpenFile | None:
        """Return the digest of a file, or the open file, which stays owned here; None if it is not held."""
        return self._files.get((key, member))

    def members(self, key: str) -> list[Member] | None:
        """Return what is in a directory; None if that is not known."""
        return self._listings[key] if key in self._complete else None

    def close(self) -> None:
        """Close the files that are open."""
        for one in self._files.values():
            if isinstance(one, OpenFile):
                os.close(one.descriptor)
        self._files.clear()
