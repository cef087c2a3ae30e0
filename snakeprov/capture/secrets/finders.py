"""Finds secrets in plain text: values under names that announce one, logins, and tokens by their shape."""

from __future__ import annotations

import base64
import binascii
import bisect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final

from snakeprov.capture.secrets import logins, pairs
from snakeprov.capture.secrets.names import MARK, is_header_name, is_secret_name, is_secret_value
from snakeprov.capture.secrets.quoting import (
    BLANKS,
    QUOTE,
    Span,
    begins_line,
    compiled,
    line,
    name_around,
    quoted,
    word,
)
from snakeprov.model.credentials import hide_in_urls

MIN_CHARACTERS: Final = 6
"""A shorter secret is hidden under its name, but not looked for elsewhere: it would be found in every other word."""

_PARTIAL_MIN: Final = 4
"""Fewer characters of a secret than this, where a text was cut, give nothing away."""

_NAME_TRIGGERS: Final = (
    *("pass", "token", "secret", "cred", "key", "auth", "pw", "cookie", "bearer", "sess", "_pat", "-pat"),
)
_IN_NAME = "|".join(_NAME_TRIGGERS)
_SEPARATOR = (
    rf"""(?:{QUOTE})?\]?(?:{QUOTE})?\s{{0,3}}(?:=>|:=|={{1,3}}|!=|:(?![:/])|%3[dD]|%3[aA])"""
    r"""(?:[ \t]{0,3}|\s{0,3}(?=["']))"""
)
_AFTER_OPTION = (
    rf"""(?:{QUOTE},{BLANKS}(?!(?:{QUOTE})?-)|"""
    r"""[ \t]{1,8}(?:\\{1,8}(?:\r?\n|n)\s{0,40})?|\\{0,8}\r?\n\s{1,40})"""
    r"""(?![-|;&<>)\s=:]|!=)"""
)
_BEFORE_SETTING = (
    r"(?:\bENV|\bconfigure[\s\\]+set|\bconfig[\s\\]+(?:set|--\w+)|\bconfig|\bsetenv|\b(?:login|account)[\s\\]+[^\s\\]\S{0,199})"
    r"[\s\\]+\Z"
)
_BEFORE_VARIABLE = (
    r"(?:\b(?:export|env|local|declare|typeset|readonly)[ \t]+(?:-\w+[ \t]+)*|[;|&][ \t]+|(?<![\w)\]])\([ \t]*)"
    r"(?:\w+=\S*[ \t]+)*\Z"
)
_AFTER_SETTING = r"""[ \t]{1,8}(?:\\\r?\n[ \t]{1,40})?(?![-|;&<>)\s=\\])"""
_BEFORE_ARGUMENT = (
    r"""(?i:\b\w*(?:set|put|add|header|cookie)\w*)"""
    rf"""\({BLANKS}(?:{QUOTE}[^"'\\\n]{{0,100}}{QUOTE}\s?,{BLANKS})?(?:{QUOTE})\Z"""
)
_AFTER_ARGUMENT = rf"""{QUOTE}\s?,{BLANKS}(?={QUOTE})(?!{QUOTE}-)"""
_AFTER_LABEL = (
    rf"""[:=] ?{QUOTE}(?:\s{{0,3}},{BLANKS}(?={QUOTE})| \\\n )"""
    rf"""(?!(?:{QUOTE})?(?:-|[A-Za-z_ -]{{1,30}}[:=] ?{QUOTE}))"""
)
"""`["Key:", "x"]`; but not where the next word is such a label too, or an option."""

_BETWEEN_WORDS = " \\\n "
_PLAIN_WORD = r"[\w./-]+|[\w./ -]+ --?[\w-]+"
"""A word that needs no quotes. Several words need quotes unless the last is an option, whose value then follows."""

_UNQUOTABLE: Final = dict.fromkeys(map(ord, "\"'`\\\r\n\t"), "_")
_SPACED = r"""[^\n]*(?::[ \t]|[ \t]=[ \t])"""
_OPERATORS: Final = frozenset(("", *";&|<>)"))
_QUOTES: Final = frozenset("\"'`")
_SCHEME = r"[A-Za-z][\w-]*[ \t]+(?=\S)"
_BLOCK = r"[|>][-+]?\d?[ \t]*\n([-+]?[ \t]+)[^\n]*(?:\n\1[^\n]*)*"
_FURTHER_LINE = r"(\n[-+ ]?[ \t]*)[^\s][^\n]*"
_SETTING_CHARS = 260

_BEARER = r"(?i)\b(bearer\s{1,3})(?=\S*[\d._~+/=-])([\w.~+/=-]{8,})"
_BASIC = r"\b(Basic\s{1,3})([A-Za-z0-9+/]{6,}={0,2})"
_IDENTIFIED = r"""(?i)\bidentified\s+by\s+(?=\\?["'])"""
_PRIVATE_KEY = (
    r"(?s)-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----.*?"
    r"(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----|\Z)"
    r"|\A[A-Za-z0-9+/=\s]*-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
)
_SHAPES = (
    r"(?<![A-Za-z0-9])(?:"
    r"gh[pousr]_[A-Za-z0-9]{16,}|github_pat_\w{16,}|gl(?:pat|ptt|dt|rt)-[\w-]{16,}"
    r"|(?:AKIA|ASIA)[A-Z0-9]{12,}(?:[\s:,;\"'=]{1,5}[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=]))?"
    r"|xox[a-z]-[\w-]{8,}|xapp-[\w-]{8,}|eyJ[\w-]{6,}\.[\w-]{4,}(?:\.[\w-]*)*"
    r"|sk-[\w-]{20,}|[srp]k_live_\w{16,}|hf_[A-Za-z0-9]{20,}|AIza[\w-]{30,}|ya29\.[\w-]{16,}|GOCSPX-[\w-]{20,}"
    r"|npm_[A-Za-z0-9]{20,}|pypi-[\w-]{20,}|dckr_pat_[\w-]{16,}|spt_[\w-]{20,}|SG\.[\w-]{16,}\.[\w-]{16,}"
    r"|dop_v1_[0-9a-f]{32,}|shpat_[0-9a-fA-F]{20,}|dapi[0-9a-f]{32}|hvs\.[\w-]{20,}"
    r"|ATATT3[\w=-]{20,}|gsk_\w{20,}|glsa_\w{20,}|AGE-SECRET-KEY-1[A-Z0-9]{20,}"
    r"|hooks\.slack\.com/services/[\w/]{10,}|discord(?:app)?\.com/api/webhooks/[\w/-]{20,}|\d{8,10}:AA[\w-]{30,})"
)
_SHORT_SHAPES: Final = ("xox", "xapp-", "eyJ", "SG.", "hvs.", "ya29.", "ATATT3", "hooks.slack", "api/webhooks")
_LONG_SHAPES: Final = (
    *("_pat_", "AKIA", "ASIA", "sk-", "k_live_", "hf_", "AIza", "GOCSPX-", "npm_", "pypi-", "spt_", "op_v1_", "shpat_"),
    *("ghp_", "gho_", "ghu_", "ghs_", "ghr_", "glpat-", "gldt-", "glrt-", "glptt-", "dapi", "gsk_", "glsa_"),
    *("AGE-SECRET", ":AA"),
)
"""What announces a token that has at least 16 letters, digits, `_` and `-` in a row; most texts have no such row."""

_ROW: Final = b"w" * 16
_IN_ROW: Final = bytes(
    ord("w") if chr(code).isalnum() or chr(code) in "_-" or code > 127 else ord(" ") for code in range(256)
)

Hide = Callable[[str], str]


def environment_secrets(environment: Mapping[str, str], declared: Iterable[str]) -> Iterator[str]:
    """Yield the values of variables that are secret: those `declared` so, and those whose names say it.

    A path of something that exists is not one, whatever its name: it only says where a secret lies.
    """
    names = set(declared)
    for name, value in environment.items():
        if (name in names or is_secret_name(name)) and is_secret_value(value, name):
            yield value


def may_hold(payload: str) -> bool:
    """Tell whether anything in `payload` may be a secret; a few words are looked for, which is cheap."""
    return _has_shape(payload) or _has_any(_TRIGGERS, payload.lower())


def finders(payload: str) -> list[Hide]:
    """Return what has to be run over the texts of `payload`, in this order; nothing where none can find anything."""
    if not may_hold(payload):
        return []
    lower = payload.lower()
    found: list[Hide] = []
    if "PRIVATE KEY" in payload:
        found.append(_hide_private_keys)
    if _has_shape(payload):
        found.append(_hide_shapes)
    if "://" in payload:
        found.append(_hide_in_urls)
    found += [hide for trigger, hide in _OTHERS if trigger in lower]
    if _has_any(logins.TRIGGERS, lower):
        found.append(_hide_logins)
    if _has_any(_NAME_TRIGGERS, lower):
        found.append(_hide_named)
    return found


def named_values(text: str) -> Iterator[str]:
    """Yield the values that stand in `text` under the names of secrets: `--password X`, `TOKEN=X`."""
    if _has_any(_NAME_TRIGGERS, text.lower()):
        for value in _named(text):
            yield text[value.start : value.end].strip("\"'\\")


def in_arguments(words: Sequence[str]) -> Iterator[tuple[int, int, int]]:
    """Yield the secrets in a list of words: the number of a word, and where in it the secret is.

    Only what other words say of it: each word may hold more that it announces itself.

    >>> list(in_arguments(["tool", "--password", "hunter2"])), list(in_arguments(["curl", "-u", "ada:x"]))
    ([(2, 0, 7)], [(2, 0, 5)])
    """
    if len(words) < 2:
        return
    parts, starts, at = [], [], 0
    for one in words:
        is_plain = compiled(_PLAIN_WORD).fullmatch(one) is not None
        starts.append(at + (not is_plain))
        parts.append(one if is_plain else f'"{one.translate(_UNQUOTABLE)}"')
        at += len(parts[-1]) + len(_BETWEEN_WORDS)
    text = _BETWEEN_WORDS.join(parts)
    if not _has_any(_TRIGGERS, text.lower()):
        return
    first = set(starts)
    named = [value for value in _named(text) if value.start in first]
    for value in sorted({*named, *logins.logins(text)}):
        number = bisect.bisect_right(starts, value.start) - 1
        start, end = value.start - starts[number], value.end - starts[number]
        yield number, start, min(end, len(words[number]))


def hide_private_keys_by_line(text: str) -> str:
    """Return a patch in which each line of a private key is replaced by itself."""
    if "PRIVATE KEY" not in text:
        return text
    return compiled(_PRIVATE_KEY).sub(lambda found: _mark_for(found[0]), text)


def partial_end(text: str, value: str) -> int:
    """Return how many characters at the end of `text` are the beginning of `value`; 0 for fewer than 4.

    >>> partial_end("the password is hunt", "hunter2")
    4
    """
    lengths = range(min(len(value) - 1, len(text)), _PARTIAL_MIN - 1, -1)
    return next((length for length in lengths if text.endswith(value[:length])), 0)


def partial_start(text: str, value: str) -> int:
    """Return how many characters at the beginning of `text` are the end of `value`; 0 for fewer than 4.

    >>> partial_start("nter2 is the password", "hunter2")
    5
    """
    lengths = range(min(len(value) - 1, len(text)), _PARTIAL_MIN - 1, -1)
    return next((length for length in lengths if text.startswith(value[-length:])), 0)


def _named(text: str) -> Iterator[Span]:
    """Yield what stands under the names of secrets, in order."""
    at = 0
    lower = text.lower()
    if len(lower) != len(text):  # a few letters have two in lower case
        lower = "".join(letter.lower()[0] for letter in text)
    for trigger in compiled(_IN_NAME).finditer(lower):
        if trigger.start() < at:
            continue
        name = name_around(text, trigger.start(), trigger.end())
        at = name.end
        value = _value_of(text, name)
        if value is not None and value.end > value.start:
            at = max(at, value.end)
            yield value


def _value_of(text: str, span: Span) -> Span | None:
    """Return the secret that stands under a name, or None where the name announces none, or nothing can be one."""
    written = text[span.start : span.end]
    name = written.strip("-.")
    if written.startswith("-D"):
        name = name[1:]
    if not is_secret_name(name):
        return None
    value = _behind(text, name, span) or _in_pair(text, name, span) or _next_word(text, span)
    if value is None:
        return None
    start = value.start
    if name.lower().endswith("authorization") and (scheme := compiled(_SCHEME).match(text, start, value.end)):
        start = scheme.end()
    content = text[start : value.end]
    can_be = content.strip("\"'\\") if content[:1] in "\"'\\" else content
    return (
        Span(start, value.end) if is_secret_value(can_be, "authorization" if is_header_name(name) else name) else None
    )


def _in_pair(text: str, name: str, span: Span) -> Span | None:
    """Return the value of a name that is itself one: `name: PASSWORD, value: x`."""
    if not pairs.is_value_of_name(text, span):
        return None
    if key := pairs.value_key_behind(text, span):
        return _behind(text, name, key)
    key = pairs.value_key_before(text, span)
    value = _behind(text, name, key) if key else None
    return value if value and pairs.is_before(text, value, span) else None


def _behind(text: str, name: str, written: Span) -> Span | None:
    """Return what is assigned to a name, or to the key of its value, where it is `written`; or its element of XML."""
    if text[written.start - 1 : written.start] in _QUOTES and (gap := compiled(_AFTER_LABEL).match(text, written.end)):
        return word(text, gap.end(), in_shell=True)
    if separator := compiled(_SEPARATOR).match(text, written.end):
        behind = separator.end() + len(MARK)
        if text.startswith(MARK, separator.end()) and text[behind : behind + 1] in _OPERATORS:
            return None  # it was found before, in a URL for example
        return _assigned(text, name, written, separator.end())
    if text.startswith(">", written.end) and text[written.start - 1 : written.start] == "<":
        end = text.find("<", written.end)
        return Span(written.end + 1, len(text) if end < 0 else end)
    return None


def _next_word(text: str, span: Span) -> Span | None:
    """Return the word that follows a name: the value of an option or of a setting, or the next argument of a call."""
    before = text[max(0, span.start - _SETTING_CHARS) : span.start]
    if (
        (text.startswith("-", span.start) and (gap := compiled(_AFTER_OPTION).match(text, span.end)))
        or ((gap := compiled(_AFTER_SETTING).match(text, span.end)) and compiled(_BEFORE_SETTING).search(before))
        or ((gap := compiled(_AFTER_ARGUMENT).match(text, span.end)) and compiled(_BEFORE_ARGUMENT).search(before))
    ):
        return word(text, gap.end(), in_shell=True)
    return None


def _assigned(text: str, name: str, written: Span, at: int) -> Span:
    if string := quoted(text, at):
        glued = word(text, at)
        if glued.start != at:
            return string
        if not is_header_name(name):
            return glued
    if is_header_name(name):
        return line(text, at, written)
    if compiled(_SPACED).fullmatch(text, written.end, at) and begins_line(text, written.start):
        if block := compiled(_BLOCK).match(text, at):
            return Span(block.end(1), block.end())
        rest, first = line(text, at, written), word(text, at)
        # A constant or a type, whatever follows it: `token: str = None`.
        return rest if is_secret_value(text[first.start : first.end], name) else first
    return word(text, at, in_shell=_is_in_shell(text, written, at))


def _is_in_shell(text: str, name: Span, value: int) -> bool:
    """Return whether a value is that of an option, or of a variable that a shell sets."""
    if text.startswith("-", name.start):
        return True
    before = text[max(0, name.start - _SETTING_CHARS) : name.start]
    return text[name.end : value] == "=" and compiled(_BEFORE_VARIABLE).search(before) is not None


def _replaced(text: str, values: Iterable[Span]) -> str:
    parts, at = [], 0
    for value in values:
        if value.start < at:
            continue
        parts += [text[at : value.start], _mark_for(text[value.start : value.end])]
        at = value.end
    return "".join([*parts, text[at:]]) if parts else text


def _mark_for(value: str) -> str:
    """Return what stands in the place of a value: as many lines, with the indentation of each."""
    end = value.find("\n")
    return MARK if end < 0 else MARK + compiled(_FURTHER_LINE).sub(rf"\1{MARK}", value[end:])


def _hide_named(text: str) -> str:
    return _replaced(text, _named(text)) if _has_any(_NAME_TRIGGERS, text.lower()) else text


def _hide_logins(text: str) -> str:
    return _replaced(text, sorted(logins.logins(text)))


def _hide_in_urls(text: str) -> str:
    return hide_in_urls(text, MARK) if "://" in text else text


def _hide_private_keys(text: str) -> str:
    return compiled(_PRIVATE_KEY).sub(MARK, text)


def _hide_shapes(text: str) -> str:
    return compiled(_SHAPES).sub(MARK, text)


def _hide_bearer(text: str) -> str:
    return compiled(_BEARER).sub(rf"\1{MARK}", text)


def _hide_basic(text: str) -> str:
    return compiled(_BASIC).sub(lambda found: found[1] + MARK if _is_login(found[2]) else found[0], text)


def _hide_identified(text: str) -> str:
    return _replaced(text, (word(text, found.end()) for found in compiled(_IDENTIFIED).finditer(text)))


def _is_login(text: str) -> bool:
    try:
        return b":" in base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return False


def _has_shape(text: str) -> bool:
    """Return whether a token of a known shape may be in a text."""
    return _has_any(_SHORT_SHAPES, text) or (
        _ROW in text.encode("utf-8", "surrogatepass").translate(_IN_ROW) and _has_any(_LONG_SHAPES, text)
    )


def _has_any(words: tuple[str, ...], text: str) -> bool:
    for one in words:  # noqa: SIM110  a generator costs twice as much
        if one in text:
            return True
    return False


_OTHERS: Final[tuple[tuple[str, Hide], ...]] = (
    ("bearer ", _hide_bearer),
    ("basic ", _hide_basic),
    ("identified by", _hide_identified),
)
"""Ways to give a secret that neither a name nor a program announces, by what the lower-cased text then holds."""

_TRIGGERS: Final = tuple(
    trigger
    for trigger in ("://", *_NAME_TRIGGERS, *logins.TRIGGERS, *(trigger for trigger, _ in _OTHERS))
    if not any(name in trigger and name != trigger for name in _NAME_TRIGGERS)
)
"""Without one of these in its lower-cased form a text holds nothing to hide but tokens of known shapes."""
