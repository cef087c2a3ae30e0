"""Why a store has no bytes of a version, in words."""

from __future__ import annotations

from typing import Any

import pytest

from snakeprov.model.notkept import why_not_kept


def story(*, flags: tuple[str, ...] = (), role: str = "output", **version: Any) -> dict[str, Any]:
    """What a store tells of a version of a.bin."""
    job = {"rule": "a", "outputs": [{"path": "a.bin", "flags": list(flags)}]}
    return {
        "entity": {"name": "a.bin", "path": "a.bin"},
        "version": {"sha256": "0" * 64, "sizeBytes": 200, **version},
        "job": {"job": job, "files": [{"role": role, "path": "a.bin"}]},
    }


@pytest.mark.parametrize(
    ("told", "here", "expected"),
    [
        (story(flags=("temp",)), {}, "rule a marks it as temp()"),
        (story(flags=("temp",), bytesPruned=True), {}, "'snakeprov prune' deleted them"),
        (story(role="log"), {}, "a log is kept only if it is small and no secret is found in it"),
        (story(sha256=None), {}, "they were never read"),
        (story(), {"keep_bytes_max": 100}, "it has 200 bytes, more than keep_bytes_max (100)"),
        (story(), {"upload": False}, "bytes are not kept here (upload = false)"),
        (story(), {"keep_bytes_max": 1000}, "only its digest was recorded"),
    ],
)
def test_the_reason_is_what_the_records_tell(told: dict[str, Any], here: dict[str, Any], expected: str) -> None:
    """No reason is given that the records do not tell."""
    assert why_not_kept(told, **here) == expected
