"""/snakeprov/v1/versions: versions of files by their content.

Must not know: how rows are kept.
"""

from __future__ import annotations

import re

from snakeprov.db import contents
from snakeprov.db.contents import Algorithm, VersionOf
from snakeprov.model.answers import SameContent, Version
from snakeprov.server import wire
from snakeprov.server.call import Answer, Call, shown
from snakeprov.server.refusals import bad_request

LIMIT_DEFAULT = 100
LIMIT_MAX = 10_000

PREFIX_CHARS_MIN = 8
"""Minimum length of a prefix of a digest that names a content."""

_HEX_CHARS: dict[Algorithm, int] = {"sha256": 64, "md5": 32}


def listing(call: Call) -> Answer:
    """GET /versions?sha256= or ?md5=: the versions that have a content, newest first."""
    algorithms: list[Algorithm] = [name for name in _HEX_CHARS if name in call.query]
    if len(algorithms) != 1:
        raise bad_request("One of the query parameters 'sha256' and 'md5' was expected.")
    (algorithm,) = algorithms
    prefix = digest_prefix(call.text(algorithm), algorithm)
    limit = call.number("limit", default=LIMIT_DEFAULT, least=1, most=LIMIT_MAX)
    rows = contents.versions_with(call.tx, algorithm, prefix, reader=call.user.reader, limit=limit + 1)
    return 200, SameContent(results=[_version(row) for row in rows[:limit]], truncated=len(rows) > limit)


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
