"""Long lists, read page by page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

from snakeprov.model.answers import Page

T = TypeVar("T")


def every(fetch: Callable[[str], Page[T]]) -> Iterator[T]:
    """Yield the results of each page of a list; `fetch` is called with `after`, and asks only when they are needed."""
    after: str | None = ""
    while after is not None:
        page = fetch(after)
        yield from page.results
        after = page.next
