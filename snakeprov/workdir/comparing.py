"""Compare a file on disk with a recorded version.

Files are read side by side, and an unchanged one that was read before is only looked at (`disk.digestcache`).
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from itertools import islice
from typing import Final

from snakeprov.capture.git.repositories import Clone
from snakeprov.disk import tree
from snakeprov.disk.digestcache import DigestCache
from snakeprov.errors import CaptureError
from snakeprov.model.answers import Version
from snakeprov.model.comparison import Compared, Difference
from snakeprov.model.digest import Digest
from snakeprov.model.manifest import Entry, Manifest
from snakeprov.model.paths import TIMESTAMP, TOOL_FOLDERS, is_elsewhere, relative_to, to_os, to_text

READ_AT_ONCE: Final = 4
"""How many files are read side by side; digests are computed without Python's lock."""

QUEUED_MAX: Final = 1000
"""How many files wait to be read."""

UNRECORDED_MAX: Final = 100_000
"""How many files in a folder are looked at for such as were never recorded."""


class Comparer:
    """Compares files of one working directory. Thread-safe."""

    def __init__(
        self, root: str, cache: DigestCache, *, deep: bool = False, md5: bool = False, clones: Sequence[Clone] = ()
    ) -> None:
        """Prepare.

        Args:
            root: The working directory, absolute, as Python's file functions take it.
            cache: Digests that are known already.
            deep: Read every file, whatever the cache knows.
            md5: Whether the store may know contents by their md5 alone.
            clones: Clones outside of the working directory that have code which is recorded by its repository.
        """
        self._root = root
        self._cache = cache
        self._deep = deep
        self._md5 = md5
        self._clones = clones

    def place(self, path: str) -> str:
        """Return where a recorded path lies, as Python's file functions take it."""
        in_clones = (clone.place(path) for clone in self._clones)
        place = next((one for one in in_clones if one is not None), None)
        return place or os.path.join(self._root, to_os(path.rstrip("/")))  # noqa: PTH118  it may be absolute

    def all(self, recorded: Iterable[Version]) -> Iterator[Compared]:
        """Yield the result for each file, in order; up to `READ_AT_ONCE` are read in parallel."""
        waiting = iter(recorded)
        with ThreadPoolExecutor(READ_AT_ONCE, thread_name_prefix="snakeprov-compare") as pool:
            while some := list(islice(waiting, QUEUED_MAX)):
                yield from pool.map(self.compare, some)

    def compare(self, recorded: Version) -> Compared:
        """Compare one file, or a directory with its manifest; never raises for what it finds on disk."""
        place = self.place(recorded.path)
        compared = Compared(path=recorded.path, state="ok", recorded=recorded)
        if self._is_elsewhere(recorded):
            compared.state = "elsewhere"
            return compared
        try:
            status = os.stat(place)  # noqa: PTH116
        except (FileNotFoundError, NotADirectoryError):
            compared.state = "logGone" if recorded.is_by_product else "missing"
            compared.problem = "It is a link to nothing." if os.path.lexists(place) else None
            return compared
        except (OSError, ValueError) as error:
            compared.state, compared.problem = "unreadable", f"It cannot be looked at: {_reason(error)}."
            return compared
        try:
            compared.digest = self._digest_of(place, status, recorded)
        except CaptureError as error:
            compared.state, compared.problem = "unreadable", error.message
            return compared
        if compared.digest is None:
            now, then = ("file", "directory") if recorded.is_directory else ("directory", "file")
            compared.problem = f"It is a {now} now, and was a {then}."
        elif recorded.is_content(compared.digest):
            return compared
        compared.state, compared.changed_on = "changed", _moment(status)
        return compared

    def digest(self, place: str) -> Digest:
        """Return the digest of a file, from the cache unless every file is to be read.

        Raises:
            CaptureError: There is no regular file, it cannot be read, or it changed meanwhile.
        """
        return self._cache.digest_file(place, md5=self._md5, fresh=self._deep)

    def manifest(self, place: str) -> Manifest:
        """Return the manifest of a directory as it is now.

        Raises:
            CaptureError: It cannot be listed.
        """
        return tree.digest_directory(place, self.digest)

    def explain_directory(self, compared: Compared, recorded: Manifest) -> None:
        """Say which members of a directory that changed differ from the manifest that is recorded, and since when."""
        place = self.place(compared.path)
        try:
            now = self.manifest(place)
        except CaptureError as error:
            compared.problem = error.message
            return
        compared.differences = differences(recorded.entries, now.entries)
        moments = [_moment_of(f"{place}/{to_os(one.path)}") for one in compared.differences if one.what != "removed"]
        compared.changed_on = max([moment for moment in moments if moment is not None], default=compared.changed_on)

    def unrecorded(self, folder: str, known: set[str]) -> tuple[list[str], bool]:
        """Return the paths of files below a folder that are not in `known`, and whether some were not looked at.

        Args:
            folder: As Python's file functions take it.
            known: Version paths; those of directories end with a slash, and what is in them counts as known.
        """
        found: list[str] = []
        places = _walk(folder, lambda inner: self._recorded_as(inner) + "/" in known)
        for seen, place in enumerate(places):
            if seen == UNRECORDED_MAX:
                return found, True
            if (path := self._recorded_as(place)) not in known:
                found.append(path)
        return sorted(found), False

    def _is_elsewhere(self, recorded: Version) -> bool:
        if recorded.sha256 is None and recorded.md5 is None:  # it went through a pipe
            return True
        return is_elsewhere(recorded.path) and not any(clone.place(recorded.path) for clone in self._clones)

    def _recorded_as(self, place: str) -> str:
        return relative_to(to_text(place), to_text(self._root))

    def _digest_of(self, place: str, status: os.stat_result, recorded: Version) -> Digest | None:
        """Return the digest of what is there; None where it is another kind of thing than was recorded."""
        if recorded.is_directory != stat.S_ISDIR(status.st_mode):
            return None
        return self.manifest(place).digest if recorded.is_directory else self.digest(place)


def differences(then: Sequence[Entry], now: Sequence[Entry]) -> list[Difference]:
    """Return what differs between two lists of members, by path.

    >>> a, b = Entry(path="a", type="directory"), Entry(path="b", type="directory")
    >>> [(one.path, one.what) for one in differences([a], [b])]
    [('a', 'removed'), ('b', 'added')]
    """
    old, new = ({entry.path: entry for entry in entries} for entries in (then, now))
    found = [Difference(path, "removed") for path in old.keys() - new.keys()]
    found += [Difference(path, "added") for path in new.keys() - old.keys()]
    found += [Difference(path, "changed") for path in old.keys() & new.keys() if old[path] != new[path]]
    return sorted(found, key=lambda one: one.path)


def _walk(folder: str, is_known_directory: Callable[[str], bool]) -> Iterator[str]:
    pending = [folder]
    while pending:
        try:
            with os.scandir(pending.pop()) as members:
                listed = sorted(members, key=lambda member: member.name)
        except OSError:
            continue
        for member in listed:
            if member.is_dir(follow_symlinks=False):
                if member.name not in TOOL_FOLDERS and not is_known_directory(member.path):
                    pending.append(member.path)
            elif member.name != TIMESTAMP:
                yield member.path


def _moment(status: os.stat_result) -> datetime | None:
    try:
        return datetime.fromtimestamp(status.st_mtime, UTC)
    except (OverflowError, ValueError, OSError):
        return None


def _moment_of(place: str) -> datetime | None:
    try:
        return _moment(os.lstat(place))
    except (OSError, ValueError):
        return None


def _reason(error: OSError | ValueError) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
