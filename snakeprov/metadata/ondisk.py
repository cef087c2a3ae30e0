"""Check whether a file on disk is still the one that was there at a given time. Reads the state of each path once."""

from __future__ import annotations

import os
import stat

from snakeprov.disk import files
from snakeprov.errors import CaptureError
from snakeprov.model.digest import Digest
from snakeprov.model.paths import TIMESTAMP
from snakeprov.model.records import FileKind, Fingerprint


class FileOnDisk:
    """What is on disk at one path.

    Attributes:
        kind: file, directory, missing or other; links are followed.
        fingerprint: Of a regular file.
        symlink_target: Where the path is a link: its target, as written.
    """

    __slots__ = ("_digest", "_link", "_newest_s", "_path", "_stamp", "fingerprint", "kind", "symlink_target")

    def __init__(self, path: str) -> None:
        self._path = path
        self._digest: Digest | None = None
        self._newest_s: float | None = None
        self.kind: FileKind = "missing"
        self.fingerprint: Fingerprint | None = None
        self.symlink_target: str | None = None
        try:
            self._link = status = os.lstat(path)
            if stat.S_ISLNK(status.st_mode):
                self.symlink_target = os.readlink(path)  # noqa: PTH115  many thousands: no Path is made
                status = os.stat(path)  # noqa: PTH116
        except (OSError, ValueError):
            return
        self._stamp = self._link
        if stat.S_ISREG(status.st_mode):
            self.kind = "file"
            self.fingerprint = files.from_stat(status)
            self._newest_s = status.st_mtime
        elif stat.S_ISDIR(status.st_mode):
            self.kind = "directory"
            if self.symlink_target is None:
                self._stamp = _stat_or_none(os.path.join(path, TIMESTAMP)) or self._link  # noqa: PTH118
        else:
            self.kind = "other"

    def was_left_at(self, moment_s: float) -> bool:
        """Return whether the path was last written at that very moment, and nothing in it or behind it since.

        A file that went through an archive that keeps whole seconds only is recognised too.
        """
        if self.kind not in ("file", "directory"):
            return False
        mtime_s = self._stamp.st_mtime
        if mtime_s.is_integer() and int(moment_s) == mtime_s:
            moment_s = mtime_s
        return mtime_s == moment_s and self.newest_s() <= moment_s

    def newest_s(self) -> float:
        """Return when the file, or anything in the directory, was last modified."""
        if self._newest_s is None:
            self._newest_s = _newest_in(self._path)
        return self._newest_s

    def digest(self) -> Digest | None:
        """Return the digest of a regular file; None where there is none or it cannot be read."""
        if self._digest is None and self.kind == "file":
            try:
                self._digest = files.digest_stable(self._path, self.fingerprint)
            except CaptureError:
                return None
        return self._digest


def _stat_or_none(path: str) -> os.stat_result | None:
    try:
        return os.stat(path)  # noqa: PTH116
    except OSError:
        return None


def _newest_in(folder: str) -> float:
    newest_s = os.stat(folder).st_mtime  # noqa: PTH116
    for root, folders, names in os.walk(folder):
        for name in (*folders, *names):
            newest_s = max(newest_s, os.lstat(os.path.join(root, name)).st_mtime)  # noqa: PTH118
    return newest_s
