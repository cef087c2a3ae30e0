"""The options and arguments that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from snakeprov.cli.paging import LIMIT_MAX

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

DEPTH_MAX = 1000
"""Largest value of `--depth`, in activities."""

Function = TypeVar("Function", bound=Callable[..., Any])


def common(function: Function) -> Function:
    """Give a command `--store WHERE` and `--json` (arguments `store` and `as_json`)."""
    function = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")(function)
    return store()(function)


def store(*, without_value: str | None = None) -> Callable[[Function], Function]:
    """Give a command `--store WHERE` (argument `store`), which may stand before the command's name too.

    Args:
        without_value: What `--store` stands for without a value; None: it needs one.
    """
    more: dict[str, Any] = {} if without_value is None else {"is_flag": False, "flag_value": without_value}
    return click.option(
        "--store",
        metavar="WHERE",
        callback=_store_of,
        help="Folder or URL of the store; default: nearest here or above.",
        **more,
    )


def _store_of(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    """Return what names the store: the command's option, else that before the name of the command."""
    return context.find_root().params.get("store") if value is None else value


def limit(shown: int) -> Callable[[Function], Function]:
    """Give a command `-n, --limit` (argument `limit`): None unless given; `shown` is what it then shows as text."""
    return click.option(
        "-n",
        "--limit",
        type=click.IntRange(1, LIMIT_MAX),
        help=f"How many to list; default: {shown}, or all with --json.",
    )


def depth(function: Function) -> Function:
    """Give a command `--depth N` (argument `depth`): None unless given."""
    return click.option(
        "--depth", type=click.IntRange(1, DEPTH_MAX), metavar="N", help="Follow at most N activities upstream."
    )(function)


def project(function: Function) -> Function:
    """Give a command `--project NAME` (argument `project`)."""
    return click.option("--project", metavar="NAME", help="Project of the file, if several have its path.")(function)


def recorded_paths(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete a recorded path; load the code for it only when a shell asks."""
    from snakeprov.cli import completion

    return completion.paths(context, parameter, incomplete)


versioned_path = click.argument("path", metavar="PATH[@N]", shell_complete=recorded_paths)
"""The argument `path`: a file, as typed, with `@N` for a version other than the latest."""
