"""Long lists: how many items a command lists, read page by page."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from snakeprov.model.answers import Page

P = TypeVar("P", bound="Page[Any]")

LIMIT_MAX = 100_000
"""Maximum number of things that a command lists."""

_PAGE = 1000
"""Number of results that one request asks for."""


def collect(fetch: Callable[..., P], *, limit: int | None) -> P:
    """Read as many pages as needed, and return their results as one page.

    Args:
        fetch: Called with `limit` and `after`.
        limit: How many results at most; None: all, up to `LIMIT_MAX`.
    """
    from msgspec.structs import replace

    wanted = LIMIT_MAX if limit is None else limit
    first = page = fetch(limit=min(wanted, _PAGE), after="")
    results = list(first.results)
    while page.next is not None and len(results) < wanted:
        page = fetch(limit=min(wanted - len(results), _PAGE), after=page.next)
        results += page.results
    return replace(first, results=results, next=page.next)
