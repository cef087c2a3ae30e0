"""The local modules that code imports, found by reading it: nothing is imported or run.

Must not know: Snakemake's objects, what becomes of the modules.

| code | what is followed |
|---|---|
| Python (script, notebook, wrapper), a Snakefile | `import`, `from … import`, `importlib.import_module("literal")` |
| R (script, notebook, R Markdown) | `source("x.R")`, also with `file.path(snakemake@scriptdir, "x.R")` |

A module counts where it lies in the same repository (or, without version control, in the same folder or below it); what
is installed elsewhere belongs to the environment. Names that are put together while the code runs are not found.
"""

from __future__ import annotations

import ast
import functools
import importlib.util
import json
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from snakeprov.capture.files import fingerprint
from snakeprov.model.records import Fingerprint

MODULES_MAX: Final = 500
"""Of one script so many modules are found at most."""

SIZE_BYTES_MAX: Final = 4 << 20
"""A larger file is not read as code."""

FILES_REMEMBERED_MAX: Final = 5_000
"""Of so many files it is remembered what they import."""

ROOTS_MAX: Final = 32
"""A script that lies deeper in its repository is not looked for modules above so many folders."""

_SNAKEFILE_IMPORT = re.compile(r"^[ \t]*((?:import|from)[ \t]+[\w.]+[^\n(]*(?:\([^)]*\))?)", re.MULTILINE)
_SOURCE = re.compile(
    r"""^[^#\n]*?\b(?:sys\.)?source\(\s*(?:file\s*=\s*)?"""
    r"""(?:file\.path\(\s*snakemake@scriptdir\s*,\s*|here(?:::here)?\(\s*)?(["'])([^"'\n]+)\1""",
    re.MULTILINE,
)
_NOT_UNDERSTOOD = (OSError, ValueError, TypeError, AttributeError, LookupError, RuntimeError)
"""What a file raises that is not there, or is no notebook; a loop of links is a RuntimeError."""

_INSTALLED = frozenset({"site-packages", "dist-packages"})
"""The folders for what is installed, at home and on Debian."""

_R_SUFFIXES = (".r", ".rmd", ".qmd")


class ModuleFinder:
    """Finds the local modules of code files; each file is read once for each state it is in. Not thread-safe."""

    def __init__(self, working_directory: str) -> None:
        """Prepare for scripts that run in `working_directory` (as Python's file functions take it)."""
        self._working_directory = Path(working_directory)
        self._imports: dict[tuple[str, Fingerprint], tuple[str, ...]] = {}
        self._bounds: dict[Path, Path] = {}
        self._real: dict[str, str] = {}

    def modules(self, path: str) -> list[str]:
        """Return the absolute paths of the local modules that the code at `path` imports, directly or not, sorted.

        Never raises; what cannot be read or understood imports nothing. At most `MODULES_MAX`.
        """
        start = self._real.get(path)
        if start is None:
            try:
                start = self._real[path] = os.path.realpath(path)
            except (OSError, ValueError):
                return []
        found: set[str] = set()
        waiting = [start]
        while waiting and len(found) < MODULES_MAX:
            for module in self._imported_by(waiting.pop(), start):
                if module != start and module not in found and len(found) < MODULES_MAX:
                    found.add(module)
                    waiting.append(module)
        return sorted(found)

    def _imported_by(self, path: str, start: str) -> tuple[str, ...]:
        seen = fingerprint(path)
        if seen is None or seen.size_bytes > SIZE_BYTES_MAX:
            return ()
        # What a name means depends on where the script lies, so modules of scripts in two folders are read twice.
        key = (f"{os.path.dirname(start)}\0{path}", seen)  # noqa: PTH120
        if key not in self._imports:
            if len(self._imports) >= FILES_REMEMBERED_MAX:
                self._imports.clear()
                self._real.clear()
            try:
                self._imports[key] = tuple(dict.fromkeys(self._read(Path(path), Path(start))))
            except _NOT_UNDERSTOOD:
                self._imports[key] = ()
        return self._imports[key]

    def _read(self, path: Path, start: Path) -> Iterator[str]:
        language, code = _code_of(path, path.read_text(encoding="utf-8", errors="replace"))
        bound = self._bound(start.parent)
        found = self._sourced(code, start, bound) if language == "r" else self._imported(code, path, start, bound)
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

    def _sourced(self, code: str, start: Path, bound: Path) -> Iterator[Path]:
        for _, name in _SOURCE.findall(code):
            # R looks in the working directory; scripts are often written for their own folder.
            places = [folder / name for folder in (self._working_directory, start.parent, bound)]
            found = next((place for place in places if place.is_file()), None)
            if found is not None:
                yield found

    def _imported(self, code: str, path: Path, start: Path, bound: Path) -> Iterator[Path]:
        roots = [start.parent, *_up_to(start.parent, bound), bound / "src"]
        for level, name in _imports(code, is_snakefile=path.suffix != ".py" and not _is_notebook(path)):
            if level:
                package = path.parent
                for _ in range(level - 1):
                    package = package.parent
                yield from _resolve(package, name)
            else:
                top = name.split(".", 1)[0]
                is_elsewhere = top in sys.stdlib_module_names or _is_installed(top)
                # Python looks beside the script first, and in the folders above only if somebody tells it to.
                for root in roots[:1] if is_elsewhere else roots:
                    resolved = list(_resolve(root, name))
                    yield from resolved
                    if resolved:
                        break


def _is_notebook(path: Path) -> bool:
    return path.suffix == ".ipynb"


def _code_of(path: Path, text: str) -> tuple[str, str]:
    """Return language and code of a file."""
    if _is_notebook(path):
        notebook = json.loads(text)
        language = str(notebook.get("metadata", {}).get("kernelspec", {}).get("language", "python")).lower()
        cells = (cell["source"] for cell in notebook["cells"] if cell.get("cell_type") == "code")
        code = "\n".join(cell if isinstance(cell, str) else "".join(cell) for cell in cells)
        # Lines for the shell and for IPython are no Python.
        return language, re.sub(r"(?m)^\s*[%!?].*$", "", code)
    return ("r" if path.suffix.lower() in _R_SUFFIXES else "python"), text


def _imports(code: str, *, is_snakefile: bool) -> Iterator[tuple[int, str]]:
    """Yield level and dotted name of everything imported; of `from a import b` both `a` and `a.b`."""
    pieces = _SNAKEFILE_IMPORT.findall(code) if is_snakefile else [code]
    for piece in pieces:
        try:
            tree = ast.parse(piece)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                yield from ((0, alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                yield node.level, node.module or ""
                yield from ((node.level, f"{node.module or ''}.{alias.name}".lstrip(".")) for alias in node.names)
            elif isinstance(node, ast.Call):
                yield from _called(node)


def _called(node: ast.Call) -> Iterator[tuple[int, str]]:
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    first = node.args[0] if node.args else None
    if name in ("import_module", "__import__") and isinstance(first, ast.Constant) and isinstance(first.value, str):
        yield 0, first.value


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
