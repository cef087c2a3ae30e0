"""Why a store has no bytes of a version, in words."""

from __future__ import annotations

from typing import Any

import pytest

from snakeprov.model.answers import RecordedJob, Role, Story
from snakeprov.model.notkept import why_not_kept
from snakeprov.model.records import FileFact, JobRecord

from ..answers import job_file, told_story, told_version


def story(*, flags: tuple[str, ...] = (), role: Role = "output", **version: Any) -> Story:
    """What a store tells of a version of a.bin."""
    fact = FileFact(path="a.bin", flags=list(flags))
    job = JobRecord(id="1", run_id="2", rule="a", status="success", outputs=[fact])
    return told_story(
        told_version("a.bin@1", **{"sha256": "0" * 64, "size_bytes": 200, **version}),
        job=RecordedJob(job=job, files=[job_file(role, "a.bin@1", "generated")]),
    )


@pytest.mark.parametrize(
    ("told", "here", "expected"),
    [
        (story(flags=("temp",)), {}, "rule a marks it as temp()"),
        (story(flags=("temp",), bytes_pruned=True), {}, "'snakeprov prune' deleted them"),
        (story(role="log"), {}, "a log is kept only if it is small and no secret is found in it"),
        (story(sha256=None), {}, "they were never read"),
        (story(), {"keep_bytes_max": 100}, "it has 200 bytes, more than keep_bytes_max (100)"),
        (story(), {"upload": False}, "bytes are not kept here (upload = false)"),
        (story(), {"keep_bytes_max": 1000}, "only its digest was recorded"),
    ],
)
def test_the_reason_is_what_the_records_tell(told: Story, here: dict[str, Any], expected: str) -> None:
    """No reason is given that the records do not tell."""
    assert why_not_kept(told, **here) == expected
