"""Reads URLs of git remotes: the host, the name of the repository, and the web page of a file at a commit."""

from __future__ import annotations

import re
from typing import Final, NamedTuple
from urllib.parse import quote, urlsplit

from snakeprov.model.credentials import strip_credentials

_SCP: Final = re.compile(r"(?:([^/@:]+)@)?(\[[0-9A-Fa-f:]+\]|[^/@:\[\]]{2,}):(?!//)(.+)", re.S)
_SSH: Final = frozenset({"ssh", "git+ssh", "ssh+git"})
_PORTS: Final = {"http": 80, "https": 443, "git": 9418, **dict.fromkeys(_SSH, 22)}
_WEB_HOSTS: Final = {
    "ssh.github.com": "github.com",
    "altssh.gitlab.com": "gitlab.com",
    "altssh.bitbucket.org": "bitbucket.org",
}
"""Hosts that only speak ssh (on port 443, for use behind firewalls) and the host of the pages."""

_HOSTING_USER: Final = "git"
"""The login of hosting services, in whose home the paths of all repositories begin."""

_DATA_CENTER: Final = re.compile(r"(?:(|.*/)scm/)?([^/]+)/([^/]+)")


class Remote(NamedTuple):
    """A remote on another host.

    Attributes:
        scheme: As in the URL; `ssh` for the scp form.
        user: The login of an ssh remote; None otherwise.
        host: In lower case.
        port: Unless it is the usual one of the scheme.
        path: Of the repository, without `.git` and without slashes around it.
        is_in_home: Whether the path begins in the home of the login rather than at the top.
    """

    scheme: str
    user: str | None
    host: str
    port: int | None
    path: str
    is_in_home: bool

    @property
    def is_web(self) -> bool:
        return self.scheme in ("http", "https")


def read(url: str) -> Remote | None:
    """Return what the URL of a remote says; None where it names no other host, such as a path on disk.

    >>> read("git@github.com:ada/flights.git")
    Remote(scheme='ssh', user='git', host='github.com', port=None, path='ada/flights', is_in_home=True)
    """
    url = strip_credentials(url.strip())
    if "://" not in url:
        scp = _SCP.fullmatch(url)
        if scp is None:
            return None
        user, host, port, path, scheme, is_in_home = scp[1], scp[2], None, scp[3], "ssh", not scp[3].startswith("/")
    else:
        try:
            parts = urlsplit(url)
            named, port = parts.hostname, parts.port
        except ValueError:
            return None
        if parts.scheme not in _PORTS or not named:
            return None
        scheme, host, path = parts.scheme, named, parts.path
        user = parts.username if scheme in _SSH else None
        port = None if port == _PORTS[scheme] else port
        is_in_home = path.startswith("/~/")
        path = path.removeprefix("/~") if is_in_home else path
    host = host.lower()
    if host in _WEB_HOSTS:
        host, port = _WEB_HOSTS[host], port if scheme in ("http", "https") else None
    return Remote(scheme, user, host, port, path.strip("/").removesuffix(".git").strip("/"), is_in_home)


def repository_name(url: str) -> str | None:
    """Return the one name of the repository of a remote, however its URL is written: `HOST/PATH.git`.

    Only the last part of it ends in `.git`. None where the URL names no other host, or nothing that can be such a name.

    >>> repository_name("git@github.com:lab/pipeline.git"), repository_name("https://ada:123@github.com/lab/pipeline")
    ('github.com/lab/pipeline.git', 'github.com/lab/pipeline.git')
    >>> repository_name("/srv/git/pipeline.git")
    """
    remote = read(url)
    if remote is None:
        return None
    host = remote.host if remote.port is None else f"{remote.host}:{remote.port}"
    names = [host, *(part for part in remote.path.split("/") if part)]
    if remote.is_in_home and remote.user not in (None, _HOSTING_USER):
        names.insert(1, f"~{remote.user}")
    is_plain = all(name.isprintable() and name not in (".", "..") and not name.endswith(".git") for name in names)
    return "/".join(names) + ".git" if remote.path and is_plain else None


def permalink(remote: str, commit: str, path: str, *, line: int | None = None) -> str | None:
    """Return the URL of the page that shows `path` at `commit`; None where the remote has no known pages.

    Args:
        remote: A remote as git knows it: https, ssh, git or scp form. Credentials in it are left out.
        commit: Full hex id.
        path: Relative to the root of the repository, as Python's file functions take it.
        line: Line to jump to, counted from 1.

    >>> permalink("git@github.com:ada/flights.git", "1a2b3c", "workflow/Snakefile", line=12)
    'https://github.com/ada/flights/blob/1a2b3c/workflow/Snakefile#L12'
    """
    place = _web_place(remote)
    if place is None:
        return None
    base, host, repository = place
    file = quote(path.encode(errors="surrogateescape"), safe="/")
    owner, _, name = repository.rpartition("/")
    if not owner or not name:
        return None
    repository = quote(repository, safe="/~")
    anchor = f"#L{line}" if line else ""
    if "github" in host:
        return f"{base}/{repository}/blob/{commit}/{file}{anchor}"
    if "gitlab" in host:
        return f"{base}/{repository}/-/blob/{commit}/{file}{anchor}"
    if host == "bitbucket.org":
        return f"{base}/{repository}/src/{commit}/{file}" + (f"#lines-{line}" if line else "")
    if "bitbucket" in host:
        return _bitbucket_data_center(base, repository, commit, file=file, line=line)
    return None


def _bitbucket_data_center(base: str, repository: str, commit: str, *, file: str, line: int | None) -> str | None:
    # Bitbucket that one runs oneself is another program than bitbucket.org and has other pages.
    parts = _DATA_CENTER.fullmatch(repository)
    if parts is None:
        return None
    context, owner, name = parts.groups(default="")
    kind, owner = ("users", owner[1:]) if owner.startswith("~") else ("projects", owner)
    anchor = f"#{line}" if line else ""
    return f"{base}/{context}{kind}/{owner}/repos/{name}/browse/{file}?at={commit}{anchor}"


def _web_place(url: str) -> tuple[str, str, str] | None:
    """Return the URL of the remote's pages, its host, and the repository's path without `.git`."""
    remote = read(url)
    if remote is None:
        return None
    scheme = remote.scheme if remote.is_web else "https"
    base = f"{scheme}://{remote.host}" + (f":{remote.port}" if remote.port and remote.is_web else "")
    return base, remote.host, remote.path
