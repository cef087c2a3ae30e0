"""The annotations of a version that a job made: what Synapse's users may want to search it by.

Must not know: plans or requests.
"""

from __future__ import annotations

import re
from typing import Any, Final

from snakeprov.model.records import JobRecord, RunRecord

ANNOTATION_CHARS_MAX: Final = 500
ANNOTATION_KEY_CHARS_MAX: Final = 256
ANNOTATIONS_MAX: Final = 90

_KEY: Final = re.compile(r"[^A-Za-z0-9_.]")


def annotations_of(job: JobRecord, run: RunRecord) -> dict[str, Any]:
    """Return the annotations that a job gives to what it made, in `annotations2` form."""
    values: dict[str, Any] = {"rule": job.rule, "run": run.id}
    if run.git is not None and run.git.commit is not None:
        values["commit"] = run.git.commit + ("+dirty" if run.git.dirty else "")
    values |= {f"wildcard.{name}": value for name, value in job.wildcards.items()}
    values |= {f"param.{name}": value for name, value in job.params.items()}
    named = ((_KEY.sub("_", name), annotation(value)) for name, value in values.items())
    known = [(f"snakeprov.{name}"[:ANNOTATION_KEY_CHARS_MAX], value) for name, value in named if value is not None]
    return dict(known[:ANNOTATIONS_MAX])


def annotation(value: Any) -> dict[str, Any] | None:
    """Return `value` in `annotations2` form, or None where there is no such form."""
    match value:
        case bool():
            return {"type": "BOOLEAN", "value": [str(value).lower()]}
        case int() if -(2**63) <= value < 2**63:
            return {"type": "LONG", "value": [str(value)]}
        case float():
            return {"type": "DOUBLE", "value": [repr(value)]}
        case str() if value:
            return {"type": "STRING", "value": [value[:ANNOTATION_CHARS_MAX]]}
        case _:
            return None
