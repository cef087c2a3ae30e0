"""Which programs a shell command calls.

Must not know: whether they exist, or which versions they have.
"""

from __future__ import annotations

import re
import shlex
from typing import Final

COMMAND_CHARS_MAX: Final = 20_000
"""A longer command is not read."""

_SEPARATORS: Final = frozenset("|&;(")
_ASSIGNMENT: Final = re.compile(r"[A-Za-z_]\w*\+?=")
_PROGRAM: Final = re.compile(r"[A-Za-z0-9_.+/-]*[A-Za-z][A-Za-z0-9_.+-]*")
_KEYWORDS: Final = frozenset("if then elif else fi while until do done { } ! time exec command env nohup".split())  # noqa: SIM905
"""What comes before the name of a program."""

_PLAIN: Final = frozenset(
    "set unset export local cd echo printf source . true false test [ [[ exit return trap ulimit umask read shift eval "  # noqa: SIM905
    "wait for case esac in select function mkdir rm mv cp ln touch chmod cat ls pwd sleep which".split()
)
"""What says nothing of how a result came to be."""


def programs(command: str | None) -> list[str]:
    """Return the names of the programs that a shell command calls, each once, in order.

    What cannot be read for certain, such as a text within the command, gives none.

    >>> programs("set -e; LC_ALL=C sort -k1 'a | b' | uniq -c > out && /opt/bwa/bin/bwa mem x y")
    ['sort', 'uniq', 'bwa']
    >>> programs("python <<END")
    []
    """
    if command is None or len(command) > COMMAND_CHARS_MAX or "<<" in command:
        return []
    lexer = shlex.shlex(command.replace("\\\n", " ").replace("\n", " ; "), posix=True, punctuation_chars="|&;()<>")
    lexer.whitespace_split = True
    found: dict[str, None] = {}
    begins = True
    try:
        for word in lexer:
            name = word.rsplit("/", 1)[-1]
            if set(word) <= {*_SEPARATORS, ")"}:
                begins = word[-1] != ")"
            elif begins and name not in _KEYWORDS and not _ASSIGNMENT.match(word):
                begins = False
                if _PROGRAM.fullmatch(word) and name not in _PLAIN:
                    found[name] = None
    except ValueError:  # a quotation that does not end
        return []
    return list(found)
