"""/snakeprov/v1/versions: versions of files by their content.

Must not know: how rows are kept.
"""

from __future__ import annotations

import re
from typing import Any

from snakeprov.server import wire
from snakeprov.server.call import Answer, Call, shown
from snakeprov.server.refusals import bad_request
from snakeprov.store import contents
from snakeprov.store.contents import Algorithm, VersionOf

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
    return 200, {"results": [_version(row) for row in rows[:limit]], "truncated": len(rows) > limit}


def digest_prefix(text: str, algorithm: Algorithm) -> str:
    """Return a digest, or the beginning of one, in lower case.

    Raises:
        Refusal: 400, it is no such thing, or is too short to name one content.
    """
    most = _HEX_CHARS[algorithm]
    if not re.fullmatch(f"[0-9a-fA-F]{{{PREFIX_CHARS_MIN},{most}}}", text):
        raise bad_request(
            f"{algorithm}={shown(text)}: a digest, or its first {PREFIX_CHARS_MIN} to {most} hexadecimal digits, was "
            "expected."
        )
    return text.lower()


def _version(row: VersionOf) -> dict[str, Any]:
    body: dict[str, Any] = {
        "entityId": f"syn{row.entity_id}",
        "versionNumber": row.number,
        "isLatest": row.number == row.current_version,
        "latestVersionNumber": row.current_version,
        "path": row.path or row.name,
        "projectId": f"syn{row.project_id}",
        "projectName": row.project_name,
        "createdOn": wire.time(row.created_on),
    }
    known = {
        "sha256": row.sha256,
        "md5": row.md5,
        "sizeBytes": row.size_bytes,
        "activityId": None if row.activity_id is None else str(row.activity_id),
    }
    return body | {key: value for key, value in known.items() if value is not None}
