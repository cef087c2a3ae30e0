"""The vocabulary of an RO-Crate: its profiles, and how ids, times and errors are written.

Source: RO-Crate 1.1; Process, Workflow and Provenance Run Crate 0.5; Workflow RO-Crate 1.0.
"""

from __future__ import annotations

import hashlib
import re
from datetime import datetime
from typing import Any, Final, Literal

from snakeprov.export.material import Activity
from snakeprov.model import times

Profile = Literal["process", "workflow", "provenance"]

VERSION: Final = "1.1"
"""Of RO-Crate; the profiles that are released are written against it."""

CONTEXT: Final = "https://w3id.org/ro/terms/workflow-run/context"

PROFILES: Final = {
    "process": ("https://w3id.org/ro/wfrun/process/0.5", "Process Run Crate", "0.5"),
    "workflow": ("https://w3id.org/ro/wfrun/workflow/0.5", "Workflow Run Crate", "0.5"),
    "provenance": ("https://w3id.org/ro/wfrun/provenance/0.5", "Provenance Run Crate", "0.5"),
}
WORKFLOW_CRATE: Final = ("https://w3id.org/workflowhub/workflow-ro-crate/1.0", "Workflow RO-Crate", "1.0")

NO_LICENSE: Final = "No license is recorded."
"""The profiles of workflows demand a license; this says that none is known."""

ERROR_CHARS_MAX: Final = 10_000
"""More of an error is cut off."""

COMPLETED: Final = "http://schema.org/CompletedActionStatus"
FAILED_STATUS: Final = "http://schema.org/FailedActionStatus"
RUN_STATUSES: Final = {"success": COMPLETED, "failed": FAILED_STATUS, "interrupted": FAILED_STATUS}
"""The action status for each status of a run; other statuses have none."""

_UNSAFE: Final = re.compile(r"[^A-Za-z0-9_.-]+")
WEB: Final = re.compile(r"(https?|ftps?)://")


def error(activity: Activity) -> str:
    """Return what went wrong with a job: at least how it ended."""
    said = activity.job.error
    return said[:ERROR_CHARS_MAX] if said else f"{activity.description}: {activity.status}"


def value_type(value: Any) -> str:
    """Return schema.org's name for the type of a value."""
    match value:
        case bool():
            return "Boolean"
        case int():
            return "Integer"
        case float():
            return "Float"
        case _:
            return "Text"


def moment(when: datetime | None) -> str | None:
    """Return a time as the profiles want it: milliseconds, and the offset in digits."""
    return None if when is None else times.to_wire(when).replace("Z", "+00:00")


def safe(text: str) -> str:
    """Return text that can be part of an id; a hash keeps changed texts distinct.

    >>> safe("sort_reads"), safe("a b")
    ('sort_reads', 'a-b-c8687a08')
    """
    safe = _UNSAFE.sub("-", text)[:80]
    return safe if safe == text else f"{safe}-{short_hash(text)}"


def short_hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def unpack(properties: dict[str, Any]) -> None:
    """Take single values out of their lists, as RO-Crate recommends."""
    for name, value in properties.items():
        if isinstance(value, list) and len(value) == 1:
            properties[name] = value[0]
