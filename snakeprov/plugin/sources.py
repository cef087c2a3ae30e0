"""Snakemake's source files (Snakefiles, scripts, wrappers, environments): where they lie, and their URL.

Must not know: what they are to a job. Nothing is ever downloaded.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple


class Place(NamedTuple):
    """Where a source file is.

    Attributes:
        path: On this machine; of a remote source its fetched copy, None until there is one.
        url: Of a remote source, without credentials.
    """

    path: str | None
    url: str | None


def locate(workflow: Any, candidates: list[Any]) -> Place:
    """Return the place of the first of `candidates` that is on this machine; else the first one's URL or path."""
    for source in candidates:
        path = _local_path(workflow, source)
        if path is not None and Path(path).exists():
            return Place(path, _url_of(source))
    return Place(_own_path(candidates[0]), _url_of(candidates[0]))


def uri_of(source: Any) -> str:
    """Return the path or URL of a source file, without credentials."""
    try:
        return str(source.get_path_or_uri(secret_free=True))
    except TypeError:  # Snakemake before 9.5 has no such argument
        return _without_credentials(str(source.get_path_or_uri()))


def _local_path(workflow: Any, source: Any) -> str | None:
    own = _own_path(source)
    return own if own is not None else str(workflow.sourcecache._cache_entry(source))


def _own_path(source: Any) -> str | None:
    """Return the path of a source that is a plain file of this machine."""
    path = getattr(source, "path", None)
    return str(path) if path is not None and type(source).__name__ == "LocalSourceFile" else None


def _url_of(source: Any) -> str | None:
    return None if _own_path(source) is not None else _without_credentials(uri_of(source))


def _without_credentials(url: str) -> str:
    from snakeprov.model.credentials import strip_credentials

    return strip_credentials(url)
