"""`snakeprov show`: show how a version of a file was made."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from snakeprov.cli import options, output
from snakeprov.cli.examples import examples
from snakeprov.errors import ForbiddenError, NotRecordedError

if TYPE_CHECKING:
    from snakeprov.client import Client
    from snakeprov.model.answers import Done
    from snakeprov.model.records import StoredGit


@click.command(
    "show",
    epilog=examples(
        ("show results/table.csv", "how its latest version was made"),
        ("show results/table.csv@1", "how version 1 was made"),
        ("show results/figure.png --json", "for a program"),
    ),
)
@options.versioned_path
@click.option(
    "--patch", "wanted", flag_value="patch", help="Print the difference of the code from its commit, as a diff."
)
@click.option("--environment", "wanted", flag_value="environment", help="Print the software that the job ran in.")
@options.project
@options.common
def command(path: str, wanted: str | None, project: str | None, store: str | None, as_json: bool) -> None:
    """Show how a file was made.

    Shows what made the latest version, or version @N: what was used and executed, with which params, by which command,
    when, where and why. For job:ID, and for an output that was never made because its job failed, it shows the error of
    the job, the end of its log and its command.
    """
    from snakeprov.cli import failedjobs, target, targetsyntax
    from snakeprov.cli.store import opened
    from snakeprov.model.answers import Story
    from snakeprov.view import documents, environment, story

    later = unmade = found = None
    answer: Done
    with opened(store) as (place, client):
        named = targetsyntax.read(path)
        if isinstance(named, targetsyntax.JobId):
            answer = failedjobs.ask(client, named.text)
        else:
            try:
                found = target.find(client, place, path, project=project)
            except NotRecordedError:
                failed = failedjobs.last(client, place, path, project=project)
                if failed is None:
                    raise
                unmade, answer = failed.path, failedjobs.ask(client, failed.job_id or "")
        if found is not None:
            answer = told = target.ask(client, found, lambda: client.provenance.story(found.entity_id, found.number))
            if found.version_number is None:
                later = failedjobs.later(client, place, path, told, project=project)
        name = path if found is None else f"{found.name}@{found.number}"
        content = _content(client, answer, name, wanted) if wanted else b""
    if wanted == "patch":
        output.write_json({"patch": content.decode(errors="replace")}) if as_json else output.write_bytes(content)
    elif wanted == "environment":
        document = json.loads(content)
        output.write_json(document) if as_json else output.write_lines(environment.listing(document, output.screen()))
    elif as_json:
        output.write_json(documents.show(answer))
    elif isinstance(answer, Story):
        output.write_lines(story.story(answer, output.screen(), later_failure=later))
    else:
        output.write_lines(story.failed(answer, output.screen(), unmade=unmade))


def _content(client: Client, done: Done, name: str, wanted: str) -> bytes:
    """Return the bytes of the patch, or of the environment's document, of the version called `name`.

    Raises:
        NotRecordedError: There is none.
    """
    job, git = done.record, done.run.git if done.run else None
    if job is not None and (_is_patch_kept(git) if wanted == "patch" else job.environment_file_handle_id is not None):
        try:
            return client.runs.patch(job.run_id) if wanted == "patch" else client.jobs.environment(job.id)
        except ForbiddenError as error:
            raise ForbiddenError(
                f"You do not have permission to see the {wanted} of {name}. {error.reason}",
                status=error.status,
                reason=error.reason,
            ) from error
    if wanted == "patch" and git is not None and git.commit and not git.dirty:
        raise NotRecordedError(f"There is no patch of {name}: its code is that of commit {git.commit[:8]}.")
    if wanted == "patch" and git is not None and git.dirty:
        raise NotRecordedError(
            f"There is no patch of {name}: no file of its commit differed, but code ran that the commit does not hold.",
            hint="'snakeprov show' lists the code; its bytes are kept.",
        )
    raise NotRecordedError(
        f"The {wanted} of {name} is not recorded." if job else f"No recorded job made {name}.",
        hint="'snakeprov show' says what is." if job else "",
    )


def _is_patch_kept(git: StoredGit | None) -> bool:
    return git is not None and git.patch_file_handle_id is not None
