"""Access to the members of a recorded directory: requires DOWNLOAD on the directory.

Must not know: how bytes are kept, or how rows are.

A directory is one File, whose content is a manifest that names what is inside by digest. No entity has the contents
themselves, so a request for one names the directory with it.
"""

from __future__ import annotations

from snakeprov.db import access, filehandles
from snakeprov.db.tables import STORED
from snakeprov.model.entities import DIRECTORY_CONTENT_TYPE
from snakeprov.server.call import Call, entity_number
from snakeprov.server.entities import existing

MANIFEST_BYTES_MAX = 64 * 1024 * 1024
"""How long a manifest can be that is looked into; it has some 200 bytes for each file."""


def lets_have(call: Call, sha256: str, entity_id: str, version_number: int | None) -> bool:
    """Say whether a recorded directory has a content inside.

    Who recorded the directory must have brought the content as well: a manifest that is made up opens nothing.

    Raises:
        Refusal: 404, there is no such entity or version; 403, the user may not download it.
    """
    row = existing(call, entity_number(entity_id), number=version_number, need=access.DOWNLOAD)
    handle = None if row.file_handle_id is None else filehandles.get(call.tx, row.file_handle_id)
    if (
        handle is None
        or handle.kind != STORED
        or handle.sha256 is None
        or handle.content_type != DIRECTORY_CONTENT_TYPE
    ):
        return False
    if not access.content_is_of(call.tx, sha256, handle.created_by):
        return False
    try:
        with call.server.blobs.open(handle.sha256) as manifest:
            # Its form is canonical, and in the text of a name the quotation marks would be escaped.
            return f'"sha256":"{sha256}"'.encode() in manifest.read(MANIFEST_BYTES_MAX)
    except KeyError:
        return False
