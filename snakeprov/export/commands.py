"""Find the programs that a shell command calls."""

from __future__ import annotations

import re
from typing import Final

from snakeprov.capture.code.shell import BUILTINS, commands

_PROGRAM: Final = re.compile(r"[A-Za-z0-9_.+-]*[A-Za-z][A-Za-z0-9_.+-]*")
_SILENT: Final = frozenset(
    "basename cat chmod chown cp date dirname hostname ln ls mkdir mktemp ml module mv nproc readlink realpath rm "  # noqa: SIM905
    "rmdir sleep tee touch which whoami".split()
)
"""Programs that say nothing of how a result came to be."""

_PREPARING: Final = frozenset({"activate", "deactivate", "shell.bash", "shell.posix"})
"""Subcommands of conda that prepare the commands that follow."""


def programs(command: str | None) -> list[str]:
    """Return the names of the programs that a shell command calls, each once, in the order of the text.

    A program that only runs another one is left out, and so are the builtins of the shell and programs such as `mkdir`.

    >>> programs("set -e; LC_ALL=C sort -k1 'a | b' | time -v uniq -c > out && /opt/bwa/bin/bwa mem x y")
    ['sort', 'uniq', 'bwa']
    """
    found: dict[str, None] = {}
    for argv in commands(command or ""):
        name = argv[0].rsplit("/", 1)[-1]
        if name in BUILTINS or name in _SILENT or not _PROGRAM.fullmatch(name) or name.startswith("-"):
            continue
        if not (len(argv) > 1 and argv[1] in _PREPARING):
            found[name] = None
    return list(found)
