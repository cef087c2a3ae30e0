r"""Finds names and values that are given as a pair: `{"name": "password", "value": "x"}`, `- name: TOKEN\n  value: x`.

Objects of JSON and YAML (the environment of a container, headers in an archive of HTTP), TOML, keyword arguments, form
data, and attributes or elements of XML.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from snakeprov.capture.secrets.quoting import BLANKS, QUOTE, Span, compiled

BETWEEN_CHARS_MAX: Final = 300
"""How far apart name and value may stand; other members may come between them."""

VALUE_CHARS_MAX: Final = 1_000
"""How far is looked back for a value that comes before its name."""

_KEY_CHARS_MAX: Final = 60
_SEPARATORS: Final = frozenset(":=>")

_OF = r"(?:(?:env|var|variable|param|parameter|option|attr|attribute|header|property|field|setting|config)[_-]?)?"
_NAMES = rf"{_OF}(?:name|key|id|variable|option|header|parameter|property)"
_VALUES = rf"{_OF}(?:value|val)"
_BEGIN = r"(?:(?<![\w.-])|(?<=\\[nt]))"
_SEPARATOR = r"\s{0,3}(?:=>|:=|[:=])\s{0,3}"

_NAME_KEY = rf"(?i){_BEGIN}{_NAMES}(?:(?:{QUOTE})?{_SEPARATOR}(?:{QUOTE})?|>{BLANKS})\Z"
_NEXT_ITEM = r"(?:\n|\\{1,8}n)[-+ ]?[ \t]*-[ \t]"
_MEMBERS = rf"(?:(?!{_NEXT_ITEM})[^{{}}\[\]<>()]){{0,{BETWEEN_CHARS_MAX}}}?"
_ELEMENTS = rf"{BLANKS}</[\w:.-]+>{BLANKS}(?:<(?P<tag>[\w:.-]+)>[^<>]*</(?P=tag)>{BLANKS}){{0,3}}"
_VALUE_KEY = (
    rf"""(?:(?P<quote>{QUOTE})(?P<quoted>{_VALUES})(?P=quote)|{_BEGIN}(?<!["'`])(?P<bare>{_VALUES}))(?={_SEPARATOR})"""
)
_NEXT_MEMBER = rf"(?:{QUOTE})?(?!{_NEXT_ITEM})(?:[\s,;&]|\\{{1,8}}n){_MEMBERS}"
_VALUE_BEHIND = rf"(?i)(?:{_NEXT_MEMBER}{_VALUE_KEY}|{_ELEMENTS}<(?P<element>{_VALUES})>)"
_VALUE_BEFORE = rf"(?i){_VALUE_KEY}|<(?P<element>{_VALUES})>"
_IS_NAME_KEY = rf"(?i){_NAMES}"
_IS_VALUE_KEY = rf"(?i){_VALUES}"
_NAME_BEHIND = rf"(?i)(?:{_MEMBERS}|{_ELEMENTS}<){_NAMES}(?:(?:{QUOTE})?{_SEPARATOR}(?:{QUOTE})?|>{BLANKS})"


def is_value_of_name(text: str, span: Span) -> bool:
    """Return whether a word of a text is the value of a member that is called `name`, or similarly."""
    before = text[max(0, span.start - _KEY_CHARS_MAX) : span.start]
    # The pattern takes a while, and hardly anything needs it.
    return before.rstrip("\"'` \t\\\n")[-1:] in _SEPARATORS and compiled(_NAME_KEY).search(before) is not None


def value_key_behind(text: str, name: Span) -> Span | None:
    """Return where the key of the value that belongs to a name stands, if it comes after it.

    >>> text = "{'name': 'password', 'value': 'x'}"
    >>> value_key_behind(text, Span(10, 18))
    Span(start=22, end=27)
    """
    return _key(compiled(_VALUE_BEHIND).match(text, name.end))


def value_key_before(text: str, name: Span) -> Span | None:
    """Return where the last key of a value before a name stands; whether they belong together says `is_before`."""
    keys = list(compiled(_VALUE_BEFORE).finditer(text, max(0, name.start - VALUE_CHARS_MAX), name.start))
    return _key(keys[-1]) if keys else None


def is_before(text: str, value: Span, name: Span) -> bool:
    """Return whether a value belongs to the name that comes after it."""
    return value.end <= name.start and compiled(_NAME_BEHIND).fullmatch(text, value.end, name.start) is not None


def named_members(members: Mapping[str, Any]) -> tuple[str, frozenset[str]]:
    """Return the name that an object gives, "" if it gives none, and the keys of the values that it gives it.

    >>> named_members({"name": "TOKEN", "value": "x", "n": 1})
    ('TOKEN', frozenset({'value'}))
    """
    values = frozenset(key for key in members if compiled(_IS_VALUE_KEY).fullmatch(key))
    if values:
        for key, name in members.items():
            if isinstance(name, str) and compiled(_IS_NAME_KEY).fullmatch(key):
                return name, values
    return "", frozenset()


def _key(found: re.Match[str] | None) -> Span | None:
    return Span(*found.span(found.lastgroup or 0)) if found else None
