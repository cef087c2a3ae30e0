"""What a command says on stderr when it fails, and the status it exits with.

Must not know: which command failed.
"""

from __future__ import annotations

import os
import sys
import traceback

import click

from snakeprov.cli.output import stderr_has_colour
from snakeprov.errors import SnakeprovError
from snakeprov.view.text import say

DEBUG_VARIABLE = "SNAKEPROV_DEBUG"
"""Set to anything, it has the traceback of every error shown."""

INTERRUPTED_STATUS = 130
UNEXPECTED_STATUS = 1


def tell(error: Exception) -> int:
    """Say what failed and what to do about it, and return the exit status."""
    if isinstance(error, click.Abort):
        return INTERRUPTED_STATUS
    if os.environ.get(DEBUG_VARIABLE):
        traceback.print_exception(error)
    if isinstance(error, SnakeprovError):
        _print(error.message, error.hint)
        return error.exit_status
    if isinstance(error, click.ClickException):
        context = getattr(error, "ctx", None)
        _print(error.format_message(), f"'{context.command_path} --help' tells more." if context else "")
        return error.exit_code
    _print(
        f"unexpected {type(error).__name__}: {str(error) or 'no message'}",
        f"This is a mistake in snakeprov. Set {DEBUG_VARIABLE}=1 to see where it happened, and please report it.",
    )
    return UNEXPECTED_STATUS


def _print(message: str, hint: str) -> None:
    colour = stderr_has_colour()
    label = click.style("error:", fg="red", bold=True) if colour else "error:"
    print(f"snakeprov: {label} {say(message).text}", file=sys.stderr)
    if hint:
        print(say(hint).text, file=sys.stderr)
