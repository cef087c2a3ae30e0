"""The raw inputs of results: files that no recorded job made, and addresses that jobs read."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from snakeprov.export.material import Activity, Material


class RawInput(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A file that no recorded job made, or an address.

    Attributes:
        path: Of a file, as it was recorded.
        version_number: Of a file.
        sha256: Of a file, where it was read.
        url: Of what was read from elsewhere.
    """

    path: str | None = None
    version_number: int | None = None
    sha256: str | None = None
    url: str | None = None

    @property
    def name(self) -> str:
        """What it is called in a sentence."""
        return self.path or self.url or ""


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
