"""A run as it begins: Snakemake's Workflow as a RunRecord, and its DAG as a RunPlan."""

from __future__ import annotations

import contextlib
import getpass
import platform
import re
import shlex
import sys
from collections.abc import Callable, Iterable
from datetime import datetime
from importlib import metadata
from itertools import islice
from pathlib import Path
from typing import Any

from snakeprov import __version__
from snakeprov.capture.places import Places
from snakeprov.model.paths import from_storage, to_text
from snakeprov.model.planned import PLANNED_JOBS_MAX, PLANNED_OUTPUTS_MAX, PlannedJob, RunPlan
from snakeprov.model.records import RunRecord
from snakeprov.model.times import now
from snakeprov.plugin.deployment import deployment_methods
from snakeprov.plugin.jobfiles import storage_query
from snakeprov.plugin.jobrecord import wildcards_of
from snakeprov.plugin.problems import Gaps
from snakeprov.plugin.represent import Redact, encodable, represent
from snakeprov.plugin.rulecode import locate

MAX_TARGETS = 1_000
"""Targets of the command line that are kept."""

_PLUGIN = re.compile(r"snakemake_(executor|storage|logger|report|scheduler|software_deployment)_plugin_[A-Za-z0-9_]+")

PathOf = Callable[[str], str]
"""Gives the recorded form of a path."""

Stored = Callable[[str, str], str]
"""Gives the recorded path of the local copy of a storage object, from its path and its query."""


def run_record(
    workflow: Any,
    *,
    run_id: str,
    project: str,
    project_identity: str | None,
    directory: Path,
    places: Places,
    executor: str | None,
    began_on: datetime,
    parent_run_id: str | None,
    redact: Redact,
) -> RunRecord:
    """Return what is known of a run when it begins; what cannot be found out is named in `missing`."""
    gaps = Gaps()
    return RunRecord(
        id=run_id,
        project=project,
        project_identity=project_identity,
        working_directory=to_text(directory),
        parent_run_id=parent_run_id,
        command_line=gaps.ask("command line", None, _command_line),
        snakefile=gaps.ask("Snakefile", None, _snakefile, workflow, places),
        config=gaps.ask("config", {}, _config, workflow, redact),
        config_files=gaps.ask("config files", [], _config_files, workflow, places),
        targets=gaps.ask("targets", [], _targets, workflow),
        host=gaps.ask("host", None, _host),
        user=gaps.ask("user", None, _user),
        platform=gaps.ask("platform", None, platform.platform),
        python_version=platform.python_version(),
        snakemake_version=gaps.ask("Snakemake's version", None, snakemake_version),
        snakeprov_version=__version__,
        plugin_versions=gaps.ask("plugins", {}, plugin_versions),
        executor=executor,
        deployment_methods=gaps.ask("deployment methods", [], deployment_methods, workflow),
        started_on=began_on,
        missing=list(gaps),
    )


def _command_line() -> str:
    program = Path(sys.argv[0])
    # `python -m snakemake` runs the package's `__main__.py`.
    name = program.parent.name if program.name == "__main__.py" else program.name
    return encodable(shlex.join([name, *sys.argv[1:]]))


def _snakefile(workflow: Any, places: Places) -> str:
    place = locate(workflow, [next(iter(workflow.included))])
    return encodable(place.url) if place.url is not None else places.path(place.path or "")


def _config(workflow: Any, redact: Redact) -> dict[str, Any]:
    represented = represent(workflow.config, redact=redact)
    return represented if isinstance(represented, dict) else {"config": represented}


def _config_files(workflow: Any, places: Places) -> list[str]:
    pep_file = getattr(workflow, "pepfile", None)
    named = [*workflow.configfiles, *([] if pep_file is None else [pep_file])]
    return list(dict.fromkeys(places.path(str(path)) for path in named))


def _targets(workflow: Any) -> list[str]:
    targets: Iterable[object] = workflow.dag_settings.targets
    return sorted(to_text(str(target)) for target in targets)[:MAX_TARGETS]


def _host() -> str:
    return encodable(platform.node())


def _user() -> str:
    return encodable(getpass.getuser())


def plan_of(dag: Any, *, run_id: str, path_of: PathOf, stored: Stored) -> RunPlan:
    """Return every job of the DAG as it is now. Takes 10 microseconds a job."""
    jobs = list(islice(dag.jobs, PLANNED_JOBS_MAX))
    return RunPlan(
        run_id=run_id,
        # Once its checkpoint is done, Snakemake no longer counts a job that has been run as one that is needed.
        jobs=[_planned(job, path_of, stored, is_needed=dag.needrun(job) or dag.finished(job)) for job in jobs],
        jobs_left_out=len(dag.jobs) - len(jobs),
        taken_on=now(),
    )


def _planned(job: Any, path_of: PathOf, stored: Stored, *, is_needed: bool) -> PlannedJob:
    return PlannedJob(
        rule=encodable(job.rule.name),
        wildcards=wildcards_of(job),
        outputs=[_repository_path(one, path_of, stored) for one in islice(job.output, PLANNED_OUTPUTS_MAX)],
        is_needed=bool(is_needed),
    )


def _repository_path(file: Any, path_of: PathOf, stored: Stored) -> str:
    flags = file.flags
    if not flags:
        return path_of(file)
    query = storage_query(file)
    path = path_of(file) if query is None else from_storage(query) or stored(path_of(file), query)
    return path + "/" if flags.get("directory") else path


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
