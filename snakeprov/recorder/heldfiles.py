"""The files of one job that are held until they are digested, in the delivering process.

Must not know: who held them first, or what the digests are for.
"""

from __future__ import annotations

import os
from contextlib import suppress

from snakeprov.capture.files import digest_bytes, digest_held
from snakeprov.capture.tree import list_directory
from snakeprov.errors import CaptureError
from snakeprov.model.digest import Digest
from snakeprov.model.held import HeldFile, Listing, Member
from snakeprov.model.paths import to_os


class HeldFiles:
    """Files by key and member (see `snakeprov.model.held`): as digests, or open. Not thread-safe."""

    def __init__(self) -> None:
        self._files: dict[tuple[str, str], Digest | int] = {}
        self._listings: dict[str, list[Member]] = {}
        self._complete: set[str] = set()

    @property
    def open_count(self) -> int:
        """How many files are open."""
        return sum(isinstance(one, int) for one in self._files.values())

    def add(self, file: HeldFile, descriptor: int | None, *, may_stay_open: bool) -> None:
        """Take a file, with its descriptor if it has one. It is digested now if it is small or cannot stay open."""
        place = (file.key, file.member)
        if descriptor is None:
            self._files[place] = file.digest or digest_bytes(file.content or b"")
        elif may_stay_open and not file.is_urgent:
            self._files[place] = descriptor
        else:
            with suppress(CaptureError):  # it has changed: nobody knows any more what it was
                self._files[place] = digest_held(descriptor, file.fingerprint)
            os.close(descriptor)

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

    def file(self, key: str, member: str = "") -> Digest | int | None:
        """Return the digest or the descriptor of a file; None if it is not held. The descriptor stays owned here."""
        return self._files.get((key, member))

    def members(self, key: str) -> list[Member] | None:
        """Return what is in a directory; None if that is not known."""
        return self._listings[key] if key in self._complete else None

    def close(self) -> None:
        """Close the files that are open."""
        for one in self._files.values():
            if isinstance(one, int):
                os.close(one)
        self._files.clear()
