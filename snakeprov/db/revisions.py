"""The versions of an entity."""

from __future__ import annotations

from typing import Any, NamedTuple

from sqlalchemy import bindparam, func, select

from snakeprov.db.database import Transaction
from snakeprov.db.entities import EntityRow
from snakeprov.db.statements import Command, Query, change, insert_into
from snakeprov.db.tables import entity, file_handle, revision

VERSIONS_MAX = 15_000
"""How many versions one entity can have, as in Synapse."""


class Meaning(NamedTuple):
    """What the bytes of a new version mean: the `kind` of `tables.revision`, and the version that it points at."""

    kind: str
    of_entity_id: int
    of_version: int
    while_job: str | None = None


class _Annotations(NamedTuple):
    annotations: str | None


class _Number(NamedTuple):
    number: int


class VersionRow(NamedTuple):
    """A version as a listing shows it."""

    number: int
    label: str
    comment: str | None
    modified_on: int
    modified_by: int
    md5: str | None
    size_bytes: int | None


_INSERT = insert_into(revision)
_OF = (revision.c.entity_id == bindparam("of_entity"), revision.c.number == bindparam("of_number"))
_ANNOTATIONS = Query(select(revision.c.annotations).where(*_OF), _Annotations)
_LABELLED = Query(
    select(revision.c.number).where(
        revision.c.entity_id == bindparam("of_entity"), revision.c.label == bindparam("label")
    ),
    _Number,
)
_VERSIONS = select(
    revision.c.number,
    revision.c.label,
    revision.c.comment,
    revision.c.modified_on,
    revision.c.modified_by,
    file_handle.c.md5,
    file_handle.c.size_bytes,
).select_from(revision.outerjoin(file_handle, file_handle.c.id == revision.c.file_handle_id))
_BEFORE = Query(
    select(revision.c.number)
    .where(revision.c.entity_id == bindparam("of_entity"), revision.c.number < bindparam("of_number"))
    .order_by(revision.c.number.desc())
    .limit(1),
    _Number,
)
_MODIFIED: dict[str, Any] = {"modified_on": bindparam("new_modified_on"), "modified_by": bindparam("new_modified_by")}
_SET_ACTIVITY = Command(change(revision, *_OF, activity_id=bindparam("new_activity"), **_MODIFIED))
_SET_ANNOTATIONS = Command(change(revision, *_OF, annotations=bindparam("new_annotations"), **_MODIFIED))
_SET_FIELDS = Command(
    change(
        revision,
        *_OF,
        label=bindparam("new_label"),
        comment=bindparam("new_comment"),
        description=bindparam("new_description"),
        file_handle_id=bindparam("new_file_handle"),
        **_MODIFIED,
    )
)
_SET_CURRENT = Command(
    change(
        entity,
        entity.c.id == bindparam("of_entity"),
        current_version=bindparam("number"),
        last_version=bindparam("number"),
    )
)


def insert_first(
    tx: Transaction,
    entity_id: int,
    *,
    user: int,
    file_handle_id: int | None,
    activity_id: int | None,
    label: str,
    comment: str | None,
    description: str | None,
    meaning: Meaning | None = None,
    mode: int | None = None,
) -> None:
    """Add version 1."""
    _insert(tx, entity_id, 1, user, file_handle_id, activity_id, label, comment, description, None, meaning, mode)


def insert_next(
    tx: Transaction,
    row: EntityRow,
    *,
    user: int,
    file_handle_id: int | None,
    label: str | None,
    comment: str | None,
    description: str | None,
    meaning: Meaning | None = None,
    mode: int | None = None,
) -> int:
    """Add the next version and make it the current one; return its number, which was never used before.

    It takes the annotations along, and never the activity: that did not make it.
    """
    number = row.last_version + 1
    kept = annotations_of(tx, row.id, row.number)
    text = label or str(number)
    _insert(tx, row.id, number, user, file_handle_id, None, text, comment, description, kept, meaning, mode)
    tx.run(_SET_CURRENT, of_entity=row.id, number=number)
    return number


def _insert(
    tx: Transaction,
    entity_id: int,
    number: int,
    user: int,
    file_handle_id: int | None,
    activity_id: int | None,
    label: str,
    comment: str | None,
    description: str | None,
    annotations: str | None,
    meaning: Meaning | None,
    mode: int | None,
) -> None:
    tx.run(
        _INSERT,
        entity_id=entity_id,
        number=number,
        file_handle_id=file_handle_id,
        activity_id=activity_id,
        label=label,
        comment=comment,
        description=description,
        annotations=annotations,
        created_on=tx.now_ms,
        created_by=user,
        modified_on=tx.now_ms,
        modified_by=user,
        meaning=None if meaning is None else meaning.kind,
        of_entity_id=None if meaning is None else meaning.of_entity_id,
        of_version=None if meaning is None else meaning.of_version,
        while_job=None if meaning is None else meaning.while_job,
        mode=mode,
    )


def annotations_of(tx: Transaction, entity_id: int, number: int) -> str | None:
    """Return the annotations of a version as JSON, or None."""
    found = tx.one(_ANNOTATIONS, of_entity=entity_id, of_number=number)
    return None if found is None else found.annotations


def set_annotations(tx: Transaction, entity_id: int, number: int, *, json: str, user: int) -> None:
    """Replace the annotations of a version."""
    tx.run(
        _SET_ANNOTATIONS,
        of_entity=entity_id,
        of_number=number,
        new_annotations=json,
        new_modified_on=tx.now_ms,
        new_modified_by=user,
    )


def set_activity(tx: Transaction, entity_id: int, number: int, *, activity_id: int | None, user: int) -> None:
    """Say which activity generated a version; None: unknown."""
    tx.run(
        _SET_ACTIVITY,
        of_entity=entity_id,
        of_number=number,
        new_activity=activity_id,
        new_modified_on=tx.now_ms,
        new_modified_by=user,
    )


def set_fields(
    tx: Transaction,
    row: EntityRow,
    *,
    user: int,
    file_handle_id: int | None,
    label: str,
    comment: str | None,
    description: str | None,
) -> None:
    """Change a version in place."""
    tx.run(
        _SET_FIELDS,
        of_entity=row.id,
        of_number=row.number,
        new_label=label,
        new_comment=comment,
        new_description=description,
        new_file_handle=file_handle_id,
        new_modified_on=tx.now_ms,
        new_modified_by=user,
    )


def labelled(tx: Transaction, entity_id: int, label: str) -> int | None:
    """Return the number of the version with a label, or None."""
    found = tx.one(_LABELLED, of_entity=entity_id, label=label)
    return None if found is None else found.number


def count(tx: Transaction, entity_id: int) -> int:
    """Return how many versions an entity has."""
    statement = select(func.count()).select_from(revision).where(revision.c.entity_id == entity_id)
    return int(tx.connection.execute(statement).scalar_one())


def before(tx: Transaction, entity_id: int, number: int) -> int | None:
    """Return the number of the version before a version, or None."""
    found = tx.one(_BEFORE, of_entity=entity_id, of_number=number)
    return None if found is None else found.number


def page(tx: Transaction, entity_id: int, *, limit: int, offset: int = 0) -> list[VersionRow]:
    """Return versions of an entity, newest first."""
    statement = _VERSIONS.where(revision.c.entity_id == entity_id).order_by(revision.c.number.desc())
    return [VersionRow(*row) for row in tx.connection.execute(statement.limit(limit).offset(offset))]
