"""How a version whose bytes are not kept can be made again: everything that its story tells of that, and no guess.

Must not know: which repository tells it, or how it is shown.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Role = Literal["input", "code", "environment"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ingredient:
    """A file that a job read or executed.

    Attributes:
        bytes_kept: Whether that version can be restored; None where that is not known.
    """

    role: Role
    path: str
    entity_id: str | None = None
    version_number: int | None = None
    sha256: str | None = None
    bytes_kept: bool | None = None

    @property
    def version(self) -> tuple[str, int] | None:
        """The entity and the number of the version, where that is known."""
        if self.entity_id is None or self.version_number is None:
            return None
        return self.entity_id, self.version_number


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How a version was made; what is not known is None or empty.

    Attributes:
        target: What Snakemake has to be asked for.
        commit, dirty, remote: The code. When dirty, the run's patch leads from the commit to what ran.
        patch_kept: Whether that patch is kept.
        shell_command: What the job ran.
        run_command: What started Snakemake.
        urls: What was used besides: containers, storage objects, permalinks.
        environment: The rest of it, by name: conda, container, modules, Snakemake, Python.
        environment_kept: Whether the software that the job ran in is described in a document that is kept.
    """

    target: str
    rule: str | None = None
    run_id: str | None = None
    working_directory: str | None = None
    commit: str | None = None
    dirty: bool | None = None
    remote: str | None = None
    patch_kept: bool = False
    shell_command: str | None = None
    script: str | None = None
    run_command: str | None = None
    ingredients: list[Ingredient] = field(default_factory=list)
    urls: list[str] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)
    environment_kept: bool = False

    @property
    def command(self) -> str | None:
        """The command that makes it again in the workflow's directory; None where no rule made it."""
        return None if self.rule is None else shlex.join(["snakemake", "--cores", "1", "--force", self.target])


def ingredients(story: Mapping[str, Any]) -> list[Ingredient]:
    """Return the files that the job of a story read and executed, each version once, whether kept or not unknown."""
    files = (story.get("job") or {}).get("files") or ()
    found: dict[Ingredient, None] = {}
    for file in files:
        if file["role"] in ("input", "code", "environment"):
            one = Ingredient(
                role=file["role"],
                path=file["path"],
                entity_id=file.get("entityId"),
                version_number=file.get("versionNumber"),
                sha256=file.get("sha256"),
            )
            found[one] = None
    return list(found)


def recipe(story: Mapping[str, Any], used: list[Ingredient]) -> Recipe:
    """Return how the version of a story was made.

    Args:
        story: An answer of the story resource.
        used: The `ingredients` of that story, with whatever was found out about them.
    """
    entity = story["entity"]
    job = (story.get("job") or {}).get("job") or {}
    run = story.get("run") or {}
    # Where runs are not kept, as in Synapse, the version tells of the commit.
    git = run.get("git") or ({} if run else story["version"])
    activity = story.get("activity") or {}
    conda = job.get("condaEnvName") or job.get("condaEnvUrl") or job.get("condaEnvPath")
    environment = {
        "conda": conda,
        "container": job.get("container"),
        "modules": " ".join(job.get("envModules") or ()),
        "Snakemake": run.get("snakemakeVersion"),
        "Python": run.get("pythonVersion"),
        "platform": run.get("platform"),
    }
    return Recipe(
        target=str(entity.get("path") or entity["name"]).rstrip("/"),
        rule=job.get("rule"),
        run_id=run.get("id") or job.get("runId"),
        working_directory=run.get("workingDirectory"),
        commit=git.get("commit"),
        dirty=git.get("dirty"),
        remote=git.get("remote"),
        patch_kept=git.get("patchFileHandleId") is not None,
        shell_command=job.get("shellcmd"),
        script=job.get("script"),
        run_command=run.get("commandLine"),
        ingredients=used,
        urls=[item["url"] for item in activity.get("used") or () if "url" in item],
        environment={name: str(value) for name, value in environment.items() if value},
        environment_kept=job.get("environmentFileHandleId") is not None,
    )
