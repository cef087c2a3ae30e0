"""The environment of a job as one JSON document, kept once for all jobs that share it.

Must not know: how the facts were captured, or how the document is sent.

The document is canonical (sorted keys), so equal environments have equal bytes and one digest. Unknown is left out.
"""

from __future__ import annotations

import os
from typing import Any, Final

import msgspec

from snakeprov.capture.environment import Package, conda_packages, named_prefix, reference_digest
from snakeprov.capture.redact import strip_credentials
from snakeprov.model.paths import to_os
from snakeprov.model.records import JobRecord, RunRecord
from snakeprov.recorder.digesting import Observations

CONTENT_TYPE: Final = "application/json"

PREFIXES_REMEMBERED_MAX: Final = 100
"""Of so many environments it is remembered what they hold."""


class Environments:
    """Describes the environments of jobs; each conda prefix is read once for each state it is in. Not thread-safe."""

    def __init__(self) -> None:
        self._packages: dict[tuple[str, int], list[Package] | None] = {}

    def describe(self, job: JobRecord, observations: Observations, run: RunRecord) -> bytes:
        """Return the document of the environment that `job` of `run` was executed in. Never raises."""
        software = {
            "python": run.python_version,
            "snakemake": run.snakemake_version,
            "snakeprov": run.snakeprov_version,
        }
        document = {
            **software,
            "plugins": run.plugin_versions,
            "platform": run.platform,
            "deploymentMethods": run.deployment_methods,
            "conda": self._conda(job, observations),
            "container": _container(job, observations),
            "envModules": job.env_modules,
        }
        known = {name: value for name, value in document.items() if value}
        return msgspec.json.encode(known, order="sorted")

    def _conda(self, job: JobRecord, observations: Observations) -> dict[str, Any]:
        conda: dict[str, Any] = {}
        if job.conda_env_path is not None:
            conda["file"] = job.conda_env_path
            conda |= _digest(job.conda_env_path, observations)
        if job.conda_env_name is not None:
            conda["name"] = job.conda_env_name
        packages = self._installed(job)
        return conda if packages is None else conda | {"packages": packages}

    def _installed(self, job: JobRecord) -> list[Package] | None:
        if job.conda_prefix is None:
            return None
        prefix: str | None = to_os(job.conda_prefix)
        if job.conda_prefix == job.conda_env_name:
            prefix = named_prefix(job.conda_prefix)
        if prefix is None:
            return None
        try:
            changed_ns = os.stat(os.path.join(prefix, "conda-meta")).st_mtime_ns  # noqa: PTH116, PTH118
        except (OSError, ValueError):
            return None
        key = (prefix, changed_ns)
        if key not in self._packages:
            if len(self._packages) >= PREFIXES_REMEMBERED_MAX:
                self._packages.clear()
            self._packages[key] = conda_packages(prefix)
        return self._packages[key]


def _container(job: JobRecord, observations: Observations) -> dict[str, Any]:
    if job.container is None:
        return {}
    container: dict[str, Any] = {"image": strip_credentials(job.container)}
    named = reference_digest(job.container)
    if named is not None:
        container["digest"] = named
    if job.container_path is not None:
        container |= {"file": job.container_path, **_digest(job.container_path, observations)}
    return container


def _digest(path: str, observations: Observations) -> dict[str, str]:
    seen = observations.get(path)
    return {"sha256": seen.digest.sha256} if seen is not None and seen.digest is not None else {}
