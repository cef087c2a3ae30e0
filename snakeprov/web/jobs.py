"""What a job did, as a part of the page of a file, and the page of a job that made none."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from snakeprov.client import Client, contents
from snakeprov.errors import BadRequestError, NotFoundError
from snakeprov.model.answers import Done, JobFile, Run
from snakeprov.model.records import StoredJob
from snakeprov.view import environment, reasons, story, text, times
from snakeprov.web import urls
from snakeprov.web.http import Response
from snakeprov.web.visit import Visit

LOG_BYTES_MAX: Final = 1_000_000
"""The end is shown of no larger log."""

LOG_LINES_MAX: Final = 20
FILES_MAX: Final = 200
"""More files of one kind are only counted."""

BENCHMARKS_MAX: Final = 5


class LogEnd(NamedTuple):
    """The last lines of a log; `file`: whole, where it is kept."""

    lines: str
    file: JobFile | None = None
    problem: str = ""


class Told(NamedTuple):
    """A job as a page shows it."""

    job: StoredJob
    run: Run | None
    took: str
    commit: str
    commit_url: str
    reason: str
    incomplete: str
    sections: list[story.Section]
    params: list[tuple[str, Any]]
    resources: list[tuple[str, Any]]
    benchmark: list[tuple[str, list[Any]]]
    command: str
    log: LogEnd | None
    environment: dict[str, str]
    tables: list[tuple[str, list[tuple[str, ...]]]]
    packages_unknown: str
    has_patch: bool
    problem: str


def show(visit: Visit, job_id: str) -> Response:
    """Return the page of a job."""
    client = visit.client
    try:
        found = client.jobs.get(job_id)
    except NotFoundError:
        return visit.unknown(f"No job whose id begins with {text.short_id(job_id, length=40)} is recorded.")
    except BadRequestError:
        return visit.unknown(f"{text.short_id(job_id, length=40)} does not name one job.", hint="Give more of its id.")
    activity = None if found.activity_id is None else dict(client.activities.get(found.activity_id))
    done = Done(job=found, activity=activity, run=client.runs.get(found.job.run_id))
    job = found.job
    return visit.page(
        "job.html",
        title=f"Job {text.short_id(job.id)} of rule {job.rule}"[:200],
        job=job,
        told=tell(client, done),
        command=f"snakeprov show job:{text.short_id(job.id)}",
    )


def tell(client: Client, done: Done) -> Told | None:
    """Return what is known of a job; None where nothing was recorded of one."""
    job, run = done.record, done.run
    if job is None:
        return None
    git = None if run is None else run.git
    document = None if job.environment_file_handle_id is None else contents.environment(client, job.id)
    names = list(dict.fromkeys(name for one in job.benchmark[:BENCHMARKS_MAX] for name in one))
    return Told(
        job=job,
        run=run,
        took=times.between(job.started_on, job.ended_on),
        commit="" if git is None else text.short_commit(git.commit, dirty=git.dirty),
        commit_url="" if git is None else urls.of_commit(git.remote, git.commit),
        reason=reasons.folded(job.reason or ""),
        incomplete="; ".join([*job.incomplete, *(run.missing if run else ())]),
        sections=[one for one in story.sections(done, job) if one.rows or one.links],
        params=list(job.params.items()),
        resources=list(story.resources(job).items()),
        benchmark=[(name, [one.get(name, "") for one in job.benchmark[:BENCHMARKS_MAX]]) for name in names],
        command="\n".join(story.dedented((job.shellcmd or "").strip("\n").splitlines())),
        log=log_end(client, done),
        environment=story.environment_facts(job, run),
        tables=list(environment.tables(document or {})) if document else [],
        packages_unknown="" if environment.are_packages_known(document or {}) else environment.PACKAGES_UNKNOWN,
        has_patch=git is not None and git.patch_file_handle_id is not None,
        problem="" if git is not None else (run.git_problem or "not under version control") if run else "",
    )


def log_end(client: Client, done: Done) -> LogEnd | None:
    """Return the end of the log of a job: what was kept of it on failure, or else of its first log that is kept."""
    job = done.record
    if job is not None and job.log_excerpt:
        return LogEnd(_last_lines(job.log_excerpt))
    for file in done.files:
        if file.role != "log" or file.entity_id is None or file.version_number is None:
            continue
        kept = contents.beginning(client, file.entity_id, file.version_number, size_bytes_max=LOG_BYTES_MAX)
        if kept is None:
            return LogEnd("", file, "Its bytes are not kept, or you may not download them.")
        if len(kept) > LOG_BYTES_MAX:
            return LogEnd("", file, f"It is larger than {text.size(LOG_BYTES_MAX)}: download it.")
        return LogEnd(
            _last_lines(kept.decode("utf-8", "backslashreplace")), file, "" if kept.strip() else "It is empty."
        )
    return None


def _last_lines(whole: str) -> str:
    lines = whole.strip("\n").split("\n")
    cut = ["\u2026"] if len(lines) > LOG_LINES_MAX else []
    return "\n".join([*cut, *lines[-LOG_LINES_MAX:]])
