"""The walls between the packages, and what importing them may cost."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Collection
from pathlib import Path

import pytest

import snakeprov

PACKAGE = Path(snakeprov.__file__).parent

BASE = {"errors", "settings"}
MAY_IMPORT: dict[str, set[str]] = {
    "errors": set(),
    "settings": {"errors"},
    "model": BASE,
    "disk": {*BASE, "model"},
    "places": {*BASE, "disk"},
    "capture": {*BASE, "model", "disk"},
    "metadata": {*BASE, "model", "disk", "capture"},
    "client": {*BASE, "model", "disk"},
    "synapse": {*BASE, "model", "client", "recorder"},
    "db": {*BASE, "model", "disk"},
    "blobs": {*BASE, "disk"},
    "lineage": {*BASE, "model"},
    "view": {*BASE, "model", "lineage"},
    "export": {*BASE, "model", "disk", "capture", "client"},
    "server": {*BASE, "model", "disk", "db", "blobs"},
    "web": {*BASE, "model", "client", "lineage", "view", "export"},
    "workdir": {*BASE, "model", "disk", "capture", "client", "lineage"},
    "recorder": {*BASE, "places", "model", "disk", "capture", "client", "metadata"},
    "apps": {
        *BASE,
        "places",
        "model",
        "disk",
        "capture",
        "client",
        "synapse",
        "recorder",
        "server",
        "db",
        "blobs",
        "web",
    },
    "plugin": {*BASE, "places", "model", "disk", "capture", "recorder", "apps"},
    "cli": {
        *BASE,
        "places",
        "model",
        "disk",
        "capture",
        "client",
        "recorder",
        "apps",
        "lineage",
        "view",
        "export",
        "workdir",
        "web",
    },
}
"""Which rooms each room may import: data flows one way."""

ONLY_IN = {
    "snakemake": {"plugin"},
    "sqlalchemy": {"db"},
    "alembic": {"db"},
    "falcon": {"server"},
    "requests": {"client"},
    "git": {"capture"},
    "tree_sitter": {"capture"},
    "tree_sitter_bash": {"capture"},
    "click": {"cli", "view"},
    "waitress": {"apps"},
    "jinja2": {"web"},
    "markupsafe": {"web"},
    "pygments": {"web"},
    "prov": {"export"},
    "rocrate": {"export"},
}
"""Which rooms may know a library."""


def modules() -> list[Path]:
    return sorted(path for path in PACKAGE.rglob("*.py") if "_shims" not in path.parts)


def room_of(path: Path) -> str:
    relative = path.relative_to(PACKAGE)
    return relative.parts[0] if len(relative.parts) > 1 else relative.stem


def imported_by(path: Path) -> set[str]:
    """The absolute names that a module imports anywhere in it, also inside functions and for type checking only."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports hide which wall is crossed"
            names |= {node.module or ""} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


@pytest.mark.parametrize("path", modules(), ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_each_module_imports_only_what_its_room_may_know(path: Path) -> None:
    """A room imports the rooms before it in the flow of data, and only the libraries that are its own."""
    room = room_of(path)
    if room == "__init__":
        return
    rooms = {name.split(".")[1] for name in imported_by(path) if name.startswith("snakeprov.")}
    rooms = {name for name in rooms if name in MAY_IMPORT}
    libraries = {name.split(".")[0] for name in imported_by(path)} & ONLY_IN.keys()

    assert rooms - MAY_IMPORT[room] - {room} == set()
    assert {library for library in libraries if room not in ONLY_IN[library]} == set()


INPUT_AND_OUTPUT = {"errno", "fcntl", "io", "pathlib.Path", "shutil", "socket", "sqlite3", "subprocess", "tempfile"}


@pytest.mark.parametrize("path", sorted((PACKAGE / "model").glob("*.py")), ids=lambda path: path.name)
def test_the_model_reads_and_writes_no_files(path: Path) -> None:
    """Values are made of values: what touches the disk is in the room for that."""
    assert imported_by(path) & INPUT_AND_OUTPUT == set()


def name_of(path: Path) -> str:
    """The name by which a module is imported."""
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def modules_imported_by(path: Path, known: Collection[str]) -> set[str]:
    """Which of the known modules a module imports; a package counts only where a name is imported that it defines."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names = (f"{node.module}.{alias.name}" for alias in node.names)
            found |= {name if name in known else str(node.module) for name in names}
    return found & set(known)


def behind(start: str, imports: dict[str, set[str]]) -> set[str]:
    """Every module that one imports, directly or through others."""
    found, waiting = set[str](), [start]
    while waiting:
        for name in imports[waiting.pop()] - found:
            found.add(name)
            waiting.append(name)
    return found


def test_no_modules_import_each_other() -> None:
    """There is no circle, within a room or between rooms, not even of imports in functions and for type checking.

    The package itself counts as one that imports nothing: it resolves the public names when they are first used.
    """
    by_name = {name_of(path): path for path in modules()}
    imports = {name: modules_imported_by(path, by_name.keys()) - {"snakeprov"} for name, path in by_name.items()}
    imports["snakeprov"] = set()

    assert [name for name in imports if name in behind(name, imports)] == []


def test_every_room_is_in_the_table() -> None:
    """A new package does not slip past the rules."""
    assert {room_of(path) for path in modules()} - {"__init__"} == set(MAY_IMPORT)


def test_contributing_shows_the_walls() -> None:
    """The table of packages in CONTRIBUTING.md has what each may import."""
    text = (PACKAGE.parent / "CONTRIBUTING.md").read_text(encoding="utf-8")
    shown = re.findall(r"^\| `(\w+)` \|.*\| ([^|]*)\|$", text.partition("## Tests")[0], re.MULTILINE)

    assert {room: set(re.findall(r"`(\w+)`", told)) for room, told in shown} == {
        room: may - {"errors", "settings"} for room, may in MAY_IMPORT.items()
    }


@pytest.mark.parametrize("path", modules(), ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_each_module_says_what_it_is_for(path: Path) -> None:
    """Every module begins with a docstring."""
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))


def loaded_by(statement: str) -> set[str]:
    """The top-level names of what a fresh interpreter has loaded after `statement`, the standard library left out."""
    code = f"import sys; before = set(sys.modules); {statement}; print(*(set(sys.modules) - before))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    names = {name.split(".")[0] for name in run.stdout.split()}
    return names - sys.stdlib_module_names


def test_importing_the_package_and_the_shim_loads_only_the_standard_library() -> None:
    """Both are imported in every process of a workflow, the shim on every call of Snakemake."""
    assert loaded_by("import snakeprov, snakemake_logger_plugin_snakeprov") == {
        "snakeprov",
        "snakemake_logger_plugin_snakeprov",
    }


def test_importing_the_package_loads_nearly_nothing() -> None:
    """Not even large parts of the standard library."""
    code = "import sys; before = set(sys.modules); import snakeprov; print(len(set(sys.modules) - before))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert int(run.stdout) <= 2


def test_the_command_line_loads_only_click_before_it_knows_the_command() -> None:
    """`snakeprov --help` answers at once."""
    assert loaded_by("import snakeprov.cli") <= {"snakeprov", "click"}


def test_the_public_names_are_those_in_all() -> None:
    """Nothing becomes public by accident."""
    run = subprocess.run(
        [sys.executable, "-c", "import snakeprov; print(*(n for n in vars(snakeprov) if not n.startswith('_')))"],
        capture_output=True,
        text=True,
        check=True,
    )
    resolved = {name for name in snakeprov.__all__ if getattr(snakeprov, name) is not None}

    assert set(run.stdout.split()) <= {"annotations", "TYPE_CHECKING", "Any"}
    assert resolved == set(snakeprov.__all__)
