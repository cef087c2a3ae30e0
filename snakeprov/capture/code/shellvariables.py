"""Follows the variables that a shell command sets for the programs after it: `export X=…`, `X=… program`, `env X=…`.

A variable holds a list, such as of folders, separated by colons.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from snakeprov.capture.code.wrappers import UNKNOWN

if TYPE_CHECKING:
    from tree_sitter import Node

_OWN_SCOPES: Final = frozenset(
    "subshell command_substitution process_substitution function_definition if_statement elif_clause "  # noqa: SIM905
    "else_clause case_item while_statement for_statement".split()
)
"""What is set in one of these holds there only, or perhaps only there."""

_EXPORTING: Final = frozenset({"export", "-x", "-gx", "-xg"})


class _Setting(NamedTuple):
    """What a variable is set to: until which place in the text, and whether programs get it."""

    name: str
    value: str
    until: int
    is_exported: bool


class Variables:
    """Follows some variables through the syntax tree of a command, from its beginning on.

    A value is what the text says: `UNKNOWN` stands in it for what only the shell can tell.
    """

    def __init__(self, names: Iterable[str], word: Callable[[Node], str], inherited: Mapping[str, str]) -> None:
        """Begin.

        Args:
            names: The variables that are followed.
            word: Returns what the shell makes of a word.
            inherited: What programs get from outside.
        """
        self._names = frozenset(names)
        self._word = word
        self._settings = [_Setting(name, value, sys.maxsize, is_exported=True) for name, value in inherited.items()]

    def follow(self, node: Node) -> None:
        """Take note of what a node sets. Nodes come in the order of the text."""
        if not self._names:
            return
        until = _end_of_scope(node)
        if node.type == "variable_assignment" and _parent_type(node) not in ("command", "declaration_command"):
            self._set(node, until=until, is_exported=False)
        elif node.type == "declaration_command":
            is_exported = any((one.text or b"").decode() in _EXPORTING for one in node.children)
            for one in node.named_children:
                if one.type == "variable_assignment":
                    self._set(one, until=until, is_exported=is_exported)
                elif is_exported and one.type == "variable_name":
                    name = (one.text or b"").decode()
                    self._add(name, self._value(name, node.start_byte), node.start_byte, until=until, is_exported=True)
        elif node.type == "unset_command":
            for one in node.named_children:
                self._add((one.text or b"").decode(), "", node.start_byte, until=until, is_exported=False)

    def of(self, command: Node, words: Sequence[str]) -> dict[str, str]:
        """Return what the program of a command gets; `words` are those before it, as in `env X=… program`."""
        at = command.start_byte
        found = {name: one.value for name in self._names if (one := self._last(name, at)) and one.is_exported}
        for node in command.children:
            if node.type == "variable_assignment":
                found.update(self._assigned(node))
        for word in words:
            name, equals, value = word.partition("=")
            if equals and name in self._names:
                found[name] = value
        return {name: value for name, value in found.items() if value}

    def _set(self, assignment: Node, *, until: int, is_exported: bool) -> None:
        for name, value in self._assigned(assignment):
            self._add(name, value, assignment.start_byte, until=until, is_exported=is_exported)

    def _add(self, name: str, value: str, at: int, *, until: int, is_exported: bool) -> None:
        if name in self._names:
            before = self._last(name, at) if value else None
            is_exported = is_exported or (before is not None and before.is_exported)
            self._settings.append(_Setting(name, value, until, is_exported))

    def _assigned(self, assignment: Node) -> Iterator[tuple[str, str]]:
        """Yield the name and the value of an assignment; what the variable had before stays where it is named."""
        named, given = assignment.child_by_field_name("name"), assignment.child_by_field_name("value")
        name = (named.text or b"").decode() if named is not None else ""
        if name not in self._names or given is None:
            return
        value, said = self._word(given), (given.text or b"").decode("utf-8", "replace")
        is_added = any(one.type == "+=" for one in assignment.children)
        before = self._value(name, assignment.start_byte)
        if is_added:
            value = before + value
        elif f"${name}" in said or f"${{{name}" in said:
            # `x${A:+:$A}` has no colon of its own.
            value = value.replace(UNKNOWN, f":{before}:") if value.count(UNKNOWN) == 1 else f"{value}:{before}"
        yield name, value

    def _value(self, name: str, at: int) -> str:
        last = self._last(name, at)
        return last.value if last is not None else ""

    def _last(self, name: str, at: int) -> _Setting | None:
        return next((one for one in reversed(self._settings) if one.name == name and one.until > at), None)


def _parent_type(node: Node) -> str:
    return node.parent.type if node.parent is not None else ""


def _end_of_scope(node: Node) -> int:
    """Return up to which place in the text a variable that is set in a node has that value, as far as the text says."""
    part, parent = node, node.parent
    while parent is not None:
        if parent.type == "pipeline":
            return part.end_byte
        if parent.type in _OWN_SCOPES:
            clauses = (one.start_byte for one in parent.children if one.type in ("elif_clause", "else_clause"))
            return min((at for at in clauses if at > node.start_byte), default=parent.end_byte)
        part, parent = parent, parent.parent
    return sys.maxsize
