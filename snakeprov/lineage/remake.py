"""How to make a version again whose bytes are not kept: only what is recorded, no guess."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field, replace
from typing import Literal

from snakeprov.model.answers import Run, Story
from snakeprov.model.records import JobRecord

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
        """The command that makes it again in the workflow's directory; None if no rule made it."""
        return None if self.rule is None else shlex.join(["snakemake", "--cores", "1", "--force", self.target])


def ingredients(story: Story) -> list[Ingredient]:
    """Return the files that the job of a story read and executed, each version once, whether kept or not unknown."""
    found: dict[Ingredient, None] = {}
    for file in story.files:
        if file.role in ("input", "code", "environment"):
            one = Ingredient(
                role=file.role,
                path=file.path,
                entity_id=file.entity_id,
                version_number=file.version_number,
                sha256=file.sha256,
            )
            found[one] = None
    return list(found)


def recipe(story: Story, used: list[Ingredient]) -> Recipe:
    """Return how the version of a story was made.

    Args:
        story: Of the version.
        used: The `ingredients` of that story, with whatever was found out about them.
    """
    run, git = story.run, story.run.git if story.run else None
    # Where runs are not kept, as in Synapse, the version names the commit.
    code = git if run is not None else story.version
    links = [item["url"] for item in (story.activity or {}).get("used") or () if "url" in item]
    made = Recipe(
        target=story.entity.recorded_path.rstrip("/"),
        run_id=run.id if run else None,
        working_directory=run.working_directory if run else None,
        commit=code.commit if code else None,
        dirty=code.dirty if code else None,
        remote=git.remote if git else None,
        patch_kept=git is not None and git.patch_file_handle_id is not None,
        run_command=run.command_line if run else None,
        ingredients=used,
        urls=links,
        environment=_environment(story.record, run),
    )
    job = story.record
    if job is None:
        return made
    return replace(
        made,
        rule=job.rule,
        run_id=made.run_id or job.run_id,
        shell_command=job.shellcmd,
        script=job.script,
        environment_kept=job.environment_file_handle_id is not None,
    )


def _environment(job: JobRecord | None, run: Run | None) -> dict[str, str]:
    """Return what a job ran in, by name; what is not known is left out."""
    facts: dict[str, str | None] = {}
    if job is not None:
        facts |= {
            "conda": job.conda_env_name or job.conda_env_url or job.conda_env_path,
            "container": job.container,
            "modules": " ".join(job.env_modules),
        }
    if run is not None:
        facts |= {"Snakemake": run.snakemake_version, "Python": run.python_version, "platform": run.platform}
    return {name: value for name, value in facts.items() if value}
