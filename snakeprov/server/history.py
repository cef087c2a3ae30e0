"""/snakeprov/v1/entity/{id}/history, /version/{version}/story and /stories: how versions came to be.

Must not know: how rows are kept.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from snakeprov.server import jobs as job_resource
from snakeprov.server import meanings, wire
from snakeprov.server import runs as run_resource
from snakeprov.server.activities import body_of as activity_body
from snakeprov.server.call import NUMBER_MAX, Answer, Call, entity_number, plain_number
from snakeprov.server.entities import existing
from snakeprov.server.refusals import Refusal, bad_request
from snakeprov.store import jobs, revisions, runs
from snakeprov.store import meanings as meaning_store
from snakeprov.store.entities import EntityRow
from snakeprov.store.revisions import VersionRow
from snakeprov.store.tables import STORED

PAGE_DEFAULT = 100
PAGE_MAX = 10_000

STORIES_MAX = 100
"""How many stories one request can ask for."""


class StoryWanted(msgspec.Struct, rename="camel"):
    """A version, and which of the activities that made these bytes is to be told of; None: the first."""

    entity_id: str
    version_number: Annotated[int, msgspec.Meta(ge=1, le=NUMBER_MAX)]
    activity_id: str | None = None


class StoriesBody(msgspec.Struct):
    """Which versions to tell of."""

    versions: list[StoryWanted]


def listing(call: Call) -> Answer:
    """GET /entity/{id}/history: newest first."""
    row = existing(call, call.entity_id())
    limit = call.number("limit", default=PAGE_DEFAULT, least=1, most=PAGE_MAX)
    versions = revisions.page(call.tx, row.id, limit=limit, offset=call.number("offset", default=0))
    return 200, {
        "entity": _entity(row),
        "versions": _versions(call, row, versions),
        "totalNumberOfResults": revisions.count(call.tx, row.id),
    }


def story(call: Call) -> Answer:
    """GET /entity/{id}/version/{version}/story: one version, its activity, job and run."""
    row = existing(call, call.entity_id(), number=call.version())
    return 200, _story(call, row, row.activity_id)


def stories(call: Call) -> Answer:
    """POST /stories: in the order asked; null for what there is not or may not be read."""
    wanted = call.read(StoriesBody).versions
    if len(wanted) > STORIES_MAX:
        raise bad_request(f"{len(wanted)} stories are asked for; at most {STORIES_MAX} are allowed.")
    return 200, {"results": [_wanted(call, one) for one in wanted]}


def _wanted(call: Call, wanted: StoryWanted) -> dict[str, Any] | None:
    entity_id = entity_number(wanted.entity_id)
    activity_id = None if wanted.activity_id is None else plain_number(wanted.activity_id, what="an activity id")
    try:
        row = existing(call, entity_id, number=wanted.version_number)
    except Refusal:
        return None
    if activity_id in (None, row.activity_id):
        return _story(call, row, row.activity_id)
    if activity_id not in jobs.reproduced_by(call.tx, row.id, [row.number]).get(row.number, []):
        return None
    told = _story(call, row, activity_id)
    # The activity can be of another project than the file: whoever may not see its job may not see it.
    return told if told["job"] is not None else None


def _story(call: Call, row: EntityRow, activity_id: int | None) -> dict[str, Any]:
    """Return all that is known of a version, as the activity made it that first did or one that did again."""
    version = revisions.one(call.tx, row.id, row.number)
    job = None if activity_id is None else jobs.of_activity(call.tx, activity_id)
    run = None if job is None else runs.get(call.tx, job.run_id)
    if run is None or not run_resource.is_visible(call, run):
        job = run = None
    return {
        "entity": _entity(row),
        "version": _versions(call, row, [version] if version else [])[0],
        "previousVersionNumber": revisions.before(call.tx, row.id, row.number),
        "activity": None if activity_id is None else activity_body(call, activity_id),
        "job": None if job is None else job_resource.body_of(call, job),
        "run": None if run is None else run_resource.body_of(run),
    }


def _entity(row: EntityRow) -> dict[str, Any]:
    return {"id": f"syn{row.id}", "name": row.name, "path": row.path}


def _versions(call: Call, row: EntityRow, versions: list[VersionRow]) -> list[dict[str, Any]]:
    made = jobs.made(call.tx, {version.activity_id for version in versions if version.activity_id is not None})
    again = jobs.reproduced_by(call.tx, row.id, [version.number for version in versions])
    meant = meaning_store.of(call.tx, [(row.id, version.number) for version in versions if version.meaning])
    bodies = []
    for version in versions:
        job = None if version.activity_id is None else made.get(version.activity_id)
        dirty = None if job is None or job.git_dirty is None else bool(job.git_dirty)
        body: dict[str, Any] = {
            "versionNumber": version.number,
            "createdOn": wire.time(version.created_on),
            "createdBy": version.created_by,
            "sha256": version.sha256,
            "md5": version.md5,
            "sizeBytes": version.size_bytes,
            "bytesKept": version.file_kind == STORED,
            "activityId": None if version.activity_id is None else str(version.activity_id),
            "rule": None if job is None else job.rule,
            "runId": None if job is None else job.run_id,
            "commit": None if job is None else job.git_commit,
            "dirty": None if dirty is None else bool(dirty),
            "reproducedBy": [str(activity_id) for activity_id in again.get(version.number, [])],
        }
        if (meaning := meant.get((row.id, version.number))) is not None:
            body["meaning"] = meanings.body(meaning)
        bodies.append(body)
    return bodies
