"""/file/v1/fileHandle: what the content of a file is, and where to get it.

Must not know: how bytes are kept, or how rows are.
"""

from __future__ import annotations

import re

import msgspec

from snakeprov.db import entities, filehandles, tokens
from snakeprov.db.access import DOWNLOAD
from snakeprov.db.filehandles import FileHandleRow
from snakeprov.db.tables import EXTERNAL
from snakeprov.model.entities import Body, FileHandle
from snakeprov.server import permissions, presigned, wire
from snakeprov.server import synapseanswers as synapse
from snakeprov.server.call import Call, entity_number
from snakeprov.server.queries import NUMBER_MAX
from snakeprov.server.refusals import bad_request, forbidden, not_found, shown
from snakeprov.server.services import Access, Services

service = Services("Files")

DOWNLOAD_PATH = "/snakeprov/v1/download/{id}"

FILES_MAX = 1000
"""How many file handles one request can ask for."""

COPIES_MAX = 100
"""How many file handles one request can copy, as in Synapse."""

_DIGITS = re.compile(r"[0-9]{1,18}")
_MD5 = re.compile(r"[0-9a-fA-F]{32}")
_SHA256 = re.compile(r"[0-9a-fA-F]{64}")


class ExternalBody(msgspec.Struct, rename="camel"):
    """A file that is elsewhere. A client claims its digests: they tell versions apart, and open no bytes.

    Attributes:
        content_sha256: snakeprov's addition to Synapse's form.
    """

    external_url: str = msgspec.field(name="externalURL")
    file_name: str | None = None
    content_type: str | None = None
    content_md5: str | None = None
    content_sha256: str | None = None
    content_size: int | None = None


class Association(msgspec.Struct, rename="camel"):
    """A file handle, and what it is asked for as a part of."""

    file_handle_id: str
    associate_object_id: str | None = None
    associate_object_type: str | None = None


class FilesBody(msgspec.Struct, rename="camel"):
    """Several file handles, and what to tell of each."""

    requested_files: list[Association] = []
    include_file_handles: bool = False
    include_pre_signed_urls: bool = msgspec.field(name="includePreSignedURLs", default=False)


class CopyRequest(msgspec.Struct, rename="camel"):
    """A file handle to copy, under another name or with another content type."""

    original_file: Association
    new_file_name: str | None = None
    new_content_type: str | None = None


class CopiesBody(msgspec.Struct, rename="camel"):
    """Several file handles to copy."""

    copy_requests: list[CopyRequest]


@service("GET", "/file/v1/fileHandle/{id}", answer=FileHandle)
def read(call: Call) -> Body:
    """A file handle: for its creator."""
    return wire.file_handle(call.server.content_md5s.complete(own(call)))


@service("POST", "/file/v1/externalFileHandle", answer=FileHandle, status=201)
def create_external(call: Call, body: ExternalBody) -> Body:
    """A file handle for a file that is elsewhere."""
    if ":" not in body.external_url:
        raise bad_request(f"externalURL {shown(body.external_url)} is not a URL.")
    if body.content_md5 is not None and not _MD5.fullmatch(body.content_md5):
        raise bad_request(f"contentMd5 {shown(body.content_md5)} is not an md5: 32 hex digits were expected.")
    if body.content_sha256 is not None and not _SHA256.fullmatch(body.content_sha256):
        raise bad_request(f"contentSha256 {shown(body.content_sha256)} is not a sha256: 64 hex digits were expected.")
    if body.content_size is not None and not 0 <= body.content_size <= NUMBER_MAX:
        raise bad_request(f"contentSize {body.content_size} is not a number of bytes.")
    row = filehandles.insert(
        call.tx,
        kind=EXTERNAL,
        user=call.user.id,
        file_name=body.file_name,
        content_type=body.content_type,
        size_bytes=body.content_size,
        md5=None if body.content_md5 is None else body.content_md5.lower(),
        sha256=None if body.content_sha256 is None else body.content_sha256.lower(),
        external_url=body.external_url,
    )
    return wire.file_handle(row)


@service(
    "POST",
    "/file/v1/fileHandle/batch",
    answer=synapse.FileResults,
    access=Access.READS,
    note="today's Synapse answers 201; here it is 200. Its client takes both.",
)
def batch(call: Call, body: FilesBody) -> Body:
    """File handles and URLs of their bytes, or why the user cannot have them."""
    if len(body.requested_files) > FILES_MAX:
        raise bad_request(f"{len(body.requested_files)} files are asked for; at most {FILES_MAX} are allowed.")
    return {"requestedFiles": [_result(call, file, body) for file in body.requested_files]}


@service("POST", "/file/v1/filehandles/copy", answer=synapse.CopyResults, status=201)
def copy(call: Call, body: CopiesBody) -> Body:
    """The same contents under other names, as the user's own."""
    if len(body.copy_requests) > COPIES_MAX:
        raise bad_request(f"{len(body.copy_requests)} copies are asked for; at most {COPIES_MAX} are allowed.")
    permissions.check_scope(call.user, tokens.DOWNLOAD)
    return {"copyResults": [_copied(call, wanted) for wanted in body.copy_requests]}


def _copied(call: Call, wanted: CopyRequest) -> Body:
    result: Body = {"originalFileHandleId": wanted.original_file.file_handle_id}
    row = _found(call, wanted.original_file)
    if not isinstance(row, FileHandleRow):
        return {**result, "failureCode": row}
    row = call.server.content_md5s.complete(row)
    new = filehandles.insert(
        call.tx,
        kind=row.kind,
        user=call.user.id,
        file_name=row.file_name if wanted.new_file_name is None else wanted.new_file_name,
        content_type=row.content_type if wanted.new_content_type is None else wanted.new_content_type,
        size_bytes=row.size_bytes,
        md5=row.md5,
        sha256=row.sha256,
        external_url=row.external_url,
    )
    return {**result, "newFileHandle": wire.file_handle(new)}


def own(call: Call) -> FileHandleRow:
    """Return the file handle that the path names, which must be the user's own.

    Raises:
        Refusal: 404, there is none; 403, somebody else created it.
    """
    row = existing(call)
    if row.created_by != call.user.id:
        raise forbidden(f"Only the user who created file handle {row.id} can see it.")
    return row


def existing(call: Call) -> FileHandleRow:
    """Return the file handle that the path names.

    Raises:
        Refusal: 404, there is none.
    """
    id_ = call.numeric_id("A file handle")
    row = filehandles.get(call.tx, id_)
    if row is None:
        raise not_found(f"A file handle with id '{id_}' could not be found.")
    return row


def url_of(call: Call, row: FileHandleRow) -> str:
    """Return a URL from which the content of a file can be downloaded now, without a token."""
    if row.external_url is not None:
        return row.external_url
    return presigned.sign(DOWNLOAD_PATH.format(id=row.id), base_url=call.base_url, secret=call.server.url_secret)


def _result(call: Call, file: Association, body: FilesBody) -> Body:
    result: Body = {"fileHandleId": file.file_handle_id}
    row = _found(call, file)
    if not isinstance(row, FileHandleRow):
        return {**result, "failureCode": row}
    if body.include_file_handles:
        result["fileHandle"] = wire.file_handle(call.server.content_md5s.complete(row))
    if body.include_pre_signed_urls:
        permissions.check_scope(call.user, tokens.DOWNLOAD)
        result["preSignedURL"] = url_of(call, row)
    return result


def _found(call: Call, file: Association) -> FileHandleRow | str:
    """Return a file handle, or why the user cannot have it."""
    row = filehandles.get(call.tx, int(file.file_handle_id)) if _DIGITS.fullmatch(file.file_handle_id) else None
    if row is None:
        return "NOT_FOUND"
    return row if _is_allowed(call, row, file) else "UNAUTHORIZED"


def _is_allowed(call: Call, row: FileHandleRow, file: Association) -> bool:
    """Say whether the user may have a content: as its creator, or because an entity that may be downloaded has it."""
    if row.created_by == call.user.id:
        return True
    if file.associate_object_type != "FileEntity" or file.associate_object_id is None:
        return False
    place = entities.place(call.tx, entity_number(file.associate_object_id))
    if place is None or not permissions.may(call, place.project_id, DOWNLOAD):
        return False
    return filehandles.belongs_to(call.tx, row.id, place.id)
