"""Values that are too large to be recorded whole: how they are written, and how they can still be compared.

What is left of a shortened value ends with a note: the digest of the whole, or why there is none.

| value | what is left of it |
|---|---|
| text | `beginning… (7 more characters, sha256:0123456789abcdef)` |
| list | its first items, then the text `… 7 more (sha256:0123456789abcdef)` |
| object | some of its items, then `"…": "7 more (sha256:0123456789abcdef)"` |
| anything else | `<pandas.DataFrame of shape (1000, 2), sha256:0123456789abcdef>` |

The digest is that of the whole value as JSON, after redaction: it gives nothing away that the record would hide.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any, Final

TOO_LARGE: Final = "too large to compare"
"""Note of a value whose whole would take too long to digest."""

NOT_COMPARABLE: Final = "not comparable"
"""Note of a value that does not tell what is in it."""

REST_KEY: Final = "…"
"""The key in a shortened object under which the number of missing items stands."""

_DIGEST_CHARACTERS: Final = 16
_DIGEST: Final = "sha256:"
_NOTE: Final = re.compile(rf"(?:, |\()({_DIGEST}[0-9a-f]{{{_DIGEST_CHARACTERS}}}|{TOO_LARGE}|{NOT_COMPARABLE})[)>]\Z")
_MORE: Final = re.compile(r"(?:… )?(\d+) more \(")


def digest_of(value: Any) -> str:
    """Return the note that stands for a whole value, given as JSON has it; the order of keys makes no difference.

    >>> digest_of({"a": 1, "b": [2]}) == digest_of({"b": [2], "a": 1}) != digest_of({"a": 1, "b": ["2"]})
    True
    """
    encoded = json.dumps(value, sort_keys=True).encode()
    return _DIGEST + hashlib.sha256(encoded).hexdigest()[:_DIGEST_CHARACTERS]


def text(beginning: str, *, more: int, note: str) -> str:
    """Return a text that was shortened by `more` characters."""
    return f"{beginning}… ({more} more characters, {note})"


def rest(more: int, note: str) -> str:
    """Return what stands for the last `more` items of a list or an object."""
    return f"{more} more ({note})"


def described(description: str, note: str) -> str:
    """Return a description in the place of a value.

    >>> described("<set of 9000>", TOO_LARGE), described("Model(f=<function f>)", NOT_COMPARABLE)
    ('<set of 9000, too large to compare>', 'Model(f=<function f>) (not comparable)')
    """
    if description.startswith("<") and description.endswith(">"):
        return f"{description[:-1]}, {note}>"
    return f"{description} ({note})"


def mark_of(value: Any) -> str | None:
    """Return the text in a value that says that it was shortened and ends with the note; None where it is whole."""
    if isinstance(value, list) and value and isinstance(value[-1], str):
        mark: Any = value[-1] if value[-1].startswith("… ") else None
    elif isinstance(value, dict):
        mark = value.get(REST_KEY)
    else:
        mark = value
    return mark if isinstance(mark, str) and _NOTE.search(mark) else None


def without_note(text: str) -> str:
    """Return a text without the note at its end, if it has one.

    >>> without_note("<set of 9000, too large to compare>")
    '<set of 9000'
    """
    return _NOTE.sub("", text)


def note_of(value: Any) -> str | None:
    """Return the note in a value that was shortened; None where it is whole."""
    mark = mark_of(value)
    found = _NOTE.search(mark) if mark is not None else None
    return found[1] if found else None


def digest_known(value: Any) -> str | None:
    """Return the digest of a value as it was before it was shortened, if it was; None where that is not known."""
    note = note_of(value)
    if note is not None:
        return note if note.startswith(_DIGEST) else None
    return None if _has_shortened_parts(value) else digest_of(value)


def size_of(value: Any) -> int | None:
    """Return how many items a list or an object had before it was shortened; None for everything else.

    >>> size_of(["a", "b", "… 7 more (too large to compare)"])
    9
    """
    if not isinstance(value, list | dict):
        return None
    mark = mark_of(value)
    if mark is None:
        return len(value)
    more = _MORE.match(mark)
    return len(value) - 1 + int(more[1]) if more else None


def _has_shortened_parts(value: Any) -> bool:
    if isinstance(value, list):
        return any(mark_of(one) is not None or _has_shortened_parts(one) for one in value)
    if isinstance(value, dict):
        return any(mark_of(one) is not None or _has_shortened_parts(one) for one in value.values())
    return False
