"""Finds the programs that Python code starts, as far as its text says which: `subprocess.run(["python", "x.py"])`."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator, Mapping
from typing import Final

from snakeprov.capture.code.programs import Script, scripts, scripts_of
from snakeprov.capture.code.pythonimports import DEPTH_MAX, Evaluator
from snakeprov.capture.code.wrappers import UNKNOWN

_TEXTS: Final = frozenset(
    "os.system os.popen subprocess.getoutput subprocess.getstatusoutput asyncio.create_subprocess_shell "  # noqa: SIM905
    "snakemake.shell snakemake.shell.shell".split()
)
"""Functions that give a text to a shell."""

_WORDS: Final = frozenset(
    "subprocess.run subprocess.call subprocess.check_call subprocess.check_output subprocess.Popen".split()  # noqa: SIM905
)
"""Functions that take the words of a command, or its text and `shell=True`."""

_REPLACING: Final = frozenset({"os.execv", "os.execvp", "os.execve", "os.execvpe"})
"""Functions that take a program and then the words of a command."""

_FILES: Final = frozenset({"runpy.run_path"})
_SPREAD: Final = frozenset({"asyncio.create_subprocess_exec"})
_FIELD: Final = re.compile(r"(?<!\{)\{[^{}]*\}(?!\})")
_PERCENT: Final = re.compile(r"%[-#0 +]*[\d.*]*[sdrifge]")
_ARGV_MAX: Final = 1_000


def started(tree: ast.AST, evaluator: Evaluator) -> Iterator[Script]:
    """Yield the files with code that are run by the processes that Python code starts.

    What it works out while it runs is `UNKNOWN`, and so is where a process runs whose `cwd` is not a literal: that is
    left out.
    """
    imported = _imported(tree)
    if imported:
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                yield from _of_call(node, _dotted(node.func, imported), _Reader(evaluator, imported))


class _Reader:
    """Reads the arguments of calls."""

    def __init__(self, evaluator: Evaluator, imported: Mapping[str, str]) -> None:
        self._evaluator = evaluator
        self._imported = imported

    def text(self, node: ast.expr, depth: int = 0) -> str:
        """Return what a text is; `UNKNOWN` stands for the parts that are not said."""
        value = self._evaluator.value(node)
        if value is not None or depth > DEPTH_MAX:
            return UNKNOWN if value is None else value
        deeper = depth + 1
        match node:
            case ast.Name(id=name) if (assigned := self._evaluator.assigned(name)) is not None:
                return self.text(assigned, deeper)
            case ast.JoinedStr(values=parts):
                said = [one.value if isinstance(one, ast.FormattedValue) else one for one in parts]
                return "".join(self.text(one, deeper) for one in said)
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                return self.text(left, deeper) + self.text(right, deeper)
            case ast.BinOp(left=left, op=ast.Mod()):
                return _PERCENT.sub(UNKNOWN, self.text(left, deeper))
            case ast.Call(func=ast.Attribute(value=inner, attr="format")):
                return _FIELD.sub(UNKNOWN, self.text(inner, deeper))
            case ast.Attribute() if _dotted(node, self._imported) == "sys.executable":
                return "python"
        return UNKNOWN

    def words(self, node: ast.expr, depth: int = 0) -> list[str] | None:
        """Return the words of a command, up to the first whose number is unknown; None where `node` is not a list."""
        if depth > DEPTH_MAX:
            return None
        match node:
            case ast.Name(id=name) if (assigned := self._evaluator.assigned(name)) is not None:
                return self.words(assigned, depth + 1)
            case ast.List(elts=several) | ast.Tuple(elts=several):
                found: list[str] = []
                for one in several[:_ARGV_MAX]:
                    if isinstance(one, ast.Starred):
                        return [*found, *(self.words(one.value, depth + 1) or [UNKNOWN])]
                    found.append(self.text(one))
                return found
            case ast.BinOp(left=left, op=ast.Add()):
                return self.words(left, depth + 1)
            case ast.Call(func=ast.Attribute(value=inner, attr="split"), args=[]):
                return self.text(inner).split()
            case ast.Call(func=function, args=[inner, *_]) if _dotted(function, self._imported) == "shlex.split":
                try:
                    return shlex.split(self.text(inner))
                except ValueError:
                    return []
        return None

    def variables(self, node: ast.expr | None, depth: int = 0) -> dict[str, str]:
        """Return what a dict, or a call of `dict`, names that a process is given."""
        if depth > DEPTH_MAX:
            return {}
        match node:
            case ast.Name(id=name) if (assigned := self._evaluator.assigned(name)) is not None:
                return self.variables(assigned, depth + 1)
            case ast.Dict(keys=keys, values=values):
                pairs = [(key, one) for key, one in zip(keys, values, strict=True) if key is not None]
                return {self.text(key): self.text(one) for key, one in pairs}
            case ast.Call(keywords=keywords):
                return {one.arg: self.text(one.value) for one in keywords if one.arg is not None}
            case ast.BinOp(op=ast.BitOr(), right=right):
                return self.variables(right, depth + 1)
        return {}


def _of_call(call: ast.Call, function: str, reader: _Reader) -> Iterator[Script]:
    if not call.args:
        return
    given = {one.arg: one.value for one in call.keywords if one.arg is not None}
    first = call.args[0]
    if function in _FILES:
        yield Script(reader.text(first), "python")
        return
    folder = reader.text(given["cwd"]) if "cwd" in given else ""
    if folder == UNKNOWN:
        return
    variables = reader.variables(given.get("env"))
    if function in _TEXTS:
        yield from _in(folder, scripts(reader.text(first)))
    elif function in _SPREAD:
        yield from scripts_of([reader.text(one) for one in call.args], folder, variables)
    elif function in _REPLACING and len(call.args) > 1:
        yield from scripts_of(reader.words(call.args[1]) or [], folder, variables)
    elif function in _WORDS:
        words = reader.words(first)
        is_text = isinstance(given.get("shell"), ast.Constant) and getattr(given["shell"], "value", False) is True
        if words is not None:
            yield from scripts_of(words, folder, variables)
        elif is_text:
            yield from _in(folder, scripts(reader.text(first)))
        else:
            yield from scripts_of([reader.text(first)], folder, variables)


def _in(folder: str, found: list[Script]) -> Iterator[Script]:
    return (one._replace(folder="/".join(part for part in (folder, one.folder) if part)) for one in found)


def _imported(tree: ast.AST) -> dict[str, str]:
    """Return what names stand for that import statements bind, as dotted names."""
    found: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.split(".")[0]
                found[alias.asname or top] = alias.name if alias.asname else top
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.update({alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names})
    return found


def _dotted(node: ast.expr, imported: Mapping[str, str]) -> str:
    """Return the dotted name of a function that was imported, "" of another."""
    attributes: list[str] = []
    while isinstance(node, ast.Attribute):
        attributes.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name) or node.id not in imported:
        return ""
    return ".".join([imported[node.id], *reversed(attributes)])
