"""The software of an environment, as recorded."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from snakeprov.export.material import Json


class Package(NamedTuple):
    """A piece of software and its version."""

    name: str
    version: str

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


def packages(environment: Json) -> Iterator[Package]:
    """Yield what an environment is known to hold: of Snakemake's own, then of conda's by name."""
    for name in ("python", "snakemake", "snakeprov"):
        if environment.get(name):
            yield Package(name, str(environment[name]))
    for name, version in (environment.get("plugins") or {}).items():
        yield Package(name, str(version))
    yield from conda(environment)


def conda(environment: Json) -> Iterator[Package]:
    """Yield the packages of the conda environment."""
    for package in (environment.get("conda") or {}).get("packages") or ():
        yield Package(str(package["name"]), str(package["version"]))
