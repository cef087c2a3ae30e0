"""Finds the local files that code leads to (modules, sourced files) by reading it: nothing is imported or run.

| code | what is followed |
|---|---|
| Python (script, notebook) | `import`, `from … import`, `importlib.import_module("literal")`, `sys.path.insert(…)` |
| | the scripts that `subprocess.run([…])`, `os.system("…")` and the like run |
| a Snakefile | those of its import statements that are asked for |
| R (script, notebook, R Markdown) | `source("x.R")`, with `file.path()`, `here()`, `paste0()`, `snakemake@scriptdir` |
| Julia | `include("x.jl")`, also with `joinpath(@__DIR__, …)`; `using X` with `LOAD_PATH`, `Pkg.activate("dir")` |
| Perl, JavaScript | `require`, `use lib`, `import … from "./x"` |
| the shell | `source`, `.`, and the scripts that its commands run |
| R, Julia, Perl | the scripts that `system("…")` and `` run(`…`) `` run |

A script that another runs is a program of its own: its modules are looked for beside it, and where its command says
(`PYTHONPATH=lib`, `perl -Ilib`, `julia --project=dir`).

A file counts where it lies in the same repository (or, without version control, in the same folder or below it); what
is installed elsewhere belongs to the environment. Names that are put together while the code runs are not found.
"""

from __future__ import annotations

import functools
import importlib.util
import itertools
import json
import os
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

from snakeprov.capture.code import pythonimports, pythonprograms
from snakeprov.capture.code.julia import module_file
from snakeprov.capture.code.programs import language_of, scripts
from snakeprov.capture.code.pythonimports import Evaluator, Import, Surroundings
from snakeprov.capture.code.sourced import Base, Folder, Module, Named, NamedProgram, named_program, sourced
from snakeprov.disk.files import fingerprint
from snakeprov.model.records import Fingerprint

MODULES_MAX: Final = 500
"""Maximum number of modules found for one script."""

SIZE_BYTES_MAX: Final = 4 << 20
"""A larger file is not read as code."""

FILES_REMEMBERED_MAX: Final = 5_000
"""Number of files whose imports are kept in memory."""

ROOTS_MAX: Final = 32
"""Number of folders above a script that are searched for modules."""

_SEARCH_PATH: Final = re.compile(r"^[ \t]*((?:sys\.path\b|site\.addsitedir).*)$", re.MULTILINE)
_MAGIC: Final = re.compile(r"^([ \t]*)([%!?])(.*)$", re.MULTILINE)
_RUN: Final = re.compile(r"run\s+(?:-\w+\s+)*([\w./-]+\.py)\b")
_NOT_UNDERSTOOD = (OSError, ValueError, TypeError, AttributeError, LookupError, RuntimeError)
"""What a missing file, or one that is not a notebook, raises; a loop of links is a RuntimeError."""

_INSTALLED = frozenset({"site-packages", "dist-packages"})
"""The folders for what is installed, at home and on Debian."""

_NO_PROJECT: Final = frozenset({*_INSTALLED, ".snakemake", ".git", "node_modules"})
"""In these folders is nothing that belongs to the project."""

_LANGUAGES: Final = {
    ".py": "python", ".ipynb": "python", ".r": "r", ".rmd": "r", ".qmd": "r", ".jl": "julia", ".sh": "shell",
    ".bash": "shell", ".pl": "perl", ".pm": "perl", ".js": "javascript", ".mjs": "javascript", ".cjs": "javascript",
    ".ts": "javascript",
}  # fmt: skip


class Program(NamedTuple):
    """Code that a process of its own runs.

    Attributes:
        path: Its absolute path.
        language: What it is read as, where that is known.
        search: The folders in which its interpreter is told to look for modules, absolute.
    """

    path: str
    language: str | None
    search: tuple[str, ...] = ()


_Key = tuple[str, str, Program | None, tuple[Path, ...], Fingerprint]


class ModuleFinder:
    """Finds the local files that code leads to; each is read once for each state it is in. Not thread-safe."""

    def __init__(self, working_directory: str) -> None:
        """Prepare for scripts that run in `working_directory` (as Python's file functions take it)."""
        self._working_directory = Path(working_directory)
        self._read_files: dict[_Key, tuple[str | Program, ...]] = {}
        self._bounds: dict[Path, Path] = {}
        self._real: dict[str, str] = {}
        self._added_by: dict[Program, list[Path]] = {}

    def modules(self, path: str, language: str | None = None, search: tuple[str, ...] = ()) -> list[str]:
        """Return the absolute paths of the local files that the code at `path` leads to, directly or not, sorted.

        Never raises; what cannot be read or understood leads to nothing. At most `MODULES_MAX`.

        Args:
            path: The code.
            language: What it is read as, where it is known; else its name or its first line says it.
            search: The folders in which its interpreter is told to look for modules, absolute.
        """
        start = self._real.get(path)
        if start is None:
            try:
                start = self._real[path] = os.path.realpath(path)
            except (OSError, ValueError):
                return []
        program = Program(start, language, search)
        return self._closure([start], program)

    def imported(self, snakefile: str, statements: Iterable[str]) -> list[str]:
        """Return what import statements of a Snakefile lead to, in the same form as `modules`."""
        try:
            start = os.path.realpath(snakefile)
            trees = [pythonimports.parse(one) for one in statements]
            wanted = [one for tree in trees if tree is not None for one in pythonimports.imports(tree)]
            program = Program(start, None)
            added = self._added_by[program] = self._added_by_snakefile(start)
            bound = self._bound(Path(start).parent)
            resolved = (place.resolve() for place in self._resolved(wanted, Path(start), program, added))
            found = [str(real) for real in resolved if real.is_relative_to(bound)]
        except _NOT_UNDERSTOOD:
            return []
        return self._closure(found, program)

    def scripts(self, command: str, snakefiles: Iterable[str] = ()) -> list[Program]:
        """Return the files of the project that a shell command runs, in the order of the command.

        The project is the repository of the working directory, or the working directory, and the repositories or
        folders of the Snakefiles. Never raises.

        Args:
            command: The command.
            snakefiles: The absolute paths of the workflow's Snakefiles.
        """
        found: dict[Program, None] = {}
        folders = {os.path.dirname(one) for one in snakefiles}  # noqa: PTH120  the hot path
        for script in scripts(command):
            places = (self._working_directory / name for name in script.names)
            try:
                place = next((one for one in places if one.is_file()), None)
                if place is not None and self._is_of_project(place, folders):
                    search = (self._working_directory / one for name in script.search for one in script.places(name))
                    found[Program(os.path.normpath(place.absolute()), script.language, _folders(search))] = None
            except _NOT_UNDERSTOOD:
                continue
        return list(found)

    def _is_of_project(self, place: Path, folders: Iterable[str]) -> bool:
        real = place.resolve()
        bounds = {self._bound(folder.resolve()) for folder in (self._working_directory, *map(Path, folders))}
        return any(
            real.is_relative_to(bound) and _NO_PROJECT.isdisjoint(real.relative_to(bound).parts) for bound in bounds
        )

    def _closure(self, first: Iterable[str], start: Program) -> list[str]:
        """Return the files `first` of a program and what they lead to, without the program itself."""
        found: set[str] = set()
        seen: set[tuple[str, Program]] = set()
        waiting = [(path, start) for path in reversed(list(first))]
        while waiting and len(found) < MODULES_MAX:
            path, program = waiting.pop()
            if (path, program) in seen:
                continue
            seen.add((path, program))
            if path != start.path:
                found.add(path)
            for one in reversed(self._read_once(path, program)):
                waiting.append((one.path, one) if isinstance(one, Program) else (one, program))
        return sorted(found)

    def _read_once(self, path: str, program: Program) -> tuple[str | Program, ...]:
        """Return what a file leads to directly that belongs to a program: files of it, and other programs."""
        seen = fingerprint(path)
        if seen is None or seen.size_bytes > SIZE_BYTES_MAX:
            return ()
        # What a name means depends on where the program lies and on what it adds, so some modules are read twice.
        own = program if path == program.path else None
        key = (os.path.dirname(program.path), path, own, tuple(self._added_by.get(program, ())), seen)  # noqa: PTH120
        if key not in self._read_files:
            if len(self._read_files) >= FILES_REMEMBERED_MAX:
                self._read_files.clear()
                self._real.clear()
                self._added_by.clear()
            try:
                found = self._within(self._read(Path(path), program), program)
                self._read_files[key] = tuple(dict.fromkeys(found))
            except _NOT_UNDERSTOOD:
                self._read_files[key] = ()
        return self._read_files[key]

    def _within(self, found: Iterable[Path | Program], program: Program) -> Iterator[str | Program]:
        bound = self._bound(Path(program.path).parent)
        for one in found:
            real = Path(one.path if isinstance(one, Program) else one).resolve()
            if real.is_relative_to(bound):
                yield one._replace(path=str(real)) if isinstance(one, Program) else str(real)

    def _bound(self, folder: Path) -> Path:
        """Return the folder that local modules of scripts in `folder` lie in: the repository, else `folder`."""
        if folder not in self._bounds:
            above = (folder, *folder.parents)
            root = next((one for one in above if os.path.lexists(one / ".git")), None)
            working = self._working_directory.resolve()
            self._bounds[folder] = root or (working if folder.is_relative_to(working) else folder)
        return self._bounds[folder]

    def _read(self, path: Path, program: Program) -> Iterator[Path | Program]:
        text = path.read_text(encoding="utf-8", errors="replace")
        language, code = _code_of(path, text, program.language if str(path) == program.path else None)
        if language == "python":
            tree = pythonimports.parse(code)
            if tree is not None:
                yield from self._read_python(path, program, tree)
            return
        named = list(sourced(language or "", code))
        added = [place for one in named if isinstance(one, Folder) for place in self._places(one, path, program)]
        added = self._remembered(path, program, [place for place in added if place.is_dir()])
        for one in named:
            if isinstance(one, NamedProgram):
                yield from self._programs(one, path, program)
            elif isinstance(one, Module):
                yield from _first(_module_file(folder, one) for folder in added)
            elif not isinstance(one, Folder):
                yield from _first(self._places(one, path, program))

    def _read_python(self, path: Path, program: Program, tree: pythonimports.Tree) -> Iterator[Path | Program]:
        where = Surroundings(str(path), os.path.realpath(self._working_directory))
        evaluator = Evaluator(tree, where)
        added = [Path(one) for one in pythonimports.search_path(tree, evaluator, where)]
        added = self._remembered(path, program, added)
        yield from self._resolved(pythonimports.imports(tree), path, program, added)
        for script in pythonprograms.started(tree, evaluator):
            yield from self._programs(named_program(script), path, program)

    def _remembered(self, path: Path, program: Program, added: list[Path]) -> list[Path]:
        """Return where the code at `path` finds modules: what it adds itself, and what its program has been told."""
        if str(path) == program.path:
            self._added_by[program] = [*added, *map(Path, program.search)]
            return self._added_by[program]
        # What the script adds holds for all that it imports.
        return [*added, *self._added_by.get(program, [])]

    def _programs(self, named: NamedProgram, path: Path, program: Program) -> Iterator[Program]:
        file = next(_first(place for one in named.files for place in self._places(one, path, program)), None)
        if file is not None:
            search = (place for one in named.search for place in self._places(one, path, program))
            yield Program(str(file.resolve()), named.language, _folders(search))

    def _places(self, named: Named, path: Path, program: Program) -> list[Path]:
        """Return where a file or folder may lie that the code at `path` names, the likeliest place first."""
        script = Path(program.path).parent
        bases: dict[Base, Path] = {
            "work": self._working_directory,
            "file": path.parent,
            "script": script,
            "root": self._bound(script),
        }
        return [bases[base] / named.name for base in named.bases]

    def _added_by_snakefile(self, path: str) -> list[Path]:
        """Return what a Snakefile adds to `sys.path`, read line by line: a Snakefile is not valid Python."""
        seen = fingerprint(path)
        if seen is None or seen.size_bytes > SIZE_BYTES_MAX:
            return []
        lines = _SEARCH_PATH.findall(Path(path).read_text(encoding="utf-8", errors="replace"))
        trees = (pythonimports.parse(line) for line in lines)
        where = Surroundings(path, os.path.realpath(self._working_directory))
        added = (pythonimports.search_path(tree, Evaluator(tree, where), where) for tree in trees if tree is not None)
        return [Path(folder) for folders in added for folder in folders]

    def _resolved(self, wanted: Iterable[Import], path: Path, program: Program, added: list[Path]) -> Iterator[Path]:
        """Yield the files of modules that the code at `path` imports, with `added` to Python's search path."""
        script = Path(program.path).parent
        bound = self._bound(script)
        named = [script, *added]
        roots = [*named, *_up_to(script, bound), bound / "src"]
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


def _first(places: Iterable[Path | None]) -> Iterator[Path]:
    """Yield the first of some places where a file is, if there is one."""
    yield from itertools.islice((place for place in places if place is not None and place.is_file()), 1)


def _folders(places: Iterable[Path]) -> tuple[str, ...]:
    """Return those of some places that are folders."""
    return tuple(dict.fromkeys(os.path.normpath(place.absolute()) for place in places if place.is_dir()))


def _module_file(folder: Path, module: Module) -> Path | None:
    return module_file(folder, module.name) if module.file is None else folder / module.file


def _code_of(path: Path, text: str, language: str | None) -> tuple[str | None, str]:
    """Return language and code of a file."""
    if path.suffix == ".ipynb":
        notebook = json.loads(text)
        language = str(notebook.get("metadata", {}).get("kernelspec", {}).get("language", "python")).lower()
        cells = (cell["source"] for cell in notebook["cells"] if cell.get("cell_type") == "code")
        code = "\n".join(cell if isinstance(cell, str) else "".join(cell) for cell in cells)
        return language, _MAGIC.sub(_without_magic, code)
    said = language or _LANGUAGES.get(path.suffix.lower()) or language_of(text.split("\n", 1)[0])
    return said, text


def _without_magic(line: re.Match[str]) -> str:
    """Return what Python would have to say for a line of a notebook that is for the shell or for IPython."""
    indent, mark, rest = line.groups()
    if mark == "!":
        return f"{indent}import os; os.system({rest!r})"
    run = _RUN.match(rest)
    return f"{indent}import runpy; runpy.run_path({run[1]!r})" if mark == "%" and run else f"{indent}pass"


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
