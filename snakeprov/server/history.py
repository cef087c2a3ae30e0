"""/snakeprov/v1/entity/{id}/history, /version/{version}/story and /stories: how versions came to be.

Must not know: how rows are kept.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from snakeprov.db import jobs, makings, readings, revisions, runs
from snakeprov.db.entities import EntityRow
from snakeprov.db.jobs import MadeBy
from snakeprov.db.lineage import Version
from snakeprov.db.revisions import VersionRow
from snakeprov.db.tables import PRUNED, STORED
from snakeprov.model.answers import EntityName, History, Making, Meaning, Role, Stories, Story, ToldVersion
from snakeprov.server import jobs as job_resource
from snakeprov.server import meanings, pages, wire
from snakeprov.server import runs as run_resource
from snakeprov.server.activities import body_of as activity_body
from snakeprov.server.call import Call, entity_number, plain_number
from snakeprov.server.entities import existing
from snakeprov.server.pages import PageQuery
from snakeprov.server.queries import NUMBER_MAX
from snakeprov.server.refusals import Refusal, bad_request
from snakeprov.server.services import Access, Services

service = Services("Questions")

STORIES_MAX = 100
"""How many stories one request can ask for."""


class StoryWanted(msgspec.Struct, rename="camel"):
    """A version, and which of its makings is wanted: by an activity, or as a reader had it; else the latest.

    Attributes:
        activity_id: One of the activities that wrote these bytes.
        reader_activity_id: An activity that used the version; the latest making that had ended when it began is wanted.
    """

    entity_id: str
    version_number: Annotated[int, msgspec.Meta(ge=1, le=NUMBER_MAX)]
    activity_id: str | None = None
    reader_activity_id: str | None = None


class StoriesBody(msgspec.Struct):
    """Which versions to tell of."""

    versions: list[StoryWanted]


@service("GET", "/snakeprov/v1/entity/{id}/history")
def listing(call: Call, query: PageQuery) -> History:
    """The versions of an entity and how they came to be."""
    row = existing(call, call.entity_id())
    after = pages.key_of(query.after, tuple[pages.Whole])
    (before,) = after or (revisions.VERSIONS_MAX + 1,)
    versions = revisions.page(call.tx, row.id, limit=query.limit + 1, before=before)
    versions, following = pages.cut(versions, query.limit, lambda version: (version.number,))
    return History(
        entity=_entity(row),
        results=_versions(call, row, versions),
        next=following,
        total_number_of_results=None if after else revisions.count(call.tx, row.id),
    )


@service("GET", "/snakeprov/v1/entity/{id}/version/{version}/story")
def story(call: Call) -> Story:
    """One version, and its latest making: activity, job and run."""
    row = existing(call, call.entity_id(), number=call.version())
    return _story(call, row, _latest(call, row))


@service("POST", "/snakeprov/v1/stories", access=Access.READS)
def stories(call: Call, body: StoriesBody) -> Stories:
    """The stories of several versions, in the order asked.

    Of their latest making; with `activityId` of the making by that activity; with `readerActivityId` of the making that
    an activity had before it. Null for what there is not or may not be read.
    """
    wanted = body.versions
    if len(wanted) > STORIES_MAX:
        raise bad_request(f"{len(wanted)} stories are asked for; at most {STORIES_MAX} are allowed.")
    return Stories(results=[_wanted(call, one) for one in wanted])


def _wanted(call: Call, wanted: StoryWanted) -> Story | None:
    entity_id = entity_number(wanted.entity_id)
    activity_id, reader_id = (
        None if text is None else plain_number(text, what="an activity id")
        for text in (wanted.activity_id, wanted.reader_activity_id)
    )
    try:
        row = existing(call, entity_id, number=wanted.version_number)
    except Refusal:
        return None
    version = (row.id, row.number)
    if reader_id is not None:
        moment = makings.began(call.tx, [reader_id]).get(reader_id, makings.NEVER)
        told = readings.tellings(call.tx, [(version, moment)], call.user.reader)[version, moment]
        return _story(call, row, told)
    if activity_id is None:
        return _story(call, row, _latest(call, row))
    if activity_id not in makings.of_versions(call.tx, [version], call.user.reader).get(version, ()):
        return None
    return _story(call, row, activity_id)


def _latest(call: Call, row: EntityRow) -> int | None:
    """Return the activity that wrote the bytes of a version last, of those that the user may see."""
    version = (row.id, row.number)
    return readings.tellings(call.tx, [(version, makings.NEVER)], call.user.reader)[version, makings.NEVER]


def _story(call: Call, row: EntityRow, activity_id: int | None) -> Story:
    """Return all that is known of a version, as one of the activities made it that wrote its bytes."""
    version = revisions.one(call.tx, row.id, row.number)
    job = None if activity_id is None else jobs.of_activity(call.tx, activity_id)
    run = None if job is None else runs.get(call.tx, job.run_id)
    if run is None or not run_resource.is_visible(call, run):
        job = run = None
    return Story(
        entity=_entity(row),
        version=_versions(call, row, [version] if version else [], with_makings_meant=True)[0],
        previous_version_number=revisions.before(call.tx, row.id, row.number),
        activity=None if activity_id is None else activity_body(call, activity_id),
        job=None if job is None else job_resource.told(call, job),
        run=None if run is None else run_resource.told(run),
    )


def _making_meant(call: Call, version: Version) -> Making | None:
    """Return what had made the version that the bytes of a version point at; None where nothing did."""
    link = readings.meant_by(call.tx, [version]).get(version)
    if link is None:
        return None
    asked = (link.target, link.seen_on)
    activity_id = readings.tellings(call.tx, [asked], call.user.reader)[asked]
    return None if activity_id is None else _making(activity_id, jobs.made(call.tx, [activity_id]).get(activity_id))


def _entity(row: EntityRow) -> EntityName:
    return EntityName(id=wire.entity_id(row.id), name=row.name, path=row.path)


def _versions(
    call: Call, row: EntityRow, versions: list[VersionRow], *, with_makings_meant: bool = False
) -> list[ToldVersion]:
    every = [(row.id, version.number) for version in versions]
    makers = makings.of_versions(call.tx, every, call.user.reader)
    made = jobs.made(call.tx, {activity_id for some in makers.values() for activity_id in some})
    facts = meanings.told(call.tx, every)
    found = []
    for version in versions:
        key = (row.id, version.number)
        made_by = [_making(one, made.get(one)) for one in makers.get(key, ())]
        told = facts.get(key, meanings.NOTHING)
        meaning = told.meaning
        # Without an entity it is in another project, of which nothing is told.
        if meaning is not None and meaning.entity_id is not None and with_makings_meant:
            meaning = msgspec.structs.replace(meaning, making=_making_meant(call, key))
        found.append(_version(row, version, made_by, role=told.role, meaning=meaning))
    return found


def _version(
    row: EntityRow, version: VersionRow, told: list[Making], *, role: Role | None, meaning: Meaning | None
) -> ToldVersion:
    latest = told[-1] if told else None
    generated_by = wire.optional_id(version.activity_id)
    return ToldVersion(
        entity_id=wire.entity_id(row.id),
        version_number=version.number,
        path=row.path or row.name,
        created_on=wire.time(version.created_on),
        created_by=version.created_by,
        sha256=version.sha256,
        md5=version.md5,
        size_bytes=version.size_bytes,
        bytes_kept=version.file_kind == STORED,
        bytes_pruned=version.file_kind == PRUNED or None,
        generated_by=generated_by,
        activity_id=latest.activity_id if latest else None,
        rule=latest.rule if latest else None,
        run_id=latest.run_id if latest else None,
        commit=latest.commit if latest else None,
        dirty=latest.dirty if latest else None,
        reproduced_by=[one.activity_id for one in told if one.activity_id != generated_by],
        makings=told,
        role=role,
        mode=version.mode,
        meaning=meaning,
    )


def _making(activity_id: int, job: MadeBy | None) -> Making:
    """Return a making as it goes over the wire; `job` is None where the activity was not recorded from one."""
    return Making(
        activity_id=str(activity_id),
        job_id=job.job_id if job else None,
        run_id=job.run_id if job else None,
        rule=job.rule if job else None,
        status=job.status if job else None,
        ended_on=wire.optional_time(job.ended_on) if job else None,
        commit=job.git_commit if job else None,
        dirty=wire.optional_truth(job.git_dirty) if job else None,
    )
