"""Explain a path without a recorded file: a folder, a rule, in a recorded directory, of a failed job, in a config."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from snakeprov.errors import ForbiddenError
from snakeprov.model.paths import folders_above

if TYPE_CHECKING:
    from snakeprov.client import Client
    from snakeprov.model.answers import Run

RUNS_MAX: Final = 20
"""Number of latest runs whose config is searched."""

FILES_COUNTED_MAX: Final = 1000
FILES_NAMED_MAX: Final = 3


def told(client: Client, candidates: Sequence[str], *, project: str) -> str | None:
    """Return an explanation, as sentences, of the first of some paths for which there is one; or None.

    Args:
        client: The store.
        candidates: The recorded paths that may be meant.
        project: The name of the project to look in.
    """
    if not client.backend.keeps_runs:
        return None
    for path in candidates:
        if folder := _folder(client, path.rstrip("/"), project):
            return folder
        if client.provenance.search([("unmade", path)], limit=1).results:
            return f"The job that was to make it did not succeed: 'snakeprov show {path}' tells why."
    for path in candidates:
        if path.isidentifier() and client.provenance.search([("rule", path)], limit=1).results:
            return f"It is a rule: 'snakeprov find rule={path}' lists what it made."
    for path in candidates:
        if directory := _directory(client, path, project):
            return directory
    runs = [run for run in client.runs.list(limit=RUNS_MAX).results if run.project == project]
    for path in candidates:
        for run in runs:
            if said := _of_run(run, path):
                return said
    return None


def _folder(client: Client, path: str, project: str) -> str | None:
    try:
        below = client.provenance.paths(f"{path}/", project=project, limit=FILES_COUNTED_MAX)
    except ForbiddenError:
        return None
    if not below:
        return None
    count = f"at least {len(below)}" if len(below) == FILES_COUNTED_MAX else str(len(below))
    files = "recorded file" if len(below) == 1 else "recorded files"
    named = ", ".join(below[:FILES_NAMED_MAX]) + (", …" if len(below) > FILES_NAMED_MAX else "")
    return f"It is a folder with {count} {files}: {named}. Name one of them; 'snakeprov verify {path}' checks all."


def _directory(client: Client, path: str, project: str) -> str | None:
    for folder in reversed(folders_above(path)):
        if client.provenance.find(f"{folder}/", project=project).results:
            return f"It lies in {folder}/, a directory that is recorded as a whole: ask about {folder}/ instead."
    return None


def _of_run(run: Run, path: str) -> str | None:
    name = f"run {run.id[:8]}"
    if path in (run.config_files):
        return (
            f"It is a config file of {name}, which recorded the values in it and not the file: 'snakeprov find "
            "config.NAME=VALUE' finds what was made with one."
        )
    key = next((key for key, value in _texts("", run.config) if value == path), None)
    if key is None:
        return None
    return f"The config of {name} names it ({key}). What a Snakefile itself reads is not recorded."


def _texts(key: str, value: Any) -> Iterator[tuple[str, str]]:
    """Yield every text in a nested value with its key, such as `samples.table`."""
    if isinstance(value, str):
        yield key, value.removeprefix("./")
    elif isinstance(value, Mapping):
        for name, part in value.items():
            yield from _texts(f"{key}.{name}" if key else str(name), part)
    elif isinstance(value, list):
        for part in value:
            yield from _texts(key, part)
