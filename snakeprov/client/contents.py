"""What describes versions and jobs beyond one request: contents up to a limit, environments, details of many."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from snakeprov.client.client import Client
from snakeprov.client.resources import IDS_MAX
from snakeprov.errors import ForbiddenError, NotFoundError
from snakeprov.model.answers import RecordedJob, Version
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


def version(client: Client, entity_id: str, version_number: int) -> Version | None:
    """Return the details of one version; None if there is none that the user may see."""
    return next(iter(client.provenance.versions([(entity_id, version_number)])), None)


def known(
    client: Client, versions: Sequence[tuple[str, int]], jobs: Sequence[str]
) -> tuple[list[Version], list[RecordedJob]]:
    """Return the details of versions and jobs, however many; those that the user may not see are left out."""
    found_versions: list[Version] = []
    found_jobs: list[RecordedJob] = []
    for start in range(0, max(len(versions), len(jobs)), IDS_MAX):
        some = slice(start, start + IDS_MAX)
        found_versions += client.provenance.versions(versions[some]) if versions[some] else []
        found_jobs += client.jobs.with_ids(jobs[some]) if jobs[some] else []
    return found_versions, found_jobs
