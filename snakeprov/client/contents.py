"""The kept bytes that describe a version: its content up to a limit, and the environment of its job."""

from __future__ import annotations

from typing import Any

import msgspec

from snakeprov.client.client import Client
from snakeprov.errors import ForbiddenError, NotFoundError
from snakeprov.model.entities import EXTERNAL_FILE_HANDLE


def beginning(client: Client, entity_id: str, version_number: int, *, size_bytes_max: int) -> bytes | None:
    """Return the bytes of a version; None if they are not kept, or the user may not download them.

    What is returned of a larger content is more than `size_bytes_max`.
    """
    try:
        entity = client.entities.get(entity_id, version_number=version_number)
        file_handle_id = getattr(entity, "data_file_handle_id", None)
        if file_handle_id is None:
            return None
        handle, url = client.files.location(file_handle_id, entity_id=entity_id)
        if url is None or handle.concrete_type == EXTERNAL_FILE_HANDLE:
            return None
        read = bytearray()
        for chunk in client.files.chunks(url):
            read += chunk
            if len(read) > size_bytes_max:
                break
        return bytes(read)
    except (NotFoundError, ForbiddenError):
        return None


def environment(client: Client, job_id: str) -> dict[str, Any] | None:
    """Return the document of what a job ran in; None if it is not kept, or the user may not download it."""
    try:
        document = msgspec.json.decode(client.jobs.environment(job_id))
    except (NotFoundError, ForbiddenError, ValueError):
        return None
    return document if isinstance(document, dict) else None
