"""`snakeprov diff`: show how the making of two versions, or two runs, differs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click

from snakeprov.cli import options, output
from snakeprov.cli.examples import examples
from snakeprov.errors import UsageError

if TYPE_CHECKING:
    from snakeprov.cli.target import RunTarget, Target
    from snakeprov.client import Client
    from snakeprov.lineage.rundifference import RunDifference
    from snakeprov.model.answers import JobSummary, MadeVersion, Page, Story
    from snakeprov.places import Place

OUTPUTS_MAX = 10_000
"""Maximum number of outputs compared per run."""

JOBS_MAX = 2_000
"""Maximum number of jobs compared per run."""

_OTHER_VERSION = re.compile(r"@(\d{1,18})")


@click.command(
    "diff",
    epilog=examples(
        ("diff results/table.csv", "its last two versions"),
        ("diff results/table.csv@1 @2 --content", "and their lines"),
        ("diff results/table.csv data/penguins.csv", "two files"),
        ("diff run:aaaa run:bbbb", "two runs"),
    ),
)
@click.argument("old", metavar="A[@N]|run:ID")
@click.argument("new", metavar="[B[@M]|@M|run:ID]", required=False)
@click.option("--content", "with_content", is_flag=True, help="Show how the texts of the two files differ, too.")
@options.depth
@options.project
@options.common
def command(
    old: str,
    new: str | None,
    with_content: bool,
    depth: int | None,
    project: str | None,
    store: str | None,
    as_json: bool,
) -> None:
    """Compare how two results were made, or two runs.

    Lists the inputs, params, code and software that differ, and what changed the inputs upstream. A alone is compared
    with the version before it; @M is version M of A. For two runs: what they were started with, and which outputs
    differ. The first line is a sentence to paste into a mail.
    """
    from snakeprov.cli import target
    from snakeprov.cli.store import opened

    with opened(store) as (place, client):
        first = target.find_either(client, place, old, project=project)
        second: Target | RunTarget
        if new is None:
            first, second = _before(client, first), first
        elif (number := _OTHER_VERSION.fullmatch(new)) and isinstance(first, target.Target):
            second = first._replace(version_number=int(number[1]))
        else:
            second = target.find_either(client, place, new, project=project)
        if isinstance(first, target.RunTarget) and isinstance(second, target.RunTarget):
            if with_content or depth is not None:
                raise UsageError("--content and --depth are about files; two runs are compared.")
            _write_runs(_runs(client, first, second), as_json=as_json)
        elif isinstance(first, target.Target) and isinstance(second, target.Target):
            _versions(client, place, first, second, depth=depth, with_content=with_content, as_json=as_json)
        else:
            raise UsageError(
                f"A run cannot be compared with a file: {old}, {new}.", hint="Name two files or two runs (run:ID)."
            )


def _before(client: Client, named: RunTarget | Target) -> Target:
    """Return the version before one.

    Raises:
        UsageError: There is none, or a run is named.
    """
    from snakeprov.cli import target

    if isinstance(named, target.RunTarget):
        raise UsageError("One run alone cannot be compared.", hint="Name two: 'snakeprov runs' lists them.")
    number = target.ask(
        client, named, lambda: client.provenance.story(named.entity_id, named.number)
    ).previous_version_number
    if number is None:
        raise UsageError(
            f"{named.name} has no version before @{named.number} to compare with.",
            hint=f"'snakeprov show {named.name}@{named.number}' shows how it was made.",
        )
    return named._replace(version_number=number)


def _versions(
    client: Client, place: Place, first: Target, second: Target, *, depth: int | None, with_content: bool, as_json: bool
) -> None:
    from snakeprov.cli import target
    from snakeprov.cli.sources import content_of, sources_of
    from snakeprov.lineage import causes
    from snakeprov.lineage.changes import FileVersion
    from snakeprov.lineage.textdifference import text_difference
    from snakeprov.view import causes as screens
    from snakeprov.view import differencedocuments

    def story(found: Target) -> Story:
        return target.ask(client, found, lambda: client.provenance.story(found.entity_id, found.number))

    trace = causes.trace(
        story(first), story(second), sources_of(client, place.root), distance_max=depth or causes.DISTANCE_MAX
    )
    content = None
    if with_content:
        contents = [
            content_of(client, FileVersion(path=one.name, entity_id=one.entity_id, version_number=one.number))
            for one in (first, second)
        ]
        content = text_difference(*contents)
    if as_json:
        output.write_json(differencedocuments.diff(trace, content=content))
    else:
        output.write_lines(screens.diff(trace, output.screen(), content=content))


def _runs(client: Client, first: RunTarget, second: RunTarget) -> RunDifference:
    from snakeprov.cli.paging import collect
    from snakeprov.cli.sources import jobs_of
    from snakeprov.lineage.rundifference import compare_runs

    def outputs(run: RunTarget) -> Page[MadeVersion]:
        return collect(lambda **page: client.runs.outputs(run.id, **page), limit=OUTPUTS_MAX)

    def jobs(run: RunTarget) -> Page[JobSummary]:
        return collect(lambda **page: client.runs.jobs(run.id, **page), limit=JOBS_MAX)

    old, new = outputs(first), outputs(second)
    old_jobs, new_jobs = jobs(first), jobs(second)
    return compare_runs(
        first.record,
        second.record,
        old_outputs=old.results[::-1],
        new_outputs=new.results[::-1],
        old_jobs=jobs_of(client, old_jobs.results),
        new_jobs=jobs_of(client, new_jobs.results),
        truncated=any(one.next is not None for one in (old, new, old_jobs, new_jobs)),
    )


def _write_runs(difference: RunDifference, *, as_json: bool) -> None:
    from snakeprov.view import differencedocuments, rundifference

    if as_json:
        output.write_json(differencedocuments.run_diff(difference))
    else:
        output.write_lines(rundifference.lines(difference, output.screen()))
