"""Keeps what the user asked for on Snakemake's Workflow, beside the run that comes of it.

Loads nothing: it is imported wherever recording is switched on.
"""

from __future__ import annotations

from typing import Any, NamedTuple

CAPTURE = "_snakeprov_capture"
"""Attribute of a Workflow, while it is executed, that holds its Capture."""

_REQUEST = "_snakeprov_request"


class Request(NamedTuple):
    """Settings, and where they were given."""

    settings: dict[str, object]
    origin: str


def remember(workflow: Any, request: Request) -> None:
    """Keep `request` for `workflow`; what was asked before holds where it differs."""
    earlier = recall(workflow)
    if earlier is not None:
        request = Request({**request.settings, **earlier.settings}, earlier.origin)
    workflow.__dict__[_REQUEST] = request


def recall(workflow: Any) -> Request | None:
    """Return what was asked for `workflow`."""
    request: Request | None = workflow.__dict__.get(_REQUEST)
    return request
