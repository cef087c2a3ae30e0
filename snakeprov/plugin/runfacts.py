"""Snakemake's Workflow as a RunRecord: what is known of a run when it begins.

Must not know: its jobs, when it is called, or who takes the record.
"""

from __future__ import annotations

import getpass
import platform
import shlex
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from snakeprov import __version__
from snakeprov.capture.places import Places
from snakeprov.model.paths import to_text
from snakeprov.model.records import RunRecord
from snakeprov.plugin.deployment import deployment_methods
from snakeprov.plugin.gaps import Gaps
from snakeprov.plugin.represent import Redact, encodable, represent
from snakeprov.plugin.software import plugin_versions, snakemake_version
from snakeprov.plugin.sources import locate

MAX_TARGETS = 1_000
"""Targets of the command line that are kept."""


def run_record(
    workflow: Any,
    *,
    run_id: str,
    project: str,
    project_identity: str | None,
    directory: Path,
    places: Places,
    executor: str | None,
    redact: Redact,
) -> RunRecord:
    """Return what is known of a run when it begins; what cannot be found out is named in `missing`."""
    gaps = Gaps()
    return RunRecord(
        id=run_id,
        project=project,
        project_identity=project_identity,
        working_directory=to_text(directory),
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
