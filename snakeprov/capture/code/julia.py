"""Finds the file of a Julia module, in a folder of modules or in a project."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

_PROJECTS: Final = ("JuliaProject.toml", "Project.toml")
_MANIFESTS: Final = ("JuliaManifest.toml", "Manifest.toml")


def module_file(folder: Path, name: str) -> Path | None:
    """Return the file of the module `name` in a folder of Julia's load path; None where it has none.

    A folder with a `Project.toml` is a project: it has the module of its own name and, by path, those of packages that
    are developed beside it. Any other holds modules and packages.

    Raises:
        OSError, ValueError, TypeError: A file cannot be read or understood.
    """
    project = next((folder / one for one in _PROJECTS if (folder / one).is_file()), None)
    if project is None:
        places = [folder / f"{name}.jl", folder / name / "src" / f"{name}.jl", folder / f"{name}.jl/src/{name}.jl"]
    else:
        places = [root / "src" / f"{name}.jl" for root in _roots(folder, _read(project), name)]
    return next((place for place in places if place.is_file()), None)


def _roots(folder: Path, project: dict[str, Any], name: str) -> Iterator[Path]:
    """Yield the folders of packages called `name` that a project says the path of."""
    if project.get("name") == name:
        yield folder
    source = project.get("sources", {}).get(name, {}).get("path")
    if source is not None:
        yield folder / source
    for manifest in (folder / one for one in _MANIFESTS):
        if manifest.is_file():
            said = _read(manifest)
            for entry in said.get("deps", said).get(name, []):
                if "path" in entry:
                    yield folder / entry["path"]


def _read(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"))
