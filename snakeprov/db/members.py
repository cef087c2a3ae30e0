"""Files inside a recorded directory that have their own versions, and the versions of that directory.

A file that is found as the manifest of the directory above it lists it has the activity of the directory. So the
versions that one activity generated at a directory and below it belong together: reading one means reading the other.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import and_, select

from snakeprov.db.database import Transaction
from snakeprov.db.keys import listed, numbers, pairs
from snakeprov.db.lineage import Version
from snakeprov.db.tables import entity, revision
from snakeprov.model.paths import folders_above

_WANTED, _ID, _NUMBER = pairs("versions")
_MADE = (
    select(revision.c.activity_id, revision.c.entity_id, revision.c.number, entity.c.path)
    .select_from(
        _WANTED.join(revision, and_(revision.c.entity_id == _ID, revision.c.number == _NUMBER)).join(
            entity, entity.c.id == revision.c.entity_id
        )
    )
    .where(revision.c.activity_id.is_not(None))
)
_OF_THESE = (
    select(revision.c.activity_id, revision.c.entity_id, revision.c.number, entity.c.path)
    .select_from(revision.join(entity, entity.c.id == revision.c.entity_id))
    .where(revision.c.activity_id.in_(numbers("activities")))
    .order_by(revision.c.entity_id, revision.c.number)
)
_DIRECTORIES = _OF_THESE.where(entity.c.path.like("%/"))


def of_directories(tx: Transaction, versions: Collection[Version]) -> dict[Version, list[Version]]:
    """Return the files inside of those of some versions that are directories."""
    above: dict[tuple[int, str], list[Version]] = {}
    for activity_id, entity_id, number, path in _made(tx, versions):
        if path.endswith("/"):
            above.setdefault((activity_id, path), []).append((entity_id, number))
    found: dict[Version, list[Version]] = {}
    activities = {activity_id for activity_id, _ in above}
    for activity_id, entity_id, number, path in tx.rows(_OF_THESE, _activities(activities)) if above else ():
        for folder in folders_above(path):
            for directory in above.get((activity_id, folder + "/"), ()):
                found.setdefault(directory, []).append((entity_id, number))
    return found


def directories_of(tx: Transaction, versions: Collection[Version]) -> dict[Version, list[Version]]:
    """Return the directories that those of some versions are in that lie in one, the oldest version first."""
    inside = [row for row in _made(tx, versions) if "/" in row[3].rstrip("/")]
    directories: dict[tuple[int, str], list[Version]] = {}
    activities = {row[0] for row in inside}
    for activity_id, entity_id, number, path in tx.rows(_DIRECTORIES, _activities(activities)) if inside else ():
        directories.setdefault((activity_id, path), []).append((entity_id, number))
    found: dict[Version, list[Version]] = {}
    for activity_id, entity_id, number, path in inside if directories else ():
        above = [one for folder in folders_above(path) for one in directories.get((activity_id, folder + "/"), ())]
        if above:
            found[entity_id, number] = above
    return found


def _made(tx: Transaction, versions: Collection[Version]) -> list[tuple[int, int, int, str]]:
    return [tuple(row) for row in tx.rows(_MADE, {"versions": listed(versions)})] if versions else []


def _activities(ids: Collection[int]) -> dict[str, str]:
    return {"activities": listed(sorted(ids))}
