"""Parses a shell command into its simple commands, each as the words of its argv.

The grammar is tree-sitter's for bash. It is loaded when the first command is read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from snakeprov.capture.code.shellvariables import Variables
from snakeprov.capture.code.wrappers import UNKNOWN, wrapped

if TYPE_CHECKING:
    from tree_sitter import Node, Parser

BUILTINS: Final = frozenset(
    "! . : [ [[ { } alias bg bind break builtin caller case cd command compgen complete compopt continue coproc "  # noqa: SIM905
    "declare dirs disown do done echo elif else enable esac eval exec exit export false fc fg fi for function getopts "
    "hash help history if in jobs kill let local logout mapfile popd printf pushd pwd read readarray readonly return "
    "select set shift shopt source suspend test then time times trap true type typeset ulimit umask unalias unset "
    "until wait while".split()
)
"""The commands that bash carries out itself, and its reserved words."""

COMMAND_CHARS_MAX: Final = 100_000
"""A longer command is not read."""

DEPTH_MAX: Final = 8
"""Maximum nesting of commands in arguments of commands (`bash -c "bash -c …"`)."""

_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)
_ESCAPED_IN_QUOTES: Final = re.compile(r'\\([\n$`"\\])')
_VERBATIM: Final = frozenset({"word", "number", "regex", "extglob_pattern", "test_operator", "string_content"})


_WORKING_DIRECTORY: Final = frozenset({"$PWD", "${PWD}", "$(pwd)", "`pwd`"})


class Command(NamedTuple):
    """A simple command: its words, and those variables it is given that were asked for."""

    argv: list[str]
    variables: Mapping[str, str]


def commands(text: str) -> list[list[str]]:
    """Return the argv of each simple command in a text, in the order of the text.

    Assignments and redirections are left out. A program that only runs another command (`nice -n 5 sort`) is replaced
    by that command, and so are `bash -c '…'` and here-documents that a shell reads. Calls of functions that the text
    defines are left out. What only the shell can tell, such as `$x`, is `UNKNOWN` within a word.

    Of a text that cannot be parsed, only the commands before the first mistake are returned.

    >>> commands("LC_ALL=C time -p sort -k1 'a | b' 2> log | nice -n 5 uniq > $out")
    [['sort', '-k1', 'a | b'], ['uniq']]
    >>> commands('for f in $(ls x); do python3 scripts/fit.py "$f"; done') == [
    ...     ["ls", "x"], ["python3", "scripts/fit.py", UNKNOWN]]
    True
    """
    return [command.argv for command in _commands(text, DEPTH_MAX, (), {})]


def commands_with(variables: Iterable[str], text: str) -> list[Command]:
    """Return the simple commands in a text as `commands` does, with the variables of these names that they are given.

    >>> commands_with(["A"], "A=1 x; A=2; y; export A=$HOME/3:$A; z; (export A=4; env -u B A=5 nice v)") == [
    ...     Command(["x"], {"A": "1"}), Command(["y"], {}), Command(["z"], {"A": f"{UNKNOWN}/3:{UNKNOWN}:2"}),
    ...     Command(["v"], {"A": "5"})]
    True
    """
    return list(_commands(text, DEPTH_MAX, variables, {}))


def _commands(text: str, depth: int, names: Iterable[str], inherited: Mapping[str, str]) -> Iterator[Command]:
    if depth == 0 or len(text) > COMMAND_CHARS_MAX:
        return
    source = text.replace(UNKNOWN, "${_}").encode("utf-8", "replace")
    nodes = list(_nodes(_parser().parse(source).root_node))
    end = min((node.start_byte for node in nodes if node.is_error or node.is_missing), default=len(source))
    nodes = [node for node in nodes if node.end_byte <= end]
    functions = {_word(node.named_children[0]) for node in nodes if node.type == "function_definition"}
    variables = Variables(names, _word, inherited)
    for node in nodes:
        variables.follow(node)
        argv = _argv(node) if _is_command(node) else []
        if argv and argv[0] not in functions:
            for run in wrapped(argv, _documents(node)):
                if isinstance(run, str):
                    before = argv[: argv.index(run)] if run in argv else []
                    yield from _commands(run, depth - 1, names, variables.of(node, before))
                else:
                    yield Command(run, variables.of(node, argv[: len(argv) - len(run)]))


@lru_cache(maxsize=1)
def _parser() -> Parser:
    import tree_sitter_bash
    from tree_sitter import Language, Parser

    return Parser(Language(tree_sitter_bash.language()))


def _nodes(root: Node) -> Iterator[Node]:
    """Yield a node and all below it, in the order of the text; without recursion, for texts that are nested deeply."""
    waiting = [root]
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(reversed(node.children))


def _is_command(node: Node) -> bool:
    """Return whether a node is a command, also where the grammar finds only redirections (`>o 2>&1 sort x <in`)."""
    return node.type == "command" or (node.type == "redirected_statement" and node.child_by_field_name("body") is None)


def _argv(command: Node) -> list[str]:
    """Return the words of a simple command, also those that follow a redirection."""
    nodes: list[Node] = []
    for node in [*command.children, *_redirections(command)]:
        if node.type == "file_redirect":
            nodes += [one for one in node.named_children if one.type != "file_descriptor"][1:]
        elif node.type != "variable_assignment" and not node.type.endswith("_redirect"):
            nodes.append(node)
    words: list[str] = []
    end = -1
    for node in nodes:
        word = _word(node)
        if node.start_byte == end:  # what the grammar takes for two words, and the shell for one
            word = words.pop() + word
        words.append(word)
        end = node.end_byte
    return words


def _redirections(command: Node) -> list[Node]:
    parent = command.parent
    return [] if parent is None or parent.type != "redirected_statement" else parent.children_by_field_name("redirect")


def _documents(command: Node) -> list[str]:
    redirections = [*command.children_by_field_name("redirect"), *_redirections(command)]
    bodies = [one for node in redirections for one in node.children if one.type == "heredoc_body"]
    return [_text(body) for body in bodies]


def _text(node: Node) -> str:
    return (node.text or b"").decode("utf-8", "replace")


def _word(node: Node) -> str:
    """Return what the shell makes of a word."""
    text = _text(node)
    if node.type == "raw_string":
        return text[1:-1]
    if node.type in _VERBATIM:
        return _ESCAPED.sub(_unescaped, text)
    if text in _WORKING_DIRECTORY:
        return "."
    if node.type == "string":
        return _joined(node, 1, len(node.children) - 1, in_quotes=True)
    if node.type in ("command_name", "concatenation"):
        return _joined(node, 0, len(node.children), in_quotes=False)
    return UNKNOWN if node.is_named else text


def _unescaped(found: re.Match[str]) -> str:
    return "" if found[1] == "\n" else found[1]


def _joined(node: Node, begin: int, end: int, *, in_quotes: bool) -> str:
    """Return the parts of a word, and what stands between them."""
    source, start = node.text or b"", node.start_byte
    parts: list[str] = []
    position = start + (1 if in_quotes else 0)
    for part in node.children[begin:end]:
        parts.append(source[position - start : part.start_byte - start].decode("utf-8", "replace"))
        if part.type == "string_content":
            parts.append(_ESCAPED_IN_QUOTES.sub(_unescaped, _text(part)))
        else:
            parts.append(UNKNOWN if part.type == "$" else _word(part))
        position = part.end_byte
    return "".join(parts)
