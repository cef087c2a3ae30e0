"""Resources whose bodies are bytes: blobs, signed downloads, the parts of an upload.

Must not know: how bytes are kept, or how rows are.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from typing import BinaryIO

import falcon

from snakeprov.db import access
from snakeprov.db import filehandles as handle_store
from snakeprov.db.tables import STORED
from snakeprov.errors import CorruptStoreError
from snakeprov.server import directories, filehandles
from snakeprov.server.call import Transfer
from snakeprov.server.queries import EntityId, Number, Query
from snakeprov.server.refusals import bad_request, forbidden, not_found, shown
from snakeprov.server.services import Access, Services

CHUNK_BYTES = 256 * 1024

service = Services("Files")

_NOT_KEPT = "The bytes of {} are not kept here."
_CONTENT_TYPE = re.compile(r"[!-~][ -~]{0,255}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


class Inside(Query, frozen=True):
    """The recorded directory that has a content inside."""

    entity_id: EntityId | None = None
    version_number: Number | None = None


class Located(Query, frozen=True):
    """Whether the answer leads to the bytes, or is where they are."""

    redirect: bool = True


@service("GET", "/snakeprov/v1/blobs/{sha256}", answer=bytes, access=Access.DOWNLOADS)
def blob(call: Transfer, query: Inside) -> None:
    """A content, by digest. Of what is inside a recorded directory, the query names the directory."""
    sha256 = call.route["sha256"]
    if not _SHA256.fullmatch(sha256):
        raise bad_request(f"{shown(sha256)} is not a sha256: 64 lower-case hex digits were expected.")
    with call.reading():
        is_readable = access.content_is_readable(call.tx, sha256, call.user.reader)
        if not is_readable and query.entity_id is not None:
            is_readable = directories.lets_have(call, sha256, query.entity_id, query.version_number)
    if not is_readable:
        raise not_found(_NOT_KEPT.format(sha256))
    _send(call, sha256)


@service("GET", filehandles.DOWNLOAD_PATH, answer=bytes, access=Access.SIGNED)
def signed(call: Transfer) -> None:
    """The bytes of a file handle, under a signed URL."""
    with call.reading():
        handle = filehandles.existing(call)
    send(call, handle.id)


@service("GET", "/file/v1/fileHandle/{id}/url", answer=str, access=Access.DOWNLOADS, others={307: "See there."})
def location(call: Transfer, query: Located) -> None:
    """Where the bytes are: a redirection, or with `redirect=false` the URL as text.

    For the creator of the file handle, and for everybody who may download an entity that has it.
    """
    with call.reading():
        handle = filehandles.existing(call)
        if not access.handle_is_readable(call.tx, handle.id, call.user.reader):
            raise forbidden(f"You may not have the bytes of file handle {handle.id}.")
        url = filehandles.url_of(call, handle)
    if query.redirect:
        call.status = 307
        call.response.location = url
    else:
        call.response.content_type = falcon.MEDIA_TEXT
        call.response.text = url


def send(call: Transfer, file_handle_id: int) -> None:
    """Send the bytes of a file handle, or the range of them that is asked for.

    Raises:
        Refusal: 404, they are not kept here.
    """
    with call.reading():
        handle = handle_store.get(call.tx, file_handle_id)
    if handle is None or handle.kind != STORED or handle.sha256 is None:
        raise not_found(f"The bytes of file handle {file_handle_id} are not kept here.")
    _send(call, handle.sha256, content_type=handle.content_type)


def _send(call: Transfer, sha256: str, *, content_type: str | None = None) -> None:
    response = call.response
    try:
        file = call.server.blobs.open(sha256)
    except KeyError:
        raise not_found(_NOT_KEPT.format(sha256)) from None
    size = call.server.blobs.size_bytes(sha256)
    # What a client once said of a file must not be able to add a header to the answer, or to break it.
    is_sound = content_type is not None and _CONTENT_TYPE.fullmatch(content_type) is not None
    response.content_type = content_type if is_sound else "application/octet-stream"
    response.set_header("Accept-Ranges", "bytes")
    # The browser gives the page no origin, so that a script in a stored page cannot act for the signed-in user.
    response.set_header("Content-Security-Policy", "sandbox")
    response.set_header("X-Content-Type-Options", "nosniff")
    try:
        start, length = _range(call.request, size)
    except falcon.HTTPError:
        file.close()
        raise
    if length < size:
        call.status = 206
        response.content_range = (start, start + length - 1, size)
        file.seek(start)
        response.set_stream(_Window(file, length), length)
    else:
        response.set_stream(_Whole(file, length, sha256), length)


def _range(request: falcon.Request, size: int) -> tuple[int, int]:
    """Return where to start and how much to send.

    Raises:
        falcon.HTTPRangeNotSatisfiable: The range begins after the end (416).
    """
    asked = request.range if request.range_unit == "bytes" else None
    if asked is None:
        return 0, size
    first, last = asked
    if first < 0:
        return max(0, size + first), min(size, -first)
    if first >= size:
        raise falcon.HTTPRangeNotSatisfiable(size)
    end = size if last < 0 else min(last + 1, size)
    return first, end - first


class _Window:
    """A bounded part of an open file, as WSGI sends it.

    Nobody can say whether a part is what it was; who asks for parts knows the digest of the whole.
    """

    def __init__(self, file: BinaryIO, length: int) -> None:
        self._file = file
        self._left = length

    def __iter__(self) -> Iterator[bytes]:
        while chunk := self.read(CHUNK_BYTES):
            yield chunk

    def read(self, size: int = -1) -> bytes:
        chunk = self._file.read(self._left if size < 0 else min(size, self._left))
        self._left -= len(chunk)
        return chunk

    def close(self) -> None:
        self._file.close()


class _Whole(_Window):
    """All of an open file; what is damaged never arrives whole, because its last piece is not sent."""

    def __init__(self, file: BinaryIO, length: int, sha256: str) -> None:
        super().__init__(file, length)
        self._expected = sha256
        self._digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        chunk = super().read(size)
        self._digest.update(chunk)
        if self._left and chunk:
            return chunk
        if self._digest.hexdigest() != self._expected:
            raise CorruptStoreError(
                f"The blob {self._expected} is damaged: its bytes have another sha256.",
                hint="'snakeprov fsck' tells everything that is damaged.",
            )
        return chunk
