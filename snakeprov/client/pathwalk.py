"""Finding a file in Synapse by its path, name by name, and what is alike where there is none.

Must not know: what the file is wanted for.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final

from snakeprov.errors import UsageError
from snakeprov.model.entities import File
from snakeprov.model.paths import to_names
from snakeprov.model.synapsenames import from_synapse_name, to_synapse_name

if TYPE_CHECKING:
    from snakeprov.client.resources import Entities

NEAR_MAX: Final = 3
SIBLINGS_MAX: Final = 200
"""So many files in a folder are looked at for names that are alike."""

_PROJECT_ID: Final = re.compile(r"syn[0-9]{1,18}")


def find(entities: Entities, path: str, *, project: str | None) -> dict[str, Any]:
    """Return the files recorded at `path` in a project, which is named or given by its id: `{matches, near}`.

    Raises:
        UsageError: It is not said in which project.
    """
    if project is None:
        raise UsageError(
            "Synapse has to be told the project that a path lies in.",
            hint="Give --project, or set `project` in snakeprov.toml.",
        )
    is_id = _PROJECT_ID.fullmatch(project) is not None
    project_id = project if is_id else entities.find_child(None, to_synapse_name(project))
    for candidate in (path, path.rstrip("/") + "/"):
        found = project_id
        for name in to_names(candidate):
            found = found and entities.find_child(found, to_synapse_name(name))
        entity = entities.get(found) if found else None
        if isinstance(entity, File):
            match = {
                "path": candidate,
                "projectId": project_id,
                "projectName": project,
                "entityId": entity.id,
                "name": entity.name,
                "versionNumber": entity.version_number,
            }
            return {"matches": [match], "near": []}
    return {"matches": [], "near": _near(entities, project_id, to_names(path)) if project_id else []}


def _near(entities: Entities, parent_id: str, names: Sequence[str]) -> list[str]:
    """Return paths of files that differ from one that is not there in one name, which is alike."""
    position = 0
    while position < len(names) and (found := entities.find_child(parent_id, to_synapse_name(names[position]))):
        parent_id, position = found, position + 1
    if position == len(names):
        return []
    above, below = names[:position], names[position + 1 :]
    wanted = ".Folder" if below else ".FileEntity"
    siblings = {
        from_synapse_name(one["name"]): str(one["id"])
        for one in entities.children(parent_id, limit=SIBLINGS_MAX)
        if str(one["type"]).endswith(wanted)
    }
    near = []
    for name in get_close_matches(names[position], siblings, n=NEAR_MAX):
        at: str | None = siblings[name]
        for part in below:
            at = at and entities.find_child(at, to_synapse_name(part))
        if at is not None:
            near.append("/".join((*above, name, *below)))
    return near
