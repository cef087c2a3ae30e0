"""`snakeprov backfill`: record outputs that were there before snakeprov was, from Snakemake's own metadata."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from snakeprov.cli import options, output
from snakeprov.cli.examples import examples
from snakeprov.errors import NoStoreError, RemoteError

if TYPE_CHECKING:
    from snakeprov.client import Client
    from snakeprov.places import Place
    from snakeprov.recorder.backfill import Backfill
    from snakeprov.view.documents import BackfillDocument

JOBS_LISTED_MAX: Final = 20
"""Of more jobs than these, --dry-run gives the number only."""

EXAMPLES_MAX: Final = 3
"""Number of skipped outputs named for each reason."""


@click.command(
    "backfill",
    epilog=examples(
        ("backfill --dry-run", "what would be recorded, and why not the rest"),
        ("backfill results", "record what is in a folder"),
    ),
)
@click.argument("targets", metavar="[TARGET]…", nargs=-1)
@click.option("--dry-run", is_flag=True, help="Only say what would be recorded.")
@options.common
def command(targets: tuple[str, ...], dry_run: bool, store: str | None, as_json: bool) -> int:
    """Record outputs that are there already.

    Records outputs that are unchanged since their job wrote them and that are not recorded yet: all of them, or those
    that TARGET names, a file or a folder. They are marked as backfilled: only what Snakemake itself keeps of their jobs
    is known. Run it in the workflow's directory; the Snakefile is not needed.
    """
    from snakeprov.apps.target import target_of
    from snakeprov.recorder import backfill
    from snakeprov.recorder.delivery import deliver_backfill
    from snakeprov.recorder.leftovers import deliver_leftovers
    from snakeprov.recorder.tools import opened_tools

    place = _find_place(store)
    backfill.require_metadata(place.root)
    client = _connect(place, create=not dry_run)
    with opened_tools(place, target_of) as tools:
        try:
            if client is not None and not dry_run:
                deliver_leftovers(client, tools)
            found = backfill.find(client, tools, targets=[_path(one, place) for one in targets], progress=_progress)
            if client is not None and not dry_run:
                deliver_backfill(client, tools, found, progress=_progress)
        finally:
            _end_progress()
            if client is not None:
                client.close()
    if as_json:
        output.write_json(_document(found, dry_run=dry_run))
    else:
        output.write_lines(_lines(found, dry_run=dry_run))
        for problem in dict.fromkeys([*found.reasons, *(f"{one} cannot be read." for one in found.unreadable)]):
            print(f"snakeprov: {problem}", file=sys.stderr)
    return RemoteError.exit_status if found.reasons else 0


def _find_place(store: str | None) -> Place:
    """Return where to record to; the working directory is the nearest folder upwards in which Snakemake ran."""
    from snakeprov.cli.store import current_folder
    from snakeprov.places import Place, locate, store_of
    from snakeprov.settings import load

    start = current_folder().resolve()
    root = next((folder for folder in (start, *start.parents) if (folder / ".snakemake").is_dir()), start)
    try:
        place = locate(root, store=store)
        if store is not None or place.root == root:
            return Place(store=place.store, root=root, settings=load(root))
    except NoStoreError:
        if store is not None:
            return Place(store=str(root / Path(store).expanduser()), root=root, settings=load(root))
    settings = load(root)
    return Place(store=store_of(settings, root), root=root, settings=settings)


def _connect(place: Place, *, create: bool) -> Client | None:
    from snakeprov.apps.connect import connect

    try:
        return connect(place.store, create=create, shared=place.settings.is_shared)
    except NoStoreError:
        return None


def _path(typed: str, place: Place) -> str:
    """Return the path under which a target is recorded."""
    from snakeprov.cli.store import current_folder
    from snakeprov.cli.targetsyntax import candidates

    return candidates(typed, here=str(current_folder()), root=str(place.root))[0]


def _lines(found: Backfill, *, dry_run: bool) -> Iterator[str]:
    from snakeprov.view.text import counted

    if dry_run:
        for job in found.jobs[:JOBS_LISTED_MAX]:
            yield f"{job.rule}  {', '.join(fact.path for fact in job.outputs)}"
        if len(found.jobs) > JOBS_LISTED_MAX:
            yield f"… and {counted(len(found.jobs) - JOBS_LISTED_MAX, 'more job')}"
    jobs = [job for job in found.jobs if dry_run or job.id in found.delivered]
    done = f"{counted(len(jobs), 'job')} with {counted(sum(len(job.outputs) for job in jobs), 'output')}"
    if not found.jobs:
        yield "Nothing to backfill." if not found.recorded_outputs else "Nothing to backfill: all is recorded."
    elif dry_run:
        yield f"Would backfill {done}."
    else:
        waiting = len(found.jobs) - len(found.delivered) - len(found.reasons)
        line = f"Backfilled {done} (run {found.run.id[:8]})."
        if waiting > 0:
            line += f" {counted(waiting, 'job')} wait to be delivered: snakeprov push."
        yield line
    yield from _left_out(found)


def _left_out(found: Backfill) -> Iterator[str]:
    from snakeprov.view.text import counted, number, say

    if found.jobs and found.recorded_outputs:
        yield f"{counted(found.recorded_outputs, 'output')} recorded already."
    for reason, paths in found.past.left_out.items():
        more = f" and {number(len(paths) - EXAMPLES_MAX)} more" if len(paths) > EXAMPLES_MAX else ""
        yield say(f"Left out, {reason}: {', '.join(paths[:EXAMPLES_MAX])}{more}.").text


def _document(found: Backfill, *, dry_run: bool) -> BackfillDocument:
    from snakeprov.view.documents import BackfillDocument, BackfilledJobDocument, document_of

    return document_of(
        BackfillDocument,
        found,
        run_id=None if dry_run or not found.jobs else found.run.id,
        jobs=[
            document_of(BackfilledJobDocument, job, outputs=[fact.path for fact in job.outputs]) for job in found.jobs
        ],
        delivered=len(found.delivered),
        left_out={reason.value: paths for reason, paths in found.past.left_out.items()},
    )


def _progress(what: str, done: int, total: int) -> None:
    if sys.stderr.isatty():
        print(f"\r\033[Ksnakeprov: {what}, {done} of {total} jobs … ", end="", file=sys.stderr, flush=True)


def _end_progress() -> None:
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr, flush=True)
