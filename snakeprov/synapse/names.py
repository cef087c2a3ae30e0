"""Encode names of files as names that Synapse accepts, and decode them.

Source: Synapse's `NameValidation`: up to 256 of letters, digits, spaces and `,_.-+()'`, with no space at either end.

Every other character is written as its UTF-8 bytes, in upper-case hex between parentheses. Two names never become
the same one: what already looks like such a group has its own parenthesis written so. A path can be a file at one time
and a folder at another: the one that came second has ` (file)` or ` (folder)` after its name.
"""

from __future__ import annotations

import hashlib
import re
from typing import Final, Literal

NAME_CHARS_MAX: Final = 256

_REFUSED: Final = re.compile(r"[^a-zA-Z0-9,_. \-+()']+|^ +| +$|\((?=(?:[0-9A-F]{2})+\)|sha256-|(?:file|folder)\)$)")
_KIND: Final = re.compile(r" \((?:file|folder)\)$")
_GROUP: Final = re.compile(r"\(((?:[0-9A-F]{2})+)\)")
_DIGEST_CHARS: Final = 32
_PART_OF_GROUP: Final = re.compile(r"\([0-9A-F]*$")


def to_synapse_name(name: str, *, second: Literal["file", "folder"] | None = None) -> str:
    """Return the name that Synapse takes for `name`: itself where it can be.

    What would be too long is cut, and ends with a part of the sha256 of `name`.

    Args:
        name: The name on disk.
        second: What it is, if a thing of the other kind has this name already: in Synapse no two things share a name.

    >>> to_synapse_name("plot (1).png"), to_synapse_name("a#b.txt"), to_synapse_name("parts/")
    ('plot (1).png', 'a(23)b.txt', 'parts(2F)')
    >>> to_synapse_name("out", second="folder")
    'out (folder)'
    """
    written = _REFUSED.sub(lambda match: f"({match[0].encode().hex().upper()})", name)
    kind = f" ({second})" if second is not None else ""
    if len(written) + len(kind) <= NAME_CHARS_MAX:
        return written + kind
    ending = f"(sha256-{hashlib.sha256(name.encode()).hexdigest()[:_DIGEST_CHARS]}){kind}"
    return _PART_OF_GROUP.sub("", written[: NAME_CHARS_MAX - len(ending)]) + ending


def from_synapse_name(name: str) -> str:
    """Return the name that became `name`; a name that was cut stays as it is.

    >>> from_synapse_name("a(23)b.txt")
    'a#b.txt'
    """
    try:
        return _GROUP.sub(lambda match: bytes.fromhex(match[1]).decode(), _KIND.sub("", name))
    except UnicodeDecodeError:  # not a name that was made here
        return name
