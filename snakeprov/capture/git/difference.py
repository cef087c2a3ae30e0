"""Finds the tracked files that differ between two states of a repository: commits with their uncommitted changes."""

from __future__ import annotations

import codecs
import os
from pathlib import Path
from typing import Final, NamedTuple

from snakeprov.capture.git.program import DIFF, is_commit_id, run_git
from snakeprov.errors import CaptureError
from snakeprov.model.paths import to_text

FILES_MAX: Final = 1000
"""Files that are listed."""

DIFFERENCE_BYTES_MAX: Final = 16 << 20
"""Files beyond this much of a difference are left out."""

_TIMEOUT_S: Final = 10.0
_HEAD: Final = b"diff --git "


class CodeState(NamedTuple):
    """A state of a repository: a commit, and as `patch` how the files differed from it, if they did."""

    commit: str
    patch: bytes | None = None


def changed_files(folder: Path, old: CodeState, new: CodeState) -> list[str]:
    """Return the tracked files that differ between two states, relative to the root of the repository, sorted.

    Args:
        folder: A directory in the work tree of the repository.
        old: The one state.
        new: The other.

    Raises:
        CaptureError: git cannot be asked, or the repository does not have a commit.
    """
    ours, theirs = _sections(old.patch or b""), _sections(new.patch or b"")
    differing = {name for name in ours.keys() | theirs.keys() if ours.get(name) != theirs.get(name)}
    if old.commit != new.commit:
        between = _sections(_diff(folder, old.commit, new.commit))
        back = _sections(_diff(folder, new.commit, old.commit)) if theirs else {}
        differing |= between.keys()
        # What was not committed in one run and is in the commit of the other is the same file.
        same = {name for name in differing if name in between and _is_one(name, between, back, ours, theirs)}
        differing -= same
    return sorted(to_text(os.fsdecode(name)) for name in differing)[:FILES_MAX]


def _is_one(
    name: bytes,
    between: dict[bytes, bytes],
    back: dict[bytes, bytes],
    ours: dict[bytes, bytes],
    theirs: dict[bytes, bytes],
) -> bool:
    if name in ours:
        return name not in theirs and ours[name] == between[name]
    return name in theirs and theirs[name] == back.get(name)


def _diff(folder: Path, old: str, new: str) -> bytes:
    for commit in (old, new):
        if not is_commit_id(commit):
            raise CaptureError(f"{commit!r} is not the id of a commit: git diff was not asked.")
    return run_git(folder, [*DIFF, old, new, "--"], timeout_s=_TIMEOUT_S, limit_bytes=DIFFERENCE_BYTES_MAX).content


def _sections(patch: bytes) -> dict[bytes, bytes]:
    """Return the parts of a patch by the path of the file, as git writes it."""
    sections: dict[bytes, list[bytes]] = {}
    lines: list[bytes] = []
    for line in patch.splitlines(keepends=True):
        if line.startswith(_HEAD):
            named = line[len(_HEAD) :].rstrip(b"\n")
            # `a/PATH b/PATH`, or both in quotes; without renames both halves are alike.
            half = named[: len(named) // 2]
            if half.startswith(b'"'):
                half = codecs.escape_decode(half[1:-1])[0]
            lines = sections.setdefault(half.removeprefix(b"a/"), [])
        lines.append(line)
    return {name: b"".join(part) for name, part in sections.items()}
