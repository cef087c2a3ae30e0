"""Finds where a value begins and ends in a text, when only the place of its name is known.

A text can be a shell command, JSON, YAML, INI, form data, HTTP headers, XML, Python code, a message, or one of these
inside another. So nothing is parsed from its beginning. Around a place it is looked which quotes are open there, and
the value goes on to where it must have ended in each of these languages.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Final, NamedTuple

NAME_CHARACTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-"
"""What names of options, variables, keys, headers and parameters are made of."""

NAME_CHARS_MAX: Final = 200
BEFORE_CHARS_MAX: Final = 1_000
"""How far is looked back for quotes that are open."""

VALUE_CHARS_MAX: Final = 20_000
"""How far is looked for the end of a value."""

QUOTE: Final = r"""(?:'"'"'|'\\''|\\{0,8}["'`])"""
"""A quote as it is written inside other quotes too: with backslashes, and as a shell does inside single quotes."""

BLANKS: Final = r"(?:\s|\\{1,8}[nrt]){0,40}"
"""Blanks and ends of lines, as they are written in strings too."""

_IN_SINGLE_QUOTES = ("'\"'\"'", "'\\''")
_OPENING = r"""(?:[rbfuRBFU]{1,2}(?=\\{0,8}["'])|\$(?='))?(\\{0,8})(["'`])"""
_ENDING = r"""(?=[\s"'`;,)\]}&|>]|:(?:\s|\Z)|\Z|\\["'nrt]|[\w.\[\]-]{1,60}\s{0,2}(?:=|:\s|%3[dD]))"""
_IN_WORD = rf"""[^\s"'`\\&;,|<>()\[\]{{}}:]+|:(?!\s|\Z)|\\(?!\\{{0,7}}["'`]|\s).|[,(\[\]{{}}](?!{_ENDING})"""
_COMMAND = r"[;&|]{0,2}[ \t]*[A-Za-z_][\w./-]*[ \t]+\S"
_BARE = rf"(?:{_IN_WORD}|[&;|<>)](?!{_ENDING}|{_COMMAND}))+"
_SHELL_BARE = rf"(?:{_IN_WORD})+"
_QUOTE_BEFORE = r"""\\{0,8}["']\Z"""
_COMMENT = r"\s+#.*\Z"


class Span(NamedTuple):
    """A value: the text between `start` and `end`, without its quotes if it is one quoted string."""

    start: int
    end: int


@cache
def compiled(pattern: str) -> re.Pattern[str]:
    """Return a compiled pattern; most processes need none of them, and each takes a while to compile."""
    return re.compile(pattern)


def name_around(text: str, start: int, end: int) -> Span:
    """Return the name that contains the text between `start` and `end`."""
    before = text[max(0, start - NAME_CHARS_MAX) : start]
    after = text[end : end + NAME_CHARS_MAX]
    first = start - (len(before) - len(before.rstrip(NAME_CHARACTERS)))
    return Span(first, end + len(after) - len(after.lstrip(NAME_CHARACTERS)))


def quote_open_at(text: str, at: int) -> str:
    """Return the quote that is open at a place, with the backslashes before it; "" where there is none.

    >>> quote_open_at('curl -d "user=ada&password=x"', 20), quote_open_at(r'{"a": "\\"b', 10)
    ('"', '\\\\"')
    """
    earliest = max(0, at - BEFORE_CHARS_MAX)
    line_start = max(text.rfind("\n", earliest, at) + 1, earliest)
    opened: list[str] = []
    for found in compiled(r"""\\*["'`]""").finditer(text, line_start, at):
        mark = found[0]
        if mark in opened:
            del opened[opened.index(mark) :]
        elif not text[found.start() - 1 : found.start()].isalnum():  # else an apostrophe
            opened.append(mark)
    return opened[-1] if opened else ""


def quoted(text: str, at: int) -> Span | None:
    """Return the string that begins at a place, without its quotes, or None. One that is never closed ends its line."""
    start = at + text.startswith("$", at)
    if mark := quote_in_single_quotes(text, start):
        return Span(start + len(mark), _closing_in_single_quotes(text, start + len(mark)))
    found = compiled(_OPENING).match(text, at)
    if found is None or found[2] == "`":
        return None
    mark = found[1] + found[2]
    if compiled(_ENDING).match(text, found.end()) and mark == quote_open_at(text, at):
        return None  # it closes the string in which this is
    if not found[1] and text.startswith(found[2] * 3, found.start(2)):
        end = text.find(found[2] * 3, found.start(2) + 3)
        return Span(found.start(2) + 3, _line_end(text, found.start(2) + 3) if end < 0 else end)
    return Span(found.end(), closing(text, found.end(), mark))


def quote_in_single_quotes(text: str, at: int) -> str:
    """Return the single quote at a place as a shell writes it within single quotes; "" where none is there."""
    if text.startswith("'", at):
        return next((mark for mark in _IN_SINGLE_QUOTES if text.startswith(mark, at)), "")
    return ""


def ends_string(text: str, at: int, mark: str) -> bool:
    """Return whether the quote `mark`, if that is one, ends a string at a place.

    >>> ends_string("'b'", 2, "'"), ends_string("'\\\\''b", 0, "'")
    (True, False)
    """
    return mark != "" and text.startswith(mark, at) and not quote_in_single_quotes(text, at)


def past_inner_string(text: str, at: int) -> int:
    """Return the place behind a string that begins at a place within single quotes; the place itself if none does."""
    mark = quote_in_single_quotes(text, at)
    return _after(text, _closing_in_single_quotes(text, at + len(mark))) if mark else at


def closing(text: str, at: int, mark: str) -> int:
    """Return where the string ends in which a place is: before the quote `mark`, or at the end of the line."""
    end = _line_end(text, at)
    depth = len(mark) - 1
    for found in compiled(r"(\\*)" + re.escape(mark[-1])).finditer(text, at, end):
        backslashes = len(found[1])
        if backslashes % 2 == 0 if depth == 0 else backslashes <= depth:
            return found.end() - 1 - (depth if depth and backslashes == depth else 0)
    return end


def word(text: str, at: int, *, in_shell: bool = False) -> Span:
    """Return the value that begins at a place: a string, or a word with the strings that are glued to it.

    Where it is known to be a word of a shell command (`in_shell`), each operator ends it: `--password x|sort`. In an
    INI file or form data `x|sort` may be the value.

    >>> [word("x|sort", 0, in_shell=known).end for known in (False, True)]
    [6, 1]
    """
    string = quoted(text, at)
    if string is not None:
        after = _after(text, string.end)
        end = after if after == string.end else _word_end(text, after, at, in_shell=True)
        return string if end == after else Span(at, end)
    return Span(at, _word_end(text, at, at, in_shell=in_shell))


def line(text: str, at: int, name: Span) -> Span:
    """Return the rest of the line, or of the string in which a place is; a comment at its end left out.

    A quote directly before the `name` is the one that is open, even in a message that has the command in the same
    quotes: `Command 'curl -H 'Cookie: a=b' host' failed`.
    """
    before = compiled(_QUOTE_BEFORE).search(text, max(0, name.start - 9), name.start)
    mark = before[0] if before and text[name.end] not in "\"'\\" else quote_open_at(text, at)
    end = closing(text, at, mark) if mark else _line_end(text, at)
    value = text[at:end]
    if not mark and (comment := compiled(_COMMENT).search(value)):
        value = value[: comment.start()]
    return Span(at, at + len(value.rstrip(" \t\r,;")))


def begins_line(text: str, at: int) -> bool:
    """Return whether nothing but blanks and the marks of a list or of a patch stands before a place in its line."""
    return not text[text.rfind("\n", max(0, at - NAME_CHARS_MAX), at) + 1 : at].strip(" \t-+\"'")


def _word_end(text: str, at: int, start: int, *, in_shell: bool) -> int:
    mark: str | None = None
    limit = min(len(text), start + VALUE_CHARS_MAX)
    while at < limit:
        if found := compiled(_SHELL_BARE if in_shell else _BARE).match(text, at):
            at = found.end()
            continue
        if (past := past_inner_string(text, at)) > at:
            at, in_shell = past, True
            continue
        string = compiled(_OPENING).match(text, at)
        if string is None or string[2] == "`":
            break
        if mark is None:
            mark = quote_open_at(text, start)
        if mark and string[2] == mark[-1] and len(string[1]) < len(mark):
            break
        if compiled(_ENDING).match(text, string.end()) and not text.startswith(string[2], string.end()):
            break
        at = _after(text, closing(text, string.end(), string[1] + string[2]))
        in_shell = True  # nothing else glues strings together
    return at


def _closing_in_single_quotes(text: str, at: int) -> int:
    """Return where the string ends whose quotes stand within single quotes: at its own, or at the one around it."""
    end = text.find("'", at, at + VALUE_CHARS_MAX)
    return _line_end(text, at) if end < 0 else end


def _after(text: str, at: int) -> int:
    """Return the place after the quote that closes a string at `at`, if one does."""
    found = compiled(QUOTE).match(text, at)
    return found.end() if found else at


def _line_end(text: str, at: int) -> int:
    end = text.find("\n", at, at + VALUE_CHARS_MAX)
    return min(len(text), at + VALUE_CHARS_MAX) if end < 0 else end
