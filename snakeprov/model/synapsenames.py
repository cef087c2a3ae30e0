"""Names that Synapse takes for an entity, and the names on disk that they stand for.

Must not know: which entity has which name.
Source: Synapse's `NameValidation`: up to 256 of letters, digits, spaces and `,_.-+()'`, with no space at either end.

Every other character is written as its UTF-8 bytes, in upper-case hex between parentheses. Two names never become
the same one: what already looks like such a group has its own parenthesis written so.
"""

from __future__ import annotations

import hashlib
import re
from typing import Final

NAME_CHARS_MAX: Final = 256

_REFUSED: Final = re.compile(r"[^a-zA-Z0-9,_. \-+()']+|^ +| +$|\((?=(?:[0-9A-F]{2})+\)|sha256-)")
_GROUP: Final = re.compile(r"\(((?:[0-9A-F]{2})+)\)")
_DIGEST_CHARS: Final = 32
_PART_OF_GROUP: Final = re.compile(r"\([0-9A-F]*$")


def to_synapse_name(name: str) -> str:
    """Return the name that Synapse takes for `name`: itself where it can be.

    What would be too long is cut, and ends with a part of the sha256 of `name`.

    >>> to_synapse_name("plot (1).png"), to_synapse_name("a#b.txt"), to_synapse_name("parts/")
    ('plot (1).png', 'a(23)b.txt', 'parts(2F)')
    """
    written = _REFUSED.sub(lambda match: f"({match[0].encode().hex().upper()})", name)
    if len(written) <= NAME_CHARS_MAX:
        return written
    ending = f"(sha256-{hashlib.sha256(name.encode()).hexdigest()[:_DIGEST_CHARS]})"
    return _PART_OF_GROUP.sub("", written[: NAME_CHARS_MAX - len(ending)]) + ending


def from_synapse_name(name: str) -> str:
    """Return the name that became `name`; a name that was cut stays as it is.

    >>> from_synapse_name("a(23)b.txt")
    'a#b.txt'
    """
    try:
        return _GROUP.sub(lambda match: bytes.fromhex(match[1]).decode(), name)
    except UnicodeDecodeError:  # not a name that was made here
        return name
