"""The versions of Snakemake and of its plugins.

Must not know: workflows, jobs.
"""

from __future__ import annotations

import contextlib
import re
import sys
from importlib import metadata

_PLUGIN = re.compile(r"snakemake_(executor|storage|logger|report|scheduler|software_deployment)_plugin_[A-Za-z0-9_]+")


def snakemake_version() -> str:
    """Return the version of the Snakemake that is running."""
    from snakemake.common import __version__ as version  # type: ignore[import-untyped]

    return str(version)


def plugin_versions() -> dict[str, str]:
    """Return the versions of Snakemake's plugins that are loaded, by distribution."""
    versions: dict[str, str] = {}
    for module in sorted(sys.modules):
        if _PLUGIN.fullmatch(module):
            name = module.replace("_", "-")
            with contextlib.suppress(metadata.PackageNotFoundError):
                versions[name] = metadata.version(name)
    return versions
