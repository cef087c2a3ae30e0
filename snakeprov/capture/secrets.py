"""What looks like a secret in plain text: names that announce one, and the shapes of well-known tokens.

Must not know: where a text comes from, records.

A secret that is missed stays for ever, a word that is hidden without need is an annoyance: in doubt it is hidden.
What cannot be a secret is kept, since it is worth reading: `$TOKEN`, the name of a file, `max_tokens=512`.
"""

from __future__ import annotations

import base64
import binascii
import functools
import itertools
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping

from snakeprov.capture.redact import hide_in_urls

MARK = "***"
"""What stands in the place of a secret."""

MIN_CHARACTERS = 6
"""A shorter secret is hidden under its name, but not looked for elsewhere: it would be found in every other word."""

_PARTIAL_MIN = 4
"""Fewer characters of a secret than this, where a text was cut, give nothing away."""

_PATH_CHARACTERS_MAX = 4096

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_SECRET_WORDS = frozenset(
    """
    password passwords passwd passphrase passcode sshpass token tokens secret secrets credential credentials
    creds auth authorization oauth apikey accesskey secretkey privatekey pwd
    """.split()  # noqa: SIM905
)
_SECRET_ENDINGS = ("password", "passwd", "passphrase", "token", "secret", "apikey", "accesskey", "secretkey")
_KEY_KINDS = frozenset(
    """
    api access secret private signing encryption master account auth shared subscription ssh license
    """.split()  # noqa: SIM905
)
_HARMLESS_LAST = frozenset(
    """
    file files path paths dir directory folder name url uri type kind format count length len size limit max
    min expiry expires ttl stdin env var variable scheme method required version scope scopes endpoint sock
    id
    """.split()  # noqa: SIM905
)
_HARMLESS_FIRST = frozenset(
    """
    max min n num number total has is no use pad bos eos unk sep cls mask stop
    """.split()  # noqa: SIM905
)
_SECRET_WHOLE = frozenset({"pass", "pw"})
_NO_SECRET_VALUES = frozenset({"", "null", "none", "nil", "true", "false", MARK, "basic", "bearer", "digest"})

# Patterns as text: most runs need few of them, and each takes a millisecond to compile.
_VALUE = r"""(?:"(?:\\.|[^"\\])*(?:"|\Z)|'(?:\\.|[^'\\])*(?:'|\Z)|[^\s"'])+"""
_QUOTED = r"""(?s)(["'])(?:(?!\1).)*\1([,;:)}\]]*)"""
_OPTION = r"(?<![\w.-])(--?)([A-Za-z][\w.-]{0,200})(=|\s{1,3}(?:\\\n\s{0,40})?(?!-))(" + _VALUE + ")"
_ASSIGNMENT = r"""(?<![\w.-])()([A-Za-z_][\w.-]{0,200})(\\?["']?\s{0,3}(?:=>|:=|={1,3}|!=|:)\s{0,3})(""" + _VALUE + ")"
_AUTHORIZATION = r"""(?i)(authorization\\?["']?\s{0,3}[:=]\s{0,3}\\?["']?(?:[a-z][\w-]*[ \t]+)?+)(?!\$)([^\s"'\\]+)"""
_BEARER = r"(?i)\b(bearer\s{1,3})(?=\S*[\d._~+/=-])([\w.~+/=-]{8,})"
_BASIC = r"\b(Basic\s{1,3})([A-Za-z0-9+/]{6,}={0,2})"
_PRIVATE_KEY = (
    r"(?s)-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----.*?"
    r"(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----|\Z)"
    r"|\A[A-Za-z0-9+/=\s]*-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
)
_MYSQL = r"\b((?:mysql|mariadb)\w*\b[^|;&\n]{0,500}?\s-p)([^\s\"'-]\S*|" + _VALUE + ")"
_SSHPASS = r"\b(sshpass\s{1,3}-p\s{0,3})(" + _VALUE + ")"
_CURL = r"\b(curl\b[^|;&\n]{0,500}?\s(?:-u|-U|--user|--proxy-user)[\s=]{0,3})(" + _VALUE + ")"
_SHAPES = (
    r"(?<![A-Za-z0-9])(?:"
    r"gh[pousr]_[A-Za-z0-9]{16,}|github_pat_\w{16,}|glpat-[\w-]{16,}"
    r"|(?:AKIA|ASIA)[A-Z0-9]{12,}(?:[\s:,;\"'=]{1,5}[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=]))?"
    r"|xox[a-z]-[\w-]{8,}|xapp-[\w-]{8,}|eyJ[\w-]{6,}\.[\w-]{4,}(?:\.[\w-]*)*"
    r"|sk-[\w-]{20,}|[sr]k_live_\w{16,}|hf_[A-Za-z0-9]{20,}|AIza[\w-]{30,}|ya29\.[\w-]{16,}"
    r"|npm_[A-Za-z0-9]{20,}|pypi-[\w-]{20,}|dckr_pat_[\w-]{16,}|spt_[\w-]{20,})"
)

_NAME_TRIGGERS = ("pass", "token", "secret", "cred", "key", "auth", "pw")
_SHAPE_TRIGGERS = (
    *("_pat_", "glpat-", "AKIA", "ASIA", "xox", "xapp-", "eyJ", "sk-", "k_live_", "hf_", "AIza", "ya29.", "npm_"),
    *("pypi-", "spt_", "ghp_", "gho_", "ghu_", "ghs_", "ghr_"),
)

Hide = Callable[[str], str]


@functools.lru_cache(maxsize=4096)
def is_secret_name(name: str) -> bool:
    """Tell whether a parameter, option or variable of this name holds a secret.

    >>> is_secret_name("AWS_SECRET_ACCESS_KEY"), is_secret_name("githubToken"), is_secret_name("db.passwd")
    (True, True, True)
    >>> is_secret_name("author"), is_secret_name("max_tokens"), is_secret_name("token_file"), is_secret_name("key")
    (False, False, False, False)
    """
    words = [word.lower() for word in _WORD.findall(name)]
    if not words or name in ("PWD", "OLDPWD"):
        return False
    if words[0] in _HARMLESS_FIRST or (words[-1] in _HARMLESS_LAST and words[-2:] != ["key", "id"]):
        return False
    if len(words) == 1 and words[0] in _SECRET_WHOLE:
        return True
    return any(word in _SECRET_WORDS or word.endswith(_SECRET_ENDINGS) for word in words) or any(
        kind in _KEY_KINDS and key in ("key", "keys") for kind, key in itertools.pairwise(words)
    )


def is_secret_value(value: str) -> bool:
    """Tell whether text that stands under the name of a secret can be one.

    It cannot where it is empty or a constant, is looked up when a command runs (`$TOKEN`), or names a file.

    >>> is_secret_value("hunter2"), is_secret_value("$TOKEN"), is_secret_value("None,")
    (True, False, False)
    """
    if value.startswith(("$", "%(", "{{")) or value.rstrip(",;)}]").lower() in _NO_SECRET_VALUES:
        return False
    return not (value.startswith("/") and len(value) < _PATH_CHARACTERS_MAX and os.path.lexists(value))


def environment_secrets(environment: Mapping[str, str], declared: Iterable[str]) -> Iterator[str]:
    """Yield the values of variables that are secret: those `declared` so, and those whose names say it.

    A path of something that exists is not one, whatever its name: it only says where a secret lies.
    """
    names = set(declared)
    for name, value in environment.items():
        if (name in names or is_secret_name(name)) and is_secret_value(value):
            yield value


def finders(payload: str) -> list[Hide]:
    """Return what has to be run over the texts of `payload`, in this order; nothing where none can find anything.

    Looking for a few words in all of them first is what makes the usual case cheap.
    """
    lower = payload.lower()
    if not _has_any(_TRIGGERS, lower):
        return []
    found: list[Hide] = []
    if "PRIVATE KEY" in payload:
        found.append(_hide_private_keys)
    if "://" in payload:
        found.append(_hide_in_urls)
    if _has_any(_SHAPE_TRIGGERS, payload):
        found.append(_hide_shapes)
    found += [hide for trigger, hide in _LOGINS if trigger in lower]
    if _has_any(_NAME_TRIGGERS, lower):
        found.append(_hide_named)
    return found


def named_values(text: str) -> Iterator[str]:
    """Yield the values that stand in `text` under the names of secrets: `--password X`, `TOKEN=X`."""
    if not _has_any(_NAME_TRIGGERS, text.lower()):
        return
    for pattern in (_OPTION, _ASSIGNMENT):
        for found in re.finditer(pattern, text):
            value = _unquoted(found[4])
            if is_secret_name(found[2]) and is_secret_value(value):
                yield value


def _has_any(words: tuple[str, ...], text: str) -> bool:
    for word in words:  # noqa: SIM110  a generator costs twice as much
        if word in text:
            return True
    return False


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


def _hide_in_urls(text: str) -> str:
    return hide_in_urls(text, MARK) if "://" in text else text


def _hide_private_keys(text: str) -> str:
    return re.sub(_PRIVATE_KEY, MARK, text)


def _hide_shapes(text: str) -> str:
    return re.sub(_SHAPES, MARK, text)


def _hide_authorization(text: str) -> str:
    return re.sub(_AUTHORIZATION, rf"\1{MARK}", text)


def _hide_bearer(text: str) -> str:
    return re.sub(_BEARER, rf"\1{MARK}", text)


def _hide_basic(text: str) -> str:
    return re.sub(_BASIC, lambda found: found[1] + MARK if _is_login(found[2]) else found[0], text)


def _hide_logins(pattern: str) -> Hide:
    def hide(found: re.Match[str]) -> str:
        return found[1] + _hidden(found[2]) if is_secret_value(_unquoted(found[2])) else found[0]

    return functools.partial(re.sub, pattern, hide)


_LOGINS: tuple[tuple[str, Hide], ...] = (
    ("authorization", _hide_authorization),
    ("bearer ", _hide_bearer),
    ("basic ", _hide_basic),
    ("mysql", _hide_logins(_MYSQL)),
    ("mariadb", _hide_logins(_MYSQL)),
    ("sshpass", _hide_logins(_SSHPASS)),
    ("curl ", _hide_logins(_CURL)),
)
"""The ways to give a login that no name announces, by what the lower-cased text then holds."""

_TRIGGERS = (
    "://",
    *_NAME_TRIGGERS,
    *(trigger.lower() for trigger in _SHAPE_TRIGGERS),
    *(trigger for trigger, _ in _LOGINS if not any(name in trigger for name in _NAME_TRIGGERS)),
)
"""Without one of these in its lower-cased form a text holds nothing to hide."""


def _hide_named(text: str) -> str:
    if not _has_any(_NAME_TRIGGERS, text.lower()):
        return text
    return re.sub(_ASSIGNMENT, _hide_value, re.sub(_OPTION, _hide_value, text))


def _hide_value(found: re.Match[str]) -> str:
    dashes, name, between, value = found.groups()
    if not is_secret_name(name) or not is_secret_value(_unquoted(value)):
        return found[0]
    return dashes + name + between + _hidden(value)


def _hidden(value: str) -> str:
    quoted = re.fullmatch(_QUOTED, value)
    return quoted[1] + MARK + quoted[1] + quoted[2] if quoted else MARK


def _unquoted(value: str) -> str:
    return value.strip("\"'\\")


def _is_login(text: str) -> bool:
    try:
        return b":" in base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return False
