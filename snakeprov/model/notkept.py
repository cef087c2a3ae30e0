"""Why a store has no bytes of a version, as far as its records tell.

Must not know: how the records were asked for, or what is on disk.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from snakeprov.model.records import recorded_path


def why_not_kept(story: Mapping[str, Any], *, keep_bytes_max: int | None = None, upload: bool = True) -> str:
    """Return why the bytes of a story's version are not kept, as the end of a sentence.

    Args:
        story: An answer of the story resource.
        keep_bytes_max: The limit in force here, which may not be that of the run.
        upload: Whether bytes are kept here at all.
    """
    version = story["version"]
    path, size_bytes = _path(story["entity"]), version.get("sizeBytes")
    if version.get("bytesPruned"):
        return "'snakeprov prune' deleted them"
    job = (story.get("job") or {}).get("job") or {}
    outputs: Sequence[Mapping[str, Any]] = job.get("outputs") or ()
    fact = next((one for one in outputs if recorded_path(one) == path), {})
    if "temp" in (fact.get("flags") or ()):
        return f"rule {job.get('rule')} marks it as temp()"
    files = (story.get("job") or {}).get("files") or ()
    if any(one.get("role") in ("log", "benchmark") and one["path"] == path for one in files):
        return "a log is kept only if it is small and no secret is found in it"
    if version.get("sha256") is None and version.get("md5") is None:
        return "they were never read"
    if "storageQuery" in fact:
        return f"Snakemake removed the local copy of {fact['storageQuery']}"
    if not upload:
        return "bytes are not kept here (upload = false)"
    if keep_bytes_max is not None and size_bytes is not None and size_bytes > keep_bytes_max:
        return f"it has {size_bytes} bytes, more than keep_bytes_max ({keep_bytes_max})"
    return "only its digest was recorded"


def _path(entity: Mapping[str, Any]) -> str:
    return str(entity.get("path") or entity["name"]).rstrip("/")
