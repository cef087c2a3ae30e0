"""Who computes a digest, and whether it is computed at all: the one place that decides.

Must not know: what becomes of the digest.
"""

from __future__ import annotations

import time

from snakeprov.capture.digestcache import DigestCache
from snakeprov.capture.files import digest_stable, fingerprint
from snakeprov.model.digest import Digest
from snakeprov.model.records import Fingerprint


def digest_known_or_read(path: str, cache: DigestCache, *, expected: Fingerprint | None = None) -> Digest:
    """Return the digest of the file at `path`, from the cache where the file is unchanged, else by reading it.

    Args:
        path: The file, as Python's file functions take it.
        cache: Where digests are looked up and remembered.
        expected: The fingerprint it must have, when given.

    Raises:
        ChangedFileError: The file is not the expected one any more, or changed while it was read.
        CaptureError: There is no regular file, or it cannot be read.
    """
    seen = fingerprint(path)
    if seen is not None and (expected is None or seen == expected):
        known = cache.get(seen)
        if known is not None:
            return known
    read_from_ns = time.time_ns()
    digest = digest_stable(path, expected if expected is not None else seen)
    if seen is not None:
        cache.put(seen, digest, read_from_ns=read_from_ns)
    return digest
