"""/snakeprov/v1/affected: everything that came from what turned out to be wrong.

Must not know: how rows are kept.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

import msgspec

from snakeprov.db import affected, search
from snakeprov.db.affected import Affected, Starts
from snakeprov.db.lineage import Version
from snakeprov.model.answers import AffectedVersions, MadeVersion
from snakeprov.server import meanings, unmade, wire
from snakeprov.server.call import Call, entity_number
from snakeprov.server.entities import existing
from snakeprov.server.queries import NUMBER_MAX
from snakeprov.server.refusals import bad_request, shown
from snakeprov.server.runs import named_run
from snakeprov.server.services import Access, Services

service = Services("Questions")

STARTS_MAX = 1000
LIMIT_DEFAULT = 10_000
LIMIT_MAX = 100_000

COMMIT_CHARS_MIN = 4
"""Minimum length of a prefix of an id that names a commit."""

_COMMIT = re.compile(f"[0-9a-fA-F]{{{COMMIT_CHARS_MIN},64}}")


class Start(msgspec.Struct, rename="camel"):
    """A version, or every version of an entity."""

    entity_id: str
    version_number: int | None = None


class AffectedBody(msgspec.Struct, rename="camel"):
    """Where to start: at some versions; or at the jobs for which all given conditions hold."""

    versions: list[Start] = []
    rule: str | None = None
    run_id: str | None = None
    commit: str | None = None
    limit: int = LIMIT_DEFAULT


@service("POST", "/snakeprov/v1/affected", access=Access.READS)
def versions(call: Call, body: AffectedBody) -> AffectedVersions:
    """Everything that came from some versions, or from what jobs made: those of a rule, of a run, at a commit.

    Each version comes once, with what made it; the nearest first, and what only evidence links last.
    """
    if not 1 <= body.limit <= LIMIT_MAX:
        raise bad_request(f"limit={body.limit}: a whole number from 1 to {LIMIT_MAX} was expected.")
    of_jobs = (body.rule, body.run_id, body.commit) != (None, None, None)
    if bool(body.versions) == of_jobs:
        raise bad_request("Either versions, or one or more of rule, runId and commit, were expected.")
    reader = call.user.reader
    jobs = _conditions(call, body) if of_jobs else {}
    starts = Starts(activities=affected.activities_of(**jobs)) if of_jobs else _of_versions(call, body.versions)
    rows, truncated = affected.downstream(call.tx, starts, reader=reader, limit=body.limit)
    facts = meanings.told(call.tx, [(row.entity_id, row.number) for row in rows])
    told = [_version(row, facts.get((row.entity_id, row.number), meanings.NOTHING)) for row in rows]
    near = None
    if not rows and of_jobs and not affected.is_any_job(call.tx, **jobs):
        near = [] if body.rule is None else search.near_rules(call.tx, body.rule, reader=reader)
    return AffectedVersions(versions=told, truncated=truncated, near=near)


def commit_prefix(text: str) -> str:
    """Return a commit, or the beginning of one, in lower case.

    Raises:
        Refusal: 400, the value is not of that form.
    """
    if not _COMMIT.fullmatch(text):
        raise bad_request(
            f"{shown(text)} is not a commit: at least {COMMIT_CHARS_MIN} hexadecimal digits were expected."
        )
    return text.lower()


def _of_versions(call: Call, starts: list[Start]) -> Starts:
    if len(starts) > STARTS_MAX:
        raise bad_request(f"{len(starts)} versions to start from; at most {STARTS_MAX} are allowed.")
    exact: dict[tuple[int, int], None] = {}
    whole: dict[int, None] = {}
    for start in starts:
        number = start.version_number
        if number is not None and not 1 <= number <= NUMBER_MAX:
            raise bad_request(f"versionNumber={number}: a whole number from 1 to {NUMBER_MAX} was expected.")
        row = existing(call, entity_number(start.entity_id), number=number)
        if number is None:
            whole[row.id] = None
        else:
            exact[row.id, number] = None

    def read_with(versions: Collection[Version]) -> tuple[Collection[Version], bool]:
        beside = unmade.beside(call, versions)
        return beside.versions, beside.is_cut

    return Starts(versions=list(exact), entities=list(whole), read_with=read_with)


def _conditions(call: Call, body: AffectedBody) -> dict[str, Any]:
    """Return what must hold of a job."""
    return {
        "rule": body.rule,
        "run_ids": None if body.run_id is None else [named_run(call, body.run_id).id],
        "commit": None if body.commit is None else commit_prefix(body.commit),
        "reader": call.user.reader,
    }


def _version(row: Affected, told: meanings.Told) -> MadeVersion:
    return MadeVersion(
        entity_id=wire.entity_id(row.entity_id),
        version_number=row.number,
        is_latest=row.number == row.current_version,
        path=row.path or row.name,
        created_on=wire.time(row.created_on),
        outcome=meanings.OUTCOMES[row.outcome],
        activity_id=wire.optional_id(row.activity_id),
        role=told.role,
        by_evidence=row.by_evidence,
        way_proved=row.is_way_proved,
        identity_proved=row.sha256 is not None or row.md5 is not None,
        meaning=told.meaning,
        sha256=row.sha256,
        size_bytes=row.size_bytes,
        rule=row.rule or row.activity_name or None,
        run_id=row.run_id,
        commit=row.git_commit,
        dirty=wire.optional_truth(row.git_dirty),
    )
