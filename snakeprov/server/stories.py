"""/snakeprov/v1/stories: how versions came to be, each by one of its makings.

Must not know: how rows are kept.
"""

from __future__ import annotations

import msgspec

from snakeprov.db import fileversions, jobs, makings, readings, revisions, runs
from snakeprov.db.entities import EntityRow
from snakeprov.db.lineage import Version
from snakeprov.model.answers import Making, Stories, Story, ToldVersion
from snakeprov.server import jobs as job_resource
from snakeprov.server import runs as run_resource
from snakeprov.server import wire
from snakeprov.server.activities import body_of as activity_body
from snakeprov.server.call import Call, entity_number, plain_number
from snakeprov.server.entities import existing
from snakeprov.server.fileversions import VersionId, making, with_makings
from snakeprov.server.refusals import Refusal, bad_request
from snakeprov.server.services import Access, Services

service = Services("Questions")

STORIES_MAX = 100
"""How many stories one request can ask for."""


class StoryWanted(VersionId, rename="camel"):
    """A version, and which of its makings is wanted: by an activity, or as a reader had it; else the latest.

    Attributes:
        activity_id: One of the activities that wrote these bytes.
        reader_activity_id: An activity that used the version; the latest making that had ended when it began is wanted.
    """

    activity_id: str | None = None
    reader_activity_id: str | None = None


class StoriesBody(msgspec.Struct):
    """Which versions to tell of."""

    versions: list[StoryWanted]


@service("POST", "/snakeprov/v1/stories", access=Access.READS)
def stories(call: Call, body: StoriesBody) -> Stories:
    """The stories of versions, in the order asked: each with the activity, the job and the run of one of its makings.

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
    job = None if activity_id is None else jobs.of_activity(call.tx, activity_id)
    run = None if job is None else runs.get(call.tx, job.run_id)
    if run is None or not run_resource.is_visible(call, run):
        job = run = None
    return Story(
        entity=wire.entity_name(row),
        version=_version(call, (row.id, row.number)),
        previous_version_number=revisions.before(call.tx, row.id, row.number),
        activity=None if activity_id is None else activity_body(call, activity_id),
        job=None if job is None else job_resource.told(call, job),
        run=None if run is None else run_resource.told(run),
    )


def _version(call: Call, version: Version) -> ToldVersion:
    (told,) = with_makings(call, fileversions.with_ids(call.tx, [version], reader=None))
    meaning = told.meaning
    # Without an entity it is in another project, of which nothing is told.
    if meaning is None or meaning.entity_id is None:
        return told
    meaning = msgspec.structs.replace(meaning, making=_making_meant(call, version))
    return msgspec.structs.replace(told, meaning=meaning)


def _making_meant(call: Call, version: Version) -> Making | None:
    """Return what had made the version that the bytes of a version point at; None where nothing did."""
    link = readings.meant_by(call.tx, [version]).get(version)
    if link is None:
        return None
    asked = (link.target, link.seen_on)
    activity_id = readings.tellings(call.tx, [asked], call.user.reader)[asked]
    return None if activity_id is None else making(activity_id, jobs.made(call.tx, [activity_id]).get(activity_id))
