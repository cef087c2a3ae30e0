"""Which names an entity may have.

Must not know: which entity has which name.
"""

from __future__ import annotations

from snakeprov.db.tables import FILE
from snakeprov.server.refusals import bad_request, shown

NAME_CHARS_MAX = 256
"""As in Synapse."""


def check_name(name: str, *, kind: str) -> str:
    """Return `name` if an entity of that kind may have it.

    Any name that a file can have on disk is fine, which is more than Synapse allows. One slash at the end marks a
    directory that is recorded as one file: `./` is the working directory.

    Raises:
        Refusal: 400, it is empty or too long, holds a character that no name can hold, or names no file but a place.
    """
    if not 1 <= len(name) <= NAME_CHARS_MAX:
        raise bad_request(f"The name {shown(name)} has {len(name)} characters; 1 to {NAME_CHARS_MAX} were expected.")
    stem = name[:-1] if kind == FILE and name.endswith("/") else name
    if not stem or "/" in stem or "\0" in stem:
        raise bad_request(f"The name {shown(name)} cannot be used: a slash or a NUL character is not allowed in names.")
    if stem in (".", "..") and name != "./":
        raise bad_request(f"The name {shown(name)} cannot be used: it leads to another folder.")
    return name
