"""Finds the files that code in R, Julia, Perl, JavaScript or the shell reads as code or runs.

Names are found where all their parts are literals: `source(file.path("R", "util.R"))`, or
`include(joinpath(@__DIR__, "x.jl"))`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final, Literal, NamedTuple

from snakeprov.capture.code.programs import Script, scripts

Language = Literal["r", "julia", "perl", "javascript", "shell"]
Base = Literal["work", "file", "script", "root"]
"""Where a relative name begins: the working directory, the folder of the code or of the script, the project's root."""

PARTS_MAX: Final = 1_000
"""More tokens than this make no name."""


class Named(NamedTuple):
    """A file that code names, or a folder.

    Attributes:
        name: Relative to one of the bases, or absolute.
        bases: Where it may lie, the likeliest first.
    """

    name: str
    bases: tuple[Base, ...]


class Folder(Named):
    """A folder in which the interpreter looks for modules from then on."""


class Module(NamedTuple):
    """A module that code names; in which of the folders it lies is for the interpreter to find.

    Attributes:
        name: As the code has it.
        file: Its path in such a folder; None where that depends on the folder.
    """

    name: str
    file: str | None = None


class NamedProgram(NamedTuple):
    """A file with code that a process of its own runs.

    Attributes:
        files: Where it may lie, the likeliest first.
        language: What it is read as; None where the file itself says it.
        search: The folders in which its interpreter is told to look for modules.
    """

    files: tuple[Named, ...]
    language: str | None
    search: tuple[Named, ...] = ()


Sourced = Named | Module | NamedProgram


def named_program(script: Script, named: Callable[[str], Named] = lambda name: Named(name, ("work",))) -> NamedProgram:
    """Return what a command of some code runs; `named` says where a path of it begins."""
    files = tuple(named(name) for name in script.names)
    search = tuple(named(place) for folder in script.search for place in script.places(folder))
    return NamedProgram(files, script.language, search)


def sourced(language: str, code: str) -> Iterator[Sourced]:
    """Yield what code in a language names, in the order of the code; nothing of a language that is not known."""
    reader = _READERS.get(language)
    if reader is not None:
        yield from reader(code)


# R and Julia: a call whose argument is put together from literals

_TOKEN: Final = re.compile(
    r"""(?P<text>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')|(?P<word>@?[A-Za-z_.][\w.]*(?:(?:::|@|\$)[\w.]+)*!?)"""
    r"""|(?P<mark>[(),=*])|(?P<space>\s+)|(?P<other>.)""",
    re.DOTALL,
)
_MARKS: Final[Mapping[str, Base]] = {
    "snakemake@scriptdir": "script",
    "@__DIR__": "file",
    "pwd": "work",
    "getwd": "work",
    "here": "root",
    "here::here": "root",
}
_JOINING: Final = frozenset({"file.path", "fs::path", "joinpath", "here", "here::here", "path", "fs::path_wd"})
_GLUING: Final = frozenset({"paste0", "string"})
_SAME: Final = frozenset({"normalizePath", "normpath", "abspath", "realpath", "as.character"})
_COMMENT: Final = re.compile(r"""("(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')|\#[^\n]*""")

_R_CALL: Final = re.compile(r"(?<![\w.$@])(?:base::)?(?:sys\.)?source\s*\(")
_R_SYSTEM: Final = re.compile(r"(?<![\w.$@])(?:base::)?system\s*\(")
_JULIA_PATH: Final = re.compile(r"(?<![\w.@])push(?:first)?!\s*\(\s*(?:Base\.)?LOAD_PATH\s*,")
_JULIA_PROJECT: Final = re.compile(r"(?<![\w.@])(?:Pkg\.)?activate\s*\(")
_JULIA_USING: Final = re.compile(r"(?m)^[ \t]*(?:using|import)[ \t]+([A-Za-z_][\w.,: \t]*)")
_JULIA_COMMAND: Final = re.compile(r"(?<![\w.@])(?:run|read|readchomp|success|pipeline)\s*\(\s*`([^`]*)`")
_JULIA_CALL: Final = re.compile(r"(?<![\w.@])(?:Base\.)?include\s*\(")


class _Path(NamedTuple):
    """A path that is worked out: what it is relative to, if the code says it, and the rest."""

    base: Base | None
    name: str


class _Reader:
    """Reads one argument of a call."""

    def __init__(self, code: str, at: int) -> None:
        self._tokens = self._read(code, at)
        self._token = next(self._tokens, ("", ""))

    @staticmethod
    def _read(code: str, at: int) -> Iterator[tuple[str, str]]:
        for number, found in enumerate(_TOKEN.finditer(code, at)):
            if number > PARTS_MAX:
                yield "other", "…"
                return
            kind = found.lastgroup or ""
            if kind != "space":
                yield kind, found.group()

    def _next(self) -> tuple[str, str]:
        token, self._token = self._token, next(self._tokens, ("", ""))
        return token

    def argument(self) -> _Path | None:
        """Return the first argument, or the one called `file`; None where it is not put together from literals."""
        while True:
            label, value = self._labelled()
            if label in ("", "file", "path") and value is not None:
                return value
            if self._next() != ("mark", ","):
                return None

    def _labelled(self) -> tuple[str, _Path | None]:
        kind, text = self._token
        value = self._value()
        if kind == "word" and self._token == ("mark", "="):
            self._next()
            return text, self._value()
        return "", value

    def _value(self) -> _Path | None:
        kind, text = self._next()
        value: _Path | None = None
        if kind == "text":
            value = _Path(None, re.sub(r"\\(.)", r"\1", text[1:-1]))
        elif kind == "word":
            called = self._arguments() if self._token == ("mark", "(") else None
            value = _called(text, called)
        if self._token[1] not in (",", ")", "=", ""):  # an operator: what comes of it is not known
            self._skip()
            return None
        return value

    def _arguments(self) -> list[_Path | None]:
        self._next()
        found: list[_Path | None] = []
        while self._token not in (("mark", ")"), ("", "")):
            label, value = self._labelled()
            if not label:
                found.append(value)
            if self._token != ("mark", ","):
                break
            self._next()
        if self._token == ("mark", ")"):
            self._next()
        return found

    def _skip(self) -> None:
        """Go to the end of the argument."""
        depth = 0
        while self._token != ("", ""):
            text = self._token[1]
            if depth == 0 and text in (",", ")"):
                return
            depth += (text == "(") - (text == ")")
            self._next()


def _called(name: str, arguments: list[_Path | None] | None) -> _Path | None:
    """Return what a name stands for, or a call of it."""
    if not arguments:
        base = _MARKS.get(name)
        return _Path(base, "") if base is not None else None
    parts = [one for one in arguments if one is not None]
    if len(parts) < len(arguments) or any(one.base is not None for one in parts[1:]):
        return None
    first = parts[0]
    names = [one.name for one in parts if one.name]
    if name in _JOINING:
        base = _MARKS.get(name) if first.base is None else first.base
        return _Path(base, "/".join(names))
    if name in _GLUING:
        return _Path(first.base, "".join(names).lstrip("/" if first.base else ""))
    return first if name in _SAME and len(parts) == 1 else None


def _calls(code: str, call: re.Pattern[str], bases: tuple[Base, ...]) -> Iterator[Named]:
    for found in call.finditer(code):
        path = _Reader(code, found.end()).argument()
        if path is not None and (path.name or path.base):
            yield Named(path.name or ".", bases if path.base is None else (path.base,))


def _without_comments(code: str) -> str:
    return _COMMENT.sub(lambda found: found[1] or "", code)


def _r(code: str) -> Iterator[Sourced]:
    code = _without_comments(code)
    # R looks in the working directory; scripts are often written for their own folder.
    yield from _calls(code, _R_CALL, ("work", "script", "root"))
    for command in _calls(code, _R_SYSTEM, ("work",)):
        yield from (named_program(script) for script in scripts(command.name))


def _julia(code: str) -> Iterator[Sourced]:
    code = _without_comments(code)
    for folder in (*_calls(code, _JULIA_PATH, ("work",)), *_calls(code, _JULIA_PROJECT, ("work",))):
        yield Folder(*folder)
    yield from _calls(code, _JULIA_CALL, ("file",))
    for names in _JULIA_USING.findall(code):
        yield from (Module(name.strip().split(".")[0]) for name in names.partition(":")[0].split(",") if name.strip())
    for command in _JULIA_COMMAND.findall(code):
        yield from (named_program(script) for script in scripts(command))


# Perl and JavaScript

_PERL_FILE: Final = re.compile(r"""^[^#\n]*?\b(?:require|do)\s*\(?\s*(["'])([^"'$\n]+\.p[lmh])\1""", re.MULTILINE)
_PERL_LIBRARY: Final = re.compile(
    r"""^\s*use\s+lib\s+(?:qw\s*)?[("'\s]*((?:\$FindBin::(?:Real)?Bin/)?)([\w./-]+)""", re.MULTILINE
)
_PERL_MODULE: Final = re.compile(r"^\s*(?:use|require)\s+([A-Z]\w*(?:::\w+)*)\b", re.MULTILINE)
_PERL_SYSTEM: Final = re.compile(
    r"""^[^#\n]*?\bsystem\s*\(?\s*["']([^"'\\\n]+)["']\s*\)?\s*(?:;|\bor\b|\|\||==)""", re.MULTILINE
)
_JAVASCRIPT: Final = re.compile(r"""(?:\brequire\s*\(|\bimport\s*\(|\bfrom|\bimport)\s*(["'])(\.{1,2}/[^"'\n]+)\1""")


def _perl(code: str) -> Iterator[Sourced]:
    for _, name in _PERL_FILE.findall(code):
        yield Named(name, ("work", "script"))
    for of_script, folder in _PERL_LIBRARY.findall(code):
        yield Folder(folder, ("script",) if of_script else ("work",))
    for module in _PERL_MODULE.findall(code):
        yield Module(module, f"{module.replace('::', '/')}.pm")
    for command in _PERL_SYSTEM.findall(code):
        yield from (named_program(script) for script in scripts(command))


def _javascript(code: str) -> Iterator[Named]:
    for _, name in _JAVASCRIPT.findall(code):
        for suffix in ("", ".js", ".mjs", ".cjs", ".ts", "/index.js", ".json"):
            yield Named(name + suffix, ("file",))


# The shell

_HERE: Final = "__DIR__OF__THIS__FILE__"
_OWN_FOLDER: Final = re.compile(
    r"""\$\(\s*(?:cd\s+(?:-P\s+)?(?:--\s+)?["']?)?\$?\(?\s*dirname\s+(?:--\s+)?["']?(?:\$\(\s*(?:readlink\s+-f|realpath)\s+["']?)?"""
    r"""\$(?:0|\{0\}|BASH_SOURCE|\{BASH_SOURCE(?:\[0\])?\})["']?\s*\)?["']?\s*\)?["']?(?:\s*(?:>/dev/null(?:\s+2>&1)?\s*)?(?:&&|;)\s*pwd(?:\s+-P)?\s*\))?"""
    r"""|\$\{(?:BASH_SOURCE(?:\[0\])?|0)%/\*\}"""
)
_IS_OWN_FOLDER: Final = re.compile(rf"""(?m)^\s*(?:export\s+|readonly\s+|local\s+)?(\w+)=["']?{_HERE}["']?\s*(?:$|;)""")


def _shell(code: str) -> Iterator[Sourced]:
    code = _OWN_FOLDER.sub(_HERE, code)
    for name in set(_IS_OWN_FOLDER.findall(code)):
        code = re.sub(rf"\$(?:{name}\b|\{{{name}\}})", _HERE, code)
    for script in scripts(code):
        found = named_program(script, _of_shell)
        yield from found.files if script.is_read else (found,)


def _of_shell(name: str) -> Named:
    own = name.removeprefix(_HERE + "/")
    return Named(own, ("work",) if own == name else ("file",))


_READERS: Final[Mapping[str, Callable[[str], Iterator[Sourced]]]] = {
    "r": _r,
    "julia": _julia,
    "perl": _perl,
    "javascript": _javascript,
    "shell": _shell,
}
