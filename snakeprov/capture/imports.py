"""The local files that code leads to (modules, sourced files), found by reading it: nothing is imported or run.

Must not know: Snakemake's objects, what becomes of the files.

| code | what is followed |
|---|---|
| Python (script, notebook) | `import`, `from … import`, `importlib.import_module("literal")`, `sys.path.insert(…)` |
| a Snakefile | those of its import statements that are asked for |
| R (script, notebook, R Markdown) | `source("x.R")`, with `file.path()`, `here()`, `paste0()`, `snakemake@scriptdir` |
| Julia | `include("x.jl")`, also with `joinpath(@__DIR__, …)` |
| Perl, JavaScript | `require`, `use lib`, `import … from "./x"` |
| the shell | `source`, `.`, and the scripts that its commands run |

A file counts where it lies in the same repository (or, without version control, in the same folder or below it); what
is installed elsewhere belongs to the environment. Names that are put together while the code runs are not found.
"""

from __future__ import annotations

import functools
import importlib.util
import json
import os
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from snakeprov.capture import pythoncode
from snakeprov.capture.files import fingerprint
from snakeprov.capture.programs import language_of, scripts
from snakeprov.capture.pythoncode import Import, Surroundings
from snakeprov.capture.sourced import Base, sourced
from snakeprov.model.records import Fingerprint

MODULES_MAX: Final = 500
"""Of one script so many modules are found at most."""

SIZE_BYTES_MAX: Final = 4 << 20
"""A larger file is not read as code."""

FILES_REMEMBERED_MAX: Final = 5_000
"""Number of files whose imports are kept in memory."""

ROOTS_MAX: Final = 32
"""A script that lies deeper in its repository is not looked for modules above so many folders."""

_SEARCH_PATH: Final = re.compile(r"^[ \t]*((?:sys\.path\b|site\.addsitedir).*)$", re.MULTILINE)
_NOT_UNDERSTOOD = (OSError, ValueError, TypeError, AttributeError, LookupError, RuntimeError)
"""What a file raises that is not there, or is no notebook; a loop of links is a RuntimeError."""

_INSTALLED = frozenset({"site-packages", "dist-packages"})
"""The folders for what is installed, at home and on Debian."""

_NO_PROJECT: Final = frozenset({*_INSTALLED, ".snakemake", ".git", "node_modules"})
"""In these folders is nothing that belongs to the project."""

_LANGUAGES: Final = {
    ".py": "python", ".ipynb": "python", ".r": "r", ".rmd": "r", ".qmd": "r", ".jl": "julia", ".sh": "shell",
    ".bash": "shell", ".pl": "perl", ".pm": "perl", ".js": "javascript", ".mjs": "javascript", ".cjs": "javascript",
    ".ts": "javascript",
}  # fmt: skip


class ModuleFinder:
    """Finds the local files that code leads to; each is read once for each state it is in. Not thread-safe."""

    def __init__(self, working_directory: str) -> None:
        """Prepare for scripts that run in `working_directory` (as Python's file functions take it)."""
        self._working_directory = Path(working_directory)
        self._imports: dict[tuple[str, str | None, Fingerprint], tuple[str, ...]] = {}
        self._bounds: dict[Path, Path] = {}
        self._real: dict[str, str] = {}
        self._added_by: dict[str, list[Path]] = {}

    def modules(self, path: str, language: str | None = None) -> list[str]:
        """Return the absolute paths of the local files that the code at `path` leads to, directly or not, sorted.

        Never raises; what cannot be read or understood leads to nothing. At most `MODULES_MAX`.

        Args:
            path: The code.
            language: What it is read as, where it is known; else its name or its first line says it.
        """
        start = self._real.get(path)
        if start is None:
            try:
                start = self._real[path] = os.path.realpath(path)
            except (OSError, ValueError):
                return []
        return self._closure(self._read_once(start, start, language), start)

    def imported(self, snakefile: str, statements: Iterable[str]) -> list[str]:
        """Return what import statements of a Snakefile lead to, in the same form as `modules`."""
        try:
            start = os.path.realpath(snakefile)
            trees = [pythoncode.parse(one) for one in statements]
            wanted = [one for tree in trees if tree is not None for one in pythoncode.imports(tree)]
            added = self._added_by[start] = self._added_by_snakefile(start)
            found = list(self._within(self._resolved(wanted, Path(start), Path(start), added), Path(start)))
        except _NOT_UNDERSTOOD:
            return []
        return self._closure(found, start)

    def scripts(self, command: str, snakefiles: Iterable[str] = ()) -> list[tuple[str, str | None]]:
        """Return the absolute paths of the files of the project that a shell command runs, each with its language.

        The project is the repository of the working directory, or the working directory, and the repositories or
        folders of the Snakefiles. Never raises.

        Args:
            command: The command.
            snakefiles: The absolute paths of the workflow's Snakefiles.
        """
        found: dict[str, str | None] = {}
        folders = {os.path.dirname(one) for one in snakefiles}  # noqa: PTH120  the hot path
        for script in scripts(command):
            places = (self._working_directory / name for name in script.names)
            try:
                place = next((one for one in places if one.is_file()), None)
                if place is not None and self._is_of_project(place, folders):
                    found.setdefault(os.path.normpath(place.absolute()), script.language)
            except _NOT_UNDERSTOOD:
                continue
        return list(found.items())

    def _is_of_project(self, place: Path, folders: Iterable[str]) -> bool:
        real = place.resolve()
        bounds = {self._bound(folder.resolve()) for folder in (self._working_directory, *map(Path, folders))}
        return any(
            real.is_relative_to(bound) and _NO_PROJECT.isdisjoint(real.relative_to(bound).parts) for bound in bounds
        )

    def _closure(self, first: Iterable[str], start: str) -> list[str]:
        found: set[str] = set()
        waiting = list(reversed(list(first)))
        while waiting and len(found) < MODULES_MAX:
            module = waiting.pop()
            if module != start and module not in found:
                found.add(module)
                waiting.extend(self._read_once(module, start, None))
        return sorted(found)

    def _read_once(self, path: str, start: str, language: str | None) -> tuple[str, ...]:
        """Return what the file at `path` leads to directly, on the way from the script `start`."""
        seen = fingerprint(path)
        if seen is None or seen.size_bytes > SIZE_BYTES_MAX:
            return ()
        # What a name means depends on where the script lies, so modules of scripts in two folders are read twice.
        key = (f"{os.path.dirname(start)}\0{path}", language, seen)  # noqa: PTH120
        if key not in self._imports:
            if len(self._imports) >= FILES_REMEMBERED_MAX:
                self._imports.clear()
                self._real.clear()
                self._added_by.clear()
            try:
                found = self._within(self._read(Path(path), Path(start), language), Path(start))
                self._imports[key] = tuple(dict.fromkeys(found))
            except _NOT_UNDERSTOOD:
                self._imports[key] = ()
        return self._imports[key]

    def _within(self, found: Iterable[Path], start: Path) -> Iterator[str]:
        bound = self._bound(start.parent)
        for module in found:
            real = module.resolve()
            if real.is_relative_to(bound):
                yield str(real)

    def _bound(self, folder: Path) -> Path:
        """Return the folder that local modules of scripts in `folder` lie in: the repository, else `folder`."""
        if folder not in self._bounds:
            above = (folder, *folder.parents)
            root = next((one for one in above if os.path.lexists(one / ".git")), None)
            working = self._working_directory.resolve()
            self._bounds[folder] = root or (working if folder.is_relative_to(working) else folder)
        return self._bounds[folder]

    def _read(self, path: Path, start: Path, language: str | None) -> Iterator[Path]:
        text = path.read_text(encoding="utf-8", errors="replace")
        language, code = _code_of(path, text, language)
        if language == "python":
            tree = pythoncode.parse(code)
            if tree is not None:
                added = self._added(path, tree)
                if path == start:
                    self._added_by[str(start)] = added
                else:  # what the script adds holds for all that it imports
                    added += self._added_by.get(str(start), [])
                yield from self._resolved(pythoncode.imports(tree), path, start, added)
            return
        bases: dict[Base, Path] = {
            "work": self._working_directory,
            "file": path.parent,
            "script": start.parent,
            "root": self._bound(start.parent),
        }
        for named in sourced(language or "", code):
            place = next((place for base in named.bases if (place := bases[base] / named.name).is_file()), None)
            if place is not None:
                yield place

    def _added(self, path: Path, tree: pythoncode.Tree) -> list[Path]:
        where = Surroundings(str(path), os.path.realpath(self._working_directory))
        return [Path(one) for one in pythoncode.search_path(tree, where)]

    def _added_by_snakefile(self, path: str) -> list[Path]:
        """Return what a Snakefile adds to `sys.path`, line by line: as a whole it is no Python."""
        seen = fingerprint(path)
        if seen is None or seen.size_bytes > SIZE_BYTES_MAX:
            return []
        lines = _SEARCH_PATH.findall(Path(path).read_text(encoding="utf-8", errors="replace"))
        trees = (pythoncode.parse(line) for line in lines)
        return [folder for tree in trees if tree is not None for folder in self._added(Path(path), tree)]

    def _resolved(self, wanted: Iterable[Import], path: Path, start: Path, added: list[Path]) -> Iterator[Path]:
        """Yield the files of modules that the code at `path` imports, with `added` to Python's search path."""
        bound = self._bound(start.parent)
        named = [start.parent, *added]
        roots = [*named, *_up_to(start.parent, bound), bound / "src"]
        for level, name in wanted:
            if level:
                package = path.parent
                for _ in range(level - 1):
                    package = package.parent
                yield from _resolve(package, name)
            else:
                top = name.split(".", 1)[0]
                is_elsewhere = top in sys.stdlib_module_names or _is_installed(top)
                # Python looks beside the script first, and in the folders above only if somebody tells it to.
                for root in named if is_elsewhere else roots:
                    resolved = list(_resolve(root, name))
                    yield from resolved
                    if resolved:
                        break


def _code_of(path: Path, text: str, language: str | None) -> tuple[str | None, str]:
    """Return language and code of a file."""
    if path.suffix == ".ipynb":
        notebook = json.loads(text)
        language = str(notebook.get("metadata", {}).get("kernelspec", {}).get("language", "python")).lower()
        cells = (cell["source"] for cell in notebook["cells"] if cell.get("cell_type") == "code")
        code = "\n".join(cell if isinstance(cell, str) else "".join(cell) for cell in cells)
        # Lines for the shell and for IPython are no Python.
        return language, re.sub(r"(?m)^\s*[%!?].*$", "", code)
    said = language or _LANGUAGES.get(path.suffix.lower()) or language_of(text.split("\n", 1)[0])
    return said, text


def _resolve(root: Path, name: str) -> Iterator[Path]:
    """Yield the files that importing the dotted `name` below `root` runs: the packages on the way, and the module."""
    folder = root
    on_the_way: list[Path] = []
    parts = [part for part in name.split(".") if part]
    for number, part in enumerate(parts):
        module, package = folder / f"{part}.py", folder / part / "__init__.py"
        is_last = number == len(parts) - 1
        if package.is_file():
            on_the_way.append(package)
        elif module.is_file() and is_last:
            on_the_way.append(module)
        elif is_last:
            return
        folder = folder / part
    if not parts and (folder / "__init__.py").is_file():
        on_the_way.append(folder / "__init__.py")
    yield from on_the_way


@functools.lru_cache(maxsize=FILES_REMEMBERED_MAX)
def _is_installed(name: str) -> bool:
    """Return whether a package of this name is installed here; snakeprov counts as such wherever it lies."""
    if name == "snakeprov":
        return True
    try:
        spec = importlib.util.find_spec(name)
    except Exception:  # what finds modules can be anything that somebody has installed
        return False
    return spec is not None and not _INSTALLED.isdisjoint(Path(spec.origin or "").parts)


def _up_to(folder: Path, bound: Path) -> list[Path]:
    return [one for one in list(folder.parents)[:ROOTS_MAX] if one.is_relative_to(bound)]
