"""Pages of lists: where a page begins, and where the next one does.

A page begins after a row, which is named by the values that the list is ordered by. So an index finds the first row of
a page, its cost does not depend on its place, and nothing comes twice or is left out where more is recorded meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta

from snakeprov.server.queries import NUMBER_MAX, Query
from snakeprov.server.refusals import bad_request, shown

Key = TypeVar("Key", bound=tuple[Any, ...])
Row = TypeVar("Row")

Whole = Annotated[int, Meta(ge=-NUMBER_MAX, le=NUMBER_MAX)]
"""A whole number that a column can hold."""


class PageQuery(Query, frozen=True):
    """Which page of a list; `after` is the `next` of the page before."""

    limit: Annotated[int, Meta(ge=1, le=10_000)] = 100
    after: str = ""


def key_of(after: str, type_: type[Key]) -> Key | None:
    """Return the values that name the row after which a page begins; None: it is the first page.

    Raises:
        Refusal: 400, the text is not the `next` of a page of this list.
    """
    if not after:
        return None
    try:
        key: Key = msgspec.json.decode(after, type=type_)
    except (msgspec.DecodeError, UnicodeError) as error:
        raise bad_request(f"after={shown(after)}: the 'next' of the page before was expected.") from error
    return key


def cut(rows: Sequence[Row], limit: int, key: Callable[[Row], tuple[Any, ...]]) -> tuple[list[Row], str | None]:
    """Return the rows of a page and its `next`, from its rows and the one after them, if there is one.

    >>> cut(["a", "b", "c"], 2, lambda row: (row, 1))
    (['a', 'b'], '["b",1]')
    >>> cut(["c"], 2, lambda row: (row, 1))
    (['c'], None)
    """
    page = list(rows[:limit])
    return page, next_of(key(page[-1])) if len(rows) > limit else None


def next_of(key: tuple[Any, ...]) -> str:
    """Return the `next` of a page whose last row has those values. Clients give it back as it is."""
    return msgspec.json.encode(key).decode()
