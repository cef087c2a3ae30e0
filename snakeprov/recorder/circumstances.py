"""What delivery finds out beside the bytes of files: environments of jobs, permalinks of code, missing planned outputs.

The document of an environment is canonical (sorted keys), so equal environments have equal bytes and one digest.
Unknown is left out. Missing outputs are looked for here so that Snakemake does not wait for it.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import msgspec

from snakeprov.capture.environment import conda_packages, named_prefix, reference_digest
from snakeprov.capture.git.reader import GitReader, git_blob_sha1
from snakeprov.model.credentials import strip_credentials
from snakeprov.model.paths import is_elsewhere, to_os
from snakeprov.model.planned import PlannedJob, RunPlan
from snakeprov.model.records import CodeFact, JobRecord, RunRecord
from snakeprov.model.times import now
from snakeprov.recorder.context import Prepared
from snakeprov.recorder.observed import Observations

CONTENT_TYPE: Final = "application/json"

DOCUMENTS_REMEMBERED_MAX: Final = 100
"""Number of environments whose documents are kept in memory."""


CODE_SIZE_BYTES_MAX: Final = 50_000_000
"""A larger file is not code; it gets no permalink."""

PLAN_AGE_MAX: Final = timedelta(minutes=10)
"""Older plans are ignored: the files may have changed since."""

OUTPUTS_LOOKED_AT_MAX: Final = 10_000
"""Maximum number of jobs whose first output is looked up on disk."""


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


class CodeLinks:
    """Finds permalinks for one run, each once. Not thread-safe.

    Attributes:
        has_unclean: Whether code of the run's own work tree has been seen that is not what its commit holds. What a
            workflow wrote does not count.
    """

    def __init__(self, git: GitReader) -> None:
        """Prepare to ask `git`, which knows the work trees as they were when the run began."""
        self.has_unclean = False
        self._git = git
        self._known: dict[tuple[str, int | None, str], str | None] = {}

    def permalinks(self, jobs: Sequence[Prepared], run: RunRecord) -> dict[tuple[str, int | None], str]:
        """Return the permalinks of the code files of `jobs` of `run`, by path and line; those without are left out."""
        links: dict[tuple[str, int | None], str] = {}
        for prepared in jobs:
            for code in prepared.job.code:
                seen = prepared.observations.get(code.path or "")
                if code.path is None or seen is None or seen.digest is None:
                    continue
                key = (code.path, code.line, seen.digest.sha256)
                if key not in self._known:
                    self._known[key] = self._find(code, run, seen.digest.size_bytes)
                link = self._known[key]
                if link is not None:
                    links[code.path, code.line] = link
        return links

    def _find(self, code: CodeFact, run: RunRecord, size_bytes: int) -> str | None:
        path = Path(to_os(run.working_directory), to_os(code.path or ""))
        if size_bytes > CODE_SIZE_BYTES_MAX:
            return None
        state = self._git.state_of(str(path))
        if state is None or state.commit is None:
            return None
        is_own = run.git is not None and state.root == run.git.root
        if is_own and run.git is not None and state.commit != run.git.commit:
            return None  # recorded at another commit than the one that is checked out now
        try:
            blob = git_blob_sha1(path.read_bytes())
        except OSError:
            return None
        if not self._git.is_clean(str(path), blob):
            if is_own and not self.has_unclean:
                self.has_unclean = not self._git.is_result(str(path))
            return None
        return self._git.permalink(str(path), line=code.line, content_git_sha1=blob)


def with_missing(plan: RunPlan, working_directory: Path) -> RunPlan:
    """Return a plan that says which of the jobs that were not needed had no output on disk."""
    if plan.taken_on is None or now() - plan.taken_on > PLAN_AGE_MAX:
        return plan
    left = OUTPUTS_LOOKED_AT_MAX
    jobs: list[PlannedJob] = []
    for job in plan.jobs:
        is_looked_at = left > 0 and not job.is_needed and bool(job.outputs) and not is_elsewhere(job.outputs[0])
        left -= is_looked_at
        is_missing = is_looked_at and not os.path.lexists(working_directory / to_os(job.outputs[0].rstrip("/")))
        jobs.append(msgspec.structs.replace(job, is_missing=True) if is_missing else job)
    return msgspec.structs.replace(plan, jobs=jobs)
