"""Bytes on their way into a repository and out of it.

Must not know: where the repository keeps them.
Source: Synapse's file services under `/file/v1` (multipart upload with presigned URLs).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

import msgspec

from snakeprov.client.session import Session, quoted
from snakeprov.errors import RemoteError, UsageError
from snakeprov.model.digest import Digest
from snakeprov.model.entities import EXTERNAL_FILE_HANDLE, FileHandle
from snakeprov.model.paths import to_os

PART_SIZE_BYTES: Final = 8 * 1024 * 1024
PARTS_MAX: Final = 10_000
LOCAL_FILES_MAX: Final = 1000
"""How many files are named in one request to a repository on this machine."""

_UPLOAD: Final = "org.sagebionetworks.repo.model.file.MultipartUploadRequest"


@dataclass(frozen=True, slots=True)
class Content:
    """A piece of content on this machine that a repository is to know.

    Attributes:
        path: Absolute path (text form of `snakeprov.model.paths`) of the bytes.
        file_name: What to call it.
        digest: Of the bytes.
        keep: Whether to keep the bytes, or to record only what and where they are.
        content_type: MIME type.
    """

    path: str
    file_name: str
    digest: Digest
    keep: bool
    content_type: str = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of a `Content`.

    Attributes:
        file_handle_id: Id of its file handle.
        bytes_kept: Whether the repository has the bytes.
        reason: Why not, when they should have been kept: changed, missing, unreadable, noSpace.
    """

    file_handle_id: str
    bytes_kept: bool
    reason: str | None = None


class Files:
    """File handles and their bytes."""

    def __init__(self, session: Session, *, is_local: Callable[[], bool]) -> None:
        """Prepare; `is_local` tells whether the repository can read this machine's files itself."""
        self._session = session
        self._is_local = is_local

    def store(self, contents: Sequence[Content]) -> list[Stored]:
        """Make each of `contents` known to the repository; return what became of each, in order.

        A file that is missing or changed is recorded without bytes.

        Raises:
            RemoteError: The repository failed; storing the same again does no harm.
        """
        if not self._is_local():
            return [self._store_remotely(one) for one in contents]
        stored: list[Stored] = []
        for start in range(0, len(contents), LOCAL_FILES_MAX):
            stored += self._store_locally(contents[start : start + LOCAL_FILES_MAX])
        return stored

    def upload(self, content: bytes, *, file_name: str, content_type: str = "application/octet-stream") -> str:
        """Store bytes that are in memory; return the id of their file handle."""
        import io

        digest = Digest(
            sha256=hashlib.sha256(content).hexdigest(),
            md5=hashlib.md5(content, usedforsecurity=False).hexdigest(),
            size_bytes=len(content),
        )
        return self._upload(io.BytesIO(content), digest, file_name=file_name, content_type=content_type)

    def handle(self, file_handle_id: str) -> FileHandle:
        """Return a file handle.

        Raises:
            NotFoundError: There is none of that id.
        """
        answer = self._session.get(f"/file/v1/fileHandle/{quoted(file_handle_id)}")
        return msgspec.convert(answer, FileHandle)

    def download(self, file_handle_id: str) -> bytes:
        """Return the bytes of a file handle.

        Raises:
            NotFoundError: There is no such file handle, or its bytes were not kept.
        """
        url = self._session.send("GET", f"/file/v1/fileHandle/{quoted(file_handle_id)}/url", query={"redirect": False})
        return self._session.send("GET", url.text.strip()).content

    def _store_locally(self, contents: Sequence[Content]) -> list[Stored]:
        files = [
            {
                "path": one.path,
                "fileName": one.file_name,
                "contentType": one.content_type,
                "sha256": one.digest.sha256,
                "md5": one.digest.md5,
                "sizeBytes": one.digest.size_bytes,
                "keep": one.keep,
            }
            for one in contents
        ]
        answer = self._session.post("/snakeprov/v1/localFiles", {"files": files}, repeatable=True)
        return [
            Stored(result["fileHandleId"], result["bytesKept"], result.get("reason")) for result in answer["results"]
        ]

    def _store_remotely(self, content: Content) -> Stored:
        if not content.keep:
            return Stored(self._external(content), bytes_kept=False)
        try:
            with Path(to_os(content.path)).open("rb") as stream:
                file_handle_id = self._upload(
                    stream, content.digest, file_name=content.file_name, content_type=content.content_type
                )
        except FileNotFoundError:
            return Stored(self._external(content), bytes_kept=False, reason="missing")
        except OSError:
            return Stored(self._external(content), bytes_kept=False, reason="unreadable")
        except _ChangedError:
            return Stored(self._external(content), bytes_kept=False, reason="changed")
        return Stored(file_handle_id, bytes_kept=True)

    def _external(self, content: Content) -> str:
        body = FileHandle(
            concrete_type=EXTERNAL_FILE_HANDLE,
            file_name=content.file_name,
            content_type=content.content_type,
            content_size=content.digest.size_bytes,
            content_md5=content.digest.md5,
            content_sha256=content.digest.sha256,
            external_url=Path(to_os(content.path)).as_uri(),
        )
        return str(self._session.post("/file/v1/externalFileHandle", body)["id"])

    def _upload(self, stream: BinaryIO, digest: Digest, *, file_name: str, content_type: str) -> str:
        part_size_bytes = max(PART_SIZE_BYTES, -(-digest.size_bytes // PARTS_MAX))
        request = {
            "concreteType": _UPLOAD,
            "contentType": content_type,
            "contentMD5Hex": digest.md5,
            "fileName": file_name,
            "fileSizeBytes": digest.size_bytes,
            "generatePreview": False,
            "partSizeBytes": part_size_bytes,
        }
        path = "/file/v1/file/multipart"
        status = self._session.post(path, request, query={"forceRestart": False}, repeatable=True)
        if status["state"] != "COMPLETED":
            upload = f"{path}/{status['uploadId']}"
            for number, part in _missing_parts(stream, status["partsState"], part_size_bytes):
                self._put_part(upload, status["uploadId"], number, part)
            status = self._session.put(f"{upload}/complete")
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


def _missing_parts(stream: BinaryIO, parts_state: str, part_size_bytes: int) -> Iterator[tuple[int, bytes]]:
    """Yield number (from 1) and bytes of each part that the repository lacks ("0" in `parts_state`)."""
    for position, state in enumerate(parts_state):
        if state == "0":
            stream.seek(position * part_size_bytes)
            yield position + 1, stream.read(part_size_bytes)
