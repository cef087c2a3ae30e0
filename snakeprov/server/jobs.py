"""/snakeprov/v1/jobs: jobs, and which versions of which files they touched.

Must not know: how rows are kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated

import msgspec
from msgspec import Meta

from snakeprov.db import access, activities, jobs, lineage, runs
from snakeprov.db.access import READ, UPDATE
from snakeprov.db.jobs import JobFileRow, JobRow
from snakeprov.model import times
from snakeprov.model.answers import JobFile, JobId, Page, RecordedJob, Role, UsedLink
from snakeprov.model.records import StoredJob
from snakeprov.server import downloads, pages, permissions, values, wire
from snakeprov.server.activities import readable as readable_activity
from snakeprov.server.call import Call, Transfer, entity_number, plain_number
from snakeprov.server.refusals import bad_request, conflict, forbidden, not_found, shown
from snakeprov.server.runs import check_may_add, check_may_download, check_named, is_visible, named_run
from snakeprov.server.services import Access, Services

service = Services("Runs and jobs")

_ID_PREFIX = re.compile("[0-9a-f]{4,31}")

FILES_MAX = 1_000_000
"""How many files one job can have."""

JOBS_MAX = 1000
"""Maximum number of jobs in an answer."""

URLS_MAX = 100_000
"""Maximum number of URLs in an answer, for all its jobs."""

WRITTEN: frozenset[Role] = frozenset({"output", "log", "benchmark"})


class JobBody(msgspec.Struct, rename="camel"):
    """A job to record."""

    job: StoredJob
    activity_id: str | None = None
    files: list[JobFile] = []


class JobsBody(msgspec.Struct, rename="camel"):
    """Which jobs: some by their ids, those of a run, or the one from which an activity was recorded."""

    ids: list[str] | None = None
    run_id: str | None = None
    activity_id: str | None = None
    limit: Annotated[int, Meta(ge=1, le=JOBS_MAX)] = 100
    after: str = ""


@service("PUT", "/snakeprov/v1/jobs/{id}", status=201)
def put(call: Call, body: JobBody) -> JobId:
    """Records a job, once."""
    job = body.job
    if job.id != call.route["id"]:
        raise bad_request(f"The body has the id {shown(job.id)}, the path {shown(call.route['id'])}.")
    run = runs.owner(call.tx, job.run_id)
    if run is None:
        raise not_found(f"There is no run with id {job.run_id}.")
    check_may_add(call, run)
    if jobs.is_recorded(call.tx, job.id):
        raise conflict(f"A job with id {job.id} is already recorded.")
    if len(body.files) > FILES_MAX:
        raise bad_request(f"The job has {len(body.files)} files; at most {FILES_MAX} are allowed.")
    activity_id = _activity(call, body.activity_id)
    _check_files(call, body.files)
    check_named(call, job.environment_file_handle_id)
    columns = {
        "id": job.id,
        "run_id": job.run_id,
        "rule": job.rule,
        "status": job.status,
        "attempt": job.attempt,
        "started_on": None if job.started_on is None else times.to_ms(job.started_on),
        "ended_on": None if job.ended_on is None else times.to_ms(job.ended_on),
        "activity_id": activity_id,
        "wildcards": msgspec.json.encode(job.wildcards).decode(),
        "error": job.error,
        "record": msgspec.json.encode(job).decode(),
    }
    files = _files(call, body.files, own=activity_id)
    jobs.insert(call.tx, columns=columns, files=files, values=values.of_job(job))
    return JobId(id=job.id)


@service("GET", "/snakeprov/v1/jobs/{id}")
def read(call: Call) -> RecordedJob:
    """A job."""
    return told(call, _named(call, call.route["id"]))


def _named(call: Call, text: str) -> JobRow:
    """Return the job that is named by its id, or by the beginning of it.

    Raises:
        Refusal: 404, there is none that the user may see; 400, the beginning fits several.
    """
    exact = jobs.get(call.tx, text)
    found = [exact] if exact is not None else []
    if exact is None and _ID_PREFIX.fullmatch(text):
        found = jobs.beginning_with(call.tx, text)
    visible = [row for row in found if _may_see(call, row.run_id)]
    if not visible:
        raise not_found(f"There is no job with id {shown(text)}.")
    if len(visible) > 1:
        raise bad_request(f"Several jobs begin with {shown(text)}: {', '.join(row.id for row in visible)}.")
    return visible[0]


@service("GET", "/snakeprov/v1/jobs/{id}/environment", answer=bytes, access=Access.DOWNLOADS)
def environment(call: Transfer) -> None:
    """The document that describes what a job ran in.

    For everybody who may see its run and download from its project.
    """
    id_ = call.route["id"]
    with call.reading():
        row = jobs.get(call.tx, id_)
        run = None if row is None else runs.owner(call.tx, row.run_id)
        if row is None or run is None or not _may_see(call, row.run_id):
            raise not_found(f"There is no job with id {shown(id_)}.")
        named = msgspec.json.decode(row.record, type=StoredJob).environment_file_handle_id
        if named is None:
            raise not_found(f"No environment of job {shown(id_)} is recorded.")
        check_may_download(call, run)
    downloads.send(call, plain_number(named, what="a file handle id"))


@service("POST", "/snakeprov/v1/jobs", access=Access.READS)
def listing(call: Call, body: JobsBody) -> Page[RecordedJob]:
    """Jobs that the user may see, with their files and URLs, by one of `ids`, `runId` and `activityId`.

    With `ids` those jobs, in the order given; with `runId` those of a run, in the order they ended; with `activityId`
    the one from which an activity was recorded, if it was.
    """
    if sum(one is not None for one in (body.ids, body.run_id, body.activity_id)) != 1:
        raise bad_request("One of 'ids', 'runId' and 'activityId' was expected.")
    if body.run_id is not None:
        return _of_run(call, body, body.run_id)
    if body.activity_id is not None:
        number = plain_number(body.activity_id, what="an activity id")
        found = jobs.of_activity(call.tx, readable_activity(call, number).id)
        rows = [found] if found is not None else []
    else:
        ids = body.ids or []
        if len(ids) > JOBS_MAX:
            raise bad_request(f"{len(ids)} jobs are asked for; at most {JOBS_MAX} are allowed.")
        rows = jobs.with_ids(call.tx, ids)
    runs_seen = {run_id for run_id in {row.run_id for row in rows} if _may_see(call, run_id)}
    return Page(results=_with_files(call, [row for row in rows if row.run_id in runs_seen]))


def _of_run(call: Call, body: JobsBody, run_id: str) -> Page[RecordedJob]:
    after = pages.key_of(body.after, tuple[pages.Whole, pages.Whole])
    rows = jobs.of_run(call.tx, named_run(call, run_id).id, after=after, limit=body.limit + 1)
    rows, following = pages.cut(rows, body.limit, lambda row: (row.listed_on, row.number))
    return Page(results=_with_files(call, rows), next=following)


def _with_files(call: Call, rows: list[JobRow]) -> list[RecordedJob]:
    """Return jobs with their files and the URLs that their activities used."""
    files = jobs.files_of(call.tx, [row.number for row in rows])
    urls: dict[int | None, list[UsedLink]] = {}
    ids = [row.activity_id for row in rows if row.activity_id is not None]
    for usage in lineage.urls_used_by(call.tx, ids, limit=URLS_MAX):
        link = UsedLink(url=usage.url or "", was_executed=bool(usage.was_executed), name=usage.name)
        urls.setdefault(usage.activity_id, []).append(link)
    return [_recorded(row, files.get(row.number, ()), urls=urls.get(row.activity_id, [])) for row in rows]


def told(call: Call, row: JobRow) -> RecordedJob:
    """Return a job with its files as it goes over the wire."""
    return _recorded(row, jobs.files(call.tx, row.number))


def _recorded(row: JobRow, files: Iterable[JobFileRow], *, urls: list[UsedLink] | None = None) -> RecordedJob:
    """Return a job with its files, and with the URLs that its activity used where these are given."""
    return RecordedJob(
        job=msgspec.json.decode(row.record, type=StoredJob),
        activity_id=wire.optional_id(row.activity_id),
        files=[wire.job_file(file) for file in files],
        urls=urls,
    )


def _activity(call: Call, text: str | None) -> int | None:
    if text is None:
        return None
    number = plain_number(text, what="an activity id")
    owner = activities.owner(call.tx, number)
    if owner is None:
        raise not_found(f"Activity with id '{number}' could not be found.")
    if owner != call.user.id and not permissions.is_trusted(call):
        raise forbidden(f"Only the user who created activity {number} can record a job of it.")
    return number


def _may_see(call: Call, run_id: str) -> bool:
    """Return whether the user may see the jobs of a run: those who may see the run may."""
    if permissions.is_trusted(call):
        return True
    run = runs.owner(call.tx, run_id)
    return run is not None and is_visible(call, run)


def _check_files(call: Call, files: Iterable[JobFile]) -> None:
    """Refuse (403) files that the user may not read, and files written that the user may not change."""
    if permissions.is_trusted(call):
        return
    needs = {
        entity_number(file.entity_id): UPDATE if file.role in WRITTEN else READ
        for file in sorted(files, key=lambda file: file.role in WRITTEN)
        if file.entity_id is not None
    }
    projects = access.projects_of(call.tx, needs)
    # One question for each project, however many files there are.
    questions = {(projects[id_], need): id_ for id_, need in needs.items() if id_ in projects}
    for (project_id, need), id_ in questions.items():
        permissions.check(call, id_, project_id=project_id, permission=need)


def _files(call: Call, files: Iterable[JobFile], *, own: int | None) -> list[JobFileRow]:
    rows = []
    known: set[int | None] = {None, own}
    for file in files:
        entity_id = None if file.entity_id is None else entity_number(file.entity_id)
        if (entity_id is None) != (file.version_number is None):
            raise bad_request(f"The file {shown(file.path)} needs both entityId and versionNumber, or neither.")
        if (
            entity_id is not None
            and file.version_number is not None
            and not jobs.has_version(call.tx, entity_id, file.version_number)
        ):
            raise not_found(f"Cannot find a node with id syn{entity_id} and version {file.version_number}")
        activity_id = None if file.activity_id is None else plain_number(file.activity_id, what="an activity id")
        if activity_id not in known:
            known.add(_activity(call, file.activity_id))
        rows.append(
            JobFileRow(file.role, file.path, entity_id, file.version_number, file.sha256, file.outcome, activity_id)
        )
    return rows
