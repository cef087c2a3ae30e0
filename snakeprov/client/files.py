"""Upload contents to a store and download them.

Source: Synapse's file services under `/file/v1` (multipart upload with presigned URLs).
"""

from __future__ import annotations

import hashlib
import io
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

import msgspec

from snakeprov.client.session import Session, quoted
from snakeprov.client.transfer import Transfer
from snakeprov.disk.files import Hasher, digest_bytes
from snakeprov.errors import BadRequestError, ForbiddenError, NotFoundError, RemoteError, UsageError
from snakeprov.model.answers import LocalFileResults
from snakeprov.model.digest import Digest
from snakeprov.model.entities import EXTERNAL_FILE_HANDLE, FileHandle
from snakeprov.model.media_types import guessed
from snakeprov.model.paths import to_os

PART_SIZE_BYTES: Final = 8 * 1024 * 1024
PARTS_MAX: Final = 10_000
CHUNK_BYTES: Final = 1024 * 1024
UPLOADS_AT_ONCE: Final = 4
"""How many files are uploaded side by side."""

LOCAL_FILES_MAX: Final = 1000
"""How many files are named in one request to a store on this machine."""

_DESTINATIONS: Final = frozenset({"S3UploadDestination", "ExternalS3UploadDestination"})
"""Where bytes can be sent in parts with presigned URLs."""

_UPLOAD: Final = "org.sagebionetworks.repo.model.file.MultipartUploadRequest"


@dataclass(frozen=True, slots=True)
class Content:
    """A content on this machine that is to be stored.

    Attributes:
        path: Absolute path (text form of `snakeprov.model.paths`) of the bytes.
        file_name: What to call it.
        digest: Of the bytes.
        keep: Whether to keep the bytes, or to record only what and where they are.
        content_type: MIME type; None: the one that goes with the name.
        data: The bytes themselves, in case that there are others at `path` by now.
        url: Where the bytes are for good; None: at `path`.
    """

    path: str
    file_name: str
    digest: Digest
    keep: bool
    content_type: str | None = None
    data: bytes | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Stored:
    """The result of storing a `Content`.

    Attributes:
        file_handle_id: Id of its file handle.
        bytes_kept: Whether the store has the bytes.
        reason: Why not, when they should have been kept: changed, missing, unreadable, noSpace.
    """

    file_handle_id: str
    bytes_kept: bool
    reason: str | None = None


class Files:
    """File handles and their bytes.

    Attributes:
        transfer: How far the uploads of `store` are; other threads may look at it.
    """

    def __init__(
        self, session: Session, *, is_local: Callable[[], bool], takes_empty: Callable[[], bool] = lambda: True
    ) -> None:
        """Prepare.

        Args:
            session: The connection.
            is_local: Tells whether the store can read this machine's files itself.
            takes_empty: Tells whether it takes uploads of nothing.
        """
        self._session = session
        self._is_local = is_local
        self._takes_empty = takes_empty
        self._storage_location_id: int | None = None
        self.transfer = Transfer()

    def upload_to(self, entity_id: str) -> None:
        """Upload from now on to the storage location that the owner of a project or folder chose.

        Raises:
            NotFoundError: There is no such entity.
            UsageError: The owner wants them somewhere that snakeprov cannot upload to.
        """
        answer = self._session.get(f"/file/v1/entity/{quoted(entity_id)}/uploadDestination")
        kind = str(answer.get("concreteType", "")).rsplit(".", 1)[-1]
        if kind not in _DESTINATIONS:
            raise UsageError(
                f"Files of {entity_id} have to be uploaded to {answer.get('url') or kind}, which snakeprov cannot do.",
                hint="Set `upload = false` to record files without their bytes, or use another project.",
            )
        self._storage_location_id = answer.get("storageLocationId")

    def store(self, contents: Sequence[Content]) -> list[Stored]:
        """Store each of `contents`; return the results in the same order.

        A file that is missing or changed is recorded without bytes. Uploads run in parallel. An interrupted upload
        resumes where it stopped when the same file is stored again.

        Raises:
            RemoteError: The store failed; it is safe to store the same again.
        """
        here = [one for one in contents if not self._is_elsewhere(one)]
        if not self._is_local():
            found = self._store_side_by_side(here)
        else:
            found = []
            for start in range(0, len(here), LOCAL_FILES_MAX):
                found += self._store_locally(here[start : start + LOCAL_FILES_MAX])
        stored = dict(zip(map(id, here), found, strict=True))
        return [self._stored(one, stored.get(id(one))) for one in contents]

    def _is_elsewhere(self, content: Content) -> bool:
        """Return whether only the URL of a content says where its bytes are."""
        return content.url is not None and not (content.keep and Path(to_os(content.path)).is_file())

    def _stored(self, content: Content, stored: Stored | None) -> Stored:
        """Return the result for a content; upload its bytes from memory if the server could not read the file."""
        is_missing = stored is None or stored.reason in ("missing", "changed")
        if content.keep and content.data is not None and is_missing:
            handle = self.upload(content.data, file_name=content.file_name, content_type=content.content_type)
            return Stored(handle, bytes_kept=True)
        if stored is None or (content.url is not None and not stored.bytes_kept):
            return Stored(self._external(content), bytes_kept=False)
        return stored

    def upload(self, content: bytes, *, file_name: str, content_type: str | None = None) -> str:
        """Store bytes that are in memory; return the id of their file handle."""
        digest = digest_bytes(content, md5=True)
        return self._upload(io.BytesIO(content), digest, file_name=file_name, content_type=content_type)

    def handle(self, file_handle_id: str) -> FileHandle:
        """Return a file handle.

        Raises:
            NotFoundError: There is none of that id.
        """
        answer = self._session.get(f"/file/v1/fileHandle/{quoted(file_handle_id)}")
        return msgspec.convert(answer, FileHandle)

    def location(self, file_handle_id: str, *, entity_id: str) -> tuple[FileHandle, str | None]:
        """Return the file handle of an entity, and a URL of its bytes, if it has one.

        Raises:
            NotFoundError: There is none of that id.
            ForbiddenError: The user may not download it.
        """
        wanted = {
            "fileHandleId": file_handle_id,
            "associateObjectId": entity_id,
            "associateObjectType": "FileEntity",
        }
        body = {"requestedFiles": [wanted], "includeFileHandles": True, "includePreSignedURLs": True}
        result = self._session.post("/file/v1/fileHandle/batch", body, repeatable=True)["requestedFiles"][0]
        if failure := result.get("failureCode"):
            kind, status = (NotFoundError, 404) if failure == "NOT_FOUND" else (ForbiddenError, 403)
            raise kind(f"The bytes of {entity_id} are not available: {failure}.", status=status, reason=failure)
        return msgspec.convert(result["fileHandle"], FileHandle), result.get("preSignedURL")

    def chunks(self, url: str) -> Iterator[bytes]:
        """Return the bytes that lie at a URL.

        Raises:
            RemoteError: They are not available.
        """
        return self._session.stream(url, chunk_bytes=CHUNK_BYTES)

    def blob(self, sha256: str, entity_id: str, version_number: int) -> Iterator[bytes]:
        """Return the bytes of a content by its digest: that of a version, or of a file in a directory version.

        Raises:
            NotFoundError: It is not kept, or the version has no such content.
            RemoteError: It is not available; damaged content is never delivered whole.
        """
        query = {"entityId": entity_id, "versionNumber": version_number}
        return self._session.stream(f"/snakeprov/v1/blobs/{quoted(sha256)}", query, chunk_bytes=CHUNK_BYTES)

    def download(self, file_handle_id: str) -> bytes:
        """Return the bytes of a file handle, all of them in memory; `client.get(ID, folder)` writes a file in pieces.

        Raises:
            NotFoundError: There is no such file handle, or its bytes were not kept.
        """
        path = f"/file/v1/fileHandle/{quoted(file_handle_id)}/url"
        url = self._session.send("GET", path, query={"redirect": False}).content.decode().strip()
        if not url.startswith(("http://", "https://", "http+")):
            raise NotFoundError(
                f"The bytes of file handle {file_handle_id} are not kept.",
                status=404,
                reason="not kept",
                hint=f"Only their digest was recorded; they were at {url}.",
            )
        return self._session.send("GET", url).content

    def _store_locally(self, contents: Sequence[Content]) -> list[Stored]:
        files = [
            {
                "path": one.path,
                "fileName": one.file_name,
                "contentType": one.content_type or guessed(one.file_name),
                "sha256": one.digest.sha256,
                "md5": one.digest.md5,
                "sizeBytes": one.digest.size_bytes,
                "keep": one.keep,
            }
            for one in contents
        ]
        answer = self._session.ask_with("/snakeprov/v1/localFiles", LocalFileResults, {"files": files})
        return [Stored(result.file_handle_id, result.bytes_kept, result.reason) for result in answer.results]

    def _store_side_by_side(self, contents: Sequence[Content]) -> list[Stored]:
        from concurrent.futures import ThreadPoolExecutor

        self.transfer.expect(sum(one.digest.size_bytes for one in contents if one.keep))
        if len(contents) < 2 or not self._session.is_over_a_socket:
            return [self._store_remotely(one) for one in contents]
        takes_empty = self._takes_empty()
        kept = threading.local()
        made: list[Session] = []

        def store(content: Content) -> Stored:
            if not hasattr(kept, "files"):
                session = self._session.another()
                made.append(session)
                kept.files = Files(session, is_local=lambda: False, takes_empty=lambda: takes_empty)
                kept.files._storage_location_id = self._storage_location_id
                kept.files.transfer = self.transfer
            files: Files = kept.files
            return files._store_remotely(content)

        pool = ThreadPoolExecutor(UPLOADS_AT_ONCE, thread_name_prefix="snakeprov-upload")
        try:
            return list(pool.map(store, contents))
        finally:
            pool.shutdown(cancel_futures=True)
            for session in made:
                session.close()

    def _store_remotely(self, content: Content) -> Stored:
        if not content.keep:
            return Stored(self._external(content), bytes_kept=False)
        left_bytes = content.digest.size_bytes

        def advance(size_bytes: int) -> None:
            nonlocal left_bytes
            left_bytes -= size_bytes
            self.transfer.advance(size_bytes)

        try:
            if content.digest.size_bytes == 0 and not self._takes_empty():
                return Stored(self._external(content), bytes_kept=False)
            with _opened(content) as stream:
                file_handle_id = self._upload_unchanged(stream, content, advance)
        except FileNotFoundError:
            return Stored(self._external(content), bytes_kept=False, reason="missing")
        except OSError:
            return Stored(self._external(content), bytes_kept=False, reason="unreadable")
        except _ChangedError:
            return Stored(self._external(content), bytes_kept=False, reason="changed")
        finally:
            self.transfer.advance(left_bytes)
        return Stored(file_handle_id, bytes_kept=True)

    def _upload_unchanged(self, stream: BinaryIO, content: Content, advance: Callable[[int], None]) -> str:
        """Upload a content. Raises _ChangedError where the store refuses it since it is not what it was."""
        if stream.seek(0, io.SEEK_END) != content.digest.size_bytes:
            raise _ChangedError("its size changed")
        digest = content.digest if content.digest.md5 is not None else _digest(stream)
        if digest != content.digest:
            raise _ChangedError("its content changed")
        try:
            return self._upload(
                stream,
                digest,
                file_name=content.file_name,
                content_type=content.content_type,
                advance=advance,
            )
        except BadRequestError:
            if _digest(stream) != content.digest:
                raise _ChangedError("its content changed") from None
            raise

    def _external(self, content: Content) -> str:
        body = FileHandle(
            concrete_type=EXTERNAL_FILE_HANDLE,
            file_name=content.file_name,
            content_type=content.content_type or guessed(content.file_name),
            content_size=content.digest.size_bytes,
            content_md5=content.digest.md5,
            content_sha256=content.digest.sha256,
            external_url=content.url or Path(to_os(content.path)).as_uri(),
        )
        return str(self._session.post("/file/v1/externalFileHandle", body)["id"])

    def _upload(
        self,
        stream: BinaryIO,
        digest: Digest,
        *,
        file_name: str,
        content_type: str | None,
        advance: Callable[[int], None] = lambda size_bytes: None,
    ) -> str:
        part_size_bytes = max(PART_SIZE_BYTES, -(-digest.size_bytes // PARTS_MAX))
        request = {
            "concreteType": _UPLOAD,
            "contentType": content_type or guessed(file_name),
            "contentMD5Hex": digest.md5,
            "fileName": file_name,
            "fileSizeBytes": digest.size_bytes,
            "generatePreview": False,
            "partSizeBytes": part_size_bytes,
        }
        if self._storage_location_id is not None:
            request["storageLocationId"] = self._storage_location_id
        path = "/file/v1/file/multipart"
        status = self._session.post(path, request, query={"forceRestart": False}, repeatable=True)
        if status["state"] != "COMPLETED":
            upload = f"{path}/{status['uploadId']}"
            try:
                for number, part in _missing_parts(stream, status["partsState"], part_size_bytes):
                    self._put_part(upload, status["uploadId"], number, part)
                    advance(len(part))
                status = self._session.put(f"{upload}/complete")
            except (_ChangedError, BadRequestError, NotFoundError):
                # Clients that send the same content at the same time share one upload; the first one completes it.
                status = self._session.post(path, request, query={"forceRestart": False}, repeatable=True)
                if status["state"] != "COMPLETED":
                    raise
        if "resultFileHandleId" not in status:
            raise RemoteError(f"The upload of {file_name!r} was not completed; its state is {status.get('state')}.")
        return str(status["resultFileHandleId"])

    def _put_part(self, upload: str, upload_id: str, number: int, part: bytes) -> None:
        body = {"uploadId": upload_id, "partNumbers": [number]}
        answer = self._session.post(f"{upload}/presigned/url/batch", body, repeatable=True)
        presigned: dict[str, Any] = answer["partPresignedUrls"][0]
        self._session.send(
            "PUT",
            presigned["uploadPresignedUrl"],
            content=part,
            headers={"Content-Type": "application/octet-stream", **presigned.get("signedHeaders", {})},
        )
        md5 = hashlib.md5(part, usedforsecurity=False).hexdigest()
        added = self._session.put(f"{upload}/add/{number}", query={"partMD5Hex": md5})
        if added["addPartState"] != "ADD_SUCCESS":
            raise _ChangedError(added.get("errorMessage", ""))


class _ChangedError(UsageError):
    """The bytes that were sent are not those that were announced."""


def _opened(content: Content) -> BinaryIO:
    return io.BytesIO(content.data) if content.data is not None else Path(to_os(content.path)).open("rb")


def _digest(stream: BinaryIO) -> Digest:
    stream.seek(0)
    hasher = Hasher(md5=True)
    while chunk := stream.read(CHUNK_BYTES):
        hasher.update(chunk)
    return hasher.digest()


def _missing_parts(stream: BinaryIO, parts_state: str, part_size_bytes: int) -> Iterator[tuple[int, bytes]]:
    """Yield number (from 1) and bytes of each part that the store lacks ("0" in `parts_state`)."""
    for position, state in enumerate(parts_state):
        if state == "0":
            stream.seek(position * part_size_bytes)
            yield position + 1, stream.read(part_size_bytes)
