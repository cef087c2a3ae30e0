"""What Synapse refuses and snakeprov takes: refused here too when the server is strict.

Must not know: how rows are kept.
Source: Synapse's server as it is today: entity names, `java.net.URL` for used URLs, sizes of files, annotation names.

Every check does nothing on a server that is not strict, so that a handler calls it without asking.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from snakeprov.model.urls import is_address
from snakeprov.server.call import Call, shown
from snakeprov.server.refusals import bad_request
from snakeprov.store import entities
from snakeprov.store.entities import Place

CHILDREN_MAX = 10_000
"""How many children one project or folder can have."""

DEPTH_MAX = 50
"""How many entities can lie above one another, the root included."""

OWN_PREFIX = "/snakeprov/v1"
"""What Synapse does not have; a strict server has not got it either."""

_NAME = re.compile(r"[a-zA-Z0-9,_. \-+()']+")
_ANNOTATION_KEY = re.compile(r"[a-zA-Z0-9_.]+")
_URL = re.compile(r"(?:https?|ftp|file|mailto):.*|jar:[a-z]+:.*!/.*", re.IGNORECASE | re.DOTALL)


def entity_name(call: Call, name: str) -> str:
    """Return an entity's name as Synapse would keep it: without spaces around it.

    Raises:
        Refusal: 400, it holds a character that Synapse does not allow in names.
    """
    if not call.service.strict:
        return name
    trimmed = name.strip()
    if not _NAME.fullmatch(trimmed):
        raise bad_request(
            f"Invalid name: {shown(name)}. Letters, digits, spaces and any of , _ . - + ( ) ' can be in a name."
        )
    return trimmed


def uploaded_file(call: Call, *, name: str, size_bytes: int) -> None:
    """Refuse to take the bytes of a file that Synapse would not take (400)."""
    if not call.service.strict:
        return
    entity_name(call, name)
    if size_bytes < 1:
        raise bad_request("File size must be at least one byte.")


def used_url(call: Call, url: str) -> None:
    """Refuse the URL of something used that `java.net.URL` does not take (400): it takes spaces, but few schemes."""
    if not call.service.strict:
        return
    if not (is_address(url) and _URL.fullmatch(url.strip())):
        raise bad_request(f"UsedURL url field is malformed: {shown(url)}; http, https, ftp or file was expected.")


def annotation_keys(call: Call, keys: Iterable[str]) -> None:
    """Refuse names of annotations that Synapse does not allow (400)."""
    if not call.service.strict:
        return
    for key in keys:
        if not _ANNOTATION_KEY.fullmatch(key):
            raise bad_request(
                f"Invalid annotation name: {shown(key)}. Letters, digits, underscores and dots can be in it."
            )


def room_below(call: Call, parent: Place) -> None:
    """Refuse one more child of an entity that has too many, or lies too deep (400)."""
    if not call.service.strict:
        return
    if entities.count_children(call.tx, parent.id) >= CHILDREN_MAX:
        raise bad_request(f"syn{parent.id} has {CHILDREN_MAX} children; it cannot have more.")
    if len(entities.ancestry(call.tx, parent.id)) >= DEPTH_MAX:
        raise bad_request(f"syn{parent.id} lies {DEPTH_MAX} levels deep; nothing can be put below it.")
