"""What Synapse accepts and refuses, so that a plan for it meets its rules.

Pure: nothing is read or sent here.
Source: the behaviour of Synapse's repository services; `java.net.URL` for used URLs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from snakeprov.errors import ApiError
from snakeprov.model.records import JobRecord
from snakeprov.model.urls import is_address
from snakeprov.synapse.jobmark import mark

PREFIX: Final = "snakeprov."
"""Begins the keys of the annotations that are snakeprov's; all others are left as they are."""

ANNOTATIONS_MAX: Final = 100
"""Annotations that snakeprov sets on one entity; the rest of Synapse's limit is left to people."""

DESCRIPTION_CHARS_MAX: Final = 1000
DESCRIBED_URLS_MAX: Final = 20

_URL: Final = re.compile(r"(?:https?|ftp|file|mailto):.+|jar:[a-z]+:.*!/.*", re.IGNORECASE | re.DOTALL)
_ENTITY_ID: Final = re.compile(r"syn[0-9]{1,18}")


def is_entity_id(project: str) -> bool:
    """Return whether a project is named by its id.

    >>> is_entity_id("syn123"), is_entity_id("penguins")
    (True, False)
    """
    return _ENTITY_ID.fullmatch(project) is not None


def takes_url(url: str) -> bool:
    """Return whether Synapse takes `url` as a used URL.

    >>> takes_url("https://example.org/a b.csv"), takes_url("s3://bucket/a.csv"), takes_url("/data/image.sif")
    (True, False, False)
    """
    return _URL.fullmatch(url) is not None and is_address(url)


def describe(job: JobRecord, urls: Mapping[str, str], description: str | None = None) -> str:
    """Return the description of a job's Activity: its mark, its wildcards, and URLs that Synapse refuses.

    Args:
        job: The job.
        urls: Used items that Synapse does not accept as a used URL, each with its details.
        description: The user's description.
    """
    parts = [mark(job.id, job.run_id), *([description] if description else [])]
    if job.wildcards:
        parts.append(", ".join(f"{name}={value}" for name, value in job.wildcards.items()))
    parts += [f"used {url}{what}" for url, what in list(urls.items())[:DESCRIBED_URLS_MAX]]
    if len(urls) > DESCRIBED_URLS_MAX:
        parts.append(f"and {len(urls) - DESCRIBED_URLS_MAX} more")
    return "; ".join(parts)[:DESCRIPTION_CHARS_MAX]


def remedy(error: Exception) -> str:
    """Return what can be done about a refusal, as a sentence, or nothing."""
    if not isinstance(error, ApiError):
        return ""
    if error.status == 403:
        return "Ask the owner of the project for the right to create and update in it, or set `project` to another."
    if error.status == 404 and "trash" in error.reason.lower():
        return "Restore it from Synapse's trash can, or set `project` to another project."
    if error.status == 423:
        return "Have the lock removed in Synapse; then deliver with 'snakeprov push'."
    return _REMEDIES.get(error.status, "")


_REMEDIES: Final = {
    400: "Synapse does not take this record; rename or shorten what the reason names and run the job again, "
    "or leave it.",
    404: "Set `project` to a project that exists and that you may read; then deliver with 'snakeprov push'.",
    409: "Something else has that name in Synapse: rename or move it there; then deliver with 'snakeprov push'.",
    412: "Somebody changes the same file in Synapse; deliver once more with 'snakeprov push'.",
    413: "The request is too large for Synapse; set `upload = false` to record files without their bytes.",
}
