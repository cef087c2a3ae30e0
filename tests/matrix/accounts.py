"""What others say of a run: Snakemake's log and metadata, the jobs themselves, the disk.

Must not know: snakeprov.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

WITNESS = "witness.log"
"""Where the jobs themselves write what they read and wrote."""

SEEN = f'for f in {{input:q}}; do echo "input $(sha256sum < "$f") {{rule}} $f" >> {WITNESS}; done; '
"""Begins a shell command: the job takes the digest of each of its inputs, which must be files, before it reads them."""

MADE = f'; for f in {{output:q}}; do echo "output $(sha256sum < "$f") {{rule}} $f" >> {WITNESS}; done'
"""Ends a shell command: the job takes the digest of each of its outputs, which must be files."""

_STARTED = re.compile(r"^\s*(?:local)?(?:rule|checkpoint) (\w+):$", re.MULTILINE)
_FINISHED = re.compile(r"^\s*Finished job(?:id:)? \d+", re.MULTILINE)
_WITNESSED = re.compile(r"(input|output) ([0-9a-f]{64})  - (\w+) (.*)")


class Read(NamedTuple):
    """A file that a job read or wrote, and what it held then."""

    role: str
    rule: str
    path: str
    sha256: str


def started(log: str) -> Counter[str]:
    """Return how many jobs of each rule Snakemake's log says were started, each attempt counted."""
    return Counter(_STARTED.findall(log))


def finished(log: str) -> int:
    """Return how many jobs Snakemake's log says succeeded."""
    return len(_FINISHED.findall(log))


def noted(directory: Path) -> dict[str, dict[str, Any]]:
    """Return Snakemake's own metadata, by path of the output."""
    folder = directory / ".snakemake" / "metadata"
    return {
        base64.urlsafe_b64decode(path.name).decode(): json.loads(path.read_text())
        for path in (folder.iterdir() if folder.exists() else ())
        if path.is_file()
    }


def witnessed(directory: Path) -> Counter[Read]:
    """Return what the jobs with `SEEN` and `MADE` in their commands read and wrote."""
    path = directory / WITNESS
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    found = [_WITNESSED.fullmatch(line) for line in lines]
    assert all(found), lines
    return Counter(Read(one[1], one[3], one[4], one[2]) for one in found if one)


def sha256(path: Path) -> str:
    """Return the digest of a file as it is now."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
