"""Input directories that were read as one thing, and files in them that were read by themselves.

Must not know: how bytes are kept, or how rows are.

No activity joins them, so the manifest of the directory does: the same path, with the same content. Who read the one
read the other. How many manifests are read for one question is bounded.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Final

from snakeprov.db import unmade
from snakeprov.db.lineage import Version
from snakeprov.db.unmade import Unmade
from snakeprov.errors import SnakeprovError
from snakeprov.model.manifest import read_manifest
from snakeprov.model.paths import folders_above
from snakeprov.server.call import Call
from snakeprov.server.directories import MANIFEST_BYTES_MAX

DIRECTORIES_MAX: Final = 100
"""Versions of directories whose manifests are read for one question."""

FILES_MAX: Final = 10_000
"""Versions of files below a directory that are compared with its manifest."""


@dataclass
class Beside:
    """What lies around some versions: files inside of directories, and directories around files.

    `is_cut`: there may be more.
    """

    inside: dict[Version, list[Version]] = field(default_factory=dict)
    around: dict[Version, list[Version]] = field(default_factory=dict)
    is_cut: bool = False

    @property
    def versions(self) -> list[Version]:
        """All of them."""
        return [one for found in (self.inside, self.around) for some in found.values() for one in some]


def beside(call: Call, versions: Collection[Version]) -> Beside:
    """Return what lies around those of some versions that no activity made."""
    found = Beside()
    manifests = _Manifests(call)
    rows = unmade.of(call.tx, versions)
    for row in rows:
        if row.is_listed:
            _look_inside(call, row, manifests, found)
    for project_id in {row.project_id for row in rows}:
        _look_around(call, [row for row in rows if row.project_id == project_id], manifests, found)
    found.is_cut = found.is_cut or manifests.is_cut
    return found


def _look_inside(call: Call, directory: Unmade, manifests: _Manifests, found: Beside) -> None:
    members = manifests.read(directory)
    files = unmade.files(call.tx, directory.project_id, directory.path, limit=FILES_MAX) if members else []
    found.is_cut = found.is_cut or len(files) == FILES_MAX
    for file in files:
        if _holds(directory, members, file):
            found.inside.setdefault(directory.version, []).append(file.version)


def _look_around(call: Call, rows: list[Unmade], manifests: _Manifests, found: Beside) -> None:
    files = [row for row in rows if not row.path.endswith("/")]
    above = {f"{folder}/" for file in files for folder in folders_above(file.path)}
    if not above:
        return
    directories = unmade.directories(call.tx, files[0].project_id, above, limit=DIRECTORIES_MAX)
    found.is_cut = found.is_cut or len(directories) == DIRECTORIES_MAX
    for directory in directories:
        members = manifests.read(directory)
        for file in files:
            if _holds(directory, members, file):
                found.around.setdefault(file.version, []).append(directory.version)


def _holds(directory: Unmade, members: dict[str, str], file: Unmade) -> bool:
    return file.path.startswith(directory.path) and members.get(file.path[len(directory.path) :]) == file.sha256


class _Manifests:
    """Reads manifests, until there were too many of them or they were too long; `is_cut`: one was not read."""

    def __init__(self, call: Call) -> None:
        self.is_cut = False
        self._blobs = call.server.blobs
        self._left, self._bytes_left = DIRECTORIES_MAX, MANIFEST_BYTES_MAX

    def read(self, directory: Unmade) -> dict[str, str]:
        """Return the digest of each file in a directory; nothing if the manifest is not available."""
        if self._left <= 0 or self._bytes_left <= 0:
            self.is_cut = True
            return {}
        self._left -= 1
        try:
            with self._blobs.open(directory.sha256) as stream:
                content = stream.read(self._bytes_left + 1)
            self._bytes_left -= len(content)
            if self._bytes_left < 0:
                self.is_cut = True
                return {}
            return {entry.path: entry.sha256 for entry in read_manifest(content).entries if entry.sha256 is not None}
        except (KeyError, SnakeprovError):
            return {}
