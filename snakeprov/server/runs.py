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
from snakeprov.server import permissions, values, wire
from snakeprov.server.call import Answer, Call, plain_number, shown
from snakeprov.server.refusals import bad_request, conflict, forbidden, not_found

RUNS_PAGE_DEFAULT = 20
JOBS_PAGE_DEFAULT = 100
OUTPUTS_PAGE_DEFAULT = 1000
PAGE_MAX = 10_000
PREFIX_CHARS_MIN = 4

_RUN_ID = re.compile(r"[0-9A-Za-z_-]{1,64}")


def put(call: Call) -> Answer:
    """PUT /runs/{id}: creates or replaces."""
    run = call.read(StoredRun)
    id_ = call.route["id"]
    if run.id != id_:
        raise bad_request(f"The body has the id {shown(run.id)}, the path {shown(id_)}.")
    if not _RUN_ID.fullmatch(id_):
        raise bad_request(f"{shown(id_)} is not a run id: 1 to 64 letters and digits were expected.")
    known = runs.owner(call.tx, id_)
    _check_may_put(call, run.project, known)
    before = None if known is None else runs.get(call.tx, id_)
    if (patch := _patch_of(run)) is not None and (before is None or patch != _patch_of(_record(before))):
        check_named(call, patch)
    is_new = runs.put(
        call.tx,
        id_,
        user=call.user.id,
        project_id=(known and known.project_id) or lookup.project_id(call.tx, run.project),
        started_on=None if run.started_on is None else times.to_ms(run.started_on),
        values=values.of_run(run),
        project=run.project,
        status=run.status,
        git_commit=run.git.commit if run.git else None,
        git_dirty=run.git.dirty if run.git else None,
        record=msgspec.json.encode(run).decode(),
    )
    return (201 if is_new else 200), Run(**msgspec.structs.asdict(run))


def patch_handle(call: Call) -> int:
    """Return the file handle of a run's patch.

    Raises:
        Refusal: 404, there is no such run, or no patch of it; 403, the user may not download from its project.
    """
    run = existing(call)
    named = _patch_of(_record(run))
    if named is None:
        raise not_found(f"No patch of run {run.id} is recorded.")
    check_may_download(call, run)
    return plain_number(named, what="a file handle id")


def listing(call: Call) -> Answer:
    """GET /runs: the user's own and those of projects that the user may read, newest first."""
    limit = call.number("limit", default=RUNS_PAGE_DEFAULT, least=1, most=PAGE_MAX)
    offset = call.number("offset", default=0)
    rows, total = runs.page(call.tx, limit=limit, offset=offset, reader=call.user.reader)
    return 200, Page(results=_with_jobs(call, rows), total_number_of_results=total)


def read(call: Call) -> Answer:
    """GET /runs/{id}."""
    return 200, _with_jobs(call, [existing(call)])[0]


def jobs_of(call: Call) -> Answer:
    """GET /runs/{id}/jobs: in the order they ended."""
    run = existing(call)
    limit = call.number("limit", default=JOBS_PAGE_DEFAULT, least=1, most=PAGE_MAX)
    rows, total = jobs.page(call.tx, run.id, limit=limit, offset=call.number("offset", default=0))
    outputs = jobs.outputs_of(call.tx, [row.number for row in rows])
    results = [_job(row, outputs.get(row.number, [])) for row in rows]
    return 200, Page(results=results, total_number_of_results=total)


def outputs_of(call: Call) -> Answer:
    """GET /runs/{id}/outputs: newest last."""
    run = existing(call)
    limit = call.number("limit", default=OUTPUTS_PAGE_DEFAULT, least=1, most=PAGE_MAX)
    rows, total = jobs.run_outputs(call.tx, run.id, limit=limit, offset=call.number("offset", default=0))
    return 200, Page(results=[_output(row) for row in rows], total_number_of_results=total)


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
