"""File handles: the digests and size of a content, and where its bytes are."""

from __future__ import annotations

import uuid
from typing import NamedTuple

from sqlalchemy import bindparam, func, select

from snakeprov.db.access import Reader, in_readable
from snakeprov.db.checksums import content
from snakeprov.db.database import Transaction
from snakeprov.db.statements import Command, Query, change, insert_into
from snakeprov.db.tables import PRUNED, STORED, entity, file_handle, revision

REUSED_MS = 10 * 60 * 1000
"""Up to this age a file handle is used again for the same content, rather than another one made. So an old one that
belongs to nothing is nobody's any more."""


class FileHandleRow(NamedTuple):
    """A file handle."""

    id: int
    kind: str
    etag: str
    created_on: int
    created_by: int
    file_name: str | None
    content_type: str | None
    size_bytes: int | None
    md5: str | None
    sha256: str | None
    external_url: str | None


_GET = Query(
    select(*content(file_handle)).where(file_handle.c.id == bindparam("id")), FileHandleRow, checked=file_handle
)
_SAME = Query(
    select(*content(file_handle))
    .where(
        file_handle.c.sha256 == bindparam("sha256"),
        file_handle.c.created_by == bindparam("created_by"),
        file_handle.c.kind == bindparam("kind"),
        file_handle.c.file_name == bindparam("file_name"),
        func.coalesce(file_handle.c.content_type, "") == bindparam("content_type"),
        func.coalesce(file_handle.c.external_url, "") == bindparam("external_url"),
        file_handle.c.created_on > bindparam("since"),
    )
    .order_by(file_handle.c.id)
    .limit(1),
    FileHandleRow,
)
_INSERT = insert_into(file_handle, but=["id"])
_REVIVE = Command(
    change(file_handle, file_handle.c.sha256 == bindparam("content"), file_handle.c.kind == PRUNED, kind=STORED)
)
_NOTE_MD5 = Command(
    change(
        file_handle, file_handle.c.sha256 == bindparam("content"), file_handle.c.md5.is_(None), md5=bindparam("found")
    )
)


def is_same_content(one: FileHandleRow, other: FileHandleRow) -> bool:
    """Return whether two file handles have a digest in common; their sha256 decides where both have one."""
    if one.sha256 is not None and other.sha256 is not None:
        return one.sha256 == other.sha256
    return one.md5 is not None and one.md5 == other.md5


def get(tx: Transaction, id_: int) -> FileHandleRow | None:
    """Return a file handle, or None."""
    return tx.one(_GET, id=id_)


def note_md5(tx: Transaction, sha256: str, md5: str) -> None:
    """Note the md5 of a content at the file handles of it that have none."""
    tx.run(_NOTE_MD5, content=sha256, found=md5)


def insert(
    tx: Transaction,
    *,
    kind: str,
    user: int,
    file_name: str | None,
    content_type: str | None,
    size_bytes: int | None,
    md5: str | None,
    sha256: str | None,
    external_url: str | None = None,
) -> FileHandleRow:
    """Add a file handle; if it has its bytes, those that lost the same bytes have them again."""
    if kind == STORED and sha256 is not None:
        tx.run(_REVIVE, content=sha256)
    etag = str(uuid.uuid4())
    id_ = tx.insert(
        _INSERT,
        kind=kind,
        etag=etag,
        created_on=tx.now_ms,
        created_by=user,
        file_name=file_name,
        content_type=content_type,
        size_bytes=size_bytes,
        md5=md5,
        sha256=sha256,
        external_url=external_url,
    )
    return FileHandleRow(
        id_, kind, etag, tx.now_ms, user, file_name, content_type, size_bytes, md5, sha256, external_url
    )


def find_same(
    tx: Transaction,
    *,
    kind: str,
    user: int,
    file_name: str,
    content_type: str | None,
    sha256: str,
    external_url: str | None,
) -> FileHandleRow | None:
    """Return a handle of the user's that says the very same and is not old, or None."""
    return tx.one(
        _SAME,
        sha256=sha256,
        created_by=user,
        kind=kind,
        file_name=file_name,
        content_type=content_type or "",
        external_url=external_url or "",
        since=tx.now_ms - REUSED_MS,
    )


def belongs_to(tx: Transaction, id_: int, entity_id: int) -> bool:
    """Say whether a version of an entity has this content."""
    statement = (
        select(revision.c.number).where(revision.c.file_handle_id == id_, revision.c.entity_id == entity_id).limit(1)
    )
    return tx.connection.execute(statement).first() is not None


def stored_bytes(tx: Transaction, *, reader: Reader) -> int:
    """Return how many bytes are kept of everything that the reader may read; each content counts once."""
    stored = select(file_handle.c.sha256, file_handle.c.size_bytes).where(file_handle.c.kind == STORED)
    if reader is not None:
        stored = (
            stored.join(revision, revision.c.file_handle_id == file_handle.c.id)
            .join(entity, entity.c.id == revision.c.entity_id)
            .where(in_readable(entity.c.project_id, reader))
        )
    contents = stored.distinct().subquery()
    statement = select(func.coalesce(func.sum(contents.c.size_bytes), 0))
    return int(tx.connection.execute(statement).scalar_one())
