"""Files that changed without a job, for a methods section."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from snakeprov.export.material import Material
from snakeprov.model import meant
from snakeprov.model.answers import Version

NAMED_MAX: Final = 10
"""More files than this are only counted."""


def sentences(material: Material) -> Iterator[str]:
    """Yield a sentence for each file that was edited by hand, or that looks like a copy of another."""
    generated = material.generated()
    versions = [version for version in material.versions.values() if version.id not in generated]
    every = [told for version in versions if (told := _sentence(material, version))]
    yield from every[:NAMED_MAX]
    if len(every) > NAMED_MAX:
        yield f"{len(every) - NAMED_MAX} more files were edited by hand or copied."


def _sentence(material: Material, version: Version) -> str:
    meaning = version.meaning
    if meaning is None or meaning.kind == "again":
        return ""
    if meaning.kind == "edited":
        made = _made(material, version)
        return f"{version.label} was {meant.changed_by_hand(meaning, path=version.path, made=made)}."
    target = meant.name_of(meaning, path=version.path)
    return f"{version.label} has the same content as {target or 'another file'}; no job is known to have made it."


def _made(material: Material, version: Version) -> str:
    makings = material.makings.get(version.meant_id or "", ())
    names = {activity.id: activity.name for activity in material.activities}
    return f" (made by {names[makings[-1].activity_id]})" if makings else ""
