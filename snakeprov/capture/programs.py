"""Which files a shell command runs as code: the programs that it names by their path, and the scripts of interpreters.

Must not know: which files exist.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from snakeprov.capture.shell import commands
from snakeprov.capture.wrappers import UNKNOWN


class Script(NamedTuple):
    """A file that a command runs.

    Attributes:
        name: Its path as the command has it.
        language: That of the interpreter; None where the file itself says it.
        folder: What the commands before it have changed to, if they say it.
    """

    name: str
    language: str | None
    folder: str = ""

    @property
    def names(self) -> list[str]:
        """Its path from where the whole command begins; as it is too, since a `cd` may hold for a part only."""
        return list(dict.fromkeys([posixpath.join(self.folder, self.name), self.name]))


class _Interpreter(NamedTuple):
    """How an interpreter is called.

    Attributes:
        language: What it reads.
        valued: The options that take the next word as their value.
        text: The options that are followed by code instead of the name of a file.
        files: The options that are followed by the name of a file with code.
        module: The option that is followed by the name of a module.
        has_operand: Whether the first word that is no option is the name of a file with code.
    """

    language: str
    valued: frozenset[str] = frozenset()
    text: frozenset[str] = frozenset()
    files: frozenset[str] = frozenset()
    module: str | None = None
    has_operand: bool = True


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_PYTHON: Final = _Interpreter("python", _words("-W -X -Q --check-hash-based-pycs"), _words("-c"), module="-m")
_R: Final = _Interpreter("r", _words("-g --gui --encoding -d"), _words("-e"), _words("-f --file"), has_operand=False)
_RSCRIPT: Final = _Interpreter("r", text=_words("-e"))
_SHELL: Final = _Interpreter("shell", _words("-o +o -O +O --rcfile --init-file"), _words("-c"))
_PERL: Final = _Interpreter("perl", _words("-I"), _words("-e -E"))
_JULIA: Final = _Interpreter(
    "julia",
    _words("-t --threads -p --procs -C -J -O --project --sysimage"),
    _words("-e -E --eval --print"),
    _words("-L --load"),
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
    found: dict[Script, None] = {}
    folder = ""
    for argv in commands(command):
        if argv[0] == "cd" and len(argv) == 2 and UNKNOWN not in argv[1] and argv[1] != "-":
            folder = posixpath.join(folder, argv[1])
            continue
        for script in _run(argv):
            if UNKNOWN not in script.name and script.name:
                found[script._replace(folder=folder)] = None
    return list(found)


def _run(argv: list[str]) -> Iterator[Script]:
    """Yield the files that a simple command runs."""
    program = argv[0]
    if program in _CALLED:
        yield from (Script(name, _CALLED[program]) for name in argv[1:2])
        return
    if "/" in program:
        yield Script(program, None)
    interpreter = _interpreter(posixpath.basename(program))
    if interpreter is None:
        return
    words = iter(argv[1:])
    if argv[1:3] == ["CMD", "BATCH"]:
        words, interpreter = iter(argv[3:]), _RSCRIPT
    for word in words:
        option, equals, value = word.partition("=")
        if word == "--":
            continue
        if option in interpreter.files:
            yield Script(value if equals else next(words, ""), interpreter.language)
        elif option in interpreter.text or (interpreter.language in ("perl", "ruby") and _BUNDLE.match(word)):
            return
        elif option == interpreter.module:
            module = next(words, "").replace(".", "/")
            yield from (Script(name, interpreter.language) for name in (f"{module}.py", f"{module}/__main__.py"))
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


def _interpreter(name: str) -> _Interpreter | None:
    return _INTERPRETERS.get(name) or _INTERPRETERS.get(_VERSION.sub("", name))
