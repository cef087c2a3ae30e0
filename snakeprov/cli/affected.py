"""`snakeprov affected`: list everything that was made from a faulty file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import click

from snakeprov.cli import options, output, paging
from snakeprov.cli.examples import examples
from snakeprov.errors import BadRequestError, NotRecordedError, UsageError

if TYPE_CHECKING:
    from snakeprov.cli.target import Target
    from snakeprov.client import Client
    from snakeprov.model.answers import AffectedVersions, MadeVersion
    from snakeprov.places import Place
    from snakeprov.view.affected import OnDisk

STARTS_MAX = 1000
"""Maximum number of starts in one question."""


@click.command(
    "affected",
    epilog=examples(
        ("affected data/penguins.csv", "all that came from it"),
        ("affected --rule clean", "all that came from a rule"),
        ("affected --run bbbb --csv", "of a run, for a spreadsheet"),
    ),
)
@click.argument("paths", metavar="PATH[@N]...", nargs=-1, shell_complete=options.recorded_paths)
@click.option("--all-versions", is_flag=True, help="Start from every version of the files, not only the latest.")
@click.option("--commit", metavar="SHA", help="Start from what was made at this commit.")
@click.option("--rule", metavar="RULE", help="Start from what this rule made.")
@click.option("--run", "run_id", metavar="ID", help="Start from what this run made.")
@click.option("--all", "show_all", is_flag=True, help="Show every version, however many one rule made.")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV, one row per version.")
@options.project
@options.common
def command(
    paths: tuple[str, ...],
    all_versions: bool,
    commit: str | None,
    rule: str | None,
    run_id: str | None,
    show_all: bool,
    as_csv: bool,
    project: str | None,
    store: str | None,
    as_json: bool,
) -> None:
    """List everything that came from a file.

    Lists every version that was made from it, current or past, however many steps away, grouped by rule, and marks
    those still on disk. The file can be data or code. Instead of a file, --commit, --rule or --run names jobs: then the
    list has everything that they made, and what came from that. With several of these options, all must match.
    """
    from snakeprov.cli.store import opened
    from snakeprov.view import affected

    named = {"commit": commit, "rule": rule, "run": run_id}
    jobs = {name: value for name, value in named.items() if value is not None}
    _check(paths, jobs, all_versions=all_versions)
    if as_csv and as_json:
        raise UsageError("--csv and --json cannot be combined.", hint="Choose one of them.")
    with opened(store) as (place, client):
        if jobs:
            starts: list[Target] = []
            answer, told = _from_jobs(client, jobs)
        else:
            starts = _starts(client, place, paths, project=project)
            answer = _from_versions(client, starts, all_versions=all_versions)
            told = _named(starts, all_versions=all_versions)
    found = affected.Affected(_with_disk(place, answer.versions), answer.truncated)
    if as_json:
        output.write_json(affected.document(found, starts=told))
    elif as_csv:
        output.write_lines(affected.as_csv(found))
    else:
        output.write_lines(affected.affected(found, output.screen(), starts=told, show_all=show_all))


def _check(paths: tuple[str, ...], jobs: Mapping[str, str], *, all_versions: bool) -> None:
    if bool(paths) == bool(jobs):
        message = "No starting point is given." if not paths else "Files and jobs cannot be combined."
        raise UsageError(message, hint="Give files, or --commit, --rule or --run.")
    if all_versions and jobs:
        raise UsageError("--all-versions goes with files only.", hint="Leave it out.")
    if len(paths) > STARTS_MAX:
        raise UsageError(f"{len(paths)} files are named; at most {STARTS_MAX} can be.", hint="Ask in several steps.")


def _starts(client: Client, place: Place, paths: Iterable[str], *, project: str | None) -> list[Target]:
    from snakeprov.cli import target

    return [target.find(client, place, path, project=project) for path in dict.fromkeys(paths)]


def _from_versions(client: Client, starts: list[Target], *, all_versions: bool) -> AffectedVersions:
    from snakeprov.cli import target

    for one in starts:
        if all_versions and one.version_number is not None:
            raise UsageError(
                f"{one.name}@{one.version_number} names one version; --all-versions was given.",
                hint="Leave out one of them.",
            )
        if not 1 <= one.number <= one.latest_number:
            raise target.missing_version(client, one)
    versions = [(one.entity_id, None if all_versions else one.number) for one in starts]

    def question() -> AffectedVersions:
        return client.provenance.affected(versions, limit=paging.LIMIT_MAX)

    return target.ask(client, starts[0], question) if len(starts) == 1 else question()


def _from_jobs(client: Client, jobs: dict[str, str]) -> tuple[AffectedVersions, list[str]]:
    from snakeprov.cli import target

    commit, rule, run_id = jobs.get("commit"), jobs.get("rule"), jobs.get("run")
    if run_id is not None:
        run_id = target.find_run(client, run_id).id
        jobs["run"] = run_id[:8]
    try:
        answer = client.provenance.affected(commit=commit, rule=rule, run_id=run_id, limit=paging.LIMIT_MAX)
    except BadRequestError as error:
        raise UsageError(f"{commit!r} does not name a commit.", hint="Give at least 4 hexadecimal digits.") from error
    told = " and ".join(f"{name} {value}" for name, value in jobs.items())
    if answer.near is not None:
        near = f"Did you mean {target.listed(answer.near)}?" if answer.near else ""
        raise NotRecordedError(f"No job of {told} is recorded.", hint=near or "'snakeprov runs' lists what is.")
    return answer, [told]


def _named(starts: Iterable[Target], *, all_versions: bool) -> list[str]:
    return [one.name if all_versions else f"{one.name}@{one.number}" for one in starts]


def _with_disk(place: Place, versions: Iterable[MadeVersion]) -> list[OnDisk]:
    from snakeprov.cli.ondisk import Disk
    from snakeprov.view.affected import OnDisk

    with Disk(place.root) as disk:
        return [OnDisk(one, disk.has(one.path, sha256=one.sha256, size_bytes=one.size_bytes)) for one in versions]
