"""Jobs that were to make a file and failed, and any job by its id.

Must not know: how a job is shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from snakeprov.cli import spelling
from snakeprov.cli.repository import current_folder
from snakeprov.errors import BadRequestError, NotFoundError, NotRecordedError, UsageError
from snakeprov.model.projects import project_of
from snakeprov.view import times

if TYPE_CHECKING:
    from snakeprov.client import Client
    from snakeprov.places import Place

SEARCHED_MAX: Final = 20
"""Number of recent failures searched for one in the wanted project."""


def ask(client: Client, job_id: str) -> dict[str, Any]:
    """Return a job with its Activity and its run, by its id or the beginning of it: `{job, activity, run}`.

    Raises:
        NotRecordedError: There is none.
        UsageError: Several are meant.
    """
    try:
        body = client.jobs.get(job_id)
    except NotFoundError as error:
        hint = "'snakeprov run ID' lists the failed jobs of a run."
        raise NotRecordedError(f"No job whose id begins with {job_id!r} is recorded.", hint=hint) from error
    except BadRequestError as error:
        raise UsageError(f"{job_id!r} does not name one job.", hint="Give more of its id.") from error
    activity_id = body.get("activityId")
    return {
        "job": body,
        "activity": None if activity_id is None else dict(client.activities.get(activity_id)),
        "run": client.runs.get(body["job"]["runId"]),
    }


def last(client: Client, place: Place, typed: str, *, project: str | None) -> dict[str, Any] | None:
    """Return the last job that was to make a file and failed, `{jobId, rule, endedOn, path}`, or None."""
    named = spelling.read(typed)
    if not client.backend.keeps_runs or not isinstance(named, list):
        return None
    own = project or project_of(place.settings, place.root, place.store)
    here, root = str(current_folder()), str(place.root)
    for path in spelling.candidates(named[0].path, here=here, root=root):
        for one in client.provenance.search([("unmade", path)], limit=SEARCHED_MAX)["results"]:
            if client.runs.get(one["runId"]).get("project") == own:
                return {**one, "path": path.rstrip("/")}
    return None


def later(
    client: Client, place: Place, typed: str, story: Mapping[str, Any], *, project: str | None
) -> dict[str, Any] | None:
    """Return the last failure of a job that was to make a file, if nothing has made the file since."""
    failed = last(client, place, typed, project=project)
    ended = None if failed is None else times.parse(failed.get("endedOn"))
    job = (story.get("job") or {}).get("job") or {}
    moments = [job.get("endedOn") or story["version"].get("createdOn")]
    moments += [one.get("endedOn") for one in story["version"].get("makings") or ()]
    known = [moment for text in moments if (moment := times.parse(text)) is not None]
    return failed if ended is not None and all(moment < ended for moment in known) else None
