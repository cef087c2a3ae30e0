"""Compare two JSON values in depth.

Pure functions.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, Final, Literal, NamedTuple

from snakeprov.model import shortened

DEPTH_MAX: Final = 20
"""Deeper inside, two values are only said to differ as a whole."""

_PLAIN = re.compile(r"[^\s.\[\]\"']+")


class Differing(NamedTuple):
    """A value that is not the same on both sides, or not known to be; `path` is where it is: `a.b[2]`."""

    path: str
    action: Literal["changed", "added", "removed", "unknown"]
    old: Any
    new: Any


def differing(old: Mapping[str, Any], new: Mapping[str, Any], *, limit: int) -> list[Differing]:
    """Return at most `limit` values that differ, in the order of `new`, then what is only in `old`.

    Objects are compared key by key, lists of one length item by item; lists of two lengths are one value. Numbers of
    different types (1, 1.0, true) differ, as they do when written into a command. Values that were shortened for the
    record differ where their digests do; without digests it is `unknown`.

    >>> old = {"alpha": 0.1, "opts": {"b": [1, 2]}, "gone": True}
    >>> [tuple(one) for one in differing(old, {"alpha": 0.2, "opts": {"b": [1, 3]}, "x.y": 1}, limit=9)]
    ... # doctest: +NORMALIZE_WHITESPACE
    [('alpha', 'changed', 0.1, 0.2), ('opts.b[1]', 'changed', 2, 3), ('["x.y"]', 'added', None, 1),
     ('gone', 'removed', True, None)]
    """
    return list(islice(_of_objects(old, new, "", 0), limit))


def _of_objects(old: Mapping[str, Any], new: Mapping[str, Any], path: str, depth: int) -> Iterator[Differing]:
    for key, value in new.items():
        at = _below(path, key)
        if key not in old:
            yield Differing(at, "added", None, value)
        else:
            yield from _of_values(old[key], value, at, depth + 1)
    for key, value in old.items():
        if key not in new:
            yield Differing(_below(path, key), "removed", value, None)


def _of_values(old: Any, new: Any, path: str, depth: int) -> Iterator[Differing]:
    if shortened.mark_of(old) is not None or shortened.mark_of(new) is not None:
        yield from _of_shortened(old, new, path, depth)
    elif depth < DEPTH_MAX and isinstance(old, Mapping) and isinstance(new, Mapping):
        yield from _of_objects(old, new, path, depth)
    elif depth < DEPTH_MAX and isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for position, (before, after) in enumerate(zip(old, new, strict=True)):
            yield from _of_values(before, after, f"{path}[{position}]", depth + 1)
    elif type(old) is not type(new) or old != new:
        yield Differing(path, "changed", old, new)


def _of_shortened(old: Any, new: Any, path: str, depth: int) -> Iterator[Differing]:
    """Yield what differs between two values, at least one of which was shortened."""
    before, after = shortened.digest_known(old), shortened.digest_known(new)
    if before is not None and before == after:
        return
    seen = list(_of_visible(old, new, path, depth))
    yield from seen
    if not any(one.action == "changed" for one in seen):
        is_proved = before is not None and after is not None
        yield Differing(path, "changed" if is_proved or _is_other(old, new) else "unknown", old, new)


def _of_visible(old: Any, new: Any, path: str, depth: int) -> Iterator[Differing]:
    """Yield what differs in the parts of shortened values that are recorded on both sides."""
    if depth >= DEPTH_MAX or shortened.size_of(old) != shortened.size_of(new):
        return
    if isinstance(old, list) and isinstance(new, list):
        items = [one[:-1] if shortened.mark_of(one) is not None else one for one in (old, new)]
        for position, (before, after) in enumerate(zip(*items, strict=False)):
            yield from _of_values(before, after, f"{path}[{position}]", depth + 1)
    elif isinstance(old, Mapping) and isinstance(new, Mapping):
        for key, value in new.items():
            if key in old and key != shortened.REST_KEY:
                yield from _of_values(old[key], value, _below(path, key), depth + 1)


def _is_other(old: Any, new: Any) -> bool:
    """Return whether the remains of two shortened values prove that the whole values differ."""
    if isinstance(old, str) and isinstance(new, str):
        return shortened.without_note(old) != shortened.without_note(new)
    return type(old) is type(new) and shortened.size_of(old) != shortened.size_of(new)


def _below(path: str, key: str) -> str:
    if not _PLAIN.fullmatch(key):
        escaped = key.replace("\\", "\\\\").replace('"', '\\"')
        return f'{path}["{escaped}"]'
    return f"{path}.{key}" if path else key
