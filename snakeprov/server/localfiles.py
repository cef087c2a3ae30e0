"""/snakeprov/v1/localFiles: file handles for files of the server's own machine, without sending their bytes.

Must not know: how bytes are kept, or how rows are.
"""

from __future__ import annotations

import os
import re
from functools import partial
from typing import Literal
from urllib.parse import quote

import msgspec

from snakeprov.blobs.local import Outcome
from snakeprov.db import filehandles, pruning
from snakeprov.db.tables import EXTERNAL, STORED
from snakeprov.model.answers import LocalFileResult, LocalFileResults
from snakeprov.model.paths import to_os
from snakeprov.server.call import Call
from snakeprov.server.pruning import still_there
from snakeprov.server.queries import NUMBER_MAX
from snakeprov.server.refusals import bad_request, forbidden, shown
from snakeprov.server.services import Access, Services

service = Services("The server")

FILES_MAX = 100_000
"""How many files one request can name."""

_SHA256 = re.compile(r"[0-9a-f]{64}")
_MD5 = re.compile(r"[0-9a-f]{32}")

_REASONS: dict[Outcome, Literal["changed", "missing", "unreadable", "noSpace"]] = {
    "changed": "changed",
    "missing": "missing",
    "unreadable": "unreadable",
    "full": "noSpace",
}


class LocalFile(msgspec.Struct, rename="camel"):
    """A file of this machine, and what its content was when it was digested."""

    path: str
    file_name: str
    sha256: str
    size_bytes: int
    keep: bool
    md5: str | None = None
    content_type: str | None = None


class LocalFilesBody(msgspec.Struct):
    """The files."""

    files: list[LocalFile]


@service("POST", "/snakeprov/v1/localFiles", access=Access.OWN)
def register(call: Call, body: LocalFilesBody) -> LocalFileResults:
    """File handles for files of the server's own machine, where the server allows it."""
    if not call.server.local_files:
        raise forbidden("This server takes no files by their path; upload them.")
    if len(body.files) > FILES_MAX:
        raise bad_request(f"{len(body.files)} files are named; at most {FILES_MAX} are allowed.")
    for file in body.files:
        _check(file)
    # Copying can take long; nobody else has to wait for the store meanwhile. And no handle is for bytes to come.
    wanted = [(to_os(file.path), file.sha256) for file in body.files if file.keep]
    with call.reading():
        since = pruning.state(call.tx)
    put = partial(call.server.blobs.put_files, wanted)
    first = put()
    with call.writing():
        outcomes = iter(still_there(call, since, put, first))
        results = [_handle(call, file, next(outcomes) if file.keep else None) for file in body.files]
    return LocalFileResults(results=results)


def _check(file: LocalFile) -> None:
    if not file.path.startswith("/") or "\0" in file.path:
        raise bad_request(f"{shown(file.path)} is not an absolute path.")
    if not _SHA256.fullmatch(file.sha256) or not (file.md5 is None or _MD5.fullmatch(file.md5)):
        raise bad_request(f"The digests of {shown(file.path)} must be a sha256, and perhaps an md5, in lower-case hex.")
    if not 0 <= file.size_bytes <= NUMBER_MAX:
        raise bad_request(f"{file.size_bytes} is not the size of {shown(file.path)} in bytes.")


def _handle(call: Call, file: LocalFile, outcome: Outcome | None) -> LocalFileResult:
    is_kept = outcome == "kept"
    kind = STORED if is_kept else EXTERNAL
    url = None if is_kept else "file://" + quote(os.fsencode(to_os(file.path)))
    handle = filehandles.find_same(
        call.tx,
        kind=kind,
        user=call.user.id,
        file_name=file.file_name,
        content_type=file.content_type,
        sha256=file.sha256,
        external_url=url,
    ) or filehandles.insert(
        call.tx,
        kind=kind,
        user=call.user.id,
        file_name=file.file_name,
        content_type=file.content_type,
        size_bytes=file.size_bytes,
        md5=file.md5,
        sha256=file.sha256,
        external_url=url,
    )
    reason = None if outcome is None or is_kept else _REASONS[outcome]
    return LocalFileResult(file_handle_id=str(handle.id), bytes_kept=is_kept, reason=reason)
