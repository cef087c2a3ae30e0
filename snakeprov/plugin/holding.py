"""Holds the files of a job as they are now, until somebody else has digested them.

A moment after a job has ended its files may be moved, changed or deleted: by Snakemake, which removes what is
temporary, or by the next job. So, before anything else can happen, small files are read, larger ones are opened, and
contents and descriptors are passed to the delivering process, which digests them. Snakemake waits meanwhile: nothing
is digested here, except where that is the last chance.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from typing import Final

from snakeprov.disk.files import digest_bytes, digest_held
from snakeprov.disk.mounts import can_be_kept_open
from snakeprov.disk.tree import list_quickly, listing_digest
from snakeprov.errors import CaptureError
from snakeprov.model.digest import Digest
from snakeprov.model.held import HeldFile, Hold, Listing, Member, Tell
from snakeprov.model.paths import to_os, to_text
from snakeprov.model.records import Fingerprint

SMALL_BYTES: Final = 64 * 1024
"""Files up to this size are read: what the next job does to them cannot matter any more."""

CONTENT_BYTES_MAX: Final = 512 * 1024
"""Bytes read for one job; files beyond are opened instead."""

MESSAGE_BYTES: Final = 96 * 1024
MESSAGE_DESCRIPTORS: Final = 60
"""A message is sent when it has reached one of these. It also bounds how many files are open here at once."""

MEMBERS_MAX: Final = 1000
LISTING_S: Final = 0.005
"""Limits of listing a directory here. The delivering process lists larger or slower ones, a moment later."""

MEMBERS_HELD_MAX: Final = 120
"""Members of one directory that are held, unless it is about to be deleted: then all that were listed."""

URGENT_BYTES_MAX: Final = 64 * 1024 * 1024
"""Bytes digested for one job at once, here or where the files are taken, since there is no other way."""

LISTED_AT_ONCE: Final = 500


class Holding:
    """Holds the files of one job. Not thread-safe.

    Attributes:
        digests: What had to be digested here, by key.
        lost: How many files that are about to vanish, or to be changed, could not be held.
    """

    def __init__(self, job_id: str, tell: Tell) -> None:
        """Hold files of the job that has or will have this id; `tell` takes the messages."""
        self.job_id = job_id
        self.digests: dict[str, Digest] = {}
        self.lost = 0
        self._tell = tell
        self._files: list[HeldFile] = []
        self._descriptors: list[int] = []
        self._vanishing: set[tuple[str, str]] = set()
        self._bytes = 0
        self._content_bytes_left = CONTENT_BYTES_MAX
        self._urgent_bytes_left = URGENT_BYTES_MAX

    def file(
        self,
        key: str,
        path: str,
        fingerprint: Fingerprint,
        *,
        member: str = "",
        vanishes: bool = False,
        changes: bool = False,
        any_time: bool = False,
        moved_from_ns: int | None = None,
    ) -> None:
        """Hold the regular file that was just seen at `path`. Never raises: a file that cannot be opened is left.

        Args:
            key: Which file of the job it is.
            path: As Python's file functions take it.
            fingerprint: What was seen.
            member: Its path below the directory that `key` stands for.
            vanishes: Whether Snakemake is about to delete it.
            changes: Whether a job is about to change it: then it is digested as soon as somebody has taken it.
            any_time: Whether its time of modification may change, and its bytes will not.
            moved_from_ns: See `HeldFile`.
        """
        if vanishes:
            self._vanishing.add((key, member))
        is_small = fingerprint.size_bytes <= min(SMALL_BYTES, self._content_bytes_left)
        if not is_small and not can_be_kept_open(fingerprint.device):
            if vanishes:
                self._digest_here(key, path, fingerprint, member)
            return
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except (OSError, ValueError):
            return
        content = self._read(descriptor, fingerprint.size_bytes) if is_small else None
        is_urgent = False
        if content is not None:
            os.close(descriptor)
        elif not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            return
        else:
            is_urgent = changes and fingerprint.size_bytes <= self._urgent_bytes_left
            if is_urgent:
                self._urgent_bytes_left -= fingerprint.size_bytes
            self._descriptors.append(descriptor)
        self._add(HeldFile(key, member, fingerprint, content, None, is_urgent, any_time, moved_from_ns))

    def directory(self, key: str, path: str, *, vanishes: bool = False, is_held: bool = False) -> str | None:
        """Note what is in the directory at `path`, and hold its files; return the digest of the listing.

        None where there is too much in it to be looked at while Snakemake waits.

        Args:
            key: Which file of the job it is.
            path: As Python's file functions take it.
            vanishes: Whether Snakemake is about to delete it.
            is_held: Whether the job that made it was seen, and so its files were held before.
        """
        members = list_quickly(path, max_members=MEMBERS_MAX, max_s=LISTING_S)
        if is_held:
            return listing_digest(members) if members is not None else None
        if members is None and vanishes:
            members = list_quickly(path, max_members=100 * MEMBERS_MAX, max_s=100 * LISTING_S)
        if members is None:
            self._list(key, path, None)
            return None
        self._list(key, path, members)
        left = len(members) if vanishes else MEMBERS_HELD_MAX
        for member in members:
            if left and member.fingerprint is not None and stat.S_ISREG(member.mode):
                self.file(
                    key,
                    f"{path}/{to_os(member.path)}",
                    member.fingerprint,
                    member=member.path,
                    vanishes=vanishes,
                )
                left -= 1
        return listing_digest(members)

    def send(self) -> None:
        """Pass on what is held and has not been passed on yet. Never raises."""
        files, descriptors = self._files, self._descriptors
        if not files:
            return
        self._files, self._descriptors, self._bytes = [], [], 0
        try:
            if not self._tell(Hold(self.job_id, files), descriptors):
                self._keep_here(files, descriptors)
        finally:
            for descriptor in descriptors:
                os.close(descriptor)
            self._vanishing.clear()

    def _add(self, held: HeldFile) -> None:
        self._files.append(held)
        self._bytes += len(held.content or b"") + len(held.member) + 100
        if self._bytes >= MESSAGE_BYTES or len(self._descriptors) >= MESSAGE_DESCRIPTORS:
            self.send()

    def _list(self, key: str, path: str, members: Sequence[Member] | None) -> None:
        parts = [None] if members is None else _parts(members)
        for number, part in enumerate(parts, start=1):
            if not self._tell(Listing(self.job_id, key, to_text(path), part, number == len(parts))):
                return

    def _read(self, descriptor: int, size_bytes: int) -> bytes | None:
        """Return the content of a small file, None if it has another size by now or cannot be read."""
        try:
            content = os.pread(descriptor, SMALL_BYTES + 1, 0)
        except OSError:
            return None
        if len(content) != size_bytes:
            return None
        self._content_bytes_left -= len(content)
        return content

    def _digest_here(self, key: str, path: str, fingerprint: Fingerprint, member: str) -> None:
        """Digest a file that is about to vanish and must not be open by then."""
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except (OSError, ValueError):
            return
        try:
            digest = self._digest_at_last(descriptor, fingerprint)
        finally:
            os.close(descriptor)
        if digest is None:
            self.lost += 1
        else:
            self._add(HeldFile(key, member, fingerprint, digest=digest))

    def _keep_here(self, files: Sequence[HeldFile], descriptors: Sequence[int]) -> None:
        """Digest what nobody takes: what is small, and what is about to vanish. The rest is read later, by its path.

        Members of directories are not digested: a record has no place for their digests.
        """
        left = iter(descriptors)
        for held in files:
            is_open = held.content is None and held.digest is None
            descriptor = next(left) if is_open else -1
            vanishes = (held.key, held.member) in self._vanishing
            if held.member or (is_open and not vanishes):
                self.lost += vanishes or held.is_urgent
                continue
            if held.content is not None:
                digest: Digest | None = digest_bytes(held.content)
            else:
                digest = held.digest or self._digest_at_last(descriptor, held.fingerprint)
            if digest is not None:
                self.digests[held.key] = digest
            else:
                self.lost += 1

    def _digest_at_last(self, descriptor: int, fingerprint: Fingerprint) -> Digest | None:
        if fingerprint.size_bytes > self._urgent_bytes_left:
            return None
        self._urgent_bytes_left -= fingerprint.size_bytes
        try:
            return digest_held(descriptor, fingerprint, md5=True)  # nobody can complete it later
        except CaptureError:
            return None


def _parts(members: Sequence[Member]) -> list[list[Member]]:
    return [list(members[start : start + LISTED_AT_ONCE]) for start in range(0, len(members), LISTED_AT_ONCE)] or [[]]
