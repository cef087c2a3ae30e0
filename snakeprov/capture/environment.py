"""Reads what an environment contains from its files: the packages of a conda prefix, the digest of an image.

Starts no process.
"""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import Final

import msgspec

PACKAGES_MAX: Final = 20_000
"""Packages of one environment that are listed."""

RECORD_SIZE_BYTES_MAX: Final = 64 << 20
"""Larger files are not records of packages."""

_REFERENCE_DIGEST = re.compile(r"@(sha(?:256:[0-9a-f]{64}|512:[0-9a-f]{128}))\b")


class Package(msgspec.Struct, frozen=True, order=True, omit_defaults=True):
    """One package as it is installed.

    Attributes:
        channel: Where conda got it from, or `pypi`.
    """

    name: str
    version: str
    build: str | None = None
    channel: str | None = None


class _Meta(msgspec.Struct):
    """What is read of `conda-meta/*.json`; the rest of it, lists of files mostly, is skipped."""

    name: str
    version: str
    build: str | None = None
    channel: str | None = None


def conda_packages(prefix: str) -> list[Package] | None:
    """Return the packages of the conda environment at `prefix`, by name; None if there is none.

    What pip installed into it is listed too, with the channel `pypi`. Never raises; a record that cannot be read is
    left out.
    """
    meta = Path(prefix, "conda-meta")
    if not meta.is_dir():
        return None
    found = [package for path in _listed(meta, "*.json") if (package := _read(path)) is not None]
    for path in _listed(Path(prefix), "lib/python3*/site-packages/*.dist-info"):
        name, _, version = path.name.removesuffix(".dist-info").rpartition("-")
        if name and _installer(path) != "conda":
            found.append(Package(name=name, version=version, channel="pypi"))
    return sorted(found)[:PACKAGES_MAX]


def named_prefix(name: str) -> str | None:
    """Return the prefix of the conda environment called `name`, as far as it can be told without asking conda."""
    candidates = [_base_of(program) / "envs" / name for program in ("conda", "mamba") if shutil.which(program)]
    if root := os.environ.get("CONDA_PREFIX"):
        candidates += [Path(root, "envs", name), Path(root).parent / name]
    try:
        known = Path("~/.conda/environments.txt").expanduser().read_text(encoding="utf-8").splitlines()
        candidates += [Path(line) for line in known[:PACKAGES_MAX] if Path(line).name == name]
    except (OSError, ValueError, RuntimeError):
        pass
    return next((str(one) for one in candidates if (one / "conda-meta").is_dir()), None)


def reference_digest(reference: str) -> str | None:
    """Return the digest that the reference of an image names.

    >>> reference_digest("docker://debian:12"), reference_digest("docker://a/b@sha256:" + "0" * 64)[:12]
    (None, 'sha256:00000')
    """
    found = _REFERENCE_DIGEST.search(reference)
    return found[1] if found else None


def _base_of(program: str) -> Path:
    return Path(os.path.realpath(shutil.which(program) or program)).parent.parent


def _listed(folder: Path, pattern: str) -> list[Path]:
    try:
        return sorted(folder.glob(pattern))[:PACKAGES_MAX]
    except OSError:
        return []


def _read(path: Path) -> Package | None:
    try:
        if path.stat().st_size > RECORD_SIZE_BYTES_MAX:
            return None
        meta = msgspec.json.decode(path.read_bytes(), type=_Meta)
    except (OSError, msgspec.MsgspecError):
        return None
    return Package(name=meta.name, version=meta.version, build=meta.build, channel=_channel(meta.channel))


def _channel(channel: str | None) -> str | None:
    """Return the name of a channel; of a URL its path without platform, and without what gives access.

    >>> _channel("https://conda.anaconda.org/conda-forge/linux-64"), _channel("https://x/t/tk-123/acme/noarch")
    ('conda-forge', 'acme')
    """
    if channel is None or "://" not in channel:
        return channel
    parts = channel.split("://", 1)[1].split("/")[1:]
    if parts[:1] == ["t"]:  # conda writes its access token into the path
        parts = parts[2:]
    if parts and re.fullmatch(r"noarch|(linux|osx|win)-\w+", parts[-1]):
        parts.pop()
    return "/".join(parts) or None


def _installer(path: Path) -> str:
    try:
        return (path / "INSTALLER").read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        return ""
