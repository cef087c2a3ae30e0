"""Gives each file one recorded path, however it is spelled or reached.

The folders on the way to a file are followed through links, and `..` is taken as the system takes it; the last name is
kept, be it that of a link. So a file of the working directory is recorded by its path in it, however it was reached,
and a file elsewhere by its one absolute path. A link at the top of the working directory to a folder elsewhere (such as
`results` to a scratch disk) counts as a folder of the working directory: files behind it are recorded by its name,
whether they were reached by it or not. A folder `git:` in the working directory counts as outside of it: paths that
begin so name code in git repositories (`snakeprov.capture.git.repositories`).

Folders are looked at once: a path in a folder that is known costs no system call.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Final

from snakeprov.model.paths import is_in_repository, to_text

LINKS_MAX: Final = 40
"""How many links are followed on the way to one folder, as in Linux."""

MEMBERS_MAX: Final = 10_000
"""How many members of the working directory are looked at for links to folders elsewhere."""


class Places:
    """Paths relative to one working directory. Not thread-safe; never raises for what it finds on disk.

    Attributes:
        directory: The working directory, absolute, with links resolved.
    """

    def __init__(self, directory: str) -> None:
        """Prepare; `directory` is absolute, as Python's file functions take it."""
        self.directory = os.path.realpath(directory)
        self._inside = os.path.join(self.directory, "")  # noqa: PTH118
        self._prefixes: dict[str, str] = {"": ""}
        self._absent: dict[str, str] | None = None
        self._targets: dict[str, str | None] = {}
        self._own_links: list[tuple[str, str]] | None = None

    def path(self, path: str) -> str:
        """Return what `path` is recorded as (text form), relative to the working directory where it lies in it.

        Args:
            path: As Python's file functions take it, absolute or relative to the working directory.
        """
        cut = path.rfind("/") + 1
        name = path[cut:]
        if name in _NO_NAMES:
            return self._without_name(path)
        folder = path[:cut]
        prefix = self._prefixes.get(folder)
        if prefix is None:
            prefix = self._prefix(folder)
        if prefix.startswith("/"):
            return to_text(self._recorded(prefix + name).rstrip("/") or ".")
        return to_text(prefix + name)

    @contextmanager
    def assumed(self) -> Iterator[None]:
        """Look only once at folders that do not exist yet, until the end of the context."""
        self._absent = {}
        try:
            yield
        finally:
            self._absent = None

    def _without_name(self, path: str) -> str:
        stripped = path.rstrip("/")
        if stripped.rpartition("/")[2] not in _NO_NAMES:
            return self.path(stripped)
        real = self._resolved(path)[0]
        return "/" if real == "/" else to_text(self._recorded(real).rstrip("/") or ".")

    def _prefix(self, folder: str) -> str:
        if self._absent is not None and folder in self._absent:
            return self._absent[folder]
        real, exists = self._resolved(folder)
        prefix = self._recorded(real)
        if exists:
            self._prefixes[folder] = prefix
        elif self._absent is not None:
            self._absent[folder] = prefix
        return prefix

    def _recorded(self, real: str) -> str:
        """Return what the recorded paths of files in a folder, with links resolved, begin with."""
        inside = real if real.endswith("/") else f"{real}/"
        if inside.startswith(self._inside):
            own = inside[len(self._inside) :]
            return inside if is_in_repository(own) else own
        if self._own_links is None:
            self._own_links = _links_at_top(self.directory)
        for target, name in self._own_links:
            if inside.startswith(target):
                return f"{name}/{inside[len(target) :]}"
        return inside

    def _resolved(self, path: str) -> tuple[str, bool]:
        """Return a folder with all links on the way followed, and whether it exists."""
        pending = path.split("/")[::-1]
        current = "/" if path.startswith("/") else self.directory
        followed, exists = 0, True
        while pending:
            name = pending.pop()
            if name in ("", "."):
                continue
            if name == "..":
                current = os.path.dirname(current)  # noqa: PTH120
                continue
            step = os.path.join(current, name)  # noqa: PTH118
            target = None
            if exists:
                try:
                    target = self._target(step)
                except (OSError, ValueError):
                    exists = False
            if target is None or followed == LINKS_MAX:
                current = step
                continue
            followed += 1
            pending += target.split("/")[::-1]
            current = "/" if target.startswith("/") else current
        return current, exists

    def _target(self, path: str) -> str | None:
        """Return where the link at `path` leads, or None if it is not a link. Raises OSError, ValueError."""
        if path not in self._targets:
            try:
                self._targets[path] = os.readlink(path)  # noqa: PTH115
            except OSError as error:
                if error.errno != errno.EINVAL:
                    raise
                self._targets[path] = None
        return self._targets[path]


_NO_NAMES: Final = frozenset({"", ".", ".."})


def _links_at_top(directory: str) -> list[tuple[str, str]]:
    """Return the links in the working directory to folders elsewhere: where each leads, and its name; longest first."""
    found: dict[str, str] = {}
    inside = os.path.join(directory, "")  # noqa: PTH118
    try:
        with os.scandir(directory) as members:
            links = sorted(member.name for member in islice(members, MEMBERS_MAX) if member.is_symlink())
    except OSError:
        return []
    for name in links:
        target = os.path.realpath(inside + name)
        folder = os.path.join(target, "")  # noqa: PTH118
        if not inside.startswith(folder) and os.path.isdir(target):  # noqa: PTH112
            found.setdefault(folder, name)
    return sorted(found.items(), key=lambda one: (-len(one[0]), one[1]))
