"""Find the failed job that was to make a file, and any job by its id."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from snakeprov.cli import targetsyntax
from snakeprov.cli.store import current_folder
from snakeprov.disk.projects import project_of
from snakeprov.errors import BadRequestError, NotFoundError, NotRecordedError, UsageError
from snakeprov.model.answers import Done, SearchResult
from snakeprov.view.story import is_later

if TYPE_CHECKING:
    from snakeprov.client import Client
    from snakeprov.model.answers import Story
    from snakeprov.places import Place

SEARCHED_MAX: Final = 20
"""Number of recent failures searched for one in the wanted project."""


def ask(client: Client, job_id: str) -> Done:
    """Return a job with its Activity and its run, by its id or the beginning of it.

    Raises:
        NotRecordedError: There is none.
        UsageError: Several are meant.
    """
    try:
        found = client.jobs.get(job_id)
    except NotFoundError as error:
        hint = "'snakeprov run ID' lists the failed jobs of a run."
        raise NotRecordedError(f"No job whose id begins with {job_id!r} is recorded.", hint=hint) from error
    except BadRequestError as error:
        raise UsageError(f"{job_id!r} does not name one job.", hint="Give more of its id.") from error
    return Done(
        job=found,
        activity=None if found.activity_id is None else client.activities.get(found.activity_id),
        run=client.runs.get(found.job.run_id),
    )


def last(client: Client, place: Place, typed: str, *, project: str | None) -> SearchResult | None:
    """Return the last job that was to make a file and failed, with the path of that file; or None."""
    named = targetsyntax.read(typed)
    if not client.backend.keeps_runs or not isinstance(named, list):
        return None
    own = project or project_of(place.settings, place.root, place.store)
    here, root = str(current_folder()), str(place.root)
    for path in targetsyntax.candidates(named[0].path, here=here, root=root):
        for one in client.provenance.search([("unmade", path)], limit=SEARCHED_MAX).results:
            if one.run_id is not None and client.runs.get(one.run_id).project == own:
                return replace(one, path=path.rstrip("/"))
    return None


def later(client: Client, place: Place, typed: str, story: Story, *, project: str | None) -> SearchResult | None:
    """Return the last failure of a job that was to make a file, if nothing has made the file since."""
    failed = last(client, place, typed, project=project)
    return failed if failed is not None and is_later(failed, story) else None
