"""Automatic provenance for Snakemake: every output is a version that knows how it was made.

Importing this package loads nothing outside the standard library and almost nothing of it: it is imported
in every process of a tracked workflow. The public names are resolved when they are first used.
"""

from __future__ import annotations

TYPE_CHECKING = False  # as typing's, which would cost more to import than all of this
if TYPE_CHECKING:
    from snakeprov.apps.connect import connect as connect
    from snakeprov.client.drafts import File as File
    from snakeprov.client.drafts import Folder as Folder
    from snakeprov.client.drafts import Project as Project
    from snakeprov.model.activity import Activity as Activity
    from snakeprov.plugin.track import track as track

__version__ = "0.1.0"

__all__ = ["Activity", "File", "Folder", "Project", "__version__", "connect", "track"]

_HOMES = {
    "Activity": "snakeprov.model.activity",
    "File": "snakeprov.client.drafts",
    "Folder": "snakeprov.client.drafts",
    "Project": "snakeprov.client.drafts",
    "connect": "snakeprov.apps.connect",
    "track": "snakeprov.plugin.track",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'snakeprov' has no attribute {name!r}")
    import importlib

    value: object = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value
