"""Find which recorded versions are still on disk, and digest any file or directory."""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType
from typing import Self

from snakeprov.disk import files, tree
from snakeprov.disk.digestcache import DigestCache
from snakeprov.errors import CaptureError
from snakeprov.model.digest import Digest
from snakeprov.model.paths import to_os


class Disk:
    """The files of a working directory; files that look unchanged are not read again. A context manager.

    Not thread-safe.
    """

    def __init__(self, working_directory: Path, *, md5: bool = False) -> None:
        """Prepare for paths that are relative to `working_directory`, which need not be a workflow's.

        `md5` says whether the md5 is needed too.
        """
        self._md5 = md5
        self._root = str(working_directory)
        self._cache = DigestCache.of(working_directory)
        self._seen: dict[str, Digest | None] = {}

    def has(self, path: str, *, sha256: str | None, size_bytes: int | None) -> bool:
        """Return whether the file at a recorded path (text form) has that content; read it only if its size matches.

        What cannot be read is not there.
        """
        place = os.path.join(self._root, to_os(path))  # noqa: PTH118  an absolute path stays one
        if sha256 is None:
            return False
        if not path.endswith("/"):
            seen = files.fingerprint(place)
            if seen is None or (size_bytes is not None and seen.size_bytes != size_bytes):
                return False
        if place not in self._seen:
            try:
                self._seen[place] = self.digest(place)
            except CaptureError:
                self._seen[place] = None
        digest = self._seen[place]
        return digest is not None and digest.sha256 == sha256

    def digest(self, place: str) -> Digest:
        """Return the digest of the file at `place`, or of the manifest of the directory.

        Raises:
            CaptureError: There is none, or it cannot be read.
        """
        if os.path.isdir(place):  # noqa: PTH112
            return tree.digest_directory(place, self._digest).digest
        return self._digest(place)

    def _digest(self, place: str) -> Digest:
        return self._cache.digest_file(place, md5=self._md5)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._cache.close()
