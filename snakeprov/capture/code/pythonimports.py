"""Finds what Python code imports, and where it tells Python to look for modules. The code is read, never run.

The places that code adds to `sys.path` are worked out from literals, `__file__`, `os.path`, `pathlib`, and names that
are given such a value once.
"""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

Tree = ast.Module
"""The syntax tree of some code."""

DEPTH_MAX: Final = 50
"""Expressions nested deeper than this are not worked out."""


class Import(NamedTuple):
    """Something imported: the number of dots before it, and its dotted name."""

    level: int
    name: str


class Surroundings(NamedTuple):
    """What code can know of where it is; absolute paths.

    Attributes:
        file: The code itself.
        working_directory: Where it runs.
    """

    file: str
    working_directory: str


def parse(code: str) -> ast.Module | None:
    """Return the syntax tree of some code; None where it is not valid Python."""
    try:
        return ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def imports(tree: ast.AST) -> Iterator[Import]:
    """Yield everything that code imports; of `from a import b` both `a` and `a.b`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (Import(0, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            yield Import(node.level, module)
            yield from (Import(node.level, f"{module}.{alias.name}".lstrip(".")) for alias in node.names)
        elif isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            first = _text(node.args[0]) if node.args else None
            if name in ("import_module", "__import__") and first is not None:
                yield Import(0, first)


def search_path(tree: ast.AST, evaluator: Evaluator, where: Surroundings) -> list[str]:
    """Return the folders that code adds to `sys.path`, as far as its text says which; absolute paths."""
    found: list[str] = []
    for node in ast.walk(tree):
        for added in _added(node):
            value = evaluator.value(added, 0)
            if value:
                found.append(os.path.normpath(os.path.join(where.working_directory, value)))  # noqa: PTH118
    return list(dict.fromkeys(found))


def _added(node: ast.AST) -> Iterator[ast.expr]:
    """Yield what a statement adds to `sys.path`."""
    match node:
        case ast.Call(func=ast.Attribute(value=target, attr="insert"), args=[_, added]) if _is_sys_path(target):
            yield added
        case ast.Call(func=ast.Attribute(value=target, attr="append"), args=[added]) if _is_sys_path(target):
            yield added
        case ast.Call(func=ast.Attribute(value=target, attr="extend"), args=[ast.List(elts=several)]) if _is_sys_path(
            target
        ):
            yield from several
        case ast.Call(func=ast.Attribute(attr="addsitedir"), args=[added, *_]):
            yield added
        case ast.AugAssign(target=target, value=ast.List(elts=several)) if _is_sys_path(target):
            yield from several
        case ast.Assign(targets=[target], value=ast.BinOp(left=left, right=right)) if _is_sys_path(target):
            yield from (one for side in (left, right) if isinstance(side, ast.List) for one in side.elts)


def _is_sys_path(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == "path" and getattr(node.value, "id", "") == "sys"


def _text(node: ast.AST) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


class Evaluator:
    """Works out expressions that are texts, such as paths."""

    def __init__(self, tree: ast.AST, where: Surroundings) -> None:
        """Prepare for the expressions of some code."""
        self._where = where
        self._assigned = _assigned_once(tree)

    def assigned(self, name: str) -> ast.expr | None:
        """Return what a name is set to; None where it is set more than once, or never."""
        return self._assigned.get(name)

    def value(self, node: ast.expr, depth: int = 0) -> str | None:
        """Return what an expression is; None where its text does not say it. `depth` is how deeply it is nested."""
        deeper = depth + 1
        if depth > DEPTH_MAX:
            return None
        match node:
            case ast.Constant(value=str(text)):
                return text
            case ast.Name(id="__file__"):
                return self._where.file
            case ast.Name(id=name):
                return self.value(self._assigned[name], deeper) if name in self._assigned else None
            case ast.Attribute(value=ast.Name(id="snakemake"), attr="scriptdir"):
                return os.path.dirname(self._where.file)  # noqa: PTH120
            case ast.Attribute(value=ast.Name(id="workflow"), attr="basedir" | "current_basedir"):
                return os.path.dirname(self._where.file)  # noqa: PTH120
            case ast.Attribute(value=inner, attr="parent"):
                return self._parent(inner, 1, deeper)
            case ast.Subscript(value=ast.Attribute(value=inner, attr="parents"), slice=ast.Constant(value=int(number))):
                return self._parent(inner, number + 1, deeper)
            case ast.BinOp(left=left, op=ast.Div(), right=right):
                return self._joined([left, right], deeper)
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                return self._concatenated([left, right], deeper)
            case ast.JoinedStr(values=values):
                parts = [one.value if isinstance(one, ast.FormattedValue) else one for one in values]
                return self._concatenated(parts, deeper)
            case ast.Call(func=function, args=arguments):
                return self._called(function, arguments, deeper)
        return None

    def _called(self, function: ast.expr, arguments: list[ast.expr], depth: int) -> str | None:
        name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
        match name, arguments:
            case "dirname", [inner]:
                return self._parent(inner, 1, depth)
            case (("abspath" | "realpath" | "normpath" | "str" | "fspath" | "Path" | "PurePath"), [inner]):
                return self.value(inner, depth)
            case (("getcwd" | "cwd"), []):
                return self._where.working_directory
            case "joinpath", several if isinstance(function, ast.Attribute):
                return self._joined([function.value, *several], depth)
            case (("join" | "Path"), several) if several:
                return self._joined(several, depth)
            case (("resolve" | "absolute" | "as_posix"), []) if isinstance(function, ast.Attribute):
                return self.value(function.value, depth)
        return None

    def _parent(self, node: ast.expr, levels: int, depth: int) -> str | None:
        value = self.value(node, depth)
        if value is None or levels > DEPTH_MAX:
            return None
        path = os.path.join(self._where.working_directory, value)  # noqa: PTH118
        for _ in range(levels):
            path = os.path.dirname(path)  # noqa: PTH120
        return path

    def _joined(self, nodes: list[ast.expr], depth: int) -> str | None:
        values = [self.value(node, depth) for node in nodes]
        known = [value for value in values if value is not None]
        return os.path.join(*known) if len(known) == len(values) else None  # noqa: PTH118

    def _concatenated(self, nodes: list[ast.expr], depth: int) -> str | None:
        values = [self.value(node, depth) for node in nodes]
        known = [value for value in values if value is not None]
        return "".join(known) if len(known) == len(values) else None


def _assigned_once(tree: ast.AST) -> Mapping[str, ast.expr]:
    """Return what names are set to that are set once."""
    values: dict[str, list[ast.expr]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    values.setdefault(target.id, []).append(node.value)
        elif isinstance(node, ast.AugAssign | ast.For) and isinstance(node.target, ast.Name):
            values.setdefault(node.target.id, []).extend([node.target, node.target])
    return {name: found[0] for name, found in values.items() if len(found) == 1}
