"""`snakeprov prune`: delete stored bytes and keep every record."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import click

from snakeprov.cli import options, output, paging
from snakeprov.cli.examples import examples
from snakeprov.errors import NotFoundError, NotRecordedError, UsageError

_SHOWN = 20

_AGE = re.compile(r"(\d{1,6})\s*([hdwmy])")
_HOURS = {"h": 1, "d": 24, "w": 7 * 24, "m": 30 * 24, "y": 365 * 24}
_SIZE = re.compile(r"(\d{1,15}(?:\.\d{1,6})?)\s*([kKMGTP]?)(i?)B?")
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4, "p": 5}


def _moment(context: click.Context, parameter: click.Parameter, value: str | None) -> datetime | None:
    """Return the moment that a span of time back from now, or a date, is."""
    if value is None:
        return None
    text = value.strip()
    try:
        if match := _AGE.fullmatch(text.lower()):
            return datetime.now(UTC) - timedelta(hours=int(match[1]) * _HOURS[match[2]])
        moment = datetime.fromisoformat(text)
        return moment if moment.tzinfo else moment.astimezone()
    except (ValueError, OverflowError):
        raise click.BadParameter(f"{text!r} is not an age: give 12h, 30d, 6w, 3m, 1y or 2026-01-31.") from None


def _size_bytes(context: click.Context, parameter: click.Parameter, value: str | None) -> int | None:
    """Return the number of bytes that a size is."""
    if value is None:
        return None
    match = _SIZE.fullmatch(value.strip())
    if match is None:
        raise click.BadParameter(f"{value!r} is not a size: give 500kB, 100MB, 1.5GB or 2GiB, for example.")
    return int(float(match[1]) * (1024 if match[3] else 1000) ** _POWERS[match[2].lower()])


@click.command(
    "prune",
    epilog=examples(
        ("prune --keep-last 1", "what could go; deletes nothing"),
        ("prune --rule clean --yes", "delete the bytes that a rule made"),
    ),
)
@click.option(
    "--rule", "rules", metavar="RULE", multiple=True, help="Versions made by this rule; may be given several times."
)
@click.option(
    "--older-than",
    "before",
    callback=_moment,
    metavar="AGE",
    help="Versions recorded longer ago: 12h, 30d, 2026-01-31.",
)
@click.option(
    "--larger-than", "larger_than_bytes", callback=_size_bytes, metavar="SIZE", help="Larger versions: 100MB, 2GiB."
)
@click.option(
    "--keep-last", type=click.IntRange(1), metavar="N", help="Versions other than the N newest of their file."
)
@click.option("--unreferenced", is_flag=True, help="Also delete unreferenced data, e.g. from interrupted recordings.")
@click.option("--yes", is_flag=True, help="Actually delete; without it, only print what would be deleted.")
@options.limit(_SHOWN)
@click.option("--project", metavar="NAME", help="Versions of this project; default: that of the working directory.")
@options.common
def command(
    rules: tuple[str, ...],
    before: datetime | None,
    larger_than_bytes: int | None,
    keep_last: int | None,
    unreferenced: bool,
    yes: bool,
    limit: int | None,
    project: str | None,
    store: str | None,
    as_json: bool,
) -> None:
    """Free space: delete stored bytes, keep every record.

    Deletes the stored bytes of every version that matches all the given criteria; these versions cannot be restored any
    more. Their digests and what made them stay recorded. Content that other versions share stays, and so does code.
    Without --yes it only prints what would be deleted.
    """
    from snakeprov.cli.store import opened
    from snakeprov.model.times import to_wire
    from snakeprov.view import pruned

    wanted = {
        "rules": list(rules),
        "before": to_wire(before) if before else None,
        "largerThanBytes": larger_than_bytes,
        "keepLast": keep_last,
    }
    criteria: dict[str, Any] = {key: value for key, value in wanted.items() if value}
    if larger_than_bytes is not None:
        criteria["largerThanBytes"] = larger_than_bytes
    if not criteria and not unreferenced:
        raise UsageError(
            "Nothing selected: say which versions to prune.",
            hint="Give --older-than, --larger-than, --keep-last, --rule or --unreferenced.",
        )
    if limit is None:
        limit = paging.LIMIT_MAX if as_json else _SHOWN
    with opened(store) as (_, client):
        if criteria:
            criteria["project"] = project or client.project
        try:
            answer = client.provenance.prune({**criteria, "unreferenced": unreferenced}, dry_run=not yes, limit=limit)
        except NotFoundError as error:
            raise NotRecordedError(
                f"Nothing is recorded in a project called {criteria.get('project')!r}.", hint="Name one with --project."
            ) from error
    if as_json:
        output.write_json(pruned.document(answer))
    else:
        output.write_lines(pruned.lines(answer, output.screen()))
