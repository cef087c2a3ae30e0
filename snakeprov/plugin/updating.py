"""Files as they are before a job changes them: what `update()` and `before_update()` are about.

Must not know: what else is recorded of a job.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from snakeprov.model.held import before_key
from snakeprov.model.records import FileFact
from snakeprov.plugin.holding import Holding
from snakeprov.plugin.observe import look


def before_update(job: Any, path_of: Callable[[str], str], holding: Callable[[], Holding]) -> dict[str, FileFact]:
    """Return, by path, what is there now of the files that `job`, or one after it, is to update; they are held.

    A file that is too large to be read at once may be changed before it is digested; then its digest is known only if
    it was read before.
    """
    facts = {}
    for files, flag in ((job.input, "before_update"), (job.output, "update")):
        for one in files:
            if one.flags and flag in one.flags:
                fact = _seen(str.__str__(one), path_of, holding)
                facts[fact.path] = fact
    if facts:
        held = holding()
        held.send()
        for path, fact in facts.items():
            fact.digest = held.digests.get(before_key(path))
    return facts


def _seen(path: str, path_of: Callable[[str], str], holding: Callable[[], Holding]) -> FileFact:
    seen = look(path)
    fact = FileFact(
        path=path_of(path),
        flags=["before_update"],
        kind=seen.kind,
        fingerprint=seen.fingerprint,
        symlink_target=seen.symlink_target,
    )
    if seen.fingerprint is not None and seen.kind == "file":
        holding().file(before_key(fact.path), path, seen.fingerprint, changes=True)
    elif seen.kind == "directory":
        fact.listing = holding().directory(before_key(fact.path), path)
    return fact
