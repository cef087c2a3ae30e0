"""The `snakeprov` command: one module per command, each imported when it is called.

Importing this package loads click and no other library.
"""

from __future__ import annotations

import gc
import importlib
import os
from collections.abc import Sequence

import click

from snakeprov import __version__

_COMMANDS = (
    "log",
    "ls",
    "show",
    "why",
    "diff",
    "lineage",
    "affected",
    "find",
    "runs",
    "run",
    "ui",
    "status",
    "doctor",
    "verify",
    "fsck",
    "restore",
    "checkout",
    "prune",
    "push",
    "record",
    "backfill",
    "methods",
    "export",
    "serve",
    "user",
    "token",
    "completion",
)
"""Each is the name of a module of this package whose `command` it is; in the order of the help text."""

_GC_THRESHOLD = 100_000
"""A command lives for moments and mostly imports: looking for garbage less often saves a tenth of that."""


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"snakeprov.cli.{cmd_name}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in _COMMANDS and not ctx.resilient_parsing:
            from difflib import get_close_matches

            near = get_close_matches(args[0], _COMMANDS, n=1)
            ctx.fail(f"No such command {args[0]!r}." + (f" Did you mean {near[0]!r}?" if near else ""))
        return super().resolve_command(ctx, args)


@click.group(cls=_Commands, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="%(prog)s %(version)s")
@click.option("-C", "folder", metavar="DIR", help="Run the command in DIR.")
@click.option("--store", metavar="WHERE", help="Folder or URL of the store; default: nearest here or above.")
@click.option("--no-pager", is_flag=True, help="Do not show a long answer in a pager.")
@click.pass_context
def snakeprov(context: click.Context, folder: str | None, store: str | None, no_pager: bool) -> None:
    """Where does this file come from? Ask what snakeprov recorded of Snakemake's runs."""
    if folder is not None:
        try:
            os.chdir(folder)
        except OSError as error:
            raise click.UsageError(f"Cannot change to {folder} ({error.strerror}).", context) from error
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the `snakeprov` command and return its exit status; errors go to stderr.

    Args:
        arguments: What follows the command's name; None: what the process was called with.
    """
    gc.set_threshold(_GC_THRESHOLD)
    try:
        status = snakeprov.main(
            args=None if arguments is None else list(arguments), prog_name="snakeprov", standalone_mode=False
        )
    except Exception as error:
        from snakeprov.cli import failure

        return failure.tell(error)
    if arguments is None:
        # The process ends now. The search for garbage at the end of the interpreter would take a fifth of its time.
        gc.freeze()
    return status if isinstance(status, int) else 0
