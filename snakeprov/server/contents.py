"""/snakeprov/v1/versions: versions of files by their content.

Must not know: how rows are kept.
"""

from __future__ import annotations

import re
from typing import Annotated

from msgspec import Meta

from snakeprov.db import contents
from snakeprov.db.contents import Algorithm, VersionOf
from snakeprov.model.answers import SameContent, Version
from snakeprov.server import wire
from snakeprov.server.call import Call
from snakeprov.server.queries import Query
from snakeprov.server.refusals import bad_request, shown
from snakeprov.server.services import Services

service = Services("Questions")

PREFIX_CHARS_MIN = 8
"""Minimum length of a prefix of a digest that names a content."""

_HEX_CHARS: dict[Algorithm, int] = {"sha256": 64, "md5": 32}


class ContentQuery(Query, frozen=True):
    """A content by its digest, or by the first digits of it."""

    sha256: Annotated[str, Meta(pattern="^[0-9a-fA-F]{8,64}$")] | None = None
    md5: Annotated[str, Meta(pattern="^[0-9a-fA-F]{8,32}$")] | None = None
    limit: Annotated[int, Meta(ge=1, le=10_000)] = 100


@service("GET", "/snakeprov/v1/versions")
def listing(call: Call, query: ContentQuery) -> SameContent:
    """The versions that have a content, newest first: by its digest, or at least 8 of its first digits."""
    given: dict[Algorithm, str | None] = {"sha256": query.sha256, "md5": query.md5}
    digests = [(algorithm, text) for algorithm, text in given.items() if text is not None]
    if len(digests) != 1:
        raise bad_request("One of the query parameters 'sha256' and 'md5' was expected.")
    ((algorithm, text),) = digests
    prefix, limit = digest_prefix(text, algorithm), query.limit
    rows = contents.versions_with(call.tx, algorithm, prefix, reader=call.user.reader, limit=limit + 1)
    return SameContent(results=[_version(row) for row in rows[:limit]], truncated=len(rows) > limit)


def digest_prefix(text: str, algorithm: Algorithm) -> str:
    """Return a digest, or the beginning of one, in lower case.

    Raises:
        Refusal: 400, the value is not a digest, or is too short to identify one content.
    """
    most = _HEX_CHARS[algorithm]
    if not re.fullmatch(f"[0-9a-fA-F]{{{PREFIX_CHARS_MIN},{most}}}", text):
        raise bad_request(
            f"{algorithm}={shown(text)}: a digest, or its first {PREFIX_CHARS_MIN} to {most} hexadecimal digits, was "
            "expected."
        )
    return text.lower()


def _version(row: VersionOf) -> Version:
    return Version(
        entity_id=wire.entity_id(row.entity_id),
        version_number=row.number,
        is_latest=row.number == row.current_version,
        latest_version_number=row.current_version,
        path=row.path or row.name,
        project_id=wire.entity_id(row.project_id),
        project_name=row.project_name,
        created_on=wire.time(row.created_on),
        sha256=row.sha256,
        md5=row.md5,
        size_bytes=row.size_bytes,
        activity_id=wire.optional_id(row.activity_id),
    )
