"""Select the versions to prune and what else needs their contents, and mark contents as deleted.

A content goes only when nothing that stays needs it: no version, no record of a run or a job, no directory. File
handles that belong to no version yet may be about to: the young ones keep their content.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, and_, delete, func, or_, select

from snakeprov.db.access import DELETE, Reader, allowed
from snakeprov.db.database import Transaction, setting
from snakeprov.db.filehandles import REUSED_MS
from snakeprov.db.keys import listed, texts
from snakeprov.db.lineage import Version
from snakeprov.db.statements import change, insert_into
from snakeprov.db.tables import PRUNED, STORED, TRASH_ID, entity, file_handle, job, job_file, revision, run, usage
from snakeprov.db.tables import setting as setting_table
from snakeprov.model.entities import DIRECTORY_CONTENT_TYPE

PROTECTED_MS = 24 * 3600 * 1000
"""Up to this age a file handle keeps its content even if no version has it: one may be about to."""

SETTLED_MS = 2 * REUSED_MS
"""From this age on a file handle is known to be that of a file in a directory, if one that was recorded after it has
the content inside, and was not used again for something that is still on its way."""

_NAMED = re.compile(r'"(?:patch|environment)FileHandleId":"([0-9]{1,18})"')

_STATE = "pruning"
_RUNNING = " running"


class Criteria(NamedTuple):
    """Selects versions: those that match all the given criteria.

    Attributes:
        project_id: In this project.
        rules: Made by one of these rules.
        before_ms: Recorded before this moment.
        larger_than_bytes: With more bytes than this; directories are all among them, being as large as what is inside.
        keep_last: Only versions with at least this many newer versions of the same file.
    """

    project_id: int | None = None
    rules: Collection[str] = ()
    before_ms: int | None = None
    larger_than_bytes: int | None = None
    keep_last: int | None = None


class Candidate(NamedTuple):
    """A version to prune, and its content."""

    entity_id: int
    number: int
    path: str
    is_latest: bool
    created_on: int
    activity_id: int | None
    sha256: str
    size_bytes: int
    content_type: str | None

    @property
    def is_directory(self) -> bool:
        """Whether its content is the manifest of a directory."""
        return self.content_type == DIRECTORY_CONTENT_TYPE


def candidates(tx: Transaction, criteria: Criteria, *, reader: Reader) -> list[Candidate]:
    """Return the versions that match, in projects from which the reader may delete, ordered by path and number.

    What was executed is never meant: it is small, and without it nobody can tell what was done.
    """
    executed = select(usage.c.position).where(
        usage.c.target_id == revision.c.entity_id,
        usage.c.target_version == revision.c.number,
        usage.c.was_executed.is_(True),
    )
    where: list[ColumnElement[bool]] = [
        file_handle.c.kind == STORED,
        file_handle.c.sha256.is_not(None),
        entity.c.project_id != TRASH_ID,
        ~executed.exists(),
    ]
    if reader is not None:
        where.append(entity.c.project_id.in_(allowed(reader, DELETE)))
    if criteria.project_id is not None:
        where.append(entity.c.project_id == criteria.project_id)
    if criteria.rules:
        where.append(_made_by(criteria.rules))
    if criteria.before_ms is not None:
        where.append(revision.c.created_on < criteria.before_ms)
    if criteria.larger_than_bytes is not None:
        is_large = file_handle.c.size_bytes > criteria.larger_than_bytes
        where.append(or_(is_large, file_handle.c.content_type == DIRECTORY_CONTENT_TYPE))
    if criteria.keep_last is not None:
        newer = revision.alias("newer")
        count = (
            select(func.count())
            .select_from(newer)
            .where(newer.c.entity_id == revision.c.entity_id, newer.c.number > revision.c.number)
            .scalar_subquery()
        )
        where.append(count >= criteria.keep_last)
    statement = (
        select(
            revision.c.entity_id,
            revision.c.number,
            entity.c.path,
            revision.c.number == entity.c.current_version,
            revision.c.created_on,
            revision.c.activity_id,
            file_handle.c.sha256,
            func.coalesce(file_handle.c.size_bytes, 0),
            file_handle.c.content_type,
        )
        .select_from(_with_handle())
        .where(*where)
        .order_by(entity.c.path, revision.c.number)
    )
    return [Candidate(*row) for row in tx.connection.execute(statement)]


def directories(tx: Transaction) -> dict[Version, str]:
    """Return the sha256 of the manifest of every directory version whose manifest is kept."""
    statement = (
        select(revision.c.entity_id, revision.c.number, file_handle.c.sha256)
        .select_from(_with_handle())
        .where(file_handle.c.kind == STORED, file_handle.c.content_type == DIRECTORY_CONTENT_TYPE)
    )
    return {(row[0], row[1]): row[2] for row in tx.connection.execute(statement)}


def named_in_records(tx: Transaction) -> set[int]:
    """Return the file handles that the records of runs and jobs name: patches, and descriptions of environments."""
    found: set[int] = set()
    for column in (run.c.record, job.c.record):
        records = tx.connection.execute(select(column).where(column.contains('FileHandleId":"'))).scalars()
        # Inside of a text the quotation marks would be escaped.
        found.update(int(id_) for record in records for id_ in _NAMED.findall(record))
    return found


class Going(NamedTuple):
    """What is to go, for telling what else needs its contents.

    Attributes:
        versions: The versions.
        inside: When the last of them was recorded that has a content inside (it is a directory), by content.
        named_ids: File handles that records name, which stay.
    """

    versions: Collection[Version]
    inside: Mapping[str, int]
    named_ids: Collection[int]


def needed(tx: Transaction, contents: Collection[str], going: Going) -> set[str]:
    """Return those of some contents that something else needs: a version, a record, a file handle that is young.

    What is inside directories that stay is not looked at.
    """
    attached = (
        select(file_handle.c.sha256, revision.c.entity_id, revision.c.number)
        .select_from(file_handle.join(revision, revision.c.file_handle_id == file_handle.c.id))
        .where(file_handle.c.sha256.in_(texts("contents")), file_handle.c.kind == STORED)
    )
    loose = (
        select(file_handle.c.sha256, file_handle.c.id, file_handle.c.created_on)
        .outerjoin(revision, revision.c.file_handle_id == file_handle.c.id)
        .where(
            file_handle.c.sha256.in_(texts("contents")),
            file_handle.c.kind == STORED,
            revision.c.number.is_(None),
        )
    )
    found: set[str] = set()
    wanted = {"contents": listed(contents)}
    for sha256, entity_id, number in tx.connection.execute(attached, wanted):
        if (entity_id, number) not in going.versions:
            found.add(sha256)
    for sha256, id_, created_on in tx.connection.execute(loose, wanted):
        age_ms = tx.now_ms - created_on
        is_of_directory = age_ms > SETTLED_MS and created_on <= going.inside.get(sha256, 0)
        if id_ in going.named_ids or (age_ms < PROTECTED_MS and not is_of_directory):
            found.add(sha256)
    return found


def stored(tx: Transaction, contents: Collection[str]) -> set[str]:
    """Return those of some contents that a file handle says are kept."""
    statement = select(file_handle.c.sha256).where(
        file_handle.c.sha256.in_(texts("contents")), file_handle.c.kind == STORED
    )
    return set(tx.connection.execute(statement, {"contents": listed(contents)}).scalars())


def drop(tx: Transaction, contents: Collection[str]) -> None:
    """Say of every file handle of some contents that the bytes are gone."""
    statement = change(
        file_handle, file_handle.c.sha256.in_(texts("contents")), file_handle.c.kind == STORED, kind=PRUNED
    )
    tx.connection.execute(statement, {"contents": listed(contents)})


def new_token() -> str:
    """Return what names one pruning."""
    return uuid.uuid4().hex


def begin(tx: Transaction, token: str) -> None:
    """Say that contents may go from now on. To be said again in every transaction in which they do."""
    _say(tx, token + _RUNNING)


def end(tx: Transaction, token: str) -> None:
    """Say that no content goes any more, unless another pruning has begun meanwhile."""
    if state(tx) == token + _RUNNING:
        _say(tx, token)


def state(tx: Transaction) -> str:
    """Return what changes whenever contents go."""
    return setting(tx, _STATE) or ""


def may_have_gone(tx: Transaction, since: str) -> bool:
    """Say whether contents may have gone since `state` was what it was, or may be going."""
    now = state(tx)
    return now != since or now.endswith(_RUNNING)


def _say(tx: Transaction, value: str) -> None:
    tx.connection.execute(delete(setting_table).where(setting_table.c.name == _STATE))
    tx.run(insert_into(setting_table), name=_STATE, value=value)


def _with_handle() -> Any:
    return revision.join(entity, entity.c.id == revision.c.entity_id).join(
        file_handle, file_handle.c.id == revision.c.file_handle_id
    )


def _made_by(rules: Collection[str]) -> ColumnElement[bool]:
    own = select(job.c.activity_id).where(job.c.rule.in_(rules), job.c.activity_id.is_not(None))
    of_file = (
        select(job_file.c.activity_id)
        .join(job, job.c.number == job_file.c.job_number)
        .where(and_(job.c.rule.in_(rules), job_file.c.activity_id.is_not(None)))
    )
    return or_(revision.c.activity_id.in_(own), revision.c.activity_id.in_(of_file))
