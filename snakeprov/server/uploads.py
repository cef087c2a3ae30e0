"""/file/v1/file/multipart: uploads in parts, which can be resumed.

Must not know: how bytes are kept, or how rows are.
Source: Synapse's JSON schemas `file/Multipart*`, `file/AddPartResponse`, `file/BatchPresignedUploadUrl*`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from functools import partial

import msgspec
from msgspec import UNSET

from snakeprov.db import filehandles, pruning, tokens, uploads
from snakeprov.db.tables import STORED
from snakeprov.db.uploads import UploadRow
from snakeprov.server import presigned, wire
from snakeprov.server import synapseanswers as synapse
from snakeprov.server.call import Call, Transfer
from snakeprov.server.entities import existing as existing_entity
from snakeprov.server.pruning import still_there
from snakeprov.server.queries import Query
from snakeprov.server.refusals import bad_request, forbidden, not_found, shown
from snakeprov.server.services import Access, Services

service = Services("Files")

PART_PATH = "/snakeprov/v1/upload/{id}/{part}"

PART_BYTES_MIN = 5 * 1024 * 1024
PARTS_MAX = 10_000
"""These two are Synapse's."""

PART_BYTES_MAX = 1024 * 1024 * 1024
"""Synapse's is five times that; this is enough for a file of 10 TB."""

CHUNK_BYTES = 256 * 1024
"""How much of a part is read at once."""

IDLE_DAYS = 7
"""After how long without a new part an unfinished upload is given up, and its parts are removed."""

GIVEN_UP_MAX = 100
"""How many uploads are given up at once."""

_MD5 = re.compile(r"[0-9a-fA-F]{32}")


_CREATED = "today's Synapse answers 201; here it is 200. Its client takes both."


class Start(Query, frozen=True):
    """Whether what has been uploaded already is dropped."""

    force_restart: bool = False


class AddedPart(Query, frozen=True):
    """The md5 that a part should have."""

    part_md5_hex: str = msgspec.field(name="partMD5Hex")


class UploadBody(msgspec.Struct, rename="camel"):
    """What is to be uploaded."""

    file_name: str
    file_size_bytes: int
    part_size_bytes: int
    content_md5_hex: str = msgspec.field(name="contentMD5Hex")
    content_type: str | None = None


class PartsBody(msgspec.Struct, rename="camel"):
    """Which parts are to be uploaded next."""

    part_numbers: list[int]


@service("GET", "/file/v1/entity/{id}/uploadDestination")
def destination(call: Call) -> synapse.UploadDestination:
    """Where files are uploaded to."""
    existing_entity(call, call.entity_id())
    return synapse.UploadDestination(
        concrete_type="org.sagebionetworks.repo.model.file.S3UploadDestination",
        storage_location_id=wire.STORAGE_LOCATION_ID,
        upload_type="S3",
        banner="",
        sts_enabled=False,
    )


@service(
    "POST",
    "/file/v1/file/multipart",
    note=f"{_CREATED} Synapse refuses an empty file, and holds the file's name to the rule for entities; here both are "
    "taken. Synapse has parts of up to 5 GiB; here they are up to 1 GiB.",
)
def start(call: Call, query: Start, body: UploadBody) -> synapse.UploadStatus:
    """Begins an upload in parts, or tells how far the same one has come."""
    _check(body)
    key = hashlib.sha256(msgspec.json.encode([call.user.id, body])).hexdigest()
    row = uploads.by_key(call.tx, key)
    if row is not None and row.file_handle_id is not None:
        row = _renewed(call, row, row.file_handle_id)
    if row is not None and (query.force_restart or _is_pruned(call, row)):
        uploads.forget(call.tx, row.id)
        call.server.blobs.parts.discard(row.id)
        row = None
    if row is None:
        _give_up_idle(call)
        row = uploads.insert(
            call.tx,
            request_key=key,
            user=call.user.id,
            file_name=body.file_name,
            content_type=body.content_type,
            size_bytes=body.file_size_bytes,
            md5=body.content_md5_hex.lower(),
            part_size_bytes=body.part_size_bytes,
            part_count=_part_count(body),
        )
    return _status(call, row)


def _is_pruned(call: Call, row: UploadRow) -> bool:
    handle = None if row.file_handle_id is None else filehandles.get(call.tx, row.file_handle_id)
    return handle is not None and handle.kind != STORED


def _renewed(call: Call, row: UploadRow, file_handle_id: int) -> UploadRow:
    """Return a complete upload with a file handle that is young enough to keep its content until a version has it."""
    handle = filehandles.get(call.tx, file_handle_id)
    if handle is None or handle.kind != STORED or call.tx.now_ms - handle.created_on < filehandles.REUSED_MS:
        return row
    new = filehandles.insert(
        call.tx,
        kind=STORED,
        user=call.user.id,
        file_name=handle.file_name,
        content_type=handle.content_type,
        size_bytes=handle.size_bytes,
        md5=handle.md5,
        sha256=handle.sha256,
    )
    return uploads.finish(call.tx, row, file_handle_id=new.id)


def _give_up_idle(call: Call) -> None:
    before_ms = call.tx.now_ms - IDLE_DAYS * 24 * 3600 * 1000
    for id_ in uploads.idle(call.tx, before_ms=before_ms, limit=GIVEN_UP_MAX):
        uploads.forget(call.tx, id_)
        call.server.blobs.parts.discard(id_)


@service(
    "POST",
    "/file/v1/file/multipart/{id}/presigned/url/batch",
    access=Access.READS,
    scope=tokens.MODIFY,
    note=_CREATED,
)
def urls(call: Call, body: PartsBody) -> synapse.PartUrls:
    """Where to PUT the bytes of parts."""
    row = _own(call)
    base_url, secret = call.base_url, call.server.url_secret
    paths = {number: PART_PATH.format(id=row.id, part=_part(row, number)) for number in body.part_numbers}
    signed = {number: presigned.sign(path, base_url=base_url, secret=secret) for number, path in paths.items()}
    return synapse.PartUrls([synapse.PartUrl(number, signed[number], {}) for number in body.part_numbers])


@service("PUT", PART_PATH, access=Access.SIGNED)
def receive(call: Transfer) -> None:
    """Takes the bytes of a part, under a signed URL."""
    # The signature vouches for both being numbers.
    id_, number = int(call.route["id"]), int(call.route["part"])
    chunks = iter(lambda: call.request.bounded_stream.read(CHUNK_BYTES), b"")
    with call.reading():
        row = uploads.get(call.tx, id_)
    if row is None:
        raise not_found(f"Upload {id_} does not exist.")
    if row.file_handle_id is not None:
        raise bad_request(f"Upload {id_} is complete; it takes no more parts.")
    expected = _part_bytes(row, _part(row, number))
    call.server.blobs.parts.put(row.id, number, _exactly(chunks, expected, number=number))


@service("PUT", "/file/v1/file/multipart/{id}/add/{part}", note=_CREATED)
def add(call: Call, query: AddedPart) -> synapse.AddedPart:
    """Says that a part was sent."""
    row = _own(call)
    text = call.route["part"]
    if not text.isascii() or not text.isdigit() or len(text) > len(str(PARTS_MAX)):
        raise bad_request(f"{shown(text)} is not a part number.")
    number = _part(row, int(text))
    expected = query.part_md5_hex.lower()
    actual = call.server.blobs.parts.md5(row.id, number)
    if actual is None:
        return synapse.AddedPart(str(row.id), number, "ADD_FAILED", f"Part {number} has not arrived.")
    if actual != expected:
        message = f"Part {number} has the md5 {actual}; {shown(expected)} was expected."
        return synapse.AddedPart(str(row.id), number, "ADD_FAILED", message)
    uploads.add_part(call.tx, row.id, number, md5=actual)
    return synapse.AddedPart(str(row.id), number, "ADD_SUCCESS")


@service("PUT", "/file/v1/file/multipart/{id}/complete", access=Access.OWN, note=_CREATED)
def complete(call: Call) -> synapse.UploadStatus:
    """Makes the file handle of a complete upload."""
    with call.reading():
        row = _own(call)
        if row.file_handle_id is not None:
            return _status(call, row)
        since = pruning.state(call.tx)
        missing = sorted(set(range(1, row.part_count + 1)) - uploads.parts(call.tx, row.id))
    if missing:
        raise bad_request(f"Part {missing[0]} of {row.part_count} has not been added.")
    put = partial(_put, call, row)
    sha256 = put()
    with call.writing():
        row = _own(call)
        if row.file_handle_id is None:
            sha256 = still_there(call, since, put, sha256)
            handle = filehandles.insert(
                call.tx,
                kind=STORED,
                user=call.user.id,
                file_name=row.file_name,
                content_type=row.content_type,
                size_bytes=row.size_bytes,
                md5=row.md5,
                sha256=sha256,
            )
            row = uploads.finish(call.tx, row, file_handle_id=handle.id)
        status = _status(call, row)
    call.server.blobs.parts.discard(row.id)
    return status


def _put(call: Call, row: UploadRow) -> str:
    chunks = call.server.blobs.parts.chunks(row.id, count=row.part_count)
    try:
        return call.server.blobs.put_stream(_with_md5(row.md5, chunks))
    except KeyError as error:
        raise bad_request(f"Part {error} of upload {row.id} is gone; send it once more.") from error


def _check(body: UploadBody) -> None:
    if not body.file_name or len(body.file_name) > 256 or "\0" in body.file_name:
        raise bad_request(f"fileName {shown(body.file_name)} must have 1 to 256 characters.")
    if body.file_size_bytes < 0:
        raise bad_request(f"fileSizeBytes {body.file_size_bytes} is not a number of bytes.")
    if not PART_BYTES_MIN <= body.part_size_bytes <= PART_BYTES_MAX:
        raise bad_request(
            f"partSizeBytes {body.part_size_bytes}: {PART_BYTES_MIN} to {PART_BYTES_MAX} bytes were expected."
        )
    if _part_count(body) > PARTS_MAX:
        raise bad_request(f"The upload would have more than {PARTS_MAX} parts; choose larger ones.")
    if not _MD5.fullmatch(body.content_md5_hex):
        raise bad_request(f"contentMD5Hex {shown(body.content_md5_hex)} is not an md5: 32 hex digits were expected.")


def _part_count(body: UploadBody) -> int:
    # An empty file has one empty part.
    return max(1, -(-body.file_size_bytes // body.part_size_bytes))


def _part_bytes(row: UploadRow, number: int) -> int:
    return min(row.part_size_bytes, row.size_bytes - (number - 1) * row.part_size_bytes)


def _part(row: UploadRow, number: int) -> int:
    if not 1 <= number <= row.part_count:
        raise bad_request(f"Upload {row.id} has the parts 1 to {row.part_count}; there is no part {number}.")
    return number


def _own(call: Call) -> UploadRow:
    row = uploads.get(call.tx, call.numeric_id("An upload"))
    if row is None:
        raise not_found(f"Upload {call.route['id']} does not exist.")
    if row.started_by != call.user.id:
        raise forbidden(f"Only the user who started upload {row.id} can go on with it.")
    return row


def _status(call: Call, row: UploadRow) -> synapse.UploadStatus:
    done = row.file_handle_id is not None
    arrived = set(range(1, row.part_count + 1)) if done else uploads.parts(call.tx, row.id)
    return synapse.UploadStatus(
        upload_id=str(row.id),
        started_by=str(row.started_by),
        started_on=wire.time(row.started_on),
        updated_on=wire.time(row.updated_on),
        state="COMPLETED" if done else "UPLOADING",
        parts_state="".join("1" if number in arrived else "0" for number in range(1, row.part_count + 1)),
        result_file_handle_id=str(row.file_handle_id) if done else UNSET,
    )


def _exactly(chunks: Iterable[bytes], expected: int, *, number: int) -> Iterator[bytes]:
    """Yield `chunks`; refuse when together they are longer or shorter than they should be."""
    received = 0
    for chunk in chunks:
        received += len(chunk)
        if received > expected:
            break
        yield chunk
    if received != expected:
        what = "more" if received > expected else "less"
        raise bad_request(f"Part {number} has {what} than the {expected} bytes that were announced.")


def _with_md5(expected: str, chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield `chunks`; refuse at their end when together they have another md5."""
    md5 = hashlib.md5(usedforsecurity=False)
    for chunk in chunks:
        md5.update(chunk)
        yield chunk
    if md5.hexdigest() != expected:
        raise bad_request(f"The file has the md5 {md5.hexdigest()}; {expected} was expected.")
