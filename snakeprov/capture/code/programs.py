"""Finds the files that a command runs as code: programs named by their path, and scripts of interpreters."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from snakeprov.capture.code.shell import Command, commands_with
from snakeprov.capture.code.wrappers import UNKNOWN, wrapped


class Script(NamedTuple):
    """A file that a command runs.

    Attributes:
        name: Its path as the command has it.
        language: That of the interpreter; None where the file itself says it.
        folder: What the commands before it have changed to, if they say it.
        search: The folders in which its interpreter is told to look for modules, as the command has them.
        is_module: Whether it is a module that is looked for there too, as in `python -m`.
        is_read: Whether the shell that names it reads it itself (`source`), without starting a process.
    """

    name: str
    language: str | None
    folder: str = ""
    search: tuple[str, ...] = ()
    is_module: bool = False
    is_read: bool = False

    @property
    def names(self) -> list[str]:
        """Where it may be, from where the whole command begins, the likeliest first."""
        own = self.places(self.name)
        if self.is_module:
            own += [place for folder in self.search for place in self.places(posixpath.join(folder, self.name))]
        return list(dict.fromkeys(own))

    def places(self, name: str) -> list[str]:
        """Return where a path of the command may be; as it is too, since a `cd` may hold for a part only."""
        return list(dict.fromkeys([posixpath.join(self.folder, name), name]))


class _Interpreter(NamedTuple):
    """How an interpreter is called.

    Attributes:
        language: What it reads.
        valued: The options that take the next word as their value.
        text: The options that are followed by code instead of the name of a file.
        files: The options that are followed by the name of a file with code.
        module: The option that is followed by the name of a module.
        has_operand: Whether the first word that is not an option is the name of a file with code.
        variables: Those with the folders in which it looks for modules, separated by colons.
        folders: The options that are followed by such a folder, or have it glued to them.
    """

    language: str
    valued: frozenset[str] = frozenset()
    text: frozenset[str] = frozenset()
    files: frozenset[str] = frozenset()
    module: str | None = None
    has_operand: bool = True
    variables: tuple[str, ...] = ()
    folders: frozenset[str] = frozenset()


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_PYTHON: Final = _Interpreter("python", _words("-W -X -Q --check-hash-based-pycs"), _words("-c"), module="-m",
    variables=("PYTHONPATH",),
)  # fmt: skip
_R: Final = _Interpreter("r", _words("-g --gui --encoding -d"), _words("-e"), _words("-f --file"), has_operand=False)
_RSCRIPT: Final = _Interpreter("r", text=_words("-e"))
_SHELL: Final = _Interpreter("shell", _words("-o +o -O +O --rcfile --init-file"), _words("-c"))
_PERL: Final = _Interpreter("perl", text=_words("-e -E"), variables=("PERL5LIB", "PERLLIB"), folders=_words("-I"))
_JULIA: Final = _Interpreter(
    "julia",
    _words("-t --threads -p --procs -C -J -O --sysimage"),
    _words("-e -E --eval --print"),
    _words("-L --load"),
    variables=("JULIA_LOAD_PATH", "JULIA_PROJECT"),
    folders=_words("--project"),
)
_NODE: Final = _Interpreter(
    "javascript", _words("-C --conditions"), _words("-e -p --eval --print"), _words("-r --require")
)
_AWK: Final = _Interpreter(
    "awk", _words("-v -F --assign --field-separator"), files=_words("-f --file"), has_operand=False
)
_SED: Final = _Interpreter("sed", _words("-e -l --expression"), files=_words("-f --file"), has_operand=False)

_INTERPRETERS: Final[Mapping[str, _Interpreter]] = {
    "python": _PYTHON, "pypy": _PYTHON, "R": _R, "Rscript": _RSCRIPT, "littler": _RSCRIPT,
    "bash": _SHELL, "sh": _SHELL, "dash": _SHELL, "ksh": _SHELL, "zsh": _SHELL, "ash": _SHELL,
    "perl": _PERL, "julia": _JULIA, "node": _NODE, "deno": _NODE, "bun": _NODE,
    "ruby": _Interpreter("ruby", _words("-I -r"), _words("-e")), "lua": _Interpreter("lua", _words("-l"), _words("-e")),
    "php": _Interpreter("php", _words("-d"), _words("-r"), _words("-f")),
    "awk": _AWK, "gawk": _AWK, "mawk": _AWK, "nawk": _AWK, "sed": _SED,
    "groovy": _Interpreter("groovy", _words("-cp --classpath"), _words("-e")),
    "java": _Interpreter("java", _words("-cp -classpath --class-path"), files=_words("-jar"), has_operand=False),
    "papermill": _Interpreter("python", _words("-p -r -k --parameters --kernel")),
}  # fmt: skip
_VARIABLES: Final = tuple(dict.fromkeys(name for one in _INTERPRETERS.values() for name in one.variables))
_SEPARATE: Final = frozenset({"-I"})
"""Options whose folder can be the next word."""

_VERSION: Final = re.compile(r"[0-9][0-9.]*\Z")
_CALLED: Final[Mapping[str, str]] = {".": "shell", "source": "shell"}
_BUNDLE: Final = re.compile(r"-[A-Za-z0-9]*[eE]\Z")
"""`perl -ne`: the code follows."""
_SHELL_BUNDLE: Final = re.compile(r"[-+][A-Za-z]+[oO]\Z")
"""`bash -euo pipefail`: the name of a shell option follows."""


def language_of(shebang: str) -> str | None:
    """Return the language that the first line of a script names; None where it names none that is known.

    >>> language_of("#!/usr/bin/env -S python3 -u"), language_of("#!/bin/sh")
    ('python', 'shell')
    """
    if not shebang.startswith("#!"):
        return None
    words = [posixpath.basename(word) for word in shebang[2:].split() if not word.startswith("-")]
    found = _interpreter(words[1] if words[:1] == ["env"] and len(words) > 1 else words[0]) if words else None
    return found.language if found is not None else None


def scripts(command: str) -> list[Script]:
    """Return the files that a shell command runs as code, each once, in the order of the text.

    Those that are programs by their own name (`sort`) are left out, and what only the shell can tell.

    >>> [script.name for script in scripts("time python3 -u fit.py x | ./bin/sum; Rscript -e 1; bash -c 'sh a.sh'")]
    ['fit.py', './bin/sum', 'a.sh']
    """
    return _scripts(commands_with(_VARIABLES, command))


def scripts_of(argv: list[str], folder: str = "", variables: Mapping[str, str] = MappingProxyType({})) -> list[Script]:
    """Return the files that a list of words runs as code.

    Args:
        argv: The words; `UNKNOWN` stands in them for what is not known.
        folder: Where it runs, as its caller has it.
        variables: What it is given.
    """
    found: list[Script] = []
    for run in wrapped(argv) if argv else []:
        found += scripts(run) if isinstance(run, str) else _scripts([Command(run, variables)])
    return [one._replace(folder=posixpath.join(folder, one.folder)) for one in found]


def _scripts(commands: Iterable[Command]) -> list[Script]:
    found: dict[Script, None] = {}
    folder = ""
    for argv, variables in commands:
        if argv[0] == "cd" and len(argv) == 2 and UNKNOWN not in argv[1] and argv[1] != "-":
            folder = posixpath.join(folder, argv[1])
            continue
        for script in _run(argv, variables):
            if UNKNOWN not in script.name and script.name:
                found[script._replace(folder=folder)] = None
    return list(found)


def _run(argv: list[str], variables: Mapping[str, str]) -> Iterator[Script]:
    """Yield the files that a simple command runs."""
    program = argv[0]
    if program in _CALLED:
        yield from (Script(name, _CALLED[program], is_read=True) for name in argv[1:2])
        return
    interpreter = _interpreter(posixpath.basename(program))
    if "/" in program:
        # Which interpreter reads it only its first line says; it gets what is meant for any.
        yield Script(program, None, search=_folders(_VARIABLES if interpreter is None else (), variables, []))
    if interpreter is None:
        return
    given: list[str] = []
    for script in _interpreted(argv, interpreter, given):
        yield script._replace(search=_folders(interpreter.variables, variables, given))


def _interpreted(argv: list[str], interpreter: _Interpreter, folders: list[str]) -> Iterator[Script]:
    """Yield the files that an interpreter runs; adds to `folders` those that its options before them name."""
    words = iter(argv[1:])
    if argv[1:3] == ["CMD", "BATCH"]:
        words, interpreter = iter(argv[3:]), _RSCRIPT
    for word in words:
        option, equals, value = word.partition("=")
        if word == "--":
            continue
        if option in interpreter.files:
            yield Script(value if equals else next(words, ""), interpreter.language)
        elif (folder := _folder(interpreter, word)) is not None:
            folders.append(folder or (next(words, "") if option in _SEPARATE else "."))
        elif option in interpreter.text or (interpreter.language in ("perl", "ruby") and _BUNDLE.match(word)):
            return
        elif option == interpreter.module:
            module = next(words, "").replace(".", "/")
            for name in (f"{module}.py", f"{module}/__main__.py"):
                yield Script(name, interpreter.language, is_module=True)
            return
        elif option in interpreter.valued or (interpreter is _SHELL and _SHELL_BUNDLE.match(word)):
            if not equals:
                next(words, None)
        elif not word.startswith(("-", "+")):
            if interpreter.has_operand:
                yield Script(word, interpreter.language)
                return
        elif word == "--args":
            return


def _folder(interpreter: _Interpreter, word: str) -> str | None:
    """Return the folder for modules that an option names, "" if it does not say it itself; None of another word."""
    for option in interpreter.folders:
        if word == option or word.startswith(f"{option}=" if option.startswith("--") else option):
            return word.removeprefix(option).removeprefix("=").replace("@.", ".")
    return None


def _folders(names: Iterable[str], variables: Mapping[str, str], given: list[str]) -> tuple[str, ...]:
    """Return the folders in which modules are looked for, as far as a command says which."""
    named = [*given, *(folder for name in names for folder in variables.get(name, "").split(":"))]
    return tuple(dict.fromkeys(one for one in named if one and UNKNOWN not in one and not one.startswith("@")))


def _interpreter(name: str) -> _Interpreter | None:
    return _INTERPRETERS.get(name) or _INTERPRETERS.get(_VERSION.sub("", name))
