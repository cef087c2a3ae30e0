"""The raw inputs of results: files that no recorded job made, and addresses that jobs read."""

from __future__ import annotations

from collections.abc import Iterable

from snakeprov.export.material import Activity, Material
from snakeprov.model.methods import RawInput


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
