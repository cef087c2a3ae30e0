"""Finds logins on command lines, under options whose names do not announce a secret: `-u ada:secret`, `-p secret`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Final, NamedTuple

from snakeprov.capture.secrets.names import is_secret_value
from snakeprov.capture.secrets.quoting import Span, compiled, ends_string, past_inner_string, quote_open_at, word

COMMAND_CHARS_MAX: Final = 4_000
WORDS_MAX: Final = 200
"""How much of a command is read."""


class Rule(NamedTuple):
    """How one program takes a login.

    Attributes:
        options: The options, whose value is glued to them or the next word; "" stands for the arguments.
        after: The secret begins after the first of these characters in the value, if it has one; "": at its beginning.
        only_with: A word, such as a subcommand, without which the option is something else.
        glued: Whether the value has to be glued to the option.
        needs: Text without which the value is not a secret, such as the `=` of a cookie.
        position: Which of the arguments it is, for the options "".
    """

    options: tuple[str, ...]
    after: str = ""
    only_with: str = ""
    glued: bool = False
    needs: str = ""
    position: int = 0


_ARCHIVE = (Rule(("-p", "-hp"), glued=True),)
_REGISTRY = (Rule(("-p",), only_with="login"), Rule(("--creds", "--src-creds", "--dest-creds"), after=":"))
_SAMBA = (Rule(("-U", "--user", "-A%"), after="%", needs="%"),)
_FTP = (Rule(("-p",)),)
_MONGO = (Rule(("-p",)),)
_LDAP = (Rule(("-w",)),)
_SQL = (Rule(("-p",), glued=True),)
_CURL = (
    Rule(("-u", "-U", "--user", "--proxy-user", "-E", "--cert", "--proxy-cert")),
    Rule(("-b",), needs="="),
)
_LOGIN = (Rule(("-p",), only_with="login"),)

PROGRAMS: Final[dict[str, tuple[Rule, ...]]] = {
    "curl": _CURL,
    **dict.fromkeys(("docker", "podman", "nerdctl", "buildah", "skopeo", "oras", "helm", "singularity"), _REGISTRY),
    "apptainer": _REGISTRY,
    **dict.fromkeys(("smbclient", "smbget", "smbmap", "rpcclient", "smbcacls"), _SAMBA),
    "lftp": (Rule(("-u", "--user"), after=",", needs=","),),
    **dict.fromkeys(("ncftp", "ncftpget", "ncftpput", "ncftpls"), _FTP),
    "redis-cli": (Rule(("-a",)),),
    **dict.fromkeys(("unzip", "zip", "zipcloak"), (Rule(("-P",)),)),
    **dict.fromkeys(("7z", "7za", "7zr", "7zz", "rar", "unrar"), _ARCHIVE),
    "sshpass": (Rule(("-p",)),),
    **dict.fromkeys(("mongo", "mongosh", "mongodump", "mongorestore", "mongoimport", "mongoexport"), _MONGO),
    **dict.fromkeys(("ldapsearch", "ldapmodify", "ldapadd", "ldapwhoami"), _LDAP),
    **dict.fromkeys(("sqlcmd", "bcp", "isql"), (Rule(("-P",)),)),
    **dict.fromkeys(("synapse", "az", "oc", "cf", "heroku", "npm", "cadaver"), _LOGIN),
    "openssl": (
        Rule(("-pass", "-passin", "-passout", "--pass"), after=":", needs="pass:"),
        Rule(("-k",), only_with="enc"),
    ),
    "twine": (Rule(("-p",)),),
    "iinit": (Rule(("",)),),
    "htpasswd": (Rule(("",), only_with="-b", position=2), Rule(("",), only_with="-bc", position=2)),
    "rclone": (Rule(("",), only_with="obscure", position=1),),
    "vault": (Rule(("",), only_with="login", position=1),),
    **dict.fromkeys(("xfreerdp", "wlfreerdp"), (Rule(("/p:",), glued=True),)),
}
"""Programs, and how each takes a login."""

TRIGGERS: Final = (
    *(
        "curl",
        "smb",
        "rpcclient",
        "ftp",
        "redis-cli",
        "zip",
        "7z",
        "mongo",
        "ldap",
        "sqlcmd",
        "isql",
        "openssl",
        "twine",
    ),
    *(
        "iinit",
        "obscure",
        "freerdp",
        "login",
        "mysql",
        "mariadb",
        "stdin",
        "creds",
        "sshpass",
        "htpasswd",
        "rar ",
        'rar"',
        "bcp ",
        'bcp"',
    ),
)
"""Without one of these a text, in lower case, has no login of this kind."""

_NAME = r"[\w.-]+"
_SQL_CLIENTS = ("mysql", "mariadb")
_PIPED = r"""\b(?:echo|printf)[ \t]+(?:-[neE]+[ \t]+)?(?=[^\n|;&]{1,300}\|[^\n|;]{0,300}\s--?[\w-]*stdin\b)"""
_HERE = r"\s--?[\w-]*stdin\s*<<<\s*"
_BREAK = r"\s*(?:\\\n\s*)*(?:[;|\n)]|&(?!>)|\Z)"
_GAP = r"(?:[ \t]|\\\r?\n|(?:\d?|&)[<>]{1,3}&?(?!\())+"
_CLUSTER = r"-[A-Za-z]+\Z"


def logins(text: str) -> Iterator[Span]:
    """Yield what the commands in a text give as logins.

    >>> [text[one.start : one.end] for text in ("curl -su ada:x1 'http://h' -b a=b",) for one in logins(text)]
    ['ada:x1', 'a=b']
    """
    for found in compiled(_NAME).finditer(text):
        rules = PROGRAMS.get(found[0]) or (_SQL if found[0].startswith(_SQL_CLIENTS) else None)
        if rules is None:
            continue
        end = found.end() + COMMAND_CHARS_MAX
        rules = tuple(rule for rule in rules if text.find(rule.only_with, found.end(), end) >= 0)
        if not rules or compiled(_options_of(rules)).search(text, found.end(), end) is None:
            continue
        words = list(_words(text, found.end()))
        for rule in rules:
            if not rule.only_with or any(text[one.start : one.end] == rule.only_with for one in words):
                yield from _by(rule, text, words)
    for pattern in (_PIPED, _HERE) if "stdin" in text else ():
        for found in compiled(pattern).finditer(text):
            value = word(text, found.end(), in_shell=True)
            if is_secret_value(text[value.start : value.end]):
                yield value


@cache
def _options_of(rules: tuple[Rule, ...]) -> str:
    """Return a pattern without which a command has no login: finding that out is cheaper than reading the command."""
    patterns = []
    for rule in rules:
        for option in rule.options:
            if not option:
                patterns.append(r"\s\S")
            elif len(option) == 2 and option[0] == "-":
                patterns.append(rf"""\s\\*["']?-[A-Za-z#]{{0,8}}{option[1]}""")
            else:
                patterns.append(re.escape(option))
    return "|".join(dict.fromkeys(patterns))


def _by(rule: Rule, text: str, words: list[Span]) -> Iterator[Span]:
    if rule.options == ("",):
        arguments = [one for one in words if not text.startswith("-", one.start)]
        values = arguments[rule.position : rule.position + 1]
    else:
        values = list(_values_of(rule, text, words))
    for value in values:
        content = text[value.start : value.end]
        if rule.needs not in content:
            continue
        start = value.start
        if rule.after and rule.after in content:
            start += content.index(rule.after) + 1
        secret = text[start : value.end]
        looked_up = not rule.after and ":" in secret and not is_secret_value(secret.partition(":")[2])
        if is_secret_value(secret) and not looked_up:
            yield Span(start, value.end)


def _values_of(rule: Rule, text: str, words: list[Span]) -> Iterator[Span]:
    for number, one in enumerate(words):
        content = text[one.start : one.end]
        for option in rule.options:
            if content == option or _ends_cluster(content, option):
                if not rule.glued and number + 1 < len(words) and not text.startswith("-", words[number + 1].start):
                    yield words[number + 1]
            elif content.startswith(option):
                if option.startswith("--"):
                    if content[len(option)] == "=":
                        yield _inner(text, Span(one.start + len(option) + 1, one.end))
                elif not content.startswith("--"):
                    yield _inner(text, Span(one.start + len(option), one.end))


def _ends_cluster(content: str, option: str) -> bool:
    """Return whether a word is several short options, the last of which takes the value: `-sSu`."""
    return (
        len(option) == 2
        and len(content) > 2
        and content[-1] == option[1]
        and option in ("-u", "-U")
        and compiled(_CLUSTER).match(content) is not None
        and all(letter in "fgijkLnOsSvI#" for letter in content[1:-1])
    )


def _words(text: str, at: int) -> Iterator[Span]:
    """Yield the words of a command from a place on, without their quotes."""
    limit = min(len(text), at + COMMAND_CHARS_MAX)
    mark = quote_open_at(text, at)
    for _ in range(WORDS_MAX):
        if at >= limit or compiled(_BREAK).match(text, at) or ends_string(text, at, mark):
            return
        if gap := compiled(_GAP).match(text, at):
            at = gap.end()
            continue
        value = word(text, at, in_shell=True)
        end = value.end
        while (
            end < limit and not text[end].isspace() and text[end] not in ";|&)<>" and not ends_string(text, end, mark)
        ):
            end = max(end + 1, past_inner_string(text, end)) if text[end] == "'" else end + 1
        if end == at:
            return
        yield value if value.start > at else _inner(text, Span(at, max(value.end, _trimmed(text, at, end))))
        at = end


def _trimmed(text: str, start: int, end: int) -> int:
    return start + len(text[start:end].rstrip("\"'`\\"))


def _inner(text: str, span: Span) -> Span:
    """Return a value without quotes around it."""
    content = text[span.start : span.end]
    stripped = content.lstrip("\\")
    if stripped[:1] in ("'", '"') and len(stripped) > 1:
        inner = word(text, span.start)
        return inner if inner.end <= span.end else span
    return span
