"""Find a file in Synapse by its path, name by name, and similar names if it is missing."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final, Literal, TypeVar

from snakeprov.errors import UsageError
from snakeprov.model.answers import SelectedVersions, Version
from snakeprov.model.entities import File, Folder
from snakeprov.model.paths import to_names
from snakeprov.synapse.names import from_synapse_name, to_synapse_name

if TYPE_CHECKING:
    from snakeprov.client.resources import Entities

NEAR_MAX: Final = 3
SIBLINGS_MAX: Final = 200
"""Maximum number of files in a folder compared for similar names."""

_Kind = TypeVar("_Kind", File, Folder)

_SECOND: Final[dict[type[File | Folder], Literal["file", "folder"]]] = {File: "file", Folder: "folder"}

_PROJECT_ID: Final = re.compile(r"syn[0-9]{1,18}")


def find(entities: Entities, path: str, *, project: str | None) -> SelectedVersions:
    """Return the files recorded at `path` in a project, which is named or given by its id.

    Raises:
        UsageError: No project is given.
    """
    if project is None:
        raise UsageError(
            "Synapse has to be told the project that a path lies in.",
            hint="Give --project, or set `project` in snakeprov.toml.",
        )
    is_id = _PROJECT_ID.fullmatch(project) is not None
    project_id = project if is_id else entities.find_child(None, to_synapse_name(project))
    for candidate in (path, path.rstrip("/") + "/"):
        *above, last = to_names(candidate) or ("",)
        folder_id = project_id
        for name in above:
            folder_id = folder_id and folder_in(entities, folder_id, name)
        entity = file_in(entities, folder_id, last) if folder_id else None
        if entity is not None:
            match = Version(
                path=candidate,
                project_id=project_id,
                project_name=project,
                entity_id=entity.id or "",
                version_number=entity.version_number or 1,
            )
            return SelectedVersions(results=[match])
    return SelectedVersions(results=[], near=_near(entities, project_id, to_names(path)) if project_id else [])


def file_beside(entities: Entities, entity_id: str, path: str, other: str) -> Version | None:
    """Return the file that is at the path `other` of the project in which a file is at `path`, as `find` does."""
    above = entities.path(entity_id)[: -len(to_names(path))]
    found = find(entities, other, project=above[-1]).results if above else []
    return found[0] if found else None


def folder_in(entities: Entities, parent_id: str, name: str) -> str | None:
    """Return the id of the folder of that name on disk in a project or folder, or None."""
    found = _child(entities, parent_id, name, Folder)
    return None if found is None else found.id


def file_in(entities: Entities, parent_id: str, name: str) -> File | None:
    """Return the file of that name on disk in a project or folder, or None."""
    return _child(entities, parent_id, name, File)


def _child(entities: Entities, parent_id: str, name: str, kind: type[_Kind]) -> _Kind | None:
    for second in (None, _SECOND[kind]):
        found_id = entities.find_child(parent_id, to_synapse_name(name, second=second))
        if found_id is None:
            return None
        found = entities.get(found_id)
        if isinstance(found, kind):
            return found
    return None


def _near(entities: Entities, parent_id: str, names: Sequence[str]) -> list[str]:
    """Return paths of files that differ from one that is not there in one name, which is alike."""
    position = 0
    while position < len(names) and (found := folder_in(entities, parent_id, names[position])):
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
