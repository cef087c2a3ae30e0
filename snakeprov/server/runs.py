"""/snakeprov/v1/runs: invocations of Snakemake, their jobs and what these made.

Must not know: how rows are kept.
"""

from __future__ import annotations

import re

import msgspec

from snakeprov.db import access, jobs, lookup, runs, tokens
from snakeprov.db.access import CREATE, DOWNLOAD
from snakeprov.db.jobs import JobFileRow, JobSummaryRow, OutputRow
from snakeprov.db.runs import RunOwner, RunRow
from snakeprov.model import times
from snakeprov.model.answers import JobSummary, MadeVersion, Page, Run
from snakeprov.model.records import JobStatus, StoredRun
from snakeprov.server import downloads, pages, permissions, values, wire
from snakeprov.server.call import Call, Transfer, plain_number
from snakeprov.server.pages import PageQuery
from snakeprov.server.refusals import bad_request, conflict, forbidden, not_found, shown
from snakeprov.server.services import Access, Services

service = Services("Runs and jobs")

PREFIX_CHARS_MIN = 4

_RUN_ID = re.compile(r"[0-9A-Za-z_-]{1,64}")


@service("PUT", "/snakeprov/v1/runs/{id}", status=201, others={200: "The run is replaced."})
def put(call: Call, body: StoredRun) -> Run:
    """Makes a run or replaces it."""
    id_ = call.route["id"]
    if body.id != id_:
        raise bad_request(f"The body has the id {shown(body.id)}, the path {shown(id_)}.")
    if not _RUN_ID.fullmatch(id_):
        raise bad_request(f"{shown(id_)} is not a run id: 1 to 64 letters and digits were expected.")
    known = runs.owner(call.tx, id_)
    _check_may_put(call, body.project, known)
    before = None if known is None else runs.get(call.tx, id_)
    if (patch := _patch_of(body)) is not None and (before is None or patch != _patch_of(_record(before))):
        check_named(call, patch)
    is_new = runs.put(
        call.tx,
        id_,
        user=call.user.id,
        project_id=(known and known.project_id) or lookup.project_id(call.tx, body.project),
        started_on=None if body.started_on is None else times.to_ms(body.started_on),
        values=values.of_run(body),
        project=body.project,
        status=body.status,
        git_commit=body.git.commit if body.git else None,
        git_dirty=body.git.dirty if body.git else None,
        record=msgspec.json.encode(body).decode(),
    )
    if not is_new:
        call.status = 200
    return Run(**msgspec.structs.asdict(body))


@service("GET", "/snakeprov/v1/runs/{id}/patch", answer=bytes, access=Access.DOWNLOADS)
def patch(call: Transfer) -> None:
    """How the code of a run differed from its commit, as a diff.

    For everybody who may see the run and download from its project.
    """
    with call.reading():
        run = existing(call)
        named = _patch_of(_record(run))
        if named is None:
            raise not_found(f"No patch of run {run.id} is recorded.")
        check_may_download(call, run)
    downloads.send(call, plain_number(named, what="a file handle id"))


@service("GET", "/snakeprov/v1/runs")
def listing(call: Call, query: PageQuery) -> Page[Run]:
    """Runs, newest first: the user's own and those of projects that the user may read."""
    after, reader = pages.key_of(query.after, tuple[pages.Whole, str]), call.user.reader
    rows = runs.page(call.tx, after=after, limit=query.limit + 1, reader=reader)
    rows, following = pages.cut(rows, query.limit, lambda row: (row.started_on, row.id))
    total = None if after else runs.count(call.tx, reader=reader)
    return Page(results=_with_jobs(call, rows), next=following, total_number_of_results=total)


@service("GET", "/snakeprov/v1/runs/{id}")
def read(call: Call) -> Run:
    """A run, by its id or the beginning of it."""
    return _with_jobs(call, [existing(call)])[0]


@service("GET", "/snakeprov/v1/runs/{id}/jobs")
def jobs_of(call: Call, query: PageQuery) -> Page[JobSummary]:
    """The jobs of a run, in the order in which they ended."""
    run = existing(call)
    after = pages.key_of(query.after, tuple[pages.Whole, pages.Whole])
    rows = jobs.page(call.tx, run.id, after=after, limit=query.limit + 1)
    rows, following = pages.cut(rows, query.limit, lambda row: (row.listed_on, row.number))
    outputs = jobs.outputs_of(call.tx, [row.number for row in rows])
    results = [_job(row, outputs.get(row.number, [])) for row in rows]
    total = None if after else jobs.count(call.tx, run.id)
    return Page(results=results, next=following, total_number_of_results=total)


@service("GET", "/snakeprov/v1/runs/{id}/outputs")
def outputs_of(call: Call, query: PageQuery) -> Page[MadeVersion]:
    """What a run made, the latest first."""
    run = existing(call)
    after = pages.key_of(query.after, tuple[pages.Whole, pages.Whole, pages.Whole])
    rows = jobs.outputs(call.tx, run.id, after=after, limit=query.limit + 1)
    rows, following = pages.cut(rows, query.limit, lambda row: (row.listed_on, row.job_number, row.position))
    total = None if after else jobs.count_outputs(call.tx, run.id)
    return Page(results=[_output(row) for row in rows], next=following, total_number_of_results=total)


def existing(call: Call) -> RunRow:
    """Return the run that the path names. Raises as `named_run`."""
    return named_run(call, call.route["id"])


def named_run(call: Call, text: str) -> RunRow:
    """Return the run that is named by its id, or by the beginning of it.

    Raises:
        Refusal: 404, there is none that the user may see; 400, the beginning is too short or fits several.
    """
    exact = runs.get(call.tx, text)
    if exact is not None and is_visible(call, exact):
        return exact
    if not _RUN_ID.fullmatch(text):
        raise not_found(f"There is no run with id {shown(text)}.")
    if len(text) < PREFIX_CHARS_MIN:
        raise bad_request(f"{shown(text)} is too short for a run id: at least {PREFIX_CHARS_MIN} characters of it.")
    found = runs.beginning_with(call.tx, text, reader=call.user.reader)
    if not found:
        raise not_found(f"There is no run with id {shown(text)}.")
    if len(found) > 1:
        ids = ", ".join(row.id for row in found)
        raise bad_request(f"Several runs begin with {shown(text)}: {ids}.")
    return found[0]


def is_visible(call: Call, row: RunRow | RunOwner) -> bool:
    """Say whether the user may see a run: as who recorded it, or as who may read its project."""
    return permissions.may_see_run(call, created_by=row.created_by, project_id=row.project_id)


def check_may_add(call: Call, row: RunOwner) -> None:
    """Refuse to change a run or to add a job to it, unless the user may add to its project.

    Raises:
        Refusal: 404, the user may not even see it; 403, the user may only see it.
    """
    if permissions.may_add_to_run(call, created_by=row.created_by, project_id=row.project_id):
        return
    if not is_visible(call, row):
        raise not_found(f"There is no run with id {row.id}.")
    raise forbidden(f"You lack the CREATE permission on the project of run {row.id}.")


def told(row: RunRow, *, jobs: dict[JobStatus, int] | None = None) -> Run:
    """Return a run as it goes over the wire, with how many of its jobs ended how where that is given."""
    return Run(**msgspec.structs.asdict(_record(row)) | {"status": row.status}, jobs=jobs)


def check_may_download(call: Call, row: RunRow | RunOwner) -> None:
    """Refuse (403) the bytes that a run and its jobs name, unless it is the user's or in a project to download from."""
    if permissions.is_trusted(call):
        return
    permissions.check_scope(call.user, tokens.DOWNLOAD)
    is_shared = row.project_id is not None and permissions.may(call, row.project_id, DOWNLOAD)
    if row.created_by != call.user.id and not is_shared:
        raise forbidden(f"You lack the DOWNLOAD permission on the project of run {row.id}.")


def _record(row: RunRow) -> StoredRun:
    return msgspec.json.decode(row.record, type=StoredRun)


def _patch_of(run: StoredRun) -> str | None:
    return run.git.patch_file_handle_id if run.git is not None else None


def check_named(call: Call, file_handle_id: str | None) -> None:
    """Refuse (403) a record that names bytes which the user may not have: who may see it could have them then."""
    if file_handle_id is None or permissions.is_trusted(call):
        return
    number = plain_number(file_handle_id, what="a file handle id")
    if not access.handle_is_readable(call.tx, number, call.user.reader):
        raise forbidden(f"You may not have the bytes of file handle {number}.")


def _check_may_put(call: Call, project: str, known: RunOwner | None) -> None:
    """Refuse a run of a project to which the user may not add (403), and the id of a run that the user may not see."""
    if permissions.is_trusted(call):
        return
    if known is not None:
        if not is_visible(call, known):
            raise conflict(f"The run id {known.id} is taken.")
        check_may_add(call, known)
    project_id = lookup.project_id(call.tx, project)
    if project_id is not None:
        permissions.check(call, project_id, project_id=project_id, permission=CREATE)


def _with_jobs(call: Call, rows: list[RunRow]) -> list[Run]:
    counts = runs.job_counts(call.tx, [row.id for row in rows])
    return [told(row, jobs=counts.get(row.id, {})) for row in rows]


def _job(row: JobSummaryRow, outputs: list[JobFileRow]) -> JobSummary:
    return JobSummary(
        id=row.id,
        rule=row.rule,
        status=row.status,
        wildcards=msgspec.json.decode(row.wildcards),
        attempt=row.attempt,
        started_on=wire.optional_time(row.started_on),
        ended_on=wire.optional_time(row.ended_on),
        error=row.error,
        activity_id=wire.optional_id(row.activity_id),
        outputs=[wire.job_file(file) for file in outputs],
    )


def _output(row: OutputRow) -> MadeVersion:
    return MadeVersion(
        path=row.path,
        entity_id=wire.entity_id(row.entity_id),
        version_number=row.version,
        rule=row.rule,
        outcome=row.outcome,
        job_id=row.job_id,
        created_on=wire.time(row.created_on),
        sha256=row.sha256,
        size_bytes=row.size_bytes,
    )
