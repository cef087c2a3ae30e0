"""Why a store does not keep the bytes of a version, as far as its records tell."""

from __future__ import annotations

from snakeprov.model.answers import BY_PRODUCTS, Story
from snakeprov.model.records import recorded_path


def why_not_kept(story: Story, *, keep_bytes_max: int | None = None, upload: bool = True) -> str:
    """Return why the bytes of a story's version are not kept, as the end of a sentence.

    Args:
        story: Of the version.
        keep_bytes_max: The limit in force here, which may not be that of the run.
        upload: Whether bytes are kept here at all.
    """
    version, job = story.version, story.record
    path, size_bytes = story.entity.recorded_path.rstrip("/"), version.size_bytes
    if version.bytes_pruned:
        return "'snakeprov prune' deleted them"
    outputs = job.outputs if job is not None else ()
    fact = next((one for one in outputs if recorded_path(one) == path), None)
    if job is not None and fact is not None and "temp" in fact.flags:
        return f"rule {job.rule} marks it as temp()"
    if any(file.role in BY_PRODUCTS and file.path == path for file in story.files):
        return "a log is kept only if it is small and no secret is found in it"
    if not version.is_proved:
        return "they were never read"
    if fact is not None and fact.storage_query is not None:
        return f"Snakemake removed the local copy of {fact.storage_query}"
    if not upload:
        return "bytes are not kept here (upload = false)"
    if keep_bytes_max is not None and size_bytes is not None and size_bytes > keep_bytes_max:
        return f"it has {size_bytes} bytes, more than keep_bytes_max ({keep_bytes_max})"
    return "only its digest was recorded"
