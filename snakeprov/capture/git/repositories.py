"""Gives a file of a git repository its recorded path, wherever the repository is on disk.

A file in a repository is named by the repository and by its path in it, so a clone that is moved, or another clone,
goes on with the history:

* `git:/github.com/lab/pipeline.git/workflow/Snakefile` where the remote `origin`, or the only remote, is on a host; all
  spellings of its URL (https, ssh, `git@host:path`) are one name.
* `git:/1a2b3c4d5e6f.git/workflow/Snakefile` otherwise, by the first 12 digits of the first commit: that of HEAD's
  first parents. Unlike a folder's name it stays when the folder is renamed, and no two repositories share it that do
  not share their history.

What ends in `.git` first is the repository: no other part before it does, and it is a host and a path, or a commit
alone. So no two repositories have one name. No file of a project has such a path either: what lies in a folder `git:`
of the working directory is recorded by its absolute path (`snakeprov.capture.places`).
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

from snakeprov.capture.git.library import find_root, open_repository, read_remote_url
from snakeprov.capture.git.program import run_git
from snakeprov.capture.git.remotes import repository_name
from snakeprov.errors import CaptureError
from snakeprov.model.paths import in_repository, is_own_place, to_os

TIMEOUT_S: Final = 30.0
"""How long the git program may take to find the first commit."""

ID_CHARS: Final = 12

_FIRST_COMMIT: Final = ("rev-list", "--first-parent", "--max-parents=0", "HEAD")
_COMMIT: Final = re.compile(rb"[0-9a-f]{40,64}")


class Clone(NamedTuple):
    """A clone of a repository on disk.

    Attributes:
        root: Absolute, as Python's file functions take it.
        prefix: What the recorded paths of its files begin with.
    """

    root: str
    prefix: str

    def place(self, recorded: str) -> str | None:
        """Return where the file of a recorded path lies in this clone; None where it is of another repository."""
        inside = recorded.removeprefix(self.prefix)
        if not recorded.startswith(self.prefix) or not is_own_place(inside):
            return None
        return os.path.join(self.root, to_os(inside))  # noqa: PTH118  any bytes


class Repositories:
    """Names files by their repositories; each repository is looked at once. Not thread-safe, never raises."""

    def __init__(self) -> None:
        self._roots: dict[str, Path | None] = {}
        self._names: dict[Path, str | None] = {}

    def path(self, path: str) -> str | None:
        """Return the path (text form) under which a file is recorded; None where it belongs to no repository.

        Nor is there one for a repository without a commit and a remote, or one that cannot be read.

        Args:
            path: Absolute, as Python's file functions take it, the links on the way to the file's folder resolved.
        """
        found = self._find(path)
        return None if found is None else in_repository(found[1], os.path.relpath(path, found[0]))

    def clone(self, path: str) -> Clone | None:
        """Return the clone that a file lies in; None where `path` would return None."""
        found = self._find(path)
        return None if found is None else Clone(str(found[0]), in_repository(found[1], ""))

    def _find(self, path: str) -> tuple[Path, str] | None:
        """Return root and name of the repository that a file lies in."""
        folder = os.path.dirname(path)  # noqa: PTH120  the hot path
        if folder not in self._roots:
            self._roots[folder] = find_root(Path(folder))
        root = self._roots[folder]
        if root is None:
            return None
        if root not in self._names:
            self._names[root] = _name_of(root)
        name = self._names[root]
        return None if name is None else (root, name)


def _name_of(root: Path) -> str | None:
    url = None
    with suppress(Exception):  # a library reads a stranger's files here, and raises whatever it meets
        url = read_remote_url(open_repository(root), None)
    return (repository_name(url) if url is not None else None) or _by_first_commit(root)


def _by_first_commit(root: Path) -> str | None:
    try:
        output = run_git(root, list(_FIRST_COMMIT), timeout_s=TIMEOUT_S, limit_bytes=1024)
    except (CaptureError, RuntimeError):  # it has no commit, it belongs to somebody else, or there is no git program
        return None
    commit = _COMMIT.match(output.content)
    return f"{commit[0][:ID_CHARS].decode()}.git" if commit is not None else None
