"""From a git remote to the page of one file at one commit, for the hosts whose pages are known.

Must not know: git repositories on disk; these are pure functions over text.
"""

from __future__ import annotations

import re
from urllib.parse import quote

from snakeprov.capture import remotes

_DATA_CENTER = re.compile(r"(?:(|.*/)scm/)?([^/]+)/([^/]+)")


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
    remote = remotes.read(url)
    if remote is None:
        return None
    scheme = remote.scheme if remote.is_web else "https"
    base = f"{scheme}://{remote.host}" + (f":{remote.port}" if remote.port and remote.is_web else "")
    return base, remote.host, remote.path
