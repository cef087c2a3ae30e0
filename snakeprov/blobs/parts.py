"""The parts of unfinished uploads, in a local folder."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from snakeprov.blobs.failures import explained
from snakeprov.disk import privacy
from snakeprov.disk.replacing import complete

_CHUNK_BYTES = 1024 * 1024


class LocalParts:
    """Parts by upload and number. A part that is put again replaces the first. Thread-safe."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, upload: int, number: int, chunks: Iterable[bytes]) -> None:
        """Keep a part.

        Raises:
            FullStoreError: No space is left.
            StoreError: The folder cannot be written.
        """
        target = self._path(upload, number)
        with explained(self._folder):
            blobs = self._folder.parent
            blobs.parent.mkdir(parents=True, exist_ok=True)
            for folder in (blobs, self._folder, target.parent):
                privacy.make_folder(folder)
            mode = privacy.file_mode_like(target.parent)
            with (
                complete(target) as temporary,
                os.fdopen(privacy.create(temporary, os.O_WRONLY | os.O_EXCL, mode), "wb") as file,
            ):
                for chunk in chunks:
                    file.write(chunk)

    def md5(self, upload: int, number: int) -> str | None:
        """Return the md5 of a part, or None where there is no such part."""
        try:
            with self._path(upload, number).open("rb") as file:
                return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
        except FileNotFoundError:
            return None

    def chunks(self, upload: int, *, count: int) -> Iterator[bytes]:
        """Yield the content of the parts 1 to `count`, in order.

        Raises:
            KeyError: One of them is missing.
        """
        for number in range(1, count + 1):
            try:
                file = self._path(upload, number).open("rb")
            except FileNotFoundError:
                raise KeyError(number) from None
            with file:
                while chunk := file.read(_CHUNK_BYTES):
                    yield chunk

    def discard(self, upload: int) -> None:
        """Remove every part of an upload."""
        shutil.rmtree(self._folder / str(upload), ignore_errors=True)

    def _path(self, upload: int, number: int) -> Path:
        return self._folder / str(upload) / str(number)
