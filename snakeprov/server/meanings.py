"""What the bytes of a version mean, on its way in as query parameters and on its way out.

Must not know: SQL, or when a version means what.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Annotated, Final, NamedTuple

from msgspec import Meta

from snakeprov.db import entities, meanings, roles
from snakeprov.db.access import READ
from snakeprov.db.database import Transaction
from snakeprov.db.lineage import Version
from snakeprov.db.meanings import MeaningRow
from snakeprov.db.revisions import Meaning
from snakeprov.db.tables import AGAIN, EDITED, FILE, SAME_CONTENT, TRASH_ID
from snakeprov.db.trash import recorded_path
from snakeprov.model import answers
from snakeprov.model.answers import MeaningKind, Role
from snakeprov.model.paths import folders_above
from snakeprov.server import permissions, wire
from snakeprov.server.call import Call, entity_number
from snakeprov.server.queries import EntityId, Number, Query
from snakeprov.server.refusals import bad_request, not_found

KINDS: dict[MeaningKind, str] = {"again": AGAIN, "edited": EDITED, "sameContent": SAME_CONTENT}
"""What the wire calls a meaning, and what the store calls it."""

_NAMES: dict[str, MeaningKind] = {stored: name for name, stored in KINDS.items()}
OUTCOMES: dict[str, answers.Outcome | MeaningKind] = {"generated": "generated", "reproduced": "reproduced", **_NAMES}
"""What the wire calls how a version came to be: what an activity did, or what its bytes mean."""

_JOB_ID = re.compile(r"[0-9A-Za-z_-]{1,64}")


class MeaningQuery(Query, frozen=True):
    """What the bytes of a new version mean, in the terms of the version that they point at."""

    meaning: MeaningKind | None = None
    meaning_of: EntityId | None = None
    meaning_of_version: Number | None = None
    while_job: Annotated[str, Meta(pattern="^[0-9A-Za-z_-]{1,64}$")] | None = None


def asked(call: Call, query: MeaningQuery, *, entity_id: int | None = None) -> Meaning | None:
    """Return what the query says that the bytes of the next version of an entity mean; None where it says nothing.

    Args:
        call: The request.
        query: Its parameters.
        entity_id: The entity; None: one that is about to be made.

    Raises:
        Refusal: 400, the parameters do not make sense; 404, the version that they name is not there; 403, it may not
            be read.
    """
    of, of_version, while_job = query.meaning_of, query.meaning_of_version, query.while_job
    named = {"meaningOf": of, "meaningOfVersion": of_version}
    if query.meaning is None:
        for name, value in {**named, "whileJob": while_job}.items():
            if value is not None:
                raise bad_request(f"The query parameter {name!r} needs 'meaning'.")
        return None
    if of is None or of_version is None:
        missing = next(name for name, value in named.items() if value is None)
        raise bad_request(f"The query parameter {missing!r} is missing.")
    kind, of_entity_id = KINDS[query.meaning], entity_number(of)
    if while_job is not None and (kind != EDITED or not _JOB_ID.fullmatch(while_job)):
        raise bad_request("'whileJob' is the id of a job, and goes with meaning=edited only.")
    row = entities.get(call.tx, of_entity_id, number=of_version)
    if row is None or row.kind != FILE or row.project_id == TRASH_ID:
        raise not_found(f"There is no version {of_version} of a file syn{of_entity_id}.")
    permissions.check(call, row.id, project_id=row.project_id, permission=READ)
    if (kind == AGAIN) != (entity_id == of_entity_id) and kind != EDITED:
        whose = "the same file" if kind == AGAIN else "another file"
        raise bad_request(f"meaning={_NAMES[kind]} points at a version of {whose}, not of syn{of_entity_id}.")
    return Meaning(kind, of_entity_id, of_version, while_job)


def passes_on(call: Call, activity_id: int, meaning: Meaning | None, *, project_id: int, path: str) -> bool:
    """Say whether a version at a path was made by an activity because what that made is here again, or lies above."""
    if meaning is not None and meaning.kind == AGAIN:
        again = entities.get(call.tx, meaning.of_entity_id, number=meaning.of_version)
        if again is not None and again.activity_id == activity_id:
            return True
    above = [f"{folder}/" for folder in folders_above(path)]
    return bool(above) and meanings.has_made(call.tx, activity_id, project_id=project_id, paths=above)


class Told(NamedTuple):
    """The role of a version, which is what it was to the first job that named it, and what its bytes mean."""

    role: Role | None = None
    meaning: answers.Meaning | None = None


NOTHING: Final = Told()


def told(tx: Transaction, versions: Collection[Version]) -> dict[Version, Told]:
    """Return the role of some versions and what their bytes mean, of those of which either is known."""
    role = roles.of(tx, versions)
    meant = meanings.of(tx, versions)
    return {
        version: Told(role.get(version), body(meant[version]) if version in meant else None)
        for version in {**role, **meant}
    }


def body(row: MeaningRow, *, with_activity: bool = False) -> answers.Meaning:
    """Return what the bytes of a version mean as it goes over the wire; on request with the activity of its target."""
    is_there = row.of_entity_id is not None and row.of_version is not None and row.of_path is not None
    return answers.Meaning(
        kind=_NAMES[row.kind],
        entity_id=wire.optional_entity_id(row.of_entity_id) if is_there else None,
        version_number=row.of_version if is_there else None,
        path=recorded_path(row.of_path) if is_there and row.of_path is not None else None,
        while_job_id=row.while_job,
        while_rule=row.while_rule,
        activity_id=wire.optional_id(row.of_activity_id) if with_activity else None,
    )
