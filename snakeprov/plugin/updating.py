"""Files as they are before a job changes them: what `update()` and `before_update()` are about.

Must not know: what else is recorded of a job.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from snakeprov.capture.files import digest_stable
from snakeprov.model.records import FileFact
from snakeprov.plugin.observe import look

MAX_DIGEST_BYTES = 64 * 1024 * 1024
"""A file is read at once, while Snakemake waits, if it is not larger than this. Of a larger one the digest is known
where an earlier run has read it."""


def before_update(job: Any, path_of: Callable[[str], str]) -> dict[str, FileFact]:
    """Return, by path, what is there now of the files that `job`, or one after it, is to update.

    Raises:
        CaptureError: A file cannot be read, or changes while it is.
    """
    facts = {}
    for files, flag in ((job.input, "before_update"), (job.output, "update")):
        for one in files:
            if one.flags and flag in one.flags:
                fact = _seen(str.__str__(one), path_of)
                facts[fact.path] = fact
    return facts


def _seen(path: str, path_of: Callable[[str], str]) -> FileFact:
    sight = look(path)
    fingerprint = sight.fingerprint
    is_small = fingerprint is not None and fingerprint.size_bytes <= MAX_DIGEST_BYTES
    return FileFact(
        path=path_of(path),
        flags=["before_update"],
        kind=sight.kind,
        fingerprint=fingerprint,
        symlink_target=sight.symlink_target,
        digest=digest_stable(path, fingerprint) if is_small else None,
    )
