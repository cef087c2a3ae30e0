"""Long lists: how many things a command lists, and reading them page by page.

Must not know: what is listed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

LIMIT_MAX = 100_000
"""Maximum number of things that a command lists."""

_PAGE = 1000
"""Number of results that one request asks for."""


def collect(fetch: Callable[..., dict[str, Any]], key: str, *, limit: int | None) -> dict[str, Any]:
    """Return an answer with its list `key` filled from as many pages as it takes.

    Args:
        fetch: Called with `limit` and `offset`; returns `{key: […], "totalNumberOfResults": n, …}`.
        key: The list that is paged.
        limit: How many items at most; None: all, up to `LIMIT_MAX`.
    """
    wanted = LIMIT_MAX if limit is None else limit
    answer = fetch(limit=min(wanted, _PAGE), offset=0)
    items = list(answer[key])
    total = answer.get("totalNumberOfResults", len(items))
    while len(items) < min(wanted, total):
        page = fetch(limit=min(wanted - len(items), _PAGE), offset=len(items))[key]
        if not page:
            break
        items += page
    return {**answer, key: items}
