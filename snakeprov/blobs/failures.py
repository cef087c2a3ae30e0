"""Translate errors of the operating system for the folder of the contents."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from snakeprov.disk.shortage import in_words, shortage_in
from snakeprov.errors import FullStoreError, StoreError


@contextmanager
def explained(folder: Path) -> Iterator[None]:
    """Turn an OSError into ours.

    Raises:
        FullStoreError: No space is left on the device, or in the user's quota.
        StoreError: It failed for another reason.
    """
    try:
        yield
    except OSError as error:
        if shortage := shortage_in(error):
            raise FullStoreError(
                f"Nothing more can be kept in {folder}: {shortage}.",
                hint="Free some space, or lower the size up to which files are kept.",
            ) from error
        raise StoreError(
            f"Nothing can be kept in {folder}: {in_words(error)}.",
            hint="Check the permissions of the folder and the state of the disk.",
        ) from error
