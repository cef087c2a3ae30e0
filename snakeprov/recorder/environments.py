"""The environment of a job as one JSON document, kept once for all jobs that share it.

The document is canonical (sorted keys), so equal environments have equal bytes and one digest. Unknown is left out.
"""

from __future__ import annotations

import os
from typing import Any, Final

import msgspec

from snakeprov.capture.environment import conda_packages, named_prefix, reference_digest
from snakeprov.model.credentials import strip_credentials
from snakeprov.model.paths import to_os
from snakeprov.model.records import JobRecord, RunRecord
from snakeprov.recorder.observed import Observations

CONTENT_TYPE: Final = "application/json"

DOCUMENTS_REMEMBERED_MAX: Final = 100
"""Number of environments whose documents are kept in memory."""


class Environments:
    """Describes the environments of jobs; each conda prefix is read once for each state it is in. Not thread-safe."""

    def __init__(self) -> None:
        self._documents: dict[tuple[bytes, str, int], bytes] = {}

    def describe(self, job: JobRecord, observations: Observations, run: RunRecord) -> bytes:
        """Return the document of the environment that `job` of `run` was executed in. Never raises."""
        conda = _conda(job, observations)
        document = {
            "python": run.python_version,
            "snakemake": run.snakemake_version,
            "snakeprov": run.snakeprov_version,
            "plugins": run.plugin_versions,
            "platform": run.platform,
            "deploymentMethods": run.deployment_methods,
            "conda": conda,
            "container": _container(job, observations),
            "envModules": job.env_modules,
        }
        known = {name: value for name, value in document.items() if value}
        prefix, changed_ns = _prefix_of(job)
        key = (msgspec.json.encode(known, order="sorted"), prefix, changed_ns)
        if not prefix:
            return key[0]
        if key not in self._documents:
            if len(self._documents) >= DOCUMENTS_REMEMBERED_MAX:
                self._documents.clear()
            known["conda"] = {**conda, "packages": conda_packages(prefix)}
            self._documents[key] = msgspec.json.encode(known, order="sorted")
        return self._documents[key]


def _conda(job: JobRecord, observations: Observations) -> dict[str, Any]:
    conda: dict[str, Any] = {}
    if job.conda_env_path is not None:
        conda |= {
            "file": job.conda_env_recorded_path or job.conda_env_path,
            **_digest(job.conda_env_path, observations),
        }
    if job.conda_env_url is not None:
        conda["url"] = job.conda_env_url
    if job.conda_env_name is not None:
        conda["name"] = job.conda_env_name
    return conda


def _prefix_of(job: JobRecord) -> tuple[str, int]:
    """Return where the conda environment of a job is and when it last changed; nothing if it has none."""
    prefix = job.conda_prefix and to_os(job.conda_prefix)
    if prefix and prefix == job.conda_env_name:
        prefix = named_prefix(prefix)
    try:
        return (prefix, os.stat(os.path.join(prefix, "conda-meta")).st_mtime_ns) if prefix else ("", 0)  # noqa: PTH116, PTH118
    except (OSError, ValueError):
        return "", 0


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
