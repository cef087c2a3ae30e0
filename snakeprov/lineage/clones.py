"""Recognise paths in commands and params that lead into a git clone, so that moving the clone changes nothing.

Pure functions.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from typing import Any, Final

from snakeprov.model.paths import split_repository
from snakeprov.model.records import JobRecord, code_paths

_PATH: Final = re.compile(r"(?<![^\s'\"=:,;|&<>(){}\[\]])/[^\s'\"=:,;|&<>(){}\[\]]+")
"""An absolute path in a text."""

Roots = Mapping[str, str]
"""Where clones lay, and what the recorded paths of their files begin with."""


def roots(job: JobRecord) -> Roots:
    """Return the clones outside of the working directory that a job executed code of."""
    found: dict[str, str] = {}
    for place, path in code_paths(job).items():
        repository, inside = split_repository(path)
        if repository and place.endswith(f"/{inside}"):
            found[place.removesuffix(f"/{inside}")] = repository
    return found


def is_same(old: Any, new: Any, old_roots: Roots, new_roots: Roots) -> bool:
    """Return whether two values differ only in the paths of clones.

    >>> is_same("sh /a/x.sh", "sh /b/../c/x.sh", {"/a": "git:/1a2b.git"}, {"/c": "git:/1a2b.git"})
    True
    """
    return bool(old_roots and new_roots) and _moved(old, old_roots) == _moved(new, new_roots)


def _moved(value: Any, known: Roots) -> Any:
    """Return a value with each path into a clone told from its repository on."""
    if isinstance(value, str):
        return _PATH.sub(lambda found: _named(found[0], known), value)
    if isinstance(value, Mapping):
        return {name: _moved(one, known) for name, one in value.items()}
    return [_moved(one, known) for one in value] if isinstance(value, list | tuple) else value


def _named(path: str, known: Roots) -> str:
    normal = posixpath.normpath(path)
    for root, repository in known.items():
        if normal == root or normal.startswith(f"{root}/"):
            return repository + normal[len(root) :]
    return path
