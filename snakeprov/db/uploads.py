"""Multipart uploads: what was requested, and which parts have arrived."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import bindparam, delete, select

from snakeprov.db.checksums import content
from snakeprov.db.database import Transaction
from snakeprov.db.statements import Command, Query, change, insert_into
from snakeprov.db.tables import upload, upload_part


class UploadRow(NamedTuple):
    """An upload."""

    id: int
    request_key: str
    file_name: str
    content_type: str | None
    size_bytes: int
    md5: str
    part_size_bytes: int
    part_count: int
    started_on: int
    started_by: int
    updated_on: int
    file_handle_id: int | None


class _Upload(NamedTuple):
    id: int


class _Part(NamedTuple):
    number: int


_GET = Query(select(*content(upload)).where(upload.c.id == bindparam("id")), UploadRow, checked=upload)
_BY_KEY = Query(
    select(*content(upload)).where(upload.c.request_key == bindparam("request_key")), UploadRow, checked=upload
)
_PARTS = Query(select(upload_part.c.number).where(upload_part.c.upload_id == bindparam("upload_id")), _Part)
_IDLE = Query(
    select(upload.c.id)
    .where(upload.c.file_handle_id.is_(None), upload.c.updated_on < bindparam("before"))
    .order_by(upload.c.updated_on)
    .limit(bindparam("limit")),
    _Upload,
)
_INSERT = insert_into(upload, but=["id"])
_INSERT_PART = insert_into(upload_part)
_DELETE = Command(delete(upload).where(upload.c.id == bindparam("of_id")))
_DELETE_PART = Command(
    delete(upload_part).where(
        upload_part.c.upload_id == bindparam("of_upload"), upload_part.c.number == bindparam("of_number")
    )
)
_TOUCH = Command(change(upload, upload.c.id == bindparam("of_id"), updated_on=bindparam("new_updated_on")))
_FINISH = Command(
    change(
        upload,
        upload.c.id == bindparam("of_id"),
        updated_on=bindparam("new_updated_on"),
        file_handle_id=bindparam("new_file_handle"),
    )
)


def get(tx: Transaction, id_: int) -> UploadRow | None:
    """Return an upload, or None."""
    return tx.one(_GET, id=id_)


def by_key(tx: Transaction, request_key: str) -> UploadRow | None:
    """Return the upload that the same request started, or None."""
    return tx.one(_BY_KEY, request_key=request_key)


def parts(tx: Transaction, id_: int) -> set[int]:
    """Return the numbers of the parts that have arrived."""
    return {part.number for part in tx.all(_PARTS, upload_id=id_)}


def idle(tx: Transaction, *, before_ms: int, limit: int) -> list[int]:
    """Return unfinished uploads in which nothing has happened since a time, those that are idle longest first."""
    return [found.id for found in tx.all(_IDLE, before=before_ms, limit=limit)]


def insert(
    tx: Transaction,
    *,
    request_key: str,
    user: int,
    file_name: str,
    content_type: str | None,
    size_bytes: int,
    md5: str,
    part_size_bytes: int,
    part_count: int,
) -> UploadRow:
    """Begin an upload."""
    now = tx.now_ms
    id_ = tx.insert(
        _INSERT,
        request_key=request_key,
        file_name=file_name,
        content_type=content_type,
        size_bytes=size_bytes,
        md5=md5,
        part_size_bytes=part_size_bytes,
        part_count=part_count,
        started_on=now,
        started_by=user,
        updated_on=now,
        file_handle_id=None,
    )
    return UploadRow(
        id_, request_key, file_name, content_type, size_bytes, md5, part_size_bytes, part_count, now, user, now, None
    )


def add_part(tx: Transaction, id_: int, number: int, *, md5: str) -> None:
    """Say that a part has arrived, or has arrived again."""
    tx.run(_DELETE_PART, of_upload=id_, of_number=number)
    tx.run(_INSERT_PART, upload_id=id_, number=number, md5=md5)
    tx.run(_TOUCH, of_id=id_, new_updated_on=tx.now_ms)


def finish(tx: Transaction, row: UploadRow, *, file_handle_id: int) -> UploadRow:
    """Say what an upload has become."""
    tx.run(_FINISH, of_id=row.id, new_updated_on=tx.now_ms, new_file_handle=file_handle_id)
    return row._replace(updated_on=tx.now_ms, file_handle_id=file_handle_id)


def forget(tx: Transaction, id_: int) -> None:
    """Remove an upload; the file handle that it became stays."""
    tx.run(_DELETE, of_id=id_)
