"""Assign each version its path in a crate."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Final

from snakeprov.export.material import Material
from snakeprov.model.answers import Version
from snakeprov.model.paths import REPOSITORIES, is_in_repository

METADATA: Final = "ro-crate-metadata.json"
CHECKSUMS: Final = "SHA256SUMS"
RESERVED: Final = (METADATA, CHECKSUMS, "ro-crate-preview.html", "ro-crate-preview_files")

OUTSIDE: Final = "external"
"""The folder of what lies outside the working directory."""

OLDER: Final = "versions"
"""The folder of versions whose path another one has."""

NAME_BYTES_MAX: Final = 200
"""Longer names are cut, and end with a part of their hash."""


class Layout:
    """Assigns paths, each once; never a file where a folder is needed."""

    def __init__(self, reserved: Iterable[str] = RESERVED) -> None:
        self._files = set(reserved)
        self._folders: set[str] = set()

    def place(self, version: Version, members: Iterable[str] = ()) -> str:
        """Return the path of a version; of a directory, whose members are given, with a slash at the end.

        >>> layout = Layout()
        >>> new, old = (Version(entity_id="syn1", version_number=n, path="a.txt") for n in (2, 1))
        >>> layout.place(new), layout.place(old)
        ('a.txt', 'versions/1/a.txt')
        """
        path = "/".join(_names(version.path))
        inside = [part for one in members for part in [tuple(_names(one))]]
        candidates = (path, f"{OLDER}/{version.version_number}/{path}", f"{OLDER}/{version.id}/{path}")
        for candidate in candidates:
            if self._is_free(candidate, is_folder=version.is_directory):
                break
        if version.is_directory:
            self._folders.add(candidate)
            self._files |= {"/".join((candidate, *names)) for names in inside}
        else:
            self._files.add(candidate)
        self._folders |= set(_parents(candidate))
        return candidate + "/" if version.is_directory else candidate

    def _is_free(self, path: str, *, is_folder: bool) -> bool:
        if path in self._files or any(parent in self._files for parent in _parents(path)):
            return False
        return path not in self._folders


def wanted(material: Material, data: str) -> list[Version]:
    """Return the versions that a crate is to hold: the code, and of the data `none`, the `results`, or `all`.

    The results come first, then of each file the newest version.
    """
    results = [] if data == "none" else material.results()
    first = [material.versions[one] for one in results]
    rest = list(material.versions.values()) if data == "all" else []
    rest += material.used_as("code") + material.workflow_files() + material.used_as("environment")
    ordered = [*first, *sorted(rest, key=lambda version: -version.version_number)]
    return list({version.id: version for version in ordered}.values())


def checksum_line(sha256: str, path: str) -> str:
    r"""Return a line that `sha256sum --check` reads.

    >>> checksum_line("0" * 64, "a\nb")[:1], checksum_line("0" * 64, "a b")[62:]
    ('\\', '00  a b\n')
    """
    escaped = path.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")
    return f"{'' if escaped == path else chr(92)}{sha256}  {escaped}\n"


def _names(path: str) -> list[str]:
    """Return the parts of a path, without any that lead out of the crate; outside paths get a folder of their own."""
    if is_in_repository(path):
        path = path.removeprefix(REPOSITORIES.rstrip("/"))
    names = [_name(one) for one in path.split("/") if one and one != "."]
    return [OUTSIDE, *names] if path.startswith("/") else names or ["_"]


def _name(name: str) -> str:
    name = "_" if name == ".." else name.replace("\0", "_")
    if len(name.encode()) <= NAME_BYTES_MAX:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:16]
    return f"{name.encode()[: NAME_BYTES_MAX - 20].decode(errors='ignore')}-{digest}"


def _parents(path: str) -> list[str]:
    names = path.split("/")
    return ["/".join(names[:end]) for end in range(1, len(names))]
