"""URLs without what gives access.

Must not know: where a URL comes from or what it is for.
"""

from __future__ import annotations

import re

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_HOST = re.compile(r"(\[[0-9A-Fa-f:.%]*\]|[^\[\]:@]*)(:[0-9]*)?")
_SCP_LOGIN = re.compile(r"([^/:@]+):[^/@]*@")
_SECRET_NAME = re.compile(
    r"token|secret|passw|pwd|signature|credential|auth|session|api[-_.]?key|accesskey|private|^sig$|^key$|^code$", re.I
)
_SSH_SCHEMES = frozenset({"ssh", "git+ssh", "ssh+git"})


def strip_credentials(url: str) -> str:
    """Return `url` without passwords and tokens: user information and query or fragment values that give access.

    The user name of an ssh address stays, since the address does not work without it and it is no secret. Never
    raises; text that is no URL comes back as it is.

    >>> strip_credentials("https://ada:ghp_123@github.com/ada/flights.git")
    'https://github.com/ada/flights.git'
    >>> strip_credentials("https://example.org/data.csv?version=2&access_token=123")
    'https://example.org/data.csv?version=2'
    >>> strip_credentials("git@github.com:ada/flights.git")
    'git@github.com:ada/flights.git'
    """
    scheme = _SCHEME.match(url)
    if scheme is None:
        return _SCP_LOGIN.sub(r"\1@", url, count=1) if _SCP_LOGIN.match(url) else url
    rest = url[scheme.end() :]
    authority, tail = _split_authority(rest)
    login, _, host = authority.rpartition("@")
    user = login.partition(":")[0]
    if user and scheme[0][:-3].lower() in _SSH_SCHEMES:
        host = f"{user}@{host}"
    return scheme[0] + host + _strip_parameters(tail)


def _split_authority(rest: str) -> tuple[str, str]:
    """Split what follows `scheme://` into login, host and port, and the rest."""
    end = min((at for at in map(rest.find, "/?#") if at >= 0), default=len(rest))
    host = rest[:end].rpartition("@")[2]
    if not _HOST.fullmatch(host) and "@" in rest:
        # Not a host: a password with a slash, a question mark or a hash in it, written without escapes.
        at = rest.rindex("@")
        slash = rest.find("/", at)
        end = slash if slash >= 0 else len(rest)
    return rest[:end], rest[end:]


def _strip_parameters(tail: str) -> str:
    path, hash_sign, fragment = tail.partition("#")
    path, question_mark, query = path.partition("?")
    kept_query = _without_secrets(query)
    kept_fragment = _without_secrets(fragment)
    return (
        path
        + (question_mark + kept_query if kept_query or not query else "")
        + (hash_sign + kept_fragment if kept_fragment or not fragment else "")
    )


def _without_secrets(parameters: str) -> str:
    kept = [
        parameter
        for parameter in re.split(r"[&;]", parameters)
        if "=" not in parameter or not _SECRET_NAME.search(parameter.partition("=")[0])
    ]
    return parameters if len(kept) == len(re.split(r"[&;]", parameters)) else "&".join(kept)
