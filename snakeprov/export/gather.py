"""Collect the material of an export from a store, in few requests whatever its size."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from graphlib import CycleError, TopologicalSorter
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

import msgspec

from snakeprov.client.pages import every
from snakeprov.client.resources import IDS_MAX
from snakeprov.errors import ForbiddenError, NotFoundError, StoreError
from snakeprov.export.material import Activity, Json, Made, Material, Member, Role, Use
from snakeprov.model.answers import EdgeKind, JobFile, Lineage, Node, RecordedJob, Version
from snakeprov.model.manifest import read_manifest
from snakeprov.model.records import StoredJob, recorded_path
from snakeprov.model.times import from_wire

if TYPE_CHECKING:
    from snakeprov.client import Client

DEPTH_MAX: Final = 1000
NODES_MAX: Final = 100_000
"""Maximum number of versions and activities exported of one lineage."""

JOBS_MAX: Final = 100_000
"""Maximum number of jobs exported of one run."""

DIRECTORIES_MAX: Final = 1000
"""Maximum number of directories whose members are exported, the first ones."""

MEMBERS_MAX: Final = 100_000
"""Maximum number of members of directories exported; further directories go without theirs."""

ENVIRONMENTS_MAX: Final = 1000
"""Maximum number of descriptions of environments read."""

_NAMES: Final = uuid.UUID("3c0b6d0a-51cf-5d1f-9c2c-3b6c5c1d6a52")
"""What the names of stores that have no address are made from."""

_MAKING: Final = ("generatedBy", "used", "executed")
"""Links from what was made to its maker, and from that to what it took."""

_ROLES: Final[Mapping[str, Role]] = {"input": "input", "code": "code", "environment": "environment"}


def results(client: Client, versions: Sequence[tuple[str, int]]) -> Material:
    """Return entity versions with everything that they came from.

    Raises:
        NotFoundError: There is no such version.
    """
    graph = _Graph()
    for entity_id, number in versions:
        graph.add(client.provenance.lineage(entity_id, number, depth=DEPTH_MAX, limit=NODES_MAX))
    jobs = _jobs(client, graph.job_ids())
    known = _versions(client, graph.versions() | _workflow_files(jobs.values()))
    activities = []
    for node in graph.activities():
        by_links = graph.activity(node, known)
        job = jobs.get(node.job_id or "")
        activities.append(by_links if job is None else _with_made(_of_job(job, known), by_links))
    return _material(
        client,
        activities,
        known,
        targets=tuple(f"{entity_id}.{number}" for entity_id, number in versions),
        is_truncated=graph.is_truncated,
    )


def run(client: Client, run_id: str) -> Material:
    """Return a run with its jobs, and the versions that these read and wrote.

    Raises:
        NotFoundError: There is no such run.
    """
    jobs = list(islice(every(lambda after: client.jobs.of_run(run_id, after=after)), JOBS_MAX + 1))
    # A rule that only names its inputs, like `all`, does nothing: it has no activity, and neither has an export.
    done = [one for one in jobs[:JOBS_MAX] if one.activity_id is not None]
    known = _versions(client, _versions_of(file for one in done for file in one.files))
    activities = [_of_job(one, known) for one in done]
    return _material(client, activities, known, run_id=run_id, is_truncated=len(jobs) > JOBS_MAX)


class _Graph:
    """Lineages put together."""

    def __init__(self) -> None:
        self.is_truncated = False
        self._nodes: dict[str, Node] = {}
        self._edges: dict[tuple[str, str, EdgeKind], None] = {}
        self._of_node: dict[str, list[tuple[str, str, EdgeKind]]] = {}

    def add(self, answer: Lineage) -> None:
        self.is_truncated |= answer.truncated
        self._nodes |= {node.id: node for node in answer.nodes}
        for edge in answer.edges:
            link = (edge.source, edge.target, edge.kind)
            if link not in self._edges:
                self._edges[link] = None
                self._of_node.setdefault(edge.source, []).append(link)
                self._of_node.setdefault(edge.target, []).append(link)

    def activities(self) -> list[Node]:
        """Return the activities, the first that ended first; of those that ended at one moment, makers before users.

        The members of a group that a cluster ran ended at one moment, as far as Snakemake can tell.
        """
        found = [node for node in self._nodes.values() if node.kind == "activity"]
        ranks = self._ranks()
        return sorted(found, key=lambda node: (node.ended_on or "", ranks.get(node.id, 0)))

    def _ranks(self) -> dict[str, int]:
        """Return the position of each node in a topological order, origins first."""
        sources: dict[str, set[str]] = {}
        for source, target, kind in self._edges:
            if kind in _MAKING:
                sources.setdefault(source, set()).add(target)
        try:
            return {id_: rank for rank, id_ in enumerate(TopologicalSorter(sources).static_order())}
        except CycleError:  # whatever a store says, it can be exported
            return {}

    def job_ids(self) -> list[str]:
        return [node.job_id for node in self.activities() if node.job_id]

    def versions(self) -> dict[tuple[str, int], None]:
        return {
            (node.entity_id, node.version_number): None
            for node in self._nodes.values()
            if node.entity_id is not None and node.version_number is not None
        }

    def activity(self, node: Node, known: Mapping[str, Version]) -> Activity:
        """Return an activity that was not recorded from a job, or from one that may not be seen."""
        used, made = [], []
        for source, target, kind in self._of_node.get(node.id, ()):
            if source == node.id:
                role: Role = "code" if kind == "executed" else "input"
                other = self._nodes[target]
                if other.kind == "url":
                    used.append(Use(role=role, url=other.url, name=other.label))
                elif target in known:
                    used.append(Use(role=role, version_id=target))
            elif source in known:
                made.append(Made(version_id=source))
        job = StoredJob(
            id="", run_id="", rule=node.rule or "", status=node.status or "unknown", ended_on=_moment(node.ended_on)
        )
        id_ = node.id.replace(":", "_")
        return Activity(id=id_, name=node.rule or node.label, job=job, used=tuple(used), made=tuple(made))


def _pages(items: Iterable[Any]) -> Iterator[list[Any]]:
    listed = list(items)
    return (listed[start : start + IDS_MAX] for start in range(0, len(listed), IDS_MAX))


def _moment(text: str | None) -> datetime | None:
    return None if text is None else from_wire(text)


def _jobs(client: Client, ids: Iterable[str]) -> dict[str, RecordedJob]:
    if not client.backend.keeps_runs:
        return {}
    found = (job for page in _pages(ids) for job in client.jobs.with_ids(page))
    return {one.job.id: one for one in found}


def _versions(client: Client, wanted: Iterable[tuple[str, int]]) -> dict[str, Version]:
    found = (one for page in _pages(wanted) for one in client.provenance.versions(page))
    return {one.id: one for one in found}


def _versions_of(files: Iterable[JobFile]) -> dict[tuple[str, int], None]:
    """Return the versions that some files of jobs were, each once."""
    return {
        (file.entity_id, file.version_number): None
        for file in files
        if file.entity_id is not None and file.version_number is not None
    }


def _of_job(recorded: RecordedJob, known: Mapping[str, Version]) -> Activity:
    job = recorded.job
    names = {recorded_path(fact): fact.name for fact in (*job.inputs, *job.outputs) if fact.name}
    used: dict[Use, None] = {}
    made: dict[Made, None] = {}
    workflow: dict[str, None] = {}
    for file in recorded.files:
        version_id = f"{file.entity_id}.{file.version_number}"
        if version_id not in known:
            continue
        name = names.get(file.path.rstrip("/"))
        if file.role in ("output", "log", "benchmark"):
            if file.outcome in ("generated", "reproduced"):
                is_first = file.outcome == "generated"
                made[Made(version_id=version_id, name=name, role=file.role, is_first=is_first)] = None
        elif file.role == "workflow":
            workflow[version_id] = None
        else:
            used[Use(role=_ROLES.get(file.role, "input"), version_id=version_id, name=name)] = None
    for link in recorded.urls or ():
        used[Use(role="code" if link.was_executed else "input", url=link.url, name=link.name)] = None
    return Activity(
        id=f"job_{job.id}",
        name=job.rule,
        run_id=job.run_id,
        job=job,
        used=tuple(used),
        made=tuple(made),
        workflow=tuple(workflow),
    )


def _workflow_files(jobs: Iterable[RecordedJob]) -> dict[tuple[str, int], None]:
    """Return the versions of Snakefiles of the jobs' runs that do not define the jobs' rules."""
    return _versions_of(file for job in jobs for file in job.files if file.role == "workflow")


def _with_made(activity: Activity, by_links: Activity) -> Activity:
    """Return the activity of a job with its further products: files of a directory, bytes put back later."""
    told = {one.version_id for one in activity.made}
    more = (one for one in by_links.made if one.version_id not in told)
    return msgspec.structs.replace(activity, made=(*activity.made, *more))


def _material(
    client: Client,
    activities: Sequence[Activity],
    versions: Mapping[str, Version],
    *,
    targets: tuple[str, ...] = (),
    run_id: str | None = None,
    is_truncated: bool,
) -> Material:
    run_ids = dict.fromkeys([*([run_id] if run_id else []), *(one.run_id for one in activities if one.run_id)])
    if not client.backend.keeps_runs:
        run_ids = {}
    projects = [version.project_id for version in versions.values() if version.project_id is not None]
    return Material(
        store=_store_name(client, projects),
        targets=targets,
        run_id=run_id,
        versions=versions,
        activities=tuple(activities),
        runs={one: found for one in run_ids if (found := _had(client.runs.get, one)) is not None},
        members=_members(client, versions.values()),
        environments=_environments(client, activities),
        is_truncated=is_truncated,
    )


def _store_name(client: Client, projects: Sequence[str]) -> str:
    """Return the prefix of identifiers: Synapse's address, or a name derived from the oldest project."""
    if client.backend.address is not None:
        return client.backend.address
    facts = ""
    if projects:
        project = client.entities.get(min(projects, key=lambda id_: int(id_.removeprefix("syn"))))
        facts = f"{project.id} {project.name} {project.created_on}"
    return f"urn:uuid:{uuid.uuid5(_NAMES, facts)}#"


def _environments(client: Client, activities: Iterable[Activity]) -> dict[str, Json]:
    jobs = {
        digest: one.job.id
        for one in activities
        if (digest := one.job.environment_digest) and one.job.environment_file_handle_id
    }
    found: dict[str, Json] = {}
    for digest, job_id in list(jobs.items())[:ENVIRONMENTS_MAX]:
        content = _had(client.jobs.environment, job_id)
        if content is not None and isinstance(document := _parsed(content), dict):
            found[digest] = document
    return found


def _members(client: Client, versions: Iterable[Version]) -> dict[str, tuple[Member, ...]]:
    kept = ((one, one.file_handle_id) for one in versions if one.is_directory and one.bytes_kept)
    directories = [(one, handle) for one, handle in kept if handle is not None]
    found: dict[str, tuple[Member, ...]] = {}
    room = MEMBERS_MAX
    for directory, handle in directories[:DIRECTORIES_MAX]:
        content = _had(client.files.download, handle)
        if content is None:
            continue
        try:
            files = read_manifest(content).files
        except StoreError:
            continue
        members = [Member(path=path, sha256=digest.sha256, size_bytes=digest.size_bytes) for path, digest in files]
        if len(members) <= room:
            room -= len(members)
            found[directory.id] = tuple(members)
    return found


def _parsed(content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        return None


def _had(ask: Callable[[str], Any], what: str) -> Any:
    """Return an answer, or None if this user gets none; an unreachable store is still an error."""
    try:
        return ask(what)
    except (NotFoundError, ForbiddenError):
        return None
