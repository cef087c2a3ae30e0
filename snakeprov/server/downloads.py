"""Resources whose bodies are bytes: blobs, signed downloads, the parts of an upload.

Must not know: how bytes are kept, or how rows are.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from typing import BinaryIO

import falcon

from snakeprov.db import access
from snakeprov.db import filehandles as handle_store
from snakeprov.db.tables import STORED
from snakeprov.errors import CorruptStoreError
from snakeprov.server import directories, filehandles, presigned, uploads
from snakeprov.server.call import Call, shown
from snakeprov.server.refusals import bad_request, forbidden, not_found

CHUNK_BYTES = 256 * 1024

_NOT_KEPT = "The bytes of {} are not kept here."
_CONTENT_TYPE = re.compile(r"[!-~][ -~]{0,255}")
_SHA256 = re.compile(r"[0-9a-f]{64}")

CallFor = Callable[[falcon.Request, dict[str, str]], Call]
"""Makes the Call for a request; the app provides it."""


class Blob:
    """GET /snakeprov/v1/blobs/{sha256}[?entityId=&versionNumber=]: the query names a directory that has it inside."""

    def __init__(self, call_for: CallFor) -> None:
        self._call_for = call_for

    def on_get(self, request: falcon.Request, response: falcon.Response, *, sha256: str) -> None:
        """Send the bytes, or the range of them that is asked for."""
        call = self._call_for(request, {})
        if not _SHA256.fullmatch(sha256):
            raise bad_request(f"{shown(sha256)} is not a sha256: 64 lower-case hex digits were expected.")
        with call.reading():
            is_readable = access.content_is_readable(call.tx, sha256, call.user.reader) or directories.lets_have(
                call, sha256
            )
        if not is_readable:
            raise not_found(_NOT_KEPT.format(sha256))
        _send(call, request, response, sha256)


class Named:
    """GET /snakeprov/v1/runs/{id}/patch and /jobs/{id}/environment: bytes that a record names.

    For everybody who may see the run and download from its project.
    """

    def __init__(self, call_for: CallFor, handle_of: Callable[[Call], int]) -> None:
        self._call_for = call_for
        self._handle_of = handle_of

    def on_get(self, request: falcon.Request, response: falcon.Response, **route: str) -> None:
        """Send the bytes."""
        call = self._call_for(request, route)
        with call.reading():
            id_ = self._handle_of(call)
            handle = handle_store.get(call.tx, id_)
        if handle is None or handle.kind != STORED or handle.sha256 is None:
            raise not_found(f"The bytes of file handle {id_} are not kept here.")
        _send(call, request, response, handle.sha256, content_type=handle.content_type)


class Download:
    """GET of the signed URL of a file handle."""

    def __init__(self, call_for: CallFor) -> None:
        self._call_for = call_for

    def on_get(self, request: falcon.Request, response: falcon.Response, **route: str) -> None:
        """Send the bytes, or the range of them that is asked for."""
        call = self._call_for(request, route)
        presigned.check(request.path, call.query, secret=call.service.url_secret)
        with call.reading():
            handle = filehandles.existing(call)
        if handle.kind != STORED or handle.sha256 is None:
            raise not_found(f"The bytes of file handle {handle.id} are not kept here.")
        _send(call, request, response, handle.sha256, content_type=handle.content_type)

    on_head = on_get


class Part:
    """PUT of the signed URL of a part of an upload."""

    def __init__(self, call_for: CallFor) -> None:
        self._call_for = call_for

    def on_put(self, request: falcon.Request, response: falcon.Response, **route: str) -> None:
        """Take the bytes."""
        call = self._call_for(request, route)
        presigned.check(request.path, call.query, secret=call.service.url_secret)
        chunks = iter(lambda: request.bounded_stream.read(CHUNK_BYTES), b"")
        # The signature vouches for both being numbers.
        uploads.receive(call, chunks, id_=int(route["id"]), number=int(route["part"]))


class Location:
    """GET /file/v1/fileHandle/{id}/url: where to download the bytes.

    For the creator of the file handle, and for everybody who may download an entity that has it.
    """

    def __init__(self, call_for: CallFor) -> None:
        self._call_for = call_for

    def on_get(self, request: falcon.Request, response: falcon.Response, **route: str) -> None:
        """Redirect to the URL, or tell it as text when `redirect=false`."""
        call = self._call_for(request, route)
        with call.reading():
            handle = filehandles.existing(call)
            if not access.handle_is_readable(call.tx, handle.id, call.user.reader):
                raise forbidden(f"You may not have the bytes of file handle {handle.id}.")
            url = filehandles.url_of(call, handle)
        if call.query.get("redirect", "true").lower() == "false":
            response.content_type = falcon.MEDIA_TEXT
            response.text = url
            return
        response.status = falcon.HTTP_307
        response.location = url


def _send(
    call: Call,
    request: falcon.Request,
    response: falcon.Response,
    sha256: str,
    *,
    content_type: str | None = None,
) -> None:
    try:
        file = call.service.blobs.open(sha256)
    except KeyError:
        raise not_found(_NOT_KEPT.format(sha256)) from None
    size = call.service.blobs.size_bytes(sha256)
    # What a client once said of a file must not be able to add a header to the answer, or to break it.
    is_sound = content_type is not None and _CONTENT_TYPE.fullmatch(content_type) is not None
    response.content_type = content_type if is_sound else "application/octet-stream"
    response.set_header("Accept-Ranges", "bytes")
    # The browser gives the page no origin, so that a script in a stored page cannot act for the signed-in user.
    response.set_header("Content-Security-Policy", "sandbox")
    response.set_header("X-Content-Type-Options", "nosniff")
    try:
        start, length = _range(request, size)
    except falcon.HTTPError:
        file.close()
        raise
    if length < size:
        response.status = falcon.HTTP_206
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
