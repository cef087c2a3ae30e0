"""What could explain a difference that no recorded fact explains: unrecorded software, and what only git knows.

Pure functions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

import msgspec

from snakeprov.model.records import JobRecord

_INTERPRETED: Final = frozenset({"script", "notebook", "run", "template"})
_COMMANDS: Final = frozenset({"shell", "wrapper", "cwl"})

Document = Mapping[str, Any] | None
"""The description of an environment; None if there is none."""


class Unrecorded(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Something that could explain a difference, and is in no record.

    Attributes:
        kind: `files`: according to git, these differ between the two runs. `git`: git could not be asked, `names` says
            why. `noGit`: a run was not under version control. `software`: what is not recorded of the software.
        names: Files, or words.
    """

    kind: Literal["files", "git", "noGit", "software"]
    names: tuple[str, ...] = ()


class GitAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Which tracked files differ between the code of two runs.

    Attributes:
        files: Their paths, relative to the working directory of the newer run where they lie in it, else absolute.
        problem: Why git could not answer.
        is_tracked: Whether both runs were under version control.
    """

    files: tuple[str, ...] = ()
    problem: str | None = None
    is_tracked: bool = True


def unrecorded(
    jobs: Sequence[JobRecord], documents: Sequence[Document], git: GitAnswer, *, recorded: set[str]
) -> tuple[Unrecorded, ...]:
    """Return what could explain that two jobs made different bytes of what is recorded as the same.

    Args:
        jobs: Both.
        documents: Of their environments.
        git: What git knows of their runs.
        recorded: Paths of the files that both jobs read or executed, and that are the same.
    """
    found = []
    files = tuple(one for one in git.files if one not in recorded)
    if files:
        found.append(Unrecorded(kind="files", names=files))
    if git.problem is not None:
        found.append(Unrecorded(kind="git", names=(git.problem,)))
    if not git.is_tracked:
        found.append(Unrecorded(kind="noGit"))
    software = dict.fromkeys(
        name for job, document in zip(jobs, documents, strict=True) if (name := _software(job, document)) is not None
    )
    if software:
        found.append(Unrecorded(kind="software", names=tuple(software)))
    return tuple(found)


def _software(job: JobRecord, document: Document) -> str | None:
    """Return what of the software that a job ran is not recorded; None where all of it is."""
    if job.container:
        container = (document or {}).get("container") or {}
        known = container.get("digest") or container.get("sha256")
        return None if known else f"the content of the container {job.container}"
    if job.conda_env_path or job.conda_env_name or job.conda_env_url:
        known = ((document or {}).get("conda") or {}).get("packages")
        return None if known else "the packages of the conda environment"
    if job.env_modules:
        return f"the content of the modules {' '.join(job.env_modules)}"
    if job.kind in _INTERPRETED:
        return "the versions of the packages that its code loads"
    return "the versions of the programs that it ran" if job.kind in _COMMANDS else "the software that it ran"
