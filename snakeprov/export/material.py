"""The material of an export: versions, the activities that made and used them, and their runs.

Unknown is None or absent; nothing is guessed.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple

import msgspec

from snakeprov.model.answers import Run, Version
from snakeprov.model.methods import RawInput
from snakeprov.model.records import JobStatus, StoredJob, code_paths

Json = Mapping[str, Any]

Role = Literal["input", "code", "environment"]

FAILED = frozenset({"failed", "retried", "interrupted"})
"""The statuses of jobs that did not do what they were to do."""

SUCCEEDED = frozenset({"success", "touched", "cached", "backfilled"})


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """A file inside a directory that was recorded as one thing; `path` is relative to the directory."""

    path: str
    sha256: str
    size_bytes: int


class Use(msgspec.Struct, frozen=True, kw_only=True):
    """Something that an activity used: an entity version, or else a URL.

    Attributes:
        role: `code` was executed, the others were read.
        name: The keyword under which the rule names it; of a URL what it is called.
    """

    role: Role
    version_id: str | None = None
    url: str | None = None
    name: str | None = None


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """A version that an activity wrote.

    Attributes:
        name: The keyword under which the rule names it.
        role: `output` of a result; a log or a benchmark tells about the job.
        is_first: Whether it made the version, rather than the same bytes once more.
    """

    version_id: str
    name: str | None = None
    role: str = "output"
    is_first: bool = True


class Activity(msgspec.Struct, frozen=True, kw_only=True):
    """Something that was done.

    Attributes:
        id: `job_…` with the id of the job, or `activity_…` where it was not recorded from a job.
        name: The rule, or what it was called.
        run_id: The run it belongs to.
        job: The record of the job; without one, only its outcome.
        workflow: The versions of the Snakefiles of its run that do not define its rule.
    """

    id: str
    name: str
    run_id: str | None = None
    job: StoredJob
    used: tuple[Use, ...] = ()
    made: tuple[Made, ...] = ()
    workflow: tuple[str, ...] = ()

    @property
    def status(self) -> JobStatus | None:
        """How the job ended; None if unknown."""
        return None if self.job.status == "unknown" else self.job.status

    @property
    def began(self) -> datetime | None:
        """When it began; None if unknown."""
        return self.job.started_on

    @property
    def ended(self) -> datetime | None:
        """When it ended; None if unknown."""
        return self.job.ended_on

    @property
    def description(self) -> str:
        """Its name with the wildcards of the job."""
        return " ".join([self.name, *(f"{name}={value}" for name, value in self.job.wildcards.items())])


class Making(NamedTuple):
    """That an activity wrote the bytes of a version; `is_first`: the version was made by it."""

    activity_id: str
    began: datetime | None
    ended: datetime | None
    is_first: bool


class Material(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """All that an export is made of.

    Attributes:
        targets: Ids of the versions that were asked for; none where a whole run was.
        run_id: The run that was asked for, if one was.
        store: What the identifiers of entities begin with when they are to be unique in the world.
        versions: By their ids.
        activities: In the order in which they ended.
        runs: The records of the runs, by their ids.
        members: The files inside directories, by the ids of the directories' versions; only of those that are known.
        environments: The software that jobs ran with, by the digest that the jobs name.
        is_truncated: Whether there was more than an export can hold.
    """

    store: str
    targets: tuple[str, ...] = ()
    run_id: str | None = None
    versions: Mapping[str, Version] = msgspec.field(default_factory=dict)
    activities: tuple[Activity, ...] = ()
    runs: Mapping[str, Run] = msgspec.field(default_factory=dict)
    members: Mapping[str, tuple[Member, ...]] = msgspec.field(default_factory=dict)
    environments: Mapping[str, Json] = msgspec.field(default_factory=dict)
    is_truncated: bool = False

    @property
    def title(self) -> str:
        """What it is about, in a few words."""
        if self.run_id is not None:
            return f"run {self.run_id[:8]} of {self.runs[self.run_id].project or 'a workflow'}"
        paths = [self.versions[one].label for one in self.targets]
        return ", ".join(paths[:TITLE_PATHS]) + (f" and {len(paths) - TITLE_PATHS} more" * (len(paths) > TITLE_PATHS))

    def results(self) -> list[str]:
        """Return the results: the versions asked for, or what a run made and did not use itself."""
        if self.run_id is None:
            return list(self.targets)
        made = [one.version_id for activity in self.activities for one in activity.made if one.role == "output"]
        used = {use.version_id for activity in self.activities for use in activity.used}
        return [one for one in dict.fromkeys(made) if one not in used] or list(dict.fromkeys(made))

    def making_had(self, activity: Activity, version_id: str) -> Making | None:
        """Return the making of a version that preceded an activity, among these activities.

        It is the latest that had ended when the activity began; where the clocks leave none, the one that generated the
        version.
        """
        began = activity.began
        makings = self.makings.get(version_id, ())
        before = [one for one in makings if None in (began, one.ended) or _is_before(one.ended, began)]
        if before:
            return before[-1]
        return next((one for one in makings if one.is_first), None)

    @functools.cached_property
    def makings(self) -> Mapping[str, tuple[Making, ...]]:
        """The makings of each version, in the order in which they ended."""
        found: dict[str, list[Making]] = {}
        for activity in self.activities:
            for made in activity.made:
                making = Making(activity.id, activity.began, activity.ended, made.is_first)
                found.setdefault(made.version_id, []).append(making)
        return {version_id: tuple(sorted(some, key=_moment)) for version_id, some in found.items()}

    def generated(self) -> set[str]:
        """Return the versions that an activity in it wrote."""
        return {made.version_id for activity in self.activities for made in activity.made}

    def environment_of(self, activity: Activity) -> Json:
        """Return the recorded software that a job ran with; empty if there is none."""
        return self.environments.get(activity.job.environment_digest or "", {})

    def run_of(self, activity: Activity) -> Run | None:
        """Return the run that an activity belongs to; None if it has none."""
        return self.runs.get(activity.run_id or "")

    def workflow_files(self) -> list[Version]:
        """Return the versions of the Snakefiles that no activity needs to have executed, each once."""
        return [self.versions[one] for one in dict.fromkeys(one for made in self.activities for one in made.workflow)]

    def used_as(self, role: Role) -> list[Version]:
        """Return the versions that were used as code, say, each once."""
        seen = (use.version_id for activity in self.activities for use in activity.used if use.role == role)
        return [self.versions[one] for one in dict.fromkeys(seen) if one is not None]

    def snakefile_of(self, activity: Activity) -> Version | None:
        """Return the Snakefile that has the rule of a job."""
        places = code_paths(activity.job)
        for code in activity.job.code:
            if code.role == "snakefile":
                path = places.get(code.path or "")
                for use in activity.used:
                    if use.role == "code" and use.version_id and self.versions[use.version_id].path == path:
                        return self.versions[use.version_id]
        return None

    def main_snakefile(self, run: Run) -> Version | None:
        """Return the Snakefile that a run was started with, or else the first with a rule of it; None without any."""
        first = None
        for activity in self.of_run(run.id):
            snakefile = code_paths(activity.job).get(run.snakefile or "")
            executed = (use.version_id for use in activity.used if use.role == "code" and use.version_id)
            for version in (self.versions[one] for one in (*executed, *activity.workflow)):
                if version.path == (snakefile or run.snakefile):
                    return version
            first = first or self.snakefile_of(activity)
        return first

    def of_run(self, run_id: str | None) -> list[Activity]:
        """Return the activities of a run; of None those that belong to no run that is known."""
        if run_id is None:
            return [one for one in self.activities if one.run_id not in self.runs]
        return [one for one in self.activities if one.run_id == run_id]


_EARLIEST = datetime.min.replace(tzinfo=UTC)


def _moment(making: Making) -> tuple[datetime, bool]:
    """Return the sort key of makings: by the time of their end; at equal times the first making comes first."""
    return making.ended or _EARLIEST, not making.is_first


def _is_before(ended: datetime | None, began: datetime | None) -> bool:
    return ended is not None and began is not None and ended <= began


TITLE_PATHS = 3
"""More results than this are only counted in a title."""


def commit_of(run: Run | None) -> str | None:
    """Return the commit of a run's code, with `+dirty` if the work tree differed; None if unknown."""
    git = None if run is None else run.git
    if git is None or git.commit is None:
        return None
    return f"{git.commit}+dirty" if git.dirty else git.commit


_REACHABLE = re.compile(r"(https?|ftps?|ssh|git)://|[^/@]+@[^/:]+:")


def remote_of(run: Run) -> str | None:
    """Return where others find a run's code; None where that is not known, or a place on the run's machine.

    >>> from snakeprov.model.records import StoredGit
    >>> run = Run(id="1", project="", working_directory="", status="success", git=StoredGit(root="", remote="/srv/git"))
    >>> remote_of(run)
    """
    remote = run.git.remote if run.git else None
    return remote if remote and _REACHABLE.match(remote) else None


def raw_inputs(material: Material, activities: Iterable[Activity]) -> tuple[RawInput, ...]:
    """Return what some activities read and nobody is known to have made, each once: files by path, then
    addresses.

    A file that comes from another one, by hand or by copying, is not raw, but that one can be; what a job of another
    run made is not.
    """
    made = material.generated()
    found: dict[RawInput, None] = {}
    pairs = ((activity, use) for activity in activities for use in activity.used if use.role == "input")
    for activity, use in pairs:
        if use.url is not None:
            if use.url not in (activity.job.container, activity.job.conda_env_url):
                found[RawInput(url=use.url)] = None
            continue
        version = material.versions.get(use.version_id or "")
        while version is not None and version.meaning is not None and version.id not in made:
            version = material.versions.get(version.meant_id or "")
        if version is None or version.id in made or version.activity_id is not None:
            continue
        found[RawInput(path=version.path, version_number=version.version_number, sha256=version.sha256)] = None
    return tuple(sorted(found, key=lambda one: (one.path is None, one.name, one.version_number or 0)))


class Package(NamedTuple):
    """A piece of software and its version."""

    name: str
    version: str

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


def packages(environment: Json) -> Iterator[Package]:
    """Yield what an environment is known to hold: of Snakemake's own, then of conda's by name."""
    for name in ("python", "snakemake", "snakeprov"):
        if environment.get(name):
            yield Package(name, str(environment[name]))
    for name, version in (environment.get("plugins") or {}).items():
        yield Package(name, str(version))
    yield from conda(environment)


def conda(environment: Json) -> Iterator[Package]:
    """Yield the packages of the conda environment."""
    for package in (environment.get("conda") or {}).get("packages") or ():
        yield Package(str(package["name"]), str(package["version"]))
