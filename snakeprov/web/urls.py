"""The addresses of the pages: permanent, with entity and version."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote, urlencode, urlsplit

_LINKED: Final = frozenset({"http", "https"})


def version(entity_id: str | None, number: int | None, part: str = "") -> str:
    """Return the address of a version, or of a part of its page; empty where it is not known.

    >>> version("syn31", 2), version("syn31", 2, "download"), version(None, None)
    ('/f/syn31.2', '/f/syn31.2/download', '')
    """
    if entity_id is None or number is None:
        return ""
    return f"/f/{quote(entity_id, safe='')}.{number}" + (f"/{part}" if part else "")


def version_id(entity_id: str, number: int) -> str:
    """Return what names a version in a query: `syn31.2`."""
    return f"{entity_id}.{number}"


def path(recorded: str) -> str:
    """Return the address that finds a file by its path."""
    return f"/f/{quote(recorded, safe='/')}"


def run(run_id: str) -> str:
    """Return the address of a run."""
    return f"/r/{quote(run_id, safe='')}"


def job(job_id: str) -> str:
    """Return the address of a job."""
    return f"/j/{quote(job_id, safe='')}"


def query(page: str, **values: object) -> str:
    """Return an address with a query; what is None is left out.

    >>> query("/search", q="a b", offset=None)
    '/search?q=a+b'
    """
    return f"{page}?{urlencode({name: value for name, value in values.items() if value is not None})}"


def outside(url: str) -> str:
    """Return a recorded URL if a browser may follow it, else nothing.

    >>> outside("https://example.org/a.csv"), outside("javascript:alert(1)"), outside("git@host:a/b")
    ('https://example.org/a.csv', '', '')
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return url if parts.scheme in _LINKED and parts.netloc and "@" not in parts.netloc else ""


def of_commit(remote: str | None, commit: str | None) -> str:
    """Return where the forge of a git remote shows a commit, as far as its URL tells.

    >>> of_commit("git@github.com:lab/pipeline.git", "1a2b")
    'https://github.com/lab/pipeline/commit/1a2b'
    >>> of_commit("/data/pipeline.git", "1a2b")
    ''
    """
    if not remote or not commit or not re.fullmatch("[0-9a-f]+", commit):
        return ""
    short = re.fullmatch(r"(?:ssh://)?(?:[\w.-]+@)?([\w.-]+\.[a-z]+)[:/]([\w./-]+)", remote)
    long = re.fullmatch(r"https?://(?:[^@/]+@)?([\w.:-]+)/([\w./-]+)", remote)
    found = long or short
    if found is None:
        return ""
    host, name = found[1], found[2].removesuffix("/").removesuffix(".git")
    return f"https://{host}/{name}/{'-/' if 'gitlab' in host else ''}commit/{commit}"
