"""The meaning of a version's bytes in an answer, and its words, the same on every screen and in exports."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

from snakeprov.model.answers import Meaning, MeaningKind

NOT_PROVED: Final = "identity not proved"
"""For a version without a digest, and for a use whose bytes were not read."""

EDITED: Final = "edited by hand"

RAW: Final = "raw input"

_READ_AS: Final = {"code": "code", "workflow": "code", "environment": "environment"}
"""What a version is called instead that jobs did not read as data, by its role."""


EDGES: Final[Mapping[MeaningKind, Literal["again", "revisionOf", "sameContent"]]] = {
    "again": "again",
    "edited": "revisionOf",
    "sameContent": "sameContent",
}
"""The kind of edge in a lineage from a version to the one that its bytes refer to."""


def unmade(role: str | None) -> str:
    """Return what a version is called that no recorded job made, by its role: what it was to the first job naming it.

    >>> unmade("input"), unmade("workflow"), unmade(None)
    ('raw input', 'code', 'raw input')
    """
    return _READ_AS.get(role or "", RAW)


def said(meaning: Meaning, *, path: str) -> str:
    """Return what the bytes of a version at `path` mean.

    >>> said(Meaning(kind="edited", path="a.txt", version_number=1, while_rule="k"), path="a.txt")
    'edited after @1, while k ran'
    >>> said(Meaning(kind="sameContent", path="b.txt", version_number=2), path="a.txt")
    'same content as b.txt@2'
    >>> said(Meaning(kind="again", path="a.txt", version_number=1), path="a.txt")
    '= @1'
    """
    target = name_of(meaning, path=path)
    if meaning.kind == "again":
        return f"= {target}" if target else "earlier bytes again"
    if meaning.kind == "sameContent":
        return f"same content as {target or 'another file'}"
    return f"edited after {target}{_while(meaning)}" if target else EDITED + _while(meaning)


def changed_by_hand(meaning: Meaning, *, path: str, made: str = "") -> str:
    """Return that a version at `path` was edited, so that it goes with "was"; `made` stands behind what was edited.

    >>> changed_by_hand(Meaning(kind="edited", path="a.txt", version_number=1, while_rule="k"), path="a.txt")
    'changed after @1, while k ran'
    >>> changed_by_hand(Meaning(kind="edited", path="d/", version_number=1), path="d/m.txt", made=" (made by split)")
    'edited by hand after d/@1 (made by split)'
    """
    target = name_of(meaning, path=path)
    what = EDITED if is_by_hand(meaning) else "changed"
    return f"{what} after {target}{made}{_while(meaning)}" if target else what + _while(meaning)


def happened(meaning: Meaning, *, path: str) -> str:
    """Return in a few words what happened to a file between two versions of it, so that it goes behind both.

    >>> happened(Meaning(kind="again", path="a.txt", version_number=1), path="a.txt")
    'content of @1 put back'
    """
    if meaning.kind == "again":
        return f"content of {name_of(meaning, path=path) or 'an earlier version'} put back"
    if meaning.kind == "sameContent":
        return said(meaning, path=path)
    return _while(meaning).removeprefix(", ") or EDITED


def mark(meaning: Meaning, *, path: str) -> str:
    """Return the mark that stands for it in a list of versions: `= @1`, `edited after @1`, `~ other/path@2`."""
    if meaning.kind == "sameContent":
        return f"~ {name_of(meaning, path=path) or 'another file'}"
    return said(meaning, path=path)


def is_by_hand(meaning: Meaning) -> bool:
    """Return whether a version was edited by hand: a job may have done it, where one ran meanwhile."""
    return meaning.kind == "edited" and not _while(meaning)


def name_of(meaning: Meaning, *, path: str) -> str:
    """Return the version that it refers to, without its path if that is `path`; empty if the user may not see it."""
    if meaning.path is None or meaning.version_number is None:
        return ""
    return f"@{meaning.version_number}" if meaning.path == path else f"{meaning.path}@{meaning.version_number}"


def _while(meaning: Meaning) -> str:
    if meaning.while_rule is not None:
        return f", while {meaning.while_rule} ran"
    return f", while job {meaning.while_job_id[:8]} ran" if meaning.while_job_id else ""
