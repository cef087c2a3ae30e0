"""What Synapse knows of one file, one of its versions, or one user."""

from __future__ import annotations

from typing import Final

from snakeprov.client.connection import Connection
from snakeprov.client.session import quoted
from snakeprov.errors import ForbiddenError, NotFoundError
from snakeprov.model import meant
from snakeprov.model.activity import Activity
from snakeprov.model.answers import EntityName, Meaning
from snakeprov.model.entities import Body, File
from snakeprov.synapse import pathwalk
from snakeprov.synapse.jobmark import marked
from snakeprov.synapse.names import from_synapse_name

PAGE: Final = 50
"""Versions per request."""

VERSIONS_MAX: Final = 1000
"""Maximum number of versions of a file searched for one."""


class Facts:
    """Asks Synapse for facts; files and users are asked for once. Not thread-safe."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._latest: dict[str, File | None] = {}
        self._users: dict[str, str] = {}

    def page(self, entity_id: str, *, limit: int, offset: int) -> Body:
        """Return a page of what Synapse lists of the versions of an entity, newest first."""
        path = f"/repo/v1/entity/{quoted(entity_id)}/version"
        return dict(self._connection.session.get(path, {"limit": limit, "offset": offset}))

    def info(self, entity_id: str, version_number: int) -> tuple[Body, int | None]:
        """Return what Synapse lists of a version, and the number of the version before it. Raises NotFoundError."""
        found: Body | None = None
        for offset in range(0, VERSIONS_MAX, PAGE):
            results = self.page(entity_id, limit=PAGE, offset=offset)["results"]
            for info in results:
                if found is not None:
                    return found, int(info["versionNumber"])
                if int(info["versionNumber"]) == version_number:
                    found = dict(info)
            if len(results) < PAGE:
                break
        if found is not None:
            return found, None
        reason = f"Cannot find a node with id {entity_id} and version {version_number}"
        raise NotFoundError(f"{entity_id} has no version {version_number}.", status=404, reason=reason)

    def entity(self, entity_id: str) -> EntityName:
        """Return what a file is called. Raises NotFoundError."""
        latest = self.file(entity_id)
        if latest is None:
            raise NotFoundError(f"There is no file {entity_id}.", status=404, reason="not a file")
        path = self.path(entity_id, latest.version_number or 1)
        return EntityName(id=entity_id, name=latest.name or entity_id, path=path)

    def path(self, entity_id: str, version_number: int) -> str:
        """Return the path that was noted of a version, else the name of the file, else its id."""
        return self.path_noted(entity_id, self.noted(entity_id, version_number))

    def path_noted(self, entity_id: str, noted: dict[str, str]) -> str:
        """Return the path that is among what was noted of a version, else the name of the file, else its id."""
        latest = self.file(entity_id)
        name = from_synapse_name(latest.name or entity_id) if latest is not None else entity_id
        return str(noted.get("path") or name)

    def file(self, entity_id: str) -> File | None:
        """Return a file at its current version; None if it is not readable, does not exist, or is not a file."""
        if entity_id not in self._latest:
            try:
                found = self._connection.entities.get(entity_id)
            except (NotFoundError, ForbiddenError):
                found = None
            self._latest[entity_id] = found if isinstance(found, File) else None
        return self._latest[entity_id]

    def noted(self, entity_id: str, version_number: int) -> dict[str, str]:
        """Return what snakeprov noted about a version, by the names without their prefix."""
        path = f"/repo/v1/entity/{quoted(entity_id)}/version/{version_number}/annotations2"
        try:
            found = self._connection.session.get(path)["annotations"]
        except (NotFoundError, ForbiddenError):
            return {}
        return {
            key.removeprefix("snakeprov."): str(one["value"][0])
            for key, one in found.items()
            if key.startswith("snakeprov.") and one["value"]
        }

    def meaning(self, entity_id: str, version_number: int, noted: dict[str, str]) -> Meaning | None:
        """Return what is among what was noted of the meaning of a version.

        A new version begins with the annotations of the one before: they are its own only if they name its md5.
        """
        meaning = meaning_of(noted, entity_id=entity_id, path=self.path_noted(entity_id, noted))
        if meaning is None or noted.get("md5") != self.info(entity_id, version_number)[0].get("contentMd5"):
            return None
        return meaning

    def meant(self, entity_id: str, path: str, meaning: Meaning) -> tuple[str, int] | None:
        """Return the version that a meaning refers to, of a version at `path`; None where it is not there any more."""
        number = meaning.version_number
        if number is None or meaning.path is None:
            return None
        if meaning.entity_id is not None:
            return meaning.entity_id, number
        try:
            found = pathwalk.file_beside(self._connection.entities, entity_id, path, meaning.path)
        except (NotFoundError, ForbiddenError):
            return None
        return (found.entity_id, number) if found is not None and found.version_number >= number else None

    def generated_by(self, entity_id: str, version_number: int) -> Activity | None:
        """Return the activity that generated a version; None if it has none, or if the user may not read it."""
        try:
            return self._connection.entities.generated_by(entity_id, version_number=version_number)
        except ForbiddenError:
            return None

    def user(self, principal: object) -> str | None:
        """Return the name of a user, or else the number; None for nobody."""
        if principal is None:
            return None
        number = str(principal)
        if number not in self._users:
            try:
                profile = self._connection.session.get(f"/repo/v1/userProfile/{quoted(number)}")
                self._users[number] = str(profile.get("userName") or number)
            except (NotFoundError, ForbiddenError):
                self._users[number] = number
        return self._users[number]


def job_of(activity: Activity | None) -> tuple[str, str] | None:
    """Return the ids of the job and of the run that an Activity stands for."""
    return marked(activity.description) if activity is not None else None


def below(prefix: str, noted: dict[str, str]) -> dict[str, str]:
    """Return what was noted under names with a prefix, without it."""
    return {key.removeprefix(prefix): value for key, value in noted.items() if key.startswith(prefix)}


def meaning_of(noted: dict[str, str], *, entity_id: str, path: str) -> Meaning | None:
    """Return what was noted of the meaning of the bytes of a version.

    >>> meaning_of({"meaning": "edited", "meaningOf": "@1"}, entity_id="syn2", path="a.txt").version_id
    'syn2.1'
    """
    kind = next((one for one in meant.EDGES if one == noted.get("meaning")), None)
    other, at, number = noted.get("meaningOf", "").rpartition("@")
    if kind is None:
        return None
    if not at or not number.isdecimal():
        return Meaning(kind=kind)
    return Meaning(
        kind=kind,
        entity_id=None if other else entity_id,
        path=other or path,
        version_number=int(number),
        while_job_id=noted.get("whileJob"),
        while_rule=noted.get("whileRule"),
    )
