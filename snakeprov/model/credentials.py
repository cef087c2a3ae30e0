"""Remove credentials from URLs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import unquote

# Patterns as text: most runs need none of them, and each takes a while to compile.
_SCHEME = r"[A-Za-z][A-Za-z0-9+.-]*://"
_HOST = r"(\[[0-9A-Fa-f:.%]*\]|[^\[\]:@]*)(:[0-9]*)?"
_SCP_LOGIN = r"([^/:@]+):[^/@]*@"
_URL = r"(?<![A-Za-z0-9+.-])[A-Za-z][A-Za-z0-9+.-]*://[^\s\"'<>`\\|]+"
_GIVES_ACCESS = (
    r"(?i)token|secret|passw|pwd|signature|credential|auth|session|api[-_.]?key|accesskey|private|^sig$|^key$|^code$"
)
_SEPARATOR = r"([&;])"
_NOT_OF_URL = ")]},."
_SSH_SCHEMES = frozenset({"ssh", "git+ssh", "ssh+git"})


def strip_credentials(url: str) -> str:
    """Return `url` without passwords and tokens: user information and query or fragment values that give access.

    The user name of an ssh address stays, since the address does not work without it and it is not secret. Never
    raises; text that is not a URL is returned unchanged.

    >>> strip_credentials("https://ada:ghp_123@github.com/ada/flights.git")
    'https://github.com/ada/flights.git'
    >>> strip_credentials("https://example.org/data.csv?version=2&access_token=123")
    'https://example.org/data.csv?version=2'
    >>> strip_credentials("git@github.com:ada/flights.git")
    'git@github.com:ada/flights.git'
    """
    scheme = _scheme_of(url)
    if scheme is None:
        return re.sub(_SCP_LOGIN, r"\1@", url, count=1) if "@" in url and re.match(_SCP_LOGIN, url) else url
    login, host, tail = _split(url, scheme)
    return scheme[0] + login + host + _strip_parameters(tail)


def hide_in_urls(text: str, mark: str) -> str:
    """Return `text` with `mark` in place of what `strip_credentials` takes out of each URL in it.

    >>> hide_in_urls("curl https://ada:123@example.org/a.csv?token=456 -o a.csv", "***")
    'curl https://***@example.org/a.csv?token=*** -o a.csv'
    """

    def hide(found: re.Match[str]) -> str:
        url = found[0]
        if "@" not in url and "=" not in url:
            return url
        scheme = _scheme_of(url)
        assert scheme is not None  # noqa: S101  the pattern of a URL begins with one
        login, host, tail = _split(url, scheme)
        if not login and url[scheme.end() : len(url) - len(tail)].rpartition("@")[0]:
            login = f"{mark}@"
        return scheme[0] + login + host + _strip_parameters(tail, mark)

    return re.sub(_URL, hide, text)


def credentials_in(url: str) -> Iterator[str]:
    """Yield what `strip_credentials` takes out of a URL: its login, the password of it, and secret parameters.

    >>> list(credentials_in("https://ada:123@example.org/a.csv?token=4%206"))
    ['ada:123', '123', '4%206', '4 6']
    """
    scheme = _scheme_of(url)
    if scheme is None:
        return
    authority, tail = _split_authority(url[scheme.end() :])
    login = authority.rpartition("@")[0]
    user, colon, password = login.partition(":")
    if colon:
        yield from _as_written_and_meant(login)
        yield from _as_written_and_meant(password)
    elif user and scheme[0][:-3].lower() not in _SSH_SCHEMES:
        yield from _as_written_and_meant(user)
    for parameter in re.split("[?#&;]", tail)[1:]:
        name, _, value = parameter.partition("=")
        if value and re.search(_GIVES_ACCESS, name):
            yield from _as_written_and_meant(value)


def _scheme_of(url: str) -> re.Match[str] | None:
    return re.match(_SCHEME, url) if "://" in url else None


def _as_written_and_meant(text: str) -> Iterator[str]:
    yield text
    if "%" in text:
        yield unquote(text)


def _split(url: str, scheme: re.Match[str]) -> tuple[str, str, str]:
    """Split a URL into the public part of its login (`user@` or nothing), host and port, and the rest."""
    authority, tail = _split_authority(url[scheme.end() :])
    login, _, host = authority.rpartition("@")
    user = login.partition(":")[0]
    return f"{user}@" if user and scheme[0][:-3].lower() in _SSH_SCHEMES else "", host, tail


def _split_authority(rest: str) -> tuple[str, str]:
    """Split what follows `scheme://` into login, host and port, and the rest."""
    end = min((at for at in map(rest.find, "/?#") if at >= 0), default=len(rest))
    host = rest[:end].rpartition("@")[2]
    if not re.fullmatch(_HOST, host) and "@" in rest:
        # Not a host: a password with a slash, a question mark or a hash in it, written without escapes.
        at = rest.rindex("@")
        slash = rest.find("/", at)
        end = slash if slash >= 0 else len(rest)
    return rest[:end], rest[end:]


def _strip_parameters(tail: str, mark: str | None = None) -> str:
    path, hash_sign, fragment = tail.partition("#")
    path, question_mark, query = path.partition("?")
    kept_query = _without_secrets(query, mark)
    kept_fragment = _without_secrets(fragment, mark)
    return (
        path
        + (question_mark + kept_query if kept_query or not query else "")
        + (hash_sign + kept_fragment if kept_fragment or not fragment else "")
    )


def _without_secrets(parameters: str, mark: str | None) -> str:
    """Return the parameters without those that give access, or with `mark` for their values.

    What closes a bracket or ends a sentence is kept then: `$(curl https://host/?token=x)`.
    """
    given = re.split(_SEPARATOR, parameters)
    kept = []
    for parameter, separator in zip(given[::2], [*given[1::2], ""], strict=True):
        name, equals, value = parameter.partition("=")
        if not equals or not re.search(_GIVES_ACCESS, name):
            kept += [parameter, separator]
        elif mark is not None:
            end = len(value.rstrip(_NOT_OF_URL))
            kept += [f"{name}={mark if end else ''}{value[end:]}", separator]
    return "".join(kept if mark is not None or kept[-1:] == [""] else kept[:-1])
