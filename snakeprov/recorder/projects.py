"""Finding or making, in a store, the project that a working directory is.

The identity of the project stands in the description of its entity. A project of the same name with another identity,
or one that this user may not see, belongs to somebody else.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from snakeprov.client import Client
from snakeprov.disk.projects import StoredProject, is_own, names_of, note_project, noted_project
from snakeprov.errors import ConfigError, ConflictError, ForbiddenError, NotFoundError
from snakeprov.model.entities import File, Folder, Project
from snakeprov.model.records import RunRecord

REPO: Final = "/repo/v1"

_MARK: Final = "snakeprov project"

_RACES_MAX: Final = 3
"""How often a name is looked up again that somebody else took at the same moment."""


class Projects:
    """Names the projects of runs in one store."""

    def __init__(self, client: Client, working_directory: Path, store: str) -> None:
        """Prepare for runs in `working_directory` whose records go to `store`, which `client` reaches."""
        self._client = client
        self._working_directory = working_directory
        self._store = store
        self._names: dict[str, str] = {}

    def name_of(self, run: RunRecord, *, as_taken: Callable[[str], str]) -> str:
        """Return the name of the run's project in the store; a project that is not there yet is made.

        Args:
            run: The run.
            as_taken: Returns a name as the store takes it.

        Raises:
            ConfigError: Each name that it could have is taken.
            RemoteError: The store refused, or is not able to answer now.
        """
        identity = run.project_identity
        if identity is None:
            return run.project
        if identity not in self._names:
            stored = self._noted(identity) or self._found(run.project, identity, as_taken)
            note_project(self._working_directory, self._store, identity, stored)
            self._names[identity] = stored.name
        return self._names[identity]

    def find(self, run: RunRecord, *, as_taken: Callable[[str], str]) -> str | None:
        """Return the name of the run's project in the store, None where it is not there yet; nothing is written.

        Args:
            run: The run.
            as_taken: Returns a name as the store takes it.

        Raises:
            RemoteError: The store refused, or is not able to answer now.
        """
        identity = run.project_identity
        if identity is None:
            return run.project
        stored = self._noted(identity)
        for candidate in names_of(run.project, identity) if stored is None else ():
            name = as_taken(candidate)
            entity_id = self._client.entities.find_child(None, name)
            if entity_id is not None:
                with suppress(ForbiddenError):
                    stored = self._ours(entity_id, name, identity)
            if stored is not None:
                break
        return None if stored is None else stored.name

    def _noted(self, identity: str) -> StoredProject | None:
        """Return the project that the working directory has noted, by the name that it has now."""
        noted = noted_project(self._working_directory, self._store)
        if noted is None:
            return None
        try:
            entity = self._client.entities.get(noted.entity_id)
        except (NotFoundError, ForbiddenError):
            return None
        if not isinstance(entity, Project) or not (_is_marked(entity, identity) or entity.name == noted.name):
            return None
        return StoredProject(noted.entity_id, entity.name or noted.name) if self._may_add(noted.entity_id) else None

    def _found(self, name: str, identity: str, as_taken: Callable[[str], str]) -> StoredProject:
        """Return the project under the first of its names that nobody else has; made, if it is not there."""
        for candidate in names_of(name, identity):
            for _ in range(_RACES_MAX):
                try:
                    found = self._at(as_taken(candidate), identity)
                except ConflictError:  # somebody was faster, or has a project that cannot be seen
                    continue
                except ForbiddenError:
                    break
                if found is not None:
                    return found
                break
        raise ConfigError(f"Each name that the project {name} could have is taken.", hint="Set `project` to another.")

    def _at(self, name: str, identity: str) -> StoredProject | None:
        """Return the project if it has this name, or takes it now; None where somebody else has it."""
        entities = self._client.entities
        found_id = entities.find_child(None, name)
        if found_id is None:
            made = entities.create(Project(name=name, description=f"{_MARK} {identity}"))
            return StoredProject(str(made.id), name)
        return self._ours(found_id, name, identity)

    def _ours(self, entity_id: str, name: str, identity: str) -> StoredProject | None:
        """Return a project if it has this identity, or none in the working directory's own store; else None."""
        entity = self._client.entities.get(entity_id)
        is_unmarked = _MARK not in (entity.description or "")
        if _is_marked(entity, identity) or (is_unmarked and is_own(self._working_directory, self._store)):
            return StoredProject(entity_id, name) if self._may_add(entity_id) else None
        return None

    def _may_add(self, entity_id: str) -> bool:
        """Return whether this user may add to a project: a copy of a working directory can be another user's."""
        session = self._client.session
        return not session.is_over_a_socket or bool(
            session.get(f"{REPO}/entity/{entity_id}/permissions").get("canAddChild", True)
        )


def _is_marked(entity: Project | Folder | File, identity: str) -> bool:
    return f"{_MARK} {identity}" in (entity.description or "")
